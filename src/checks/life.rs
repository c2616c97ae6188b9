//! What a token is by how it was made: that decides when it ends, what ends it early, and how it
//! is renewed (graph/FACTS.md, "How long tokens live").

use crate::graph::endpoints::token::TokenInfo;
use crate::text::words;

/// A token by its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLife {
    /// A person's, as a login gives it: one or two hours.
    ShortUser,
    /// A person's, exchanged: about 60 days.
    LongUser,
    /// A Page's, taken with a person's short-lived token: it ends with that.
    PageOfShortUser,
    /// A Page's, taken with a person's long-lived token: no end.
    PageOfLongUser,
    /// A system user's without an end.
    SystemUser,
    /// A system user's of 60 days.
    SystemUser60Days,
    /// A Page's, taken with a system user's token without an end.
    PageOfSystemUser,
    /// A Page's, taken with a system user's token of 60 days: it ends with that.
    PageOfSystemUser60Days,
    /// An app's: `APPID|SECRET`.
    App,
}

words!(TokenLife {
    ShortUser => "short-user",
    LongUser => "long-user",
    PageOfShortUser => "page-of-short-user",
    PageOfLongUser => "page-of-long-user",
    SystemUser => "system-user",
    SystemUser60Days => "system-user-60-days",
    PageOfSystemUser => "page-of-system-user",
    PageOfSystemUser60Days => "page-of-system-user-60-days",
    App => "app"
});

/// How a token is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It needs none as long as it works.
    Nothing,
    /// By a login of a person; before its end by an exchange too.
    Login,
    /// By an exchange, for ever if that is done in time.
    Exchange,
}

/// A short-lived token lasts one or two hours, a long-lived one about 60 days.
const SHORT: i64 = 86_400;

