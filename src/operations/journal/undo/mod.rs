//! Undoes a change: restores the fields of its records, and removes secrets that no record
//! names any more. If an error or a kill stops it half-way, running the undo again continues.

mod secrets;

use std::collections::BTreeMap;
use std::rc::Rc;

use self::secrets::Secrets;
use super::changing::Changing;
use super::entry::Entry;
use super::history::{History, Standing};
use super::pending::{Pending, recover};
use crate::accounts::{Account, AccountError};
use crate::operations::{Error, Origin, Workspace};
use crate::secrets::SecretKind;
use crate::state::{Change, Fields, Record, What};

pub struct Undoing {
    pub entry: Entry,
    inside: Workspace,
    unfinished: Option<Pending>,
    /// The length of the log, to notice a change in the meantime.
    entries: usize,
    secrets: Secrets,
}

/// The result of an undo.
pub struct Undone {
    pub entry: Entry,
    /// What could not be removed, in words.
    pub left: Vec<String>,
    /// Secrets that were removed and cannot be brought back.
    pub lost: Vec<(Account, SecretKind)>,
    /// Secrets that were replaced; the new ones stay. Account and kind.
    pub replaced: Vec<(String, String)>,
    /// Accounts that now share a Page: both names.
    pub same_page: Vec<(String, String)>,
}

/// Checks whether the last change, or the one whose id begins with `id`, can be undone.
///
/// # Errors
///
/// It cannot be undone; nothing was changed.
pub fn prepare_undo(workspace: &Workspace, id: Option<&str>) -> Result<Undoing, Error> {
    let mut unfinished = recover(workspace, None, false)?;
    let mut history = History::read(workspace)?;
    let target = unfinished.as_ref().and_then(|pending| pending.entry.undoes.clone());
    if let (Some(id), Some(target)) = (id, &target)
        && history.find(id)?.id != *target
    {
        // That undo was not finished: log it as a change of its own.
        recover(workspace, None, true)?;
        (unfinished, history) = (None, History::read(workspace)?);
    }
    let entry = match (id, target) {
        (Some(id), _) => history.find(id)?,
        (None, Some(target)) => history.find(&target)?,
        (None, None) => history.last().ok_or_else(|| Error::failed("there is no change to undo"))?,
    };
    let tenant = &workspace.settings()?.tenant;
    if let Origin::Flag(name) | Origin::Variable(name) = &tenant.origin
        && tenant.value.as_str() != entry.tenant
    {
        let which = if id.is_some() { "this change" } else { "the last change" };
        return Err(Error::failed(format!(
            "{which} was in tenant '{}', and {name} says '{}'; nothing was undone",
            entry.tenant, tenant.value
        ))
        .hint(format!("to undo it: msgrctl undo {} --tenant {}", entry.id, entry.tenant)));
    }
    let inside = workspace.in_tenant(&entry.tenant);
    let now = Now::read(&inside, unfinished.as_ref())?;
    check(&history, entry, &now, unfinished.is_some())?;
    let secrets = Secrets::of(&now.accounts, entry, &workspace.tenant_flag(&entry.tenant)?)?;
    let entries = history.entries.len();
    Ok(Undoing { entry: entry.clone(), inside, unfinished, entries, secrets })
}

/// The current records of a tenant.
struct Now {
    records: BTreeMap<Record, Fields>,
    /// As they were before the continued undo, which may have restored some already.
    accounts: Rc<Vec<Account>>,
    /// Where each kind of record is.
    place: Box<dyn Fn(&Record) -> String>,
}

impl Now {
    fn read(inside: &Workspace, unfinished: Option<&Pending>) -> Result<Self, Error> {
        let tenant = inside.settings()?.tenant.value.to_string();
        let records = inside.records()?;
        let snapshot = records.snapshot(&tenant, true)?;
        // A record that cannot be read fails here as in every other command.
        let of_accounts = records.place(&tenant, &Record::Account(String::new()));
        let accounts = snapshot.accounts(&of_accounts).map_err(AccountError::from)?;
        let accounts = match unfinished {
            Some(pending) => pending.before.accounts(&of_accounts).map_err(AccountError::from)?,
            None => accounts,
        };
        let place = move |record: &Record| records.place(&tenant, record);
        Ok(Self { records: snapshot.records(), accounts, place: Box::new(place) })
    }
}

