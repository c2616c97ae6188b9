//! The accounts of a manifest as they should be written down, each beside the record
//! that it is about. Pure: what secrets hold and what Meta says comes later.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::clashes;
use super::manifest::{Source, Wanted, WantedVerifyToken};
use super::plan::Problem;
use crate::accounts::{Account, Handle, MessengerType, Name, Realm, Tenant};
use crate::messages::AccountMessages;
use crate::secrets::{SecretKind, SecretRef, StoreName, misplaced_variable};

/// An account of a manifest, and its record.
#[derive(Debug)]
pub struct Draft {
    /// What the manifest says.
    pub wanted: Wanted,
    /// As it is; `None`: it is new.
    pub before: Option<Account>,
    /// Its handle.
    pub handle: Handle,
    /// As it should be; `None`: it is new, and not enough is known of it.
    pub after: Option<Account>,
    /// What should become of its secrets.
    pub secrets: Vec<(SecretKind, NewSecret)>,
    /// Why it cannot be so.
    pub problems: Vec<Problem>,
    /// What is worth knowing and changes nothing.
    pub notes: Vec<String>,
}

/// A secret as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSecret {
    /// It is there and stays there.
    Refer(SecretRef),
    /// Its value is copied from one place into a store of ours.
    Copy {
        /// Where it is.
        from: SecretRef,
        /// The store.
        to: StoreName,
    },
    /// One is made, for that store.
    Generate(StoreName),
}

/// What holds for every account of a run.
pub struct House<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// Which Graph its accounts live in.
    pub realm: Realm,
    /// Where new secrets go.
    pub store: StoreName,
    /// When it is.
    pub now: Timestamp,
    /// Makes the id of a new account of that name. The same each time, so that a run
    /// that is killed between an account's secrets and its record, and begun again, puts
    /// its secrets over those that were left.
    pub new_id: &'a dyn Fn(&Name) -> String,
}

/// Drafts of all accounts that are wanted, and the records that none of them is about.
pub fn drafts(wanted: Vec<Wanted>, records: Vec<Account>, house: &House<'_>) -> (Vec<Draft>, Vec<Account>) {
    let mut of_records = Places::of(records.iter());
    let mut taken: HashMap<usize, String> = HashMap::new();
    let matches: Vec<(Wanted, Option<usize>, Option<Problem>)> = wanted
        .into_iter()
        .map(|wanted| {
            let found = of_records.find(&wanted);
            let twice = found.and_then(|at| taken.insert(at, wanted.place.to_string())).map(|first| {
                Problem::new(
                    format!("it is the same account as the one at {first}: one names its handle, the other its name"),
                    "name it once",
                )
            });
            (wanted, found, twice)
        })
        .collect();
    let named: Vec<bool> = (0..records.len()).map(|at| taken.contains_key(&at)).collect();
    let mut drafts = Vec::new();
    for (wanted, found, twice) in matches {
        let before = found.map(|at| records[at].clone());
        let handle = match (&wanted.handle, &before) {
            (Some(handle), _) => handle.clone(),
            (None, Some(before)) => before.handle.clone(),
            (None, None) => of_records.free_handle(&Handle::slug(&wanted.name)),
        };
        if before.is_none() {
            of_records.add(wanted.name.as_str(), handle.as_str());
        }
        let mut draft = draft(wanted, before, handle, house);
        draft.problems.extend(twice);
        drafts.push(draft);
    }
    let rest: Vec<Account> =
        records.into_iter().zip(named).filter_map(|(account, named)| (!named).then_some(account)).collect();
    clashes::find(&mut drafts, &rest);
    (drafts, rest)
}

/// Where accounts are in a list, by what they answer to.
struct Places {
    names: HashMap<String, usize>,
    handles: HashMap<String, usize>,
}

