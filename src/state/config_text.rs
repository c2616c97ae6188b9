//! The text of `config.toml` with other values: comments, order and line ends stay.

use toml_edit::{DocumentMut, Item, RawString, TomlError, Value};

/// The text with each key at its new value, or without the key where that is `None`. A comment
/// behind a value stays when it changes; comments above a key stay when it goes.
pub fn with<'a>(text: &str, values: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Result<String, TomlError> {
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut document: DocumentMut = body.parse()?;
    for (key, value) in values {
        match (key.split_once('.'), value) {
            (None, Some(value)) => set(&mut document, key, value),
            (None, None) => remove(&mut document, key),
            (Some((table, key)), value) => within(&mut document, table, key, value),
        }
    }
    let mut new = document.to_string().replace("\r\n", "\n");
    if body.contains("\r\n") {
        new = new.replace('\n', "\r\n");
    }
    Ok(format!("{}{new}", &text[..text.len() - body.len()]))
}

/// What some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The same for a key of a table, `vault.mount`; a table that gets empty goes.
fn within(document: &mut DocumentMut, table: &str, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        let Some(inside) = document.get_mut(table).and_then(Item::as_table_like_mut) else { return };
        inside.remove(key);
        if inside.is_empty() {
            document.remove(table);
        }
        return;
    };
    let Some(inside) = document.entry(table).or_insert_with(toml_edit::table).as_table_like_mut() else { return };
    match inside.get_mut(key) {
        // In place: a key that is inserted again loses the comments above it.
        Some(old) => {
            if let Some(old) = old.as_value() {
                *value.decor_mut() = old.decor().clone();
            }
            *old = value.into();
        }
        None => drop(inside.insert(key, value.into())),
    }
}

fn set(document: &mut DocumentMut, key: &str, mut new: Value) {
    if let Some(old) = document.get(key).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    document[key] = new.into();
}

/// Comments above the key move above the next one, or to the end of the text.
fn remove(document: &mut DocumentMut, key: &str) {
    let Some((removed, _)) = document.get_key_value(key) else { return };
    let above = written(removed.leaf_decor().prefix());
    let next = document.iter().skip_while(|(name, _)| *name != key).nth(1).map(|(name, _)| name.to_owned());
    document.remove(key);
    if above.trim().is_empty() {
        return;
    }
    match next {
        Some(next) => {
            if let Some(mut next) = document.key_mut(&next) {
                let own = written(next.leaf_decor().prefix());
                next.leaf_decor_mut().set_prefix(above + &own);
            }
        }
        None => document.set_trailing(above + document.trailing().as_str().unwrap_or_default()),
    }
}

fn written(decor: Option<&RawString>) -> String {
    decor.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_when_a_value_changes_or_goes() {
        let text =
            "# the team's own\ntenant = \"acme\" # since June\n\n# where secrets go\nstore = \"file\"\n# the end\n";
        let change = |values: &[(&'static str, Option<&str>)]| {
            with(text, values.iter().map(|(key, value)| (*key, value.map(Value::from)))).expect("TOML")
        };
        assert_eq!(change(&[("tenant", Some("globex"))]), text.replace("acme", "globex"));
        assert_eq!(
            change(&[("tenant", None)]),
            "# the team's own\n\n# where secrets go\nstore = \"file\"\n# the end\n"
        );
        assert_eq!(
            change(&[("store", None)]),
            "# the team's own\ntenant = \"acme\" # since June\n\n# where secrets go\n# the end\n"
        );
        assert_eq!(change(&[("timeout", None)]), text);
        assert_eq!(change(&[("store", None), ("tenant", None)]).matches('#').count(), 3);
    }

    #[test]
    fn a_key_of_a_table_is_set_in_it_and_the_last_one_takes_it_along() {
        let text = "tenant = \"acme\"\n\n[vault]\n# the team's\naddress = \"https://a\" # since June\n";
        let change =
            |key: &'static str, value: Option<&str>| with(text, [(key, value.map(Value::from))]).expect("TOML");
        assert_eq!(change("vault.address", Some("https://b")), text.replace("https://a", "https://b"));
        assert_eq!(change("vault.mount", Some("kv")), format!("{text}mount = \"kv\"\n"));
        assert_eq!(change("vault.address", None), "tenant = \"acme\"\n");
        let new = with("store = \"vault\"\n", [("vault.path", Some("x".into()))]).expect("TOML");
        assert_eq!(new, "store = \"vault\"\n\n[vault]\npath = \"x\"\n");
    }

    #[test]
    fn the_line_ends_and_the_mark_of_windows_stay() {
        let text = "\u{feff}# mine\r\ntenant = \"acme\"\r\n";
        let new = with(text, [("timeout", Some(5.into()))]).expect("TOML");
        assert_eq!(new, format!("{text}timeout = 5\r\n"));
    }
}
