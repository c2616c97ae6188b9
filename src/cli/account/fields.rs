//! The fields of an account as flags: the same for `add` and `edit`, and the list
//! from which whatever is missing is named.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::accounts::{AppId, CallbackUrl, Handle, PageId, PageUsername};
use crate::cli::candidates;
use crate::cli::error::CliError;
use crate::dashboard;
use crate::secrets::SecretKind;
use crate::ui::output::Output;

/// One field: what it is called, how it is given, where a person finds it.
pub struct Field {
    /// In words: `page id`.
    pub name: &'static str,
    /// The flags that give it.
    pub flags: &'static str,
    /// The variable that gives it, for a secret.
    pub variable: Option<&'static str>,
    /// Where its value is found.
    pub found: &'static str,
}

/// The account's name.
pub const NAME: Field = Field {
    name: "account name",
    flags: "NAME",
    variable: None,
    found: "any name that tells the account from the others",
};
/// The Page's @username.
pub const PAGE_USERNAME: Field = Field {
    name: "page username",
    flags: "--page-username",
    variable: None,
    found: "the @name below the Page's title, or the end of its facebook.com address",
};
/// The Page's id.
pub const PAGE_ID: Field = Field {
    name: "page id",
    flags: "--page-id",
    variable: None,
    found: "the Page's About section, under Page transparency",
};
/// The Page access token.
pub const TOKEN: Field = Field {
    name: "page access token",
    flags: "--token-stdin, --token-file PATH or --token-from REF",
    variable: Some("MSGRCTL_PAGE_TOKEN"),
    found: dashboard::TOKENS,
};
/// The app's id.
pub const APP_ID: Field = Field { name: "app id", flags: "--app-id", variable: None, found: dashboard::APP };
/// The app's secret.
pub const APP_SECRET: Field = Field {
    name: "app secret",
    flags: "--app-secret-stdin, --app-secret-file PATH or --app-secret-from REF",
    variable: Some("MSGRCTL_APP_SECRET"),
    found: dashboard::APP,
};
/// The verify token.
pub const VERIFY_TOKEN: Field = Field {
    name: "verify token",
    flags: "--generate-verify-token, --verify-token-stdin, --verify-token-file PATH or --verify-token-from REF",
    variable: Some("MSGRCTL_VERIFY_TOKEN"),
    found: "generated; the same value goes into the Meta app's webhook settings",
};

/// The address that Meta sends events to.
pub const CALLBACK_URL: Field = Field {
    name: "callback URL",
    flags: "--callback-url",
    variable: None,
    found: "the account's form in Contact Center Administrator shows it once the account is saved there",
};
/// The short name for commands.
pub const HANDLE: Field = Field {
    name: "handle",
    flags: "--handle",
    variable: None,
    found: "made of the name; commands and completions use it",
};

/// The field of a secret.
pub fn of_secret(kind: SecretKind) -> &'static Field {
    match kind {
        SecretKind::PageAccessToken => &TOKEN,
        SecretKind::AppSecret => &APP_SECRET,
        SecretKind::VerifyToken | SecretKind::NextVerifyToken => &VERIFY_TOKEN,
    }
}

/// Names everything that is missing at once.
pub fn missing(fields: &[&Field], note: Option<&str>) -> CliError {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let mut error = CliError::usage(format!("missing: {}", names.join(", ")));
    for field in fields {
        let variable = field.variable.map(|name| format!(", or the variable {name}")).unwrap_or_default();
        error = error.hint(format!("{}: {}{variable} ({})", field.name, field.flags, field.found));
    }
    match note {
        Some(note) => error.hint(note),
        None => error,
    }
}

/// What to say of a flag that would take a secret's value, and that does not exist
/// for that reason; `None` for any other.
pub fn refused_flag(flag: &str) -> Option<CliError> {
    let kind = match flag {
        "--token" => SecretKind::PageAccessToken,
        "--app-secret" => SecretKind::AppSecret,
        "--verify-token" => SecretKind::VerifyToken,
        _ => return None,
    };
    let field = of_secret(kind);
    let error = CliError::usage(format!(
        "{flag} does not exist: what stands on a command line is seen by every user of this machine and kept in the shell's history"
    ));
    Some(
        error
            .hint(format!("use {}; 'account add' also reads {}", field.flags, field.variable.unwrap_or_default()))
            .hint(format!("if that was a real {kind}, it has been seen: replace it at Meta")),
    )
}

