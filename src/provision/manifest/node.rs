//! A manifest as a tree in which every key and value knows its place.
//!
//! Built from the parser's events. Reports what no manifest may contain (a duplicate key, tags,
//! merge keys, a second document); it does not know the meaning of keys.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::keys;
use super::place::At;
use super::scalar::Plain;

/// The deepest nesting, with aliases expanded.
const DEPTH: usize = 40;

/// The most values that aliases may stand for in total. Ten thousand accounts that share values
/// need a fifth of it; a file that multiplies itself is refused.
const REPEATED: usize = 256 * 1024;

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    pub at: At,
    pub value: Value,
    depth: usize,
    size: usize,
    /// How much of its size comes from aliases.
    repeated: usize,
}

/// The kind of a value.
#[derive(Debug)]
pub(super) enum Value {
    /// A quoted text, or an unquoted word that is a text.
    Text(String),
    /// An unquoted word that YAML reads as something else.
    Word(String, Plain),
    List(Vec<Rc<Node>>),
    /// Each key occurs once.
    Mapping(Vec<Entry>),
    /// Not usable, and already reported.
    Unusable,
}

impl Node {
    /// As JSON, with aliases expanded and without comments. A manifest that is read from it is
    /// the same.
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Word(text, Plain::Truth) => match text.to_ascii_lowercase().as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => text.as_str().into(),
            },
            Value::Word(text, Plain::Number) => text.parse::<u64>().map_or_else(|_| text.as_str().into(), Into::into),
            Value::Text(text) | Value::Word(text, Plain::Date | Plain::Text) => text.as_str().into(),
            Value::Word(_, Plain::Nothing) | Value::Unusable => serde_json::Value::Null,
            Value::List(items) => items.iter().map(|item| item.json()).collect(),
            Value::Mapping(entries) => {
                let member = |entry: &Entry| (entry.key.clone(), entry.value.json());
                serde_json::Value::Object(entries.iter().map(member).collect())
            }
        }
    }
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub at: At,
    pub value: Rc<Node>,
}

/// A mistake and its place.
pub(super) type Wrong = (At, String);

/// Reads a text as the file with this number: the tree if the syntax is valid, and all mistakes.
pub(super) fn read(file: usize, text: &str) -> (Option<Rc<Node>>, Vec<Wrong>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder { file, root: None, open: Vec::new(), anchors: HashMap::new(), wrong: Vec::new() };
    for event in Parser::new_from_str(text) {
        let done = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let mark = error.marker();
                let at = At { file, line: mark.line(), column: mark.col() + 1 };
                Err((at, error.info()))
            }
        };
        if let Err(wrong) = done {
            builder.wrong.push(wrong);
            return (None, builder.wrong);
        }
    }
    if builder.root.is_none() {
        let at = At { file, line: 1, column: 1 };
        builder.wrong.push((at, "the file is empty: a manifest begins with 'version: 1'".into()));
    }
    (builder.root, builder.wrong)
}

struct Builder {
    file: usize,
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    wrong: Vec<Wrong>,
}

