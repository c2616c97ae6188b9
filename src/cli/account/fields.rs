//! The fields of an account as flags: the same for `add` and `edit`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;

use super::inputs::Given;
use crate::accounts::{CallbackUrl, PageUsername};
use crate::address;
use crate::channel::Channel;
use crate::cli::candidates;
use crate::cli::error::CliError;
use crate::operations::Invocation;
use crate::operations::accounts::fields::{
    APP_ID, CALLBACK_URL, Field, Fields, HANDLE, PAGE_ID, PAGE_USERNAME, of_secret,
};
use crate::operations::accounts::gate::Gate;
use crate::secrets::SecretKind;
use crate::ui::output::Output;

/// The error for a flag that would take a secret's value and is deliberately missing.
pub fn refused_flag(flag: &str) -> Option<CliError> {
    let kind = match flag {
        "--token" => SecretKind::PageAccessToken,
        "--app-secret" => SecretKind::AppSecret,
        "--verify-token" => SecretKind::VerifyToken,
        _ => return None,
    };
    let field = of_secret(kind);
    let error = CliError::usage(format!(
        "{flag} does not exist: every user of this machine can see a command line, and the shell's history keeps it"
    ));
    Some(
        error
            .hint(format!("use {}; 'account add' also reads {}", field.flags, field.variable.unwrap_or_default()))
            .hint(format!("if that was a real {kind}, treat it as leaked and replace it at Meta")),
    )
}

/// Values are kept as typed: clap's own errors would repeat them, and a value in the wrong
/// flag may be a secret.
#[derive(Clone, Debug, Default, Args)]
pub struct FieldArgs {
    /// The messenger
    #[arg(long = "type", value_name = "TYPE")]
    pub channel: Option<Channel>,
    /// The Page's username, with or without @, or its facebook.com or m.me URL
    #[arg(long, value_name = "USERNAME")]
    pub page_username: Option<String>,
    /// The Page's id: digits
    #[arg(long, value_name = "ID")]
    pub page_id: Option<String>,
    /// The Meta app's id; with the app secret more is checked
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// The contact centre's URL for Meta's events
    #[arg(long, value_name = "URL")]
    pub callback_url: Option<String>,
    /// A short name for commands: lower-case letters, digits, '.', '_', '-'
    #[arg(long, value_name = "HANDLE")]
    pub handle: Option<String>,

    /// Read the page access token from standard input
    #[arg(long, groups = ["stdin", "token_from_group"], help_heading = "Secrets")]
    pub token_stdin: bool,
    /// Read the page access token from a file
    #[arg(long, value_name = "PATH", group = "token_from_group", help_heading = "Secrets")]
    pub token_file: Option<PathBuf>,
    /// Keep a reference to the page access token: env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "token_from_group", help_heading = "Secrets")]
    pub token_from: Option<String>,
    /// Read the app secret from standard input
    #[arg(long, groups = ["stdin", "app_secret_from_group"], help_heading = "Secrets")]
    pub app_secret_stdin: bool,
    /// Read the app secret from a file
    #[arg(long, value_name = "PATH", group = "app_secret_from_group", help_heading = "Secrets")]
    pub app_secret_file: Option<PathBuf>,
    /// Keep a reference to the app secret: env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "app_secret_from_group", help_heading = "Secrets")]
    pub app_secret_from: Option<String>,
    /// Generate a webhook verify token of 40 letters and digits
    #[arg(long, group = "verify_token_from_group", help_heading = "Secrets")]
    pub generate_verify_token: bool,
    /// Read the webhook verify token from standard input
    #[arg(long, groups = ["stdin", "verify_token_from_group"], help_heading = "Secrets")]
    pub verify_token_stdin: bool,
    /// Read the webhook verify token from a file
    #[arg(long, value_name = "PATH", group = "verify_token_from_group", help_heading = "Secrets")]
    pub verify_token_file: Option<PathBuf>,
    /// Keep a reference to the webhook verify token: env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "verify_token_from_group", help_heading = "Secrets")]
    pub verify_token_from: Option<String>,
    /// Where the token is a person's or a system user's, keep it beside the Page's, to renew that
    #[arg(long, conflicts_with = "no_test", help_heading = "Secrets")]
    pub keep_user_token: bool,

