//! The fields of an account, each checked when it is created.
//!
//! Each field is a small type that can hold only an acceptable value, whether from a flag, a
//! prompt or a file. A value that only looks odd is a warning, which callers ask for separately.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::addresses::same;
use crate::secrets::holds_credential;
use crate::text::{code_point, first_unfit, harmless};

/// Why a value was refused, for the user who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldError(String);

pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T, FieldError> {
    Err(FieldError(reason.into()))
}

/// A value as an error may quote it. Anything that looks like a misplaced secret is not quoted.
pub(super) fn shown(text: &str) -> String {
    if holds_credential(text) || text.len() > 200 {
        return "what was given (not shown: it looks like a secret)".into();
    }
    format!("'{text}'")
}

/// Refuses characters that are invisible or change how others look, since saved values are shown
/// in many places.
pub(super) fn refuse_unfit(what: &str, text: &str) -> Result<(), FieldError> {
    match first_unfit(text) {
        None => Ok(()),
        Some(c) if c.is_control() => {
            refuse(format!("{what} must be one line without control characters, but contains {}", code_point(c)))
        }
        Some(c) => refuse(format!(
            "{what} contains {}, an invisible character that may change how the rest is shown",
            code_point(c)
        )),
    }
}

/// Implements a field's text form for files, JSON and the screen.
macro_rules! text_field {
    ($field:ident) => {
        text_field!($field, not shown);

        crate::text::words!($field, as_str);
    };
    // For a field with its own `Display`.
    ($field:ident, not shown) => {
        impl $field {
            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $field {
            type Error = FieldError;
            /// From a file: cleaned, since an older msgrctl saved what is refused now.
            fn try_from(text: String) -> Result<Self, FieldError> {
                harmless(&text).parse()
            }
        }

        impl From<$field> for String {
            fn from(field: $field) -> Self {
                field.0
            }
        }
    };
}

pub(super) use text_field;

/// An account's name: one line of up to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);
text_field!(Name);

impl Name {
    /// Whether another name counts as equal.
    pub fn same_as(&self, other: &str) -> bool {
        same(&self.0, other.trim())
    }
}

impl std::str::FromStr for Name {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return refuse("an account needs a name");
        }
        refuse_unfit("a name", text)?;
        if holds_credential(text) {
            return refuse("what was given as the name looks like a secret; names are stored and shown in plain text");
        }
        if text.chars().count() > 100 {
            return refuse("a name has 100 characters at most");
        }
        Ok(Self(text.into()))
    }
}

/// Every handle is a valid name.
impl From<Handle> for Name {
    fn from(handle: Handle) -> Self {
        Self(handle.0)
    }
}

/// An account's handle: lower-case letters, digits, `.`, `_`, `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);
text_field!(Handle);

impl Handle {
    const LENGTH: usize = 64;

    /// The slug of a name: `Müller & Söhne (EU)` gives `muller-sohne-eu`. A name without an
    /// ASCII letter or digit, once accents are removed, gives `account`.
    pub fn slug(name: &Name) -> Self {
        let mut slug = String::new();
        // Separates letters from their accents.
        for c in name.as_str().to_lowercase().nfd() {
            match c {
                'a'..='z' | '0'..='9' | '.' | '_' => slug.push(c),
                '\u{300}'..='\u{36f}' => {}
                'ß' => slug.push_str("ss"),
                'æ' => slug.push_str("ae"),
                'œ' => slug.push_str("oe"),
                'ø' => slug.push('o'),
                'ł' => slug.push('l'),
                _ if slug.is_empty() || slug.ends_with('-') => {}
                _ => slug.push('-'),
            }
        }
        slug.truncate(Self::LENGTH);
        let slug = slug.trim_matches(['-', '.', '_']);
        Self(if slug.is_empty() { "account".into() } else { slug.into() })
    }

