//! The group *credentials*: whether the token works, its Page, its permissions and its expiry.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::causes::{
    self, APP_SECRET_MISSING, APP_SECRET_WRONG, APP_UNKNOWN, Next, OTHER_APP, OTHER_PAGE, PAGE_TOKEN_NEEDED,
    PAGE_WITHOUT_USERNAME, Place, RENEWAL_FAILED, TEST_CRASHED, TOKEN_MISSING, TOKEN_NOT_ACCEPTED, USERNAME_DIFFERS,
    VERSION_ENDS_SOON, VERSION_EXPIRED, VERSION_UNKNOWN,
};
use super::check::{Check, then};
use super::finding::{Finding, GraphTrace, Group, Outcome, Report};
use super::ids;
use super::inspection;
use super::observe::{Field, Observed, Subject};
use super::state::{TokenState, info, known, wants_page_token};
use crate::dashboard;
use crate::graph::endpoints::page::same_username;
use crate::graph::{ApiError, GraphError, GraphVersion, Wording};
use crate::text::to_paste;

pub(super) fn check(id: &'static str, duration: Duration) -> Check {
    Check::new(id, Group::Credentials, duration)
}

/// Every check of the group, in the documented order.
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

impl Report {
    /// The report of an account without a token: nothing could be asked.
    pub fn of_missing_token(summary: String, hint: String) -> Self {
        let finding = check(ids::TOKEN_VALID, Duration::ZERO).fail(&TOKEN_MISSING, summary, hint);
        Self { findings: vec![finding], page_name: None, token_life: None }
    }

    /// Adds that the token could not be renewed, before its expiry: it is the reason for that.
    pub fn add_failed_renewal(&mut self, why: &str, hint: String) {
        let summary = format!("the token could not be renewed: {why}");
        let check = check(ids::TOKEN_RENEWAL, Duration::ZERO);
        let at = self.findings.iter().position(|finding| finding.id == ids::TOKEN_EXPIRY);
        let finding = check.warn(&RENEWAL_FAILED, summary, hint);
        self.findings.insert(at.unwrap_or(self.findings.len()), finding);
    }

    /// The report of an account whose test crashed: nothing is known.
    pub fn of_crash() -> Self {
        let cause = &TEST_CRASHED;
        let check = check(ids::TOKEN_VALID, Duration::ZERO);
        let finding = check.finds(Outcome::Unreachable, cause.id, cause.summary.to_owned(), cause.fix());
        Self { findings: vec![finding], page_name: None, token_life: None }
    }
}

fn reachable(seen: &Observed, subject: &Subject) -> Finding {
    let check = check(ids::GRAPH_REACHABLE, seen.page.duration);
    match &seen.page.result {
        Err(error @ GraphError::Unreachable(_)) => check.failed(error, Place::Me, subject),
        _ => check.pass("Graph answers"),
    }
}

/// How many days before a version's end the warning starts.
const VERSION_DAYS: i32 = 90;

/// The days a version has left, if its end is known and near.
fn days_left(version: GraphVersion, today: Date) -> Option<(Date, i32)> {
    let end = version.ends()?;
    let left = today.until(end).ok()?.get_days();
    (left < VERSION_DAYS).then_some((end, left))
}