    /// Save without asking Graph
    #[arg(long, conflicts_with = "save_anyway", help_heading = "Test Connection")]
    pub no_test: bool,
    /// Save even if the credentials fail or Graph does not answer
    #[arg(long, help_heading = "Test Connection")]
    pub save_anyway: bool,
}

impl ValueEnum for Channel {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.id()))
    }
}

impl FieldArgs {
    pub fn gate(&self) -> Gate {
        match (self.no_test, self.save_anyway) {
            (true, _) => Gate::Untested,
            (false, true) => Gate::Anyway,
            (false, false) => Gate::Passing,
        }
    }

    /// `command` with the same flags; keys in the callback URL are masked.
    pub fn again(&self, command: Invocation) -> Invocation {
        // Destructured in full, so that a new flag cannot be forgotten here.
        let Self {
            channel,
            page_username,
            page_id,
            app_id,
            callback_url,
            handle,
            token_stdin,
            token_file,
            token_from,
            app_secret_stdin,
            app_secret_file,
            app_secret_from,
            generate_verify_token,
            verify_token_stdin,
            verify_token_file,
            verify_token_from,
            keep_user_token,
            no_test,
            save_anyway,
        } = self;
        let path = |path: &Option<PathBuf>| path.as_deref().map(Path::to_string_lossy).map(String::from);
        command
            .with("--type", channel.map(Channel::id))
            .with("--page-username", page_username.as_deref())
            .with("--page-id", page_id.as_deref())
            .with("--app-id", app_id.as_deref())
            .with("--callback-url", callback_url.as_deref().map(address::with_placeholders).as_deref())
            .with("--handle", handle.as_deref())
            .flag("--no-test", *no_test)
            .flag("--save-anyway", *save_anyway)
            .flag("--token-stdin", *token_stdin)
            .with("--token-file", path(token_file).as_deref())
            .with("--token-from", token_from.as_deref())
            .flag("--app-secret-stdin", *app_secret_stdin)
            .with("--app-secret-file", path(app_secret_file).as_deref())
            .with("--app-secret-from", app_secret_from.as_deref())
            .flag("--generate-verify-token", *generate_verify_token)
            .flag("--verify-token-stdin", *verify_token_stdin)
            .with("--verify-token-file", path(verify_token_file).as_deref())
            .with("--verify-token-from", verify_token_from.as_deref())
            .flag("--keep-user-token", *keep_user_token)
    }

    /// How each secret was given, in reading order.
    pub fn secrets(&self) -> [(SecretKind, Given<'_>); 3] {
        [
            (SecretKind::PageAccessToken, self.token_stdin, &self.token_file, &self.token_from),
            (SecretKind::AppSecret, self.app_secret_stdin, &self.app_secret_file, &self.app_secret_from),
            (SecretKind::VerifyToken, self.verify_token_stdin, &self.verify_token_file, &self.verify_token_from),
        ]
        .map(|(kind, stdin, file, from)| (kind, Given { stdin, file: file.as_deref(), from: from.as_deref() }))
    }

    /// Checks the fields that are not secret; warns of doubtful ones.
    pub fn parse(&self, output: &Output) -> Result<Fields, CliError> {
        let fields = Fields {
            page_username: parse(self.page_username.as_deref(), &PAGE_USERNAME)?,
            page_id: parse(self.page_id.as_deref(), &PAGE_ID)?,
            app_id: parse(self.app_id.as_deref(), &APP_ID)?,
            callback_url: parse(self.callback_url.as_deref(), &CALLBACK_URL)?,
            handle: parse(self.handle.as_deref(), &HANDLE)?,
        };
        let doubts = [
            fields.page_username.as_ref().and_then(PageUsername::doubt),
            fields.callback_url.as_ref().and_then(CallbackUrl::doubt),
        ];
        for doubt in doubts.into_iter().flatten() {
            output.warning(&doubt);
        }
        Ok(fields)
    }
}

fn parse<T>(text: Option<&str>, field: &Field) -> Result<Option<T>, CliError>
where
    T: std::str::FromStr<Err = crate::accounts::FieldError>,
{
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|error: crate::accounts::FieldError| {
        CliError::usage(error.to_string()).context(field.flags).hint(format!("{}: {}", field.name, field.found))
    })
}