    /// The handle with a number, for when it is taken.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let end = format!("-{number}");
        let keep = self.0.len().min(Self::LENGTH - end.len());
        Self(format!("{}{end}", self.0[..keep].trim_end_matches('-')))
    }
}

impl std::str::FromStr for Handle {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if holds_credential(text) || !starts_well || !text.bytes().all(plain) || text.len() > Self::LENGTH {
            return refuse(format!(
                "{} is not a handle: lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit, {} at most",
                shown(text),
                Self::LENGTH
            ));
        }
        Ok(Self(text.into()))
    }
}

/// A tenant's name, which is also its directory's name; same characters as a handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantName(String);
text_field!(TenantName);

impl std::str::FromStr for TenantName {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        match text.parse::<Handle>() {
            Ok(_) if cfg!(windows) && is_reserved(text) => refuse(format!(
                "'{text}' is not a tenant's name here: Windows makes no directory of that name; use another, such as {text}-1"
            )),
            Ok(handle) => Ok(Self(handle.0)),
            Err(_) => refuse(format!(
                "{} is not a tenant's name: lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit",
                shown(text)
            )),
        }
    }
}

/// Whether Windows keeps a file name to itself: those of devices, with any ending, and what ends
/// with a dot.
fn is_reserved(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    let is_port = |kind| first.strip_prefix(kind).is_some_and(|port: &str| port.len() == 1 && port < "a");
    name.ends_with('.') || matches!(first, "con" | "prn" | "aux" | "nul") || is_port("com") || is_port("lpt")
}

/// A Page's id: 5 to 20 digits, kept as text (no maximum is documented; 10 to 17 digits have
/// been seen).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageId(String);
text_field!(PageId);

impl std::str::FromStr for PageId {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.to_ascii_lowercase().contains("profile.php") {
            return refuse(format!(
                "{} is not a page id: the number in such an address is a profile id. The page id is in the Page's About section, under Page transparency",
                shown(text)
            ));
        }
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return refuse(format!(
                "{} is not a page id: it has digits only. A name belongs in the page username; the id is in the Page's About section, under Page transparency",
                shown(text)
            ));
        }
        if !(5..=20).contains(&text.len()) {
            return refuse(format!("{} is not a page id: it has 5 to 20 digits", shown(text)));
        }
        Ok(Self(text.into()))
    }
}

/// The id of a Meta app: digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId(String);
text_field!(AppId);

impl std::str::FromStr for AppId {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if !(5..=20).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return refuse(format!(
                "{} is not an app id: it has 5 to 20 digits and stands at the top of the app's dashboard",
                shown(text)
            ));
        }
        Ok(Self(text.into()))
    }
}

/// A Page's @username without `@` and without the address before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageUsername(String);
text_field!(PageUsername);

impl PageUsername {
    /// Why it may not be right, if anything looks odd.
    pub fn doubt(&self) -> Option<String> {
        let length = self.0.chars().filter(|c| *c != '.').count();
        if length < 5 {
            return Some(format!("the page username '{}' has fewer than 5 characters; Meta asks for 5", self.0));
        }
        if length > 50 {
            return Some(format!("the page username '{}' has more than 50 characters", self.0));
        }
        let odd = |c: char| !c.is_ascii_alphanumeric() && c != '.';
        self.0
            .contains(odd)
            .then(|| format!("the page username '{}' has characters other than letters, digits and periods", self.0))
    }
}

impl std::str::FromStr for PageUsername {
    type Err = FieldError;
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let typed = text.trim();
        let bare = strip_address(typed);
        let bare = bare.strip_prefix('@').unwrap_or(bare);
        // Addresses of profiles, groups and the like have no username.
        let first = bare.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
        if NEVER_USERNAMES.contains(&first.as_str())
            && (first != bare.to_ascii_lowercase() || bare.len() < typed.len() || first.contains('.'))
        {
            return refuse(format!(
                "{} holds no page username: such an address belongs to a Page without one, and the number in it is a profile id, not the page id. Have an administrator of the Page create a username (facebook.com/username)",
                shown(typed)
            ));
        }
        if bare.is_empty() {
            return refuse(format!("{} holds no page username", shown(typed)));
        }
        if holds_credential(bare) {
            return refuse("what was given as the page username looks like a secret; it is not repeated here");
        }
        refuse_unfit("a page username", bare)?;
        if bare.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | ':')) {
            return refuse(format!(
                "{} is not a page username: give it bare (acme.support), with @, or as its facebook.com or m.me address",
                shown(typed)
            ));
        }
        Ok(Self(bare.into()))
    }
}

