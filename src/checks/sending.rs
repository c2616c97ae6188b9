//! What it means that Meta does not take a message: the table of the facts (section
//! 4.4), by code and subcode.

use super::cause::{Cause, Next, of};
use crate::graph::ApiError;

/// The causes that are about a message and its recipient, not about the token.
/// A subcode of `None` stands for any and none.
const TABLE: &[(i64, Option<i64>, &str, &str)] = &[
    (10, Some(2_018_278), OUTSIDE, WRITE_FIRST),
    (10, Some(2_018_065), OUTSIDE, WRITE_FIRST),
    (10, Some(2_534_022), OUTSIDE, WRITE_FIRST),
    (10, Some(2_018_108), "the customer cannot receive messages right now: they blocked the Page or left", LET_GO),
    (10, Some(1_893_063), RESTRICTED, "open the Page's Support Inbox: it says why, and how to object"),
    (10, Some(1_404_170), RESTRICTED, "open the Page's Support Inbox: it says why, and how to object"),
    (10, Some(1_893_015), "the customer has stopped messages of this kind", "send them none until they allow it again"),
    (
        100,
        Some(2_018_001),
        "nobody with this id has written to this Page: the ids of people are another for every Page",
        "take the id from an event of this Page: msgrctl webhook listen shows it",
    ),
    (
        100,
        None,
        "Meta refuses the recipient or the message as it is",
        "check that the id is a person's of this Page (digits), and that the text has at most 2000 characters",
    ),
    (
        200,
        Some(2_018_028),
        "the app may only message people with a role on it: it is in development mode, or has Standard Access",
        "give the person a role on the app to test, or get Advanced Access for pages_messaging and set the app live",
    ),
    (200, Some(1_545_041), AWAY, LET_GO),
    (551, None, AWAY, LET_GO),
    (
        2,
        Some(2_018_344),
        "an administrator of the Page has not accepted Meta's terms for contacts yet",
        "have an administrator of the Page open its inbox and accept them",
    ),
    (2_018_300, None, ANOTHER_APP, TAKE_OVER),
    (2_018_321, None, "Messenger's own automated answers have the conversation", "wait until they are done"),
    (2022, None, "messages of commerce are switched off for this Page", "open the Page's Support Inbox"),
    (2_018_171, None, "the app is not among the Page's receivers of conversations", TAKE_OVER),
];

const OUTSIDE: &str = "the customer's last message is over 24 hours ago: outside of that window Meta takes no message";
const WRITE_FIRST: &str =
    "wait until the customer writes; a person's answer may be sent within 7 days with --human-agent";
const RESTRICTED: &str = "Meta has restricted the Page's messages for a while";
const AWAY: &str = "the person cannot be reached: they blocked the Page or closed their account";
const LET_GO: &str = "nothing can be done from here; they have to write again themselves";
const ANOTHER_APP: &str = "another app has the conversation now";
const TAKE_OVER: &str = "set this app as the default in the Page's settings (Advanced messaging > Conversation routing), or wait until the other app is done";

/// The cause behind a message that was not taken, and whether it is about the message
/// rather than about the token.
pub fn of_sending(error: &ApiError) -> (Cause, bool) {
    let named = error.subcode.is_some();
    let found = TABLE.iter().find(|(code, subcode, ..)| {
        let any = subcode.is_none() && (*code != 100 || !named) && error.kind != "GraphMethodException";
        error.code == Some(*code) && (*subcode == error.subcode && named || any)
    });
    // A conversation of another app was seen with the subcode in other codes too.
    let found = found.or_else(|| TABLE.iter().find(|(code, ..)| error.subcode == Some(*code)));
    match found {
        Some((_, _, summary, fix)) => {
            (Cause { summary: (*summary).into(), fix: (*fix).into(), next: Next::Nothing }, true)
        }
        None => (of(error), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(code: i64, subcode: Option<i64>, kind: &str) -> (String, bool) {
        let error = ApiError {
            kind: kind.into(),
            code: Some(code),
            subcode,
            message: "localised".into(),
            is_transient: None,
            fbtrace_id: None,
            regain_access: None,
            status: 400,
            version: None,
        };
        let (cause, of_message) = of_sending(&error);
        (cause.summary, of_message)
    }

    #[test]
    fn causes_of_messages_are_told_by_code_and_subcode() {
        let oauth = "OAuthException";
        assert_eq!(summary(10, Some(2_018_278), oauth), (OUTSIDE.into(), true));
        assert_eq!(summary(551, Some(1_545_041), oauth), (AWAY.into(), true));
        assert_eq!(summary(551, None, oauth), (AWAY.into(), true));
        assert_eq!(summary(200, Some(2_018_300), oauth), (ANOTHER_APP.into(), true));
        assert!(summary(100, None, oauth).1);
        for (code, subcode, kind) in [
            (190, Some(460), oauth),
            (10, None, oauth),
            (200, None, oauth),
            (100, None, "GraphMethodException"),
            (100, Some(33), "GraphMethodException"),
        ] {
            assert!(!summary(code, subcode, kind).1, "{code} {subcode:?}");
        }
    }
}
