//! The few texts that are needed of S3's answers in XML. Their elements have no attributes and
//! are not nested in themselves.

/// The texts of all elements with this name.
pub fn all(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml.split(&*open).skip(1).filter_map(|rest| rest.split_once(&*close));
    texts.map(|(text, _)| plain(text)).collect()
}

fn plain(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_whole() {
        let xml = "<R><Prefix>t/</Prefix><Contents><Key>t/a&amp;b</Key></Contents></R>";
        assert_eq!(all(xml, "Key"), ["t/a&b"]);
        assert!(all("<Key>cut", "Key").is_empty());
    }
}
