//! A log in parts of at most some 256 KiB: a line is added to the last one by compare-and-swap.
//!
//! A line that follows the one before it is first written beside the log, together with where
//! the log ends then: that write is the one that counts. If its process ends before the line is
//! in its part, readers see it all the same, and the next writer adds it.

use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::storage::shared::objects::{
    Expected, Got, Logs, Object, REPEATS, SCHEMA_VERSION, Server, Written, check_version, guard,
};
use crate::storage::{Link, RemoteError, WholeLog, names};

/// From this size on a part is complete.
const COMPLETE: usize = 256 * 1024;

/// The logs of a bucket, in parts.
#[derive(Debug)]
pub struct Parts {
    server: Server,
    /// The last part of each log, by its number, as it was last read or written here.
    last: Mutex<HashMap<String, (u32, Object)>>,
    /// Where each log ends, as it was last read or written here.
    ends: Mutex<HashMap<String, (LogTail, String)>>,
}

/// `log.end.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LogTail {
    schema_version: u64,
    /// Where the log ends, as its writer says it.
    end: String,
    /// The last line, which may not be in its part yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    /// SHA-256 of the line before that, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
}

impl LogTail {
    /// The last line, if it is the one that is missing after `last`.
    fn missing_after(&self, last: Option<&str>) -> Option<&str> {
        self.line.as_deref().filter(|line| last != Some(*line) && self.follows == last.map(digest))
    }
}

fn digest(line: &str) -> String {
    hex::encode(Sha256::digest(line))
}

type Part = (u32, Object);

fn last_line(part: Option<&Part>) -> Option<&str> {
    part?.1.text.lines().next_back()
}

/// `log/` for `log.jsonl`.
fn directory(log: &str) -> String {
    format!("{}/", log.trim_end_matches(".jsonl"))
}

fn key(log: &str, number: u32) -> String {
    format!("{}{number:08}.jsonl", directory(log))
}

impl Parts {
    pub fn new(server: Server) -> Self {
        Self { server, last: Mutex::default(), ends: Mutex::default() }
    }

    fn get(&self, key: &str) -> Result<Option<Object>, RemoteError> {
        match self.server.get(key, None)? {
            Got::Found(found) => Ok(Some(found)),
            Got::Absent | Got::Same => Ok(None),
        }
    }

