//! What Meta says of the token itself, where the app's secret lets it be asked:
//! permissions and ends. Part of the group *credentials*.

use jiff::Timestamp;

use super::check::{Check, then};
use super::credentials::check;
use super::finding::{Finding, GraphTrace, Outcome};
use super::observe::{Observed, Subject};
use super::state::TokenState;
use crate::graph::GraphError;
use crate::graph::endpoints::token::TokenInfo;

/// What the contact centre's work needs.
const PERMISSIONS: [&str; 3] = ["pages_messaging", "pages_manage_metadata", "pages_show_list"];

const NEEDS_SECRET: &str = "not checked: it needs the app id and the app secret";

/// What `debug_token` says, or why there is nothing to judge.
fn inspected<'a>(seen: &'a Observed, state: &TokenState<'_>) -> Result<&'a TokenInfo, &'static str> {
    if matches!(state, TokenState::Unknown | TokenState::WrongVersion(_)) {
        return Err(state.why_skipped().unwrap_or_default());
    }
    match &seen.token {
        None => Err(NEEDS_SECRET),
        Some(call) => match &call.result {
            Ok(answer) => Ok(&answer.value),
            Err(GraphError::Refused(_)) => Err("not checked: Meta refused the app's credentials (token.app)"),
            Err(GraphError::Unreachable(_)) => Err("not checked: Graph did not answer this call"),
        },
    }
}

fn unreachable_inspection(seen: &Observed, subject: &Subject, check: Check) -> Option<Finding> {
    match &seen.token.as_ref()?.result {
        Err(error @ GraphError::Unreachable(_)) => Some(check.failed(error, subject)),
        _ => None,
    }
}

pub(super) fn permissions(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let duration = seen.token.as_ref().map_or(seen.subscribed.duration, |call| call.duration);
    let check = check("token.permissions", duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    let info = match inspected(seen, state) {
        Ok(info) => info,
        Err(why) => {
            if let Some(finding) = unreachable_inspection(seen, subject, check) {
                return finding;
            }
            // Without the app secret a missing permission still shows where it was refused.
            return match seen.subscribed.refusal() {
                Some(error) if matches!(error.code, Some(10 | 200..=209 | 211..=299)) => check.refused(error, subject),
                _ if why == NEEDS_SECRET => {
                    let hint = then("with them far more is checked", &subject.commands.add_app);
                    check.ends(Outcome::Skip, why, Some(hint))
                }
                _ => check.skip(why),
            };
        }
    };
    let granted = |name: &str| info.scopes.iter().any(|scope| scope == name);
    let for_page = |name: &str| {
        let targets = info.granular_scopes.iter().filter(|granular| granular.scope == name);
        targets
            .filter_map(|granular| granular.target_ids.as_ref())
            .all(|ids| subject.page_id.as_ref().is_none_or(|id| ids.contains(id)))
    };
    let missing: Vec<&str> = PERMISSIONS.into_iter().filter(|name| !granted(name)).collect();
    let elsewhere: Vec<&str> = PERMISSIONS.into_iter().filter(|name| granted(name) && !for_page(name)).collect();
    let mut finding = if !missing.is_empty() {
        let list = missing.join(", ");
        check.fail(
            format!("permissions are missing: {list}"),
            then(&format!("create a new token and grant {list}"), &subject.commands.replace_token),
        )
    } else if !elsewhere.is_empty() {
        check.fail(
            format!("granted, but not for this Page: {}", elsewhere.join(", ")),
            then("create a new token and tick this Page in the login dialog", &subject.commands.replace_token),
        )
    } else {
        return check.pass(format!("{} are granted", PERMISSIONS.join(", ")));
    };
    finding.graph = seen.subscribed.refusal().filter(|error| error.code != Some(210)).map(GraphTrace::from);
    finding
}

pub(super) fn expiry(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let end = |info: &TokenInfo| info.expires_at;
    let words = Ends {
        id: "token.expiry",
        never: "it does not expire",
        ended: "it expired",
        will_end: "it expires",
        fix: "create a new Page access token from a long-lived user token: such a Page token does not expire",
    };
    ending(seen, subject, state, end, &words)
}

pub(super) fn data_access(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let end = |info: &TokenInfo| info.data_access_expires_at;
    let words = Ends {
        id: "token.data_access",
        never: "its access to data does not end",
        ended: "its access to data ended",
        will_end: "its access to data ends",
        fix: "have the person who made the token log in to the app again: that renews it for 90 days",
    };
    ending(seen, subject, state, end, &words)
}

struct Ends {
    id: &'static str,
    never: &'static str,
    ended: &'static str,
    will_end: &'static str,
    fix: &'static str,
}

fn ending(
    seen: &Observed,
    subject: &Subject,
    state: &TokenState<'_>,
    end: fn(&TokenInfo) -> Option<i64>,
    words: &Ends,
) -> Finding {
    const DAY: i64 = 86_400;
    let check = check(words.id, seen.token.as_ref().map(|call| call.duration).unwrap_or_default());
    let info = match inspected(seen, state) {
        Ok(info) => info,
        Err(why) => return unreachable_inspection(seen, subject, check).unwrap_or_else(|| check.skip(why)),
    };
    let Some(at) = end(info) else { return check.skip("not known: Meta did not say") };
    // A dead token that would have lived on is no good news.
    let ended = at != 0 && at <= seen.now;
    if let (TokenState::Refused(_), Some(why)) = (state, state.why_skipped())
        && !ended
    {
        return check.skip(why);
    }
    if at == 0 {
        return check.pass(words.never);
    }
    let day = Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d").to_string());
    let hint = then(words.fix, &subject.commands.replace_token);
    let left = at - seen.now;
    if left <= 0 {
        return check.fail(format!("{} on {day}", words.ended), hint);
    }
    // To the nearest day: a token made for 90 days has 90 left a minute later.
    let days = (left + DAY / 2) / DAY;
    let summary = format!("{} on {day}, in {days} day{}", words.will_end, if days == 1 { "" } else { "s" });
    if left < i64::from(subject.warn_days) * DAY {
        return check.warn(summary, hint);
    }
    check.pass(summary)
}
