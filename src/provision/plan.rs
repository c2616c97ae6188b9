//! The differences between a manifest and the current state, as a pure value. Nothing here asks
//! or changes anything: drafts say what should be, [`Seen`] says what is, and applying a plan
//! carries it out without comparing again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::apps::{AppPlan, apps};
use super::draft::Draft;
use super::kept::{self, ReadySecret, SecretDiff, SecretSeen};
use super::manifest::Place;
use super::sent::{Sent, sends};
use super::subscription::{AppLevel, PageLevel, Wish, page_step};
use crate::accounts::Account;
use crate::checks::causes;
use crate::checks::{GraphTrace, of_unreachable};
use crate::graph::GraphError;
use crate::graph::endpoints::page::same_username;
use crate::messages::{Event, MessageState};
use crate::secrets::{Secret, SecretKind, redacted};

/// All planned changes.
#[derive(Debug, Default)]
pub struct Plan {
    pub chat_settings: Vec<Change>,
    pub apps: Vec<AppPlan>,
    /// The accounts of the manifest, in its order, then those to remove.
    pub accounts: Vec<AccountPlan>,
    /// Names of accounts that the manifest does not name and that stay.
    pub left: Vec<String>,
}

/// The planned changes of one account. `msgrctl plan --json` shows this type: it names secrets
/// only by their place, and has no field for a value.
#[derive(Debug, Default, Serialize)]
pub struct AccountPlan {
    /// Its place in the manifest; `None`: it is removed.
    #[serde(skip)]
    pub place: Option<Place>,
    #[serde(rename = "account")]
    pub name: String,
    pub handle: String,
    pub action: Action,
    /// The current record.
    #[serde(skip)]
    pub before: Option<Account>,
    /// The record to save; `None`: it is removed, or cannot be completed.
    #[serde(skip)]
    pub after: Option<Account>,
    pub changes: Vec<Change>,
    /// The secrets to store or to refer to.
    #[serde(skip)]
    pub secrets: Vec<(SecretKind, ReadySecret)>,
    /// The Page's fields, where the manifest names them.
    #[serde(skip)]
    pub fields: Option<Vec<String>>,
    /// All fields to subscribe the Page to, where Meta has to be changed.
    #[serde(skip)]
    pub page: Option<Vec<String>>,
    /// Why the account cannot be applied; then none of its changes are made.
    pub problems: Vec<Problem>,
    /// Notes that change nothing.
    #[serde(serialize_with = "redacted")]
    pub notes: Vec<String>,
    /// The places its secrets are read from, and where each of them is sent.
    pub sends: Vec<Sent>,
}

/// What happens to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Add,
    Change,
    Remove,
    /// Nothing differs.
    #[default]
    #[serde(rename = "none")]
    Nothing,
}

/// A difference. Secrets are named by their place, never by their value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The manifest's key: `webhook.callback_url`.
    pub field: String,
    /// The old value; `None`: there was none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub from: Option<String>,
    /// The new value; `None`: there will be none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub to: Option<String>,
}

impl Change {
    pub fn new(field: impl Into<String>, from: Option<String>, to: Option<String>) -> Self {
        Self { field: field.into(), from, to }
    }
}

/// Why an account cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong, in a sentence without a full stop.
    #[serde(serialize_with = "redacted")]
    pub summary: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub hint: Option<String>,
    /// Whether trying again later may help.
    #[serde(rename = "retryable")]
    pub unreachable: bool,
}

impl Problem {
    /// A problem that needs a fix.
    pub fn new(summary: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { summary: summary.into(), hint: Some(hint.into()), unreachable: false }
    }

    /// Something at Meta that could not be read.
    pub(super) fn unseen(what: &str, error: &GraphError) -> Self {
        let cause = match error {
            GraphError::Refused(error) => causes::of(error, causes::Place::Page.plain()),
            GraphError::Unreachable(why) => of_unreachable(why),
        };
        let trace = GraphTrace::of(error).map(|trace| trace.in_words()).unwrap_or_default();
        Self {
            summary: format!("{what} could not be read: {}{trace}", cause.summary),
            hint: Some(cause.fix),
            unreachable: matches!(error, GraphError::Unreachable(_)),
        }
    }
}

/// What was read for an account besides its record.
#[derive(Default)]
pub struct Seen {
    /// Its secrets that are copied.
    pub secrets: BTreeMap<SecretKind, SecretSeen>,
    /// The secrets that Meta was asked with.
    pub used: BTreeMap<SecretKind, Secret>,
    /// The state at Meta; `None`: Meta was not asked.
    pub live: Option<Live>,
    /// Problems of its secrets or its credentials.
    pub problems: Vec<Problem>,
    /// Why its verify token may not be read, which matters only for setting an app's webhook.
    pub closed: Option<Problem>,
}

