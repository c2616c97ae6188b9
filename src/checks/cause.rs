//! What a refusal of Graph means, and what an administrator does about it: the
//! table of the facts (section 4.3), by code, subcode and type.

use crate::dashboard;
use crate::graph::{ApiError, Unreachable};
use crate::http::Fault;

/// A cause and its mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What happened, in a sentence without a full stop.
    pub summary: String,
    /// What to do, in a sentence without a full stop.
    pub fix: String,
    /// What comes after it here.
    pub next: Next,
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
    /// Give the account the right page id.
    SetPageId,
    /// Nothing.
    Nothing,
}

fn cause(summary: &str, fix: &str) -> Cause {
    Cause { summary: summary.into(), fix: fix.into(), next: Next::ReplaceToken }
}

impl Cause {
    fn then(self, next: Next) -> Self {
        Self { next, ..self }
    }
}

/// Where a new Page access token comes from.
fn new_token() -> String {
    format!("create a new Page access token ({})", dashboard::TOKENS)
}

/// Every permission at once: a token made for one alone would fail at the next.
const GRANT_ALL: &str =
    "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement";

/// The cause behind a refusal.
pub fn of(error: &ApiError) -> Cause {
    match (error.code, error.subcode) {
        (Some(190), Some(subcode)) => session(subcode),
        (Some(190), None) => cause(
            "Meta does not recognise the token: it is cut off, altered, or no Page access token",
            "copy the token again, whole and without quotes or spaces; a Page access token begins with EAA",
        ),
        (Some(102), _) => cause(
            "an app token was used where a Page access token is needed",
            "use the Page access token, which begins with EAA and has no '|'",
        ),
        (Some(104), _) => cause("Meta says that no token came with the call", &new_token()),
        (Some(2500), _) => cause(
            "Meta does not know this version of the Graph API",
            "leave --graph-version (MSGRCTL_GRAPH_VERSION) out, or name a version that exists, such as v26.0",
        )
        .then(Next::Nothing),
        (Some(100), Some(33)) => cause(
            "Meta shows no such Page to this token: the page id is wrong, or the token is another Page's",
            "compare the page id with the one in the Page's About section, under Page transparency",
        )
        .then(Next::SetPageId),
        (Some(100), _) if error.kind == "GraphMethodException" => cause(
            "Meta refuses the signature (appsecret_proof) of the call",
            &format!("check the app secret ({}) and that this machine's clock is right", dashboard::APP),
        )
        .then(Next::SetApp),
        (Some(100), _) => {
            cause("the token may not read the Page's public fields: pages_read_engagement is missing", GRANT_ALL)
        }
        (Some(803), _) => cause("Meta knows no Page of this username", "correct the page username, or use the page id")
            .then(Next::Nothing),
        (Some(3), _) => cause(
            "the Meta app lacks a capability for this call",
            "open the App Dashboard: it names what the app still needs",
        )
        .then(Next::TestAgain),
        (Some(10), _) => cause(
            "the app has no permission for this call",
            "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement; for people without a role on the app they also need App Review",
        ),
        (Some(210), _) => cause(
            "a person's or a system user's token was used where a Page access token is needed",
            "use the Page's own token: GET /me/accounts lists it for a person's token",
        ),
        (Some(230), _) => cause("the token lacks the permission pages_messaging", GRANT_ALL),
        (Some(283), _) => cause("the token lacks the permission pages_read_engagement", GRANT_ALL),
        (Some(200..=299), _) => cause(
            "the token lacks a permission, or Meta has restricted the app",
            "look for alerts in the App Dashboard; without any, create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement",
        ),
        (Some(15), _) => {
            cause("this call needs the app itself", "give the app id and the app secret").then(Next::SetApp)
        }
        (Some(101), _) => {
            cause("Meta knows no app with this app id", "copy the app id from the top of the app's dashboard")
                .then(Next::SetApp)
        }
        (Some(1), _) => cause(
            "Meta refuses the app secret",
            &format!("copy the app secret again ({} > App secret > Show)", dashboard::APP),
        )
        .then(Next::SetApp),
        (Some(368), _) => cause(
            "Meta has blocked this action for a while, for breaking a policy",
            "open the Page's Support Inbox and wait for the block to end",
        )
        .then(Next::TestAgain),
        (Some(2200 | 2201), _) => {
            cause("Meta asked the callback for the handshake, and it failed", "see why: msgrctl webhook verify NAME")
                .then(Next::Nothing)
        }
        (Some(413 | 415), _) => two_factor(),
        _ => Cause {
            summary: format!("Meta refused: {error}"),
            fix: "look the code up in Meta's error reference, and quote the trace id to Meta's support".into(),
            next: Next::TestAgain,
        },
    }
}

/// 190 and its subcodes.
fn session(subcode: i64) -> Cause {
    match subcode {
        458 => cause(
            "the person who made the token has removed the app, or never authorised it",
            "log in to the app again with that person, grant every permission, and create a new token",
        ),
        459 => cause(
            "Meta holds the account of the person who made the token at a security check",
            "have that person open facebook.com and pass the check; the same token may then work again",
        )
        .then(Next::TestAgain),
        460 => cause(
            "the person who made the token has changed the password, or Meta ended the session for security",
            "create a new Page access token; one made by a system user does not die with a password",
        ),
        463 => cause(
            "the token has expired",
            "create a new Page access token from a long-lived user token: such a Page token does not expire",
        ),
        464 => cause(
            "the account of the person who made the token is not confirmed",
            "have that person confirm the account at facebook.com, then create a new token",
        ),
        467 => cause("the person who made the token has logged out, or the token was revoked", &new_token()),
        490 => two_factor(),
        492 => cause(
            "the person who made the token has no role on the Page any more",
            "give that person full control of the Page again, or have somebody who has it create a new token",
        ),
        _ => cause("the session behind the token has ended", &new_token()),
    }
}

