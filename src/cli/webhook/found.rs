//! What `webhook subscribe` says of each level: set, as it should be, left, or why Meta
//! did not take it.

use super::levels::{self, APP, Found, PAGE, Seen, Target};
use crate::address::shown;
use crate::checks::causes::{APP_TOKEN_NEEDED, CALLBACK_MISSING, FIELDS_REFUSED, HANDSHAKE_FAILED, NOT_READ_BACK};
use crate::checks::{GraphTrace, Outcome};
use crate::dashboard;
use crate::graph::GraphError;
use crate::provision::subscription::{AppLevel, FIELDS, Levels, PageLevel, Wish, missing};
use crate::secrets::Secret;
use crate::webhook::{self, Prober};

/// A refused parameter (100, without a subcode) of a write is a field that Meta does not
/// know, not a permission to read: Meta's words name it.
pub fn field_or(error: &GraphError, found: Found, then: &str) -> Found {
    match error {
        GraphError::Refused(api) if api.code == Some(100) && api.subcode.is_none() && api.kind == "OAuthException" => {
            let known = FIELDS[..2].join(",");
            let hint = format!("name fields that Meta knows, such as {known}; then: {then} --fields FIELDS");
            let summary = "Meta refuses the webhook fields".into();
            Found { summary, hint: Some(hint), ..found }.because(&FIELDS_REFUSED)
        }
        _ => found,
    }
}

/// Whether Meta says that the callback did not answer its handshake.
pub fn is_handshake(code: Option<i64>) -> bool {
    matches!(code, Some(2200 | 2201))
}

/// Meta's words on a handshake, without the verify token and the callback's keys, which some
/// of them repeat.
pub fn without_secrets(trace: GraphTrace, callback: &str, token: &Secret) -> GraphTrace {
    let hidden = |says: String| match url::Url::parse(callback) {
        Ok(callback) => webhook::hidden_in(&says, &callback, token),
        Err(_) => token.hidden_in(&says),
    };
    GraphTrace { says: trace.says.map(hidden), ..trace }
}

/// A handshake that failed at Meta, as the probe from here explains it.
pub struct HandshakeFailed {
    /// The cause.
    pub cause: &'static str,
    /// What happened.
    pub summary: String,
    /// What to do.
    pub fix: String,
    /// What the callback says, in its first words.
    pub receiver_says: Option<String>,
}

/// Why a handshake failed at Meta: the callback is asked from here, since Meta's own
/// words name no cause.
pub async fn handshake_failed(prober: &Prober, callback: &str, token: &Secret) -> HandshakeFailed {
    let asked = match url::Url::parse(callback) {
        Ok(url) => prober.ask(&url, token).await.ok(),
        Err(_) => None,
    };
    let (problem, receiver_says) = asked.map(|probe| (probe.problem, probe.says)).unwrap_or_default();
    match problem.filter(|problem| !problem.is_warning()) {
        Some(problem) => HandshakeFailed {
            receiver_says,
            cause: problem.cause(),
            summary: format!("Meta asked the callback for the handshake, and it failed: {}", problem.summary()),
            fix: problem.fix().into(),
        },
        None => HandshakeFailed {
            receiver_says: None,
            cause: HANDSHAKE_FAILED.id,
            summary: "Meta asked the callback for the handshake, and it failed, while from here it answers as it should".into(),
            fix: "see what differs for Meta: a firewall that lets only some addresses in, a name or an address that only this network knows, a country that is blocked".into(),
        },
    }
}

/// The app's level after it was written, or left.
pub fn app_found(target: &Target, wish: &Wish, after: &Seen, written: Option<&Option<Found>>) -> Found {
    let handle = &target.account.handle;
    let then = format!("msgrctl webhook subscribe {handle}");
    if let Some(Some(failed)) = written {
        return Found {
            cause: failed.cause,
            graph: failed.graph.clone(),
            receiver_says: failed.receiver_says.clone(),
            ..Found::new(APP, failed.outcome, failed.summary.clone(), failed.hint.clone())
        };
    }
    let level = match &after.app {
        None => {
            let hint = format!(
                "put callback URL and verify token in by hand: {}; then: msgrctl webhook show {handle}",
                dashboard::WEBHOOKS
            );
            let why = "not set: it needs the app id and the app secret";
            return Found::new(APP, Outcome::Warn, why, Some(hint)).because(&APP_TOKEN_NEEDED);
        }
        Some(Err(error)) => return Found::failed(APP, error, target, &then),
        Some(Ok(level)) => level,
    };
    if wish.callback_url.is_none() && *level == AppLevel::Absent {
        let hint =
            format!("the contact centre's form shows it; then: msgrctl account edit {handle} --callback-url URL");
        return Found::new(APP, Outcome::Warn, "not set: the account has no callback URL yet", Some(hint))
            .because(&CALLBACK_MISSING);
    }
    let rest = Levels { page: Some(wish.fields.clone()), app: Some(level.clone()) };
    let lacks = missing(wish, &rest);
    let AppLevel::Present(present) = level else {
        return read_back(APP, "the app has no webhook for Pages", &then);
    };
    if !lacks.is_empty() {
        return read_back(APP, &lacks.join("; "), &then);
    }
    let to = present.callback_url.as_deref().unwrap_or("nowhere");
    let how = if written.is_some() { "set, and read back" } else { "as it should be" };
    Found::new(
        APP,
        Outcome::Pass,
        format!("{how}: events go to {}: {}", shown(to), levels::list(&present.fields)),
        None,
    )
}

/// The Page's level after it was written, or left.
pub fn page_found(target: &Target, wish: &Wish, after: &Seen, written: Option<Result<bool, GraphError>>) -> Found {
    let then = format!("msgrctl webhook subscribe {}", target.account.handle);
    let was_written = written.is_some();
    if let Some(Err(error)) = written {
        return field_or(&error, Found::failed(PAGE, &error, target, &then), &then);
    }
    let fields = match &after.page {
        Err(error) => return Found::failed(PAGE, error, target, &then),
        Ok(PageLevel::OfAnotherApp(id)) => return Found::of_another_app(&target.account, id),
        Ok(PageLevel::Fields(fields)) => Some(fields.clone()),
        Ok(PageLevel::Absent) => None,
    };
    let lacks = missing(wish, &Levels { page: fields.clone(), app: None });
    if !lacks.is_empty() {
        return read_back(PAGE, &lacks.join("; "), &then);
    }
    let how = if was_written { "set, and read back" } else { "as it should be" };
    let fields = fields.as_deref().unwrap_or_default();
    Found::new(PAGE, Outcome::Pass, format!("{how}: the Page sends {}", levels::list(fields)), None)
}

/// A Page that was left as it is.
pub fn held() -> Found {
    let why = "left as it is: until the app's events go to the callback URL, this Page's would go where they go now";
    Found::new(PAGE, Outcome::Skip, why, None)
}

/// Meta said yes, and it is not so.
fn read_back(id: &'static str, what: &str, then: &str) -> Found {
    let hint = format!("wait a minute, since Meta may be late, and try again; then: {then}");
    Found::new(id, Outcome::Fail, format!("Meta took the change, but when it was read back {what}"), Some(hint))
        .because(&NOT_READ_BACK)
}
