//! `accounts.toml` as it is written here, line by line: half the time that the parser
//! takes for 10,000 accounts, and a third of the memory.
//!
//! It knows texts in quotation marks, the tables of an account, empty lines and lines of
//! comment, and no more of TOML. At anything else, and at any mistake, it gives up, and
//! whoever asked goes to the parser, which also knows where the mistake is. What it does
//! read it reads as the parser would; a test holds the two against each other.

mod value;

use std::collections::{BTreeSet, HashSet};

use serde::Deserialize as _;

use self::value::{Table, Value, first_line, text};
use super::Account;

/// The accounts of a text that says it is of this version.
pub(super) fn read(text: &str, version: i64) -> Option<Vec<Account>> {
    Blocks::of(text, version)?.map(|block| Account::deserialize(Value::Table(block?.table)).ok()).collect()
}

/// Two texts of every account; an account that lacks one of them is passed over.
pub(super) fn pairs(text: &str, version: i64, keys: [&str; 2]) -> Option<Vec<[String; 2]>> {
    let mut pairs = Vec::new();
    for block in Blocks::of(text, version)? {
        let table = block?.table;
        if let [Some(one), Some(other)] = keys.map(|key| table.iter().find(|(known, _)| *known == key))
            && let [Value::Text(one), Value::Text(other)] = [&one.1, &other.1]
        {
            pairs.push([one.as_ref().into(), other.as_ref().into()]);
        }
    }
    Some(pairs)
}

/// Two texts without the accounts that are written alike in both, except those with the ids
/// of `kept`.
pub(super) fn differing(before: &str, now: &str, version: i64, kept: &BTreeSet<&str>) -> Option<[String; 2]> {
    let blocks = |text| Blocks::of(text, version)?.collect::<Option<Vec<Block<'_>>>>();
    let (before, now) = (blocks(before)?, blocks(now)?);
    let without = |blocks: &[Block<'_>], others: &[Block<'_>]| {
        let others: HashSet<&str> = others.iter().map(|block| block.text).collect();
        let stays = |block: &&Block<'_>| !others.contains(block.text) || block.id().is_none_or(|id| kept.contains(id));
        blocks.iter().filter(stays).map(|block| block.text).collect::<Vec<_>>().join("\n")
    };
    Some([without(&before, &now), without(&now, &before)])
}

/// An account: its lines, and what they say.
struct Block<'t> {
    text: &'t str,
    table: Table<'t>,
}

impl Block<'_> {
    fn id(&self) -> Option<&str> {
        self.table.iter().find_map(|(key, value)| match value {
            Value::Text(text) if *key == "id" => Some(text.as_ref()),
            _ => None,
        })
    }
}

/// The accounts one after the other; `None` at what is unusual, and no more behind it.
struct Blocks<'t> {
    rest: &'t str,
}

const START: &str = "[[accounts]]";

impl<'t> Blocks<'t> {
    fn of(text: &'t str, version: i64) -> Option<Self> {
        // Neither ends of lines as Windows has them nor what no text may hold.
        if text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\n' && byte != b'\t') {
            return None;
        }
        let version = format!("schema_version = {version}");
        let (mut rest, mut known) = (text, false);
        while let Some((line, below)) = first_line(rest).filter(|(line, _)| *line != START) {
            if !says_nothing(line) && (line != version || std::mem::replace(&mut known, true)) {
                return None;
            }
            rest = below;
        }
        known.then_some(Self { rest })
    }

    /// The account whose first line is the next one.
    fn block(&mut self) -> Option<Block<'t>> {
        let begin = self.rest;
        let (_, mut rest) = first_line(begin)?;
        let (mut table, mut path, mut lines) = (Table::new(), None, Table::new());
        while let Some((line, below)) = first_line(rest).filter(|(line, _)| *line != START) {
            if says_nothing(line) {
                rest = below;
            } else if let Some(next) = line.strip_prefix("[accounts.") {
                place(&mut table, path, std::mem::take(&mut lines))?;
                path = Some(next.strip_suffix(']')?);
                rest = below;
            } else {
                let (key, value) = rest.split_once(" = ")?;
                let (value, below) = text(value)?;
                add(&mut lines, key, Value::Text(value))?;
                rest = below;
            }
        }
        place(&mut table, path, lines)?;
        self.rest = rest;
        Some(Block { text: begin[..begin.len() - rest.len()].trim_ascii_end(), table })
    }
}

