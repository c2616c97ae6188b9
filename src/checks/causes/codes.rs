//! Which refusal means which cause: by code and subcode, where it was asked, and what is
//! known of the token. From Meta's pages on error handling and Messenger's error codes
//! (<https://developers.facebook.com/docs/graph-api/guides/error-handling>,
//! <https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes>)
//! and from public reports.

use super::{
    APP_REMOVED, APP_RESTRICTED, APP_SECRET_WRONG, APP_TOKEN_NEEDED, APP_UNKNOWN, BLOCKED, CAPABILITY_MISSING,
    CHECKPOINT, CONTACT_TERMS, Cause, Diagnosis, EXPIRED, GRANT_REPLACED, GRAPH_TROUBLE, HANDSHAKE_FAILED, INACTIVE,
    LOGGED_OUT, MESSAGE_REFUSED, MESSAGES_OFF, NEW_PAGES_EXPERIENCE, NO_TOKEN_ARRIVED, NOT_CONFIRMED, NOT_IN_REGION,
    NOT_LIVE, Next, OBJECT_NOT_SHOWN, OPTED_OUT, OTHER_APP, OTHER_APP_HAS_THREAD, OUTSIDE_WINDOW, PAGE_NOT_SHOWN,
    PAGE_RESTRICTED, PAGE_TOKEN_NEEDED, PASSWORD_CHANGED, PERMISSION_MISSING, RECIPIENT_UNKNOWN, REFUSED, ROLE_LOST,
    SESSION_ENDED, SIGNATURE_REQUIRED, SIGNATURE_WRONG, TAG_NOT_ALLOWED, TEMPORARILY_BLOCKED, THROTTLED, TOKEN_DAMAGED,
    TOKEN_NOT_ACCEPTED, TWO_FACTOR, USERNAME_UNKNOWN, VERSION_UNKNOWN, fill,
};
use crate::graph::{ApiError, Wording};

/// Where a call was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// About the token's own object: `/me`, `/app`.
    Me,
    /// About a Page by its id.
    Page,
    /// On behalf of the app: `/{app}/subscriptions`, `/debug_token`, `/oauth/access_token`.
    App,
    /// At `/{page}/messages`.
    Messages,
}

/// What is known of the token beside the refusal, from `debug_token`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// It cannot be read at all.
    Unreadable,
    /// It is a person's, a system user's or an app's.
    NotAPages,
    /// It is a Page's and lacks a permission, or was not granted for this Page.
    Lacking,
    /// It is a Page's, with every permission for this Page.
    Complete,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sub {
    Any,
    None,
    Some,
    Is(i64),
}

/// A refusal and its cause. What is `None` does not matter.
#[derive(Clone, Copy)]
struct Rule {
    codes: (i64, i64),
    sub: Sub,
    kind: Option<&'static str>,
    wording: Option<Wording>,
    place: Option<Place>,
    known: Option<Known>,
    /// Whether the call was signed.
    signed: Option<bool>,
    /// Whether Meta's header names `access_denied`.
    denied: Option<bool>,
    cause: &'static Cause,
    /// Words and a step that fit this code better than the cause's own.
    words: Option<(&'static str, &'static str, Next)>,
}

const fn rule(code: i64, sub: Sub, cause: &'static Cause) -> Rule {
    range(code, code, sub, cause)
}

const fn range(first: i64, last: i64, sub: Sub, cause: &'static Cause) -> Rule {
    Rule {
        codes: (first, last),
        sub,
        kind: None,
        wording: None,
        place: None,
        known: None,
        signed: None,
        denied: None,
        cause,
        words: None,
    }
}

