//! The state that all parts of the reader share: it collects mistakes and reads on.

use std::fmt::Display;
use std::rc::Rc;
use std::str::FromStr;

use super::keys::{Instead, Level};
use super::node::{Entry, Node, Value};
use super::place::{At, Mistake, Place, harmless, shown};
use super::scalar::Plain;

/// A value that was given, with its place.
#[derive(Clone, Debug)]
pub(super) struct Spot<T> {
    pub at: At,
    /// `None`: it is not valid, and the mistake was reported.
    pub value: Option<T>,
}

/// Everything found in the files so far.
pub(super) struct Reader<'t> {
    /// The files' names as shown, by number.
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

    /// A place for showing.
    pub fn place(&self, at: At) -> Place {
        let file = self.names.get(at.file).copied().unwrap_or_default().to_owned();
        Place { file, line: at.line, column: at.column }
    }

    /// Reports a mistake.
    pub fn wrong(&mut self, at: At, message: impl Into<String>) {
        self.mistakes.push(Found { at, message: message.into(), nearest: None });
    }

    /// Reports a mistake with a similar word.
    pub fn wrong_near(&mut self, at: At, message: impl Into<String>, nearest: Option<&str>) {
        self.mistakes.push(Found { at, message: message.into(), nearest: nearest.map(str::to_owned) });
    }

    /// Reports something odd about `text`.
    pub fn doubt(&mut self, at: At, message: &str, text: &str) {
        self.doubts.push(Found { at, message: harmless(message, text), nearest: None });
    }

    /// The mistakes, or else the oddities, ordered by file and line; each once, however often an
    /// alias repeats it.
    pub fn end(mut self) -> Result<Vec<Mistake>, Vec<Mistake>> {
        let wrong = !self.mistakes.is_empty();
        let mut found = std::mem::take(if wrong { &mut self.mistakes } else { &mut self.doubts });
        found.sort();
        found.dedup();
        let found = found.into_iter();
        let found = found.map(|Found { at, message, nearest }| Mistake { place: self.place(at), message, nearest });
        if wrong { Err(found.collect()) } else { Ok(found.collect()) }
    }

    /// The entries of the mapping `what`; reports any other value.
    pub fn mapping<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Entry]> {
        let Value::Mapping(entries) = &node.value else {
            return self.other(what, node, || format!("'{what}' is a mapping: keys with values below it"));
        };
        Some(entries)
    }

    /// The same; reports keys that `level` does not have.
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

    /// The items of the list `what`; reports any other value.
    pub fn list<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Rc<Node>]> {
        let Value::List(items) = &node.value else {
            return self.other(what, node, || format!("'{what}' is a list: [one, two], or a line with '- ' for each"));
        };
        Some(items)
    }

    /// The text `what`; reports any other value.
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

    /// Reports the value `what` as a mistake, unless it already was.
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

    /// A text, parsed as the type of its field.
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

    /// Reports a missing key at a place.
    pub fn missing(&mut self, at: At, what: &str) {
        self.wrong(at, format!("missing: {what}"));
    }
}
