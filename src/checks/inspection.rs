//! Meta's inspection of the token, asked for by its app or by the token itself: permissions and
//! expiry. Part of the group *credentials*. Any readable token is judged, even one that Meta
//! refuses.

use jiff::Timestamp;

use super::causes::{
    self, Cause, DATA_ACCESS_ENDED, DATA_ACCESS_ENDS, EXPIRED, EXPIRES_SOON, PERMISSION_MISSING, Place,
};
use super::check::{Check, then};
use super::credentials::{check, refused_app};
use super::finding::{Finding, GraphTrace, Outcome};
use super::ids;
use super::life::TokenLife;
use super::observe::{Observed, Subject};
use super::state::{TokenState, is_vital, lacking, wants_page_token};
use crate::graph::GraphError;
use crate::graph::endpoints::token::TokenInfo;

const NOT_BY_ITSELF: &str =
    "not checked: only the app (with app id and app secret) may look, or a token whose person has a role on the app";

/// The answer of `debug_token`, or why there is none to judge.
fn inspected<'a>(seen: &'a Observed, subject: &Subject, state: &TokenState<'_>) -> Result<&'a TokenInfo, &'static str> {
    if matches!(state, TokenState::Unknown | TokenState::WrongVersion(_)) {
        return Err(state.why_skipped().unwrap_or_default());
    }
    match &seen.token.result {
        Ok(answer) if answer.value.is_readable() => Ok(&answer.value),
        Ok(_) => Err("not checked: Meta cannot read the token"),
        Err(GraphError::Refused(_)) if subject.app.is_some() => {
            let refused = "not checked: Meta refused the app's question about the token (token.app)";
            Err(refused_app(seen, subject).unwrap_or(refused))
        }
        Err(GraphError::Refused(_)) => Err(state.why_skipped().unwrap_or(NOT_BY_ITSELF)),
        Err(GraphError::Unreachable(_)) => Err("not checked: Graph did not answer this call"),
    }
}

/// The finding of a required call that got no answer. Nothing depends on the answer when a token
/// inspects itself.
fn unanswered(seen: &Observed, subject: &Subject, check: Check) -> Option<Finding> {
    match &seen.token.result {
        Err(error @ GraphError::Unreachable(_)) if subject.app.is_some() => {
            Some(check.failed(error, Place::App, subject))
        }
        _ => None,
    }
}

pub(super) fn permissions(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::TOKEN_PERMISSIONS, seen.token.duration);
    let info = match inspected(seen, subject, state) {
        Ok(info) => info,
        Err(why) => {
            if let Some(finding) = unanswered(seen, subject, check) {
                return finding;
            }
            // A refusal elsewhere still shows a missing permission.
            let asked = subject.asked(Place::Page);
            return match seen.subscribed.refusal() {
                Some(error)
                    if state.why_skipped().is_none() && causes::of(error, asked).cause == PERMISSION_MISSING.id =>
                {
                    check.refused(error, asked, subject)
                }
                _ if why == NOT_BY_ITSELF => {
                    let mut finding = check.skip(why);
                    finding.hint = Some(then("with them far more is checked", &subject.commands.add_app));
                    finding
                }
                _ => check.skip(why),
            };
        }
    };
    let Some((missing, elsewhere)) = lacking(info, subject) else {
        return check.skip("not known: Meta does not show the permissions of this token any more");
    };
    let (short, summary, fix) = if !missing.is_empty() {
        let list = missing.join(", ");
        let fix = format!("create a new token and grant {list} beside the permissions that it has");
        (missing, format!("permissions are missing: {list}"), fix)
    } else if !elsewhere.is_empty() {
        let summary = format!("granted, but not for this Page: {}", elsewhere.join(", "));
        (elsewhere, summary, "create a new token and tick this Page in the login dialog".into())
    } else {
        return check.pass(format!("{} are granted", subject.channel.permissions().join(", ")));
    };
    let outcome = if short.iter().any(|name| is_vital(subject.channel, name)) { Outcome::Fail } else { Outcome::Warn };
    let hint = then(&fix, &subject.commands.replace_token);
    let mut finding = check.finds(outcome, PERMISSION_MISSING.id, summary, hint);
    finding.graph = seen.subscribed.refusal().filter(|_| wants_page_token(seen).is_none()).map(GraphTrace::from);
    finding
}