/// The state of a Page and its app at Meta.
pub struct Live {
    pub page_name: Option<String>,
    pub page: Result<PageLevel, GraphError>,
    /// The app's webhook; `None`: not asked.
    pub app: Option<Result<AppLevel, GraphError>>,
}

/// Compares every draft with what was read for it, in the same order. `removed` are the accounts
/// to remove, `left` those that are not named and stay.
///
/// # Panics
///
/// When the numbers of drafts and of `seen` differ: an account would be dropped silently.
pub fn plan(drafts: Vec<Draft>, seen: &[Seen], removed: Vec<Account>, left: Vec<String>) -> Plan {
    assert_eq!(drafts.len(), seen.len(), "one look at each account");
    let mut accounts: Vec<AccountPlan> =
        drafts.into_iter().zip(seen).map(|(draft, seen)| account(draft, seen)).collect();
    let apps = apps(&mut accounts, seen);
    accounts.extend(removed.into_iter().map(|account| AccountPlan {
        action: Action::Remove,
        notes: vec![format!(
            "its Page stays subscribed at Meta; to end that first: msgrctl webhook unsubscribe {}",
            account.handle
        )],
        name: account.name.to_string(),
        handle: account.handle.to_string(),
        before: Some(account),
        ..AccountPlan::default()
    }));
    Plan { chat_settings: Vec::new(), apps, accounts, left }
}

impl Plan {
    /// Whether nothing is left to change.
    pub fn is_empty(&self) -> bool {
        self.chat_settings.is_empty()
            && self.apps.is_empty()
            && self.accounts.iter().all(|account| account.action == Action::Nothing || !account.problems.is_empty())
    }

    /// The number of accounts that cannot be applied.
    pub fn blocked(&self) -> usize {
        self.accounts.iter().filter(|account| !account.problems.is_empty()).count()
    }

    /// Whether every account is out of reach for now.
    pub fn is_out_of_reach(&self) -> bool {
        let out = |account: &AccountPlan| account.problems.iter().any(|problem| problem.unreachable);
        !self.accounts.is_empty() && self.accounts.iter().all(out)
    }

    /// The number of accounts with this action.
    pub fn count(&self, action: Action) -> usize {
        self.accounts.iter().filter(|account| account.problems.is_empty() && account.action == action).count()
    }
}

