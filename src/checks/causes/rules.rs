//! The rules from refusals to causes: by code and subcode, the call, and what is known of the
//! token. From Meta's pages on error handling and Messenger's error codes
//! (<https://developers.facebook.com/docs/graph-api/guides/error-handling>,
//! <https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes>)
//! and from public reports.

use self::When::{At, Denied, Kind, Reads, Signed, Token};
use super::codes::{Asked, Known, Place};
use super::{
    APP_NOT_CLAIMED, APP_NOT_INSTALLED, APP_REMOVED, APP_RESTRICTED, APP_SECRET_WRONG, APP_TOKEN_NEEDED, APP_UNKNOWN,
    BLOCKED, BUSINESS_NOT_SHOWN, BUSINESS_ROLE_MISSING, CAPABILITY_MISSING, CHECKPOINT, CODE_EXPIRED, CODE_USED,
    CONTACT_TERMS, Cause, Diagnosis, EXPIRED, GRANT_REPLACED, GRAPH_TROUBLE, HANDSHAKE_FAILED, INACTIVE, LOGGED_OUT,
    LOGIN_REFUSED, MESSAGE_REFUSED, MESSAGES_OFF, NEW_PAGES_EXPERIENCE, NO_TOKEN_ARRIVED, NOT_CONFIRMED, NOT_IN_REGION,
    NOT_LIVE, Next, OBJECT_NOT_SHOWN, OPTED_OUT, OTHER_APP, OTHER_APP_HAS_THREAD, OUTSIDE_WINDOW, PAGE_NOT_SHOWN,
    PAGE_RESTRICTED, PAGE_TOKEN_NEEDED, PASSWORD_CHANGED, PERMISSION_MISSING, RECIPIENT_UNKNOWN, REDIRECT_DIFFERS,
    REFUSED, ROLE_LOST, SESSION_ENDED, SIGNATURE_REQUIRED, SIGNATURE_WRONG, SYSTEM_USER_LIMIT, TAG_NOT_ALLOWED,
    TEMPORARILY_BLOCKED, THROTTLED, TOKEN_DAMAGED, TOKEN_NOT_ACCEPTED, TWO_FACTOR, USERNAME_UNKNOWN, VERSION_UNKNOWN,
    fill,
};
use crate::graph::{ApiError, Wording};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sub {
    Any,
    None,
    Some,
    Is(i64),
}

/// A condition of a rule besides the code.
#[derive(Clone, Copy)]
enum When {
    Kind(&'static str),
    Reads(Wording),
    At(Place),
    Token(Known),
    /// Whether the call was signed.
    Signed(bool),
    /// Whether Meta's header names `access_denied`.
    Denied(bool),
}

/// A rule: a refusal and its cause.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub codes: (i64, i64),
    pub sub: Sub,
    when: &'static [When],
    cause: &'static Cause,
    /// A text that fits this code better than the cause's own.
    summary: Option<&'static str>,
    /// A fix and a next step in place of the cause's own.
    fix: Option<(&'static str, Next)>,
}

const fn rule(code: i64, sub: Sub, cause: &'static Cause) -> Rule {
    range(code, code, sub, cause)
}

const fn range(first: i64, last: i64, sub: Sub, cause: &'static Cause) -> Rule {
    Rule { codes: (first, last), sub, when: &[], cause, summary: None, fix: None }
}

impl Rule {
    const fn when(self, when: &'static [When]) -> Self {
        Self { when, ..self }
    }

    const fn says(self, summary: &'static str) -> Self {
        Self { summary: Some(summary), ..self }
    }

    const fn words(self, summary: &'static str, fix: &'static str, next: Next) -> Self {
        Self { fix: Some((fix, next)), ..self.says(summary) }
    }