/// The flags. Values are kept as they were typed: clap's own errors would repeat
/// them, and what lands in the wrong flag may be a secret.
#[derive(Debug, Args)]
pub struct FieldArgs {
    /// The messenger
    #[arg(long = "type", value_name = "TYPE", value_parser = ["facebook"])]
    pub messenger: Option<String>,
    /// The Page's username, with or without @, or its facebook.com or m.me address
    #[arg(long, value_name = "USERNAME")]
    pub page_username: Option<String>,
    /// The Page's id: digits
    #[arg(long, value_name = "ID")]
    pub page_id: Option<String>,
    /// The Meta app's id; with the app secret far more is checked
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// Where the contact centre takes Meta's events
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
    /// Keep a reference to the page access token: env:NAME, file:PATH, keyring:SERVICE/USER, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "token_from_group", help_heading = "Secrets")]
    pub token_from: Option<String>,
    /// Read the app secret from standard input
    #[arg(long, groups = ["stdin", "app_secret_from_group"], help_heading = "Secrets")]
    pub app_secret_stdin: bool,
    /// Read the app secret from a file
    #[arg(long, value_name = "PATH", group = "app_secret_from_group", help_heading = "Secrets")]
    pub app_secret_file: Option<PathBuf>,
    /// Keep a reference to the app secret: env:NAME, file:PATH, keyring:SERVICE/USER, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "app_secret_from_group", help_heading = "Secrets")]
    pub app_secret_from: Option<String>,
    /// Make a new webhook verify token of 40 letters and digits
    #[arg(long, group = "verify_token_from_group", help_heading = "Secrets")]
    pub generate_verify_token: bool,
    /// Read the webhook verify token from standard input
    #[arg(long, groups = ["stdin", "verify_token_from_group"], help_heading = "Secrets")]
    pub verify_token_stdin: bool,
    /// Read the webhook verify token from a file
    #[arg(long, value_name = "PATH", group = "verify_token_from_group", help_heading = "Secrets")]
    pub verify_token_file: Option<PathBuf>,
    /// Keep a reference to the webhook verify token: env:NAME, file:PATH, keyring:SERVICE/USER, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "verify_token_from_group", help_heading = "Secrets")]
    pub verify_token_from: Option<String>,

    /// Save without asking Graph
    #[arg(long, conflicts_with = "save_anyway", help_heading = "Test Connection")]
    pub no_test: bool,
    /// Save even when the credentials fail or Graph does not answer
    #[arg(long, help_heading = "Test Connection")]
    pub save_anyway: bool,
}

impl FieldArgs {
    /// Checks the fields that are not secret, and warns of what is doubtful.
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

/// The fields that were given and are not secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// `--page-username`
    pub page_username: Option<PageUsername>,
    /// `--page-id`
    pub page_id: Option<PageId>,
    /// `--app-id`
    pub app_id: Option<AppId>,
    /// `--callback-url`
    pub callback_url: Option<CallbackUrl>,
    /// `--handle`
    pub handle: Option<Handle>,
}

impl Fields {
    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::manifest::schema;

    /// Whatever the wizard asks for can be said in a manifest.
    #[test]
    fn every_field_has_a_key_in_a_manifest() {
        let keys = [
            (&NAME, "name"),
            (&PAGE_USERNAME, "page_username"),
            (&PAGE_ID, "page_id"),
            (&TOKEN, "token"),
            (&APP_ID, "app.id"),
            (&APP_SECRET, "app.secret"),
            (&VERIFY_TOKEN, "webhook.verify_token"),
            (&CALLBACK_URL, "webhook.callback_url"),
            (&HANDLE, "handle"),
        ];
        let schema: serde_json::Value = serde_json::from_str(schema()).expect("json");
        for (field, key) in keys {
            let place = match key.split_once('.') {
                Some((table, key)) => &schema["$defs"][table]["properties"][key],
                None => &schema["$defs"]["account"]["properties"][key],
            };
            assert!(place.is_object(), "{} has no key {key}", field.name);
        }
        let named = include_str!("fields.rs").matches(": Field = Field {").count();
        // This line names the form once more.
        assert_eq!(keys.len(), named - 1);
    }
}