fn version(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::GRAPH_VERSION, seen.page.duration);
    let asked = seen.asked;
    if let TokenState::WrongVersion(error) = state {
        let mut finding = check.refused(error, subject.asked(Place::Page), subject);
        finding.cause = Some(VERSION_UNKNOWN.id);
        finding.summary = format!("Graph does not know the version {asked}");
        finding.hint = Some(VERSION_UNKNOWN.fix());
        return finding;
    }
    if let (TokenState::Unknown, Some(why)) = (state, state.why_skipped()) {
        return check.skip(why);
    }
    let today = Timestamp::from_second(seen.now).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    let ends = |what: &str, (end, left): (Date, i32)| {
        let s = if left == 1 { "" } else { "s" };
        check.warn(
            &VERSION_ENDS_SOON,
            format!("{what} ends on {end}, in {left} day{s}; Graph then answers in another version"),
            VERSION_ENDS_SOON.fix(),
        )
    };
    let near = days_left(asked, today);
    if let Some((end, left)) = near.filter(|(_, left)| *left < 0) {
        let now = seen.answered().map(|version| format!("; Graph answers in {version}")).unwrap_or_default();
        let summary = format!("version {asked} ended on {end}, {} days ago{now}", -left);
        return check.warn(&VERSION_EXPIRED, summary, VERSION_EXPIRED.fix());
    }
    if let Some(near) = near {
        return ends(&format!("version {asked}"), near);
    }
    let bound = seen
        .app_subscriptions
        .as_ref()
        .and_then(|call| call.value()?.iter().filter_map(|one| one.oldest_version).min());
    let bound = bound.filter(|bound| *bound != asked).and_then(|bound| Some((bound, days_left(bound, today)?)));
    match (seen.answered(), bound) {
        (Some(answered), _) if answered != asked => check.warn(
            &VERSION_EXPIRED,
            format!("Graph answered in version {answered}, not in {asked}, which has expired"),
            VERSION_EXPIRED.fix(),
        ),
        (_, Some((bound, (end, left)))) if left < 0 => check.warn(
            &VERSION_EXPIRED,
            format!("webhook fields of the app are bound to version {bound}, which ended on {end}"),
            VERSION_ENDS_SOON.fix(),
        ),
        (_, Some((bound, near))) => {
            ends(&format!("version {bound}, to which webhook fields of the app are bound,"), near)
        }
        (Some(_), None) => check.pass(format!("Graph answers in version {asked}")),
        (None, None) => check.skip("not known: no answer named its version"),
    }
}

fn valid(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::TOKEN_VALID, seen.page.duration);
    let asked = subject.asked(Place::Me).known(known(seen, subject));
    // debug_token often knows more than the refusal.
    let inspected = seen.token.value().filter(|info| !info.lives());
    let problem = inspected.map(|info| info.error.clone().unwrap_or_default());
    match state {
        TokenState::Accepted => match problem {
            // Meta says that it is not valid, but not why.
            Some(problem) if problem.code.is_none() && problem.subcode.is_none() => {
                check.diagnosed(Outcome::Fail, TOKEN_NOT_ACCEPTED.diagnosis(), subject)
            }
            Some(problem) => {
                let dead = ApiError { code: problem.code.or(Some(190)), kind: "OAuthException".into(), ..problem };
                check.refused(&dead, asked, subject)
            }
            None => check.pass("the token is accepted"),
        },
        TokenState::Refused(error) => {
            let mut error = (*error).clone();
            if let Some(problem) = problem.filter(|_| error.code == Some(190)) {
                error.subcode = error.subcode.or(problem.subcode);
                error.wording = error.wording.or(problem.wording);
            }
            check.refused(&error, asked, subject)
        }
        TokenState::WrongSignature(error) if subject.app.is_none() => check.refused(error, asked, subject),
        _ => check.skip(state.why_skipped().unwrap_or_default()),
    }
}

fn kind(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::TOKEN_TYPE, seen.page.duration);
    let of_info = info(seen).and_then(|info| info.kind.as_deref());
    let refusal = wants_page_token(seen);
    let wrong = match of_info {
        Some("PAGE") => None,
        Some("USER") => Some("it is a person's token (USER), not the Page's"),
        Some("SYSTEM_USER") => Some("it is a system user's token (SYSTEM_USER), not the Page's"),
        Some("APP") => Some("it is an app's token (APP), not the Page's"),
        Some(_) => Some("it is not a Page access token"),
        None => match refusal.and_then(|error| error.code) {
            Some(102) => Some("it is an app's token, not the Page's"),
            Some(_) => Some("it is a person's or a system user's token, not the Page's"),
            None => None,
        },
    };
    if let Some(why) = state.why_skipped()
        && (wrong.is_none() || of_info.is_none())
    {
        return check.skip(why);
    }
    let Some(wrong) = wrong else {
        return if is_page_kind(seen) {
            check.pass("it is a Page access token")
        } else {
            check.skip("not known: Graph did not say whose token it is")
        };
    };
    let mut finding = check.fail(&PAGE_TOKEN_NEEDED, wrong, subject.then(&PAGE_TOKEN_NEEDED.fix(), Next::ReplaceToken));
    finding.graph = refusal.map(GraphTrace::from);
    finding
}

/// Whether the token is certainly a Page's: it has what only a Page has, or a call succeeded
/// that only a Page may make.
fn is_page_kind(seen: &Observed) -> bool {
    info(seen).is_some_and(|info| info.kind.as_deref() == Some("PAGE"))
        || seen.subscribed.result.is_ok()
        || seen.page.value().is_some_and(|page| !page.may_be_a_person())
}

