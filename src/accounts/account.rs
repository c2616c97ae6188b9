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

/// A messenger integration account, as the contact centre knows it. Holds the places of its
/// secrets, never their values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Generated once; secrets are filed under it.
    pub id: String,
    /// A slug of the name, unique in the tenant; completions offer it.
    pub handle: Handle,
    /// Any text, unique in the tenant; case does not count.
    pub name: Name,
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Channel,
    /// The Page's @username, bare.
    pub page_username: PageUsername,
    /// The Page's id: digits, kept as text.
    pub page_id: PageId,
    /// The Page's name as Meta last reported it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "clean")]
    pub page_name: Option<String>,
    /// The Meta app whose secret is saved, or that the token should belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// Where the contact centre receives Meta's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<CallbackUrl>,
    /// The Graph that its secrets may be sent to.
    pub graph: Realm,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Its state for each chat event; an event without an entry is Default.
    #[serde(default, skip_serializing_if = "AccountMessages::is_default")]
    pub messages: AccountMessages,
    /// Where each of its secrets is.
    pub secrets: BTreeMap<SecretKind, SecretRef>,
}

/// A name that an older msgrctl may have saved uncleaned.
fn clean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|name| harmless(&name)))
}

impl Account {
    /// Whether `address` is this account's name, handle or id; case does not count.
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

/// The Graph that an account belongs to. Its secrets are never sent to the other one.
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

    /// A test account; its id and handle are made from its name.
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
