//! Whether the callback passes Meta's handshake. Part of the group *delivery*.

use url::Url;

use super::causes::{CALLBACK_NOT_HTTPS, CALLBACK_PRIVATE, Cause, Next, UNREACHABLE};
use super::check::{Check, then};
use super::finding::{Finding, Group, Outcome};
use super::ids;
use super::observe::{Commands, Editing, Field, Observed, Subject};
use crate::address::{is_loopback, is_private, to_paste};
use crate::graph::{GraphError, Unreachable};
use crate::webhook::Problem;

pub(super) fn finding(seen: &Observed, subject: &Subject) -> Finding {
    let asked = seen.handshake.as_ref();
    let check =
        Check::new(ids::CALLBACK_HANDSHAKE, Group::Delivery, asked.map(|asked| asked.duration).unwrap_or_default());
    let Some(callback) = &subject.callback else {
        return check.skip("not checked: the account has no callback URL");
    };
    // A callback that its address alone rules out is not asked.
    if let Some(Misplaced { cause, summary, hint }) = misplaced(&callback.url, callback.sandbox, &subject.commands.edit)
    {
        return check.fail(cause, summary, hint);
    }
    let here = Url::parse(&callback.url).is_ok_and(|url| is_loopback(&url));
    if !here && callback.sandbox {
        return check.skip("not asked: this is a sandbox account, whose events stay on this machine");
    }
    if let Err(why) = &callback.verify_token {
        return check.skip(format!("not asked: {why}"));
    }
    match asked.map(|asked| &asked.result) {
        None => check.skip("not asked: the callback URL is not an address"),
        Some(Err(error)) => check.finds(Outcome::Unreachable, UNREACHABLE.id, error.to_string(), UNREACHABLE.fix()),
        Some(Ok(probe)) => match &probe.problem {
            None => check
                .pass("the callback repeats the challenge for the account's verify token, and refuses a made-up one"),
            Some(problem) => {
                let hint = way_out(problem, &subject.commands);
                // Without a network neither answers, and that says nothing about the callback.
                let offline = problem.is_of_network()
                    && matches!(seen.page.result, Err(GraphError::Unreachable(Unreachable::Fault { .. })));
                let (outcome, cause) = judge_problem(problem);
                let outcome = if offline { Outcome::Unreachable } else { outcome };
                let mut finding = check.finds(outcome, cause, problem.summary(), hint);
                finding.receiver_says.clone_from(&probe.says);
                finding
            }
        },
    }
}

/// How bad it is what a callback was found to do, and the cause.
pub fn judge_problem(problem: &Problem) -> (Outcome, &'static str) {
    let outcome = if problem.is_warning() { Outcome::Warn } else { Outcome::Fail };
    match problem {
        Problem::PrivateAddress { .. } => (outcome, CALLBACK_PRIVATE.id),
        problem => (outcome, problem.cause()),
    }
}

/// What to do about a problem, with the command.
pub fn way_out(problem: &Problem, commands: &Commands) -> String {
    let next = if problem.is_of_address() { Next::SetCallback } else { Next::Verify };
    commands.of(next).map_or_else(|| problem.fix().to_owned(), |command| then(problem.fix(), &command))
}

/// A callback URL that Meta cannot call.
pub struct Misplaced {
    pub cause: &'static Cause,
    pub summary: String,
    /// What to do, with the command.
    pub hint: String,
}

/// Judges only the address: whether it is not https, or leads where Meta cannot go. `edit`
/// changes the account. A sandbox calls this machine, and accepts https addresses as Meta does.
pub fn misplaced(callback: &str, sandbox: bool, edit: &Editing) -> Option<Misplaced> {
    let url = Url::parse(callback).ok()?;
    let here = is_loopback(&url);
    let summary = if here && sandbox {
        return None;
    } else if here {
        "the callback URL is on this machine: Meta cannot reach it".to_owned()
    } else if is_private(&url) && !sandbox {
        let host = url.host_str().unwrap_or_default();
        format!("the callback URL leads into a private network ({host}): Meta cannot reach it")
    } else if url.scheme() != "https" {
        let cause = &CALLBACK_NOT_HTTPS;
        let https = to_paste(&format!("https{}", url.as_str().strip_prefix("http")?));
        let hint = then(&cause.fix(), &edit.set(Field::CallbackUrl, &https));
        return Some(Misplaced { cause, summary: cause.summary.into(), hint });
    } else {
        return None;
    };
    let hint = then(&CALLBACK_PRIVATE.fix(), &edit.set(Field::CallbackUrl, "URL"));
    Some(Misplaced { cause: &CALLBACK_PRIVATE, summary, hint })
}
