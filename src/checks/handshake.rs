//! Whether the callback would pass Meta's handshake. Part of the group *delivery*.

use url::Url;

use super::causes::{CALLBACK_NOT_HTTPS, CALLBACK_PRIVATE, UNREACHABLE};
use super::check::{Check, then};
use super::finding::{Finding, Group, Outcome};
use super::observe::{Observed, Subject};
use crate::address::{is_loopback, is_private};
use crate::graph::{GraphError, Unreachable};
use crate::webhook::Problem;

pub(super) fn finding(seen: &Observed, subject: &Subject) -> Finding {
    let asked = seen.handshake.as_ref();
    let check =
        Check::new("callback.handshake", Group::Delivery, asked.map(|asked| asked.duration).unwrap_or_default());
    let Some(callback) = &subject.callback else {
        return check.skip("not checked: the account has no callback URL");
    };
    let url = Url::parse(&callback.url).ok();
    let here = url.as_ref().is_some_and(is_loopback);
    // What only the place of a receiver decides needs no asking.
    if !callback.sandbox {
        let elsewhere = |summary: String| {
            let hint = subject.then(&CALLBACK_PRIVATE.fix(), CALLBACK_PRIVATE.next);
            check.fail(&CALLBACK_PRIVATE, summary, hint)
        };
        if here {
            return elsewhere("the callback URL is on this machine: Meta cannot reach it".into());
        }
        if let Some(url) = url.as_ref().filter(|url| is_private(url)) {
            let host = url.host_str().unwrap_or_default();
            return elsewhere(format!("the callback URL leads into a private network ({host}): Meta cannot reach it"));
        }
    }
    if !here && callback.sandbox {
        return check.skip("not asked: this is a sandbox account, whose events stay on this machine");
    }
    if let Some(https) = url.as_ref().filter(|url| url.scheme() != "https" && !here).and_then(with_https) {
        let command = format!("{} --callback-url {https}", subject.commands.edit);
        return check.fail(&CALLBACK_NOT_HTTPS, CALLBACK_NOT_HTTPS.summary, then(&CALLBACK_NOT_HTTPS.fix(), &command));
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
                let hint = then(problem.fix(), &subject.commands.verify);
                // Without a network neither answers, and that says nothing of the callback.
                let offline = problem.is_of_network()
                    && matches!(seen.page.result, Err(GraphError::Unreachable(Unreachable::Fault { .. })));
                let outcome = match problem {
                    _ if offline => Outcome::Unreachable,
                    problem if problem.is_warning() => Outcome::Warn,
                    _ => Outcome::Fail,
                };
                let cause = match problem {
                    Problem::PrivateAddress { .. } => CALLBACK_PRIVATE.id,
                    problem => problem.cause(),
                };
                let mut finding = check.finds(outcome, cause, problem.summary(), hint);
                finding.receiver_says.clone_from(&probe.says);
                finding
            }
        },
    }
}

/// The same address over HTTPS, in quotes where a shell needs them.
fn with_https(url: &Url) -> Option<String> {
    let text = format!("https{}", url.as_str().strip_prefix("http")?);
    shlex::try_quote(&text).ok().map(std::borrow::Cow::into_owned)
}
