//! Reads the log: the last change, undone changes, and what came after a change.

use std::collections::HashMap;

use super::entry::{DONE, Entry};
use crate::operations::{Error, Workspace};

/// The changes made here, the oldest first.
pub struct History {
    pub entries: Vec<Entry>,
    /// The number of changes before a line that a newer version wrote or that was edited.
    unknown: Option<usize>,
}

/// Whether a change can still be undone, according to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Stands,
    /// It was undone, by the change with this id.
    Undone(String),
    /// Its records have changed since, by the change with this id or outside msgrctl.
    Changed(Option<String>),
    /// Only its fields are known: only secrets changed, or an older version logged it.
    WithoutValues,
}

impl History {
    /// Reads the log, without a line that a killed process left unfinished.
    pub fn read(workspace: &Workspace) -> Result<Self, Error> {
        let mut history = Self { entries: Vec::new(), unknown: None };
        for line in workspace.records()?.log()? {
            match serde_json::from_str(&line) {
                Ok(entry) => history.entries.push(entry),
                Err(error) if error.is_data() => history.unknown = Some(history.entries.len()),
                Err(_) => {}
            }
        }
        Ok(history)
    }

    /// Whether what came after `entry` is known: an unreadable line may be any change.
    pub fn knows_what_follows(&self, entry: &Entry) -> bool {
        let at = self.entries.iter().position(|known| known == entry);
        self.unknown.is_none_or(|unknown| at.is_some_and(|at| at >= unknown))
    }

    /// The last change made here.
    pub fn last(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.is_local())
    }

    /// The change whose id begins with `id`.
    ///
    /// # Errors
    ///
    /// There is none, several match, or it changed something only at Meta.
    pub fn find(&self, id: &str) -> Result<&Entry, Error> {
        const SHORTEST: usize = 4;
        let shown = crate::text::excerpt(id, 40);
        let all = "msgrctl undo --list";
        if id.len() < SHORTEST {
            return Err(Error::usage(format!(
                "'{shown}' is too short for the id of a change: give {SHORTEST} characters of it, or more"
            ))
            .hint(all));
        }
        let id = id.to_ascii_lowercase();
        let found: Vec<&Entry> = self.entries.iter().filter(|entry| entry.id.starts_with(&id)).collect();
        match found.as_slice() {
            [] => Err(Error::failed(format!("there is no change '{shown}'")).hint(all)),
            [one] if !one.is_local() => Err(Error::failed(format!(
                "'{}' changed something only at Meta, which cannot be undone here",
                one.command
            ))
            .hint("to see what is at Meta: msgrctl webhook status --all")),
            [one] => Ok(one),
            _ => Err(Error::usage(format!("{} changes begin with '{shown}'", found.len())).hint(all)),
        }
    }

    /// The changes after `entry` that still stand, without undone changes and their undoing.
    pub fn after(&self, entry: &Entry) -> Vec<&Entry> {
        let at = self.entries.iter().position(|known| known.id == entry.id).map_or(self.entries.len(), |at| at + 1);
        standing(&self.entries[at..])
    }

    /// Whether a change can be undone, according to the log.
    pub fn standing(&self, entry: &Entry) -> Standing {
        self.standings(std::slice::from_ref(&entry)).remove(0)
    }

    /// The same for several changes.
    pub fn standings(&self, entries: &[&Entry]) -> Vec<Standing> {
        let mut undone: HashMap<&str, &Entry> = HashMap::new();
        for entry in &self.entries {
            let Some(target) = undoes(entry) else { continue };
            // An undo that was itself undone does not count.
            undone.retain(|_, by| by.id != target);
            undone.insert(target, entry);
        }
        entries.iter().map(|entry| Self::standing_of(entry, undone.get(entry.id.as_str()).copied())).collect()
    }

    fn standing_of(entry: &Entry, undone_by: Option<&Entry>) -> Standing {
        if let Some(by) = undone_by {
            return Standing::Undone(by.id.clone());
        }
        if entry.has_values() { Standing::Stands } else { Standing::WithoutValues }
    }
}

/// The change that an entry undid; a partial undo is a change of its own.
fn undoes(entry: &Entry) -> Option<&str> {
    entry.undoes.as_deref().filter(|_| entry.result == DONE)
}

/// The changes of `entries` that no other of them undid.
fn standing(entries: &[Entry]) -> Vec<&Entry> {
    let mut standing: Vec<&Entry> = Vec::new();
    // What an undo removed from the list; it returns when that is undone.
    let mut undone: Vec<(&str, &Entry)> = Vec::new();
    for entry in entries {
        let Some(target) = undoes(entry) else {
            standing.push(entry);
            continue;
        };
        if let Some(at) = standing.iter().position(|known| known.id == target) {
            undone.push((&entry.id, standing.remove(at)));
        } else if let Some(at) = undone.iter().position(|(by, _)| *by == target) {
            standing.push(undone.remove(at).1);
        } else {
            standing.push(entry);
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Who;

    fn entry(id: &str, undoes: Option<&str>) -> Entry {
        Entry {
            id: id.into(),
            time: String::new(),
            who: Who::default(),
            command: "account edit".into(),
            tenant: "default".into(),
            changes: Vec::new(),
            result: "done".into(),
            undoes: undoes.map(str::to_owned),
        }
    }

    fn ids(entries: &[Entry]) -> Vec<&str> {
        standing(entries).into_iter().map(|entry| entry.id.as_str()).collect()
    }

    #[test]
    fn what_was_undone_does_not_stand_until_the_undo_is_undone() {
        let all = [entry("a", None), entry("b", None), entry("c", Some("a")), entry("d", Some("c"))];
        assert_eq!(ids(&all[..2]), ["a", "b"]);
        assert_eq!(ids(&all[..3]), ["b"]);
        assert_eq!(ids(&all), ["b", "a"]);
        assert_eq!(ids(&all[1..3]), ["b", "c"], "an undo of what is not among them is a change of its own");
        let in_part = Entry { result: "partial".into(), ..entry("p", Some("a")) };
        assert_eq!(ids(&[entry("a", None), in_part.clone()]), ["a", "p"]);
        assert_eq!(ids(&[entry("a", None), in_part, entry("c", Some("a"))]), ["p"], "another run has undone it");
    }

    #[test]
    fn a_change_is_found_by_the_beginning_of_its_id() {
        let history = History { entries: vec![entry("abcdef", None), entry("abcdxx", None)], unknown: None };
        let message = |id: &str| history.find(id).expect_err("refused").message().to_owned();
        assert!(message("abcd").contains("2 changes begin with"));
        assert!(message("ABCDE").contains("only at Meta"));
        assert!(message("ab").contains("too short"));
        assert!(message("zzzz").contains("there is no change 'zzzz'"));
    }
}