/// Set if the token is certainly not a Page's; then a Page's checks mean nothing.
pub(super) fn other_kind(seen: &Observed) -> Option<&'static str> {
    let is_other = match info(seen).and_then(|info| info.kind.as_deref()) {
        Some(kind) => kind != "PAGE",
        None => wants_page_token(seen).is_some(),
    };
    is_other.then_some("not checked: the token is not a Page's")
}

/// Set if the token certainly belongs to another app than the account's.
pub(super) fn other_app(seen: &Observed, subject: &Subject) -> Option<&'static str> {
    let issuer = || Some(seen.app.as_ref()?.value()?.id.as_str());
    let found = info(seen).and_then(|info| info.app_id.as_deref()).or_else(issuer)?;
    subject.app_id.as_ref().filter(|wanted| *wanted != found).map(|_| "not checked: the token is of another app")
}

const APP_REFUSED: &str = "not checked: the app id or the app secret is wrong (token.app)";

/// Set if Meta does not know the account's app, or not with this secret; then no answer about
/// the app, or to the app, means anything.
pub(super) fn refused_app(seen: &Observed, subject: &Subject) -> Option<&'static str> {
    let error = seen.token.refusal().filter(|_| subject.app.is_some())?;
    let cause = causes::of(error, subject.asked(Place::App)).cause;
    [APP_UNKNOWN.id, APP_SECRET_WRONG.id].contains(&cause).then_some(APP_REFUSED)
}

/// The id and name of the token's Page.
fn token_page(seen: &Observed) -> Option<(&str, Option<&str>)> {
    let page = seen.page.value().or_else(|| seen.whose.as_ref()?.value());
    let of_info = || info(seen)?.profile_id.as_deref();
    page.map(|page| (page.id.as_str(), page.name.as_deref())).or_else(|| of_info().map(|id| (id, None)))
}

/// Set if the token belongs to another Page than the account's.
pub(super) fn other_page(seen: &Observed, subject: &Subject) -> Option<&'static str> {
    let (wanted, (id, _)) = (subject.page_id.as_ref()?, token_page(seen)?);
    (id != wanted).then_some("not checked: the token is of another Page")
}

/// Meta's name of the Page, if it is the right one.
pub(super) fn page_name(seen: &Observed, subject: &Subject) -> Option<String> {
    let (id, name) = token_page(seen)?;
    (subject.page_id.as_deref() == Some(id)).then(|| name.map(str::to_owned))?
}

fn page(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::TOKEN_PAGE, seen.page.duration);
    if let Some(why) = state.why_skipped().or_else(|| other_kind(seen)) {
        return check.skip(why);
    }
    let Some(wanted) = &subject.page_id else { return check.skip("not checked: no page id was given") };
    let called = |name: Option<&str>| name.map(|name| format!(" ({name})")).unwrap_or_default();
    match token_page(seen) {
        Some((id, name)) if id == wanted => check.pass(format!("it is of page {id}{}", called(name))),
        // Another Page's or a person's: in either case not this Page's.
        Some((id, name)) if !is_page_kind(seen) => check.fail(
            &OTHER_PAGE,
            format!("it is of {id}{}, not of page {wanted}", called(name)),
            then(&format!("create a token for page {wanted}"), &subject.commands.replace_token),
        ),
        Some((id, name)) => check.fail(
            &OTHER_PAGE,
            format!("it is of page {id}{}, not of page {wanted}", called(name)),
            format!(
                "if that Page is meant: {}; if not, create a token for page {wanted}; then: {}",
                subject.commands.edit.set(Field::PageId, to_paste(id, "PAGE_ID")),
                subject.commands.replace_token
            ),
        ),
        None => match seen.whose.as_ref().map(|call| &call.result) {
            Some(Err(error)) => check.failed(error, Place::Me, subject),
            _ => check.skip("not known: Graph did not say whose token it is"),
        },
    }
}

