//! A test report, read as a CI system reads it.

/// A suite of the report.
#[derive(Debug)]
pub struct Suite {
    pub name: String,
    pub cases: usize,
    /// The case and the type of each failure.
    pub failures: Vec<(String, String)>,
}

/// The suites of a report.
pub fn suites(text: &str) -> Vec<Suite> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let attribute = |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).unwrap_or_default().to_owned();
    let suites = document.root_element().children().filter(|node| node.has_tag_name("testsuite"));
    suites
        .map(|suite| {
            let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
            let failure = |case: &roxmltree::Node<'_, '_>| {
                let failure = case.children().find(|node| node.has_tag_name("failure"))?;
                Some((attribute(*case, "name"), attribute(failure, "type")))
            };
            assert_eq!(attribute(suite, "tests"), cases.len().to_string());
            let failures: Vec<_> = cases.iter().filter_map(failure).collect();
            assert_eq!(attribute(suite, "failures"), failures.len().to_string());
            Suite { name: attribute(suite, "name"), cases: cases.len(), failures }
        })
        .collect()
}
