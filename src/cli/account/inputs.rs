//! The secrets that were given: read from where the flags say, and judged before
//! anything else happens.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::{FieldArgs, of_secret};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::dashboard;
use crate::env::current_directory;
use crate::files;
use crate::operations::change::{Change, New, Target};
use crate::secrets::{Secret, SecretKind, SecretRef, Shape, Weight, generate_verify_token, redact};

/// No token is longer than a few hundred characters.
const LIMIT: u64 = 64 * 1024;

/// The secrets that a command was given.
#[derive(Clone, Debug, Default)]
pub struct SecretInputs {
    /// The page access token.
    pub token: Option<Secret>,
    /// The app secret.
    pub app_secret: Option<Secret>,
    /// The verify token.
    pub verify_token: Option<Secret>,
    /// Whether the verify token was made here.
    pub generated: bool,
    /// Where those are that were given by reference.
    pub references: BTreeMap<SecretKind, SecretRef>,
}

impl SecretInputs {
    /// Reads them. Variables count only where `variables` says so (`account add`)
    /// and the flag is absent.
    pub fn read(args: &FieldArgs, ctx: &Context, variables: bool) -> Result<Self, CliError> {
        let mut inputs = Self::default();
        let token =
            Given { stdin: args.token_stdin, file: args.token_file.as_deref(), from: args.token_from.as_deref() };
        let app_secret = Given {
            stdin: args.app_secret_stdin,
            file: args.app_secret_file.as_deref(),
            from: args.app_secret_from.as_deref(),
        };
        let verify_token = Given {
            stdin: args.verify_token_stdin,
            file: args.verify_token_file.as_deref(),
            from: args.verify_token_from.as_deref(),
        };
        inputs.token = inputs.take(SecretKind::PageAccessToken, &token, ctx, variables)?;
        inputs.app_secret = inputs.take(SecretKind::AppSecret, &app_secret, ctx, variables)?;
        if args.generate_verify_token {
            inputs.verify_token = Some(generate_verify_token());
            inputs.generated = true;
        } else {
            inputs.verify_token = inputs.take(SecretKind::VerifyToken, &verify_token, ctx, variables)?;
        }
        Ok(inputs)
    }

    /// A new verify token.
    pub fn generated() -> Self {
        Self { verify_token: Some(generate_verify_token()), generated: true, ..Self::default() }
    }

    /// One secret alone.
    pub fn of_one(kind: SecretKind, given: &Given<'_>, ctx: &Context) -> Result<Self, CliError> {
        let mut inputs = Self::default();
        let secret = inputs.take(kind, given, ctx, false)?;
        match kind {
            SecretKind::PageAccessToken => inputs.token = secret,
            SecretKind::AppSecret => inputs.app_secret = secret,
            SecretKind::VerifyToken | SecretKind::NextVerifyToken => inputs.verify_token = secret,
        }
        Ok(inputs)
    }

    /// One secret, from wherever it was given.
    fn take(
        &mut self,
        kind: SecretKind,
        given: &Given<'_>,
        ctx: &Context,
        variables: bool,
    ) -> Result<Option<Secret>, CliError> {
        let secret = match *given {
            Given { stdin: true, .. } => Some(from_stdin(kind, ctx)?),
            Given { file: Some(path), .. } => Some(from_file(kind, path)?),
            Given { from: Some(text), .. } => {
                let (reference, secret) = from_reference(kind, text, ctx)?;
                self.references.insert(kind, reference);
                Some(secret)
            }
            _ if variables => from_variable(kind, ctx)?,
            _ => None,
        };
        if let Some(secret) = &secret {
            judge(kind, secret, ctx)?;
        }
        Ok(secret)
    }

    /// Puts a typed secret, or none, in place of whatever was given before.
    pub fn put(&mut self, kind: SecretKind, secret: Option<Secret>) {
        self.references.remove(&kind);
        match kind {
            SecretKind::PageAccessToken => self.token = secret,
            SecretKind::AppSecret => self.app_secret = secret,
            SecretKind::VerifyToken | SecretKind::NextVerifyToken => {
                self.generated = false;
                self.verify_token = secret;
            }
        }
    }

    /// What happens to a given secret: kept in a store, or referred to.
    pub fn change(&self, kind: SecretKind, secret: &Secret, target: Target) -> Change {
        let new = match self.references.get(&kind) {
            Some(reference) => New::Reference(reference.clone()),
            None => New::Value(secret.clone(), target),
        };
        Change { kind, new: Some(new) }
    }

    /// Whether a store has to keep something: a value, or the verify token that is
    /// made where none was given.
    pub fn keeps_anything(&self) -> bool {
        let kept = |(kind, _): &(SecretKind, &Secret)| !self.references.contains_key(kind);
        self.verify_token.is_none() || self.given().iter().any(kept)
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

/// How one secret was given.
pub struct Given<'a> {
    /// On standard input.
    pub stdin: bool,
    /// In a file.
    pub file: Option<&'a Path>,
    /// By a reference.
    pub from: Option<&'a str>,
}

fn from_reference(kind: SecretKind, text: &str, ctx: &Context) -> Result<(SecretRef, Secret), CliError> {
    let reference = SecretRef::parse_reference(text).map_err(|error| {
        let shown = redact(text);
        CliError::usage(format!("'{shown}' refers to no {kind}: {error}"))
    })?;
    let reference = match current_directory() {
        Some(directory) => reference.absolute(&directory),
        None => reference,
    };
    if reference.is_our_own_entry() {
        return Err(CliError::usage(format!(
            "{reference} is an entry of msgrctl's own, and those belong to their accounts"
        ))
        .hint("name an entry that another program keeps, or give the secret itself"));
    }
    let found = ctx.referred(&reference).map_err(|error| CliError::from(error).context(format!("the {kind}")))?;
    let secret = found.ok_or_else(|| {
        CliError::credentials(format!("there is no {kind} at {reference}"))
            .hint("put it there, and run the command again")
    })?;
    Ok((reference, secret))
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
    let shape = secret.shape(kind);
    match shape.misfit() {
        None => Ok(()),
        Some((Weight::Certain, why)) => Err(CliError::usage(format!("the {kind} {why}")).hint(match (kind, shape) {
            (_, Shape::WhiteSpace) => "copy it again, whole and alone".to_owned(),
            (SecretKind::PageAccessToken, _) => format!("create a Page access token (EAA…): {}", dashboard::TOKENS),
            (SecretKind::AppSecret, _) => format!("where to find it: {}", dashboard::APP),
            (SecretKind::VerifyToken | SecretKind::NextVerifyToken, _) => {
                "a verify token goes to the callback URL as it is: choose letters and digits, or have one made with --generate-verify-token".to_owned()
            }
        })),
        Some((_, why)) => {
            ctx.output.warning(&format!("the {kind} {why}"));
            Ok(())
        }
    }
}
