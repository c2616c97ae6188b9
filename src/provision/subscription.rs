//! The two levels of a webhook as they should be, against what Meta says they are.
//!
//! [`difference`] is pure: nothing to do gives no step, and then nothing is written.
//! What is there and not asked for stays, unless the wish is exact.

use crate::graph::endpoints::subscription::{self, AppSubscription, PAGE, SubscribedApp, same_callback};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::secrets::Secret;

/// The fields that a contact centre needs, or is glad of (facts of Graph, section 5.5).
pub const FIELDS: [&str; 6] = [
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "message_deliveries",
    "message_reads",
    "messaging_referrals",
];

/// The other fields of Messenger that Meta documents (facts of Graph, section 5.5): to
/// notice a misspelt one. Any is taken, since Meta adds some from time to time.
pub const OTHER_FIELDS: [&str; 14] = [
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

/// What should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Where the app's events should go; `None`: that is left as it is.
    pub callback_url: Option<String>,
    /// The fields, on both levels.
    pub fields: Vec<String>,
    /// These and no others.
    pub exact: bool,
}

/// What is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// The fields that the Page sends the app; `None`: the Page is not subscribed.
    pub page: Option<Vec<String>>,
    /// What the app is told of; `None`: it was not asked, since that takes the app secret.
    pub app: Option<AppLevel>,
}

/// The app's own level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppLevel {
    /// It has no subscription of Pages.
    Absent,
    /// It has this one.
    Present(AppSubscription),
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Set the app's callback URL and fields; Meta asks the callback for the handshake.
    SetApp {
        /// The address.
        callback_url: String,
        /// Every field that should be there after it.
        fields: Vec<String>,
        /// The address that it takes the place of.
        replaces: Option<String>,
    },
    /// Take fields away from the app, after others were set.
    RemoveFromApp {
        /// Which.
        fields: Vec<String>,
    },
    /// Set the Page's fields.
    SetPage {
        /// Every field that should be there after it.
        fields: Vec<String>,
    },
}

/// What has to be written so that `levels` become as `wish` says. Nothing is taken
/// away before what takes its place is there.
pub fn difference(wish: &Wish, levels: &Levels) -> Vec<Step> {
    let mut steps = Vec::new();
    match (&wish.callback_url, &levels.app) {
        (Some(callback_url), Some(AppLevel::Absent)) => {
            steps.push(Step::SetApp {
                callback_url: callback_url.clone(),
                fields: wish.fields.clone(),
                replaces: None,
            });
        }
        (callback_url, Some(AppLevel::Present(present))) => {
            let wanted = callback_url.as_deref().or(present.callback_url.as_deref());
            let moved = match (wanted, &present.callback_url) {
                (Some(wanted), Some(now)) => !same_callback(wanted, now),
                (wanted, now) => wanted.is_some() != now.is_some(),
            };
            let all = union(&present.fields, &wish.fields);
            if let Some(wanted) = wanted
                && (moved || !present.active || all.len() > present.fields.len())
            {
                let replaces = if moved { present.callback_url.clone() } else { None };
                steps.push(Step::SetApp { callback_url: wanted.into(), fields: all, replaces });
            }
            let extra = beside(&present.fields, &wish.fields);
            if wish.exact && !extra.is_empty() {
                steps.push(Step::RemoveFromApp { fields: extra });
            }
        }
        (_, None) | (None, Some(AppLevel::Absent)) => {}
    }
    let now = levels.page.clone().unwrap_or_default();
    let fields = if wish.exact { wish.fields.clone() } else { union(&now, &wish.fields) };
    if levels.page.is_none() || !same_fields(&now, &fields) {
        steps.push(Step::SetPage { fields });
    }
    steps
}

/// What of `wish` is not so in `levels`, after it was written: in words, empty when
/// all is as wished.
pub fn missing(wish: &Wish, levels: &Levels) -> Vec<String> {
    let list = |fields: &[String]| fields.join(", ");
    difference(wish, levels)
        .iter()
        .map(|step| match step {
            Step::SetApp { replaces: Some(now), .. } => format!("the app's events go to {now}"),
            Step::SetApp { .. } => match &levels.app {
                Some(AppLevel::Present(present)) if present.active => {
                    format!("the app is not told of {}", list(&beside(&wish.fields, &present.fields)))
                }
                Some(AppLevel::Present(_)) => "Meta has switched the app's webhook off (inactive)".into(),
                _ => "the app has no webhook for Pages".into(),
            },
            Step::RemoveFromApp { fields } => format!("the app is told of {} too", list(fields)),
            Step::SetPage { .. } => match &levels.page {
                None => "the Page is not subscribed to the app".into(),
                Some(now) => {
                    let (lacks, extra) = (beside(&wish.fields, now), beside(now, &wish.fields));
                    if lacks.is_empty() {
                        format!("the Page sends {} too", list(&extra))
                    } else {
                        format!("the Page does not send {}", list(&lacks))
                    }
                }
            },
        })
        .collect()
}

/// The first, then what only the second has; each once.
fn union(first: &[String], second: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for field in first.iter().chain(second) {
        if !all.contains(field) {
            all.push(field.clone());
        }
    }
    all
}

/// What only the first has.
fn beside(first: &[String], second: &[String]) -> Vec<String> {
    first.iter().filter(|field| !second.contains(field)).cloned().collect()
}

/// A Page as its subscription is asked for.
#[derive(Clone, Copy)]
pub struct PageAccess<'a> {
    /// The Page.
    pub page_id: &'a str,
    /// Its token.
    pub token: &'a Secret,
    /// The app whose id is known, to find it among others.
    pub app_id: Option<&'a str>,
    /// The app to sign with.
    pub app: Option<&'a AppCredentials>,
}

