//! Walks over the chain of the log, and names the first line that is not as it was written.

use serde::Serialize;
use serde_json::Value;

use super::{LogEnd, LogText, NONE, and_torn, digest};

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
