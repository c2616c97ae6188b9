//! A log in parts of at most some 256 KiB: a line is added to the last one by compare-and-swap.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::REPEATS;
use super::bucket::{Bucket, Expected, Got, Object, Written, guard, pause};
use crate::storage::RemoteError;

/// From this size on a part is complete.
const COMPLETE: usize = 256 * 1024;

/// The logs of a bucket.
#[derive(Debug)]
pub struct Log {
    bucket: Arc<Bucket>,
    /// The last part of each log, by its number, as it was last read or written here.
    last: Mutex<HashMap<String, (u32, Object)>>,
}

/// `log/` for `log.jsonl`.
fn directory(log: &str) -> String {
    format!("{}/", log.trim_end_matches(".jsonl"))
}

fn key(log: &str, number: u32) -> String {
    format!("{}{number:08}.jsonl", directory(log))
}

impl Log {
    pub fn new(bucket: Arc<Bucket>) -> Self {
        Self { bucket, last: Mutex::default() }
    }

    fn get(&self, key: String) -> Result<Option<Object>, RemoteError> {
        match self.bucket.wait(|bucket| async move { bucket.get(&key, None).await })? {
            Got::Found(found) => Ok(Some(found)),
            Got::Absent | Got::Same => Ok(None),
        }
    }

    fn numbers(&self, log: &str) -> Result<Vec<u32>, RemoteError> {
        let prefix = directory(log);
        let names = self.bucket.wait(move |bucket| async move { bucket.list(&prefix).await })?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".jsonl")?.parse().ok()).collect())
    }

    pub fn lines(&self, log: &str) -> Result<Vec<String>, RemoteError> {
        let mut lines = Vec::new();
        for number in self.numbers(log)? {
            let part = self.get(key(log, number))?;
            lines.extend(part.iter().flat_map(|part| part.text.lines()).map(str::to_owned));
        }
        Ok(lines)
    }

    pub fn append(&self, log: &str, lines: &str) -> Result<(), RemoteError> {
        for tried in 1..=REPEATS {
            let last = guard(&self.last).get(log).cloned();
            let last = match last {
                Some(last) => Some(last),
                None => match self.numbers(log)?.pop() {
                    Some(number) => self.get(key(log, number))?.map(|part| (number, part)),
                    None => None,
                },
            };
            let (number, text, expected) = match last {
                Some((number, part)) if part.text.len() < COMPLETE => {
                    (number, part.text + lines + "\n", Expected::Tag(part.etag))
                }
                Some((number, _)) => (number + 1, format!("{lines}\n"), Expected::Absent),
                None => (1, format!("{lines}\n"), Expected::Absent),
            };
            let (at, sent) = (key(log, number), text.clone());
            match self.bucket.wait(|bucket| async move { bucket.put(&at, &sent, &expected).await })? {
                Written::Done(etag) => {
                    guard(&self.last).insert(log.into(), (number, Object { text, etag }));
                    return Ok(());
                }
                Written::Lost => drop(guard(&self.last).remove(log)),
            }
            self.bucket.wait(move |_| async move {
                pause(tried.min(2)).await;
                Ok(())
            })?;
        }
        Err(RemoteError::Contended { document: self.bucket.shown(&directory(log)), tries: REPEATS })
    }

    pub fn remove(&self, log: &str) -> Result<(), RemoteError> {
        for number in self.numbers(log)? {
            let at = key(log, number);
            self.bucket.wait(|bucket| async move { bucket.delete(&at, None).await })?;
        }
        guard(&self.last).remove(log);
        Ok(())
    }
}