/// Refuses a change if its fields have changed since.
fn check(history: &History, entry: &Entry, now: &Now, going_on: bool) -> Result<(), Error> {
    let command = &entry.command;
    if !history.knows_what_follows(entry) {
        return Err(Error::file(format!(
            "the log has a line after '{command}' that this msgrctl does not know; nothing was undone"
        ))
        .hint("a newer msgrctl wrote it, or it was edited: msgrctl log shows the changes"));
    }
    match history.standing(entry) {
        Standing::Stands | Standing::Changed(_) => {}
        Standing::Undone(by) => {
            return Err(Error::failed(format!("'{command}' ({}) was undone already", entry.id))
                .hint(format!("to redo it, undo the undo: msgrctl undo {by}")));
        }
        Standing::WithoutValues if entry.is_of_secrets_alone() => return Err(values_alone(command)),
        Standing::WithoutValues => {
            return Err(Error::failed(format!(
                "'{command}' was logged by an older msgrctl, which kept no values; it cannot be undone"
            )));
        }
    }
    if !going_on {
        check_tenant(entry, &now.records)?;
    }
    let Some(Obstacle { change, record, field, later }) = obstacle(history, entry, &now.records, going_on) else {
        return Ok(());
    };
    let field = field.filter(|field| !field.is_empty()).map(|field| format!("{field} of "));
    let error = Error::failed(format!(
        "{} has changed since '{command}' ({}'{}'); nothing was undone",
        (now.place)(record),
        field.unwrap_or_default(),
        change.of
    ));
    Err(match later {
        Some(later) if later.has_values() => {
            error.hint(format!("to undo '{}' first: msgrctl undo {}", later.command, later.id))
        }
        Some(later) => error.hint(format!("'{}' ({}) cannot be undone", later.command, later.id)),
        None => error.hint("msgrctl log shows the changes"),
    })
}

/// Why a change cannot be undone.
struct Obstacle<'a> {
    change: &'a Change,
    record: &'a Record,
    /// The first field that has changed since; empty if the record was added or removed.
    field: Option<String>,
    /// The later change of it, if logged.
    later: Option<&'a Entry>,
}

fn obstacle<'a>(
    history: &'a History,
    entry: &'a Entry,
    now: &BTreeMap<Record, Fields>,
    going_on: bool,
) -> Option<Obstacle<'a>> {
    let after = history.after(entry);
    entry.changes.iter().filter(|change| change.has_values()).find_map(|change| {
        let record = change.record.as_ref()?;
        let is_later =
            |later: &&&Entry| later.undoes.as_ref() != Some(&entry.id) && touches(later, &entry.tenant, change);
        let field = change.conflict(now.get(record), going_on);
        let later = after.iter().find(is_later).copied();
        (field.is_some() || later.is_some()).then_some(Obstacle { change, record, field, later })
    })
}

/// Whether each of `entries` can be undone, by the log and the current records.
/// `unfinished`: the undo that would continue.
pub fn standings(
    workspace: &Workspace,
    history: &History,
    entries: &[&Entry],
    unfinished: Option<&Pending>,
) -> Vec<Standing> {
    let mut now: BTreeMap<&str, Option<Now>> = BTreeMap::new();
    let mut standings = history.standings(entries);
    for (entry, standing) in entries.iter().zip(&mut standings).filter(|(_, standing)| **standing == Standing::Stands) {
        let goes_on = unfinished.filter(|pending| pending.entry.undoes.as_deref() == Some(&entry.id));
        if goes_on.is_some() {
            continue;
        }
        // undo and doctor report records that cannot be read.
        let read = || Now::read(&workspace.in_tenant(&entry.tenant), None).ok();
        let Some(now) = now.entry(&entry.tenant).or_insert_with(read) else { continue };
        let is_refused =
            || check(history, entry, now, false).is_err() || Secrets::of(&now.accounts, entry, "").is_err();
        if let Some(obstacle) = obstacle(history, entry, &now.records, false) {
            let later = obstacle.later.filter(|later| later.has_values());
            *standing = Standing::Changed(later.map(|later| later.id.clone()));
        } else if is_refused() {
            *standing = Standing::Changed(None);
        }
    }
    standings
}

/// Whether a later change touched the same field of the same record; or any field, if undoing
/// removes the record.
fn touches(later: &Entry, tenant: &str, change: &Change) -> bool {
    let is_shared = change.record == Some(Record::Configuration);
    (is_shared || later.tenant == tenant)
        && later.changes.iter().filter(|other| other.record == change.record).any(|other| {
            let mut own = change.before.keys().chain(change.after.keys()).filter(|key| *key != "updated_at");
            change.what == What::Added || own.any(|key| other.fields.contains(key))
        })
}

