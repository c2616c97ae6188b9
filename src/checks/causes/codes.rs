//! The meaning of a refusal, by the rule of [`super::rules`] that fits it, and what is known of
//! a code in general.

use super::rules::{RULES, Sub};
use super::{Diagnosis, REFUSED};
use crate::graph::ApiError;

/// Which kind of call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the token's own object: `/me`, `/app`.
    Me,
    /// On a Page, by its id.
    Page,
    /// As the app: `/{app}/subscriptions`, `/debug_token`, `/oauth/access_token`.
    App,
    /// On `/{page}/messages`.
    Messages,
    /// The exchange of a login's code for a token.
    Login,
    /// The exchange of a token for one that lasts longer.
    Exchange,
    /// On a business and its lists.
    Business,
    /// Creating a system user.
    NewSystemUser,
    /// Installing an app for a system user.
    AppInstall,
    /// Assigning a Page to a system user.
    PageAssignment,
    /// Making a system user's token.
    SystemUserToken,
}

/// What `debug_token` says of the token, besides the refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// The token cannot be read.
    Unreadable,
    /// It belongs to a person, a system user or an app.
    NotAPages,
    /// It is a Page's, and lacks a permission or was not granted for this Page.
    Lacking,
    /// It is a Page's, with every permission for this Page.
    Complete,
}

/// What is known of a refused call, as far as it decides the refusal's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub(super) place: Place,
    pub(super) signed: bool,
    pub(super) known: Known,
}

impl Place {
    /// In words: `when a message is sent`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Me => "when the token is asked about itself",
            Self::Page => "when a Page is asked about",
            Self::App => "when the app itself asks",
            Self::Messages => "when a message is sent",
            Self::Login => "when a login's code is changed for a token",
            Self::Exchange => "when a token is exchanged for a longer one",
            Self::Business => "when a business is asked about",
            Self::NewSystemUser => "when a system user is created",
            Self::AppInstall => "when an app is installed for a system user",
            Self::PageAssignment => "when a Page is assigned to a system user",
            Self::SystemUserToken => "when a system user's token is made",
        }
    }

    /// A call without further details.
    pub fn plain(self) -> Asked {
        self.signed(false)
    }

    /// A call that was or was not signed.
    pub fn signed(self, signed: bool) -> Asked {
        Asked { place: self, signed, known: Known::Nothing }
    }
}

impl Asked {
    /// The same with what is known of the token.
    #[must_use]
    pub fn known(self, known: Known) -> Self {
        Self { known, ..self }
    }
}

/// The cause behind a refusal.
pub fn of(error: &ApiError, asked: Asked) -> Diagnosis {
    if let Some(rule) = RULES.iter().find(|rule| rule.matches(error, asked)) {
        return rule.diagnosis();
    }
    let unknown = REFUSED.diagnosis();
    Diagnosis { summary: unknown.summary + &error.codes(), ..unknown }
}

/// One of Meta's codes, with or without a subcode, and its possible meanings.
#[derive(Debug)]
pub struct Code {
    /// `190`, `190/463`.
    pub id: String,
    /// Each meaning, and the place where it applies; `None`: everywhere.
    pub meanings: Vec<(Diagnosis, Option<Place>)>,
}

/// What is known of a code and, if given, a subcode; `None` if nothing is.
pub fn code(code: i64, subcode: Option<i64>) -> Option<Code> {
    let mut meanings: Vec<(Diagnosis, Option<Place>)> = Vec::new();
    for rule in RULES.iter().filter(|rule| (rule.codes.0..=rule.codes.1).contains(&code)) {
        let is_named = rule.codes.0 == rule.codes.1 || rule.codes.0 >= 200;
        let fits = match (subcode, rule.sub) {
            (None, Sub::Any | Sub::None) => is_named,
            (Some(wanted), Sub::Is(known)) => wanted == known,
            // Codes whose subcodes do not matter.
            (Some(_), Sub::Any) => is_named && !has_subcodes(code),
            _ => false,
        };
        let found = (rule.diagnosis(), rule.place());
        if fits && !meanings.iter().any(|(known, _)| *known == found.0) {
            meanings.push(found);
        }
        if fits && rule.is_unconditional() {
            break;
        }
    }
    let id = subcode.map_or_else(|| code.to_string(), |subcode| format!("{code}/{subcode}"));
    (!meanings.is_empty()).then_some(Code { id, meanings })
}