fn two_factor() -> Cause {
    cause(
        "the Page's business asks for two-factor authentication, which the person who made the token has not turned on",
        "have that person turn on two-factor authentication at facebook.com, then create a new token",
    )
}

/// Why nothing can be said, and what to try.
pub fn of_unreachable(unreachable: &Unreachable) -> Cause {
    let (summary, fix): (String, String) = match unreachable {
        Unreachable::Fault(fault) => return of_fault(*fault),
        Unreachable::NotGraph { status: status @ 500.. } => (
            format!("there is trouble at Graph or before it: HTTP {status}, without a word of Graph's"),
            "try again in some minutes; metastatus.com shows outages".into(),
        ),
        Unreachable::NotGraph { status } => (
            format!("something answered in Graph's place (HTTP {status}): a proxy or a login page"),
            "check where you point at: --graph-url (MSGRCTL_GRAPH_URL) and HTTPS_PROXY".into(),
        ),
        Unreachable::Unfinished => (
            "Graph gave the call up half-way, three times".into(),
            "try again in some minutes; metastatus.com shows outages".into(),
        ),
        Unreachable::Trouble(_) => (
            "Graph answered with an error of its own".into(),
            "try again in some minutes; metastatus.com shows outages".into(),
        ),
        Unreachable::Throttled(error) => {
            let wait = error.regain_access.map_or("some minutes".into(), |wait| {
                let minutes = wait.as_secs() / 60;
                format!("{minutes} minute{}", if minutes == 1 { "" } else { "s" })
            });
            (
                "Meta limits the number of calls of this app or Page, and the limit is reached".into(),
                format!("wait {wait} and try again; Meta counts the calls that are made meanwhile too"),
            )
        }
    };
    Cause { summary, fix, next: Next::TestAgain }
}

fn of_fault(fault: Fault) -> Cause {
    let summary = format!("Graph did not answer: {fault}");
    let fix = match fault {
        Fault::Dns => "check the network and the name server of this machine; behind a proxy set HTTPS_PROXY",
        Fault::Refused => {
            "check where you point at: --graph-url (MSGRCTL_GRAPH_URL) and HTTPS_PROXY; a sandbox has to be running"
        }
        Fault::Certificate(_) => {
            "if a proxy inspects TLS here, name its certificate with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)"
        }
        Fault::Tls => "check that nothing between this machine and Graph breaks TLS; TLS 1.2 is the least",
        Fault::Timeout | Fault::ConnectTimeout => {
            "check the network, a firewall that drops packets, HTTPS_PROXY; --timeout SECONDS waits longer"
        }
        Fault::Broken | Fault::Connect | Fault::TooLarge => "check the network and HTTPS_PROXY, then try again",
    };
    Cause { summary, fix: fix.into(), next: Next::TestAgain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(code: i64, subcode: Option<i64>, kind: &str) -> ApiError {
        ApiError {
            kind: kind.into(),
            code: Some(code),
            subcode,
            message: "(#0) In any language.".into(),
            is_transient: None,
            fbtrace_id: None,
            regain_access: None,
            status: 400,
            version: None,
        }
    }

    #[test]
    fn every_documented_cause_has_words_of_its_own() {
        let cases = [
            (190, None),
            (190, Some(458)),
            (190, Some(459)),
            (190, Some(460)),
            (190, Some(463)),
            (190, Some(464)),
            (190, Some(467)),
            (190, Some(490)),
            (190, Some(492)),
            (190, Some(452)),
            (102, None),
            (104, None),
            (2500, None),
            (100, Some(33)),
            (100, None),
            (803, None),
            (10, None),
            (200, None),
            (210, None),
            (230, None),
            (283, None),
            (15, None),
            (101, None),
            (1, None),
            (3, None),
            (368, None),
        ];
        let mut seen: Vec<Cause> = Vec::new();
        for (code, subcode) in cases {
            let found = of(&api(code, subcode, "OAuthException"));
            assert!(!found.summary.contains("In any language"), "{code}/{subcode:?} has no words of its own");
            assert!(!seen.contains(&found), "{code}/{subcode:?} reads like another");
            seen.push(found);
        }
        assert!(!seen.contains(&of(&api(100, None, "GraphMethodException"))));
    }

    #[test]
    fn an_unknown_code_shows_what_meta_said() {
        let found = of(&api(36103, None, "OAuthException"));
        assert!(found.summary.contains("In any language. (code 36103)"));
    }

    #[test]
    fn a_stated_wait_is_passed_on() {
        let mut error = api(80006, None, "OAuthException");
        error.regain_access = Some(std::time::Duration::from_secs(19 * 60));
        assert!(of_unreachable(&Unreachable::Throttled(Box::new(error))).fix.contains("19 minutes"));
    }
}
