//! The account itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::addresses::same;
use super::{AppId, CallbackUrl, Handle, Name, PageId, PageUsername};
use crate::channel::Channel;
use crate::messages::AccountMessages;
use crate::secrets::{SecretKey, SecretKind, SecretRef};
use crate::text::{harmless, words};

/// A messenger integration account, as the contact centre knows it. Holds where
/// its secrets are, never what they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Made once; secrets are filed under it.
    pub id: String,
    /// A slug of the name, unique in the tenant; completions offer it.
    pub handle: Handle,
    /// Any text, unique in the tenant without regard to case.
    pub name: Name,
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Channel,
    /// The Page's @username, bare.
    pub page_username: PageUsername,
    /// The Page's id: digits, kept as text.
    pub page_id: PageId,
    /// The Page's name as Meta last told it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "clean")]
    pub page_name: Option<String>,
    /// The Meta app whose secret is kept, or that the token is expected to be of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Where the contact centre takes Meta's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<CallbackUrl>,
    /// Which Graph its secrets may be sent to.
    pub graph: Realm,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What it says at each chat event; what is not there is Default.
    #[serde(default, skip_serializing_if = "AccountMessages::is_default")]
    pub messages: AccountMessages,
    /// Where each of its secrets is.
    pub secrets: BTreeMap<SecretKind, SecretRef>,
}

/// A name that an older msgrctl may have saved as Meta told it.
fn clean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|name| harmless(&name)))
}

impl Account {
    /// Whether `address` means this account: its name, its handle or its id, without
    /// regard to case.
    pub fn answers_to(&self, address: &str) -> bool {
        let address = address.trim();
        [self.name.as_str(), self.handle.as_str(), &self.id].into_iter().any(|own| same(own, address))
    }

    /// The name of one of its secrets in the stores.
    pub fn key(&self, kind: SecretKind) -> SecretKey {
        SecretKey {
            account_id: self.id.clone(),
            handle: self.handle.to_string(),
            account_name: self.name.to_string(),
            kind,
        }
    }
}

/// Which Graph an account lives in. Its secrets never go to the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    /// graph.facebook.com.
    Live,
    /// A Graph on loopback: the built-in sandbox.
    Sandbox,
}

words!(Realm { Live => "live", Sandbox => "sandbox" });

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::secrets::StoreName;

    /// An account to test with; its id and handle are made of its name.
    pub(in crate::accounts) fn account(name: &str) -> Account {
        let name: Name = name.parse().expect("a name");
        Account {
            id: format!("id-of-{name}"),
            handle: Handle::slug(&name),
            name,
            channel: Channel::Facebook,
            page_username: "acme.support".parse().expect("a username"),
            page_id: "109876543210987".parse().expect("a page id"),
            page_name: None,
            app_id: None,
            callback_url: None,
            graph: Realm::Live,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            messages: AccountMessages::default(),
            secrets: BTreeMap::from([(SecretKind::PageAccessToken, SecretRef::Stored(StoreName::Keyring))]),
        }
    }
}