/// A list or mapping that has not ended yet.
struct Open {
    at: At,
    anchor: usize,
    usable: bool,
    depth: usize,
    size: usize,
    repeated: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Rc<Node>>),
    Mapping {
        entries: Vec<Entry>,
        known: HashMap<String, At>,
        /// The key of the next value; the inner `None` means that it is not usable.
        key: Option<(Option<String>, At)>,
    },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let place = |mark: Marker| At { file: self.file, line: mark.line(), column: mark.col() + 1 };
        let (at, tag_at) = (place(span.start), span.tag_span().map(|tag| place(tag.start)));
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err((at, "a second document begins here: a manifest has only one; put each into its own file".into()))
            }
            Event::Scalar(text, style, anchor, _) => {
                let text = text.into_owned();
                let plain = if style == ScalarStyle::Plain { Plain::of(&text) } else { Plain::Text };
                let value = match plain {
                    _ if !self.untagged(tag_at) => Value::Unusable,
                    Plain::Text => Value::Text(text),
                    other => Value::Word(text, other),
                };
                self.add(Node { at, value, depth: 1, size: 1, repeated: 0 }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let usable = self.untagged(tag_at);
                self.begin(at, anchor, usable, Inside::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => {
                let usable = self.untagged(tag_at);
                let inside = Inside::Mapping { entries: Vec::new(), known: HashMap::new(), key: None };
                self.begin(at, anchor, usable, inside)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.end(open),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => {
                    let node = node.clone();
                    let repeated = node.size;
                    self.put(node, at, repeated)
                }
                None => Err((at, "this alias refers to a value that contains it".into())),
            },
            _ => Ok(()),
        }
    }

    /// Whether a value has no tag; reports one that it has.
    fn untagged(&mut self, tag: Option<At>) -> bool {
        let words = "tags (a word that begins with '!') are not accepted: write the value itself";
        self.wrong.extend(tag.map(|at| (at, words.into())));
        tag.is_none()
    }

    fn begin(&mut self, at: At, anchor: usize, usable: bool, inside: Inside) -> Result<(), Wrong> {
        if self.open.len() >= DEPTH {
            return Err((at, "this is nested too deeply".into()));
        }
        self.open.push(Open { at, anchor, usable, depth: 1, size: 1, repeated: 0, inside });
        Ok(())
    }

    fn end(&mut self, open: Open) -> Result<(), Wrong> {
        let value = match open.inside {
            _ if !open.usable => Value::Unusable,
            Inside::List(items) => Value::List(items),
            Inside::Mapping { entries, .. } => Value::Mapping(entries),
        };
        let Open { at, anchor, depth, size, repeated, .. } = open;
        self.add(Node { at, value, depth, size, repeated }, anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        let at = node.at;
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let repeated = node.repeated;
        self.put(node, at, repeated)
    }

    /// Adds a value, or another use of it at `at`, to its parent.
    fn put(&mut self, node: Rc<Node>, at: At, repeated: usize) -> Result<(), Wrong> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.depth = open.depth.max(node.depth + 1);
        open.size = open.size.saturating_add(node.size);
        open.repeated = open.repeated.saturating_add(repeated);
        if open.depth > DEPTH {
            return Err((at, "this is nested too deeply, its aliases followed".into()));
        }
        if open.repeated > REPEATED {
            return Err((at, "the aliases (*) in this file expand to too many values".into()));
        }
        match &mut open.inside {
            Inside::List(items) => items.push(node),
            Inside::Mapping { entries, known, key } => match key.take() {
                None => *key = Some(usable_key(&node, at, known, &mut self.wrong)),
                Some((Some(key), at)) => entries.push(Entry { key, at, value: node }),
                Some((None, _)) => {}
            },
        }
        Ok(())
    }
}

