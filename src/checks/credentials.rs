//! The group *credentials*: does the token work, whose is it, what may it do,
//! for how long.

use std::time::Duration;

use jiff::Timestamp;

use super::check::{Check, then};
use super::finding::{Finding, GraphTrace, Group, Outcome};
use super::observe::{Observed, Subject};
use super::state::TokenState;
use crate::graph::GraphError;
use crate::graph::endpoints::page::same_username;
use crate::graph::endpoints::token::TokenInfo;

/// What the contact centre's work needs.
const PERMISSIONS: [&str; 3] = ["pages_messaging", "pages_manage_metadata", "pages_show_list"];

fn check(id: &'static str, duration: Duration) -> Check {
    Check::new(id, Group::Credentials, duration)
}

/// Every check of the group, in the order of the contract.
pub(super) fn findings(seen: &Observed, subject: &Subject) -> Vec<Finding> {
    let state = TokenState::of(seen);
    vec![
        reachable(seen),
        version(seen, &state),
        valid(seen, subject, &state),
        kind(seen, subject, &state),
        page(seen, subject, &state),
        username(seen, subject, &state),
        app(seen, subject, &state),
        permissions(seen, subject, &state),
        expiry(seen, subject, &state),
        data_access(seen, subject, &state),
    ]
}

fn reachable(seen: &Observed) -> Finding {
    let check = check("graph.reachable", seen.page.duration);
    match &seen.page.result {
        Err(error @ GraphError::Unreachable(_)) => check.failed(error, ""),
        _ => check.pass("Graph answers"),
    }
}

fn version(seen: &Observed, state: &TokenState<'_>) -> Finding {
    let check = check("graph.version", seen.page.duration);
    if let TokenState::WrongVersion(error) = state {
        let mut finding = check.refused(error, "run the test again");
        finding.summary = format!("Graph does not know the version {}", seen.asked);
        return finding;
    }
    let asked = seen.asked;
    match seen.answered() {
        Some(answered) if answered == asked => check.pass(format!("Graph answers in version {asked}")),
        Some(answered) => check.warn(
            format!("Graph answered in version {answered}, not in {asked}, which has expired"),
            "leave --graph-version (MSGRCTL_GRAPH_VERSION) out, or update msgrctl",
        ),
        None => check.skip("not known: no answer named its version"),
    }
}

fn valid(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check("token.valid", seen.page.duration);
    match state {
        TokenState::Accepted => check.pass("the token is accepted"),
        TokenState::Refused(error) => {
            let mut error = (*error).clone();
            // debug_token often knows more than the refusal itself.
            if let Some(problem) = seen.token.as_ref().and_then(|call| call.value()?.error.clone()) {
                error.subcode = error.subcode.or(problem.subcode);
            }
            check.refused(&error, &subject.replace_token)
        }
        TokenState::WrongSignature(error) if subject.app.is_none() => {
            let mut finding = check.refused(error, "");
            finding.summary =
                "the token's app asks for signed calls (Require App Secret), and no app secret is known".into();
            let fix = "take the app secret from App Dashboard > App settings > Basic";
            finding.hint = Some(then(fix, &format!("{} --app-id APP_ID --app-secret-stdin", subject.edit)));
            finding
        }
        _ => check.skip(state.why_skipped().unwrap_or_default()),
    }
}

