//! What `webhook subscribe` says of each level: set, as it should be, left, or why Meta
//! did not take it.

use super::observe::Seen;
use super::target::Target;
use crate::address::shown;
use crate::checks::Outcome;
use crate::checks::causes::{APP_TOKEN_NEEDED, CALLBACK_MISSING, FIELDS_REFUSED, NOT_READ_BACK};
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::dashboard;
use crate::graph::GraphError;
use crate::operations::Found;
use crate::provision::subscription::{AppLevel, PageLevel, Wish, list, missing_of_app, missing_of_page, webhook};

/// A refused parameter (100, without a subcode) of a write is a field that Meta does not
/// know, not a permission to read: Meta's words name it.
pub fn field_or(error: &GraphError, found: Found, target: &Target, then: &str) -> Found {
    match error {
        GraphError::Refused(api) if api.code == Some(100) && api.subcode.is_none() && api.kind == "OAuthException" => {
            let known = webhook(target.account.channel).fields[..2].join(",");
            let hint = format!("name fields that Meta knows, such as {known}; then: {then} --fields FIELDS");
            let summary = "Meta refuses the webhook fields".into();
            Found { summary, hint: Some(hint), ..found }.because(&FIELDS_REFUSED)
        }
        _ => found,
    }
}

/// The app's level after it was written, or left.
pub fn app_found(target: &Target, wish: &Wish, after: &Seen, written: Option<&Result<(), Found>>) -> Found {
    let handle = &target.account.handle;
    let then = format!("msgrctl webhook subscribe {handle}");
    if let Some(Err(failed)) = written {
        return failed.clone();
    }
    let level = match &after.app {
        None => {
            let hint = format!(
                "put callback URL and verify token in by hand: {}; then: msgrctl webhook show {handle}",
                dashboard::WEBHOOKS
            );
            let why = "not set: it needs the app id and the app secret";
            return Found::new(APP_SUBSCRIPTION, Outcome::Warn, why).hint(hint).because(&APP_TOKEN_NEEDED);
        }
        Some(Err(error)) => return Found::failed(APP_SUBSCRIPTION, error, target, &then),
        Some(Ok(level)) => level,
    };
    if wish.callback_url.is_none() && *level == AppLevel::Absent {
        let hint =
            format!("the contact centre's form shows it; then: msgrctl account edit {handle} --callback-url URL");
        return Found::new(APP_SUBSCRIPTION, Outcome::Warn, "not set: the account has no callback URL yet")
            .hint(hint)
            .because(&CALLBACK_MISSING);
    }
    let lacks = missing_of_app(wish, level);
    let AppLevel::Present(present) = level else {
        return read_back(APP_SUBSCRIPTION, "the app has no webhook for Pages", &then);
    };
    if !lacks.is_empty() {
        return read_back(APP_SUBSCRIPTION, &lacks.join("; "), &then);
    }
    let to = present.callback_url.as_deref().unwrap_or("nowhere");
    let how = if written.is_some() { "set, and read back" } else { "as it should be" };
    Found::pass(APP_SUBSCRIPTION, format!("{how}: events go to {}: {}", shown(to), list(&present.fields)))
}

/// The Page's level after it was written, or left.
pub fn page_found(target: &Target, wish: &Wish, after: &Seen, written: Option<Result<bool, GraphError>>) -> Found {
    let then = format!("msgrctl webhook subscribe {}", target.account.handle);
    let was_written = written.is_some();
    if let Some(Err(error)) = written {
        return field_or(&error, Found::failed(PAGE_SUBSCRIPTION, &error, target, &then), target, &then);
    }
    let level = match &after.page {
        Err(error) => return Found::failed(PAGE_SUBSCRIPTION, error, target, &then),
        Ok(PageLevel::OfAnotherApp(id)) => return Found::of_another_app(&target.account, id),
        Ok(level) => level,
    };
    if let Some(lacks) = missing_of_page(wish, level) {
        return read_back(PAGE_SUBSCRIPTION, &lacks, &then);
    }
    let how = if was_written { "set, and read back" } else { "as it should be" };
    let fields = match level {
        PageLevel::Fields(fields) => fields.as_slice(),
        _ => &[],
    };
    Found::pass(PAGE_SUBSCRIPTION, format!("{how}: the Page sends {}", list(fields)))
}

/// A Page that was left as it is.
pub fn held() -> Found {
    let why = "left as it is: until the app's events go to the callback URL, this Page's would go where they go now";
    Found::new(PAGE_SUBSCRIPTION, Outcome::Skip, why)
}

/// Meta said yes, and it is not so.
fn read_back(id: &'static str, what: &str, then: &str) -> Found {
    let hint = format!("wait a minute, since Meta may be late, and try again; then: {then}");
    Found::new(id, Outcome::Fail, format!("Meta took the change, but when it was read back {what}"))
        .hint(hint)
        .because(&NOT_READ_BACK)
}
