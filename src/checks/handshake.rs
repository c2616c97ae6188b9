//! Whether the callback would pass Meta's handshake. Part of the group *delivery*.

use url::Url;

use super::check::{Check, then};
use super::finding::{Finding, Group, Outcome};
use super::observe::{Observed, Subject};
use crate::graph::{GraphError, Unreachable};
use crate::webhook::is_loopback;

pub(super) fn finding(seen: &Observed, subject: &Subject) -> Finding {
    let asked = seen.handshake.as_ref();
    let check =
        Check::new("callback.handshake", Group::Delivery, asked.map(|asked| asked.duration).unwrap_or_default());
    let Some(callback) = &subject.callback else {
        return check.skip("not checked: the account has no callback URL");
    };
    let here = Url::parse(&callback.url).is_ok_and(|url| is_loopback(&url));
    if here && !callback.sandbox {
        return check.fail(
            "the callback URL is on this machine: Meta cannot reach it",
            then(
                "put the address that leads here from outside",
                &format!("{} --callback-url URL", subject.commands.edit),
            ),
        );
    }
    if !here && callback.sandbox {
        return check.skip("not asked: this is a sandbox account, whose events stay on this machine");
    }
    if let Err(why) = &callback.verify_token {
        return check.skip(format!("not asked: {why}"));
    }
    match asked.map(|asked| &asked.result) {
        None => check.skip("not asked: the callback URL is no address"),
        Some(Err(error)) => check.ends(Outcome::Unreachable, error.to_string(), None),
        Some(Ok(probe)) => match &probe.problem {
            None => {
                check.pass("the callback repeats the challenge for the right verify token, and refuses a wrong one")
            }
            Some(problem) => {
                let hint = Some(then(problem.fix(), &subject.commands.verify));
                // Without a network neither answers, and that says nothing of the callback.
                let offline = problem.is_of_network()
                    && matches!(seen.page.result, Err(GraphError::Unreachable(Unreachable::Fault(_))));
                let outcome = match problem {
                    _ if offline => Outcome::Unreachable,
                    problem if problem.is_warning() => Outcome::Warn,
                    _ => Outcome::Fail,
                };
                check.ends(outcome, problem.summary(), hint)
            }
        },
    }
}