fn username(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::PAGE_USERNAME, seen.page.duration);
    let why = state.why_skipped().or_else(|| other_kind(seen)).or_else(|| other_page(seen, subject));
    if let Some(why) = why {
        return check.skip(why);
    }
    if let Err(error) = &seen.page.result {
        let mut finding = check.failed(error, Place::Me, subject);
        // The username is only for people; the token works without it.
        finding.outcome = Outcome::Warn;
        return finding;
    }
    let Some(page) = seen.page.value() else { return check.skip("not known: Graph did not show the Page") };
    let none = "the Page has no username";
    match (page.username.as_deref(), subject.page_username.as_deref()) {
        (Some(_), None) => check.skip("not checked: no page username was given"),
        (Some(found), Some(wanted)) if same_username(found, wanted) => check.pass(format!("the Page is @{found}")),
        (Some(found), Some(wanted)) => check.fail(
            &USERNAME_DIFFERS,
            format!("the Page is @{found}, not @{wanted}"),
            then(
                "correct the page username",
                &subject.commands.edit.set(Field::PageUsername, to_paste(found, "USERNAME")),
            ),
        ),
        // A readable Page says whether it is published; it would then also show its username.
        (None, _) if page.is_published.is_none() => check.skip("not known: Graph does not show it to this token"),
        (None, Some(wanted)) => check.fail(
            &PAGE_WITHOUT_USERNAME,
            format!("{none} any more, or not yet: the account has @{wanted}"),
            subject.then(&PAGE_WITHOUT_USERNAME.fix(), Next::TestAgain),
        ),
        (None, None) => check.fail(
            &PAGE_WITHOUT_USERNAME,
            format!("{none}, and the contact centre's form needs one"),
            subject.then(&PAGE_WITHOUT_USERNAME.fix(), Next::TestAgain),
        ),
    }
}

fn app(seen: &Observed, subject: &Subject, state: &TokenState<'_>) -> Finding {
    let check = check(ids::TOKEN_APP, seen.token.duration);
    let Some(app_id) = &subject.app_id else { return check.skip("not checked: the account has no app id") };
    if let Some(place) = &subject.app_secret_gone {
        let hint = subject.then(&APP_SECRET_MISSING.fix(), Next::AddApp);
        return check.fail(&APP_SECRET_MISSING, format!("the app secret is missing: {place}"), hint);
    }
    if matches!(state, TokenState::Unknown | TokenState::WrongVersion(_)) {
        return check.skip(state.why_skipped().unwrap_or_default());
    }
    let other = |check: Check, found: &str| {
        check.fail(
            &OTHER_APP,
            format!("it was issued by app {found}, not by app {app_id}"),
            format!(
                "if that app is meant: {} (with its app secret); if not, create a token with app {app_id}; then: {}",
                subject.commands.edit.set(Field::AppId, to_paste(found, "APP_ID")),
                subject.commands.replace_token
            ),
        )
    };
    let as_app = subject.app.is_some();
    match &seen.token.result {
        Ok(answer) => match (&answer.value.app_id, state) {
            (Some(found), _) if found != app_id => return other(check, found),
            (_, TokenState::WrongSignature(error)) if as_app => {
                return check.refused(error, subject.asked(Place::Me), subject);
            }
            (Some(found), _) => return check.pass(format!("it was issued by app {found}")),
            (None, _) if as_app => return check.skip("not known: Meta does not recognise the token"),
            (None, _) => {}
        },
        Err(GraphError::Refused(error)) if as_app => return app_refused(check, error, app_id, subject),
        Err(error) if as_app => return check.failed(error, Place::App, subject),
        Err(_) => {}
    }
    // Without the app's secret, /app names the token's app.
    match (&seen.app, state) {
        (_, TokenState::Refused(_)) => check.skip(state.why_skipped().unwrap_or_default()),
        (Some(call), _) => match &call.result {
            Ok(answer) if answer.value.id == *app_id => check.pass(format!("it was issued by app {app_id}")),
            Ok(answer) => other(check, &answer.value.id),
            Err(error) => check.failed(error, Place::Me, subject),
        },
        (None, _) => check.skip("not checked: the app secret is not known"),
    }
}

/// The finding where `debug_token` refuses the app's credentials or its question.
fn app_refused(check: Check, error: &ApiError, app_id: &str, subject: &Subject) -> Finding {
    let mut finding = check.refused(error, subject.asked(Place::App), subject);
    match finding.cause {
        Some(id) if id == OTHER_APP.id => {
            finding.summary = format!("it was not issued by app {app_id}, but by another app");
            finding.hint = Some(then(
                &format!(
                    "create the token with app {app_id}, or give the id and secret of the app that issued it ({})",
                    dashboard::APP
                ),
                &subject.commands.replace_token,
            ));
        }
        Some(id) if id == APP_SECRET_WRONG.id && error.wording != Some(Wording::Unreadable) => {
            finding.summary = format!("the app id {app_id} and the app secret do not belong together");
        }
        _ => {}
    }
    finding
}
