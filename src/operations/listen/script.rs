//! A script for the console: commands and expectations, one per line.
//!
//! ```text
//! expect message "hello"        # a customer's message with these words in it
//! take
//! say Good morning, how can I help?
//! expect read
//! wait 5m                       # moves the console's clock; does not wait
//! expect sent inactivity-warning
//! end
//! ```

use std::time::Duration;

use jiff::SignedDuration;

use crate::messages::Event;

#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A typed command: `take`, `say …`, `leave`, `end`.
    Typed(Typed),
    /// Something that must come, or has come since the last expectation.
    Expect(Expected),
    /// Moves the console's clock.
    Wait(SignedDuration),
    /// How long expectations may take.
    Within(Duration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Take the customer who has waited longest, or the one named.
    Take(Option<String>),
    /// Answer.
    Say(String),
    /// Leave the conversation to another agent.
    Leave,
    End,
    List,
    Help,
    /// Stop listening.
    Quit,
}

/// An expected event, or one that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A customer's message; an expected one contains these words.
    Message(String),
    /// Our message was delivered.
    Delivery,
    /// The customer has read our messages.
    Read,
    /// A system message was sent.
    Sent(Event),
    /// A system message was not sent, with a printed reason.
    NotSent(Event),
    /// A session was closed.
    Closed,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(part) if part.is_empty() => f.write_str("expect message"),
            Self::Message(part) => write!(f, "expect message {part}"),
            Self::Delivery => f.write_str("expect delivery"),
            Self::Read => f.write_str("expect read"),
            Self::Sent(event) => write!(f, "expect sent {event}"),
            Self::NotSent(event) => write!(f, "expect not-sent {event}"),
            Self::Closed => f.write_str("expect closed"),
        }
    }
}

impl Expected {
    /// Whether `happened` fulfils the expectation.
    pub fn is(&self, happened: &Self) -> bool {
        match (self, happened) {
            (Self::Message(part), Self::Message(text)) => text.contains(part.as_str()),
            (expected, happened) => expected == happened,
        }
    }
}

const VERBS: &str = "take, say, leave, end, expect, wait, within";
const EXPECTED: &str = "message, delivery, read, sent EVENT, not-sent EVENT, closed";

/// Parses a script: its lines with their numbers, from 1, or what is wrong with each invalid
/// line.
pub fn parse(text: &str) -> Result<Vec<(usize, Line)>, Vec<String>> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        match read(line) {
            Ok(Some(line)) => lines.push((line_number, line)),
            Ok(None) => {}
            Err(why) => wrong.push(format!("line {line_number}: {why}")),
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong) }
}

fn read(line: &str) -> Result<Option<Line>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (verb, rest) = first_word(line);
    let length =
        || rest.parse::<SignedDuration>().map_err(|_| format!("'{rest}' is not a valid length of time, such as 5m"));
    Ok(Some(match verb {
        "expect" => Line::Expect(expected(rest)?),
        "wait" => Line::Wait(length()?),
        "within" => Line::Within(Duration::try_from(length()?).map_err(|_| "the time is negative".to_owned())?),
        "say" if rest.is_empty() => return Err("say needs a text".into()),
        "say" => Line::Typed(Typed::Say(rest.into())),
        _ => match typed(line) {
            Some(typed) => Line::Typed(typed),
            None => return Err(format!("'{verb}' is not known: {VERBS}")),
        },
    }))
}

fn first_word(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

/// Parses a typed command, without the slash.
pub fn typed(line: &str) -> Option<Typed> {
    let (verb, rest) = first_word(line);
    Some(match verb {
        "take" => Typed::Take((!rest.is_empty()).then(|| rest.to_owned())),
        "leave" if rest.is_empty() => Typed::Leave,
        "end" if rest.is_empty() => Typed::End,
        "list" if rest.is_empty() => Typed::List,
        "help" if rest.is_empty() => Typed::Help,
        "quit" if rest.is_empty() => Typed::Quit,
        _ => return None,
    })
}

fn expected(text: &str) -> Result<Expected, String> {
    let (what, rest) = first_word(text);
    let event = || rest.parse::<Event>().map_err(|error| error.to_string());
    Ok(match what {
        "message" => Expected::Message(rest.trim_matches('"').to_owned()),
        "delivery" => Expected::Delivery,
        "read" => Expected::Read,
        "sent" => Expected::Sent(event()?),
        "not-sent" => Expected::NotSent(event()?),
        "closed" => Expected::Closed,
        other => return Err(format!("'{other}' cannot be expected: {EXPECTED}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read() {
        let text = "# a test\nexpect message \"hello\"\n\ntake\nsay Good # morning\nwait 5m\nexpect sent session-ended\nwithin 2s\n";
        let lines = parse(text).expect("a script");
        assert_eq!(lines[0], (2, Line::Expect(Expected::Message("hello".into()))));
        assert_eq!(lines[1], (4, Line::Typed(Typed::Take(None))));
        assert_eq!(lines[2].1, Line::Typed(Typed::Say("Good # morning".into())));
        assert_eq!(lines[3].1, Line::Wait(SignedDuration::from_mins(5)));
        assert!(matches!(lines[4].1, Line::Expect(Expected::Sent(event)) if event.id() == "session-ended"));
        assert_eq!(lines[5].1, Line::Within(Duration::from_secs(2)));
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let wrong = parse("tkae\nexpect nothing\nwait long\nsay\nexpect sent goodbye\ntake\n").expect_err("mistakes");
        assert_eq!(wrong.len(), 5);
        assert!(wrong.iter().enumerate().all(|(at, why)| why.starts_with(&format!("line {}: ", at + 1))), "{wrong:?}");
        assert!(wrong[0].contains("line 1: 'tkae' is not known"));
    }
}
