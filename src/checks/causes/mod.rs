//! Why something is not as it should be. [`catalogue`] has every cause with its stable
//! name, its words and the step that follows; [`codes`] says which of Meta's refusals
//! means which cause; [`network`] does the same where Graph did not answer.

mod catalogue;
mod codes;
mod network;
mod rules;

pub use catalogue::*;
pub use codes::{Asked, Code, Known, Place, code, codes, codes_of_subcode, of, subcodes_of};
pub use network::of_unreachable;

use crate::dashboard;

/// A cause as the catalogue has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its public name, which does not change: `password-changed`.
    pub id: &'static str,
    pub matter: Matter,
    /// What happened, in a sentence without a full stop.
    pub summary: &'static str,
    /// What to do, in a sentence without a full stop; `{tokens}`, `{app}` and `{webhooks}`
    /// stand for places in Meta's dashboard.
    fix: &'static str,
    /// The step here that follows what is done at Meta.
    pub next: Next,
}

/// What a cause is about; a command's exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// The token, its permissions, or its app's credentials.
    Credentials,
    /// The way of messages: Page, subscription, callback.
    Delivery,
    /// A message or its recipient.
    Message,
    /// Graph cannot be reached, or wants to be asked later.
    Remote,
    /// This machine: files, stores, clock.
    Machine,
    /// Something else that Meta refuses.
    Other,
}

/// The step here that follows what is done at Meta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Give the account its new token.
    ReplaceToken,
    /// Nothing but another test.
    TestAgain,
    /// Give the account the right app id and secret.
    SetApp,
    /// Give the account its app secret, or an app where it has none.
    AddApp,
    /// Give the account the right page id.
    SetPageId,
    /// Give the account the right page username.
    SetUsername,
    /// Give the account the right callback URL.
    SetCallback,
    /// Set both levels of the webhook.
    Subscribe,
    /// Ask the callback as Meta does.
    Verify,
    /// Change when the contact centre's own messages are sent.
    SetTimeout,
    /// Give the contact centre's own messages other texts.
    EditMessages,
    /// Look at this machine.
    Doctor,
    Nothing,
}

impl Cause {
    /// What to do, with the places in Meta's dashboard.
    pub fn fix(&self) -> String {
        fill(self.fix)
    }

    /// This cause with its own words.
    pub fn diagnosis(&'static self) -> Diagnosis {
        Diagnosis {
            cause: self.id,
            matter: self.matter,
            summary: self.summary.into(),
            fix: self.fix(),
            next: self.next,
        }
    }
}

/// A cause as it applies to one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause's public name.
    pub cause: &'static str,
    pub matter: Matter,
    pub summary: String,
    pub fix: String,
    pub next: Next,
}

fn fill(text: &str) -> String {
    text.replace("{tokens}", dashboard::TOKENS)
        .replace("{app}", dashboard::APP)
        .replace("{webhooks}", dashboard::WEBHOOKS)
}
