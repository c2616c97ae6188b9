//! Single questions: each says where its value is found, checks the answer, and asks again
//! with the reason.

use std::fmt::Display;
use std::str::FromStr;

use crate::accounts::{CallbackUrl, FieldError};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::accounts::fields::{self, Field, of_secret};
use crate::operations::accounts::inputs;
use crate::secrets::{Secret, SecretKind, redact};
use crate::ui::style::{self, paint, wrap, wrap_sentence};

/// Prints text between questions, wrapped.
pub fn say(ctx: &Context, text: &str) {
    ctx.output.talk(&wrap_sentence(text, ctx.output.terminal.err().width, 0));
}

/// Introduces a question: where its value is found, and `more`.
pub fn introduce(ctx: &Context, field: &Field, more: &str) {
    introduce_as(ctx, field.name, field.found, more);
}

/// The same for a question about several fields.
pub fn introduce_as(ctx: &Context, name: &str, found: &str, more: &str) {
    let screen = ctx.output.terminal.err();
    let text = wrap(&format!("{}: {found}.{more}", capital(name)), screen.width, 2);
    ctx.output.talk(&format!("\n{}", paint(style::DIM, &text, screen.color)));
}

pub fn capital(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

pub fn good(ctx: &Context, text: &str) {
    let screen = ctx.output.terminal.err();
    let mark = if screen.unicode { "✓" } else { "+" };
    ctx.output.talk(&format!("{} {}", paint(style::GOOD, mark, screen.color), wrap(text, screen.width, 2)));
}

/// Why an answer was refused, and what to do; the question is asked again.
pub fn refuse(ctx: &Context, why: impl Display, hint: Option<&str>) {
    let screen = ctx.output.terminal.err();
    let mark = if screen.unicode { "✗" } else { "x" };
    let why = wrap(&redact(&why.to_string()), screen.width, 2);
    ctx.output.talk(&format!("{} {why}", paint(style::ERROR, mark, screen.color)));
    if let Some(hint) = hint {
        let hint = wrap(&format!("fix: {}", redact(hint)), screen.width, 2);
        ctx.output.talk(&format!("  {hint}"));
    }
}

/// The same for an error; an interrupt is returned and ends everything.
pub fn refuse_error(ctx: &Context, error: CliError) -> Result<(), CliError> {
    if error.is_interrupt() {
        return Err(error);
    }
    // Hints about flags are not for the wizard.
    refuse(ctx, error.message(), error.first_hint().filter(|hint| !hint.contains("--")));
    Ok(())
}

/// A required field; `None` for Esc. Enter takes `offered`.
pub fn field<T>(
    ctx: &Context,
    field: &Field,
    offered: &str,
    check: impl Fn(&T) -> Result<(), CliError>,
) -> Result<Option<T>, CliError>
where
    T: FromStr<Err = FieldError>,
{
    introduce(ctx, field, "");
    again(ctx, field, offered, check)
}

pub enum Callback {
    Url(CallbackUrl),
    Skipped,
}

/// The callback URL, which may be skipped; `None` for Esc. The offered URL is shown without
/// its keys; Enter takes it whole.
pub fn callback_url(
    ctx: &Context,
    offered: Option<&CallbackUrl>,
    check: impl Fn(&CallbackUrl) -> Result<(), CliError>,
) -> Result<Option<Callback>, CliError> {
    let field = &fields::CALLBACK_URL;
    let question = capital(field.name);
    introduce(ctx, field, if offered.is_some() { " '-' skips it." } else { " Enter skips it." });
    let masked = offered.map(CallbackUrl::shown).unwrap_or_default();
    loop {
        let Some(answer) = ctx.ask_line(&question, &masked)? else { return Ok(None) };
        if answer.is_empty() || answer == "-" {
            ctx.prompter.show(&question, "skipped");
            return Ok(Some(Callback::Skipped));
        }
        let answer = offered.filter(|_| answer == masked).map_or(answer.as_str(), CallbackUrl::as_str);
        if let Some(url) = accepted(ctx, answer, &check)? {
            ctx.prompter.show(&question, &url.shown());
            return Ok(Some(Callback::Url(url)));
        }
    }
}

/// Asks without an introduction until the answer is valid.
pub fn again<T>(
    ctx: &Context,
    field: &Field,
    offered: &str,
    check: impl Fn(&T) -> Result<(), CliError>,
) -> Result<Option<T>, CliError>
where
    T: FromStr<Err = FieldError>,
{
    loop {
        let Some(answer) = ctx.ask_line(&capital(field.name), offered)? else { return Ok(None) };
        if let Some(value) = accepted(ctx, &answer, &check)? {
            ctx.prompter.show(&capital(field.name), &answer);
            return Ok(Some(value));
        }
    }
}

/// The parsed answer; `None` after saying why it was refused.
fn accepted<T>(ctx: &Context, answer: &str, check: impl Fn(&T) -> Result<(), CliError>) -> Result<Option<T>, CliError>
where
    T: FromStr<Err = FieldError>,
{
    match answer.parse::<T>().map_err(CliError::from).and_then(|value| check(&value).map(|()| value)) {
        Ok(value) => Ok(Some(value)),
        Err(error) => refuse_error(ctx, error).map(|()| None),
    }
}

pub enum Pasted {
    Secret(Secret),
    /// Only Enter was pressed.
    Nothing,
    /// Esc.
    Back,
}

/// A secret at a hidden prompt; asks again until it can be one.
pub fn secret(ctx: &Context, kind: SecretKind, question: &str) -> Result<Pasted, CliError> {
    loop {
        let Some(typed) = ctx.prompter.hidden(question)? else { return Ok(Pasted::Back) };
        // A copy may bring along blanks, a line end or quotes.
        let typed = typed.trim();
        let quoted = ['"', '\''].into_iter().find_map(|mark| typed.strip_prefix(mark)?.strip_suffix(mark));
        let typed = quoted.unwrap_or(typed).trim();
        if typed.is_empty() {
            return Ok(Pasted::Nothing);
        }
        match Secret::from_input(typed.as_bytes()) {
            Err(error) => refuse(ctx, format!("this cannot be a {kind}: {error}"), Some(of_secret(kind).found)),
            Ok(secret) => match inputs::accept(ctx, kind, &secret) {
                Ok(()) => {
                    ctx.prompter.show(question, &secret.masked());
                    return Ok(Pasted::Secret(secret));
                }
                Err(error) => refuse_error(ctx, error)?,
            },
        }
    }
}