/// Refuses to remove a tenant that is current or not empty.
fn check_tenant(entry: &Entry, now: &BTreeMap<Record, Fields>) -> Result<(), Error> {
    let goes = |change: &Change| change.record == Some(Record::Tenant) && change.what == What::Added;
    if !entry.changes.iter().any(goes) {
        return Ok(());
    }
    let tenant = &entry.tenant;
    let refused = |why: &str| Error::failed(format!("tenant '{tenant}' {why}; nothing was undone"));
    if now.keys().any(|record| matches!(record, Record::Account(_) | Record::ChatSettings)) {
        return Err(refused("has accounts or Chat Settings")
            .hint(format!("to see what is in it: msgrctl account list --tenant {tenant}")));
    }
    // Unless the same change chose it.
    let chose = entry.changes.iter().any(|change| change.record == Some(Record::Configuration));
    let configuration = now.get(&Record::Configuration).filter(|_| !chose);
    let worked_in = configuration.and_then(|fields| fields.get("tenant")?.as_str());
    if worked_in == Some(tenant.as_str()) {
        return Err(refused("is worked in").hint("to work in another one: msgrctl tenant use default"));
    }
    Ok(())
}

fn values_alone(command: &str) -> Error {
    let error = Error::failed(format!("'{command}' changed secrets and nothing else, which cannot be undone"));
    let error =
        if command == "secret move" { error.hint("to move them back: msgrctl secret move --help") } else { error };
    error.hint("to undo an older change: msgrctl undo --list")
}

impl Undoing {
    pub fn carry_out(self) -> Result<Undone, Error> {
        let Self { entry, inside, unfinished, entries, secrets } = self;
        for (_, _, store) in &secrets.vanishing {
            inside.store(*store).probe()?;
        }
        let going_on = unfinished.is_some();
        let change = Changing::begin_undo(&inside, &entry, inside.lock_tenant()?, unfinished)?;
        let _hold = inside.reporter.hold();
        // Under the lock.
        let history = History::read(&inside)?;
        if history.entries.len() != entries {
            return Err(Error::failed("another command has changed something in the meantime; nothing was undone")
                .hint("msgrctl log shows the changes"));
        }
        check(&history, &entry, &Now::read(&inside, None)?, going_on)?;
        let reversed: Vec<Change> =
            entry.changes.iter().filter(|change| change.has_values()).map(Change::reversed).collect();
        let records = inside.records()?;
        records.write(&entry.tenant, &reversed).map_err(|error| change.not_undone(error.into()))?;
        // The record first: a kill in between leaves a secret too many, which doctor finds.
        let left = secrets.remove_vanishing(&inside);
        inside.storage()?.forget_tenant(&entry.tenant);
        // Logged before an interrupt may end the process.
        drop(change);
        let replaced = secrets.replaced(&entry);
        Ok(Undone { entry, left, lost: secrets.lost, replaced, same_page: secrets.same_page })
    }
}

#[cfg(test)]
mod tests {
    //! Records in files of a directory, secrets in memory.

    use super::*;
    use crate::accounts::Name;
    use crate::operations::accounts::{remove, rename};
    use crate::operations::change::{self, New, Target};
    use crate::operations::trial::Trial;
    use crate::secrets::{Secret, StoreName};

    fn renamed(trial: &Trial, account: &Account, name: &str) -> String {
        let name: Name = name.parse().expect("a name");
        let prepared = rename::prepare(&trial.workspace, account, name, None).expect("free").expect("a change");
        rename::carry_out(&trial.workspace, prepared).expect("renamed");
        last(trial)
    }

    /// The id of the last change.
    fn last(trial: &Trial) -> String {
        let history = History::read(&trial.workspace).expect("a log");
        history.last().expect("a change").id.clone()
    }

    fn undo(trial: &Trial, id: Option<&str>) -> Result<Undone, Error> {
        prepare_undo(&trial.workspace, id)?.carry_out()
    }

    fn refused(trial: &Trial, id: Option<&str>) -> Error {
        undo(trial, id).map(drop).expect_err("refused")
    }