impl TokenLife {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::ShortUser,
        Self::LongUser,
        Self::PageOfShortUser,
        Self::PageOfLongUser,
        Self::SystemUser,
        Self::SystemUser60Days,
        Self::PageOfSystemUser,
        Self::PageOfSystemUser60Days,
        Self::App,
    ];

    /// The one of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|life| life.to_string() == word)
    }

    /// What a token is by what `debug_token` says at `now` (Unix seconds) of it and, if it is
    /// kept, of the `parent` that it was taken with. `None` where Meta does not name its type.
    pub fn of(info: &TokenInfo, parent: Option<&TokenInfo>, now: i64) -> Option<Self> {
        let ends = info.expires_at.is_some_and(|at| at != 0);
        Some(match info.kind.as_deref()? {
            "APP" => Self::App,
            "SYSTEM_USER" if ends => Self::SystemUser60Days,
            "SYSTEM_USER" => Self::SystemUser,
            "USER" if is_short(info, now) => Self::ShortUser,
            "USER" => Self::LongUser,
            "PAGE" => {
                let parent = parent.and_then(|parent| Self::of(parent, None, now));
                // Access to a person's data ends 90 days after that person was there; a system user is
                // always there.
                let of_system_user = info.data_access_expires_at == Some(0);
                // A kept token of a system user says nothing of a Page's token that a person's data ends with.
                let may_be_its = of_system_user || info.data_access_expires_at.is_none();
                match parent.filter(|_| may_be_its) {
                    Some(Self::SystemUser60Days) => Self::PageOfSystemUser60Days,
                    Some(Self::SystemUser) if !ends => Self::PageOfSystemUser,
                    _ if of_system_user && ends => Self::PageOfSystemUser60Days,
                    _ if of_system_user => Self::PageOfSystemUser,
                    _ if is_short(info, now) => Self::PageOfShortUser,
                    _ => Self::PageOfLongUser,
                }
            }
            _ => return None,
        })
    }

    /// Whether it is a system user's, or was taken with such a one.
    pub fn is_of_system_user(self) -> bool {
        use TokenLife::{PageOfSystemUser, PageOfSystemUser60Days, SystemUser, SystemUser60Days};
        matches!(self, SystemUser | SystemUser60Days | PageOfSystemUser | PageOfSystemUser60Days)
    }

    /// When the token ends, in Unix seconds; 0: never. Meta names no end of some Page's tokens that
    /// end with a system user's.
    pub fn end_of(info: &TokenInfo, parent: Option<&TokenInfo>, now: i64) -> Option<i64> {
        match (info.expires_at, Self::of(info, parent, now), parent) {
            (Some(0), Some(Self::PageOfSystemUser60Days), Some(parent)) => parent.expires_at.or(info.expires_at),
            (at, ..) => at,
        }
    }

    /// What it is, in words.
    pub fn what(self) -> &'static str {
        match self {
            Self::ShortUser => "a person's short-lived token",
            Self::LongUser => "a person's long-lived token",
            Self::PageOfShortUser => "a Page's token from a person's short-lived token",
            Self::PageOfLongUser => "a Page's token from a person's long-lived token",
            Self::SystemUser => "a system user's token without an end",
            Self::SystemUser60Days => "a system user's token of 60 days",
            Self::PageOfSystemUser => "a Page's token from a system user's token without an end",
            Self::PageOfSystemUser60Days => "a Page's token from a system user's token of 60 days",
            Self::App => "an app's token",
        }
    }

    /// The same where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            Self::ShortUser | Self::PageOfShortUser => "short-lived",
            Self::LongUser | Self::PageOfLongUser => "person",
            Self::SystemUser | Self::PageOfSystemUser => "system user",
            Self::SystemUser60Days | Self::PageOfSystemUser60Days => "system user, 60 days",
            Self::App => "app",
        }
    }

    /// What ends it, in words that follow "ends with".
    pub fn dies_of(self) -> &'static str {
        match self {
            Self::ShortUser => "its hour or two, a changed password, a log-out or the removal of the app",
            Self::LongUser => "its 60 days, a changed password, a log-out or the removal of the app",
            Self::PageOfShortUser => "the person's token, within an hour or two of the login",
            Self::PageOfLongUser => {
                "a changed password or a lost role of the person, the removal of the app, or a later login without this Page"
            }
            Self::SystemUser => "its revocation, or the removal of the app",
            Self::SystemUser60Days => "its 60 days, its revocation, or the removal of the app",
            Self::PageOfSystemUser => {
                "the system user's token, or the removal of the Page or the app from the business"
            }
            Self::PageOfSystemUser60Days => {
                "the 60 days of the system user's token, or the removal of the Page or the app from the business"
            }
            Self::App => "a new app secret",
        }
    }

    /// How it is renewed.
    pub fn renewal(self) -> Renewal {
        match self {
            Self::SystemUser | Self::PageOfSystemUser | Self::App => Renewal::Nothing,
            Self::ShortUser | Self::LongUser | Self::PageOfShortUser | Self::PageOfLongUser => Renewal::Login,
            Self::SystemUser60Days | Self::PageOfSystemUser60Days => Renewal::Exchange,
        }
    }
}

