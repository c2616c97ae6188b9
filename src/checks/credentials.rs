//! The group *credentials*: does the token work, whose is it, what may it do,
//! for how long.

use std::time::Duration;

use super::check::{Check, then};
use super::finding::{Finding, GraphTrace, Group, Outcome};
use super::inspection;
use super::observe::{Observed, Subject};
use super::state::TokenState;
use crate::dashboard;
use crate::graph::endpoints::page::same_username;
use crate::graph::{ApiError, GraphError};

pub(super) fn check(id: &'static str, duration: Duration) -> Check {
    Check::new(id, Group::Credentials, duration)
}

/// Every check of the group, in the order of the contract.
pub(super) fn findings(seen: &Observed, subject: &Subject) -> Vec<Finding> {
    let state = TokenState::of(seen);
    vec![
        reachable(seen, subject),
        version(seen, subject, &state),
        valid(seen, subject, &state),
        kind(seen, subject, &state),
        page(seen, subject, &state),
        username(seen, subject, &state),
        app(seen, subject, &state),
        inspection::permissions(seen, subject, &state),
        inspection::expiry(seen, subject, &state),
        inspection::data_access(seen, subject, &state),
    ]
}

fn reachable(seen: &Observed, subject: &Subject) -> Finding {
    let check = check("graph.reachable", seen.page.duration);
    match &seen.page.result {
        Err(error @ GraphError::Unreachable(_)) => check.failed(error, subject),
        _ => check.pass("Graph answers"),
    }
}

fn version(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check("graph.version", seen.page.duration);
    if let TokenState::WrongVersion(error) = state {
        let mut finding = check.refused(error, subject);
        finding.summary = format!("Graph does not know the version {}", seen.asked);
        return finding;
    }
    let asked = seen.asked;
    if let (TokenState::Unknown, Some(why)) = (state, state.why_skipped()) {
        return check.skip(why);
    }
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
        TokenState::Accepted => match declared_dead(seen) {
            Some(error) => check.refused(&error, subject),
            None => check.pass("the token is accepted"),
        },
        TokenState::Refused(error) => {
            let mut error = (*error).clone();
            // debug_token often knows more than the refusal itself.
            if let Some(problem) = seen.token.as_ref().and_then(|call| call.value()?.error.clone()) {
                error.subcode = error.subcode.or(problem.subcode);
            }
            check.refused(&error, subject)
        }
        TokenState::WrongSignature(error) if subject.app.is_none() => {
            let mut finding = check.refused(error, subject);
            finding.summary =
                "the token's app asks for signed calls (Require App Secret), and no app secret is known".into();
            let fix = format!("take the app secret from {}", dashboard::APP);
            finding.hint = Some(then(&fix, &subject.commands.set_app));
            finding
        }
        _ => check.skip(state.why_skipped().unwrap_or_default()),
    }
}

/// A token that `/me` still takes and `debug_token` calls dead.
fn declared_dead(seen: &Observed) -> Option<ApiError> {
    let info = seen.token.as_ref()?.value()?;
    if info.is_valid {
        return None;
    }
    let problem = info.error.as_ref();
    Some(ApiError {
        kind: "OAuthException".into(),
        code: Some(problem.map_or(190, |problem| problem.code)),
        subcode: problem.and_then(|problem| problem.subcode),
        message: String::new(),
        is_transient: None,
        fbtrace_id: None,
        regain_access: None,
        status: 200,
        version: None,
    })
}

fn kind(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let info = seen.token.as_ref().and_then(|call| call.value());
    let check = check("token.type", seen.page.duration);
    if let Some(why) = state.why_skipped() {
        return check.skip(why);
    }
    let wrong = match info.and_then(|info| info.kind.as_deref()) {
        Some("PAGE") => return check.pass("it is a Page access token"),
        Some("USER") => "it is a person's token (USER), not the Page's",
        Some("SYSTEM_USER") => "it is a system user's token (SYSTEM_USER), not the Page's",
        Some("APP") => "it is an app's token (APP), not the Page's",
        Some(_) => "it is not a Page access token",
        None => match seen.subscribed.refusal().and_then(|error| error.code) {
            Some(210) => "it is a person's or a system user's token, not the Page's",
            Some(102) => "it is an app's token, not the Page's",
            _ if is_page_kind(seen) => return check.pass("it is a Page access token"),
            _ => return check.skip("not known: Graph did not say whose token it is"),
        },
    };
    let fix = format!(
        "take the Page's own token: 'msgrctl account add' lists the Pages of a person's token, or generate it at {}",
        dashboard::TOKENS
    );
    let mut finding = check.fail(wrong, then(&fix, &subject.commands.replace_token));
    finding.graph = seen.subscribed.refusal().map(GraphTrace::from);
    finding
}

