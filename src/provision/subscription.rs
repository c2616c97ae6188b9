//! Compares the wished two levels of a webhook with those at Meta.
//!
//! [`app_steps`] and [`page_step`] are pure. Without a difference they return no step, and
//! nothing is written. Existing fields that are not asked for stay, unless the wish is exact.

use crate::channel::Channel;
use crate::graph::endpoints::PageAccess;
use crate::graph::endpoints::subscription::{self, AppSubscription, SubscribedApp, same_callback};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::secrets::Secret;

/// The fields that a contact centre needs or can use (webhook/FACTS.md, "Fields").
const FIELDS: &[&str] = &[
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "message_deliveries",
    "message_reads",
    "messaging_referrals",
];

/// The other Messenger fields that Meta documents (webhook/FACTS.md, "Fields"), to detect typing
/// errors. Unknown ones are accepted, since Meta adds some from time to time.
const OTHER_FIELDS: &[&str] = &[
    "message_echoes",
    "message_reactions",
    "message_edits",
    "message_context",
    "messaging_account_linking",
    "messaging_customer_information",
    "messaging_feedback",
    "messaging_game_plays",
    "messaging_handovers",
    "messaging_payments",
    "messaging_policy_enforcement",
    "messaging_pre_checkouts",
    "messaging_checkout_updates",
    "standby",
];

/// The fields of a channel's webhook.
#[derive(Clone, Copy, Debug)]
pub struct Webhook {
    /// The fields to subscribe unless others are named.
    pub fields: &'static [&'static str],
    /// The other documented fields.
    pub others: &'static [&'static str],
}

/// The webhook of a channel.
pub const fn webhook(channel: Channel) -> Webhook {
    match channel {
        Channel::Facebook => Webhook { fields: FIELDS, others: OTHER_FIELDS },
    }
}

/// The wished state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Where the app's events should go; `None`: unchanged.
    pub callback_url: Option<String>,
    /// The fields, on both levels.
    pub fields: Vec<String>,
    /// Whether other fields are removed.
    pub exact: bool,
}

/// The app's own level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppLevel {
    /// It has no subscription for Pages.
    Absent,
    /// It has this one.
    Present(AppSubscription),
}

/// One write of an app's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppStep {
    /// Set its callback URL and fields; Meta asks the callback for the handshake.
    Set {
        callback_url: String,
        /// All fields afterwards.
        fields: Vec<String>,
        /// The callback URL that it replaces.
        replaces: Option<String>,
    },
    /// Remove fields, after others were set.
    Remove { fields: Vec<String> },
}

/// The writes that bring an app to `wish`. Nothing is removed before its replacement is set.
pub fn app_steps(wish: &Wish, level: &AppLevel) -> Vec<AppStep> {
    let present = match (level, &wish.callback_url) {
        (AppLevel::Present(present), _) => present,
        (AppLevel::Absent, Some(callback_url)) => {
            let (callback_url, fields) = (callback_url.clone(), wish.fields.clone());
            return vec![AppStep::Set { callback_url, fields, replaces: None }];
        }
        (AppLevel::Absent, None) => return Vec::new(),
    };
    let mut steps = Vec::new();
    let wanted = wish.callback_url.as_deref().or(present.callback_url.as_deref());
    let moved = match (wanted, &present.callback_url) {
        (Some(wanted), Some(now)) => !same_callback(wanted, now),
        (wanted, now) => wanted.is_some() != now.is_some(),
    };
    let all = union(&present.fields, &wish.fields);
    if let Some(wanted) = wanted
        && (moved || !present.active || all.len() > present.fields.len())
    {
        let replaces = if moved { present.callback_url.clone() } else { None };
        steps.push(AppStep::Set { callback_url: wanted.into(), fields: all, replaces });
    }
    let extra = beside(&present.fields, &wish.fields);
    if wish.exact && !extra.is_empty() {
        steps.push(AppStep::Remove { fields: extra });
    }
    steps
}

/// All fields that a Page should send, if it has to be written to match `wish`. A Page that is
/// subscribed only to another app is not written.
pub fn page_step(wish: &Wish, level: &PageLevel) -> Option<Vec<String>> {
    let now = match level {
        PageLevel::Absent => None,
        PageLevel::Fields(now) => Some(now.as_slice()),
        PageLevel::OfAnotherApp(_) => return None,
    };
    let all = || union(now.unwrap_or_default(), &wish.fields);
    let fields = if wish.exact { wish.fields.clone() } else { all() };
    now.is_none_or(|now| !same_fields(now, &fields)).then_some(fields)
}