/// Path segments of Facebook's own addresses that are never usernames.
const NEVER_USERNAMES: [&str; 6] = ["profile.php", "pages", "people", "p", "share", "groups"];

/// `https://www.facebook.com/acme.support/?ref=x` gives `acme.support`.
fn strip_address(text: &str) -> &str {
    const HOSTS: [&str; 4] = ["facebook.com", "fb.com", "m.me", "messenger.com"];
    let lower = text.to_ascii_lowercase();
    let scheme = if lower.starts_with("https://") {
        8
    } else if lower.starts_with("http://") {
        7
    } else {
        0
    };
    let (host, path) = text[scheme..].split_once('/').unwrap_or((&text[scheme..], ""));
    let known = host.to_ascii_lowercase();
    let known = HOSTS.iter().any(|name| known == *name || known.ends_with(&format!(".{name}")));
    if !known || (scheme == 0 && path.is_empty()) {
        return text;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let path = path[..end].trim_end_matches('/');
    // messenger.com/t/NAME addresses the same Page.
    path.strip_prefix("t/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::CallbackUrl;

    #[test]
    fn names_that_windows_keeps_to_itself_are_known() {
        for name in ["con", "nul.old", "com1", "lpt9.a", "acme."] {
            assert!(is_reserved(name), "{name}");
            assert_eq!(name.parse::<TenantName>().is_err(), cfg!(windows), "{name}");
        }
        for name in ["acme", "com", "com10", "comx", "console", "acme.con"] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn what_is_not_seen_is_refused_by_its_number_and_cleaned_in_files() {
        let why = |error: FieldError| error.to_string();
        for (text, number) in [
            ("Acme\u{202e}troppuS", "U+202E"),
            ("Acme\u{2066}x", "U+2066"),
            ("Ac\u{200b}me", "U+200B"),
            ("Ac\u{1b}[2Jme", "U+001B"),
            ("Acme\u{9b}31m", "U+009B"),
            ("Acme\u{2028}x", "U+2028"),
            ("Acme\u{e0041}", "U+E0041"),
            ("Acme\nx", "U+000A"),
        ] {
            assert!(text.parse::<Name>().map_err(why).expect_err("refused").contains(number), "{text:?}");
            let username = text.replace(' ', "").parse::<PageUsername>().map_err(why).expect_err("refused");
            assert!(username.contains(number), "{username}");
            let url = format!("https://example.com/{text}").parse::<CallbackUrl>().map_err(why).expect_err("refused");
            assert!(url.contains(number), "{url}");
            assert!(text.parse::<Handle>().is_err() && text.parse::<TenantName>().is_err());
            let name = Name::try_from(text.to_owned()).expect("an older file can be read");
            assert_eq!(first_unfit(name.as_str()), None);
        }
    }

    #[test]
    fn usernames_are_taken_in_every_form_and_kept_bare() {
        for typed in [
            "acme.support",
            "@acme.support",
            " acme.support ",
            "https://www.facebook.com/acme.support/",
            "https://facebook.com/acme.support?ref=page",
            "http://fb.com/acme.support#top",
            "m.me/acme.support",
            "https://m.me/acme.support",
            "https://www.messenger.com/t/acme.support",
            "HTTPS://WWW.FACEBOOK.COM/acme.support",
            "facebook.com/@acme.support",
        ] {
            let username: PageUsername = typed.parse().unwrap_or_else(|error| panic!("{typed}: {error}"));
            assert_eq!(username.as_str(), "acme.support", "{typed}");
        }
        for typed in ["", "@", "acme support", "https://example.com/acme", "https://facebook.com/", "a/b"] {
            assert!(typed.parse::<PageUsername>().is_err(), "{typed}");
        }
    }

    #[test]
    fn addresses_of_pages_without_a_username_hold_none() {
        for typed in [
            "https://www.facebook.com/profile.php?id=61550727536008",
            "facebook.com/profile.php?id=61550727536008&sk=about",
            "profile.php?id=61550727536008",
            "https://www.facebook.com/people/Acme-Support/61550727536008/",
            "https://www.facebook.com/pages/Acme/109876543210987",
            "https://www.facebook.com/p/Acme-61550727536008/",
            "https://www.facebook.com/share/1AbCdEf/",
            "https://www.facebook.com/groups/123456/",
            "https://facebook.com/people",
        ] {
            let error = typed.parse::<PageUsername>().expect_err(typed).to_string();
            assert!(error.contains("holds no page username"), "{typed}: {error}");
        }
        let error = "https://www.facebook.com/profile.php?id=61550727536008".parse::<PageId>().expect_err("a profile");
        assert!(error.to_string().contains("profile id"), "{error}");
    }

    #[test]
    fn short_usernames_are_doubtful_not_refused() {
        let doubt = |text: &str| text.parse::<PageUsername>().expect("a username").doubt();
        assert!(doubt("acme").is_some());
        assert!(doubt("a.c.m.e").is_some());
        assert!(doubt("acmes").is_none());
        assert!(doubt("acme_support").is_some());
    }

    #[test]
    fn page_ids_are_five_to_twenty_digits() {
        for good in ["12345", "109876543210987", "12345678901234567890", " 109876543210987 "] {
            assert!(good.parse::<PageId>().is_ok(), "{good}");
        }
        for bad in ["", "1234", "123456789012345678901", "10987654321098x", "acme", "-12345", "１２３４５"] {
            assert!(bad.parse::<PageId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn handles_are_slugs_of_names() {
        let slug = |name: &str| Handle::slug(&name.parse().expect("a name"));
        assert_eq!(slug("Acme Support").as_str(), "acme-support");
        assert_eq!(slug("  Acme -- Support (EU)!").as_str(), "acme-support-eu");
        assert_eq!(slug("Über Café 24").as_str(), "uber-cafe-24");
        assert_eq!(slug("Müller & Söhne Straße").as_str(), "muller-sohne-strasse");
        assert_eq!(slug("日本").as_str(), "account");
        assert_eq!(slug("Acme").numbered(2).as_str(), "acme-2");
        let long = slug(&"a".repeat(100));
        assert_eq!(long.numbered(12).as_str().len(), 64);
        for handle in [slug("Acme Support"), slug("日本"), long] {
            assert_eq!(handle.as_str().parse::<Handle>().as_ref(), Ok(&handle));
        }
    }

    #[test]
    fn handles_and_tenants_cannot_leave_their_directory() {
        for bad in ["", "..", ".", "a/b", "Acme", "-a", "a b", "a\\b"] {
            assert!(bad.parse::<Handle>().is_err(), "{bad}");
            assert!(bad.parse::<TenantName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_one_line_of_text() {
        assert!("  Acme 日本 🙂 ".parse::<Name>().is_ok());
        let same = |name: &str, other: &str| name.parse::<Name>().expect("a name").same_as(other);
        assert!(same("Acme", "aCME ") && same("Ärger", " äRGER") && !same("Acme", "Acmé"));
        // The kelvin sign is a capital k.
        assert!(same("Kiel", "\u{212a}iel") && same("\u{212a}iel", "kiel"));
        for bad in ["", "   ", "a\nb"] {
            assert!(bad.parse::<Name>().is_err());
        }
    }
}
