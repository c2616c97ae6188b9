//! What became of the two levels of an account's webhook.

use super::target::Target;
use crate::accounts::Account;
use crate::checks::causes::{self, Cause, Next, OTHER_APP, Place};
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::checks::{Diagnosis, GraphTrace, Outcome, of_unreachable};
use crate::graph::GraphError;
use crate::operations::accounts::commands;
use crate::state::Change;
use crate::text::to_paste;

/// What became of one level.
#[derive(Clone, Debug)]
pub struct Found {
    /// [`APP_SUBSCRIPTION`] or [`PAGE_SUBSCRIPTION`].
    pub id: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable name of why it is not as it should be.
    pub cause: Option<&'static str>,
    /// What is, in a sentence.
    pub summary: String,
    /// What to do, and the command behind `; then: `.
    pub hint: Option<String>,
    /// What Graph answered.
    pub graph: Option<GraphTrace>,
    /// What the callback said in a handshake, in its first words.
    pub receiver_says: Option<String>,
}

impl Found {
    /// Something that is neither good nor bad news of Graph's.
    pub fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>, hint: Option<String>) -> Self {
        Self { id, outcome, cause: None, summary: summary.into(), hint, graph: None, receiver_says: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(self, cause: &'static Cause) -> Self {
        Self { cause: Some(cause.id), ..self }
    }

    /// A Page whose token is of another app than the account says.
    pub fn of_another_app(account: &Account, id: &str) -> Self {
        let summary = format!("the token is of app {id}, which is not the account's: nothing was changed");
        let hint = format!(
            "if that app is meant, give its id and secret, else a token of the right app; then: msgrctl account edit {} --app-id {} --app-secret-stdin --yes",
            account.handle,
            to_paste(id, "APP_ID")
        );
        Self::new(PAGE_SUBSCRIPTION, Outcome::Fail, summary, Some(hint)).because(&OTHER_APP)
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
            Next::Nothing | Next::TestAgain | Next::Subscribe | Next::Doctor => None,
            next => commands::saved(&target.account).of(next),
        };
        let hint = format!("{fix}; then: {}", own.as_deref().unwrap_or(then));
        Self {
            id,
            outcome,
            cause: Some(cause),
            summary,
            hint: Some(hint),
            graph: GraphTrace::of(error),
            receiver_says: None,
        }
    }
}

/// An account and what became of its levels.
pub struct AccountResult {
    /// Its name.
    pub name: String,
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

/// A change at Meta as the log names it: `levels` are those that were written.
pub fn changed(account: &Account, levels: &[&'static str]) -> Change {
    let fields = levels.iter().map(|level| format!("meta.{}", level.replace('.', "_"))).collect();
    Change::named(account.name.to_string(), account.handle.to_string(), fields)
}