/// Whether a code's subcode decides the meaning.
fn has_subcodes(code: i64) -> bool {
    RULES.iter().any(|rule| rule.codes == (code, code) && !matches!(rule.sub, Sub::Any))
}

/// The subcodes of a code with a meaning of their own, as `190/463`.
pub fn subcodes_of(code: i64) -> Vec<String> {
    codes().into_iter().map(|known| known.id).filter(|id| id.starts_with(&format!("{code}/"))).collect()
}

/// The codes with this subcode.
pub fn codes_of_subcode(subcode: i64) -> Vec<Code> {
    codes().into_iter().filter(|known| known.id.ends_with(&format!("/{subcode}"))).collect()
}

/// Every known code and subcode.
pub fn codes() -> Vec<Code> {
    let named = RULES.iter().filter(|rule| rule.codes.0 > 0 && rule.codes.1 < i64::MAX);
    let mut all: Vec<(i64, Option<i64>)> = Vec::new();
    for rule in named {
        let sub = if let Sub::Is(sub) = rule.sub { Some(sub) } else { None };
        // A range is represented by its first code: the others mean the same.
        if !all.contains(&(rule.codes.0, sub)) {
            all.push((rule.codes.0, sub));
        }
    }
    all.sort_unstable();
    all.into_iter().filter_map(|(number, sub)| code(number, sub)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Wording;

    fn api(code: i64, subcode: Option<i64>, kind: &str) -> ApiError {
        ApiError { kind: kind.into(), code: Some(code), subcode, says: "In any language".into(), ..ApiError::default() }
    }

    fn oauth(code: i64, subcode: Option<i64>) -> ApiError {
        api(code, subcode, "OAuthException")
    }

    fn cause(error: &ApiError, asked: Asked) -> &'static str {
        of(error, asked).cause
    }

    #[test]
    fn the_session_is_told_by_its_subcode_wherever_it_was_asked() {
        let subcodes = [
            (458, "app-removed"),
            (459, "checkpoint"),
            (460, "password-changed"),
            (463, "expired"),
            (464, "not-confirmed"),
            (467, "logged-out"),
            (490, "two-factor"),
            (492, "role-lost"),
            (493, "inactive"),
            (2_069_032, "page-token-needed"),
            (452, "session-ended"),
            (999, "token-not-accepted"),
        ];
        for place in [Place::Me, Place::Page, Place::App, Place::Messages] {
            for (subcode, expected) in subcodes {
                assert_eq!(cause(&oauth(190, Some(subcode)), place.plain()), expected, "{place:?} {subcode}");
            }
        }
    }

    #[test]
    fn a_refusal_without_a_subcode_is_told_by_text_and_by_what_the_token_is() {
        use Known::{Complete, Lacking, NotAPages, Nothing, Unreadable};
        let with = |wording, known| {
            let error = ApiError { wording, ..oauth(190, None) };
            cause(&error, Place::Me.plain().known(known))
        };
        for known in [Nothing, Lacking, Complete] {
            assert_eq!(with(Some(Wording::Grant), known), "grant-replaced");
            assert_eq!(with(Some(Wording::Role), known), "role-lost");
        }
        assert_eq!(with(Some(Wording::Unreadable), Nothing), "token-damaged");
        assert_eq!(with(None, Unreadable), "token-damaged");
        assert_eq!(with(None, Lacking), "grant-replaced");
        assert_eq!(with(None, Complete), "role-lost");
        assert_eq!(with(None, NotAPages), "page-token-needed");
        assert_eq!(with(None, Nothing), "token-not-accepted");
        // It was read in another call, so it is not damaged.
        assert_eq!(with(Some(Wording::Unreadable), Complete), "token-not-accepted");
        assert_eq!(cause(&oauth(190, None), Place::App.plain()), "app-secret-wrong");
    }

    #[test]
    fn a_signature_is_blamed_only_where_the_text_says_so() {
        let method = api(100, None, "GraphMethodException");
        let proof = ApiError { wording: Some(Wording::Proof), ..method.clone() };
        assert_eq!(cause(&proof, Place::Me.signed(true)), "signature-wrong");
        assert_eq!(cause(&proof, Place::Me.signed(false)), "signature-required");
        assert_eq!(cause(&method, Place::Me.signed(true)), "object-not-shown");
        assert_eq!(cause(&oauth(100, Some(33)), Place::Me.plain()), "object-not-shown");
        assert_eq!(cause(&oauth(100, Some(33)), Place::Page.plain()), "page-not-shown");
    }

    #[test]
    fn a_message_is_blamed_for_itself_and_a_token_for_itself() {
        let at = |code, subcode| of(&oauth(code, subcode), Place::Messages.plain());
        let of_message = [
            (10, Some(2_018_278), "outside-window"),
            (10, Some(2_018_336), "not-in-region"),
            (10, Some(7), "message-refused"),
            (100, Some(2_018_001), "recipient-unknown"),
            (100, Some(1_893_061), "tag-not-allowed"),
            (100, Some(2_018_999), "message-refused"),
            (100, None, "message-refused"),
            (200, None, "not-live"),
            (200, Some(2_018_028), "not-live"),
            (200, Some(7), "message-refused"),
            (200, Some(2_018_300), "other-app-has-thread"),
            (551, Some(1_545_041), "blocked"),
            (551, None, "blocked"),
            (2_018_300, None, "other-app-has-thread"),
            (10_904, None, "messages-off"),
            (36_103, None, "message-refused"),
        ];
        for (code, subcode, expected) in of_message {
            let found = at(code, subcode);
            assert_eq!((found.cause, found.matter), (expected, super::super::Matter::Message), "{code} {subcode:?}");
        }
        for (code, subcode) in [(190, Some(460)), (190, None), (10, None), (230, None), (100, Some(33)), (104, None)] {
            assert_eq!(at(code, subcode).matter, super::super::Matter::Credentials, "{code} {subcode:?}");
        }
    }

    #[test]
    fn a_blocked_app_is_told_by_the_header() {
        let denied = ApiError { access_denied: true, ..oauth(200, None) };
        for place in [Place::Me, Place::Page, Place::App, Place::Messages] {
            assert_eq!(cause(&denied, place.plain()), "app-restricted", "{place:?}");
        }
        assert_eq!(cause(&oauth(200, None), Place::Me.plain()), "permission-missing");
        assert_eq!(cause(&oauth(200, None), Place::Page.plain()), "permission-missing");
        assert_eq!(cause(&oauth(200, Some(2_069_030)), Place::Page.plain()), "new-pages-experience");
        assert_eq!(cause(&oauth(200, Some(1)), Place::Page.plain()), "call-refused");
    }

    #[test]
    fn a_login_is_told_by_its_subcode_or_by_its_text() {
        let at = |code, subcode| of(&oauth(code, subcode), Place::Login.plain());
        for (code, subcode, expected) in [
            (100, Some(36_009), "code-used"),
            (100, Some(36_007), "code-expired"),
            (100, Some(36_008), "redirect-differs"),
            (100, None, "login-refused"),
            (191, None, "redirect-differs"),
            (1, None, "app-secret-wrong"),
            (101, None, "app-unknown"),
        ] {
            assert_eq!(at(code, subcode).cause, expected, "{code} {subcode:?}");
        }
        let reads = |wording| cause(&ApiError { wording: Some(wording), ..oauth(100, None) }, Place::Login.plain());
        assert_eq!(reads(Wording::CodeUsed), "code-used");
        assert_eq!(reads(Wording::CodeExpired), "code-expired");
        assert_eq!(reads(Wording::Redirect), "redirect-differs");
        assert_eq!(cause(&oauth(100, Some(36_009)), Place::App.plain()), "call-refused");
        let exchange = |code| cause(&oauth(code, None), Place::Exchange.plain());
        assert_eq!((exchange(1), exchange(100), exchange(101)), ("app-secret-wrong", "call-refused", "app-unknown"));
    }

    #[test]
    fn an_unknown_code_blames_nobody() {
        let found = of(&oauth(36_103, Some(7)), Place::Page.plain());
        assert_eq!(
            (found.cause, found.summary.as_str()),
            ("call-refused", "Meta refused the call (code 36103, subcode 7)")
        );
        assert!(!found.fix.contains("token"));
    }

    #[test]
    fn every_known_code_has_its_meaning() {
        let all = codes();
        assert!(all.len() > 60, "{}", all.len());
        assert!(all.iter().all(|code| !code.meanings.is_empty()));
        let of = |id: &str| all.iter().find(|code| code.id == id).map(|code| code.meanings.len());
        assert!(of("190").is_some_and(|count| count > 5) && of("190/463") == Some(1) && of("200/2018028") == Some(1));
        assert_eq!((of("210"), of("104")), (Some(1), Some(1)), "what a later rule would say does not count");
        assert!(code(190, Some(999)).is_none() && code(36_103, None).is_none());
        assert!(code(275, None).is_some() && code(80_006, None).is_some());
    }
}