impl Rule {
    const fn kind(self, kind: &'static str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    const fn reads(self, wording: Wording) -> Self {
        Self { wording: Some(wording), ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    const fn known(self, known: Known) -> Self {
        Self { known: Some(known), ..self }
    }

    const fn signed(self, signed: bool) -> Self {
        Self { signed: Some(signed), ..self }
    }

    const fn denied(self, denied: bool) -> Self {
        Self { denied: Some(denied), ..self }
    }

    const fn words(self, summary: &'static str, fix: &'static str, next: Next) -> Self {
        Self { words: Some((summary, fix, next)), ..self }
    }

    fn matches(&self, error: &ApiError, asked: Asked) -> bool {
        let code = error.code.is_some_and(|code| (self.codes.0..=self.codes.1).contains(&code));
        let sub = match self.sub {
            Sub::Any => true,
            Sub::None => error.subcode.is_none(),
            Sub::Some => error.subcode.is_some(),
            Sub::Is(wanted) => error.subcode == Some(wanted),
        };
        code && sub
            && self.kind.is_none_or(|kind| error.kind == kind)
            && self.wording.is_none_or(|wording| error.wording == Some(wording))
            && self.place.is_none_or(|place| asked.place == place)
            && self.known.is_none_or(|known| asked.known == known)
            && self.signed.is_none_or(|signed| asked.signed == signed)
            && self.denied.is_none_or(|denied| error.access_denied == denied)
    }

    /// Whether nothing but the code and subcode decides: no later rule counts.
    fn is_unconditional(&self) -> bool {
        let place = self.place.is_none() && self.known.is_none() && self.signed.is_none();
        place && self.kind.is_none() && self.wording.is_none() && self.denied.is_none()
    }

    fn diagnosis(&self) -> Diagnosis {
        let own = self.cause.diagnosis();
        match self.words {
            Some((summary, fix, next)) => Diagnosis { summary: summary.into(), fix: fill(fix), next, ..own },
            None => own,
        }
    }
}

const METHOD: &str = "GraphMethodException";
const ROLE_GONE: &str = "the person who made the token has no role on the Page any more";
const GIVE_ROLE: &str =
    "give that person full control of the Page again, or have another person who has it create a new token";

/// What a refusal means of a token that has every permission, and what to do.
const COMPLETE: (&str, &str) = (
    "Meta refuses the call although the token has every permission: the person who made it lacks a task on the Page, or Meta has restricted the app",
    "give that person full control of the Page, and look for alerts in the app's dashboard",
);

/// The first that matches counts.
static RULES: &[Rule] = &[
    // The session behind the token.
    rule(190, Sub::Is(458), &APP_REMOVED),
    rule(190, Sub::Is(459), &CHECKPOINT),
    rule(190, Sub::Is(460), &PASSWORD_CHANGED),
    rule(190, Sub::Is(463), &EXPIRED),
    rule(190, Sub::Is(464), &NOT_CONFIRMED),
    rule(190, Sub::Is(467), &LOGGED_OUT),
    rule(190, Sub::Is(490), &TWO_FACTOR),
    rule(190, Sub::Is(492), &ROLE_LOST).words(ROLE_GONE, GIVE_ROLE, Next::ReplaceToken),
    rule(190, Sub::Is(493), &INACTIVE),
    rule(190, Sub::Is(2_069_032), &PAGE_TOKEN_NEEDED),
    rule(190, Sub::Is(450), &SESSION_ENDED),
    rule(190, Sub::Is(451), &SESSION_ENDED),
    rule(190, Sub::Is(452), &SESSION_ENDED),
    rule(190, Sub::Is(456), &SESSION_ENDED),
    rule(190, Sub::Is(457), &SESSION_ENDED),
    rule(190, Sub::Is(461), &SESSION_ENDED),
    rule(190, Sub::Is(462), &SESSION_ENDED),
    rule(190, Sub::Is(465), &SESSION_ENDED),
    rule(190, Sub::Is(466), &SESSION_ENDED),
    rule(190, Sub::Is(468), &SESSION_ENDED),
    // Without a subcode: what the text says, then what debug_token says.
    rule(190, Sub::None, &GRANT_REPLACED).reads(Wording::Grant),
    rule(190, Sub::None, &ROLE_LOST).reads(Wording::Role),
    rule(190, Sub::None, &PAGE_TOKEN_NEEDED).reads(Wording::PageToken),
    rule(190, Sub::None, &APP_TOKEN_NEEDED).reads(Wording::AppToken),
    rule(190, Sub::None, &APP_SECRET_WRONG).at(Place::App),
    rule(190, Sub::None, &TOKEN_DAMAGED).known(Known::Unreadable),
    rule(190, Sub::None, &TOKEN_DAMAGED).reads(Wording::Unreadable).known(Known::Nothing),
    rule(190, Sub::None, &TOKEN_DAMAGED).reads(Wording::Signature).known(Known::Nothing).words(
        "the token's own signature is wrong: it is altered, or its app was deleted",
        "copy the token again, whole; where the app was deleted, create a token with another app ({tokens})",
        Next::ReplaceToken,
    ),
    rule(190, Sub::None, &TOKEN_NOT_ACCEPTED).reads(Wording::Unreadable),
    rule(190, Sub::None, &TOKEN_NOT_ACCEPTED).reads(Wording::Signature),
    rule(190, Sub::None, &PAGE_TOKEN_NEEDED).known(Known::NotAPages),
    rule(190, Sub::None, &GRANT_REPLACED).known(Known::Lacking),
    rule(190, Sub::None, &ROLE_LOST).known(Known::Complete),
    rule(190, Sub::Any, &TOKEN_NOT_ACCEPTED),
    // Another kind of token.
    rule(102, Sub::Any, &PAGE_TOKEN_NEEDED),
    rule(210, Sub::Any, &PAGE_TOKEN_NEEDED),
    rule(15, Sub::Any, &APP_TOKEN_NEEDED),
    rule(104, Sub::Any, &NO_TOKEN_ARRIVED),
    rule(2500, Sub::Any, &VERSION_UNKNOWN).reads(Wording::UnknownPath),
    rule(2500, Sub::Any, &NO_TOKEN_ARRIVED),
    // The app.
    rule(1, Sub::Any, &APP_SECRET_WRONG).at(Place::App),
    rule(101, Sub::Any, &APP_UNKNOWN),
    rule(3, Sub::Any, &CAPABILITY_MISSING),
    // Messages.
    rule(2_018_300, Sub::Any, &OTHER_APP_HAS_THREAD),
    range(0, i64::MAX, Sub::Is(2_018_300), &OTHER_APP_HAS_THREAD),
    rule(2_018_171, Sub::Any, &OTHER_APP_HAS_THREAD).words(
        "the app is not among the Page's receivers of conversations",
        "add this app in the Page's settings (Advanced messaging > Conversation routing)",
        Next::Nothing,
    ),
    rule(2_018_321, Sub::Any, &OTHER_APP_HAS_THREAD).words(
        "Messenger's own automated answers have the conversation",
        "wait until they are done",
        Next::Nothing,
    ),
    rule(10, Sub::Is(2_018_278), &OUTSIDE_WINDOW),
    rule(10, Sub::Is(2_018_065), &OUTSIDE_WINDOW),
    rule(10, Sub::Is(2_534_022), &OUTSIDE_WINDOW),
    rule(10, Sub::Is(2_018_108), &BLOCKED),
    rule(10, Sub::Is(2_018_336), &NOT_IN_REGION),
    rule(10, Sub::Is(1_893_063), &PAGE_RESTRICTED),
    rule(10, Sub::Is(1_404_170), &PAGE_RESTRICTED),
    rule(10, Sub::Is(1_893_015), &OPTED_OUT),
    rule(100, Sub::Is(2_018_001), &RECIPIENT_UNKNOWN),
    rule(100, Sub::Is(1_893_061), &TAG_NOT_ALLOWED),
    rule(200, Sub::Is(2_018_028), &NOT_LIVE),
    rule(200, Sub::None, &NOT_LIVE).at(Place::Messages).denied(false),
    rule(200, Sub::Is(1_545_041), &BLOCKED),
    rule(551, Sub::Any, &BLOCKED),
    rule(2, Sub::Is(2_018_344), &CONTACT_TERMS),
    rule(10_904, Sub::Any, &MESSAGES_OFF),
    rule(2022, Sub::Any, &MESSAGES_OFF).words(
        "messages of commerce are switched off for this Page",
        "open the Page's Support Inbox: it says why, and how to object",
        Next::Nothing,
    ),
    // A signature, where that is proved; else something that the token may not see.
    rule(100, Sub::Any, &SIGNATURE_WRONG).reads(Wording::Proof).signed(true),
    rule(100, Sub::Any, &SIGNATURE_REQUIRED).reads(Wording::Proof),
    rule(100, Sub::Any, &OBJECT_NOT_SHOWN).kind(METHOD).at(Place::Me),
    rule(100, Sub::Any, &APP_UNKNOWN).kind(METHOD).at(Place::App),
    rule(100, Sub::Any, &PAGE_NOT_SHOWN).kind(METHOD),
    rule(100, Sub::Is(33), &OBJECT_NOT_SHOWN).at(Place::Me),
    rule(100, Sub::Is(33), &APP_UNKNOWN).at(Place::App),
    rule(100, Sub::Is(33), &PAGE_NOT_SHOWN),
    rule(100, Sub::Any, &MESSAGE_REFUSED).at(Place::Messages),
    rule(100, Sub::None, &OTHER_APP).at(Place::App),
    rule(100, Sub::None, &PERMISSION_MISSING).known(Known::Complete).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(100, Sub::None, &PERMISSION_MISSING).words(
        "the token may not read the Page's public fields: pages_read_engagement is missing",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement",
        Next::ReplaceToken,
    ),
    rule(803, Sub::Any, &USERNAME_UNKNOWN),
    // Permissions.
    rule(200, Sub::Is(2_069_030), &NEW_PAGES_EXPERIENCE),
    range(200, 299, Sub::Any, &APP_RESTRICTED).denied(true),
    rule(10, Sub::Any, &APP_RESTRICTED).denied(true),
    range(200, 299, Sub::Some, &MESSAGE_REFUSED).at(Place::Messages),
    rule(10, Sub::Some, &MESSAGE_REFUSED).at(Place::Messages),
    // The token has them all: another token would be refused too.
    rule(230, Sub::Any, &PERMISSION_MISSING).known(Known::Complete).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(283, Sub::Any, &PERMISSION_MISSING).known(Known::Complete).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(10, Sub::None, &PERMISSION_MISSING).known(Known::Complete).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(230, Sub::Any, &PERMISSION_MISSING).words(
        "the token lacks the permission pages_messaging",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement",
        Next::ReplaceToken,
    ),
    rule(283, Sub::Any, &PERMISSION_MISSING).words(
        "the token lacks the permission pages_read_engagement",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement",
        Next::ReplaceToken,
    ),
    range(200, 299, Sub::None, &PERMISSION_MISSING).known(Known::Complete).words(
        COMPLETE.0,
        COMPLETE.1,
        Next::TestAgain,
    ),
    range(200, 299, Sub::None, &PERMISSION_MISSING).words(
        "the token lacks a permission, or the person who made it a task on the Page",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement",
        Next::ReplaceToken,
    ),
    rule(10, Sub::None, &PERMISSION_MISSING).words(
        "the app has no permission for this call",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement; for people without a role on the app they need App Review too",
        Next::ReplaceToken,
    ),
    // What else Meta says.
    rule(368, Sub::Any, &TEMPORARILY_BLOCKED),
    rule(413, Sub::Any, &TWO_FACTOR),
    rule(415, Sub::Any, &TWO_FACTOR),
    rule(2200, Sub::Any, &HANDSHAKE_FAILED),
    rule(2201, Sub::Any, &HANDSHAKE_FAILED),
    // These are tried again, and told when it was in vain.
    rule(1, Sub::Any, &GRAPH_TROUBLE),
    rule(2, Sub::Any, &GRAPH_TROUBLE),
    rule(1200, Sub::Any, &GRAPH_TROUBLE),
    rule(4, Sub::Any, &THROTTLED),
    rule(17, Sub::Any, &THROTTLED),
    rule(32, Sub::Any, &THROTTLED),
    rule(341, Sub::Any, &THROTTLED),
    rule(613, Sub::Any, &THROTTLED),
    range(80_000, 80_014, Sub::Any, &THROTTLED),
    // Of the rest no more is known than what Meta says.
    range(i64::MIN, i64::MAX, Sub::Any, &MESSAGE_REFUSED).at(Place::Messages),
];

/// A call that was refused, as far as that tells what the refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    place: Place,
    signed: bool,
    known: Known,
}

impl Place {
    /// In words: `when a message is sent`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Me => "when the token is asked about itself",
            Self::Page => "when a Page is asked about",
            Self::App => "when the app itself asks",
            Self::Messages => "when a message is sent",
        }
    }

    /// A call of which nothing more is known.
    pub fn plain(self) -> Asked {
        self.signed(false)
    }

    /// A call that was signed, or was not.
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
    let mut unknown = REFUSED.diagnosis();
    unknown.summary = match (error.code, error.subcode) {
        (Some(code), Some(subcode)) => format!("Meta refused the call (code {code}, subcode {subcode})"),
        (Some(code), None) => format!("Meta refused the call (code {code})"),
        (None, _) => unknown.summary,
    };
    unknown
}

