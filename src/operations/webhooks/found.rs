//! What `webhook subscribe` says of each level: set, as it should be, left, or why Meta
//! did not take it.

use super::observe::Seen;
use super::target::Target;
use crate::accounts::Account;
use crate::address::shown;
use crate::checks::Outcome;
use crate::checks::causes::{APP_TOKEN_NEEDED, CALLBACK_MISSING, FIELDS_REFUSED, NOT_READ_BACK, REFUSED};
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::dashboard;
use crate::graph::GraphError;
use crate::operations::Found;
use crate::operations::accounts::commands;
use crate::provision::subscription::{AppLevel, PageLevel, Wish, list, missing_of_app, missing_of_page, webhook};

/// A refused parameter (100, without a subcode) of a write is one of the values that were
/// written, not a permission to read: a field that Meta is not known to have, else what Meta's
/// words say.
pub fn value_or(error: &GraphError, found: Found, target: &Target, fields: &[String], then: &str) -> Found {
    let GraphError::Refused(api) = error else { return found };
    if api.code != Some(100) || api.subcode.is_some() || api.kind != "OAuthException" {
        return found;
    }
    let webhook = webhook(target.account.channel);
    let is_known = |field: &&String| webhook.fields.iter().chain(webhook.others).any(|known| known == field);
    let unknown: Vec<&str> = fields.iter().filter(|field| !is_known(field)).map(String::as_str).collect();
    let (cause, summary, hint) = if unknown.is_empty() {
        let hint = format!("{}; then: {then}", REFUSED.fix());
        (&REFUSED, "Meta refuses a value of the webhook, and its own words say which".to_owned(), hint)
    } else {
        let known = webhook.fields[..2].join(",");
        let hint = format!("name fields that Meta knows, such as {known}; then: {then} --fields FIELDS");
        (&FIELDS_REFUSED, format!("Meta refuses the webhook fields: {}", unknown.join(", ")), hint)
    };
    Found { summary, hint: Some(hint), ..found }.because(cause)
}

/// The app's level after it was written, or left.
pub fn app_found(target: &Target, wish: &Wish, after: &Seen, written: Option<&Result<(), Found>>) -> Found {
    let handle = &target.account.handle;
    let then = format!("msgrctl webhook subscribe {handle}");
    if let Some(Err(failed)) = written {
        return failed.clone();
    }
    let level = match &after.app {
        None if wish.callback_url.is_none() => {
            return Found::new(APP_SUBSCRIPTION, Outcome::Warn, "not set: the app and the callback URL are not known")
                .hint(format!(
                    "give the account both, or put callback URL and verify token in by hand: {}; then: {}",
                    dashboard::WEBHOOKS,
                    with_app_and_callback(&target.account)
                ))
                .because(&APP_TOKEN_NEEDED);
        }
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
        let failed = Found::failed(PAGE_SUBSCRIPTION, &error, target, &then);
        return value_or(&error, failed, target, &wish.fields, &then);
    }
    if after.has_wrong_app() {
        return of_wrong_app("left as it is");
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

/// The command that gives an account what the app's level takes.
pub fn with_app_and_callback(account: &Account) -> String {
    format!("{} --callback-url URL", commands::saved(account).add_app)
}

/// A Page of which nothing is known, since Meta does not know the account's app, or not with
/// this secret: the app's level says so.
pub fn of_wrong_app(what: &str) -> Found {
    let why = format!("{what}: the app id or the app secret is wrong (app.subscription)");
    Found::new(PAGE_SUBSCRIPTION, Outcome::Skip, why)
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
