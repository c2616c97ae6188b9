//! Reads TOML files and reports the place of every mistake: accounts, configuration, scenarios
//! of the sandbox.

use std::convert::Infallible;
use std::fmt::{self, Display, Formatter};

use serde::de::value::CowStrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
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
    /// The nearest known key or value, where an unknown one was given.
    pub nearest: Option<&'static str>,
    /// A hint: what was probably meant, or what is allowed.
    pub hint: Option<String>,
}

/// Reads a document. Where its types refuse unknown keys, the error names the nearest known key.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    Document::new(text)?.read()
}

/// A text with valid syntax; nothing else is checked yet.
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

    /// A whole number at the top, such as the schema version; the rest may be wrong.
    pub fn number(&self, key: &str) -> Option<i64> {
        match self.table.get_ref().get(key)?.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// The same, removed from the document.
    pub fn take_number(&mut self, key: &str) -> Option<i64> {
        let number = self.number(key);
        self.table.get_mut().remove(key);
        number
    }

    /// The two texts `keys` of each table in the list `list`, skipping tables that lack one.
    /// Fast: it does not check the rest.
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

    /// Reads it as a `T`.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Mistake> {
        let span = self.table.span();
        let root = Node(Spanned::new(span, DeValue::Table(self.table.into_inner())));
        T::deserialize(root).map_err(|wrong| wrong.located(self.text))
    }
}

/// A value for serde. Unlike the parser's own, it learns from a type which keys it knows, so
/// that its error need not be parsed out of a sentence.
struct Node<'de>(Spanned<DeValue<'de>>);

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.0.into_inner() {
            DeValue::Table(table) => visitor.visit_map(Entries { rest: table.into_iter(), value: None }),
            DeValue::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            DeValue::String(text) => CowStrDeserializer::new(text).deserialize_any(visitor),
            DeValue::Boolean(value) => visitor.visit_bool(value),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => Err(Wrong::invalid_value(Unexpected::Other(number.as_str()), &visitor)),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(Wrong::invalid_value(Unexpected::Other(number.as_str()), &visitor)),
            },
            DeValue::Datetime(_) => Err(Wrong::invalid_type(Unexpected::Other("a date or time"), &visitor)),
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
        match self.0.get_ref() {
            DeValue::Table(_) => Ok(ValueDeserializer::from(self.0).deserialize_enum(name, variants, visitor)?),
            DeValue::String(text) => visitor.visit_enum(CowStrDeserializer::new(text.clone())),
            _ => match self.deserialize_any(OneOf(variants)) {
                Err(wrong) => Err(wrong),
                Ok(never) => match never {},
            },
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Refuses what is not one of these words.
struct OneOf(&'static [&'static str]);

impl Visitor<'_> for OneOf {
    type Value = Infallible;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {}", self.0.join(", "))
    }
}

/// The remaining entries of a table, and the value of the key just read.
struct Entries<'de> {
    rest: <DeTable<'de> as IntoIterator>::IntoIter,
    value: Option<(String, Spanned<DeValue<'de>>)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key.get_ref().to_string(), value));
        let at = key.span().start;
        let read = seed.deserialize(CowStrDeserializer::new(key.into_inner()));
        read.map(Some).map_err(|wrong: Wrong| wrong.at(at).in_key())
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        let (key, value) = self.value.take().ok_or_else(|| Wrong::custom("a value without its key"))?;
        read_value(value, seed).map_err(|wrong| wrong.in_value(&key))
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

/// What is wrong, and at which byte if known.
#[derive(Debug)]
struct Wrong {
    at: Option<usize>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A complete message.
    Said { message: String, nearest: Option<&'static str>, hint: Option<String> },
    /// A value of the wrong type; the key is added later.
    Type(String),
    /// An unknown word; its place decides whether it is a key or a value.
    Unknown { typed: String, known: &'static [&'static str] },
}

impl Wrong {
    fn new(what: What) -> Self {
        Self { at: None, what }
    }

    /// Sets the place unless an inner one is known.
    fn at(self, at: usize) -> Self {
        Self { at: self.at.or(Some(at)), ..self }
    }

    /// The unknown word is a key.
    fn in_key(self) -> Self {
        let What::Unknown { typed, known } = self.what else { return self };
        let nearest = nearest(&typed, known.iter().copied());
        let hint = match nearest {
            Some(near) => format!("the key is perhaps '{near}'"),
            None => format!("the keys here are {}", known.join(", ")),
        };
        let message = format!("unknown key '{typed}'");
        Self { what: What::Said { message, nearest, hint: Some(hint) }, ..self }
    }

    /// The mistake is in the value of this key.
    fn in_value(self, key: &str) -> Self {
        let (message, nearest) = match self.what {
            What::Said { .. } => return self,
            What::Type(message) => (format!("'{key}': {message}"), None),
            What::Unknown { typed, known } => {
                let message = format!("'{typed}' is not a valid {key}: expected {}", one_of(known));
                (message, nearest(&typed, known.iter().copied()))
            }
        };
        let hint = nearest.map(|near| format!("did you mean '{near}'?"));
        Self { what: What::Said { message, nearest, hint }, ..self }
    }

    fn located(self, text: &str) -> Mistake {
        let at = self.at.unwrap_or_default();
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let (message, nearest, hint) = match self.what {
            What::Said { message, nearest, hint } => (message, nearest, hint),
            other => (Self::new(other).to_string(), None, None),
        };
        Mistake { line, column, message, nearest, hint }
    }
}

impl Display for Wrong {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Said { message, .. } | What::Type(message) => formatter.write_str(message),
            What::Unknown { typed, known } => write!(formatter, "'{typed}' is not {}", one_of(known)),
        }
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(What::Said { message: message.to_string(), nearest: None, hint: None })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::unknown_variant(key, known).in_key()
    }

    fn unknown_variant(typed: &str, known: &'static [&'static str]) -> Self {
        Self::new(What::Unknown { typed: typed.into(), known })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(What::Type(format!("expected {}, not {}", in_words(&expected.to_string()), value_of(found))))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::custom(format!("the key '{key}' is missing"))
    }
}

