//! Words of a command line that is printed to be pasted.

/// A word, quoted where the shell needs it: a POSIX shell, or cmd and PowerShell on Windows.
pub fn for_shell(word: &str) -> String {
    if cfg!(windows) {
        return for_windows(word);
    }
    // Fails only on a NUL, which no command line can hold.
    shlex::try_quote(word).unwrap_or_default().into_owned()
}

/// Both shells of Windows take what stands in `"…"` as one word. What PowerShell would replace there
/// stands in `'…'`, which cmd does not know.
fn for_windows(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '\\' | ':' | '=' | '+');
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else if word.contains(['"', '$', '`', '“', '”', '„']) {
        format!("'{}'", word.replace('\'', "''"))
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_in_the_shells_of_windows() {
        for (word, pasted) in [
            (r"C:\Users\ada\key", r"C:\Users\ada\key"),
            (r"C:\Program Files\key", r#""C:\Program Files\key""#),
            ("https://example.com/hook?a=1&b=2", "\"https://example.com/hook?a=1&b=2\""),
            ("Ada's Page", "\"Ada's Page\""),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("5 $ 'off'", "'5 $ ''off'''"),
            ("say \"so\"", "'say \"so\"'"),
        ] {
            assert_eq!(for_windows(word), pasted);
        }
    }
}
