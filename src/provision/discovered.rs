//! The Pages that a token reaches, as accounts that a manifest can have: names and handles that
//! no other account has, and what keeps a Page from being connected. Pure.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::accounts::{Account, Addresses, AppId, Handle, Name, PageId, PageUsername};
use crate::checks::causes::{Cause, PAGE_NOT_GRANTED, PAGE_NOT_SHOWN, PAGE_WITHOUT_USERNAME, TASK_MISSING};
use crate::graph::endpoints::business::Business;
use crate::graph::endpoints::person::allow_messages;
use crate::secrets::{SecretKey, SecretKind};

/// How a token reaches a Page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachedBy {
    /// By a business that owns it.
    Owned,
    /// By a business that another one shares it with.
    Client,
    /// By the Pages that the token was granted for.
    Granted,
    /// By a role on it.
    Role,
}

/// A Page that a token reaches.
#[derive(Clone, Debug)]
pub struct FoundPage {
    /// Digits.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its @username.
    pub username: Option<String>,
    /// What the token's person may do there, or what the business may; `None`: not known.
    pub tasks: Option<Vec<String>>,
    /// Whether Graph gives its own token.
    pub has_token: bool,
    /// How it is reached.
    pub reached_by: ReachedBy,
    /// The business that it is reached by.
    pub business: Option<Business>,
    /// The app of the token that reaches it.
    pub app_id: Option<AppId>,
}

impl FoundPage {
    /// What keeps it from being connected, the hardest first.
    fn obstacle(&self) -> Option<&'static Cause> {
        let no_username = || self.username.as_deref().is_none_or(|name| name.parse::<PageUsername>().is_err());
        if self.id.parse::<PageId>().is_err() {
            Some(&PAGE_NOT_SHOWN)
        } else if self.tasks.as_deref().is_some_and(|tasks| !allow_messages(tasks)) {
            Some(&TASK_MISSING)
        } else if !self.has_token {
            Some(&PAGE_NOT_GRANTED)
        } else {
            no_username().then_some(&PAGE_WITHOUT_USERNAME)
        }
    }
}

/// A Page, its accounts, and what a manifest can say of it.
#[derive(Debug)]
pub struct Entry<'e> {
    /// The Page.
    pub page: &'e FoundPage,
    /// What keeps it from being connected with this token.
    pub obstacle: Option<&'static Cause>,
    /// The accounts of the tenant that have it.
    pub accounts: Vec<&'e Account>,
    /// The account to add, where there is none and only the username may be missing.
    pub new: Option<NewAccount>,
}

/// An account to add for a Page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Unique among the entries and the tenant's accounts.
    pub name: Name,
    /// Unique in the same way; so is its variable.
    pub handle: Handle,
    /// `None`: the Page has none, or not a valid one.
    pub page_username: Option<PageUsername>,
    /// The Page's id.
    pub page_id: PageId,
    /// The app of the token that reaches the Page.
    pub app_id: Option<AppId>,
    /// The variable that its token is read from.
    pub variable: String,
}

/// One entry for each Page, ordered by name and id. `known` are the tenant's accounts; those
/// that `is_of_graph` refuses belong to another Graph, and only keep their names.
pub fn entries<'e>(
    pages: &'e [FoundPage],
    known: &'e [Account],
    is_of_graph: &dyn Fn(&Account) -> bool,
) -> Vec<Entry<'e>> {
    let mut of_pages: HashMap<&str, Vec<&Account>> = HashMap::new();
    for account in known.iter().filter(|account| is_of_graph(account)) {
        of_pages.entry(account.page_id.as_str()).or_default().push(account);
    }
    let mut naming = Naming::of(known);
    let mut pages: Vec<&FoundPage> = pages.iter().collect();
    pages.sort_by_cached_key(|page| (page.name.as_deref().unwrap_or_default().to_lowercase(), page.id.clone()));
    let entry = |page: &'e FoundPage| {
        let accounts = of_pages.get(page.id.as_str()).cloned().unwrap_or_default();
        let obstacle = page.obstacle();
        let may_be_added = obstacle.is_none_or(|cause| *cause == PAGE_WITHOUT_USERNAME);
        let new = if accounts.is_empty() && may_be_added { naming.account(page) } else { None };
        Entry { page, obstacle, accounts, new }
    };
    pages.into_iter().map(entry).collect()
}

