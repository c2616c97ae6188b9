//! What stands in a line of `accounts.toml`, and how serde takes it.

use std::borrow::Cow;

use serde::de::value::{CowStrDeserializer, Error, MapDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The keys of a table, in the order in which they stand there.
pub(super) type Table<'t> = Vec<(&'t str, Value<'t>)>;

/// All that an account is made of.
pub(super) enum Value<'t> {
    Text(Cow<'t, str>),
    Table(Table<'t>),
}

/// A line without its end, and what is below it; `None` at the end of the text.
pub(super) fn first_line(text: &str) -> Option<(&str, &str)> {
    (!text.is_empty()).then(|| text.split_once('\n').unwrap_or((text, "")))
}

/// The text in quotation marks with which `rest` begins and its line ends, and what is
/// below that line.
pub(super) fn text(rest: &str) -> Option<(Cow<'_, str>, &str)> {
    for (marks, escapes) in [("\"\"\"", true), ("'''", false)] {
        if let Some(inside) = rest.strip_prefix(marks) {
            let inside = inside.strip_prefix('\n').unwrap_or(inside);
            let (inside, below) = inside.split_once(marks)?;
            let (behind, below) = first_line(below).unwrap_or_default();
            // Where the marks may be part of the text, the parser knows.
            let ends = behind.is_empty() && !(escapes && inside.ends_with('\\'));
            return Some((if escapes { unescaped(inside, true)? } else { inside.into() }, below)).filter(|_| ends);
        }
    }
    let (line, below) = first_line(rest)?;
    if let Some(inside) = line.strip_prefix('\'') {
        let inside = inside.strip_suffix('\'').filter(|inside| !inside.contains('\''))?;
        return Some((inside.into(), below));
    }
    Some((unescaped(line.strip_prefix('"')?.strip_suffix('"')?, false)?, below))
}

/// What stands between quotation marks, `"` itself only where it may.
fn unescaped(text: &str, marks: bool) -> Option<Cow<'_, str>> {
    let plain = |text: &str| marks || !text.contains('"');
    let mut parts = text.split('\\');
    let first = parts.next().filter(|first| plain(first))?;
    let mut whole = Cow::Borrowed(first);
    while let Some(part) = parts.next() {
        let mut chars = part.chars();
        let (escaped, rest) = match chars.next() {
            Some('"') => ('"', chars.as_str()),
            Some('n') => ('\n', chars.as_str()),
            Some('t') => ('\t', chars.as_str()),
            // Nothing between two of them: the second one is meant.
            None => ('\\', parts.next()?),
            Some(_) => return None,
        };
        if !plain(rest) {
            return None;
        }
        whole.to_mut().push(escaped);
        whole.to_mut().push_str(rest);
    }
    Some(whole)
}

impl<'de> IntoDeserializer<'de, Error> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => CowStrDeserializer::new(text).deserialize_any(visitor),
            Self::Table(table) => visitor.visit_map(MapDeserializer::new(table.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => CowStrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            table @ Self::Table(_) => table.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
