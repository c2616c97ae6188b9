//! Every cause and check, from the tables of tests, `explain` and errors.

use super::{Group, Topic};
use crate::checks::causes::{self as known, Matter};
use crate::operations::explain::{CAUSE, CHECK, Page, of_kind};

pub(super) const CAUSES: Topic = Topic {
    name: "causes",
    about: "Causes and checks: what can be wrong, and what to do",
    before: "Each problem has a cause, whose name does not change from version to version. 'status', 'account test --format markdown' and JSON name it. NAME is an account. 'msgrctl explain CAUSE' shows one of them, 'msgrctl explain 190/460' one of Meta's codes.",
    list: &[],
    groups,
    after: "",
};

/// In the order in which an administrator meets them.
const MATTERS: [(Matter, &str); 7] = [
    (Matter::Credentials, "Token and app"),
    (Matter::Delivery, "Page, webhook and callback"),
    (Matter::Message, "Messages"),
    (Matter::Remote, "Network and Graph"),
    (Matter::Machine, "This machine"),
    (Matter::State, "Shared state"),
    (Matter::Other, "Other refusals"),
];

fn groups() -> Vec<Group> {
    let matter = |page: &Page| known::all().find(|cause| cause.id == page.id).map(|cause| cause.matter);
    let causes = of_kind(CAUSE);
    let of = |wanted: Option<Matter>| causes.iter().filter(|page| matter(page) == wanted).cloned().collect();
    let known = MATTERS.into_iter().map(|(wanted, heading)| Group { heading, pages: of(Some(wanted)) });
    let callback = Group { heading: "What the callback answered", pages: of(None) };
    let checks = Group { heading: "Checks of account test and doctor", pages: of_kind(CHECK) };
    known.chain([callback, checks]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_and_every_check_is_in_one_group() {
        let mut found: Vec<Page> = groups().into_iter().flat_map(|group| group.pages).collect();
        let mut expected = [of_kind(CAUSE), of_kind(CHECK)].concat();
        let key = |page: &Page| (page.kind, page.id.clone());
        found.sort_by_key(key);
        expected.sort_by_key(key);
        assert_eq!(found, expected);
    }

    #[test]
    fn no_group_is_empty() {
        assert!(groups().iter().all(|group| !group.pages.is_empty()));
    }
}