/// The text of a key; reports what is wrong with it.
fn usable_key(node: &Node, at: At, known: &mut HashMap<String, At>, wrong: &mut Vec<Wrong>) -> (Option<String>, At) {
    let text = match &node.value {
        Value::Text(text) | Value::Word(text, _) => text,
        Value::Unusable => return (None, at),
        Value::List(_) | Value::Mapping(_) => {
            wrong.push((at, "a key is one word, and this is a list or a mapping".into()));
            return (None, at);
        }
    };
    if text == "<<" {
        wrong.push((at, "merge keys (<<) are not accepted: put what all accounts share below 'defaults'".into()));
        return (None, at);
    }
    if let Some(first) = known.get(text) {
        let place = format!("line {}, column {}", first.line, first.column);
        // An unknown key may be a misplaced secret.
        let named = if keys::stands_somewhere(text) { format!("the key '{text}'") } else { "this key".into() };
        wrong.push((at, format!("{named} is given twice: the first is at {place}")));
        return (None, at);
    }
    known.insert(text.clone(), at);
    (Some(text.clone()), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Rc<Node> {
        let (root, wrong) = read(0, text);
        assert!(wrong.is_empty(), "{wrong:?}");
        root.expect("a tree")
    }

    fn text_of<'n>(node: &'n Node, key: &str) -> &'n str {
        let Value::Mapping(entries) = &node.value else { panic!("{node:?}") };
        let entry = entries.iter().find(|entry| entry.key == key).expect("the key");
        let Value::Text(text) = &entry.value.value else { panic!("{entry:?}") };
        text
    }

    /// The first mistake, as `line:column: words`.
    fn wrong(text: &str) -> String {
        let (_, wrong) = read(0, text);
        let (at, message) = wrong.first().unwrap_or_else(|| panic!("{text:?} is read"));
        format!("{}:{}: {message}", at.line, at.column)
    }

    #[test]
    fn json_of_real_programs_is_read() {
        let text = "\u{feff}{\r\n\t\"a\":\t\"x\\/y \\u00e9 \\ud83d\\ude00\\n\",\r\n\t\"b\": \"c\"\r\n}\r\n";
        let root = tree(text);
        assert_eq!(text_of(&root, "a"), "x/y é 😀\n");
        let Value::Mapping(entries) = &root.value else { panic!("{root:?}") };
        assert_eq!((entries[1].at.line, entries[1].at.column), (3, 2));
        // A trailing comma is not JSON, but is accepted.
        assert_eq!(text_of(&tree("{\"a\": \"\\ud83d\\ude00\",}"), "a"), "😀");
    }

    #[test]
    fn yaml_of_people_is_read() {
        let root = tree("a: &x it's\nb: *x\nc: |\n  one\n  two\nd: >-\n  one\n  two\ne: '\\ud83d\\ude00'\n");
        assert_eq!([text_of(&root, "a"), text_of(&root, "b")], ["it's", "it's"]);
        assert_eq!([text_of(&root, "c"), text_of(&root, "d")], ["one\ntwo\n", "one two"]);
        assert_eq!(text_of(&root, "e"), "\\ud83d\\ude00");
    }

    #[test]
    fn what_no_manifest_may_have_has_its_place() {
        assert!(wrong("").starts_with("1:1: the file is empty"));
        assert!(wrong("# nothing\n").starts_with("1:1: the file is empty"));
        assert!(
            wrong("app: 1\nb: 2\napp: 3\n").starts_with("3:1: the key 'app' is given twice: the first is at line 1")
        );
        assert!(wrong("a: !!binary x\n").starts_with("1:4: tags"));
        assert!(wrong("a: !x [1]\n").starts_with("1:4: tags"));
        assert!(wrong("a: &a {b: 1}\nc:\n  <<: *a\n").starts_with("3:3: merge keys"));
        assert!(wrong("? [a]\n: b\n").starts_with("1:3: a key is one word"));
        assert!(wrong("a: 1\n---\nb: 2\n").starts_with("2:1: a second document"));
        assert!(wrong("a: &a [*a]\n").starts_with("1:8: this alias refers to"));
        assert!(wrong("{\"a\":1}{\"b\":2}").starts_with("1:8: "));
    }

    #[test]
    fn what_multiplies_itself_or_nests_without_end_is_refused_at_once() {
        let begun = std::time::Instant::now();
        let laugh = |at: usize| format!("a{at}: &a{at} [{}]\n", format!("*a{}, ", at - 1).repeat(10));
        let laughs = format!("a0: &a0 [x, x]\n{}", (1..30).map(laugh).collect::<Vec<_>>().concat());
        assert!(wrong(&laughs).contains("expand to too many values"));
        let links: Vec<String> = (1..5000).map(|at| format!("a{at}: &a{at} [*a{}]\n", at - 1)).collect();
        let chain = format!("a0: &a0 [x]\n{}", links.concat());
        assert!(wrong(&chain).contains("its aliases followed"));
        for deep in ["[".repeat(1_000_000), "- ".repeat(1_000_000), "{a: ".repeat(100_000), "? ".repeat(100_000)] {
            let wrong = wrong(&deep);
            assert!(wrong.contains("nested too deeply") || wrong.contains("recursion limit"), "{wrong}");
        }
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}