/// `a, b or c`.
fn one_of(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        words => words.join(", "),
    }
}

/// What a type expects, in a user's words.
fn in_words(expected: &str) -> String {
    match expected {
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        "a map" => "a table".into(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".into(),
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" | "u64" | "usize" => "a whole number from 0 on".into(),
        "f32" | "f64" => "a number".into(),
        other if other.starts_with("struct ") => "a table".into(),
        other => other.into(),
    }
}

/// Names an unexpected value. A text is not repeated: it may be a secret.
fn value_of(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Float(number) => number.to_string(),
        Unexpected::Str(_) => "a text".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a table".into(),
        other => other.to_string(),
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        Self { at: error.span().map(|span| span.start), ..Self::custom(message) }
    }
}

/// The candidate that was most probably meant, if one is close enough: similar as a whole, and
/// at most half of it differs, unless one contains the other.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.7;
    let is_near = |candidate: &str| {
        let half = typed.chars().count().max(candidate.chars().count()) / 2;
        let is_part = candidate.contains(typed) || typed.contains(candidate);
        is_part || strsim::damerau_levenshtein(typed, candidate) <= half
    };
    candidates
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .filter(|(likeness, candidate)| *likeness > NEAR && is_near(candidate))
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
        limit: Option<u16>,
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
        assert!(document.width.is_none() && document.limit.is_none());
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
    fn broken_syntax_and_a_wrong_type_have_a_place() {
        assert_eq!(wrong("[[accounts]]\npage_id = \n").line, 2);
        let found = wrong("[[accounts]]\npage_id = 5\n");
        assert_eq!((found.line, found.column), (2, 11));
        assert_eq!(found.message, "'page_id': expected a string, not 5");
        let found = wrong("accounts = []\nwidth = 'wide'\n");
        assert_eq!((found.line, found.column, &*found.message), (2, 9, "it has to be narrow"));
        let found = wrong("accounts = [{ page_id = '1' }, {}]\n");
        assert_eq!((found.line, found.column), (1, 32));
        assert_eq!(found.message, "the key 'page_id' is missing");
        let message = |text| wrong(text).message;
        assert_eq!(message("name = true\naccounts = []\n"), "'name': expected a string, not true");
        assert_eq!(message("accounts = 'EAAsecret'\n"), "'accounts': expected a list, not a text");
        assert_eq!(message("accounts = [5]\n"), "'accounts': expected a table, not 5");
        assert_eq!(message("accounts = []\nlimit = -1\n"), "'limit': expected a whole number from 0 to 65535, not -1");
        assert_eq!(
            message("accounts = []\nlimit = 1.5\n"),
            "'limit': expected a whole number from 0 to 65535, not 1.5"
        );
        assert_eq!(message("accounts = []\nname = 1979-05-27\n"), "'name': expected a string, not a date or time");
    }

    #[test]
    fn a_word_that_is_not_one_of_a_few_is_told_which_there_are() {
        let found = wrong("[[accounts]]\npage_id = '1'\ncolours.left = 'gren'\n");
        assert_eq!((found.line, found.column, found.nearest), (3, 16, Some("green")));
        assert_eq!(found.message, "'gren' is not a valid left: expected red or green");
        assert_eq!(found.hint.as_deref(), Some("did you mean 'green'?"));
        let found = wrong("[[accounts]]\npage_id = '1'\ncolours.left = 5\n");
        assert_eq!(found.message, "'left': expected one of red, green, not 5");
    }

    #[test]
    fn what_is_not_near_is_not_guessed() {
        assert_eq!(nearest("always", ["path", "delay", "times"].into_iter()), None);
        assert_eq!(nearest("exprired", ["valid", "expired"].into_iter()), Some("expired"));
        let found = wrong("accounts = []\nalways = true\n");
        assert_eq!(found.hint.as_deref(), Some("the keys here are name, accounts, width, limit"));
    }

    #[test]
    fn the_version_and_pairs_are_read_without_the_rest() {
        let number = |text| Document::new(text).expect("syntax").number("schema_version");
        assert_eq!(number("schema_version = 7\nunknown = 1"), Some(7));
        assert_eq!(number("x = 1"), None);
        let document = Document::new("[[a]]\nx = 'x1'\ny = 'y1'\nz = 1\n[[a]]\nx = 'x2'\n[b]\n").expect("syntax");
        assert_eq!(document.pairs("a", ["y", "x"]), [["y1".to_owned(), "x1".to_owned()]]);
        assert!(document.pairs("b", ["x", "y"]).is_empty());
    }
}