/// What still differs from `wish` at an app after writing, in words; empty if nothing does.
pub fn missing_of_app(wish: &Wish, level: &AppLevel) -> Vec<String> {
    let in_words = |step: &AppStep| match (step, level) {
        (AppStep::Set { replaces: Some(now), .. }, _) => format!("the app's events go to {now}"),
        (AppStep::Set { .. }, AppLevel::Present(present)) if present.active => {
            format!("the app does not receive {}", list(&beside(&wish.fields, &present.fields)))
        }
        (AppStep::Set { .. }, AppLevel::Present(_)) => "Meta has switched the app's webhook off (inactive)".to_owned(),
        (AppStep::Set { .. }, AppLevel::Absent) => "the app has no webhook for Pages".to_owned(),
        (AppStep::Remove { fields }, _) => format!("the app receives {} too", list(fields)),
    };
    app_steps(wish, level).iter().map(in_words).collect()
}

/// The same for a Page.
pub fn missing_of_page(wish: &Wish, level: &PageLevel) -> Option<String> {
    page_step(wish, level)?;
    let PageLevel::Fields(now) = level else { return Some("the Page is not subscribed to the app".into()) };
    let (lacks, extra) = (beside(&wish.fields, now), beside(now, &wish.fields));
    Some(if lacks.is_empty() {
        format!("the Page sends {} too", list(&extra))
    } else {
        format!("the Page does not send {}", list(&lacks))
    })
}

/// The fields as a list in words.
pub fn list(fields: &[String]) -> String {
    if fields.is_empty() { "nothing".into() } else { fields.join(", ") }
}

/// The first, then those that only the second has, without duplicates.
fn union(first: &[String], second: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for field in first.iter().chain(second) {
        if !all.contains(field) {
            all.push(field.clone());
        }
    }
    all
}

/// Those that only the first has.
fn beside(first: &[String], second: &[String]) -> Vec<String> {
    first.iter().filter(|field| !second.contains(field)).cloned().collect()
}

/// The state of a Page's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageLevel {
    /// The Page sends the token's app no events.
    Absent,
    /// It sends these fields.
    Fields(Vec<String>),
    /// The token belongs to another app than the account's, and the Page is subscribed to that
    /// app: writing would change what is not the account's.
    OfAnotherApp(String),
}

impl PageLevel {
    /// The level for this app among those that a Page is subscribed to. Graph shows only the
    /// token's own app.
    pub fn of(apps: Vec<SubscribedApp>, app_id: Option<&str>) -> Self {
        let of_another = apps.iter().find(|app| app_id.is_some_and(|id| app.id != id)).map(|app| app.id.clone());
        let mut mine = apps.into_iter().filter(|app| app_id.is_none_or(|id| app.id == id));
        match (mine.next(), of_another) {
            (Some(app), _) => Self::Fields(app.subscribed_fields),
            (None, Some(id)) => Self::OfAnotherApp(id),
            (None, None) => Self::Absent,
        }
    }
}

impl AppLevel {
    /// The level for a channel among all subscriptions of an app.
    pub fn of(all: Vec<AppSubscription>, channel: Channel) -> Self {
        let own = all.into_iter().find(|subscription| subscription.object == channel.webhook_object());
        own.map_or(Self::Absent, Self::Present)
    }
}

/// Whether two reads of a Page are equal; the order of fields does not count.
pub fn same_page(before: &PageLevel, now: &PageLevel) -> bool {
    match (before, now) {
        (PageLevel::Fields(before), PageLevel::Fields(now)) => same_fields(before, now),
        (before, now) => before == now,
    }
}

/// Whether two reads of an app are equal, as far as a write would change it.
pub fn same_app_level(before: &AppLevel, now: &AppLevel) -> bool {
    match (before, now) {
        (AppLevel::Present(before), AppLevel::Present(now)) => {
            before.callback_url == now.callback_url
                && before.active == now.active
                && same_fields(&before.fields, &now.fields)
        }
        (before, now) => before == now,
    }
}

fn same_fields(a: &[String], b: &[String]) -> bool {
    beside(a, b).is_empty() && beside(b, a).is_empty()
}

/// Reads a Page's level for the app; its id, if known, selects it.
pub async fn observe_page(
    client: &Client,
    page: PageAccess<'_>,
    app_id: Option<&str>,
) -> Result<PageLevel, GraphError> {
    Ok(PageLevel::of(subscription::of_page(client, page).await?.value, app_id))
}

/// Reads an app's level for a channel.
pub async fn observe_app(client: &Client, app: &AppCredentials, channel: Channel) -> Result<AppLevel, GraphError> {
    Ok(AppLevel::of(subscription::of_app(client, app).await?.value, channel))
}

