//! A notice in words: for a person who knows nothing of tokens, and for one who has to act.

use jiff::Timestamp;

use crate::checks::ids;
use crate::state::{Concerned, Event, Notice};
use crate::text::count;

/// What happened, in one line: `2 accounts stopped working: the token has expired`.
pub fn title(notice: &Notice) -> String {
    let accounts = &notice.accounts;
    let who = match accounts.as_slice() {
        [one] => format!("{}/{}", one.tenant, one.account),
        many => format!("{} accounts", count(many.len())),
    };
    let (needs, changes, is) = if accounts.len() == 1 { ("needs", "changes", "is") } else { ("need", "change", "are") };
    let works = if accounts.len() == 1 { "works" } else { "work" };
    let why = accounts.first().map(|first| first.summary.as_str()).unwrap_or_default();
    match notice.event {
        Event::Failed => format!("{who} stopped working: {why}"),
        Event::Warning => format!("{who} {needs} attention: {why}"),
        Event::Recovered => format!("{who} {works} again"),
        Event::Expires if accounts.len() > 1 => match accounts.iter().filter_map(|account| account.ends_at).min() {
            Some(first) => format!("{who}: {}, the first on {}", what_ends(&accounts[0]), date(first)),
            None => format!("{who}: {why}"),
        },
        Event::Expires => format!("{who}: {why}"),
        Event::Unreachable => format!("{who} could not be tested: {why}"),
        Event::Unstable => format!("{who} {changes} too often to tell each change: {why}"),
        Event::Digest => format!("{who} {is} still not working"),
        Event::Test => "this is a test: notices arrive here".to_owned(),
    }
}

/// What it means for the business, in one sentence.
pub fn meaning(notice: &Notice) -> &'static str {
    match notice.event {
        Event::Failed | Event::Unstable | Event::Digest => {
            "Messages that customers write to these Pages may not reach the contact centre, or not be answered."
        }
        Event::Warning => "Messages still arrive; without action they may stop.",
        Event::Expires => "Messages stop on that day unless an administrator gives the account a new token before.",
        Event::Recovered | Event::Test => "Nothing has to be done.",
        Event::Unreachable => "It is not known whether these Pages work; the tests go on.",
    }
}

fn what_ends(concerned: &Concerned) -> &'static str {
    if concerned.check.as_deref() == Some(ids::TOKEN_DATA_ACCESS) {
        "the access to personal data ends soon"
    } else {
        "the page access token ends soon"
    }
}

/// A day, as it is read in any country: `2026-12-10`.
fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// A moment: `2026-11-29 10:00 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What an administrator does about one account: the fix, and the command to paste.
pub fn fix(concerned: &Concerned) -> Option<(&str, Option<&str>)> {
    let hint = concerned.hint.as_deref()?;
    Some(match hint.split_once("; then: ") {
        Some((fix, command)) => (fix, Some(command)),
        None => (hint, None),
    })
}