impl Places {
    fn of<'a>(accounts: impl Iterator<Item = &'a Account> + Clone) -> Self {
        let names = accounts.clone().enumerate().map(|(at, account)| (account.name.as_str().to_lowercase(), at));
        let handles = accounts.enumerate().map(|(at, account)| (account.handle.to_string(), at));
        Self { names: names.collect(), handles: handles.collect() }
    }

    /// The record that is meant: the one with the handle, or else with the name.
    fn find(&self, wanted: &Wanted) -> Option<usize> {
        let of_handle = wanted.handle.as_ref().and_then(|handle| self.handles.get(handle.as_str()));
        of_handle.or_else(|| self.names.get(&wanted.name.as_str().to_lowercase())).copied()
    }

    fn add(&mut self, name: &str, handle: &str) {
        let at = usize::MAX;
        self.names.entry(name.to_lowercase()).or_insert(at);
        self.handles.entry(handle.to_owned()).or_insert(at);
    }

    fn free_handle(&self, wanted: &Handle) -> Handle {
        let free =
            |handle: &Handle| !self.handles.contains_key(handle.as_str()) && !self.names.contains_key(handle.as_str());
        let most = self.names.len() + self.handles.len() + 2;
        let numbered = (2..=most).map(|number| wanted.numbered(number));
        std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or_else(|| wanted.clone())
    }
}