pub(super) fn expiry(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let words = Ends {
        id: ids::TOKEN_EXPIRY,
        of: |info, seen| TokenLife::end_of(info, seen.parent_info(), seen.now),
        never: "it does not expire",
        ended: ("it expired", &EXPIRED, Outcome::Fail),
        will_end: ("it expires", &EXPIRES_SOON),
    };
    let mut finding = ending(seen, subject, state, &words);
    if let Some(at) = finding.ends_at {
        let left = at.as_second().saturating_sub(seen.now);
        if seen.life() == Some(TokenLife::PageOfShortUser) && left > 0 {
            // At once, however few days ahead a warning is wanted.
            finding.outcome = finding.outcome.max(Outcome::Warn);
            finding.cause = Some(EXPIRES_SOON.id);
            finding.summary = format!("it expires {}: it came from a short-lived user token", in_hours(left));
            finding.hint = Some(then(FROM_LONG_LIVED, &subject.commands.replace_token));
        }
        if finding.outcome > Outcome::Pass {
            finding.hint = renewal(seen, subject, left).or(finding.hint);
        }
    }
    finding
}

const FROM_LONG_LIVED: &str = "log in again with 'msgrctl login', or create a Page token from a long-lived user token: such a Page token does not expire";

/// `in 2 hours`, `in 40 minutes`.
fn in_hours(seconds: i64) -> String {
    let (count, unit) = if seconds < 5_400 { (seconds / 60, "minute") } else { ((seconds + 1_800) / 3_600, "hour") };
    format!("in {count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How a token that ends in `left` seconds is renewed from the kept one that it came from; `None`
/// where none is kept, or that has ended too.
fn renewal(seen: &Observed, subject: &Subject, left: i64) -> Option<String> {
    let renew = subject.commands.renew.as_ref()?;
    let lives = seen.parent_info().map_or(left > 0, TokenInfo::lives);
    lives.then(|| then("renew it from the kept user access token", renew))
}

/// Page permissions are exempt from the end of data access, so it breaks nothing here: a
/// warning, never a failure.
pub(super) fn data_access(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let words = Ends {
        id: ids::TOKEN_DATA_ACCESS,
        of: |info, _| info.data_access_expires_at,
        never: "its access to personal data does not end",
        ended: ("its access to personal data ended", &DATA_ACCESS_ENDED, Outcome::Warn),
        will_end: ("its access to personal data ends", &DATA_ACCESS_ENDS),
    };
    ending(seen, subject, state, &words)
}

struct Ends {
    id: &'static str,
    of: fn(&TokenInfo, &Observed) -> Option<i64>,
    never: &'static str,
    ended: (&'static str, &'static Cause, Outcome),
    will_end: (&'static str, &'static Cause),
}

fn ending(seen: &Observed, subject: &Subject, state: &TokenState<'_>, words: &Ends) -> Finding {
    let check = check(words.id, seen.token.duration);
    let info = match inspected(seen, subject, state) {
        Ok(info) => info,
        Err(why) => return unanswered(seen, subject, check).unwrap_or_else(|| check.skip(why)),
    };
    let Some(at) = (words.of)(info, seen) else { return check.skip("not known: Meta did not say") };
    if at == 0 && (!info.lives() || matches!(state, TokenState::Refused(error) if error.subcode == Some(463))) {
        return check.skip("not known: the token is refused, and Meta names no end of it");
    }
    if at == 0 {
        return check.pass(words.never);
    }
    let ends_at = Timestamp::from_second(at).ok();
    let day = ends_at.map_or_else(|| at.to_string(), |time| time.strftime("%Y-%m-%d").to_string());
    let finding = judged(check, subject, words, at.saturating_sub(seen.now), &day);
    Finding { ends_at, ..finding }
}

/// Judges an end in `left` seconds, on `day`.
fn judged(check: Check, subject: &Subject, words: &Ends, left: i64, day: &str) -> Finding {
    const DAY: i64 = 86_400;
    let hint = |cause: &Cause| subject.then(&cause.fix(), cause.next);
    if left <= 0 {
        let (ended, cause, outcome) = words.ended;
        return check.finds(outcome, cause.id, format!("{ended} on {day}"), hint(cause));
    }
    // To the nearest day: a token made for 90 days still has 90 a minute later.
    let days = left.saturating_add(DAY / 2) / DAY;
    let (will_end, cause) = words.will_end;
    let summary = format!("{will_end} on {day}, in {days} day{}", if days == 1 { "" } else { "s" });
    if left < i64::from(subject.warn_days) * DAY {
        return check.warn(cause, summary, hint(cause));
    }
    check.pass(summary)
}
