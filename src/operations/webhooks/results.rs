//! What became of the two levels of an account's webhook.

use super::target::Target;
use crate::accounts::Account;
use crate::checks::causes::{self, Next, OTHER_APP, Place};
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::checks::{Diagnosis, GraphTrace, Outcome, of_unreachable};
use crate::graph::GraphError;
use crate::operations::Found;
use crate::operations::accounts::commands;
use crate::state::Change;
use crate::text::to_paste;

impl Found {
    /// A Page whose token is of another app than the account says.
    pub fn of_another_app(account: &Account, id: &str) -> Self {
        let summary = format!("the token is of app {id}, which is not the account's: nothing was changed");
        let hint = format!(
            "if that app is meant, give its id and secret, else a token of the right app; then: msgrctl account edit {} --app-id {} --app-secret-stdin --yes",
            account.handle,
            to_paste(id, "APP_ID")
        );
        Self::new(PAGE_SUBSCRIPTION, Outcome::Fail, summary).hint(hint).because(&OTHER_APP)
    }

    /// A failed call, in the words of its cause, with the command that fixes it; `then`
    /// where the same command is all there is to do.
    pub fn failed(id: &'static str, error: &GraphError, target: &Target, then: &str) -> Self {
        let place = if id == APP_SUBSCRIPTION { Place::App } else { Place::Page };
        let (outcome, found) = match error {
            GraphError::Refused(api) => (Outcome::Fail, causes::of(api, place.signed(target.app.is_some()))),
            GraphError::Unreachable(unreachable) => (Outcome::Unreachable, of_unreachable(unreachable)),
        };
        let Diagnosis { cause, summary, fix, next, .. } = found;
        let own = match next {
            Next::Nothing | Next::TestAgain | Next::Subscribe | Next::Doctor | Next::ShowState => None,
            next => commands::saved(&target.account).of(next),
        };
        let hint = format!("{fix}; then: {}", own.as_deref().unwrap_or(then));
        Self { cause: Some(cause), graph: GraphTrace::of(error), ..Self::new(id, outcome, summary).hint(hint) }
    }
}

/// An account and what became of its levels.
pub struct AccountResult {
    pub account: Account,
    /// Whether anything was written.
    pub changed: bool,
    /// What was found, the app first.
    pub found: Vec<Found>,
}

impl AccountResult {
    /// The worst of all.
    pub fn outcome(&self) -> Outcome {
        self.found.iter().map(|found| found.outcome).fold(Outcome::Pass, Ord::max)
    }
}

/// The levels of which something is so, the app's first.
pub fn levels(app: bool, page: bool) -> Vec<&'static str> {
    let levels = [(APP_SUBSCRIPTION, app), (PAGE_SUBSCRIPTION, page)];
    levels.into_iter().filter_map(|(level, is_so)| is_so.then_some(level)).collect()
}

/// A change at Meta as the log names it: `levels` are those that were written.
pub fn changed(account: &Account, levels: &[&'static str]) -> Change {
    let fields = levels.iter().map(|level| format!("meta.{}", level.replace('.', "_"))).collect();
    Change::named(account.name.to_string(), account.handle.to_string(), fields)
}