    pub fn matches(&self, error: &ApiError, asked: Asked) -> bool {
        let code = error.code.is_some_and(|code| (self.codes.0..=self.codes.1).contains(&code));
        let sub = match self.sub {
            Sub::Any => true,
            Sub::None => error.subcode.is_none(),
            Sub::Some => error.subcode.is_some(),
            Sub::Is(wanted) => error.subcode == Some(wanted),
        };
        let is_so = |when: &When| match *when {
            Kind(kind) => error.kind == kind,
            Reads(wording) => error.wording == Some(wording),
            At(place) => asked.place == place,
            Token(known) => asked.known == known,
            Signed(signed) => asked.signed == signed,
            Denied(denied) => error.access_denied == denied,
        };
        code && sub && self.when.iter().all(is_so)
    }

    /// The call that the rule is limited to, if any.
    pub fn place(&self) -> Option<Place> {
        self.when.iter().find_map(|when| if let At(place) = when { Some(*place) } else { None })
    }

    /// Whether only code and subcode decide, so that no later rule applies.
    pub fn is_unconditional(&self) -> bool {
        self.when.is_empty()
    }

    pub fn diagnosis(&self) -> Diagnosis {
        let own = self.cause.diagnosis();
        Diagnosis {
            summary: self.summary.map_or(own.summary, str::to_owned),
            fix: self.fix.map_or(own.fix, |(fix, _)| fill(fix)),
            next: self.fix.map_or(own.next, |(_, next)| next),
            ..own
        }
    }
}

const METHOD: &str = "GraphMethodException";
const ROLE_GONE: &str = "the person who made the token has no role on the Page any more";
const GIVE_ROLE: &str =
    "give that person full control of the Page again, or have another person who has it create a new token";

/// What a refusal means for a token with every permission, and what to do.
const COMPLETE: (&str, &str) = (
    "Meta refuses the call although the token has every permission: the person who made it lacks a task on the Page, or Meta has restricted the app",
    "give that person full control of the Page, and look for alerts in the app's dashboard",
);

/// The first rule that matches applies.
pub(super) static RULES: &[Rule] = &[
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
    // Without a subcode: first the text, then debug_token decides.
    rule(190, Sub::None, &GRANT_REPLACED).when(&[Reads(Wording::Grant)]),
    rule(190, Sub::None, &ROLE_LOST).when(&[Reads(Wording::Role)]),
    rule(190, Sub::None, &PAGE_TOKEN_NEEDED).when(&[Reads(Wording::PageToken)]),
    rule(190, Sub::None, &APP_TOKEN_NEEDED).when(&[Reads(Wording::AppToken)]),
    rule(190, Sub::None, &APP_SECRET_WRONG).when(&[At(Place::App)]),
    rule(190, Sub::None, &TOKEN_DAMAGED).when(&[Token(Known::Unreadable)]),
    rule(190, Sub::None, &TOKEN_DAMAGED).when(&[Reads(Wording::Unreadable), Token(Known::Nothing)]),
    rule(190, Sub::None, &TOKEN_DAMAGED).when(&[Reads(Wording::Signature), Token(Known::Nothing)]).words(
        "the token's own signature is wrong: it is altered, or its app was deleted",
        "copy the token again, whole; where the app was deleted, create a token with another app ({tokens})",
        Next::ReplaceToken,
    ),
    rule(190, Sub::None, &TOKEN_NOT_ACCEPTED).when(&[Reads(Wording::Unreadable)]),
    rule(190, Sub::None, &TOKEN_NOT_ACCEPTED).when(&[Reads(Wording::Signature)]),
    rule(190, Sub::None, &PAGE_TOKEN_NEEDED).when(&[Token(Known::NotAPages)]),
    rule(190, Sub::None, &GRANT_REPLACED).when(&[Token(Known::Lacking)]),
    rule(190, Sub::None, &ROLE_LOST).when(&[Token(Known::Complete)]),
    rule(190, Sub::Any, &TOKEN_NOT_ACCEPTED),
    // Another kind of token is needed.
    rule(102, Sub::Any, &PAGE_TOKEN_NEEDED),
    rule(210, Sub::Any, &PAGE_TOKEN_NEEDED),
    rule(15, Sub::Any, &APP_TOKEN_NEEDED),
    rule(104, Sub::Any, &NO_TOKEN_ARRIVED),
    rule(2500, Sub::Any, &VERSION_UNKNOWN).when(&[Reads(Wording::UnknownPath)]),
    rule(2500, Sub::Any, &NO_TOKEN_ARRIVED),
    // A login.
    rule(100, Sub::Is(36_009), &CODE_USED).when(&[At(Place::Login)]),
    rule(100, Sub::Is(36_007), &CODE_EXPIRED).when(&[At(Place::Login)]),
    rule(100, Sub::Is(36_008), &REDIRECT_DIFFERS).when(&[At(Place::Login)]),
    rule(191, Sub::Any, &REDIRECT_DIFFERS),
    rule(100, Sub::Any, &CODE_USED).when(&[Reads(Wording::CodeUsed), At(Place::Login)]),
    rule(100, Sub::Any, &CODE_EXPIRED).when(&[Reads(Wording::CodeExpired), At(Place::Login)]),
    rule(100, Sub::Any, &REDIRECT_DIFFERS).when(&[Reads(Wording::Redirect), At(Place::Login)]),
    rule(100, Sub::Any, &LOGIN_REFUSED).when(&[At(Place::Login)]),
    rule(1, Sub::Any, &APP_SECRET_WRONG).when(&[At(Place::Login)]),
    rule(1, Sub::Any, &APP_SECRET_WRONG).when(&[At(Place::Exchange)]),
    rule(100, Sub::Any, &REFUSED).when(&[At(Place::Exchange)]),
    // The app.
    rule(1, Sub::Any, &APP_SECRET_WRONG).when(&[At(Place::App)]),
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
    rule(200, Sub::None, &NOT_LIVE).when(&[At(Place::Messages), Denied(false)]),
    rule(200, Sub::Is(1_545_041), &BLOCKED),
    rule(551, Sub::Any, &BLOCKED),
    rule(2, Sub::Is(2_018_344), &CONTACT_TERMS),
    rule(10_904, Sub::Any, &MESSAGES_OFF),
    rule(2022, Sub::Any, &MESSAGES_OFF).words(
        "messages of commerce are switched off for this Page",
        "open the Page's Support Inbox: it says why, and how to object",
        Next::Nothing,
    ),
    // A bad signature where that is proved; else something that the token may not see.
    rule(100, Sub::Any, &SIGNATURE_WRONG).when(&[Reads(Wording::Proof), Signed(true)]),
    rule(100, Sub::Any, &SIGNATURE_REQUIRED).when(&[Reads(Wording::Proof)]),
    rule(100, Sub::Any, &BUSINESS_NOT_SHOWN).when(&[At(Place::Business)]),
    rule(100, Sub::Any, &SYSTEM_USER_LIMIT).when(&[At(Place::NewSystemUser)]),
    rule(100, Sub::Any, &APP_NOT_CLAIMED).when(&[At(Place::AppInstall)]),
    rule(100, Sub::Any, &PAGE_NOT_SHOWN).when(&[At(Place::PageAssignment)]).words(
        "Meta does not assign the Page: it belongs to another business, or the page id is wrong",
        "have the business that owns the Page share it with this one, with the task MESSAGING; or assign it in the browser ({system_users})",
        Next::Nothing,
    ),
    rule(100, Sub::Any, &APP_NOT_INSTALLED).when(&[At(Place::SystemUserToken)]),
    rule(100, Sub::Any, &OBJECT_NOT_SHOWN).when(&[Kind(METHOD), At(Place::Me)]),
    rule(100, Sub::Any, &APP_UNKNOWN).when(&[Kind(METHOD), At(Place::App)]),
    rule(100, Sub::Any, &PAGE_NOT_SHOWN).when(&[Kind(METHOD)]),
    rule(100, Sub::Is(33), &OBJECT_NOT_SHOWN).when(&[At(Place::Me)]),
    rule(100, Sub::Is(33), &APP_UNKNOWN).when(&[At(Place::App)]),
    rule(100, Sub::Is(33), &PAGE_NOT_SHOWN),
    rule(100, Sub::Any, &MESSAGE_REFUSED).when(&[At(Place::Messages)]),
    rule(100, Sub::None, &OTHER_APP).when(&[At(Place::App)]),
    rule(100, Sub::None, &PERMISSION_MISSING).when(&[Token(Known::Complete)]).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(100, Sub::None, &PERMISSION_MISSING).says("the token may not read the Page's public fields: pages_read_engagement is missing"),
    rule(803, Sub::Any, &USERNAME_UNKNOWN),
    // Permissions.
    rule(200, Sub::Is(2_069_030), &NEW_PAGES_EXPERIENCE),
    range(200, 299, Sub::Any, &APP_RESTRICTED).when(&[Denied(true)]),
    rule(10, Sub::Any, &APP_RESTRICTED).when(&[Denied(true)]),
    range(200, 299, Sub::Some, &MESSAGE_REFUSED).when(&[At(Place::Messages)]),
    rule(10, Sub::Some, &MESSAGE_REFUSED).when(&[At(Place::Messages)]),
    range(200, 299, Sub::Any, &BUSINESS_ROLE_MISSING).when(&[At(Place::Business)]),
    range(200, 299, Sub::Any, &BUSINESS_ROLE_MISSING).when(&[At(Place::NewSystemUser)]),
    range(200, 299, Sub::Any, &BUSINESS_ROLE_MISSING).when(&[At(Place::AppInstall)]),
    range(200, 299, Sub::Any, &BUSINESS_ROLE_MISSING).when(&[At(Place::PageAssignment)]),
    range(200, 299, Sub::Any, &BUSINESS_ROLE_MISSING).when(&[At(Place::SystemUserToken)]),
    // The token has all permissions: a new one would be refused too.
    rule(230, Sub::Any, &PERMISSION_MISSING).when(&[Token(Known::Complete)]).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(283, Sub::Any, &PERMISSION_MISSING).when(&[Token(Known::Complete)]).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(10, Sub::None, &PERMISSION_MISSING).when(&[Token(Known::Complete)]).words(COMPLETE.0, COMPLETE.1, Next::TestAgain),
    rule(230, Sub::Any, &PERMISSION_MISSING).says("the token lacks the permission pages_messaging"),
    rule(283, Sub::Any, &PERMISSION_MISSING).says("the token lacks the permission pages_read_engagement"),
    range(200, 299, Sub::None, &PERMISSION_MISSING).when(&[Token(Known::Complete)]).words(
        COMPLETE.0,
        COMPLETE.1,
        Next::TestAgain,
    ),
    range(200, 299, Sub::None, &PERMISSION_MISSING).says("the token lacks a permission, or the person who made it a task on the Page"),
    rule(10, Sub::None, &PERMISSION_MISSING).words(
        "the app has no permission for this call",
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement; for people without a role on the app they need App Review too",
        Next::ReplaceToken,
    ),
    // Meta's other refusals.
    rule(368, Sub::Any, &TEMPORARILY_BLOCKED),
    rule(413, Sub::Any, &TWO_FACTOR),
    rule(415, Sub::Is(2_859_009), &TWO_FACTOR).words(
        "the business requires two-factor authentication, and the administrator's session has not passed it",
        "open Meta Business settings in the browser and pass two-factor authentication there, then log in again: the token of that session works; so does the token of a system user that administers the business",
        Next::Nothing,
    ),
    rule(415, Sub::Any, &TWO_FACTOR),
    rule(2200, Sub::Any, &HANDSHAKE_FAILED),
    rule(2201, Sub::Any, &HANDSHAKE_FAILED),
    // These are retried, and reported if that did not help.
    rule(1, Sub::Any, &GRAPH_TROUBLE),
    rule(2, Sub::Any, &GRAPH_TROUBLE),
    rule(1200, Sub::Any, &GRAPH_TROUBLE),
    rule(4, Sub::Any, &THROTTLED),
    rule(17, Sub::Any, &THROTTLED),
    rule(32, Sub::Any, &THROTTLED),
    rule(341, Sub::Any, &THROTTLED),
    rule(613, Sub::Any, &THROTTLED),
    range(80_000, 80_014, Sub::Any, &THROTTLED),
    // For the rest, only Meta's own text is known.
    range(i64::MIN, i64::MAX, Sub::Any, &MESSAGE_REFUSED).when(&[At(Place::Messages)]),
];
