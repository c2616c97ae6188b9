//! The channels that an account can connect. Differences between them are matched without a
//! wildcard, so that the compiler names every place to extend for a new channel.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::words;

/// A channel of the contact centre; files, flags and JSON call it the account's `type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Facebook Messenger.
    #[default]
    Facebook,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Facebook];

    /// Its id in files: `facebook`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
        }
    }

    /// Its company: `Facebook`.
    pub const fn brand(self) -> &'static str {
        match self {
            Self::Facebook => "Facebook",
        }
    }

    /// Its full name: `Facebook Messenger`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Facebook => "Facebook Messenger",
        }
    }

    /// Its name in the contact centre's list of types.
    pub const fn in_the_form(self) -> &'static str {
        match self {
            Self::Facebook => "Messenger, Facebook",
        }
    }

    /// The object that an app's webhook is set for.
    pub const fn webhook_object(self) -> &'static str {
        match self {
            Self::Facebook => "page",
        }
    }

    /// The permissions that a contact centre's token needs.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Facebook => &["pages_messaging", "pages_manage_metadata", "pages_show_list", "pages_read_engagement"],
        }
    }

    /// Those of them that messages do not depend on: they only read what is compared, such as
    /// the Page's username.
    pub const fn permissions_to_read(self) -> &'static [&'static str] {
        match self {
            Self::Facebook => &["pages_read_engagement"],
        }
    }
}

words!(Channel, id);

impl FromStr for Channel {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|channel| channel.id() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        for channel in Channel::ALL {
            assert_eq!(channel.id().parse(), Ok(channel));
            assert_eq!(serde_json::to_value(channel).expect("json"), channel.id());
        }
        assert_eq!("Facebook".parse::<Channel>(), Err(()));
    }

    #[test]
    fn the_list_has_all_of_them() {
        // The compiler asks for the place of a new channel.
        let place = |channel| match channel {
            Channel::Facebook => 0,
        };
        assert!(Channel::ALL.into_iter().map(place).eq(0..Channel::ALL.len()));
    }
}