/// Whether a token was made for hours. Meta does not say when it issued a short-lived one.
fn is_short(info: &TokenInfo, now: i64) -> bool {
    let Some(end) = info.expires_at.filter(|at| *at != 0) else { return false };
    let made = info.issued_at.filter(|at| *at != 0).unwrap_or(now.min(end));
    (0..SHORT).contains(&end.saturating_sub(made))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_790_000_000;
    const DAY: i64 = 86_400;

    fn info(kind: &str, issued: Option<i64>, ends: i64, data_ends: Option<i64>) -> TokenInfo {
        let known = [("issued_at", issued), ("expires_at", Some(ends)), ("data_access_expires_at", data_ends)];
        let known = known.into_iter().filter_map(|(name, at)| Some((name.to_owned(), json!(at?))));
        serde_json::from_value(known.chain([("type".to_owned(), json!(kind))]).collect()).expect("a token")
    }

    #[test]
    fn each_kind_of_token_is_told_by_what_meta_says_of_it() {
        let person = Some(NOW + 90 * DAY);
        let of = |info: &TokenInfo| TokenLife::of(info, None, NOW);
        for (found, expected) in [
            (info("USER", None, NOW + 5_000, person), TokenLife::ShortUser),
            (info("USER", Some(NOW - 60), NOW + 7_140, person), TokenLife::ShortUser),
            (info("USER", Some(NOW), NOW + 60 * DAY, person), TokenLife::LongUser),
            // In its last hour it is still a long-lived one.
            (info("USER", Some(NOW - 60 * DAY), NOW + 3_000, person), TokenLife::LongUser),
            (info("USER", Some(NOW), 0, person), TokenLife::LongUser),
            (info("PAGE", None, NOW + 5_000, person), TokenLife::PageOfShortUser),
            (info("PAGE", Some(NOW - 9_000), NOW - 1_800, person), TokenLife::PageOfShortUser),
            (info("PAGE", Some(NOW), 0, person), TokenLife::PageOfLongUser),
            (info("PAGE", Some(NOW), NOW + 50 * DAY, person), TokenLife::PageOfLongUser),
            (info("PAGE", Some(NOW), 0, None), TokenLife::PageOfLongUser),
            (info("SYSTEM_USER", Some(NOW), 0, Some(0)), TokenLife::SystemUser),
            (info("SYSTEM_USER", Some(NOW), NOW + 60 * DAY, Some(0)), TokenLife::SystemUser60Days),
            (info("PAGE", Some(NOW), 0, Some(0)), TokenLife::PageOfSystemUser),
            (info("PAGE", Some(NOW), NOW + 60 * DAY, Some(0)), TokenLife::PageOfSystemUser60Days),
            (info("APP", None, 0, None), TokenLife::App),
        ] {
            assert_eq!(of(&found), Some(expected), "{found:?}");
        }
        assert_eq!(of(&TokenInfo::default()), None);
        assert_eq!(of(&info("WHAT", None, 0, None)), None);
    }

    #[test]
    fn the_parent_decides_where_the_pages_token_does_not_say() {
        let page = info("PAGE", Some(NOW), 0, Some(0));
        let parent = info("SYSTEM_USER", Some(NOW), NOW + 40 * DAY, Some(0));
        let with = |page: &TokenInfo, parent: &TokenInfo| {
            (TokenLife::of(page, Some(parent), NOW), TokenLife::end_of(page, Some(parent), NOW))
        };
        assert_eq!(with(&page, &parent), (Some(TokenLife::PageOfSystemUser60Days), Some(NOW + 40 * DAY)));
        let never = info("SYSTEM_USER", Some(NOW), 0, Some(0));
        assert_eq!(with(&page, &never), (Some(TokenLife::PageOfSystemUser), Some(0)));
        // Its data access was not told, and its parent says whose it is.
        assert_eq!(with(&info("PAGE", None, 0, None), &never).0, Some(TokenLife::PageOfSystemUser));
        let person = info("USER", Some(NOW), NOW + 60 * DAY, Some(NOW + 90 * DAY));
        let of_person = info("PAGE", Some(NOW), 0, Some(NOW + 90 * DAY));
        assert_eq!(with(&of_person, &person), (Some(TokenLife::PageOfLongUser), Some(0)));
        // Another person's token kept beside it makes a short-lived one no longer.
        let short = info("PAGE", None, NOW + 3_000, Some(NOW + 90 * DAY));
        assert_eq!(with(&short, &person), (Some(TokenLife::PageOfShortUser), Some(NOW + 3_000)));
    }

    #[test]
    fn every_kind_has_its_words_and_its_way_to_be_renewed() {
        for life in TokenLife::ALL {
            assert_eq!(TokenLife::named(&life.to_string()), Some(life));
            assert!(!life.what().is_empty() && !life.dies_of().is_empty() && !life.short().is_empty());
        }
        assert_eq!(TokenLife::named("PAGE"), None);
        let alone: Vec<TokenLife> =
            TokenLife::ALL.into_iter().filter(|life| life.renewal() == Renewal::Exchange).collect();
        assert_eq!(alone, [TokenLife::SystemUser60Days, TokenLife::PageOfSystemUser60Days]);
    }
}
