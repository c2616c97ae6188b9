//! Where a secret is: a reference in a mapping. A secret itself must not be in a manifest; one
//! that is there is never quoted.

use std::path::Path;

use super::Source;
use super::keys::REFERENCE;
use super::node::{Entry, Node, Value};
use super::place::{At, looks_secret};
use super::reader::{Reader, Spot};
use super::scalar::Plain;
use crate::document::nearest;
use crate::secrets::{SecretRef, StoreName};

const FORMS: &str =
    "{env: NAME}, {file: PATH}, {keyring: SERVICE/USER}, {vault: PATH#FIELD} or {command: [PROGRAM, ARGUMENT]}";

/// The keys that name a place.
const PLACES: [&str; 5] = ["env", "file", "keyring", "vault", "command"];

/// Reads `what` as a reference; relative paths start at `directory`.
pub(super) fn read(reader: &mut Reader<'_>, what: &str, node: &Node, directory: &Path) -> Spot<Source> {
    Spot { at: node.at, value: source(reader, what, node, directory) }
}

fn source(reader: &mut Reader<'_>, what: &str, node: &Node, directory: &Path) -> Option<Source> {
    let Value::Mapping(entries) = &node.value else { return reader.other(what, node, || never(what)) };
    let mut unknown = false;
    for entry in entries.iter().filter(|entry| !REFERENCE.keys.contains(&entry.key.as_str())) {
        unknown = true;
        // The key itself may be a misplaced secret.
        let message = format!("unknown key in a reference: the keys are {}", REFERENCE.keys.join(", "));
        reader.wrong_near(entry.at, message, nearest(&entry.key, REFERENCE.keys.iter().copied()));
    }
    let key = |key: &str| entries.iter().find(|entry| entry.key == key);
    if let Some(stored) = key("stored") {
        return stored_source(reader, stored, entries);
    }
    let store = key("store").map(|entry| store(reader, &entry.value));
    let places: Vec<&Entry> = entries.iter().filter(|entry| PLACES.contains(&entry.key.as_str())).collect();
    let [place] = places[..] else {
        if let Some(second) = places.get(1) {
            let named: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
            reader.wrong(second.at, format!("the secret is in one place, and this names {}", named.join(" and ")));
        } else if !unknown {
            reader.wrong(node.at, format!("'{what}' does not say where the secret is: {FORMS}"));
        }
        return None;
    };
    let from = reference(reader, place)?.absolute(directory);
    if from.is_our_own_entry() {
        let message = "this is an entry of msgrctl's own, and those belong to their accounts: name one that another program keeps, or write {stored: true} for the secret that the account has";
        reader.wrong(place.value.at, message);
        return None;
    }
    match store {
        None if unknown => None,
        None => Some(Source::Reference(from)),
        Some(to) => Some(Source::Copy { from, to: to? }),
    }
}

fn never(what: &str) -> String {
    format!("a secret must not be in a file: '{what}' says where it is: {FORMS}")
}

fn stored_source(reader: &mut Reader<'_>, stored: &Entry, entries: &[Entry]) -> Option<Source> {
    let yes = matches!(&stored.value.value, Value::Word(word, Plain::Truth) if word.eq_ignore_ascii_case("true"));
    if !yes {
        reader.wrong(stored.value.at, "'stored' is true (without quotes), or absent");
    }
    let other = entries.iter().find(|entry| entry.key != "stored" && REFERENCE.keys.contains(&entry.key.as_str()));
    if let Some(other) = other {
        let message = "'stored' takes no other key: it means the secret that the account has already";
        reader.wrong(other.at, format!("'{}' beside 'stored': {message}", other.key));
    }
    (yes && entries.len() == 1).then_some(Source::Stored)
}

fn store(reader: &mut Reader<'_>, node: &Node) -> Option<StoreName> {
    let text = reader.text("store", node)?;
    let found = StoreName::KEEPING.into_iter().find(|store| store.as_str() == text);
    if found.is_none() {
        let message = "'store' is the store that the value is copied into: keyring, file or vault";
        reader.wrong_near(node.at, message, nearest(text, StoreName::KEEPING.iter().map(|store| store.as_str())));
    }
    found
}

fn reference(reader: &mut Reader<'_>, place: &Entry) -> Option<SecretRef> {
    let node = &place.value;
    if place.key == "command" {
        return command(reader, node);
    }
    let text = reader.text(&place.key, node)?;
    // Variable names may begin like tokens, and parts of paths look like secrets.
    let name = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if looks_secret(text) && !(place.key == "env" && name) && !text.contains(['/', '\\']) {
        reader.wrong(node.at, format!("this looks like the secret itself; {}", never(&place.key)));
        return None;
    }
    let message = match place.key.as_str() {
        "env" => "'env' needs the name of a variable, as in {env: ACME_TOKEN}",
        "file" => "'file' needs a path, as in {file: /run/secrets/acme-token}",
        "vault" => "'vault' needs a path and a field, as in {vault: \"teams/acme/meta#page_token\"}",
        _ => "'keyring' needs a service and a user, as in {keyring: acme/page-token}",
    };
    let sound = !text.trim().is_empty() && !text.chars().any(char::is_control);
    let found = SecretRef::parse_reference(&format!("{}:{text}", place.key)).ok().filter(|_| sound);
    if found.is_none() {
        reader.wrong(node.at, message);
    }
    found
}

