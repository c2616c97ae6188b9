//! The chain of the log: each line carries a number (`seq`) and the digest of the line before
//! it (`prev`), so that a line that was changed, removed, moved or added is found.
//!
//! Beside the log stands where it ends ([`LogEnd`]): without that, nothing would show that the
//! last lines were cut off. It is written before a line is added and after it, so a process that
//! is killed between leaves a log that is known to be whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// `prev` of the first line of a log.
const NONE: &str = "none";

/// Where the log ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEnd {
    /// The number of the last line.
    pub seq: u64,
    /// SHA-256 of its bytes, in hexadecimal digits; `none` where there is no line.
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

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is not what it was when the next line was written.
    Changed,
    /// One or more lines that stood here are missing.
    Missing,
    /// It stands where another line was, or a second time, or was added.
    OutOfPlace,
    /// It carries no digest of the line before it.
    Unlinked,
}

/// The first line that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The line, from 1; of missing ones the place of the first.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
    /// The same in words: `line 7 was changed`.
    pub summary: String,
}

/// What a walk over the chain found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Walk {
    /// The number of lines in the log.
    pub lines: usize,
    /// How many lines of the chain are as they were written, up to the first that is not.
    pub intact: usize,
    /// Where the chain begins, from 1; `null`: no line carries a digest.
    pub begins: Option<usize>,
    /// Whether the first line follows lines that were moved away, all together.
    pub follows_moved: bool,
    /// Lines that a killed process left unfinished, from 1.
    pub unfinished: Vec<usize>,
    /// The first line that is not as it was written.
    pub broken: Option<Broken>,
}

/// A line, read.
struct Link<'l> {
    text: &'l str,
    digest: String,
    /// Its number, and the digest of the line before it; `None`: it carries none.
    of: Option<(u64, String)>,
    is_json: bool,
}

impl<'l> Link<'l> {
    fn read(text: &'l str) -> Self {
        let value = serde_json::from_str::<Value>(text).ok();
        let of = |value: &Value| Some((value.get("seq")?.as_u64()?, value.get("prev")?.as_str()?.to_owned()));
        let of = value.as_ref().and_then(of);
        Self { text, digest: digest(text.as_bytes()), of, is_json: value.is_some() }
    }

    fn follows(&self, digest: &str) -> bool {
        self.of.as_ref().is_some_and(|(_, prev)| prev == digest)
    }
}

/// Walks over the chain, up to the first line that is not as it was written.
pub fn walk(log: &LogText) -> Walk {
    let links: Vec<Link<'_>> = log.lines.iter().map(|line| Link::read(line)).collect();
    let begins = links.iter().position(|link| link.of.is_some());
    let mut walk = Walk { lines: links.len(), begins: begins.map(|at| at + 1), ..Walk::default() };
    let first = begins.unwrap_or(links.len());
    let after = log.end.as_ref().and_then(|end| end.after.as_ref());
    let follows = |digest: &str| match links.get(first) {
        Some(link) => link.follows(digest),
        None => log.end.as_ref().is_none_or(|end| end.digest == digest),
    };
    let mut walker = Walker { links: &links, end: log.end.as_ref(), begins, ..Walker::default() };
    // Lines before the first of the chain are as an older version left them, or unfinished ones
    // of processes that were killed while they began the chain.
    let mut start = first;
    match (first.checked_sub(1).map(|before| &links[before].digest), after) {
        (Some(before), _) if follows(before) => walker.before.clone_from(before),
        (None, Some(after)) if follows(after) => {
            walk.follows_moved = begins.is_some();
            walker.before.clone_from(after);
            walker.last = links.first().and_then(|link| link.of.as_ref()).map_or(0, |(seq, _)| seq.saturating_sub(1));
        }
        _ => {
            while start > 0 && !links[start - 1].is_json {
                start -= 1;
            }
            let before = start.checked_sub(1).map_or(NONE, |before| &links[before].digest);
            before.clone_into(&mut walker.before);
        }
    }
    let ended = (start..links.len()).try_for_each(|at| walker.step(at)).and_then(|()| walker.end());
    walk.unfinished = walker.unfinished.iter().map(|at| at + 1).collect();
    walk.broken = ended.err();
    let good = walk.broken.as_ref().map_or(links.len(), |broken| broken.line - 1);
    walk.intact = good.saturating_sub(first);
    walk
}

