//! The chain of the log: each line carries a number (`seq`) and the digest of the line before
//! it (`prev`), so that a line that was changed, removed, moved or added is found.
//!
//! Beside the log stands where it ends ([`LogEnd`]): without that, nothing would show that the
//! last lines were cut off. It is written before a line is added and after it, so a process that
//! is killed between leaves a log that is known to be whole.

mod walk;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use walk::{Broken, Fault, Walk, walk};

/// `prev` of the first line of a log.
const NONE: &str = "none";

/// Where the log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEnd {
    /// The number of the last line.
    pub seq: u64,
    /// SHA-256 of its bytes, in hexadecimal digits; `none` for an empty log.
    pub digest: String,
    /// The line that is being added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coming: Option<Coming>,
    /// SHA-256 of the line that the first one follows, where earlier lines were moved away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A line that is being added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// SHA-256 of its bytes.
    pub digest: String,
    /// Where the last line before it ends, in bytes from the beginning of the log.
    pub from: u64,
}

/// The log as one moment has it.
#[derive(Clone, Debug, Default)]
pub struct LogText {
    /// The lines, oldest first.
    pub lines: Vec<String>,
    /// Where it should end; `None` before the first line with a digest.
    pub end: Option<LogEnd>,
}

/// SHA-256 of a line's bytes, in hexadecimal digits.
pub fn digest(line: &[u8]) -> String {
    hex::encode(Sha256::digest(line))
}

/// What the line after an unfinished one carries: it holds both that and the line before, whose
/// digest is `prev`.
fn and_torn(prev: &str, torn: &[u8]) -> String {
    digest(&[prev.as_bytes(), b"\n", torn].concat())
}

/// A line of the log with its number and the digest of the line before it; `line` is a JSON
/// object with at least one member.
pub fn linked(line: &str, seq: u64, prev: &str) -> String {
    let members = line.strip_prefix('{').unwrap_or(line);
    format!("{{\"seq\":{seq},\"prev\":\"{prev}\",{members}")
}

impl LogEnd {
    /// The line to add after `last`, the last line of the log and where in it that ends, and the
    /// two ends to write: before it is added, and after. `end` is where the log ended until now.
    ///
    /// Where the log does not end there, the new line follows what should be there: what was
    /// done to the log stays visible.
    pub fn adding(end: Option<&Self>, last: Option<(&[u8], u64)>, line: &str) -> (String, Self, Self) {
        let there = last.map_or_else(|| NONE.to_owned(), |(last, _)| digest(last));
        let (seq, prev, after) = match end {
            None => (0, there, None),
            Some(end) => end.found(there, last),
        };
        let line = linked(line, seq + 1, &prev);
        let digest = digest(line.as_bytes());
        let coming = Some(Coming { digest: digest.clone(), from: last.map_or(0, |(_, end)| end) });
        let before = Self { seq, digest: prev, coming, after: after.clone() };
        (line, before, Self { seq: seq + 1, digest, coming: None, after })
    }

    /// Number and digest of the last line, whose process may have been killed, and what the first
    /// line follows.
    fn found(&self, there: String, last: Option<(&[u8], u64)>) -> (u64, String, Option<String>) {
        let (seq, after) = (self.seq, self.after.clone());
        match &self.coming {
            _ if there == self.digest || last.is_none() && self.begins_anew() => (seq, self.digest.clone(), after),
            Some(coming) if there == coming.digest => (seq + 1, there, after),
            // The line is there in part, or not at all after another such one.
            Some(coming) if last.is_some_and(|(last, _)| is_torn(last)) => {
                let (last, end) = last.unwrap_or_default();
                let prev = if end == coming.from { self.digest.clone() } else { and_torn(&self.digest, last) };
                (seq, prev, after)
            }
            coming => {
                let should_be = coming.as_ref().map_or(&self.digest, |coming| &coming.digest).clone();
                // All lines were moved away together.
                let after = if last.is_none() { Some(should_be.clone()) } else { after };
                (seq + u64::from(coming.is_some()), should_be, after)
            }
        }
    }

    /// Whether the log may end with what has this digest.
    fn is(&self, digest: &str) -> bool {
        self.digest == digest || self.coming.as_ref().is_some_and(|coming| coming.digest == digest)
    }

    /// Whether the first line after others were moved away was being added, and is not there.
    fn begins_anew(&self) -> bool {
        self.coming.is_some() && self.after.as_ref() == Some(&self.digest)
    }
}

