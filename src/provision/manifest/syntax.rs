//! What the parser of YAML says, in words for the person who wrote the file. Never with
//! a part of the file, which may hold a secret.

/// What the parser's text has in it, and what is said instead. The first that fits.
const WORDS: &[(&str, &str)] = &[
    ("recursion limit", "this is nested too deeply"),
    ("must be followed by a valid YAML whitespace", "a tab after ':' or '-': write a space"),
    ("may not precede any of", "a space is missing after ':'"),
    ("block scalar content cannot start with a tab", TAB),
    ("unprintable", "a NUL byte: this is no text"),
    ("tab", TAB),
    ("unexpected end of stream", "this quotation mark is never closed"),
    ("invalid indentation in quoted", QUOTE),
    ("unexpected document indicator", QUOTE),
    (
        "trailing content after double-quoted",
        "something follows the closing quotation mark: a ',' or ':' is missing, or a quotation mark inside the text is not escaped",
    ),
    (
        "unknown escape",
        "a backslash in this text begins no escape: write \\\\ for a backslash, or put the text in single quotation marks",
    ),
    ("expected hexadecimal", ESCAPE),
    ("Unicode character escape", ESCAPE),
    ("flow mapping, did not find", "a ',' or the closing '}' is missing before this"),
    ("flow sequence, expected", "a ',' or the closing ']' is missing before this"),
    ("indentation in flow", "a '{' or '[' above is not closed, or this line is not indented"),
    ("misplaced bracket", "a closing bracket that nothing opens"),
    (
        "mapping values are not allowed",
        "a ':' that cannot stand here: is the indentation wrong, or does a text with ': ' in it need quotation marks?",
    ),
    ("illegal placement of ':'", "a ':' that cannot stand here"),
    ("simple key expect", "a ':' is missing after the key"),
    ("mapping keys are not allowed", "a '?' that cannot stand here"),
    ("unknown anchor", "this alias (*) has no anchor (&) of its name before it"),
    ("TAG", "a '%' begins a directive, and directives are not taken"),
    ("anchor", "'&' and '*' begin an anchor or an alias: put a text that begins so in quotation marks"),
    ("tag", "a '!' begins a tag, and tags are not taken: put a text that begins so in quotation marks"),
    ("handle wasn't declared", "a '!' begins a tag, and tags are not taken"),
    ("directive", "a '%' begins a directive, and directives are not taken"),
    ("unexpected character", "a text that begins with '@', '`' or '%' needs quotation marks"),
    ("plain scalar cannot start with '-'", "a '-' needs a space after it, or the text quotation marks"),
    ("block sequence entries are not allowed", DASH),
    ("only valid inside a block", DASH),
    ("indentation indicator", "the number after '|' or '>' is not 1 to 9"),
    ("while scanning a block scalar", "something follows the '|' or '>': the text begins on the next line"),
    ("comment intercepting", "a comment in the middle of a text: end the text, or put it in quotation marks"),
    ("comments must be separated", COMMENT),
    ("expected whitespace", COMMENT),
    ("expected key", INDENTATION),
    ("expected '-' indicator", INDENTATION),
    ("indent", INDENTATION),
    ("node content", "a value is missing here, or a bracket above is not closed"),
    ("byte order mark", "a byte-order mark in the middle of the file: remove it"),
    ("expected <document start>", "something follows the end of the manifest"),
];

const TAB: &str = "a tab in the indentation: YAML is indented with spaces";
const QUOTE: &str = "this quotation mark is not closed, or the lines of its text are not indented";
const ESCAPE: &str = "an escape in this text (\\x, \\u, \\U) names no character";
const COMMENT: &str = "a '#' without a space before it: put a space there, or the text in quotation marks";
const DASH: &str = "a '-' that cannot stand here: each item of a list begins a line";
const INDENTATION: &str = "the indentation fits nothing above";

/// Said where none fits.
const ANY: &str = "this is not YAML (or JSON) that can be read";

/// What `said` means.
pub(super) fn in_words(said: &str) -> &'static str {
    WORDS.iter().find(|(part, _)| said.contains(part)).map_or(ANY, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use saphyr_parser::Parser;

    use super::*;

    /// Through the parser itself, so that another version of it cannot change its words
    /// unseen.
    #[test]
    fn common_mistakes_have_words_of_ours() {
        for (text, part) in [
            ("a:\n\tb: 1\n", "a tab in the indentation"),
            ("a: 'x\n", "never closed"),
            ("a: \"x\nb: 1\n", "not closed"),
            ("a: [1,\nb: 2\n", "'[' above is not closed"),
            ("a: [x\n", "']' is missing"),
            ("a: {stored: true\n", "'}' is missing"),
            ("{\"a\":\"1\" \"b\":2}", "a ',' or ':' is missing"),
            ("a: b: c\n", "a ':' that cannot stand here"),
            ("a:\n  b: 1\n c: 2\n", "the indentation"),
            ("- a\nb: 1\n", "the indentation"),
            ("a: 1\nb\n", "a ':' is missing"),
            ("a: ]\n", "nothing opens"),
            ("a: *zz\n", "no anchor"),
            ("a: @x\n", "needs quotation marks"),
            ("a: \"\\q\"\n", "a backslash"),
            ("a: \"\\ud83d\"\n", "names no character"),
            ("a: - b\n", "each item of a list"),
            ("a: | b\n", "the text begins on the next line"),
            ("a: x\0y\n", "NUL"),
            ("{\"a\":1}{\"b\":2}", "the end of the manifest"),
            ("a: !x!y z\n", "tags are not taken"),
            ("a: \"b\"#c\n", "'#'"),
            ("a: [}\n", "a value is missing"),
        ] {
            let error = Parser::new_from_str(text).find_map(Result::err).unwrap_or_else(|| panic!("{text:?} is read"));
            assert!(in_words(error.info()).contains(part), "{text:?}: {}: {}", error.info(), in_words(error.info()));
        }
    }
}