fn account(draft: Draft, seen: &Seen) -> AccountPlan {
    let sends = sends(&draft);
    let Draft { wanted, handle, before, after, secrets, mut problems, mut notes } = draft;
    problems.extend(seen.problems.iter().cloned());
    let (place, name, handle) = (Some(wanted.place), wanted.name.to_string(), handle.to_string());
    let known = AccountPlan { place, name, handle, sends, ..AccountPlan::default() };
    let Some(mut after) = after else { return AccountPlan { action: Action::Add, problems, ..known } };
    let live = seen.live.as_ref();
    if let Some(name) = live.and_then(|live| live.page_name.clone()) {
        after.page_name = Some(name);
    }
    let mut changes = fields_of(before.as_ref(), &after);
    // A Page's name that was not saved before is not a difference by itself.
    if before.as_ref().is_some_and(|before| before.page_name.is_none()) && changes.is_empty() {
        after.page_name = None;
    }
    let mut ready = Vec::new();
    for (kind, new) in secrets {
        match kept::compare(kind, new, before.as_ref(), seen.secrets.get(&kind)) {
            Ok(SecretDiff::As(change, secret)) => {
                changes.push(change);
                ready.extend(secret.map(|secret| (kind, secret)));
            }
            Ok(SecretDiff::Same(note)) => notes.extend(note),
            Err(problem) => problems.push(problem),
        }
    }
    let mut page = None;
    if let (Some(fields), None, None) = (&wanted.fields, &before, live) {
        changes.push(Change::new("webhook.fields", None, Some(fields.join(", "))));
    }
    if let (Some(fields), Some(live), true) = (&wanted.fields, live, problems.is_empty()) {
        match page_change(fields, live) {
            Ok(Some((change, step))) => {
                changes.push(change);
                page = Some(step);
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    let moved = changes.iter().any(|change| change.field == "webhook.callback_url");
    if moved && wanted.fields.is_none() {
        notes.push("webhook.callback_url is saved here; Meta gets it only with webhook.fields".into());
    }
    let action = match (&before, changes.is_empty()) {
        (None, _) => Action::Add,
        (Some(_), true) => Action::Nothing,
        (Some(_), false) => Action::Change,
    };
    let fields = wanted.fields;
    AccountPlan { action, before, after: Some(after), changes, secrets: ready, fields, page, problems, notes, ..known }
}

/// The fields of the record that differ, except the places of secrets.
fn fields_of(before: Option<&Account>, after: &Account) -> Vec<Change> {
    type Field = (&'static str, fn(&Account) -> Option<String>);
    const FIELDS: [Field; 7] = [
        ("name", |account| Some(account.name.to_string())),
        ("handle", |account| Some(account.handle.to_string())),
        ("page_username", |account| Some(account.page_username.to_string())),
        ("page_id", |account| Some(account.page_id.to_string())),
        ("page_name", |account| account.page_name.clone()),
        ("app.id", |account| account.app_id.as_ref().map(ToString::to_string)),
        ("webhook.callback_url", |account| account.callback_url.as_ref().map(|url| url.as_str().to_owned())),
    ];
    let mut changes = Vec::new();
    for (field, value) in FIELDS {
        let (from, to) = (before.and_then(value), value(after));
        let same = match (field, &from, &to) {
            ("page_username", Some(from), Some(to)) => same_username(from, to),
            // Meta's name of the Page is saved only together with other changes.
            ("page_name", from, _) => from.is_none() || from == &to,
            _ => from == to,
        };
        // The heading of a new account shows both.
        let shown = before.is_some() || !matches!(field, "name" | "handle");
        if !same && shown {
            changes.push(Change::new(field, from, to));
        }
    }
    for event in Event::all() {
        let (from, to) = (before.map(|before| before.messages.state(event)), after.messages.state(event));
        if from.clone().unwrap_or_default() != to {
            changes.push(Change::new(
                format!("messages.{event}"),
                from.as_ref().map(state_in_words),
                Some(state_in_words(&to)),
            ));
        }
    }
    changes
}

/// A message's state, with its text if it has one: quoted, on one line.
pub fn state_in_words(state: &MessageState) -> String {
    match state {
        MessageState::Custom(text) => format!("custom: {}", serde_json::Value::from(text.as_str())),
        other => other.word().into(),
    }
}

fn page_change(fields: &[String], live: &Live) -> Result<Option<(Change, Vec<String>)>, Problem> {
    let level = match &live.page {
        Ok(PageLevel::OfAnotherApp(id)) => {
            return Err(Problem::new(
                format!(
                    "the token is of app {id}, which is not the account's: its Page's subscription is another app's"
                ),
                "give a token of the right app, or that app's id and secret",
            ));
        }
        Ok(level) => level,
        Err(error) => return Err(Problem::unseen("the Page's subscription", error)),
    };
    let from = match level {
        PageLevel::Fields(now) => Some(now.join(", ")),
        _ => None,
    };
    let wish = Wish { callback_url: None, fields: fields.to_vec(), exact: false };
    Ok(page_step(&wish, level).map(|to| (Change::new("webhook.fields", from, Some(to.join(", "))), to)))
}

#[cfg(test)]
mod tests {
    use super::super::draft::tests::{drafted, house, wanted};
    use super::*;
    use crate::graph::endpoints::subscription::AppSubscription;
    use crate::secrets::{SecretRef, StoreName};

    /// The state at Meta of one account, with its webhook as wished.
    fn live(fields: &[&str]) -> Live {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        Live { page_name: Some("Acme at Meta".into()), page: Ok(PageLevel::Fields(fields)), app: None }
    }

    fn one(drafts: Vec<Draft>, seen: Seen) -> AccountPlan {
        plan(drafts, &[seen], Vec::new(), Vec::new()).accounts.remove(0)
    }

    fn fields(plan: &AccountPlan) -> Vec<&str> {
        plan.changes.iter().map(|change| change.field.as_str()).collect()
    }

    #[test]
    fn nothing_wanted_is_the_empty_plan() {
        let empty = plan(Vec::new(), &[], Vec::new(), Vec::new());
        assert!(empty.is_empty() && empty.accounts.is_empty() && empty.apps.is_empty());
        assert_eq!(empty.blocked(), 0);
    }

    #[test]
    #[should_panic(expected = "one look at each account")]
    fn no_account_is_dropped_because_it_was_not_looked_at() {
        plan(drafted(wanted("Acme"), &[], &house()).0, &[], Vec::new(), Vec::new());
    }

    #[test]
    fn what_is_as_wanted_is_an_empty_plan_too() {
        let added = one(drafted(wanted("Acme"), &[], &house()).0, Seen::default());
        assert_eq!(added.action, Action::Add);
        let record = added.after.expect("a record");
        let seen = Seen { live: Some(live(&["messages"])), ..Seen::default() };
        let again = plan(drafted(wanted("Acme"), &[record], &house()).0, &[seen], Vec::new(), Vec::new());
        assert!(again.is_empty(), "{:?}", again.accounts[0].changes);
        assert_eq!(again.count(Action::Nothing), 1);
    }

    #[test]
    fn what_is_not_named_stays_and_what_is_differs() {
        let mut record = one(drafted(wanted("Acme"), &[], &house()).0, Seen::default()).after.expect("a record");
        record.app_id = Some("123456789012345".parse().expect("an app id"));
        record.page_name = Some("Acme before".into());
        let mut other = wanted("Acme");
        other.page_username = Some("ACME.Support".parse().expect("a username"));
        other.messages.insert("agent-left".parse().expect("an event"), MessageState::Disabled);
        let seen = Seen { live: Some(live(&[])), ..Seen::default() };
        let planned = one(drafted(other, &[record], &house()).0, seen);
        assert_eq!(fields(&planned), ["page_name", "messages.agent-left"]);
        let after = planned.after.expect("a record");
        assert!(after.app_id.is_some(), "what the file does not name is left as it is");
    }

    #[test]
    fn a_copied_secret_differs_by_its_value() {
        let copy = |value: &str, kept: Option<&str>| {
            let mut account = wanted("Acme");
            let from = SecretRef::Variable("TOKEN".into());
            account.token = Some(crate::provision::manifest::Source::Copy { from, to: StoreName::File });
            let mut record = one(drafted(wanted("Acme"), &[], &house()).0, Seen::default()).after.expect("a record");
            record.secrets.insert(SecretKind::PageAccessToken, SecretRef::Stored(StoreName::File));
            let read = SecretSeen::Read { source: Secret::new(value), kept: kept.map(Secret::new) };
            let seen = Seen { secrets: BTreeMap::from([(SecretKind::PageAccessToken, read)]), ..Seen::default() };
            one(drafted(account, &[record], &house()).0, seen)
        };
        assert_eq!(copy("EAAone", Some("EAAone")).action, Action::Nothing);
        let rotated = copy("EAAtwo", Some("EAAone"));
        let to = rotated.changes[0].to.clone().expect("words");
        assert!(to.starts_with("rotates: file (sha256 ") && !to.contains("EAA"), "{to}");
        assert!(
            matches!(&rotated.secrets[..], [(_, ReadySecret::Keep(value, StoreName::File))] if *value == Secret::new("EAAtwo"))
        );
        assert!(matches!(&copy("EAAone", None).secrets[..], [(_, ReadySecret::Keep(..))]));
    }

    #[test]
    fn an_app_is_set_once_with_the_fields_of_all_its_accounts() {
        let of = |name: &str, field: &str| {
            let mut account = wanted(name);
            account.app_id = Some("123456789012345".parse().expect("an app id"));
            account.callback_url = Some("https://hooks.example.com/m".parse().expect("a URL"));
            account.fields = Some(vec![field.into()]);
            let verify = SecretRef::Variable("VERIFY".into());
            account.verify_token = Some(crate::provision::manifest::Source::Reference(verify));
            account
        };
        let seen = || {
            let present = AppSubscription {
                oldest_version: None,
                object: "page".into(),
                callback_url: Some("https://old.example.com/m".into()),
                active: true,
                fields: vec!["feed".into()],
            };
            let live = Live { app: Some(Ok(AppLevel::Present(present))), ..live(&["messages", "messaging_postbacks"]) };
            Seen { live: Some(live), ..Seen::default() }
        };
        let both = vec![of("One", "messages"), of("Two", "messaging_postbacks")];
        let (drafts, _) = super::super::draft::drafts(both, Vec::new(), &house());
        let planned = plan(drafts, &[seen(), seen()], Vec::new(), Vec::new());
        let [app] = &planned.apps[..] else { panic!("{:?}", planned.apps) };
        assert_eq!(app.changes[0].to.as_deref(), Some("https://hooks.example.com/m"));
        assert_eq!(app.changes[1].to.as_deref(), Some("feed, messages, messaging_postbacks"));
        // Without a verify token the app's webhook cannot be set.
        let mut bare = of("One", "messages");
        bare.verify_token = None;
        let (drafts, _) = super::super::draft::drafts(vec![bare], Vec::new(), &house());
        let planned = plan(drafts, &[seen()], Vec::new(), Vec::new());
        assert!(planned.apps.is_empty() && planned.accounts[0].problems[0].summary.contains("verify token"));
    }
}
