//! What differs between a manifest and what is: a pure value. Nothing here asks anybody
//! or changes anything; drafts say what should be,
//! [`Seen`] what is, and whoever applies the plan carries out what stands here without
//! comparing again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::apps::{AppPlan, apps};
use super::draft::Draft;
use super::kept::{self, Kept, ReadySecret, SecretSeen};
use super::manifest::Place;
use super::sent::{Sent, sends};
use super::subscription::{AppLevel, PageLevel, Wish, page_step};
use crate::accounts::Account;
use crate::checks::causes;
use crate::checks::{GraphTrace, of_unreachable};
use crate::graph::GraphError;
use crate::graph::endpoints::page::same_username;
use crate::messages::{Event, MessageState};
use crate::secrets::{SecretKind, redacted};

/// Everything that is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    pub chat_settings: Vec<Change>,
    pub apps: Vec<AppPlan>,
    /// The accounts of the manifest, in its order, and then those that are removed.
    pub accounts: Vec<AccountPlan>,
    /// Names of accounts that the manifest does not name and that stay.
    pub left: Vec<String>,
}

/// What is to be done with one account. What `msgrctl plan --json` shows of it names secrets
/// by where they are, and has no field for a value.
#[derive(Debug, Default, Serialize)]
pub struct AccountPlan {
    /// Where it stands; `None`: it is removed.
    #[serde(skip)]
    pub place: Option<Place>,
    #[serde(rename = "account")]
    pub name: String,
    pub handle: String,
    pub action: Action,
    /// As it is.
    #[serde(skip)]
    pub before: Option<Account>,
    /// As it will be; `None`: it goes, or not enough is known of it.
    #[serde(skip)]
    pub after: Option<Account>,
    pub changes: Vec<Change>,
    /// The secrets that are stored or referred to.
    #[serde(skip)]
    pub secrets: Vec<(SecretKind, ReadySecret)>,
    /// What the Page should send, where the manifest says so.
    #[serde(skip)]
    pub fields: Option<Vec<String>>,
    /// Every field that its Page is given, where something is written at Meta.
    #[serde(skip)]
    pub page: Option<Vec<String>>,
    /// Why it cannot be done; then nothing of it is.
    pub problems: Vec<Problem>,
    /// What is worth knowing and changes nothing.
    #[serde(serialize_with = "redacted")]
    pub notes: Vec<String>,
    /// Where its secrets are read, and where each of them is sent.
    pub sends: Vec<Sent>,
}

/// What happens to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Add,
    Change,
    Remove,
    /// It is as it should be.
    #[default]
    #[serde(rename = "none")]
    Nothing,
}

/// Something that differs. Secrets are named by where they are, never by their value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The manifest's key: `webhook.callback_url`.
    pub field: String,
    /// What it was; `None`: there was none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub from: Option<String>,
    /// What it will be; `None`: there will be none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub to: Option<String>,
}

impl Change {
    pub fn new(field: impl Into<String>, from: Option<String>, to: Option<String>) -> Self {
        Self { field: field.into(), from, to }
    }
}

/// Why an account cannot be made as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong, in a sentence without a full stop.
    #[serde(serialize_with = "redacted")]
    pub summary: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "redacted")]
    pub hint: Option<String>,
    /// Trying again later may help.
    #[serde(rename = "retryable")]
    pub unreachable: bool,
}

impl Problem {
    /// Something that somebody has to mend.
    pub fn new(summary: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { summary: summary.into(), hint: Some(hint.into()), unreachable: false }
    }

    /// Something at Meta that could not be looked at.
    pub(super) fn unseen(what: &str, error: &GraphError) -> Self {
        let cause = match error {
            GraphError::Refused(error) => causes::of(error, causes::Place::Page.plain()),
            GraphError::Unreachable(why) => of_unreachable(why),
        };
        let trace = GraphTrace::of(error).map(|trace| trace.in_words()).unwrap_or_default();
        Self {
            summary: format!("{what} could not be seen: {}{trace}", cause.summary),
            hint: Some(cause.fix),
            unreachable: matches!(error, GraphError::Unreachable(_)),
        }
    }
}

/// What was seen of an account besides its record.
#[derive(Default)]
pub struct Seen {
    /// Its secrets, those that were read.
    pub secrets: BTreeMap<SecretKind, SecretSeen>,
    /// What Meta says; `None`: Meta was not asked.
    pub live: Option<Live>,
    /// What is wrong with its secrets or its credentials.
    pub problems: Vec<Problem>,
    /// Why its verify token may not be read; that matters where an app's webhook is set.
    pub closed: Option<Problem>,
}

/// What Meta says of a Page and its app.
pub struct Live {
    pub page_name: Option<String>,
    pub page: Result<PageLevel, GraphError>,
    /// What the app is told of; `None`: not asked.
    pub app: Option<Result<AppLevel, GraphError>>,
}

/// Compares every draft with what was seen of it, in the same order. `removed` are the
/// accounts to go, `left` those that are not named and stay.
///
/// # Panics
///
/// When there are not as many drafts as looks: an account would be dropped silently.
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
    /// Whether all is as it should be, as far as it can be made so.
    pub fn is_empty(&self) -> bool {
        self.chat_settings.is_empty()
            && self.apps.is_empty()
            && self.accounts.iter().all(|account| account.action == Action::Nothing || !account.problems.is_empty())
    }

    /// The accounts that nothing can be done about.
    pub fn blocked(&self) -> usize {
        self.accounts.iter().filter(|account| !account.problems.is_empty()).count()
    }

    /// Whether nothing can be said of any account, and may be later.
    pub fn is_out_of_reach(&self) -> bool {
        let out = |account: &AccountPlan| account.problems.iter().any(|problem| problem.unreachable);
        !self.accounts.is_empty() && self.accounts.iter().all(out)
    }

    /// How many accounts `action` happens to.
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
    // What Meta calls a Page that nobody has asked it about is no difference by itself.
    if before.as_ref().is_some_and(|before| before.page_name.is_none()) && changes.is_empty() {
        after.page_name = None;
    }
    let mut ready = Vec::new();
    for (kind, new) in secrets {
        match kept::compare(kind, new, before.as_ref(), seen.secrets.get(&kind)) {
            Ok(Kept::As(change, secret)) => {
                changes.push(change);
                ready.extend(secret.map(|secret| (kind, secret)));
            }
            Ok(Kept::Same(note)) => notes.extend(note),
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
        notes.push(
            "webhook.callback_url is written down here; Meta is told of it where webhook.fields are named".into(),
        );
    }
    let action = match (&before, changes.is_empty()) {
        (None, _) => Action::Add,
        (Some(_), true) => Action::Nothing,
        (Some(_), false) => Action::Change,
    };
    let fields = wanted.fields;
    AccountPlan { action, before, after: Some(after), changes, secrets: ready, fields, page, problems, notes, ..known }
}

/// The fields of the record that differ, the places of secrets aside.
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
            // Meta's name of it is written down with whatever else is.
            ("page_name", from, _) => from.is_none() || from == &to,
            _ => from == to,
        };
        // The block of a new account is headed by both.
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

/// A message's state, with its text where it has one: in quotes, on one line.
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
    use crate::secrets::{Secret, SecretRef, StoreName};

    /// The plan of one account that Meta knows, with its webhook as wished.
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