fn kind(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let info = seen.token.as_ref().and_then(|call| call.value());
    let check = check("token.type", seen.page.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    let name = info.and_then(|info| info.kind.as_deref());
    let wrong = match name {
        Some("PAGE") => None,
        Some("USER") => Some("it is a person's token (USER), not the Page's"),
        Some("SYSTEM_USER") => Some("it is a system user's token (SYSTEM_USER), not the Page's"),
        Some("APP") => Some("it is an app's token (APP), not the Page's"),
        Some(_) => Some("it is not a Page access token"),
        None => match seen.subscribed.refusal().and_then(|error| error.code) {
            Some(210) => Some("it is a person's or a system user's token, not the Page's"),
            Some(102) => Some("it is an app's token, not the Page's"),
            _ => None,
        },
    };
    let Some(wrong) = wrong else { return check.pass("it is a Page access token") };
    let fix = "take the Page's own token: call /me/accounts with this one, or generate it in the App Dashboard (Messenger > Settings > Access Tokens)";
    let mut finding = check.fail(wrong, then(fix, &subject.replace_token));
    finding.graph = seen.subscribed.refusal().map(GraphTrace::from);
    finding
}

/// Whether the token is certainly not a Page's; then a Page's checks say nothing.
fn is_other_kind(seen: &Observed) -> bool {
    let info = seen.token.as_ref().and_then(|call| call.value());
    match info.and_then(|info| info.kind.as_deref()) {
        Some(kind) => kind != "PAGE",
        None => matches!(seen.subscribed.refusal().and_then(|error| error.code), Some(210 | 102)),
    }
}

pub(super) const NOT_A_PAGE_TOKEN: &str = "not checked: the token is not a Page's";

/// The id and name of the Page that the token is of.
fn token_page(seen: &Observed) -> Option<(&str, Option<&str>)> {
    let page = seen.page.value().or_else(|| seen.whose.as_ref()?.value());
    let info = || seen.token.as_ref()?.value()?.profile_id.as_deref();
    page.map(|page| (page.id.as_str(), page.name.as_deref())).or_else(|| info().map(|id| (id, None)))
}

/// Whether the token is of another Page than the account says.
pub(super) fn is_other_page(seen: &Observed, subject: &Subject) -> bool {
    let Some(wanted) = &subject.page_id else { return false };
    token_page(seen).is_some_and(|(id, _)| id != wanted)
}

/// What Meta calls the Page, where it is the right one.
pub(super) fn page_name(seen: &Observed, subject: &Subject) -> Option<String> {
    let (id, name) = token_page(seen)?;
    (subject.page_id.as_deref() == Some(id)).then(|| name.map(str::to_owned))?
}

fn page(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check("token.page", seen.page.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    if is_other_kind(seen) {
        return check.skip(NOT_A_PAGE_TOKEN);
    }
    let Some(wanted) = &subject.page_id else { return check.skip("not checked: no page id was given") };
    let called = |name: Option<&str>| name.map(|name| format!(" ({name})")).unwrap_or_default();
    match token_page(seen) {
        Some((id, name)) if id == wanted => check.pass(format!("it is of page {id}{}", called(name))),
        Some((id, name)) => check.fail(
            format!("it is of page {id}{}, not of page {wanted}", called(name)),
            format!(
                "if that Page is meant: {} --page-id {id}; if not, create a token for page {wanted}; then: {}",
                subject.edit, subject.replace_token
            ),
        ),
        None => check.skip("not known: Graph did not say whose token it is"),
    }
}

fn username(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check("page.username", seen.page.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    if is_other_kind(seen) {
        return check.skip(NOT_A_PAGE_TOKEN);
    }
    if is_other_page(seen, subject) {
        return check.skip("not checked: the token is of another Page");
    }
    if let Err(error) = &seen.page.result {
        let mut finding = check.failed(error, &subject.replace_token);
        // The username is for people; the token works without it.
        finding.outcome = Outcome::Warn;
        return finding;
    }
    let Some(wanted) = &subject.page_username else { return check.skip("not checked: no page username was given") };
    let found = seen.page.value().and_then(|page| page.username.as_deref());
    match found {
        Some(found) if same_username(found, wanted) => check.pass(format!("the Page is @{found}")),
        Some(found) => check.fail(
            format!("the Page is @{found}, not @{wanted}"),
            format!("correct it: {} --page-username {found}", subject.edit),
        ),
        None => check.warn(
            format!("Graph shows no username for the Page, so @{wanted} could not be compared"),
            "set the username in the Page's settings, or leave it: the page id decides",
        ),
    }
}

fn app(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let duration = seen.token.as_ref().map(|call| call.duration).or(seen.app.as_ref().map(|call| call.duration));
    let check = check("token.app", duration.unwrap_or_default());
    let Some(app_id) = &subject.app_id else { return check.skip("not checked: the account has no app id") };
    if matches!(state, TokenState::Unknown | TokenState::WrongVersion(_)) {
        return check.skip(state.why_skipped().unwrap_or_default());
    }
    let other = |check: Check, found: &str| {
        check.fail(
            format!("it was issued by app {found}, not by app {app_id}"),
            format!("if that app is meant: {} --app-id {found} (with its app secret); if not, create a token with app {app_id}; then: {}", subject.edit, subject.replace_token),
        )
    };
    if let Some(call) = &seen.token {
        let secret = format!("{} --app-secret-stdin", subject.edit);
        return match &call.result {
            Ok(answer) => match (&answer.value.app_id, state) {
                (Some(found), _) if found != app_id => other(check, found),
                (_, TokenState::WrongSignature(error)) => check.refused(error, &secret),
                (Some(found), _) => check.pass(format!("it was issued by app {found}")),
                (None, _) => check.skip("not known: Meta does not recognise the token"),
            },
            Err(GraphError::Refused(error)) if error.code == Some(190) => {
                let mut finding = check.refused(error, &secret);
                finding.summary = format!("the app id {app_id} and the app secret do not belong together");
                finding.hint =
                    Some(then("copy the app id and the app secret from App Dashboard > App settings > Basic", &secret));
                finding
            }
            Err(GraphError::Refused(error)) if error.code == Some(100) => {
                let mut finding = check.refused(error, &subject.replace_token);
                finding.summary = format!("it was not issued by app {app_id}, but by another app");
                finding.hint = Some(format!(
                    "create the token with app {app_id}, or give the id and secret of the app that issued it; then: {}",
                    subject.replace_token
                ));
                finding
            }
            Err(error) => check.failed(error, &secret),
        };
    }
    match (&seen.app, state) {
        (_, TokenState::Refused(_)) => check.skip(state.why_skipped().unwrap_or_default()),
        (Some(call), _) => match &call.result {
            Ok(answer) if answer.value.id == *app_id => check.pass(format!("it was issued by app {app_id}")),
            Ok(answer) => other(check, &answer.value.id),
            Err(error) => check.failed(error, &subject.replace_token),
        },
        (None, _) => check.skip("not checked: the app secret is not known"),
    }
}

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

fn unreachable_inspection(seen: &Observed, check: Check) -> Option<Finding> {
    match &seen.token.as_ref()?.result {
        Err(error @ GraphError::Unreachable(_)) => Some(check.failed(error, "")),
        _ => None,
    }
}

fn permissions(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let duration = seen.token.as_ref().map_or(seen.subscribed.duration, |call| call.duration);
    let check = check("token.permissions", duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    let info = match inspected(seen, state) {
        Ok(info) => info,
        Err(why) => {
            if let Some(finding) = unreachable_inspection(seen, check) {
                return finding;
            }
            // Without the app secret a missing permission still shows where it was refused.
            return match seen.subscribed.refusal() {
                Some(error) if matches!(error.code, Some(10 | 200..=209 | 211..=299)) => {
                    check.refused(error, &subject.replace_token)
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
            then(&format!("create a new token and grant {list}"), &subject.replace_token),
        )
    } else if !elsewhere.is_empty() {
        check.fail(
            format!("granted, but not for this Page: {}", elsewhere.join(", ")),
            then("create a new token and tick this Page in the login dialog", &subject.replace_token),
        )
    } else {
        return check.pass(format!("{} are granted", PERMISSIONS.join(", ")));
    };
    finding.graph = seen.subscribed.refusal().filter(|error| error.code != Some(210)).map(GraphTrace::from);
    finding
}

fn expiry(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
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

fn data_access(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
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
        Err(why) => return unreachable_inspection(seen, check).unwrap_or_else(|| check.skip(why)),
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
    let hint = then(words.fix, &subject.replace_token);
    let left = at - seen.now;
    if left <= 0 {
        return check.fail(format!("{} on {day}", words.ended), hint);
    }
    let days = left / DAY;
    let summary = format!("{} on {day}, in {days} day{}", words.will_end, if days == 1 { "" } else { "s" });
    if left < i64::from(subject.warn_days) * DAY {
        return check.warn(summary, hint);
    }
    check.pass(summary)
}
