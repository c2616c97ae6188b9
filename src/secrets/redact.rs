//! The last line of defence: text that is about to be shown, without anything
//! that looks like a token.

use super::MASK;

/// Replaces what looks like a token of Meta (`EAA…`, `IGAA…`, `APPID|SECRET`).
/// Nothing should have to rely on this; it is for text that came from outside,
/// such as what somebody typed where a flag was expected.
pub fn redact(text: &str) -> String {
    let part_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part_of_token) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|c| !part_of_token(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(length);
        shown.push_str(before);
        shown.push_str(if looks_like_a_token(word) { MASK } else { word });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

fn looks_like_a_token(word: &str) -> bool {
    const SHORTEST: usize = 20;
    let app_token = word
        .split_once('|')
        .is_some_and(|(id, rest)| id.len() >= 5 && id.bytes().all(|b| b.is_ascii_digit()) && rest.len() >= 8);
    // A token may stand inside a longer word (`token_EAAB…`), never the other way round.
    let token = ["EAA", "IGAA"].iter().any(|start| word.find(start).is_some_and(|at| word.len() - at >= SHORTEST));
    let secret = word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    app_token || token || secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_wherever_they_stand() {
        let token = "EAABsbCS1234567890abcdef";
        for text in [
            format!("error: unexpected argument '{token}' found"),
            format!("https://graph.facebook.com/me?access_token={token}&x=1"),
            format!("--token={token}"),
            "123456789012345|0123456789abcdef0123456789abcdef".into(),
            "secret 0123456789abcdef0123456789abcdef.".into(),
        ] {
            let shown = redact(&text);
            assert!(shown.contains(MASK), "{shown}");
            assert!(!shown.contains("1234567890abcdef"), "{shown}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "a page access token begins with EAA; page 109876543210987, id 7f9c0f4e-8a77-4b62-9d55-1f0f0d7a1c11";
        assert_eq!(redact(text), text);
    }
}
