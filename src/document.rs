//! TOML files with the place of every mistake: accounts, configuration,
//! scenarios of the sandbox.

use std::fmt::Display;

use serde::de::value::CowStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

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

/// Reads a document. Where its types refuse keys that they do not know, the nearest one that
/// they do is named.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    Document::new(text)?.read()
}

/// A text whose syntax is right, and nothing else is known of yet.
pub struct Document<'t> {
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Reads the syntax.
    pub fn new(text: &'t str) -> Result<Self, Mistake> {
        let table = DeTable::parse(text).map_err(|error| Wrong::from(error).located(text))?;
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
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Mistake> {
        let span = self.table.span();
        let root = Node(Spanned::new(span, DeValue::Table(self.table.into_inner())));
        T::deserialize(root).map_err(|wrong| wrong.located(self.text))
    }
}

/// A value for serde. Unlike the parser's own this one hears from a type which keys it knows:
/// its error is told them, and would have to be read out of a sentence otherwise.
struct Node<'de>(Spanned<DeValue<'de>>);

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let span = self.0.span();
        match self.0.into_inner() {
            DeValue::Table(table) => visitor.visit_map(Entries { rest: table.into_iter(), value: None }),
            DeValue::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            value => Ok(ValueDeserializer::from(Spanned::new(span, value)).deserialize_any(visitor)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        Ok(ValueDeserializer::from(self.0).deserialize_enum(name, variants, visitor)?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// What is left of a table, and the value whose key was read.
struct Entries<'de> {
    rest: <DeTable<'de> as IntoIterator>::IntoIter,
    value: Option<Spanned<DeValue<'de>>>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let at = key.span().start;
        seed.deserialize(CowStrDeserializer::new(key.into_inner())).map(Some).map_err(|wrong: Wrong| wrong.at(at))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let value = self.value.take().ok_or_else(|| Wrong::custom("a value without its key"))?;
        read_value(value, seed)
    }
}

struct Items<'de>(<DeArray<'de> as IntoIterator>::IntoIter);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        self.0.next().map(|value| read_value(value, seed)).transpose()
    }
}

fn read_value<'de, S: DeserializeSeed<'de>>(value: Spanned<DeValue<'de>>, seed: S) -> Result<S::Value, Wrong> {
    let at = value.span().start;
    seed.deserialize(Node(value)).map_err(|wrong| wrong.at(at))
}

/// What is wrong, and at which byte where that is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Wrong {
    at: Option<usize>,
    message: String,
    nearest: Option<&'static str>,
}

impl Wrong {
    /// The innermost place is the one that counts.
    fn at(self, at: usize) -> Self {
        Self { at: self.at.or(Some(at)), ..self }
    }

    fn located(self, text: &str) -> Mistake {
        let at = self.at.unwrap_or_default();
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Mistake { line, column, message: self.message, nearest: self.nearest }
    }
}

impl Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self { at: None, message: message.to_string(), nearest: None }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let nearest = nearest(key, known.iter().copied());
        Self { at: None, message: format!("unknown key '{key}'"), nearest }
    }

    /// A key that is one of an enum: what is not a key is the parser's to refuse.
    fn unknown_variant(key: &str, known: &'static [&'static str]) -> Self {
        Self::unknown_field(key, known)
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        Self { at: error.span().map(|span| span.start), message, nearest: None }
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listing {
        name: Option<String>,
        accounts: Vec<Account>,
        width: Option<Width>,
    }

    /// Takes a text and refuses it afterwards.
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Width;

    impl TryFrom<String> for Width {
        type Error = &'static str;

        fn try_from(_: String) -> Result<Self, &'static str> {
            Err("it has to be narrow")
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Account {
        page_id: String,
        #[serde(default)]
        colours: BTreeMap<Side, Colour>,
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Side {
        Left,
        Right,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        Red,
        Green,
    }

    fn wrong(text: &str) -> Mistake {
        parse::<Listing>(text).expect_err("a mistake")
    }

    #[test]
    fn good_documents_are_read() {
        let text = "name = 'x'\n[[accounts]]\npage_id = '1'\ncolours.left = 'red'";
        let document: Listing = parse(text).expect("read");
        assert_eq!((document.name.as_deref(), &*document.accounts[0].page_id), (Some("x"), "1"));
        assert_eq!(document.accounts[0].colours[&Side::Left], Colour::Red);
        assert!(document.width.is_none());
    }

    #[test]
    fn an_unknown_key_has_a_place_and_a_suggestion() {
        let found = wrong("name = 'x'\n[[accounts]]\n  pgae_id = '1'\n");
        assert_eq!((found.line, found.column, found.nearest), (3, 3, Some("page_id")));
        let found = wrong("[[accounts]]\npage_id = '1'\n[accounts.colours]\nrigth = 'red'\n");
        assert_eq!((found.line, found.column, found.nearest), (4, 1, Some("right")));
        assert_eq!(found.message, "unknown key 'rigth'");
    }

    #[test]
    fn a_wrong_type_has_a_place() {
        let found = wrong("[[accounts]]\npage_id = 5\n");
        assert_eq!((found.line, found.column), (2, 11));
        assert!(found.message.contains("expected a string"), "{}", found.message);
        let found = wrong("[[accounts]]\npage_id = '1'\ncolours.left = 'rde'\n");
        assert_eq!((found.line, found.column), (3, 16));
        assert!(found.message.starts_with("unknown variant"), "{}", found.message);
        let found = wrong("accounts = []\nwidth = 'wide'\n");
        assert_eq!((found.line, found.column, &*found.message), (2, 9, "it has to be narrow"));
        let found = wrong("accounts = [{ page_id = '1' }, {}]\n");
        assert_eq!((found.line, found.column), (1, 32));
        assert!(found.message.starts_with("missing field"), "{}", found.message);
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
