//! The last line of defence: masks anything that looks like a token in a text about to be shown.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{MASK, credential};

/// Masks what looks like a token of Meta (`EAA…`, `IGAA…`, `APPID|SECRET`), an app secret, or a
/// credential of another system. Nothing should rely on this; it is for text from outside, such
/// as an argument typed in the wrong place.
pub fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = credential::find(rest) {
        shown.push_str(&rest[..found.start]);
        shown.push_str(MASK);
        rest = &rest[found.end..];
    }
    shown.push_str(rest);
    shown
}

/// For serde: a text, or a list of texts, each redacted.
pub(crate) fn redacted<T: Serialize, S: Serializer>(texts: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let one = |text: Value| text.as_str().map_or(Value::Null, |text| redact(text).into());
    let value = match serde_json::to_value(texts).map_err(S::Error::custom)? {
        Value::Array(texts) => texts.into_iter().map(one).collect(),
        text => one(text),
    };
    value.serialize(serializer)
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
    fn serde_writes_no_token_either() {
        #[derive(Serialize)]
        struct Texts {
            #[serde(serialize_with = "redacted")]
            one: String,
            #[serde(serialize_with = "redacted")]
            perhaps: [Option<String>; 2],
            #[serde(serialize_with = "redacted")]
            list: Vec<String>,
        }
        let text = || "it is EAABsbCS1234567890abcdef".to_owned();
        let texts = Texts { one: text(), perhaps: [Some(text()), None], list: vec!["it is known".into(), text()] };
        let masked = format!("it is {MASK}");
        let expected = serde_json::json!({"one": masked, "perhaps": [masked, null], "list": ["it is known", masked]});
        assert_eq!(serde_json::to_value(texts).expect("json"), expected);
    }

    #[test]
    fn other_text_is_left_alone() {
        let text = "a page access token begins with EAA; page 109876543210987, id 7f9c0f4e-8a77-4b62-9d55-1f0f0d7a1c11";
        assert_eq!(redact(text), text);
    }
}