/// Carries out one step for an app; returns whether Meta confirms it. Meta asks the callback
/// with `verify_token`: without one nothing is set.
pub async fn write_app(
    client: &Client,
    app: &AppCredentials,
    channel: Channel,
    step: &AppStep,
    verify_token: Option<&Secret>,
) -> Result<bool, GraphError> {
    let object = channel.webhook_object();
    match (step, verify_token) {
        (AppStep::Set { callback_url, fields, .. }, Some(verify_token)) => {
            subscription::set_of_app(client, app, object, callback_url, verify_token, fields).await
        }
        (AppStep::Set { .. }, None) => Ok(false),
        (AppStep::Remove { fields }, _) => subscription::remove_of_app(client, app, object, Some(fields)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(fields: &[&str]) -> Vec<String> {
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    fn wish(callback_url: Option<&str>, fields: &[&str], exact: bool) -> Wish {
        Wish { callback_url: callback_url.map(str::to_owned), fields: texts(fields), exact }
    }

    fn present(callback_url: &str, active: bool, fields: &[&str]) -> AppLevel {
        AppLevel::Present(AppSubscription {
            object: "page".into(),
            callback_url: Some(callback_url.into()),
            active,
            fields: texts(fields),
            oldest_version: None,
        })
    }

    /// Whether the wish is exact, the current level, and the expected step and missing parts.
    type Case<'a> = (&'a str, bool, PageLevel, Option<&'a [&'a str]>, Option<&'a str>);

    const HERE: &str = "https://hooks.example.com/m";
    const OLD: &str = "https://old.example.com/m";

    #[test]
    fn an_app_becomes_as_wished_and_no_more_is_written() {
        let set = |fields: &[&str], replaces: Option<&str>| AppStep::Set {
            callback_url: HERE.into(),
            fields: texts(fields),
            replaces: replaces.map(str::to_owned),
        };
        let remove = |fields: &[&str]| AppStep::Remove { fields: texts(fields) };
        let is_there = present(HERE, true, &["messages", "feed"]);
        let feed = present(HERE, true, &["feed"]);
        let cases = [
            ("as wished", wish(Some(HERE), &["messages"], false), &is_there, vec![], vec![]),
            (
                "what is there stays",
                wish(Some(HERE), &["messages"], false),
                &feed,
                vec![set(&["feed", "messages"], None)],
                vec!["the app does not receive messages"],
            ),
            (
                "unless the wish is exact: then it goes last",
                wish(Some(HERE), &["messages"], true),
                &feed,
                vec![set(&["feed", "messages"], None), remove(&["feed"])],
                vec!["the app does not receive messages", "the app receives feed too"],
            ),
            (
                "another callback is told",
                wish(Some(HERE), &["messages"], false),
                &present(OLD, true, &["messages"]),
                vec![set(&["messages"], Some(OLD))],
                vec!["the app's events go to https://old.example.com/m"],
            ),
            (
                "an inactive one is set again",
                wish(Some(HERE), &["messages"], false),
                &present(HERE, false, &["messages"]),
                vec![set(&["messages"], None)],
                vec!["Meta has switched the app's webhook off (inactive)"],
            ),
            (
                "a new one",
                wish(Some(HERE), &["messages"], false),
                &AppLevel::Absent,
                vec![set(&["messages"], None)],
                vec!["the app has no webhook for Pages"],
            ),
            (
                "a new one goes nowhere without an address",
                wish(None, &["messages"], false),
                &AppLevel::Absent,
                vec![],
                vec![],
            ),
            (
                "without an address it goes where it goes",
                wish(None, &["messages"], false),
                &feed,
                vec![set(&["feed", "messages"], None)],
                vec!["the app does not receive messages"],
            ),
        ];
        for (name, wish, level, steps, missing) in cases {
            assert_eq!(app_steps(&wish, level), steps, "{name}");
            assert_eq!(missing_of_app(&wish, level), missing, "{name}");
        }
    }

    #[test]
    fn a_page_becomes_as_wished_and_no_more_is_written() {
        let of = |fields: &[&str]| PageLevel::Fields(texts(fields));
        let cases: [Case<'_>; 7] = [
            ("as wished", false, of(&["feed", "messages"]), None, None),
            ("in whatever order", true, of(&["messages"]), None, None),
            (
                "what is there stays",
                false,
                of(&["feed"]),
                Some(&["feed", "messages"]),
                Some("the Page does not send messages"),
            ),
            (
                "unless the wish is exact",
                true,
                of(&["messages", "feed"]),
                Some(&["messages"]),
                Some("the Page sends feed too"),
            ),
            (
                "one without fields is not the same as none",
                false,
                of(&[]),
                Some(&["messages"]),
                Some("the Page does not send messages"),
            ),
            ("a new one", false, PageLevel::Absent, Some(&["messages"]), Some("the Page is not subscribed to the app")),
            ("that of another app is not written", false, PageLevel::OfAnotherApp("2".into()), None, None),
        ];
        for (name, exact, level, step, missing) in cases {
            let wish = wish(None, &["messages"], exact);
            assert_eq!(page_step(&wish, &level), step.map(texts), "{name}");
            assert_eq!(missing_of_page(&wish, &level).as_deref(), missing, "{name}");
        }
    }
}
