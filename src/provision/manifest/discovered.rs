//! Writes the Pages that a token reaches as a manifest: accounts to add, accounts that exist, and
//! comments for what cannot be connected.

use serde_json::{Map, Value, json as value};

use super::write::{account, block, remark, scalar};
use crate::accounts::TenantName;
use crate::channel::Channel;
use crate::checks::causes::Cause;
use crate::provision::discovered::{Entry, FoundPage, NewAccount, ReachedBy};

const HEADER: &str = "\
# A manifest of msgrctl: the Pages that a token reaches.
# To see what it would add: msgrctl plan -f FILE
#
# It holds no token. 'msgrctl login' adds Pages with their tokens, without this file. Or put each
# Page's own token into the variable that is named, or write where it is instead: {file: PATH},
# {keyring: SERVICE/USER}, {vault: PATH#FIELD} or {command: [PROGRAM, ARGUMENT]}.
# Recommended: the app secret, below 'app':  secret: {env: NAME}
#
# A Page that has an account stands with what the account has, and changes nothing. A Page that
# cannot be connected is a comment, with the reason.
";

/// What stands for a username that a Page does not have.
const USERNAME: &str = "USERNAME";

/// The manifest as YAML.
pub fn discovered(tenant: &TenantName, entries: &[Entry<'_>]) -> String {
    let mut text = String::from(HEADER);
    let top = Map::from_iter([("version".to_owned(), 1.into()), ("tenant".to_owned(), tenant.as_str().into())]);
    block(&mut text, &top, 0, &|_| None);
    let is_live = |entry: &Entry<'_>| !entry.accounts.is_empty() || entry.new.is_some() && entry.obstacle.is_none();
    let empty = "accounts: [] # without the brackets once an account is below\n";
    text.push_str(if entries.iter().any(is_live) { "accounts:\n" } else { empty });
    for entry in entries {
        write(&mut text, entry);
    }
    text
}

fn write(text: &mut String, Entry { page, obstacle, accounts, new }: &Entry<'_>) {
    comment(text, &about(page));
    if let Some(cause) = obstacle {
        comment(text, &format!("cannot be connected ({}): {}", cause.id, cause.summary));
        comment(text, &format!("to fix it: {}", cause.fix()));
    }
    for known in accounts {
        comment(text, "connected already: this is the account as it is");
        item(text, &account(known), &|key| remark(known, key));
    }
    match new {
        Some(new) if obstacle.is_none() => item(text, &added(new), &|_| None),
        Some(new) => {
            comment(text, &format!("then write its username for {USERNAME}, and remove the '#' of these lines:"));
            let mut lines = String::new();
            item(&mut lines, &added(new), &|_| None);
            for line in lines.lines() {
                comment(text, line.get(2..).unwrap_or_default());
            }
        }
        None => {}
    }
}

/// An account as an item of the list.
fn item(text: &mut String, account: &Map<String, Value>, remark: &dyn Fn(&str) -> Option<String>) {
    let begun = text.len();
    block(text, account, 4, remark);
    // The first line begins the list item.
    text.replace_range(begun + 2..begun + 3, "-");
}

/// A line of a comment; text from outside in it was quoted before.
fn comment(text: &mut String, line: &str) {
    text.push_str("  # ");
    text.push_str(line);
    text.push('\n');
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    scalar(&mut quoted, text);
    quoted
}

/// The Page in a line: its name and id, how it is reached, its tasks.
fn about(page: &FoundPage) -> String {
    let name = page.name.as_deref().map_or_else(|| "a Page without a name".to_owned(), quoted);
    let business = page.business.as_ref().map(|business| {
        let name = business.name.as_deref().map(|name| format!("{} ", quoted(name))).unwrap_or_default();
        format!("{name}({})", quoted(&business.id))
    });
    let business = business.as_deref().unwrap_or_default();
    let reached = match page.reached_by {
        ReachedBy::Owned => format!("owned by the business {business}"),
        ReachedBy::Client => format!("shared with the business {business}"),
        ReachedBy::Granted => "granted to the token".into(),
        ReachedBy::Role => "reached by a role on it".into(),
    };
    let tasks = match page.tasks.as_deref() {
        None => String::new(),
        Some([]) => "; no tasks".into(),
        Some(tasks) => format!("; tasks: {}", tasks.iter().map(|task| quoted(task)).collect::<Vec<_>>().join(", ")),
    };
    format!("{name}, page id {}: {reached}{tasks}", quoted(&page.id))
}

fn added(new: &NewAccount) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("name".into(), new.name.as_str().into());
    all.insert("handle".into(), new.handle.as_str().into());
    all.insert("type".into(), Channel::Facebook.id().into());
    let username = new.page_username.as_ref().map_or(USERNAME, |username| username.as_str());
    all.insert("page_username".into(), username.into());
    all.insert("page_id".into(), new.page_id.as_str().into());
    all.insert("token".into(), value!({"env": new.variable}));
    all.extend(new.app_id.as_ref().map(|id| ("app".to_owned(), value!({"id": id.as_str()}))));
    all
}

