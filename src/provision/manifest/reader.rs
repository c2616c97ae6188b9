//! What all parts of the reader share: it goes on after a mistake and keeps them all.

use std::fmt::Display;
use std::rc::Rc;
use std::str::FromStr;

use super::keys::{Instead, Level};
use super::node::{Entry, Node, Value};
use super::place::{At, Mistake, Place, harmless, shown};
use super::scalar::Plain;

/// Something that was given, where, and what it is if it can be used.
#[derive(Clone, Debug)]
pub(super) struct Spot<T> {
    pub at: At,
    /// `None`: it was given and is wrong, which was said.
    pub value: Option<T>,
}

/// What was found in all files so far.
pub(super) struct Reader<'t> {
    /// The files as they are shown, by their number.
    names: Vec<&'t str>,
    mistakes: Vec<Found>,
    doubts: Vec<Found>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    at: At,
    message: String,
    nearest: Option<String>,
}

impl<'t> Reader<'t> {
    pub fn new(names: Vec<&'t str>) -> Self {
        Self { names, mistakes: Vec::new(), doubts: Vec::new() }
    }

    /// A place for people.
    pub fn place(&self, at: At) -> Place {
        let file = self.names.get(at.file).copied().unwrap_or_default().to_owned();
        Place { file, line: at.line, column: at.column }
    }

    /// Notes a mistake.
    pub fn wrong(&mut self, at: At, message: impl Into<String>) {
        self.mistakes.push(Found { at, message: message.into(), nearest: None });
    }

    /// Notes a mistake that has a word near to it.
    pub fn wrong_near(&mut self, at: At, message: impl Into<String>, nearest: Option<&str>) {
        self.mistakes.push(Found { at, message: message.into(), nearest: nearest.map(str::to_owned) });
    }

    /// Notes what is merely odd about `text`.
    pub fn doubt(&mut self, at: At, message: &str, text: &str) {
        self.doubts.push(Found { at, message: harmless(message, text), nearest: None });
    }

    /// The mistakes, or else the doubts, in the order of files and lines; each once, however
    /// often an alias repeats it.
    pub fn end(mut self) -> Result<Vec<Mistake>, Vec<Mistake>> {
        let wrong = !self.mistakes.is_empty();
        let mut found = std::mem::take(if wrong { &mut self.mistakes } else { &mut self.doubts });
        found.sort();
        found.dedup();
        let found = found.into_iter();
        let found = found.map(|Found { at, message, nearest }| Mistake { place: self.place(at), message, nearest });
        if wrong { Err(found.collect()) } else { Ok(found.collect()) }
    }

    /// The entries of the mapping that `what` should be.
    pub fn mapping<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Entry]> {
        let Value::Mapping(entries) = &node.value else {
            return self.other(what, node, || format!("'{what}' is a mapping: keys with values below it"));
        };
        Some(entries)
    }

    /// The same; keys that `level` does not have are said.
    pub fn known<'n>(&mut self, what: &str, node: &'n Node, level: &Level) -> Option<&'n [Entry]> {
        let entries = self.mapping(what, node)?;
        for entry in entries.iter().filter(|entry| !level.keys.contains(&entry.key.as_str())) {
            self.unknown(entry, level);
        }
        Some(entries)
    }

    fn unknown(&mut self, entry: &Entry, level: &Level) {
        let message = format!("unknown key {}", shown(&entry.key));
        match level.instead(&entry.key) {
            Instead::Nearest(known) => self.wrong_near(entry.at, message, Some(known)),
            Instead::Elsewhere(words) => self.wrong(entry.at, format!("{message}: {words}")),
            Instead::Unknown => {
                self.wrong(entry.at, format!("{message}: the keys here are {}", level.keys.join(", ")));
            }
        }
    }

    /// The items of the list that `what` should be.
    pub fn list<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Rc<Node>]> {
        let Value::List(items) = &node.value else {
            return self.other(what, node, || format!("'{what}' is a list: [one, two], or a line with '- ' for each"));
        };
        Some(items)
    }

    /// The text that `what` should be.
    pub fn text<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n str> {
        let Value::Text(text) = &node.value else {
            return self.other(what, node, || match &node.value {
                Value::Word(_, plain) => {
                    format!("'{what}' is a text, and this is {} to YAML: write it in quotes", plain.words())
                }
                _ => format!("'{what}' is a text"),
            });
        };
        Some(text)
    }

    /// Says what `what` should be, where it is something else and not said to be so yet.
    pub fn other<T>(&mut self, what: &str, node: &Node, message: impl FnOnce() -> String) -> Option<T> {
        match &node.value {
            Value::Unusable => {}
            Value::Word(_, Plain::Nothing) => {
                self.wrong(node.at, format!("'{what}' has no value: omit the key to keep it as it is"));
            }
            _ => self.wrong(node.at, message()),
        }
        None
    }

    /// A text that has to be acceptable to the type it becomes.
    pub fn field<T: FromStr<Err: Display>>(&mut self, what: &str, node: &Node) -> Spot<T> {
        let value = self.text(what, node).and_then(|text| match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let error: T::Err = error;
                self.wrong(node.at, harmless(&error.to_string(), text));
                None
            }
        });
        Spot { at: node.at, value }
    }

    /// Says what is missing at a place.
    pub fn missing(&mut self, at: At, what: &str) {
        self.wrong(at, format!("missing: {what}"));
    }
}
