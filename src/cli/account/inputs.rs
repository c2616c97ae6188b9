//! Reads the secrets of a command from where its flags say.

use std::path::Path;

use super::fields::FieldArgs;
use crate::accounts::{Handle, Name};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::operations::accounts::fields::of_secret;
use crate::operations::accounts::inputs::{LIMIT, SecretInputs, accept, clean, from_file, variable_key};
use crate::secrets::{Secret, SecretKind, generate_verify_token};

/// `variables`: whether variables count where the flag is absent (`account add`).
pub fn read(args: &FieldArgs, ctx: &Context, variables: bool) -> Result<SecretInputs, CliError> {
    let mut inputs = SecretInputs { keep_user_token: args.keep_user_token, ..SecretInputs::default() };
    for (kind, given) in args.secrets() {
        if kind == SecretKind::VerifyToken && args.generate_verify_token {
            inputs.put(kind, Some(generate_verify_token()));
            inputs.generated = true;
        } else {
            take(&mut inputs, kind, &given, ctx, variables)?;
        }
    }
    Ok(inputs)
}

pub fn of_one(kind: SecretKind, given: &Given<'_>, ctx: &Context) -> Result<SecretInputs, CliError> {
    let mut inputs = SecretInputs::default();
    take(&mut inputs, kind, given, ctx, false)?;
    Ok(inputs)
}

/// The env store: every secret is already in a variable.
pub fn in_variables(
    args: &FieldArgs,
    ctx: &Context,
    name: Option<&Name>,
    handle: Option<&Handle>,
) -> Result<SecretInputs, CliError> {
    let Some(handle) = handle.cloned().or_else(|| name.map(Handle::slug)) else {
        return Err(CliError::usage("missing: account name or handle")
            .hint("the env store finds secrets by the account's handle: give NAME or --handle HANDLE"));
    };
    if args.generate_verify_token || args.keep_user_token || args.secrets().iter().any(|(_, given)| given.is_any()) {
        let variable = |kind| variable_key(&handle, kind).variable();
        return Err(CliError::usage("the env store is read-only: it reads secrets from variables and stores none")
            .hint(format!(
                "set {} (and {}, {}, {}), and omit the flags that give secrets",
                variable(SecretKind::PageAccessToken),
                variable(SecretKind::VerifyToken),
                variable(SecretKind::AppSecret),
                variable(SecretKind::UserAccessToken)
            )));
    }
    SecretInputs::in_variables(ctx, &handle)
}

fn take(
    inputs: &mut SecretInputs,
    kind: SecretKind,
    given: &Given<'_>,
    ctx: &Context,
    variables: bool,
) -> Result<(), CliError> {
    let secret = match *given {
        Given { stdin: true, .. } => from_stdin(kind, ctx)?,
        Given { file: Some(path), .. } => from_file(kind, path)?,
        Given { from: Some(text), .. } => return inputs.refer(ctx, kind, text),
        _ if variables => match from_variable(kind, ctx)? {
            Some(secret) => secret,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    accept(ctx, kind, &secret)?;
    inputs.put(kind, Some(secret));
    Ok(())
}

pub struct Given<'a> {
    pub stdin: bool,
    pub file: Option<&'a Path>,
    pub from: Option<&'a str>,
}

impl Given<'_> {
    pub fn is_any(&self) -> bool {
        self.stdin || self.file.is_some() || self.from.is_some()
    }
}

fn from_stdin(kind: SecretKind, ctx: &Context) -> Result<Secret, CliError> {
    if ctx.stdin_is_terminal && ctx.someone_can_answer {
        // A secret pasted at a visible prompt would stay on the screen.
        let question = format!("Paste the {kind} (it is not shown)");
        let Some(typed) = ctx.prompter.hidden(&question)? else {
            return Err(CliError::left("nothing was pasted; nothing was changed"));
        };
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

/// A passphrase from standard input or a file; `None` without either flag.
pub fn passphrase_from(ctx: &Context, stdin: bool, file: Option<&Path>) -> Result<Option<Secret>, CliError> {
    let refused =
        |from: &str, error: &dyn std::fmt::Display| CliError::usage(format!("the passphrase {from}: {error}"));
    let bytes = match file {
        Some(path) => files::read_bytes(path, LIMIT).map_err(|error| CliError::of_given(&error))?,
        None if stdin => ctx.read_stdin(LIMIT).map_err(|error| refused("on standard input", &error))?,
        None => return Ok(None),
    };
    Secret::from_input(&bytes).map(Some).map_err(|error| refused("cannot be used", &error))
}

fn from_variable(kind: SecretKind, ctx: &Context) -> Result<Option<Secret>, CliError> {
    let Some(variable) = of_secret(kind).variable else { return Ok(None) };
    let Some(value) = ctx.env.text(variable) else { return Ok(None) };
    ctx.output.notice(&format!("reading the {kind} from {variable}"));
    clean(kind, value.as_bytes(), variable).map(Some)
}