/// The names, handles and variables that are taken.
struct Naming {
    addresses: Addresses,
    variables: HashSet<String>,
    /// The number of the next account.
    next: usize,
}

impl Naming {
    fn of(known: &[Account]) -> Self {
        let variables = known.iter().map(|account| variable(&account.handle)).collect();
        Self { addresses: Addresses::of(known), variables, next: known.len() }
    }

    /// An account for a Page; `None` if its id is not valid.
    fn account(&mut self, page: &FoundPage) -> Option<NewAccount> {
        let page_id: PageId = page.id.parse().ok()?;
        let page_username: Option<PageUsername> = page.username.as_deref().and_then(|name| name.parse().ok());
        let name = self.name(page, page_username.as_ref(), &page_id)?;
        let handle = self.handle(&name, page_username.as_ref());
        self.addresses.add(self.next, [name.as_str(), handle.as_str()]);
        self.next += 1;
        let variable = variable(&handle);
        self.variables.insert(variable.clone());
        Some(NewAccount { name, handle, page_username, page_id, app_id: page.app_id.clone(), variable })
    }

    /// The Page's name where it is free; else with its username or id behind it.
    fn name(&self, page: &FoundPage, username: Option<&PageUsername>, id: &PageId) -> Option<Name> {
        /// Room for what is put behind a long name.
        const LONGEST: usize = 70;
        let own = page.name.as_deref().unwrap_or_default().trim();
        let short: String = own.chars().take(LONGEST).collect();
        let with = |more: &str| format!("{} ({more})", short.trim());
        let candidates = [
            Some(own.to_owned()),
            username.map(|username| with(username.as_str())),
            Some(with(id.as_str())),
            Some(format!("Page {id}")),
        ];
        let free = |name: &Name| self.addresses.holders(name.as_str()).is_empty();
        candidates.into_iter().flatten().filter_map(|name| name.parse().ok()).find(free)
    }

    /// The slug of the name, of the username where the name has no letter that a handle can have,
    /// with a number where it is taken.
    fn handle(&self, name: &Name, username: Option<&PageUsername>) -> Handle {
        let has_letters = Handle::slug(name).as_str() != NO_LETTERS;
        let base = match username.and_then(|username| username.as_str().parse::<Name>().ok()) {
            Some(username) if !has_letters => Handle::slug(&username),
            _ => Handle::slug(name),
        };
        let taken = self.variables.len() + self.next;
        let numbered = (2..=taken + 2).map(|number| base.numbered(number));
        let free = |handle: &Handle| {
            self.addresses.holders(handle.as_str()).is_empty() && !self.variables.contains(&variable(handle))
        };
        // The name itself may be a handle: it is not added yet.
        std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
    }
}

/// What [`Handle::slug`] gives for a name without a letter or digit of ASCII.
const NO_LETTERS: &str = "account";