/// Whether a line is only a part of one.
fn is_torn(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_err()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A log that is written as a backend does it.
    #[derive(Clone, Default)]
    struct Log(LogText);

    impl Log {
        fn of(lines: usize) -> Self {
            let mut log = Self::default();
            (0..lines).for_each(|number| log.add(number));
            log
        }

        fn line(number: usize) -> String {
            format!("{{\"id\":\"{number:04}\",\"what\":\"Acme é\"}}")
        }

        fn add(&mut self, number: usize) {
            let (line, _, after) = self.adding(number);
            self.0.lines.push(line);
            self.0.end = Some(after);
        }

        fn adding(&self, number: usize) -> (String, LogEnd, LogEnd) {
            let size = self.0.lines.iter().map(|line| line.len() as u64 + 1).sum::<u64>();
            let last = self.0.lines.last().map(|line| (line.as_bytes(), size - 1));
            LogEnd::adding(self.0.end.as_ref(), last, &Self::line(number))
        }

        fn walk(&self) -> Walk {
            walk(&self.0)
        }

        /// The line, what is wrong with it, and how many before it are intact.
        #[track_caller]
        fn broken(&self) -> (usize, Fault, usize) {
            let walk = self.walk();
            let broken = walk.broken.unwrap_or_else(|| panic!("it is found: {:#?}", self.0));
            (broken.line, broken.fault, walk.intact)
        }
    }

    fn whole(lines: usize, intact: usize) -> Walk {
        let begins = (intact > 0).then(|| lines - intact + 1);
        Walk { lines, intact, begins, ..Walk::default() }
    }

    #[test]
    fn a_log_is_whole_and_its_lines_are_numbered() {
        assert_eq!(Log::default().walk(), whole(0, 0));
        let log = Log::of(3);
        assert_eq!(log.walk(), whole(3, 3));
        assert!(log.0.lines[0].starts_with("{\"seq\":1,\"prev\":\"none\",\"id\""), "{}", log.0.lines[0]);
        assert!(log.0.lines[2].starts_with(&format!("{{\"seq\":3,\"prev\":\"{}\"", digest(log.0.lines[1].as_bytes()))));
    }

    #[test]
    fn lines_of_before_the_chain_stay_and_the_last_of_them_is_held() {
        let mut log = Log::default();
        log.0.lines = vec![Log::line(7), "{\"torn".into(), Log::line(8)];
        assert_eq!(log.walk(), whole(3, 0));
        log.add(1);
        log.add(2);
        assert_eq!(log.walk(), whole(5, 2));
        log.0.lines[2].push(' ');
        assert_eq!(log.broken(), (3, Fault::Changed, 0));
        log.0.lines.remove(2);
        assert_eq!(log.broken().1, Fault::Changed);
    }

    #[test]
    fn what_was_done_to_it_is_named() {
        let log = Log::of(6);
        let edited = |edit: &dyn Fn(&mut Vec<String>)| {
            let mut log = log.clone();
            edit(&mut log.0.lines);
            let found = log.broken();
            // What follows does not hide it.
            log.add(9);
            assert!(log.walk().broken.is_some());
            found
        };
        assert_eq!(edited(&|lines| lines[2] = lines[2].replace("Acme", "Acne")), (3, Fault::Changed, 2));
        assert_eq!(edited(&|lines| lines[5] = lines[5].replace("Acme", "Acne")), (6, Fault::Changed, 5));
        assert_eq!(edited(&|lines| drop(lines.remove(0))), (1, Fault::Missing, 0));
        assert_eq!(edited(&|lines| drop(lines.remove(2))), (3, Fault::Missing, 2));
        assert_eq!(edited(&|lines| drop(lines.remove(5))), (6, Fault::Missing, 5));
        assert_eq!(edited(&|lines| lines.truncate(2)), (3, Fault::Missing, 2));
        assert_eq!(edited(&|lines| lines.swap(2, 3)), (3, Fault::OutOfPlace, 2));
        assert_eq!(edited(&|lines| lines.swap(4, 5)), (5, Fault::OutOfPlace, 4));
        assert_eq!(edited(&|lines| lines.insert(3, lines[2].clone())), (4, Fault::OutOfPlace, 3));
        assert_eq!(edited(&|lines| lines.push(lines[5].clone())), (7, Fault::OutOfPlace, 6));
        assert_eq!(edited(&|lines| lines.push(Log::line(9))), (7, Fault::Unlinked, 6));
        assert_eq!(edited(&|lines| lines.push("x".into())), (7, Fault::OutOfPlace, 6));
        assert_eq!(edited(&|lines| lines.insert(3, Log::line(9))), (4, Fault::Unlinked, 3));
        // One who knows the format cannot add a line either.
        assert_eq!(
            edited(&|lines| lines.push(linked("{\"a\":1}", 7, &digest(lines[5].as_bytes())))),
            (7, Fault::OutOfPlace, 6)
        );
    }

    #[test]
    fn without_the_end_the_log_is_not_known_to_be_whole() {
        let mut log = Log::of(3);
        log.0.end = None;
        assert_eq!(log.broken(), (4, Fault::Missing, 3));
        log.add(4);
        assert_eq!(log.broken(), (4, Fault::OutOfPlace, 3));
        let mut log = Log::of(3);
        log.0.lines.clear();
        assert_eq!(log.broken(), (1, Fault::Missing, 0));
    }

    #[test]
    fn a_log_that_was_moved_away_goes_on_in_a_new_one() {
        let mut log = Log::of(3);
        let old = std::mem::take(&mut log.0.lines);
        // Killed before its first line was there.
        log.0.end = Some(log.adding(4).1);
        assert_eq!(log.walk().broken, None);
        log.add(4);
        log.add(5);
        assert_eq!(log.walk(), Walk { follows_moved: true, ..whole(2, 2) });
        assert!(log.0.lines[0].contains(&format!("\"seq\":4,\"prev\":\"{}\"", digest(old[2].as_bytes()))));
        let first = log.0.lines.remove(0);
        assert_eq!(log.broken(), (1, Fault::Missing, 0));
        // Put together again they are one chain, but for the note of the move.
        log.0.lines.insert(0, first);
        log.0.lines.splice(0..0, old);
        assert_eq!(log.walk(), whole(5, 5));
    }

    proptest! {
        /// Whatever one edit does to one place, it is found, and no line before it is blamed.
        #[test]
        fn every_edit_is_found(lines in 1_usize..9, at: prop::sample::Index, what in 0_u8..4, byte: u8, place: prop::sample::Index) {
            let log = Log::of(lines);
            let mut edited = log.clone();
            let at = at.index(lines);
            match what {
                0 => {
                    let mut text = log.0.lines.join("\n").into_bytes();
                    let place = place.index(text.len());
                    prop_assume!(text[place] != byte);
                    text[place] = byte;
                    let text = String::from_utf8_lossy(&text).into_owned();
                    edited.0.lines = text.split('\n').map(str::to_owned).collect();
                }
                1 => drop(edited.0.lines.remove(at)),
                2 => {
                    prop_assume!(at + 1 < lines);
                    let other = at + 1 + place.index(lines - at - 1);
                    edited.0.lines.swap(at, other);
                }
                _ => edited.0.lines.insert(place.index(lines + 1), log.0.lines[at].clone()),
            }
            let found = edited.walk();
            prop_assert!(found.broken.is_some(), "{:?}", edited.0);
            // Lines that are named as intact are the old ones.
            let same = edited.0.lines.iter().zip(&log.0.lines).take_while(|(new, old)| new == old).count();
            prop_assert!(found.intact <= same, "{found:?}");
        }

        /// Processes that are killed at any moment leave a log that is whole.
        #[test]
        fn a_kill_at_any_moment_leaves_a_whole_log(steps in prop::collection::vec((0_u8..5, any::<prop::sample::Index>()), 1..12)) {
            let mut log = Log::default();
            for (number, (dies, cut)) in steps.into_iter().enumerate() {
                let (line, before, after) = log.adding(number);
                if dies == 0 {
                    continue;
                }
                log.0.end = Some(before);
                if dies == 1 {
                    continue;
                }
                if dies == 2 {
                    let cut = (1..line.len()).rev().find(|at| *at <= 1 + cut.index(line.len()) && line.is_char_boundary(*at));
                    log.0.lines.push(line[..cut.unwrap_or(1)].to_owned());
                } else {
                    log.0.lines.push(line);
                }
                if dies == 4 {
                    log.0.end = Some(after);
                }
                prop_assert_eq!(log.walk().broken, None, "{:?}", log.0);
            }
            let walk = log.walk();
            prop_assert_eq!(walk.broken, None, "{:?}", log.0);
        }
    }
}
