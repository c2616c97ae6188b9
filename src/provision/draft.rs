//! The accounts of a manifest as they should be written down, each beside the record
//! that it is about. Pure: what secrets hold and what Meta says comes later.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::manifest::{Source, Wanted, WantedVerifyToken};
use super::plan::Problem;
use crate::accounts::{Account, Handle, MessengerType, Realm, Tenant};
use crate::messages::AccountMessages;
use crate::secrets::{SecretKind, SecretRef, StoreName};

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
    /// Makes the id of a new account.
    pub new_id: &'a dyn Fn() -> String,
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
    refuse_collisions(&mut drafts, &rest);
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

/// Two accounts of one name or handle, once all are as they should be.
fn refuse_collisions(drafts: &mut [Draft], rest: &[Account]) {
    let mut names: HashMap<String, String> = HashMap::new();
    let mut handles: HashMap<String, String> = HashMap::new();
    for account in rest {
        names.insert(account.name.as_str().to_lowercase(), account.name.to_string());
        handles.insert(account.handle.to_string(), account.name.to_string());
    }
    for draft in drafts.iter_mut() {
        let (name, handle) = (draft.wanted.name.as_str().to_lowercase(), draft.handle.to_string());
        let owner = names.get(&name).or_else(|| handles.get(&name));
        let owner_of_handle = handles.get(&handle).or_else(|| names.get(&handle));
        let taken = |what: &str, value: &str, owner: &str| {
            Problem::new(
                format!("the {what} '{value}' is taken: the account '{owner}' answers to it"),
                format!("give it another {what}, or name both accounts with their handles"),
            )
        };
        if let Some(owner) = owner {
            draft.problems.push(taken("name", draft.wanted.name.as_str(), owner));
        } else if let Some(owner) = owner_of_handle {
            draft.problems.push(taken("handle", &handle, owner));
        }
        let mine = draft.wanted.name.to_string();
        names.entry(name).or_insert_with(|| mine.clone());
        handles.entry(handle).or_insert(mine);
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
            return Draft { wanted, before, handle, after: None, secrets: Vec::new(), problems: vec![problem] };
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
        match new_secret(kind, source, before.as_ref(), house) {
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
    Draft { wanted, before, handle, after: Some(after), secrets, problems }
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
        id: (house.new_id)(),
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
    house: &House<'_>,
) -> Result<Option<NewSecret>, Problem> {
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
            let key = super::plan::key_of(kind);
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