#[derive(Default)]
struct Walker<'l> {
    links: &'l [Link<'l>],
    end: Option<&'l LogEnd>,
    begins: Option<usize>,
    /// What the next line should carry.
    before: String,
    /// The same, before the last unfinished line.
    before_torn: String,
    /// The number of the last line.
    last: u64,
    /// Unfinished lines.
    unfinished: Vec<usize>,
    /// The first unfinished line that no later line has confirmed.
    torn: Option<usize>,
}

fn broken<T>(line: usize, fault: Fault, summary: String) -> Result<T, Broken> {
    Err(Broken { line, fault, summary })
}

impl Walker<'_> {
    fn step(&mut self, at: usize) -> Result<(), Broken> {
        let (link, number) = (&self.links[at], at + 1);
        let Some((seq, _)) = &link.of else {
            if link.is_json {
                let words = "carries no digest of the line before it: a person or an older version wrote it";
                return broken(number, Fault::Unlinked, format!("line {number} {words}"));
            }
            self.torn.get_or_insert(at);
            self.unfinished.push(at);
            self.before_torn = std::mem::take(&mut self.before);
            self.before = and_torn(&self.before_torn, link.text.as_bytes());
            return Ok(());
        };
        if !link.follows(&self.before) {
            return self.torn.map_or_else(|| self.does_not_follow(at, *seq), of_torn);
        }
        if *seq != self.last + 1 {
            let words = "the file that says where the log ends was missing when it was written";
            return match seq {
                1 => broken(number, Fault::OutOfPlace, format!("the chain begins again at line {number}: {words}")),
                _ => broken(number, Fault::Changed, format!("line {number} was changed")),
            };
        }
        (self.last, self.torn) = (*seq, None);
        self.before.clone_from(&link.digest);
        Ok(())
    }

    /// Why a line does not follow the one before it.
    fn does_not_follow(&self, at: usize, seq: u64) -> Result<(), Broken> {
        let (link, number, next) = (&self.links[at], at + 1, self.last + 1);
        // Whether it is as it was when the next one was written.
        let is_sound = match self.links.get(at + 1) {
            Some(next) => next.follows(&link.digest),
            None => self.end.is_some_and(|end| end.is(&link.digest)),
        };
        if seq == next {
            return match at {
                0 => broken(number, Fault::Changed, "line 1 was changed".into()),
                at if is_sound => broken(at, Fault::Changed, format!("line {at} was changed")),
                at => broken(at, Fault::Changed, format!("line {at} or line {number} was changed")),
            };
        }
        if seq > next && (is_sound || at == 0) {
            return broken(number, Fault::Missing, format!("one or more lines before line {number} are missing"));
        }
        broken(number, Fault::OutOfPlace, format!("line {number} is out of place"))
    }

    /// Whether the log ends where it should.
    fn end(&self) -> Result<(), Broken> {
        let lines = self.links.len();
        let Some(end) = self.end else {
            let words = "the file that says where the log ends is missing; lines at its end may be missing too";
            return match self.begins {
                Some(_) => broken(lines + 1, Fault::Missing, words.into()),
                None => Ok(()),
            };
        };
        // The last line may be a part of the one that was being added.
        let is_torn = self.torn.is_some() && end.coming.is_some() && end.digest == self.before_torn;
        let is_moved = lines == 0 && end.begins_anew();
        if end.is(&self.before) || is_torn || is_moved {
            return Ok(());
        }
        if lines == 0 {
            return broken(1, Fault::Missing, "the log is empty, and had lines".into());
        }
        if let Some(at) = self.links.iter().rposition(|link| end.is(&link.digest)) {
            return broken(at + 2, Fault::OutOfPlace, format!("line {} was added after the end of the log", at + 2));
        }
        match self.torn {
            Some(torn) => of_torn(torn),
            None if self.last == end.seq => broken(lines, Fault::Changed, format!("line {lines} was changed")),
            None => broken(lines + 1, Fault::Missing, format!("one or more lines after line {lines} are missing")),
        }
    }
}

/// A line that is not JSON, and that no later line confirms.
fn of_torn<T>(at: usize) -> Result<T, Broken> {
    let line = at + 1;
    broken(line, Fault::Changed, format!("line {line} was changed or added: it is not a line of the log"))
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