    #[test]
    fn an_older_change_waits_for_the_later_one_of_the_same_field() {
        let trial = Trial::new();
        let account = trial.account("Acme");
        let first = renamed(&trial, &account, "Bravo");
        let second = renamed(&trial, &trial.now(&account), "Charlie");
        let error = refused(&trial, Some(&first));
        assert!(error.message().contains("nothing was undone"), "{}", error.message());
        assert_eq!(error.first_hint(), Some(format!("to undo 'trial' first: msgrctl undo {second}").as_str()));
        undo(&trial, Some(&second)).expect("undone");
        assert_eq!(trial.now(&account).name.as_str(), "Bravo");
        undo(&trial, Some(&first[..6])).expect("undone");
        assert_eq!(trial.now(&account), account, "with its time");
        assert!(refused(&trial, Some(&first)).message().contains("was undone already"));
    }

    #[test]
    fn an_account_that_was_added_goes_with_its_secrets_and_a_removed_one_comes_without() {
        let trial = Trial::new();
        let account = trial.account("Acme");
        assert!(trial.secret(&account, SecretKind::PageAccessToken).is_some());
        undo(&trial, None).expect("undone");
        assert!(trial.workspace.accounts().expect("a store").load().expect("records").is_empty());
        for kind in SecretKind::ALL {
            assert!(trial.secret(&account, kind).is_none(), "{kind}");
        }
        let account = trial.account("Bravo");
        remove::one(&trial.workspace, &account, false).expect("removed");
        let undone = undo(&trial, None).expect("undone");
        assert_eq!(trial.now(&account), account);
        let lost: Vec<SecretKind> = undone.lost.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(lost, account.secrets.keys().copied().collect::<Vec<_>>(), "they cannot be brought back");
    }

    #[test]
    fn a_change_in_the_meantime_ends_it() {
        let trial = Trial::new();
        let account = trial.account("Acme");
        renamed(&trial, &account, "Bravo");
        let undoing = prepare_undo(&trial.workspace, None).expect("it can");
        renamed(&trial, &trial.now(&account), "Charlie");
        let error = undoing.carry_out().map(drop).expect_err("refused");
        assert!(error.message().contains("in the meantime"), "{}", error.message());
        assert_eq!(trial.now(&account).name.as_str(), "Charlie");
    }

    #[test]
    fn an_added_account_that_was_changed_later_stays_and_the_change_is_named() {
        let trial = Trial::new();
        let account = trial.account("Acme");
        let added = last(&trial);
        let value = New::Value(Secret::new("EAABnew"), Target::WhereItIs(StoreName::Memory));
        let change = crate::operations::change::Change { kind: SecretKind::PageAccessToken, new: Some(value) };
        change::save(&trial.workspace, &mut account.clone(), vec![change], |new| Ok::<_, Error>(new.clone()))
            .expect("saved");
        let error = refused(&trial, Some(&added));
        assert_eq!(error.first_hint(), Some(format!("'trial' ({}) cannot be undone", last(&trial)).as_str()));
        assert_eq!(trial.secret(&account, SecretKind::PageAccessToken), Some(Secret::new("EAABnew")));
    }

    #[test]
    fn another_undo_that_was_cut_off_is_written_down_first() {
        let trial = Trial::new();
        let accounts = ["Acme", "Bravo"].map(|name| (trial.account(name), last(&trial)));
        let [(first, of_first), (_, of_second)] = &accounts;
        let history = History::read(&trial.workspace).expect("a log");
        let entry = history.find(of_first).expect("known").clone();
        let before =
            trial.workspace.records().and_then(|records| Ok(records.snapshot("default", true)?)).expect("read");
        let pending = Entry { undoes: Some(entry.id.clone()), ..Entry::new(&trial.workspace, "default", Vec::new()) };
        let cut_off = pending.id.clone();
        Pending { entry: pending, before }.write(&trial.workspace).expect("kept");
        let reversed = [entry.changes[0].reversed()];
        trial.workspace.records().and_then(|records| Ok(records.write("default", &reversed)?)).expect("written");
        undo(&trial, Some(of_second)).expect("undone");
        let history = History::read(&trial.workspace).expect("a log");
        let interrupted = history.find(&cut_off).expect("it is in the log");
        assert_eq!((interrupted.result.as_str(), interrupted.changes[0].of.as_str()), ("interrupted", "Acme"));
        undo(&trial, Some(&cut_off)).expect("it can be undone");
        assert_eq!(trial.now(first), *first);
    }

    #[test]
    fn records_that_cannot_be_read_are_not_called_changed() {
        let trial = Trial::new();
        trial.account("Acme");
        let file = trial.directory.path().join("msgrctl/tenants/default/accounts.toml");
        std::fs::write(file, "[[[").expect("written");
        let error = refused(&trial, None);
        assert!(error.message().contains("accounts.toml:1:"), "{}", error.message());
    }
}