/// A code of Meta's, or a code with a subcode, and what it can mean.
#[derive(Debug)]
pub struct Code {
    /// `190`, `190/463`.
    pub id: String,
    /// What it means, with the place where it means that; `None`: wherever it is met.
    pub meanings: Vec<(Diagnosis, Option<Place>)>,
}

/// What is known of a code, and of a subcode where one is named; `None`: nothing.
pub fn code(code: i64, subcode: Option<i64>) -> Option<Code> {
    let mut meanings: Vec<(Diagnosis, Option<Place>)> = Vec::new();
    for rule in RULES.iter().filter(|rule| (rule.codes.0..=rule.codes.1).contains(&code)) {
        let is_named = rule.codes.0 == rule.codes.1 || rule.codes.0 >= 200;
        let fits = match (subcode, rule.sub) {
            (None, Sub::Any | Sub::None) => is_named,
            (Some(wanted), Sub::Is(known)) => wanted == known,
            // Codes whose subcodes make no difference.
            (Some(_), Sub::Any) => is_named && !has_subcodes(code),
            _ => false,
        };
        let found = (rule.diagnosis(), rule.place);
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

/// Whether the subcode of a code decides.
fn has_subcodes(code: i64) -> bool {
    RULES.iter().any(|rule| rule.codes == (code, code) && !matches!(rule.sub, Sub::Any))
}

/// The subcodes of a code that have a meaning of their own, each with its code: `190/463`.
pub fn subcodes_of(code: i64) -> Vec<String> {
    codes().into_iter().map(|known| known.id).filter(|id| id.starts_with(&format!("{code}/"))).collect()
}

/// The codes with this subcode.
pub fn codes_of_subcode(subcode: i64) -> Vec<Code> {
    codes().into_iter().filter(|known| known.id.ends_with(&format!("/{subcode}"))).collect()
}

/// Every code and subcode that is known.
pub fn codes() -> Vec<Code> {
    let named = RULES.iter().filter(|rule| rule.codes.0 > 0 && rule.codes.1 < i64::MAX);
    let mut all: Vec<(i64, Option<i64>)> = Vec::new();
    for rule in named {
        let sub = if let Sub::Is(sub) = rule.sub { Some(sub) } else { None };
        // A range stands for its first code: what else is in it reads the same.
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
        // It was read elsewhere, so it is not damaged.
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
