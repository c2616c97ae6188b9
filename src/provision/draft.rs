//! The accounts of a manifest as they should be saved, each with its current record. Pure:
//! secrets and Meta are read later.

mod secrets;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::clashes;
use super::manifest::Wanted;
use super::plan::Problem;
use crate::accounts::{self, Account, Addresses, Clash, Handle, Name, Realm, Tenant};
use crate::messages::AccountMessages;
use crate::secrets::{SecretKind, SecretRef, StoreName};

pub use secrets::{NewSecret, mistakes};
use secrets::{new_secret, sources};

/// An account of a manifest, with its current record.
#[derive(Debug)]
pub struct Draft {
    pub wanted: Wanted,
    /// The current record; `None`: the account is new.
    pub before: Option<Account>,
    pub handle: Handle,
    /// The record to save; `None`: the account is new and cannot be completed.
    pub after: Option<Account>,
    /// What to do with its secrets.
    pub secrets: Vec<(SecretKind, NewSecret)>,
    pub problems: Vec<Problem>,
    /// Notes that change nothing.
    pub notes: Vec<String>,
}

impl Draft {
    /// An account that is not known well enough to say what it should be.
    fn not_known(wanted: Wanted, before: Option<Account>, handle: Handle, problem: Problem) -> Self {
        Self { wanted, before, handle, after: None, secrets: Vec::new(), problems: vec![problem], notes: Vec::new() }
    }

    /// Where a secret is read once the account is saved; `None`: it has none, or one is
    /// generated.
    pub fn source(&self, kind: SecretKind) -> Option<&SecretRef> {
        match self.secrets.iter().find(|(of, _)| *of == kind) {
            Some((_, NewSecret::Refer(place) | NewSecret::Copy { from: place, .. })) => Some(place),
            Some((_, NewSecret::Generate(_))) => None,
            None => self.before.as_ref()?.secrets.get(&kind),
        }
    }
}

/// What all accounts of a run share.
pub struct House<'a> {
    pub tenant: &'a Tenant,
    /// The Graph that its accounts belong to.
    pub realm: Realm,
    pub store: StoreName,
    pub now: Timestamp,
    /// Makes the id of a new account from its name. The same name gives the same id, so that a
    /// run that was killed between an account's secrets and its record replaces those secrets
    /// when it is repeated.
    pub new_id: &'a dyn Fn(&Name) -> String,
}

/// Drafts of all wanted accounts, and the records that none of them names.
pub fn drafts(wanted: Vec<Wanted>, records: Vec<Account>, house: &House<'_>) -> (Vec<Draft>, Vec<Account>) {
    let of_records = Records::of(&records);
    let mut taken: HashMap<usize, String> = HashMap::new();
    let matches: Vec<Match> = wanted
        .into_iter()
        .map(|wanted| {
            let found = of_records.find(&wanted);
            let mut first = None;
            for at in found {
                first = taken.insert(*at, wanted.place.to_string()).or(first);
            }
            let twice = first.map(|first| {
                Problem::new(
                    format!("it is the same account as the one at {first}: one names its handle, the other its name"),
                    "name it once",
                )
            });
            let found = match found {
                [] => Ok(None),
                [one] => Ok(Some(*one)),
                several => Err(ambiguous(&wanted, &records, several)),
            };
            Match { wanted, found, twice }
        })
        .collect();
    let named: Vec<bool> = (0..records.len()).map(|at| taken.contains_key(&at)).collect();
    // A handle in the file comes before one that is derived for another account.
    let number = |of: &Match, at: usize| of.found.as_ref().ok().copied().flatten().unwrap_or(records.len() + at);
    let mut reserved = Addresses::of(&records);
    for (at, of) in matches.iter().enumerate() {
        let handle = of.wanted.handle.as_ref().map(Handle::as_str);
        reserved.add(number(of, at), std::iter::once(of.wanted.name.as_str()).chain(handle));
    }
    let mut drafts = Vec::new();
    for (at, of) in matches.into_iter().enumerate() {
        let number = number(&of, at);
        let Match { wanted, found, twice } = of;
        let (before, problem) = match found {
            Ok(found) => (found.map(|at| records[at].clone()), None),
            Err(problem) => (None, Some(problem)),
        };
        let handle = match (&wanted.handle, &before) {
            (Some(handle), _) => handle.clone(),
            (None, Some(before)) => before.handle.clone(),
            (None, None) => reserved.free_handle(&Handle::slug(&wanted.name), number),
        };
        reserved.add(number, [handle.as_str()]);
        let mut draft = match problem {
            None => draft(wanted, before, handle, house),
            Some(problem) => Draft::not_known(wanted, before, handle, problem),
        };
        draft.problems.extend(twice);
        drafts.push(draft);
    }
    let rest: Vec<Account> =
        records.into_iter().zip(named).filter_map(|(account, named)| (!named).then_some(account)).collect();
    clashes::find(&mut drafts, &rest);
    (drafts, rest)
}

