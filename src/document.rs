//! TOML files with the place of every mistake: accounts, configuration,
//! scenarios of the sandbox.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys that a table may have, and the tables below them.
///
/// serde refuses unknown keys too, but names the nearest one only in prose; the
/// list is checked first so that the suggestion does not have to be read out of
/// a sentence.
#[derive(Debug)]
pub struct Keys(pub &'static [(&'static str, Option<&'static Keys>)]);

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, in one line.
    pub message: String,
    /// The nearest key that exists, where a key is unknown.
    pub nearest: Option<&'static str>,
}

/// Reads a document whose tables have the keys `keys`.
pub fn parse<T: DeserializeOwned>(text: &str, keys: &'static Keys) -> Result<T, Mistake> {
    Document::new(text)?.read(keys)
}

/// A text whose syntax is right, and nothing else is known of yet.
pub struct Document<'t> {
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Reads the syntax.
    pub fn new(text: &'t str) -> Result<Self, Mistake> {
        let table = DeTable::parse(text).map_err(|error| located(text, &error))?;
        Ok(Self { text, table })
    }

    /// A whole number at the top, whatever the rest is: the schema's version.
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.table.get_ref().get(key)?.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// The same, taken out: what is left is read as if it had not been there.
    pub fn take_number(&mut self, key: &str) -> Option<i64> {
        let number = self.number(key);
        self.table.get_mut().remove(key);
        number
    }

    /// Two texts of every table of the list `list`, whatever the rest is; a table that
    /// lacks one of them is passed over. For whoever needs no more and is in a hurry.
    pub fn pairs(&self, list: &str, keys: [&str; 2]) -> Vec<[String; 2]> {
        let Some(DeValue::Array(items)) = self.table.get_ref().get(list).map(Spanned::get_ref) else {
            return Vec::new();
        };
        let text = |table: &DeTable<'_>, key: &str| table.get(key)?.get_ref().as_str().map(str::to_owned);
        let pair = |item: &Spanned<DeValue<'_>>| {
            let DeValue::Table(table) = item.get_ref() else { return None };
            Some([text(table, keys[0])?, text(table, keys[1])?])
        };
        items.iter().filter_map(pair).collect()
    }

    /// Reads it as what it should be.
    pub fn read<T: DeserializeOwned>(self, keys: &'static Keys) -> Result<T, Mistake> {
        check_keys(self.text, self.table.get_ref(), keys)?;
        T::deserialize(toml::Deserializer::from(self.table)).map_err(|error| located(self.text, &error))
    }
}

fn located(text: &str, error: &toml::de::Error) -> Mistake {
    let at = error.span().map_or(0, |span| span.start);
    mistake(text, at, error.message().lines().next().unwrap_or_default().to_owned(), None)
}

fn check_keys(text: &str, table: &DeTable<'_>, keys: &'static Keys) -> Result<(), Mistake> {
    for (key, value) in table {
        let Some((_, below)) = keys.0.iter().find(|(name, _)| name == key.get_ref()) else {
            let nearest = nearest(key.get_ref(), keys.0.iter().map(|(name, _)| *name));
            let message = format!("unknown key '{}'", key.get_ref());
            return Err(mistake(text, key.span().start, message, nearest));
        };
        let Some(below) = below else { continue };
        match value.get_ref() {
            DeValue::Table(table) => check_keys(text, table, below)?,
            DeValue::Array(items) => {
                for item in items {
                    if let DeValue::Table(table) = item.get_ref() {
                        check_keys(text, table, below)?;
                    }
                }
            }
            // A wrong type: serde says which one it should be.
            _ => {}
        }
    }
    Ok(())
}

/// The candidate that someone most probably meant, if one is near enough.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.7;
    candidates
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .filter(|(likeness, _)| *likeness > NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

fn mistake(text: &str, at: usize, message: String, nearest: Option<&'static str>) -> Mistake {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Mistake { line, column, message, nearest }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const KEYS: Keys = Keys(&[("name", None), ("accounts", Some(&Keys(&[("page_id", None)])))]);

    #[derive(Debug, Deserialize)]
    struct Listing {
        accounts: Vec<Account>,
    }

    #[derive(Debug, Deserialize)]
    struct Account {
        page_id: String,
    }

    fn wrong(text: &str) -> Mistake {
        parse::<Listing>(text, &KEYS).expect_err("a mistake")
    }

    #[test]
    fn good_documents_are_read() {
        let document: Listing = parse("[[accounts]]\npage_id = '1'", &KEYS).expect("read");
        assert_eq!(document.accounts[0].page_id, "1");
    }

    #[test]
    fn an_unknown_key_has_a_place_and_a_suggestion() {
        let found = wrong("name = 'x'\n[[accounts]]\n  pgae_id = '1'\n");
        assert_eq!((found.line, found.column, found.nearest), (3, 3, Some("page_id")));
    }

    #[test]
    fn a_wrong_type_has_a_place() {
        let found = wrong("[[accounts]]\npage_id = 5\n");
        assert_eq!((found.line, found.column), (2, 11));
        assert!(found.message.contains("expected a string"), "{}", found.message);
    }

    #[test]
    fn broken_syntax_has_a_place() {
        assert_eq!(wrong("[[accounts]]\npage_id = \n").line, 2);
    }

    #[test]
    fn the_version_is_read_without_the_rest() {
        let number = |text| Document::new(text).expect("syntax").number("schema_version");
        assert_eq!(number("schema_version = 7\nunknown = 1"), Some(7));
        assert_eq!(number("x = 1"), None);
    }

    #[test]
    fn pairs_are_read_without_the_rest() {
        let document = Document::new("[[a]]\nx = 'x1'\ny = 'y1'\nz = 1\n[[a]]\nx = 'x2'\n[b]\n").expect("syntax");
        assert_eq!(document.pairs("a", ["y", "x"]), [["y1".to_owned(), "x1".to_owned()]]);
        assert!(document.pairs("b", ["x", "y"]).is_empty());
    }
}