    fn numbers(&self, log: &str) -> Result<Vec<u32>, RemoteError> {
        let names = self.server.list(&directory(log))?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".jsonl")?.parse().ok()).collect())
    }

    /// Where the log ends, asked for now.
    fn end(&self, log: &str) -> Result<Option<(LogTail, String)>, RemoteError> {
        let key = names::end_of(log);
        let Some(found) = self.get(&key)? else { return Ok(None) };
        let document = self.server.shown(&key);
        let end: LogTail = serde_json::from_str(&found.text)
            .map_err(|error| RemoteError::Damaged { document: document.clone(), why: error.to_string() })?;
        check_version(end.schema_version, document)?;
        Ok(Some((end, found.tag)))
    }

    fn lines(&self, log: &str) -> Result<Vec<String>, RemoteError> {
        let mut lines = Vec::new();
        for number in self.numbers(log)? {
            let part = self.get(&key(log, number))?;
            lines.extend(part.iter().flat_map(|part| part.text.lines()).map(str::to_owned));
        }
        Ok(lines)
    }

    /// The last part, as far as known.
    fn last(&self, log: &str) -> Result<Option<Part>, RemoteError> {
        if let Some(last) = guard(&self.last).get(log) {
            return Ok(Some(last.clone()));
        }
        match self.numbers(log)?.pop() {
            Some(number) => Ok(self.get(&key(log, number))?.map(|part| (number, part))),
            None => Ok(None),
        }
    }

    /// Adds lines after the last part, and returns whether that was still the last.
    fn add(&self, log: &str, last: Option<Part>, lines: &str) -> Result<bool, RemoteError> {
        let (number, text, expected) = match last {
            Some((number, part)) if part.text.len() < COMPLETE => {
                // Half a line stays one of its own.
                let gap = if part.text.is_empty() || part.text.ends_with('\n') { "" } else { "\n" };
                (number, part.text + gap + lines + "\n", Expected::Tag(part.tag))
            }
            Some((number, _)) => (number + 1, format!("{lines}\n"), Expected::Absent),
            None => (1, format!("{lines}\n"), Expected::Absent),
        };
        match self.server.put(&key(log, number), &text, expected)? {
            Written::Done(tag) => drop(guard(&self.last).insert(log.into(), (number, Object { text, tag }))),
            Written::Lost => {
                guard(&self.last).remove(log);
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Logs for Parts {
    fn whole(&self, log: &str) -> Result<WholeLog, RemoteError> {
        let mut end = self.end(log)?;
        for _ in 0..REPEATS {
            let mut lines = self.lines(log)?;
            let now = self.end(log)?;
            if now == end {
                let missing = end.as_ref().and_then(|(end, _)| end.missing_after(lines.last().map(String::as_str)));
                lines.extend(missing.map(str::to_owned));
                return Ok(WholeLog { lines, end: end.map(|(end, _)| end.end) });
            }
            end = now;
        }
        Err(RemoteError::Contended { document: self.server.shown(&directory(log)), tries: REPEATS })
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), RemoteError> {
        for tried in 1..=REPEATS {
            if self.add(log, self.last(log)?, lines)? {
                return Ok(());
            }
            self.server.pause(tried)?;
        }
        Err(RemoteError::Contended { document: self.server.shown(&directory(log)), tries: REPEATS })
    }

    fn can_append(&self, log: &str) -> Result<(), RemoteError> {
        if let Some(end) = self.end(log)? {
            guard(&self.ends).insert(log.into(), end);
        }
        Ok(())
    }

    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), RemoteError> {
        let mut sent: Option<String> = None;
        for tried in 1..=REPEATS {
            let known = guard(&self.ends).get(log).cloned();
            let end = known.map_or_else(|| self.end(log), |known| Ok(Some(known)))?;
            let last = self.last(log)?;
            // What had no answer may have arrived, and other lines may follow it by now.
            let is_sent = |line: &str| Some(line) == sent.as_deref();
            if end.as_ref().and_then(|(end, _)| end.line.as_deref()).is_some_and(is_sent)
                || last.as_ref().is_some_and(|(_, part)| part.text.lines().any(is_sent))
            {
                return Ok(());
            }
            let line = last_line(last.as_ref());
            if let Some(missing) = end.as_ref().and_then(|(end, _)| end.missing_after(line)) {
                let missing = missing.to_owned();
                self.add(log, last, &missing)?;
                continue;
            }
            let follows = line.map(digest);
            let linked = next(end.as_ref().map(|(end, _)| end.end.as_str()), line.map(|line| (line.as_bytes(), 0)));
            let new =
                LogTail { schema_version: SCHEMA_VERSION, end: linked.after, line: Some(linked.line.clone()), follows };
            let expected = end.map_or(Expected::Absent, |(_, tag)| Expected::Tag(tag));
            if let Written::Done(tag) = self.server.put(&names::end_of(log), &text_of(&new), expected)? {
                guard(&self.ends).insert(log.into(), (new, tag));
                // The line counts by now. Where this fails, or another process was faster, the next
                // one adds it.
                let _ = self.add(log, last, &linked.line);
                return Ok(());
            }
            sent = Some(linked.line);
            guard(&self.ends).remove(log);
            guard(&self.last).remove(log);
            self.server.pause(tried)?;
        }
        Err(RemoteError::Contended { document: self.server.shown(&directory(log)), tries: REPEATS })
    }

    fn set_end(&self, log: &str, end: &str) -> Result<(), RemoteError> {
        let end = LogTail { schema_version: SCHEMA_VERSION, end: end.into(), line: None, follows: None };
        guard(&self.ends).remove(log);
        match self.server.put(&names::end_of(log), &text_of(&end), Expected::Anything)? {
            Written::Done(_) => Ok(()),
            Written::Lost => Err(RemoteError::Changed { document: self.server.shown(&names::end_of(log)) }),
        }
    }

    fn remove(&self, log: &str) -> Result<(), RemoteError> {
        for number in self.numbers(log)? {
            self.server.delete(&key(log, number), None)?;
        }
        self.server.delete(&names::end_of(log), None)?;
        guard(&self.last).remove(log);
        guard(&self.ends).remove(log);
        Ok(())
    }
}

fn text_of(end: &LogTail) -> String {
    serde_json::to_string(end).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}