fn command(reader: &mut Reader<'_>, node: &Node) -> Option<SecretRef> {
    const MESSAGE: &str =
        "'command' is a program and its arguments in a list, as in {command: [op, read, \"op://vault/acme/token\"]}";
    let items = match &node.value {
        Value::List(items) if !items.is_empty() => items,
        Value::Unusable => return None,
        _ => {
            reader.wrong(node.at, MESSAGE);
            return None;
        }
    };
    let words: Vec<Option<String>> = items
        .iter()
        .map(|item| {
            let word = reader.text("command", item)?;
            if word.contains('\0') {
                reader.wrong(item.at, "a command line cannot contain a NUL");
                return None;
            }
            Some(word.to_owned())
        })
        .collect();
    let words: Vec<String> = words.into_iter().collect::<Option<_>>()?;
    if words[0].trim().is_empty() {
        let at: At = items[0].at;
        reader.wrong(at, MESSAGE);
        return None;
    }
    Some(SecretRef::Command(words))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, of_account};
    use super::*;

    fn token(reference: &str) -> Option<Source> {
        good(&format!("version: 1\naccounts: [{{name: Acme, token: {reference}}}]")).accounts.remove(0).token
    }

    #[test]
    fn references_are_read_in_every_form() {
        let named = |text: &str| SecretRef::parse_reference(text).expect("a reference");
        assert_eq!(token("{env: ACME_TOKEN}"), Some(Source::Reference(named("env:ACME_TOKEN"))));
        assert_eq!(token("{file: ../token}"), Some(Source::Reference(named("file:/srv/acme/../token"))));
        assert_eq!(token("{file: /run/token}"), Some(Source::Reference(named("file:/run/token"))));
        assert_eq!(token("{keyring: acme/a/b}"), Some(Source::Reference(named("keyring:acme/a/b"))));
        assert_eq!(token("{command: [pass, show, 'a b']}"), Some(Source::Reference(named("command:pass show 'a b'"))));
        let copy = Source::Copy { from: named("env:X"), to: StoreName::File };
        assert_eq!(token("{store: file, env: X}"), Some(copy));
        assert_eq!(token("{stored: true}"), Some(Source::Stored));
        // Part of the path looks like a secret, and a variable may begin like a token.
        assert!(token("{file: /run/0123456789abcdef0123456789abcdef}").is_some());
        assert!(token("{env: EAA_SUPPORT_PAGE_TOKEN_OF_PRODUCTION}").is_some());
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_reason() {
        let wrong = |reference: &str| of_account(&format!("token: {reference}"));
        for (reference, part) in [
            ("hunter2", "a secret must not be in a file"),
            ("[hunter2]", "a secret must not be in a file"),
            ("", "'token' has no value"),
            ("{}", "does not say where"),
            ("{store: keyring}", "does not say where"),
            ("{env: A, file: b}", "names env and file"),
            ("{env: ''}", "the name of a variable"),
            ("{env: 'A B'}", "the name of a variable"),
            ("{env: 1}", "write it in quotes"),
            ("{env: EAAB0123456789abcdefghij}", "looks like the secret itself"),
            ("{file: ' '}", "needs a path"),
            ("{keyring: acme}", "a service and a user"),
            ("{keyring: msgrctl/x}", "msgrctl's own"),
            ("{vault: teams/acme}", "a path and a field"),
            ("{command: op read x}", "in a list"),
            ("{command: []}", "in a list"),
            ("{command: ['']}", "in a list"),
            ("{command: [op, 1]}", "write it in quotes"),
            ("{env: A, store: keyrng}", "keyring, file or vault; did you mean 'keyring'?"),
            ("{env: A, store: env}", "keyring, file or vault"),
            ("{stored: yes}", "'stored' is true"),
            ("{stored: 'true'}", "'stored' is true"),
            ("{stored: true, env: A}", "takes no other key"),
            ("{evn: A}", "unknown key in a reference"),
            ("{env: A, hunter2: x}", "unknown key in a reference"),
            ("{value: hunter2}", "unknown key in a reference"),
        ] {
            let message = wrong(reference);
            assert!(message.contains(part), "{reference}: {message}");
            assert!(!message.contains("hunter2") && !message.contains("EAAB"), "{reference}: {message}");
        }
        let message = of_account("webhook: {verify_token: genrate}");
        assert!(message.ends_with("did you mean 'generate'?") && !message.contains("genrate"), "{message}");
    }
}
