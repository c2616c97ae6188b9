//! Sends a person to Meta's dialog, and waits for what comes back.

use std::io::BufRead as _;
use std::sync::Arc;

use crate::checks::causes::LOGIN_FOREIGN;
use crate::cli::account::say;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::login::answer::Answer;
use crate::operations::login::dialog::Dialog;
use crate::operations::login::listener::{Listener, PATIENCE};
use crate::ui::browser;

/// How the dialog is opened, and how its answer comes back.
#[derive(Clone, Copy, Debug)]
pub struct BrowserMode {
    /// In the browser of this machine; else its address is printed.
    pub opens: bool,
    /// The person pastes the address that the browser ended at.
    pub pastes: bool,
}

/// The longest address that is read.
const LIMIT: u64 = 16 * 1024;

/// The answer of a login; never one of another.
///
/// # Errors
///
/// None came, or the person left.
pub fn answer(
    ctx: &Context,
    dialog: &Arc<Dialog>,
    listener: Option<Listener>,
    mode: BrowserMode,
) -> Result<Answer, CliError> {
    let address = dialog.address.to_string();
    let opened = mode.opens && browser::open(&address, &ctx.env);
    if opened {
        ctx.output
            .notice("Meta's login has opened in the browser (no window? Ctrl-C, then use --no-browser); if Meta shows an error page: msgrctl help meta-login");
    } else {
        if mode.opens {
            ctx.output.notice("no browser can be opened from here; open this address yourself:");
        } else {
            ctx.output.notice("open this address in a browser:");
        }
        // The result of a program that plays the browser; JSON has standard output for itself.
        if ctx.output.json {
            ctx.output.talk(&address);
        } else {
            ctx.output.result(&address);
        }
        ctx.output.flush();
        if ctx.output.failure().is_some() {
            return Err(CliError::failed("the dialog's address could not be printed; nothing was changed"));
        }
    }
    match listener {
        Some(listener) => {
            let _waiting = ctx.reporter.waiting("waiting for the browser (10 minutes at most) …");
            Ok(listener.answer(dialog, PATIENCE)?)
        }
        None => pasted(ctx, dialog),
    }
}

fn pasted(ctx: &Context, dialog: &Dialog) -> Result<Answer, CliError> {
    say(
        ctx,
        &format!(
            "After the login the browser ends at {}… Copy its whole address from the address bar, at once: Meta may clear it.",
            dialog.redirect
        ),
    );
    if !(ctx.stdin_is_terminal && ctx.someone_can_answer) {
        let bytes = ctx.read_stdin(LIMIT).map_err(|error| {
            CliError::usage("the address could not be read from standard input").cause(error.to_string())
        })?;
        let line = bytes.lines().map_while(Result::ok).find(|line| !line.trim().is_empty()).unwrap_or_default();
        let answer = dialog.read_pasted(&line);
        return match answer {
            Answer::Nothing => Err(CliError::usage("standard input has no address with Meta's answer")
                .hint("give the whole address that the browser ended at; it has code=… or error=…")),
            Answer::Foreign => Err(foreign()),
            answer => Ok(answer),
        };
    }
    loop {
        let Some(typed) = ctx.prompter.hidden("Paste the address (not shown)")? else {
            return Err(CliError::left("login cancelled; nothing was changed"));
        };
        match dialog.read_pasted(&typed) {
            Answer::Nothing => ctx.output.warning("that address does not contain Meta's answer (code=… or error=…)"),
            Answer::Foreign => ctx.output.warning(LOGIN_FOREIGN.summary),
            answer => return Ok(answer),
        }
    }
}

fn foreign() -> CliError {
    CliError::failed(LOGIN_FOREIGN.summary).reason(LOGIN_FOREIGN.id).hint(LOGIN_FOREIGN.fix())
}
