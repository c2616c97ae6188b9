//! Programs of other people that msgrctl starts without a shell: an editor, a pager, a program that
//! prints a secret or takes a notice. Their command lines are split as the system's shells do.

use std::io;

/// The words of a command line; `None` when a quotation mark is not closed.
pub fn split(line: &str) -> Option<Vec<String>> {
    if cfg!(windows) { split_plainly(line) } else { shlex::split(line) }
}

/// One command line of these words, which [`split`] takes apart again; `None` if a word has a NUL.
pub fn join<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    if cfg!(windows) { join_plainly(words) } else { shlex::try_join(words).ok() }
}

/// Puts words with spaces or quotation marks into quotation marks.
fn join_plainly<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let quoted = |word: &'a str| {
        let needs = word.is_empty() || word.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        // Each mark of the kind around the word stands in marks of the other kind.
        let quoted = || format!("'{}'", word.replace('\'', "'\"'\"'"));
        (!word.contains('\0')).then(|| if needs { quoted() } else { word.to_owned() })
    };
    Some(words.map(quoted).collect::<Option<Vec<_>>>()?.join(" "))
}

/// Splits at spaces, outside of quotation marks of both kinds. Nothing escapes a character: a
/// backslash separates folders.
fn split_plainly(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Starts a program with `spawn`, which gets its name. On Windows many are scripts (`code.cmd`,
/// `az.cmd`), which a shell finds without their ending, and the system does not.
pub fn start<T>(program: &str, mut spawn: impl FnMut(&str) -> io::Result<T>) -> io::Result<T> {
    let started = spawn(program);
    if !cfg!(windows) || !is_missing(&started) {
        return started;
    }
    for ending in [".cmd", ".bat"] {
        let script = spawn(&format!("{program}{ending}"));
        if !is_missing(&script) {
            return script;
        }
    }
    started
}

fn is_missing<T>(started: &io::Result<T>) -> bool {
    started.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_of_windows_keeps_its_backslashes() {
        let words = |line: &str| split_plainly(line).unwrap_or_default();
        assert_eq!(words(r"C:\Tools\op.exe read  op://a/b"), [r"C:\Tools\op.exe", "read", "op://a/b"]);
        assert_eq!(words(r#""C:\Program Files\x\code.cmd" --wait ''"#), [r"C:\Program Files\x\code.cmd", "--wait", ""]);
        assert_eq!(words("a\"b c\"d"), ["ab cd"]);
        assert!(words("  ").is_empty() && split_plainly("say \"so").is_none());
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_into_the_same_words(words in prop::collection::vec(r#"[a-z \\/:"'$`*é\t]{0,6}"#, 1..4)) {
            let each = || words.iter().map(String::as_str);
            let line = join_plainly(each()).expect("no NUL");
            prop_assert_eq!(split_plainly(&line), Some(words.clone()), "{}", line);
            let line = join(each()).expect("no NUL");
            prop_assert_eq!(split(&line), Some(words), "{}", line);
        }
    }

    #[cfg(windows)]
    #[test]
    fn a_script_is_found_without_its_ending() {
        let mut asked = Vec::new();
        let found = start("code", |program| {
            asked.push(program.to_owned());
            if program == "code.cmd" { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
        });
        assert!(found.is_ok() && asked == ["code", "code.cmd"], "{asked:?}");
    }
}