/// The reason for people, where a Page cannot be connected.
pub fn reason(cause: &Cause) -> String {
    format!("{}; {}", cause.summary, cause.fix())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::{Text, Wanted, read};
    use super::*;
    use crate::graph::endpoints::business::Business;
    use crate::provision::discovered::{entries, tests::page};
    use crate::provision::draft::tests::record;

    fn read_back(text: &str) -> super::super::Manifest {
        let text = Text { file: "found.yaml", directory: Path::new("/elsewhere"), text };
        read(&[text]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{}", text.text))
    }

    fn written(pages: &[FoundPage], known: &[crate::accounts::Account]) -> String {
        discovered(&"acme".parse().expect("a tenant"), &entries(pages, known, &|_| true))
    }

    #[test]
    fn a_page_of_each_kind_is_written() {
        let acme = Some(Business { id: "200000000000001".into(), name: Some("Acme: Retail".into()) });
        let app_id = Some("123456789012345".parse().expect("an app id"));
        let pages = [
            FoundPage {
                business: acme.clone(),
                reached_by: ReachedBy::Owned,
                app_id,
                ..page("10001", "Acme #1", "acme.one")
            },
            page("10002", "Bare", ""),
            FoundPage {
                has_token: false,
                business: acme,
                reached_by: ReachedBy::Client,
                tasks: None,
                ..page("10003", "Closed", "acme.three")
            },
            page("10004", "Old name", "acme.four"),
        ];
        let mut known = record("Known", "known");
        known.page_id = "10004".parse().expect("a page id");
        let text = written(&pages, &[known]);
        let (header, body) = text.split_once("version:").expect("a version");
        assert!(header.lines().all(|line| line.starts_with('#')), "{header}");
        let expected = r#" 1
tenant: acme
accounts:
  # "Acme #1", page id "10001": owned by the business "Acme: Retail" ("200000000000001"); tasks: MESSAGING, MANAGE
  - name: "Acme #1"
    handle: acme-1
    type: facebook
    page_username: acme.one
    page_id: "10001"
    token: {env: MSGRCTL_SECRET_ACME_1_PAGE_ACCESS_TOKEN}
    app:
      id: "123456789012345"
  # Bare, page id "10002": reached by a role on it; tasks: MESSAGING, MANAGE
  # cannot be connected (page-without-username): the Page has no username, and the contact centre's form needs one
  # to fix it: have an administrator of the Page create a username (facebook.com/username, or the Page's settings under Name)
  # then write its username for USERNAME, and remove the '#' of these lines:
  # - name: Bare
  #   handle: bare
  #   type: facebook
  #   page_username: USERNAME
  #   page_id: "10002"
  #   token: {env: MSGRCTL_SECRET_BARE_PAGE_ACCESS_TOKEN}
"#;
        assert_eq!(&body[..expected.len()], expected);
        let rest = &body[expected.len()..];
        assert!(rest.contains("# Closed, page id \"10003\": shared with the business \"Acme: Retail\""), "{rest}");
        assert!(
            rest.contains("# cannot be connected (page-not-granted)") && !rest.contains("- name: Closed"),
            "{rest}"
        );
        assert!(rest.contains("# connected already") && rest.contains("  - name: Known\n    handle: known"), "{rest}");
        assert_eq!(read_back(&text).accounts.len(), 2);
        // The way out works as it is written.
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix("  # ") {
                Some(rest) if rest.starts_with("- ") || rest.starts_with("  ") => format!("  {rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        assert_eq!(read_back(&uncommented).accounts.len(), 3, "{uncommented}");
    }

    #[test]
    fn nothing_to_connect_is_a_manifest_too() {
        let text = written(&[FoundPage { has_token: false, ..page("10001", "A", "") }], &[]);
        assert!(read_back(&text).accounts.is_empty() && text.contains("accounts: []"), "{text}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_name_is_read_back(names in prop::collection::vec(
            prop_oneof![
                "[ \t\na-z:#,{}\\[\\]&*!|>'\"%@`~?<=\\\\\u{85}\u{a0}\u{2028}\u{feff}\u{202e}😀é-]{0,20}",
                "\\PC{0,30}",
                "yes|No|null|~|123|1e3|2026-01-02|!!tag|- a|a: b|a #b|'a'|##\\[error\\]x|::error::",
            ], 1..6)
        ) {
            let pages: Vec<FoundPage> = names.iter().enumerate().map(|(at, name)| {
                let business = Some(Business { id: name.clone(), name: Some(name.clone()) });
                let tasks = Some(vec!["MESSAGING".to_owned(), name.clone()]);
                let name = crate::text::sentence(name);
                FoundPage { business, tasks, reached_by: ReachedBy::Owned, ..page(&format!("1000{at}"), &name, "acme.one") }
            }).collect();
            let text = written(&pages, &[]);
            let accounts: Vec<Wanted> = read_back(&text).accounts;
            prop_assert_eq!(accounts.len(), names.len());
            let found = entries(&pages, &[], &|_| true);
            for (entry, wanted) in found.iter().zip(&accounts) {
                let new = entry.new.as_ref().expect("an account");
                prop_assert_eq!((&new.name, Some(&new.handle)), (&wanted.name, wanted.handle.as_ref()));
            }
            prop_assert!(crate::text::first_unfit(&text.replace('\n', "")).is_none());
            prop_assert!(!text.contains("##["));
        }
    }
}