/// What was seen of a Page's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageLevel {
    /// The Page sends the token's app nothing.
    Absent,
    /// It sends it these fields.
    Fields(Vec<String>),
    /// The token is of another app than the account says, and the Page is subscribed to
    /// that one: a write would change what is not the account's.
    OfAnotherApp(String),
}

impl PageLevel {
    /// The level of the app with this id among those that a Page is subscribed to. Graph
    /// shows the token's own app alone.
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
    /// The level of Pages among all subscriptions of an app.
    pub fn of(all: Vec<AppSubscription>) -> Self {
        let of_pages = all.into_iter().find(|subscription| subscription.object == PAGE);
        of_pages.map_or(Self::Absent, Self::Present)
    }
}

/// Whether two looks at a Page saw the same; the order in which Meta lists fields says nothing.
pub fn same_page(before: &PageLevel, now: &PageLevel) -> bool {
    match (before, now) {
        (PageLevel::Fields(before), PageLevel::Fields(now)) => same_fields(before, now),
        (before, now) => before == now,
    }
}

/// Whether two looks at an app saw the same, as far as a write would change it.
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

/// What a Page sends the app.
pub async fn observe_page(client: &Client, page: PageAccess<'_>) -> Result<PageLevel, GraphError> {
    let apps = subscription::of_page(client, page.page_id, page.token, page.app).await?.value;
    Ok(PageLevel::of(apps, page.app_id))
}

/// What an app is told of.
pub async fn observe_app(client: &Client, app: &AppCredentials) -> Result<AppLevel, GraphError> {
    Ok(AppLevel::of(subscription::of_app(client, app).await?.value))
}

/// Carries out one step; `false`: Meta says that it did not. `verify_token` is what Meta
/// will ask the callback with.
pub async fn carry_out(
    client: &Client,
    step: &Step,
    page: PageAccess<'_>,
    verify_token: Option<&Secret>,
) -> Result<bool, GraphError> {
    match (step, page.app, verify_token) {
        (Step::SetApp { callback_url, fields, .. }, Some(app), Some(verify_token)) => {
            subscription::set_of_app(client, app, callback_url, verify_token, fields).await
        }
        (Step::RemoveFromApp { fields }, Some(app), _) => subscription::remove_of_app(client, app, Some(fields)).await,
        (Step::SetPage { fields }, ..) => {
            subscription::set_of_page(client, page.page_id, page.token, page.app, fields).await
        }
        // The app's own level takes its secret, and the callback a verify token.
        (Step::SetApp { .. } | Step::RemoveFromApp { .. }, ..) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(fields: &[&str]) -> Vec<String> {
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    fn wish(fields: &[&str]) -> Wish {
        Wish { callback_url: Some("https://hooks.example.com/m".into()), fields: texts(fields), exact: false }
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

    #[test]
    fn what_is_as_wished_needs_nothing() {
        let levels = Levels {
            page: Some(texts(&["feed", "messages"])),
            app: Some(present("https://hooks.example.com/m", true, &["messages", "feed"])),
        };
        assert_eq!(difference(&wish(&["messages"]), &levels), []);
        assert!(missing(&wish(&["messages"]), &levels).is_empty());
    }

    #[test]
    fn what_is_there_stays_unless_the_wish_is_exact() {
        let levels =
            Levels { page: Some(texts(&["feed"])), app: Some(present("https://hooks.example.com/m", true, &["feed"])) };
        let all = texts(&["feed", "messages"]);
        let set = |fields| Step::SetApp { callback_url: "https://hooks.example.com/m".into(), fields, replaces: None };
        assert_eq!(
            difference(&wish(&["messages"]), &levels),
            [set(all.clone()), Step::SetPage { fields: all.clone() }]
        );
        let exact = Wish { exact: true, ..wish(&["messages"]) };
        assert_eq!(
            difference(&exact, &levels),
            [
                set(all),
                Step::RemoveFromApp { fields: texts(&["feed"]) },
                Step::SetPage { fields: texts(&["messages"]) }
            ]
        );
    }

    #[test]
    fn another_callback_is_told_and_an_inactive_one_set_again() {
        let elsewhere = Levels {
            page: Some(texts(&["messages"])),
            app: Some(present("https://old.example.com/m", true, &["messages"])),
        };
        let steps = difference(&wish(&["messages"]), &elsewhere);
        assert!(matches!(&steps[..], [Step::SetApp { replaces: Some(old), .. }] if old == "https://old.example.com/m"));
        let off = Levels { app: Some(present("https://hooks.example.com/m", false, &["messages"])), ..elsewhere };
        let steps = difference(&wish(&["messages"]), &off);
        assert!(matches!(&steps[..], [Step::SetApp { replaces: None, .. }]));
    }

    #[test]
    fn what_was_not_asked_about_is_not_written() {
        let steps = difference(&wish(&["messages"]), &Levels::default());
        assert_eq!(steps, [Step::SetPage { fields: texts(&["messages"]) }]);
        let without = Wish { callback_url: None, ..wish(&["messages"]) };
        let levels = Levels { page: Some(texts(&["messages"])), app: Some(AppLevel::Absent) };
        assert_eq!(difference(&without, &levels), []);
    }

    #[test]
    fn a_page_with_no_field_is_not_the_same_as_none() {
        let exact = Wish { exact: true, ..wish(&["messages"]) };
        let levels = Levels { page: Some(texts(&["messages", "feed"])), app: None };
        assert_eq!(difference(&exact, &levels), [Step::SetPage { fields: texts(&["messages"]) }]);
        assert_eq!(missing(&exact, &levels), ["the Page sends feed too"]);
    }
}
