//! The two levels of accounts' webhooks, asked about together: several accounts at once, each
//! app once.

use futures_util::stream::{self, StreamExt as _};

use super::results::levels;
use super::target::Target;
use crate::channel::Channel;
use crate::checks::causes::{self, APP_SECRET_WRONG, APP_UNKNOWN, Place};
use crate::checks::ids::APP_SUBSCRIPTION;
use crate::graph::{AppCredentials, Client, GraphError};
use crate::provision::subscription::{self, AppLevel, PageLevel};

/// How many accounts are asked about, or written, at the same time; their calls go
/// together.
pub(super) const AT_ONCE: usize = 256;

/// What was found about one account's levels.
pub struct Seen {
    /// What the Page sends.
    pub page: Result<PageLevel, GraphError>,
    /// The app's level; `None`: the app secret is not known.
    pub app: Option<Result<AppLevel, GraphError>>,
}

impl Seen {
    /// Whether Meta does not know the account's app, or not with this secret.
    pub fn has_wrong_app(&self) -> bool {
        let Some(Err(GraphError::Refused(error))) = &self.app else { return false };
        let cause = causes::of(error, Place::App.signed(true)).cause;
        [APP_UNKNOWN.id, APP_SECRET_WRONG.id].contains(&cause)
    }
}

/// Asks about the Page of each target, and once about each app.
pub async fn observe(client: &Client, targets: &[&Target]) -> Vec<Seen> {
    // Once each pair of id and secret: one that is wrong is one account's alone.
    let mut apps: Vec<(&AppCredentials, Channel)> = Vec::new();
    for app in targets.iter().filter_map(|target| app_of(target)) {
        if !apps.contains(&app) {
            apps.push(app);
        }
    }
    let asked =
        stream::iter(apps.into_iter().map(|(app, channel)| async move {
            ((app, channel), subscription::observe_app(client, app, channel).await)
        }));
    let pages =
        stream::iter(targets.iter().map(|target| subscription::observe_page(client, target.page(), target.app_id())));
    let all = async { tokio::join!(asked.buffer_unordered(AT_ONCE).collect(), pages.buffered(AT_ONCE).collect()) };
    let (apps, pages): (Vec<_>, Vec<_>) = if targets.len() > 1 { client.in_batches(all).await } else { all.await };
    let level_of = |target: &Target| {
        let own = app_of(target)?;
        apps.iter().find(|(app, _)| *app == own).map(|(_, level)| level.clone())
    };
    targets.iter().zip(pages).map(|(target, page)| Seen { page, app: level_of(target) }).collect()
}

/// The level of an account that was changed at Meta between two looks, the app's first, as far
/// as both could see it.
pub fn changed_levels(before: &Seen, now: &Seen) -> Vec<&'static str> {
    let app = match (&before.app, &now.app) {
        (Some(Ok(before)), Some(Ok(now))) => !subscription::same_app_level(before, now),
        _ => false,
    };
    let page = matches!((&before.page, &now.page), (Ok(before), Ok(now)) if !subscription::same_page(before, now));
    levels(app, page)
}

/// The same in words: what was changed, and where.
pub fn changed_in_words(level: &str) -> &'static str {
    if level == APP_SUBSCRIPTION { "the app's webhook" } else { "the Page's subscription" }
}

fn app_of(target: &Target) -> Option<(&AppCredentials, Channel)> {
    Some((target.app.as_ref()?, target.account.channel))
}
