//! The secrets that were given: read from where the flags say, and judged before
//! anything else happens.

use std::path::Path;

use super::fields::{FieldArgs, of_secret};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::secrets::{Secret, SecretKind, Shape, generate_verify_token};

/// No token is longer than a few hundred characters.
const LIMIT: u64 = 64 * 1024;

/// The secrets that a command was given.
#[derive(Debug, Default)]
pub struct SecretInputs {
    /// The page access token.
    pub token: Option<Secret>,
    /// The app secret.
    pub app_secret: Option<Secret>,
    /// The verify token.
    pub verify_token: Option<Secret>,
    /// Whether the verify token was made here.
    pub generated: bool,
}

impl SecretInputs {
    /// Reads them. Variables count only where `variables` says so (`account add`)
    /// and the flag is absent.
    pub fn read(args: &FieldArgs, ctx: &Context, variables: bool) -> Result<Self, CliError> {
        let read = |kind, stdin, file: &Option<std::path::PathBuf>| {
            let secret = match (stdin, file) {
                (true, _) => Some(from_stdin(kind, ctx)?),
                (false, Some(path)) => Some(from_file(kind, path)?),
                (false, None) if variables => from_variable(kind, ctx)?,
                (false, None) => None,
            };
            if let Some(secret) = &secret {
                judge(kind, secret, ctx)?;
            }
            Ok::<_, CliError>(secret)
        };
        let token = read(SecretKind::PageAccessToken, args.token_stdin, &args.token_file)?;
        let app_secret = read(SecretKind::AppSecret, args.app_secret_stdin, &args.app_secret_file)?;
        if args.generate_verify_token {
            return Ok(Self { token, app_secret, verify_token: Some(generate_verify_token()), generated: true });
        }
        let verify_token = read(SecretKind::VerifyToken, args.verify_token_stdin, &args.verify_token_file)?;
        Ok(Self { token, app_secret, verify_token, generated: false })
    }

    /// The given secrets by kind, in the order in which they are stored.
    pub fn given(&self) -> Vec<(SecretKind, &Secret)> {
        let all = [
            (SecretKind::PageAccessToken, &self.token),
            (SecretKind::AppSecret, &self.app_secret),
            (SecretKind::VerifyToken, &self.verify_token),
        ];
        all.into_iter().filter_map(|(kind, secret)| Some((kind, secret.as_ref()?))).collect()
    }
}

fn from_stdin(kind: SecretKind, ctx: &Context) -> Result<Secret, CliError> {
    if ctx.stdin_is_terminal && ctx.someone_can_answer() {
        // What is pasted there must not stay on the screen.
        let typed = ctx.ask_hidden(&format!("Paste the {kind} (it is not shown)"))?;
        return clean(kind, typed.as_bytes(), "the terminal");
    }
    let bytes = ctx.read_stdin(LIMIT).map_err(|error| {
        CliError::usage(format!("the {kind} could not be read from standard input")).cause(error.to_string())
    })?;
    if bytes.len() as u64 > LIMIT {
        return Err(CliError::usage(format!("the {kind} on standard input is longer than {LIMIT} bytes")));
    }
    clean(kind, &bytes, "standard input")
}

fn from_file(kind: SecretKind, path: &Path) -> Result<Secret, CliError> {
    let bytes = files::read_bytes(path, LIMIT).map_err(|error| {
        let shown = CliError::usage(format!("the {kind} could not be read")).cause(error.to_string());
        match std::error::Error::source(&error) {
            Some(source) => shown.cause(source.to_string()),
            None => shown,
        }
    })?;
    clean(kind, &bytes, &path.display().to_string())
}

fn from_variable(kind: SecretKind, ctx: &Context) -> Result<Option<Secret>, CliError> {
    let Some(variable) = of_secret(kind).variable else { return Ok(None) };
    let Some(value) = ctx.env.text(variable) else { return Ok(None) };
    ctx.output.notice(&format!("taking the {kind} from {variable}"));
    clean(kind, value.as_bytes(), variable).map(Some)
}

fn clean(kind: SecretKind, bytes: &[u8], place: &str) -> Result<Secret, CliError> {
    Secret::from_input(bytes).map_err(|error| {
        CliError::usage(format!("the {kind} from {place} cannot be used: {error}"))
            .hint(format!("where to find it: {}", of_secret(kind).found))
    })
}

/// Refuses what cannot be a secret of this kind; warns of what is odd.
pub fn judge(kind: SecretKind, secret: &Secret, ctx: &Context) -> Result<(), CliError> {
    let refuse = |why: &str, hint: &str| Err(CliError::usage(format!("the {kind} {why}")).hint(hint));
    match secret.shape(kind) {
        Shape::Plausible => Ok(()),
        Shape::WhiteSpace => refuse("has white space inside", "copy it again, whole and alone"),
        Shape::Instagram => refuse(
            "is an Instagram token (IGAA…), which Facebook's Graph refuses",
            "create a Page access token (EAA…): Meta App Dashboard > your app > Messenger > Settings > Access Tokens",
        ),
        Shape::AppToken => refuse(
            "is an app access token (APPID|SECRET), not a Page's",
            "create a Page access token (EAA…): Meta App Dashboard > your app > Messenger > Settings > Access Tokens",
        ),
        Shape::NotLikeAToken => {
            ctx.output.warning(&format!("the {kind} does not begin with EAA, as Meta's tokens do today"));
            Ok(())
        }
        Shape::NotLikeASecret => {
            ctx.output.warning(&format!("the {kind} is not 32 hexadecimal digits, as Meta's app secrets are today"));
            Ok(())
        }
        Shape::Mangled => {
            ctx.output.warning(&format!(
                "the {kind} has characters other than letters and digits; Meta is known to change some on the way"
            ));
            Ok(())
        }
    }
}
