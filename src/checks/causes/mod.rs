//! Causes of failures. [`catalogue`] and [`kept`] have every cause with its stable name, its text
//! and the next step; [`codes`] maps Meta's refusals to causes; [`network`] does so where Graph did not
//! answer.

/// Statics of causes, and the list of them.
macro_rules! causes {
    ($all:ident $($name:ident $id:literal $matter:ident $next:ident $summary:literal $fix:literal)+) => {
        $(
            #[doc = $summary]
            pub static $name: Cause =
                Cause { id: $id, matter: $matter, summary: $summary, fix: $fix, next: $next };
        )+
        /// All of these.
        pub(super) static $all: &[&Cause] = &[$(&$name),+];
    };
}

mod catalogue;
mod codes;
mod kept;
mod network;
mod rules;

pub use catalogue::*;
pub use codes::{Asked, Code, Known, Place, code, codes, codes_of_subcode, of, subcodes_of};
pub use kept::*;
pub use network::of_unreachable;

use crate::dashboard;

/// A cause in the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its public name, which never changes: `password-changed`.
    pub id: &'static str,
    pub matter: Matter,
    /// What happened, in a sentence without a full stop.
    pub summary: &'static str,
    /// What to do, in a sentence without a full stop; `{tokens}`, `{app}`, `{webhooks}`,
    /// `{redirects}`, `{system_users}` and `{business}` are replaced by places at Meta.
    fix: &'static str,
    /// The step in msgrctl after the fix at Meta.
    pub next: Next,
}

/// The area of a cause; it decides a command's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// The token, its permissions, or its app's credentials.
    Credentials,
    /// The delivery of messages: Page, subscription, callback.
    Delivery,
    /// A message or its recipient.
    Message,
    /// Graph cannot be reached, or asks to try later.
    Remote,
    /// This machine: files, stores, clock.
    Machine,
    /// The records that a team shares.
    State,
    /// Any other refusal of Meta.
    Other,
}

/// The step in msgrctl after the fix at Meta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Give the account its new token.
    ReplaceToken,
    /// Log in at Meta again, which gives each account its new token.
    LogIn,
    /// Only test again.
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
    /// Ask the callback for the handshake as Meta does.
    Verify,
    /// Change when the contact centre's own messages are sent.
    SetTimeout,
    /// Change the texts of the contact centre's own messages.
    EditMessages,
    /// Check this machine.
    Doctor,
    /// See where the records are, and who holds their locks.
    ShowState,
    Nothing,
}

/// Every cause.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    catalogue::AT_META.iter().chain(kept::HERE).copied()
}

impl Cause {
    /// What to do, naming the places in Meta's dashboard.
    pub fn fix(&self) -> String {
        fill(self.fix)
    }

    /// This cause with its default text.
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
        .replace("{redirects}", dashboard::REDIRECTS)
        .replace("{system_users}", dashboard::SYSTEM_USERS)
        .replace("{business}", dashboard::BUSINESS)
}
