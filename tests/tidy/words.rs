//! Phrases that a reader has to read twice, and what to write in their place. They are
//! looked for in the README, in the man pages, which have every help text and every topic,
//! and in the texts of the sources.

use std::fs;
use std::path::Path;

use regex_lite::Regex;

/// `(a regular expression, what to write)`.
const BANNED: &[(&str, &str)] = &[
    (r"\bis no (?:[^l]|l[^o])", "is not a valid …"),
    (r"\b(?:whoever|somebody|nobody|everybody|anybody)\b", "name the person or the thing"),
    (r"\bnone of\b", "expected …, or name them"),
    (r"\b(?:take|takes|taken|taking) (?:it |them |this )?back\b", "undo, roll back"),
    (r"\b(?:deals?|dealt|dealing) with\b", "process"),
    (r"\bmend(?:s|ed|ing)?\b", "fix"),
    (r"\b(?:leave|leaves|left|leaving) (?:[a-z]+ ){0,2}out\b", "omit, skip"),
    (r"\bof (?:its|their) own accord\b", "by itself"),
    (r"\balone(?:[.,;:)]|$)", "only, before the word"),
    (r"\b(?:make|makes|made) it so\b", "apply"),
    (r"\bnot twice\b", "what is finished is skipped"),
];

/// The texts of a source: what stands in double quotes outside comments, each in one line.
fn texts(source: &str) -> Vec<String> {
    // What may hold a quote and is not a text comes first: comments, characters, raw texts.
    let parts = r##"(?s)//[^\n]*|'(?:[^'\\\n]|\\[^\n]{1,9}?)'|r#"(.*?)"#|"((?:[^"\\]|\\.)*)""##;
    let parts = Regex::new(parts).expect("a regular expression");
    let texts = parts.captures_iter(source).filter_map(|found| found.get(1).or_else(|| found.get(2)));
    // A text goes on in the next line after a backslash.
    texts.map(|text| plain(&text.as_str().replace("\\n", " ").replace("\\\n", ""))).collect()
}

/// A text in one line.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with a text.
fn wrong(text: &str) -> Vec<String> {
    let text = text.replace("there is no ", "").replace("There is no ", "");
    let found = BANNED.iter().filter_map(|(banned, better)| {
        let banned = Regex::new(&format!("(?i){banned}")).expect("a regular expression");
        let found = banned.find(&text)?;
        Some(format!("{:?} in {text:?}: {better}", found.as_str()))
    });
    found.collect()
}

#[test]
fn what_is_shown_is_plain() {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut look = |name: &str, text: &str| {
        seen += 1;
        found.extend(wrong(text).into_iter().map(|what| format!("{name}: {what}")));
    };
    for paragraph in fs::read_to_string("README.md").expect("a README").split("\n\n") {
        look("README.md", &plain(paragraph));
    }
    for page in fs::read_dir("man").expect("the pages") {
        let page = page.expect("a page").path();
        let text = fs::read_to_string(&page).expect("a page").replace("\\-", "-").replace("\\*(Aq", "'");
        text.lines().for_each(|line| look(&page.to_string_lossy(), line));
    }
    for (path, source) in super::sources() {
        // The sandbox says what Meta says.
        if path.starts_with(Path::new("src/sandbox/routes")) {
            continue;
        }
        for text in texts(super::shipped(&source)) {
            look(&path.to_string_lossy(), &text);
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} phrases: {found:#?}", found.len());
    assert!(seen > 10_000, "the texts are not where they are looked for: {seen}");
}

#[test]
fn banned_phrases_are_found() {
    let one = |text: &str| wrong(text).len();
    assert_eq!(one("'x' is no webhook field"), 1);
    assert_eq!(one("there is no tenant 'acme'"), 0);
    assert_eq!(one("the version is no longer offered"), 0);
    assert_eq!(one("Whoever sees the screen sees it"), 1);
    assert_eq!(one("digits alone"), 1);
    assert_eq!(one("alone it fails"), 0);
    assert_eq!(one("recommended"), 0);
    assert_eq!(one("leave the key out"), 1);
    assert_eq!(one("leave it out to use the keyring"), 1);
    let source = "let a: &'a str = b('\"'); // somebody \"x\"\n\
        let b = format!(\"one \\\"two\\\" \\\n three\"); // nobody\n\
        let c = ['\\'', '\\u{1b}', r#\"four \"five\"\"#];";
    assert_eq!(texts(source), ["one \\\"two\\\" three", "four \"five\""]);
}