/// Whether the token is certainly a Page's: it has what only a Page has, or was
/// let through to what only a Page may.
fn is_page_kind(seen: &Observed) -> bool {
    let info = seen.token.as_ref().and_then(|call| call.value());
    seen.page.result.is_ok()
        || seen.subscribed.result.is_ok()
        || info.is_some_and(|info| info.kind.as_deref() == Some("PAGE"))
}

/// Whether the token is certainly not a Page's; then a Page's checks say nothing.
fn is_other_kind(seen: &Observed) -> bool {
    let info = seen.token.as_ref().and_then(|call| call.value());
    match info.and_then(|info| info.kind.as_deref()) {
        Some(kind) => kind != "PAGE",
        None => matches!(seen.subscribed.refusal().and_then(|error| error.code), Some(210 | 102)),
    }
}

/// Whether the token is certainly of another app than the account says.
pub(super) fn is_other_app(seen: &Observed, subject: &Subject) -> bool {
    let inspected = || seen.token.as_ref()?.value()?.app_id.as_deref();
    let issuer = || Some(seen.app.as_ref()?.value()?.id.as_str());
    match (&subject.app_id, inspected().or_else(issuer)) {
        (Some(wanted), Some(found)) => found != wanted,
        _ => false,
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
        // Another Page's or a person's: whichever, it is not this Page's.
        Some((id, name)) if !is_page_kind(seen) => check.fail(
            format!("it is of {id}{}, not of page {wanted}", called(name)),
            then(&format!("create a token for page {wanted}"), &subject.commands.replace_token),
        ),
        Some((id, name)) => check.fail(
            format!("it is of page {id}{}, not of page {wanted}", called(name)),
            format!(
                "if that Page is meant: {} --page-id {id}; if not, create a token for page {wanted}; then: {}",
                subject.commands.edit, subject.commands.replace_token
            ),
        ),
        None => match seen.whose.as_ref().map(|call| &call.result) {
            Some(Err(error)) => check.failed(error, subject),
            _ => check.skip("not known: Graph did not say whose token it is"),
        },
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
        let mut finding = check.failed(error, subject);
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
            format!("correct it: {} --page-username {found}", subject.commands.edit),
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
    if let Some(place) = &subject.app_secret_gone {
        let fix = format!("take the app secret from {}", dashboard::APP);
        return check.fail(format!("the app secret is missing: {place}"), then(&fix, &subject.commands.set_app));
    }
    if matches!(state, TokenState::Unknown | TokenState::WrongVersion(_)) {
        return check.skip(state.why_skipped().unwrap_or_default());
    }
    let other = |check: Check, found: &str| {
        check.fail(
            format!("it was issued by app {found}, not by app {app_id}"),
            format!("if that app is meant: {} --app-id {found} (with its app secret); if not, create a token with app {app_id}; then: {}", subject.commands.edit, subject.commands.replace_token),
        )
    };
    if let Some(call) = &seen.token {
        return match &call.result {
            Ok(answer) => match (&answer.value.app_id, state) {
                (Some(found), _) if found != app_id => other(check, found),
                (_, TokenState::WrongSignature(error)) => check.refused(error, subject),
                (Some(found), _) => check.pass(format!("it was issued by app {found}")),
                (None, _) => check.skip("not known: Meta does not recognise the token"),
            },
            Err(GraphError::Refused(error)) if error.code == Some(190) => {
                let mut finding = check.refused(error, subject);
                finding.summary = format!("the app id {app_id} and the app secret do not belong together");
                finding.hint = Some(then(
                    &format!("copy the app id and the app secret from {}", dashboard::APP),
                    &subject.commands.set_app,
                ));
                finding
            }
            Err(GraphError::Refused(error)) if error.code == Some(100) => {
                let mut finding = check.refused(error, subject);
                finding.summary = format!("it was not issued by app {app_id}, but by another app");
                finding.hint = Some(format!(
                    "create the token with app {app_id}, or give the id and secret of the app that issued it; then: {}",
                    subject.commands.replace_token
                ));
                finding
            }
            Err(error) => check.failed(error, subject),
        };
    }
    match (&seen.app, state) {
        (_, TokenState::Refused(_)) => check.skip(state.why_skipped().unwrap_or_default()),
        (Some(call), _) => match &call.result {
            Ok(answer) if answer.value.id == *app_id => check.pass(format!("it was issued by app {app_id}")),
            Ok(answer) => other(check, &answer.value.id),
            Err(error) => check.failed(error, subject),
        },
        (None, _) => check.skip("not checked: the app secret is not known"),
    }
}