/// An account of a manifest, matched with a record.
struct Match {
    wanted: Wanted,
    /// The record's index; an error where several match.
    found: Result<Option<usize>, Problem>,
    /// Set if an earlier account of the manifest is the same.
    twice: Option<Problem>,
}

/// The indices of accounts in a list, by name and handle.
struct Records {
    names: HashMap<String, Vec<usize>>,
    handles: HashMap<String, Vec<usize>>,
}

impl Records {
    fn of(accounts: &[Account]) -> Self {
        let mut records = Self { names: HashMap::new(), handles: HashMap::new() };
        for (at, account) in accounts.iter().enumerate() {
            records.names.entry(account.name.as_str().to_lowercase()).or_default().push(at);
            records.handles.entry(account.handle.to_string()).or_default().push(at);
        }
        records
    }

    /// The matching records: those with the handle, or else those with the name. More than one
    /// if the records were edited or merged by hand.
    fn find(&self, wanted: &Wanted) -> &[usize] {
        let of_handle = wanted.handle.as_ref().and_then(|handle| self.handles.get(handle.as_str()));
        let found = of_handle.or_else(|| self.names.get(&wanted.name.as_str().to_lowercase()));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Several records match, so none is chosen.
fn ambiguous(wanted: &Wanted, records: &[Account], several: &[usize]) -> Problem {
    let named = several.iter().map(|at| {
        let Account { name, handle, id, .. } = &records[*at];
        format!("'{name}' (handle {handle}, id {id})")
    });
    let clash = accounts::clashes(records).into_iter().find(|clash| several.contains(&clash.at));
    let command = clash.as_ref().map(Clash::command).unwrap_or_default();
    Problem::new(
        format!(
            "{} accounts here are called '{}': {}",
            several.len(),
            wanted.handle.as_ref().map_or(wanted.name.as_str(), Handle::as_str),
            named.collect::<Vec<_>>().join(" and ")
        ),
        format!("give one of them another name: {command}"),
    )
}

fn draft(wanted: Wanted, before: Option<Account>, handle: Handle, house: &House<'_>) -> Draft {
    let mut problems = Vec::new();
    let record = match &before {
        Some(before) => Ok(before.clone()),
        None => new_account(&wanted, handle.clone(), house),
    };
    let mut after = match record {
        Ok(record) => record,
        Err(problem) => return Draft::not_known(wanted, before, handle, problem),
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
            // The other Page's name is not known yet.
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
                "name webhook.callback_url, or fix the template (msgrctl tenant edit)",
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

/// The record of a new account.
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
            format!(
                "add {keys} to it in the file; if the account was renamed, add its handle, as shown by: msgrctl account list"
            ),
        ));
    };
    if !house.tenant.has_enabled(wanted.channel) {
        return Err(Problem::new(
            format!("{} is not enabled in its tenant", wanted.channel.brand()),
            "ask your service provider to enable it; then: msgrctl tenant edit --types",
        ));
    }
    Ok(Account {
        id: (house.new_id)(&wanted.name),
        handle,
        name: wanted.name.clone(),
        channel: wanted.channel,
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

#[cfg(test)]
pub(super) mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::channel::Channel;
    use crate::provision::manifest::{Place, Source};

    /// A context without a template, with the encrypted file for new secrets.
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

    /// An account with everything a new one needs.
    pub fn wanted(name: &str) -> Wanted {
        Wanted {
            place: Place { file: "a.yaml".into(), line: 1, column: 1 },
            name: name.parse().expect("a name"),
            handle: None,
            channel: Channel::Facebook,
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

    /// The draft of one account among these records.
    pub fn drafted(wanted: Wanted, records: &[Account], house: &House<'_>) -> (Vec<Draft>, Vec<Account>) {
        drafts(vec![wanted], records.to_vec(), house)
    }

    /// A record.
    pub fn record(name: &str, handle: &str) -> Account {
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

    fn problems(drafts: &[Draft]) -> Vec<Vec<&str>> {
        drafts.iter().map(|draft| draft.problems.iter().map(|problem| problem.summary.as_str()).collect()).collect()
    }

    #[test]
    fn a_derived_handle_gives_way_to_what_the_file_calls_another_account() {
        for (file, handles) in [
            (vec![wanted("Acme Support"), wanted("ACME-support")], ["acme-support-2", "acme-support"]),
            (vec![wanted("Acme Support"), handled("Other", "acme-support")], ["acme-support-2", "acme-support"]),
            (vec![handled("Other", "acme-support"), wanted("Acme Support")], ["acme-support", "acme-support-2"]),
        ] {
            let (found, _) = drafts(file, Vec::new(), &house());
            assert_eq!(problems(&found), [[""; 0]; 2]);
            assert_eq!(found.iter().map(|draft| draft.handle.as_str()).collect::<Vec<_>>(), handles);
        }
    }

    #[test]
    fn no_account_gets_what_another_answers_to() {
        let records = [record("Acme Support", "acme"), record("Other", "other")];
        // Taken as handle, name or id; the account that already has it is not refused.
        for taken in ["ACME", "acme SUPPORT", "ID of acme support"] {
            let (found, _) = drafts(vec![wanted(taken), wanted("New")], records[..1].to_vec(), &house());
            let is_it = taken.eq_ignore_ascii_case("acme support");
            assert_eq!(found[0].problems.len(), usize::from(!is_it), "{taken}: {found:?}");
            let (found, _) = drafts(vec![handled(taken, "other"), wanted("Acme Support")], records.to_vec(), &house());
            assert_eq!((found[0].problems.len(), found[1].problems.len()), (1, 0), "{taken}: {found:?}");
        }
        let (found, _) =
            drafts(vec![handled("Acme Support", "other"), wanted("Acme Support 2")], records.to_vec(), &house());
        assert!(problems(&found)[0][0].contains("the name 'Acme Support' is taken"), "{found:?}");
    }

    #[test]
    fn records_that_are_called_alike_are_not_guessed_and_lock_nothing() {
        let mut records = [record("Acme", "acme"), record("ACME", "acme-2"), record("Other", "other")];
        records[1].id = "id-2".into();
        let (found, rest) = drafts(vec![wanted("Acme"), wanted("Other")], records.to_vec(), &house());
        let problem = &found[0].problems[0];
        assert!(
            problem.summary.contains("(handle acme, id id of Acme) and 'ACME' (handle acme-2, id id-2)"),
            "{problem:?}"
        );
        let hint = problem.hint.as_deref().unwrap_or_default();
        assert!(hint.ends_with("msgrctl account rename id-2 acme-2"), "{hint}");
        assert!(found[1].problems.is_empty() && rest.is_empty(), "neither is pruned");
        // With handles both are identified, and an existing clash does not block.
        let file = vec![handled("Acme", "acme"), handled("ACME", "acme-2")];
        let (found, _) = drafts(file, records.to_vec(), &house());
        assert_eq!(problems(&found), [[""; 0]; 2]);
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
}