fn draft(wanted: Wanted, before: Option<Account>, handle: Handle, house: &House<'_>) -> Draft {
    let mut problems = Vec::new();
    let record = match &before {
        Some(before) => Ok(before.clone()),
        None => new_account(&wanted, handle.clone(), house),
    };
    let mut after = match record {
        Ok(record) => record,
        Err(problem) => {
            return Draft {
                wanted,
                before,
                handle,
                after: None,
                secrets: Vec::new(),
                problems: vec![problem],
                notes: Vec::new(),
            };
        }
    };
    if after.graph != house.realm {
        problems.push(Problem::new(
            format!("it is a {} account, and Graph is set to the {} one", after.graph, house.realm),
            "point --graph-url (MSGRCTL_GRAPH_URL) to where it lives",
        ));
    }
    after.handle = handle.clone();
    after.name = wanted.name.clone();
    if let Some(username) = &wanted.page_username {
        after.page_username = username.clone();
    }
    if let Some(id) = &wanted.page_id {
        if *id != after.page_id {
            // Another Page's name is not known yet.
            after.page_name = None;
        }
        after.page_id = id.clone();
    }
    after.app_id = wanted.app_id.clone().or(after.app_id);
    after.callback_url = wanted.callback_url.clone().or(after.callback_url);
    for (event, state) in &wanted.messages {
        after.messages.set(*event, state.clone());
    }
    if before.is_none() && after.callback_url.is_none() {
        match house.tenant.callback_url(&after) {
            Some(Ok(url)) => after.callback_url = Some(url),
            Some(Err(error)) => problems.push(Problem::new(
                format!("the tenant's callback template gives no URL: {error}"),
                "name webhook.callback_url, or mend the template (msgrctl tenant edit)",
            )),
            None => {}
        }
    }
    let mut secrets = Vec::new();
    for (kind, source) in sources(&wanted) {
        match new_secret(kind, source, before.as_ref(), &handle, house) {
            Ok(Some(new)) => {
                let place = match &new {
                    NewSecret::Refer(place) => place.clone(),
                    NewSecret::Copy { to, .. } | NewSecret::Generate(to) => SecretRef::Stored(*to),
                };
                after.secrets.insert(kind, place);
                secrets.push((kind, new));
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    Draft { wanted, before, handle, after: Some(after), secrets, problems, notes: Vec::new() }
}

/// The record of an account that is new.
fn new_account(wanted: &Wanted, handle: Handle, house: &House<'_>) -> Result<Account, Problem> {
    let (Some(page_username), Some(page_id), Some(_)) = (&wanted.page_username, &wanted.page_id, &wanted.token) else {
        let missing = [
            ("page_username", wanted.page_username.is_none()),
            ("page_id", wanted.page_id.is_none()),
            ("token", wanted.token.is_none()),
        ];
        let keys =
            missing.into_iter().filter_map(|(key, missing)| missing.then_some(key)).collect::<Vec<_>>().join(", ");
        return Err(Problem::new(
            format!("it is new here, and lacks: {keys}"),
            format!("add {keys} to it in the file"),
        ));
    };
    if !house.tenant.has_enabled(MessengerType::Facebook) {
        return Err(Problem::new(
            "Facebook is not enabled in its tenant",
            "ask your service provider to enable it; then: msgrctl tenant edit --types",
        ));
    }
    Ok(Account {
        id: (house.new_id)(&wanted.name),
        handle,
        name: wanted.name.clone(),
        messenger: wanted.messenger,
        page_username: page_username.clone(),
        page_id: page_id.clone(),
        page_name: None,
        app_id: house.tenant.app_id.clone(),
        callback_url: None,
        graph: house.realm,
        created_at: house.now,
        updated_at: house.now,
        messages: AccountMessages::default(),
        secrets: BTreeMap::new(),
    })
}

/// Where a manifest says that secrets are, or should be.
fn sources(wanted: &Wanted) -> Vec<(SecretKind, WantedVerifyToken)> {
    let from = |source: &Option<Source>| source.clone().map(WantedVerifyToken::From);
    [
        (SecretKind::PageAccessToken, from(&wanted.token)),
        (SecretKind::AppSecret, from(&wanted.app_secret)),
        (SecretKind::VerifyToken, wanted.verify_token.clone()),
    ]
    .into_iter()
    .filter_map(|(kind, source)| Some((kind, source?)))
    .collect()
}

/// What should become of a secret; nothing where it stays as it is.
fn new_secret(
    kind: SecretKind,
    wanted: WantedVerifyToken,
    before: Option<&Account>,
    handle: &Handle,
    house: &House<'_>,
) -> Result<Option<NewSecret>, Problem> {
    if let WantedVerifyToken::From(
        Source::Reference(SecretRef::Variable(name)) | Source::Copy { from: SecretRef::Variable(name), .. },
    ) = &wanted
        && let Some(why) = misplaced_variable(name, kind, handle.as_str())
    {
        return Err(Problem::new(
            format!("{}: {why}", super::kept::key_of(kind)),
            "name another variable in the file, one that holds nothing else",
        ));
    }
    let has = before.is_some_and(|before| before.secrets.contains_key(&kind));
    Ok(match wanted {
        WantedVerifyToken::From(Source::Reference(place)) => Some(NewSecret::Refer(place)),
        WantedVerifyToken::From(Source::Copy { from, to }) => Some(NewSecret::Copy { from, to }),
        WantedVerifyToken::From(Source::Stored) | WantedVerifyToken::Generate if has => None,
        // The variables of the env store are there before the account is.
        WantedVerifyToken::From(Source::Stored) | WantedVerifyToken::Generate if house.store == StoreName::Env => {
            Some(NewSecret::Refer(SecretRef::Stored(StoreName::Env)))
        }
        WantedVerifyToken::Generate => Some(NewSecret::Generate(house.store)),
        WantedVerifyToken::From(Source::Stored) => {
            let key = super::kept::key_of(kind);
            let (what, hint) = match before {
                Some(before) => (
                    format!("{key} is said to be stored, and the account has none here"),
                    format!("store it: msgrctl secret set {} {} --stdin", before.handle, kind.argument()),
                ),
                None => (
                    format!("{key} is said to be stored, and the account is new here"),
                    format!("name where it is instead, as in {key}: {{env: NAME}}"),
                ),
            };
            return Err(Problem::new(what, hint));
        }
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::provision::manifest::Place;

    /// A house without a template, with the encrypted file for new secrets.
    pub fn house() -> House<'static> {
        static TENANT: LazyLock<Tenant> = LazyLock::new(Tenant::default);
        House {
            tenant: &TENANT,
            realm: Realm::Live,
            store: StoreName::File,
            now: Timestamp::UNIX_EPOCH,
            new_id: &|name| format!("id of {name}"),
        }
    }

    /// An account with all that a new one needs.
    pub fn wanted(name: &str) -> Wanted {
        Wanted {
            place: Place { file: "a.yaml".into(), line: 1, column: 1 },
            name: name.parse().expect("a name"),
            handle: None,
            messenger: MessengerType::Facebook,
            page_username: Some("acme.support".parse().expect("a username")),
            page_id: Some("109876543210987".parse().expect("a page id")),
            token: Some(Source::Reference(SecretRef::Variable("TOKEN".into()))),
            app_id: None,
            app_secret: None,
            callback_url: None,
            verify_token: None,
            fields: None,
            messages: BTreeMap::new(),
        }
    }

    /// The draft of one account beside these records.
    pub fn drafted(wanted: Wanted, records: &[Account], house: &House<'_>) -> (Vec<Draft>, Vec<Account>) {
        drafts(vec![wanted], records.to_vec(), house)
    }

    fn record(name: &str, handle: &str) -> Account {
        let mut account = drafted(wanted(name), &[], &house()).0.remove(0).after.expect("a record");
        account.handle = handle.parse().expect("a handle");
        account
    }

    fn handled(name: &str, handle: &str) -> Wanted {
        Wanted { handle: Some(handle.parse().expect("a handle")), ..wanted(name) }
    }

    #[test]
    fn an_account_is_known_by_its_handle_and_then_by_its_name() {
        let records = [record("Acme", "acme"), record("Other", "other")];
        let (found, rest) = drafted(handled("Renamed", "acme"), &records, &house());
        assert_eq!(found[0].before.as_ref().map(|known| known.name.as_str()), Some("Acme"));
        assert_eq!(found[0].after.as_ref().map(|after| after.name.as_str()), Some("Renamed"));
        assert_eq!(rest.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(), ["Other"]);
        let (found, _) = drafted(wanted("ACME"), &records, &house());
        assert_eq!(found[0].handle.as_str(), "acme");
        let (found, rest) = drafted(wanted("New"), &records, &house());
        assert!(found[0].before.is_none() && found[0].problems.is_empty() && rest.len() == 2);
        assert_eq!(found[0].after.as_ref().map(|after| after.id.as_str()), Some("id of New"));
    }

    #[test]
    fn names_may_be_exchanged_and_may_not_collide() {
        let records = [record("One", "one"), record("Two", "two")];
        let named = [record("Alpha", "first"), record("Beta", "second")];
        let (swapped, _) = drafts(vec![handled("Beta", "first"), handled("Alpha", "second")], named.to_vec(), &house());
        assert!(swapped.iter().all(|draft| draft.problems.is_empty()), "{swapped:?}");
        let (taken, _) = drafted(handled("Two", "one"), &records, &house());
        assert!(taken[0].problems[0].summary.contains("'Two' is taken"), "{taken:?}");
        let (twice, _) = drafts(vec![handled("Uno", "one"), wanted("One")], records.to_vec(), &house());
        assert!(twice[1].problems[0].summary.contains("same account"), "{twice:?}");
        let (derived, _) = drafts(vec![wanted("One!"), wanted("One?")], records.to_vec(), &house());
        assert_eq!(derived.iter().map(|draft| draft.handle.as_str()).collect::<Vec<_>>(), ["one-2", "one-3"]);
    }

    #[test]
    fn a_new_account_needs_what_nobody_can_guess() {
        let bare = Wanted { page_id: None, token: None, ..wanted("Acme") };
        let (found, _) = drafted(bare.clone(), &[], &house());
        assert_eq!(found[0].problems[0].summary, "it is new here, and lacks: page_id, token");
        assert!(found[0].after.is_none());
        let (found, _) = drafted(bare, &[record("Acme", "acme")], &house());
        assert!(found[0].problems.is_empty(), "one that is known keeps what it has");
    }

    #[test]
    fn a_verify_token_is_made_where_there_is_none() {
        let generate = Wanted { verify_token: Some(WantedVerifyToken::Generate), ..wanted("Acme") };
        let (found, _) = drafted(generate.clone(), &[], &house());
        assert!(found[0].secrets.contains(&(SecretKind::VerifyToken, NewSecret::Generate(StoreName::File))));
        let mut known = record("Acme", "acme");
        known.secrets.insert(SecretKind::VerifyToken, SecretRef::Stored(StoreName::Keyring));
        let (found, _) = drafted(generate, &[known], &house());
        assert!(found[0].secrets.iter().all(|(kind, _)| *kind != SecretKind::VerifyToken));
    }
}