/// The variable that the env store would read the Page's token from.
fn variable(handle: &Handle) -> String {
    let kind = SecretKind::PageAccessToken;
    SecretKey { account_id: String::new(), handle: handle.to_string(), account_name: String::new(), kind }.variable()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::provision::draft::tests::record;

    /// A Page that can be connected.
    pub fn page(id: &str, name: &str, username: &str) -> FoundPage {
        FoundPage {
            id: id.into(),
            name: Some(name.into()),
            username: (!username.is_empty()).then(|| username.into()),
            tasks: Some(vec!["MESSAGING".into(), "MANAGE".into()]),
            has_token: true,
            reached_by: ReachedBy::Role,
            business: None,
            app_id: None,
        }
    }

    fn named(pages: &[FoundPage], known: &[Account]) -> Vec<[String; 3]> {
        let entries = entries(pages, known, &|_| true);
        let of = |new: NewAccount| [new.name.to_string(), new.handle.to_string(), new.variable];
        entries.into_iter().filter_map(|entry| entry.new).map(of).collect()
    }

    #[test]
    fn pages_of_one_name_get_names_handles_and_variables_of_their_own() {
        let pages = [
            page("10003", "ACME", "acme.three"),
            page("10001", "Acme", "acme.one"),
            page("10002", "Acme", ""),
            page("10004", "acme-acme.three", "acme.four"),
            page("10005", "acme_acme_three", "acme.five"),
        ];
        let found = named(&pages, &[]);
        let [first, second, third, fourth, fifth] = &found[..] else { panic!("{found:?}") };
        assert_eq!(first, &["Acme", "acme", "MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN"]);
        assert_eq!(second[..2], ["Acme (10002)", "acme-10002"]);
        assert_eq!(third[..2], ["ACME (acme.three)", "acme-acme.three"]);
        // Its name is the handle of the one before, and its variable would be the same too.
        assert_eq!(fourth[..2], ["acme-acme.three (acme.four)", "acme-acme.three-acme.four"]);
        assert_eq!(fifth[..2], ["acme_acme_three", "acme_acme_three-2"]);
        let variables: HashSet<&String> = found.iter().map(|[_, _, variable]| variable).collect();
        assert_eq!(variables.len(), 5, "{found:?}");
    }

    #[test]
    fn names_and_handles_of_the_tenant_stay_its_own() {
        let known = [record("Acme", "acme"), record("Other", "sales")];
        let pages =
            [page("10001", "acme", "acme.one"), page("10002", "Sales", "acme.two"), page("10003", "s a l e s", "x")];
        let found = named(&pages, &known);
        assert_eq!(found[0][..2], ["acme (acme.one)", "acme-acme.one"]);
        assert_eq!(found[1][..2], ["s a l e s", "s-a-l-e-s"]);
        assert_eq!(found[2][..2], ["Sales (acme.two)", "sales-acme.two"]);
    }

    #[test]
    fn odd_names_become_names_that_an_account_may_have() {
        let long = "x".repeat(150);
        let pages = [
            page("10001", "日本", "acme.jp"),
            page("10002", "日本", ""),
            page("10003", &long, ""),
            page("10004", "", "acme.nameless"),
            page("10005", "EAAB0123456789abcdefghijklmnopqrstuvwxyz", "acme.five"),
        ];
        let found = named(&pages, &[]);
        assert_eq!(found.len(), 5);
        for [name, handle, _] in &found {
            assert!(name.parse::<Name>().is_ok() && handle.parse::<Handle>().is_ok(), "{name} {handle}");
        }
        let has = |handle: &str| found.iter().any(|[_, found, _]| found == handle);
        assert!(has("acme.jp") && has("10002"), "{found:?}");
        assert!(found.iter().all(|[name, ..]| !name.contains("EAAB")), "{found:?}");
    }

    #[test]
    fn what_keeps_a_page_from_being_connected_is_named() {
        let cause = |page: FoundPage| page.obstacle().map(|cause| cause.id);
        assert_eq!(cause(page("10001", "A", "acme")), None);
        assert_eq!(cause(page("10001", "A", "")), Some("page-without-username"));
        assert_eq!(cause(page("10001", "A", "not a username")), Some("page-without-username"));
        assert_eq!(cause(FoundPage { has_token: false, ..page("10001", "A", "") }), Some("page-not-granted"));
        let idle = FoundPage { tasks: Some(vec!["ANALYZE".into()]), ..page("10001", "A", "") };
        assert_eq!(cause(FoundPage { has_token: false, ..idle }), Some("task-missing"));
        assert_eq!(cause(FoundPage { tasks: None, ..page("10001", "A", "acme") }), None);
        assert_eq!(cause(page("x", "A", "acme")), Some("page-not-shown"));
    }

    #[test]
    fn a_page_that_is_connected_keeps_its_accounts_name() {
        let mut twin = record("Second", "second");
        twin.page_id = "10001".parse().expect("a page id");
        let mut first = twin.clone();
        (first.name, first.handle) = ("First".parse().expect("a name"), "first".parse().expect("a handle"));
        let known = [first, twin, record("Other", "other")];
        let pages = [page("10001", "Acme", "")];
        let found = entries(&pages, &known, &|_| true);
        assert!(found[0].new.is_none() && found[0].obstacle.is_some());
        let handles: Vec<&str> = found[0].accounts.iter().map(|account| account.handle.as_str()).collect();
        assert_eq!(handles, ["first", "second"]);
        let elsewhere = entries(&pages, &known, &|_| false);
        assert!(elsewhere[0].accounts.is_empty() && elsewhere[0].new.is_some());
    }
}