impl<'t> Iterator for Blocks<'t> {
    type Item = Option<Block<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| {
            let block = self.block();
            if block.is_none() {
                self.rest = "";
            }
            block
        })
    }
}

fn says_nothing(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// Puts what stands under `[accounts.PATH]` where it belongs, two levels deep at most;
/// without a path it is the account's own.
fn place<'t>(table: &mut Table<'t>, path: Option<&'t str>, lines: Table<'t>) -> Option<()> {
    let Some(path) = path else {
        *table = lines;
        return Some(());
    };
    let Some((first, second)) = path.split_once('.') else { return add(table, path, Value::Table(lines)) };
    if !table.iter().any(|(known, _)| *known == first) {
        add(table, first, Value::Table(Table::new()))?;
    }
    match table.iter_mut().find(|(known, _)| *known == first) {
        Some((_, Value::Table(below))) => add(below, second, Value::Table(lines)),
        _ => None,
    }
}

/// Adds a key that is bare and new.
fn add<'t>(table: &mut Table<'t>, key: &'t str, value: Value<'t>) -> Option<()> {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !bare || table.iter().any(|(known, _)| *known == key) {
        return None;
    }
    table.push((key, value));
    Some(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::schema::{self, names};
    use super::*;
    use crate::accounts::account::tests::account;
    use crate::messages::MessageState;
    use crate::text::harmless;

    fn full(name: &str, page_name: &str, message: &str) -> Account {
        let mut full = account(name);
        full.page_name = Some(page_name.into());
        full.app_id = Some("123456789012345".parse().expect("an app id"));
        full.callback_url = Some("https://example.com/hook?a='b'".parse().expect("a URL"));
        let event = |id: &str| id.parse::<crate::messages::Event>().expect("an event");
        if let Ok(text) = message.parse() {
            full.messages.set(event("session-ended"), MessageState::Custom(text));
        }
        full.messages.set(event("agent-left"), MessageState::Disabled);
        full
    }

    fn accounts() -> Vec<Account> {
        let awkward = "Acme \"quoted\" it's 日本 \\ [[accounts]]";
        vec![
            account("First"),
            full("Acme Support", awkward, "two\nlines"),
            full("Other", "Plain", "[[accounts]]\nid = \"x\"\n\n[accounts.secrets]"),
            full("Quotes", "'", "\"\"\" and ''' \\\""),
            account("Last"),
        ]
    }

    /// What the parser says, whatever this file knows.
    fn parsed(text: &str) -> Option<Vec<Account>> {
        schema::parse(text, Path::new("accounts.toml")).ok()
    }

    #[test]
    fn what_is_written_is_read_without_the_parser() {
        let accounts = accounts();
        for some in [&accounts[..], &accounts[..3], &accounts[3..4]] {
            let text = schema::write(some);
            assert_eq!(read(&text, 1).as_deref(), Some(some), "{text}");
            assert_eq!(parsed(&text).as_deref(), Some(some));
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_parser() {
        let text = schema::write(&accounts()[..1]);
        let changed = |from: &str, to: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            changed
        };
        for (usual, other, is_toml) in [
            ("schema_version = 1", "", false),
            ("schema_version = 1", "schema_version = 2", false),
            ("schema_version = 1", "schema_version = 1\nschema_version = 1", false),
            ("[[accounts]]", "[[accounts]] # of ours", true),
            ("[[accounts]]", "  [[accounts]]", true),
            ("[[accounts]]", "[[accounts]", false),
            ("handle = ", "handle=", true),
            ("handle = ", "\"handle\" = ", true),
            ("handle = ", "handel = ", false),
            ("handle = \"first\"", "handle = \"\\u0066irst\"", true),
            ("handle = \"first\"", "handle = \"first\" # old", true),
            ("handle = \"first\"", "handle = \"\"\"fir\\\n  st\"\"\"", true),
            ("handle = \"first\"", "handle = \"first", false),
            ("handle = \"first\"", "handle = \"first\"\nhandle = \"first\"", false),
            ("handle = \"first\"", "handle = 1", false),
            ("[accounts.secrets]", "[accounts.\"secrets\"]", true),
            ("[accounts.secrets]", "[accounts.]", false),
            ("[accounts.secrets]", "[accounts.secrets]\n[accounts.secrets]", false),
            ("[accounts.secrets]", "[accounts.id.x]", false),
            ("[accounts.secrets]\npage_access_token = ", "secrets.page_access_token = ", true),
            ("page_access_token", "page_acess_token", false),
            ("\n", "\r\n", true),
            ("Written", "Wr\u{7}itten", false),
        ] {
            let text = changed(usual, other);
            assert!(read(&text, 1).is_none(), "{text}");
            assert_eq!(parsed(&text).is_some(), is_toml, "{text}");
            if is_toml {
                assert_eq!(names(&text), [["first".to_owned(), "First".to_owned()]], "{text}");
            }
        }
        // Comments and gaps between lines are no reason.
        let commented = changed("handle = ", "# the handle\n\nhandle = ");
        assert_eq!(read(&commented, 1), parsed(&commented));
        assert!(read(&commented, 1).is_some());
    }

    #[test]
    fn names_are_found_as_the_parser_finds_them() {
        let text = schema::write(&accounts());
        let keys = ["handle", "name"];
        let slow = crate::document::Document::new(&text).expect("TOML").pairs("accounts", keys);
        assert_eq!(slow.len(), 5);
        assert_eq!(pairs(&text, 1, keys), Some(slow));
        assert_eq!(names(&text.replace("name = \"Last\"", "name = 1")).len(), 4);
        assert_eq!(names(&text.replace("name = \"Last\"\n", "")).len(), 4);
    }

    #[test]
    fn only_what_differs_is_left_of_two_texts() {
        let mut accounts = accounts();
        let before = schema::write(&accounts);
        accounts[2].page_name = Some("Another".into());
        accounts.remove(0);
        accounts.push(account("New"));
        let now = schema::write(&accounts);
        let left = |kept: &[&str]| {
            let parts =
                differing(&before, &now, 1, &kept.iter().copied().collect()).expect("both are as they are written");
            parts.map(|part| {
                let accounts = parsed(&format!("schema_version = 1\n{part}")).expect("TOML");
                accounts.iter().map(|account| account.name.to_string()).collect::<Vec<_>>()
            })
        };
        assert_eq!(left(&[]), [["First", "Other"], ["Other", "New"]]);
        let kept = accounts[0].id.clone();
        assert_eq!(left(&[&kept]), [vec!["First", "Acme Support", "Other"], vec!["Acme Support", "Other", "New"]]);
        assert_eq!(differing(&before, &before, 1, &BTreeSet::new()), Some([String::new(), String::new()]));
        assert_eq!(differing(&before, "broken", 1, &BTreeSet::new()), None);
    }

    proptest! {
        #[test]
        fn every_account_is_read_as_it_was_written(
            name in "[ -~“é日]{1,12}x", page_name in "\\PC{0,20}", message in "([ -~\n\t\"'\\\\日]|\"\"\"|'''){0,60}",
        ) {
            let Ok(name) = name.parse::<crate::accounts::Name>() else { return Ok(()) };
            let accounts = [full(name.as_str(), &harmless(&page_name), &message), account("Last")];
            let text = schema::write(&accounts);
            prop_assert_eq!(&parsed(&text).expect("TOML"), &accounts);
            if let Some(read) = read(&text, 1) {
                prop_assert_eq!(&read, &accounts);
            }
        }

        /// A letter taken out, put in or replaced, or a piece moved: what is still read is
        /// what the parser reads, and what it refuses is not.
        #[test]
        fn whatever_is_read_the_parser_reads_alike(
            at: Index, length in 0..30usize, put in "[\"'\\\\\n#=. \\[\\]a-z\r]{0,4}|\"\"\"|'''", to: Index, moved: bool,
        ) {
            let mut chars: Vec<char> = schema::write(&accounts()).chars().collect();
            let begin = at.index(chars.len());
            let end = (begin + length).min(chars.len());
            let cut: Vec<char> = chars.splice(begin..end, put.chars()).collect();
            if moved {
                let to = to.index(chars.len());
                chars.splice(to..to, cut);
            }
            let text: String = chars.into_iter().collect();
            if let Some(read) = read(&text, 1) {
                prop_assert_eq!(Some(read), parsed(&text), "{}", text);
            }
            let slow = crate::document::Document::new(&text).map(|document| document.pairs("accounts", ["handle", "name"]));
            if let Some(pairs) = pairs(&text, 1, ["handle", "name"]) {
                prop_assert_eq!(Some(pairs), slow.ok(), "{}", text);
            }
        }
    }
}
