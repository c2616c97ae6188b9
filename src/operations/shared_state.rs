//! Where the records are: shows it, breaks a lock, moves all of it to another place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::holding::MovedAway;
use super::journal::recover;
use super::settings::{FILES, Settings, open_state, refuse_password};
use super::{Error, Given, Origin, Workspace, config};
use crate::checks::causes;
use crate::storage::{self, Held, Holder, LockInfo, Place, Storage, TenantState, WholeLog, is_postgres, names};

/// How long a move waits for each tenant.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(90);

/// Lines of a log that are written at once.
const LINES: usize = 100;

/// Where the records are, and what there is.
pub struct Overview {
    /// `files`, or the address.
    pub address: String,
    pub origin: Origin,
    pub tenants: Vec<TenantState>,
}

/// Looks at every tenant.
pub fn show(workspace: &Workspace) -> Result<Overview, Error> {
    let (address, origin) = current(workspace)?;
    let storage = workspace.storage()?;
    let mut tenants = storage.tenants()?;
    // One that is being made has a lock before it has a document.
    let locked = storage.documents("locks")?;
    tenants.extend(locked.iter().filter_map(|name| tenant_of_lock(name)));
    tenants.sort();
    tenants.dedup();
    let tenants = tenants.iter().map(|tenant| storage.state_of(tenant)).collect::<Result<_, _>>()?;
    Ok(Overview { address, origin, tenants })
}

fn current(workspace: &Workspace) -> Result<(String, Origin), Error> {
    let state = workspace.settings()?.state.as_ref();
    Ok(state.map_or_else(|| (FILES.into(), Origin::BuiltIn), |state| (state.value.clone(), state.origin.clone())))
}

fn tenant_of_lock(name: &str) -> Option<String> {
    Some(name.strip_prefix("locks/")?.strip_suffix(".json")?.to_owned())
}

impl Workspace {
    /// The least rights for the bucket in the settings, or for one that is named by placeholders.
    pub(crate) fn s3_policy(&self) -> Result<String, Error> {
        let bucket = self.address_of_state()?.filter(|state| !is_postgres(state));
        Ok(storage::s3_policy(bucket.as_deref().unwrap_or("s3://BUCKET/PREFIX")))
    }

    /// The least rights for the schema in the settings, or for the usual one.
    pub(crate) fn postgres_policy(&self) -> Result<String, Error> {
        let database = self.address_of_state()?.filter(|state| is_postgres(state));
        Ok(storage::postgres_policy(database.as_deref()))
    }

    /// The address, also where the rights to read there are still to be given.
    fn address_of_state(&self) -> Result<Option<String>, Error> {
        let given = Given { state_is_optional: true, ..self.given.clone() };
        Ok(Settings::resolve(&given, &self.env)?.state.map(|state| state.value))
    }
}

/// The lock with this id, and its tenant.
pub fn find_lock(workspace: &Workspace, id: &str) -> Result<(String, LockInfo), Error> {
    let storage = workspace.storage()?;
    for name in storage.documents("locks")? {
        let Some(tenant) = tenant_of_lock(&name) else { continue };
        if let Some(lock) = storage.lock_of(&tenant)?.filter(|lock| lock.id == id) {
            return Ok((tenant, lock));
        }
    }
    Err(no_lock(id))
}

fn no_lock(id: &str) -> Error {
    Error::failed(format!("the lock '{}' does not exist", crate::text::excerpt(id, 40)))
        .hint("to see the locks and who holds them: msgrctl state show")
}

/// Breaks that lock.
pub fn unlock(workspace: &Workspace, tenant: &str, id: &str) -> Result<(), Error> {
    if workspace.storage()?.unlock(tenant, id)? { Ok(()) } else { Err(no_lock(id)) }
}

/// A move that can begin.
pub struct Prepared {
    /// `files`, or the address.
    pub from: String,
    pub to: String,
    target: Arc<dyn Storage>,
    replace: bool,
}

/// What was moved.
pub struct Moved {
    pub tenants: usize,
    pub documents: usize,
    pub lines: usize,
    /// The variable that names the old place and wins over the configuration.
    pub variable: Option<&'static str>,
}

/// Checks that the records can be moved to `to`: `files`, or an address. With `replace` what is
/// there is replaced.
pub fn prepare_move(workspace: &Workspace, to: &str, replace: bool) -> Result<Prepared, Error> {
    refuse_password(to, "on a command line")?;
    let (from, _) = current(workspace)?;
    if from == to {
        return Err(Error::usage(format!("the records are there already: {to}")).hint("msgrctl state show"));
    }
    let settings = workspace.settings()?;
    let target = open_state(to, &workspace.env, workspace.http_settings()?, &settings.paths)?;
    let [mine, there] = [workspace.storage()?, &target].map(|storage| storage.identity());
    if mine == there {
        return Err(Error::usage(format!("the records are there already: {from}")).hint("msgrctl state show"));
    }
    let lies_in = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    if from != FILES && to != FILES && (lies_in(&mine, &there) || lies_in(&there, &mine)) {
        return Err(Error::usage(format!("{to} and {from} lie one in the other: their tenants would mix"))
            .hint("choose a place beside it, such as s3://BUCKET/OTHER"));
    }
    let prepared = Prepared { from, to: to.into(), target, replace };
    if !replace {
        refuse_others(workspace.storage()?, &prepared)?;
    }
    Ok(prepared)
}

/// The documents of a backend by name; those of no tenant are not among them.
fn documents(storage: &dyn Storage) -> Result<BTreeMap<String, String>, Error> {
    let mut all = BTreeMap::new();
    for tenant in storage.tenants()? {
        for name in of_tenant(&tenant) {
            all.extend(storage.read(&name)?.map(|text| (name, text)));
        }
    }
    Ok(all)
}

fn of_tenant(tenant: &str) -> [String; 5] {
    [
        names::accounts(tenant),
        names::chat_settings(tenant),
        names::tenant(tenant),
        names::health(tenant),
        names::notices(tenant),
    ]
}

/// Refuses to replace what is not a part of the same records: the beginning of an interrupted
/// move is.
fn refuse_others(source: &Arc<dyn Storage>, prepared: &Prepared) -> Result<(), Error> {
    let mine = documents(source.as_ref())?;
    let there = documents(prepared.target.as_ref())?;
    let other = there.iter().find(|(name, text)| mine.get(*name) != Some(text)).map(|(name, _)| name.clone());
    let other_log = || -> Result<Option<String>, Error> {
        for log in [names::LOG, names::HEALTH_LOG] {
            if !begins_with(&source.lines(log)?, &prepared.target.lines(log)?) {
                return Ok(Some(log.into()));
            }
        }
        Ok(None)
    };
    let Some(other) = other.map_or_else(other_log, |name| Ok(Some(name)))? else { return Ok(()) };
    Err(Error::failed(format!(
        "there are other records already: {}; nothing was changed",
        prepared.target.path(&other).display()
    ))
    .reason(causes::STATE_CONFLICT.id)
    .hint(format!("to replace what is there: msgrctl state move --to '{}' --replace", prepared.to)))
}

/// Whether a log begins with these lines, of which the last may be cut off.
fn begins_with(log: &[String], lines: &[String]) -> bool {
    let Some((last, before)) = lines.split_last() else { return true };
    log.starts_with(before) && log.get(before.len()).is_some_and(|line| line.starts_with(last))
}

/// Copies everything, compares it, then writes the setting. Until then the old place is the one
/// in force, and nothing is removed from it: a move that is killed loses nothing.
pub fn carry_out(workspace: &Workspace, prepared: &Prepared) -> Result<Moved, Error> {
    // What a killed process changed belongs into the log that is copied.
    recover(workspace, None, true)?;
    let source = workspace.storage()?.clone();
    let target = &prepared.target;
    let _held = hold_both(workspace, &source, target)?;
    if !prepared.replace {
        refuse_others(&source, prepared)?;
    }
    let mine = documents(source.as_ref())?;
    let there = documents(target.as_ref())?;
    for (name, text) in mine.iter().filter(|(name, text)| there.get(*name) != Some(text)) {
        let place = Place::new(target, name.as_str());
        let open = place.open(&|_| {})?;
        open.read()?;
        open.replace(text)?;
    }
    for name in there.keys().filter(|name| !mine.contains_key(*name)) {
        target.remove(name)?;
    }
    for tenant in target.tenants()? {
        if !of_tenant(&tenant).iter().any(|name| mine.contains_key(name)) {
            target.forget_tenant(&tenant);
        }
    }
    let mut lines = 0;
    for log in [names::LOG, names::HEALTH_LOG] {
        lines += copy_log(source.as_ref(), target.as_ref(), log)?;
    }
    compare(source.as_ref(), target.as_ref())?;
    target.remove(names::MOVED)?;
    let Holder { user, host, .. } = workspace.holder();
    let moved = MovedAway { to: prepared.to.clone(), user, host, at: workspace.now() };
    source.put(names::MOVED, &moved.text())?;
    // What came between the comparison and the mark, such as a new tenant, is not lost.
    if let Err(error) = compare(source.as_ref(), target.as_ref()) {
        source.remove(names::MOVED)?;
        return Err(error);
    }
    let value = (prepared.to != FILES).then(|| prepared.to.as_str().into());
    config::write(&workspace.settings()?.paths.config_file(), "state", value)?;
    let tenants = mine.keys().filter_map(|name| name.split('/').nth(1)).collect::<std::collections::BTreeSet<_>>();
    let variable = match current(workspace)?.1 {
        Origin::Variable(name) => Some(name),
        _ => None,
    };
    Ok(Moved { tenants: tenants.len(), documents: mine.len(), lines, variable })
}

/// The right to change every tenant, in both places.
fn hold_both(
    workspace: &Workspace,
    source: &Arc<dyn Storage>,
    target: &Arc<dyn Storage>,
) -> Result<Vec<Box<dyn Held>>, Error> {
    let mut held = Vec::new();
    for storage in [source, target] {
        let mut tenants = source.tenants()?;
        tenants.extend(target.tenants()?);
        tenants.sort();
        tenants.dedup();
        for tenant in tenants {
            held.push(storage.hold(&tenant, &workspace.holder(), PATIENCE, &|waits| workspace.notice(waits))?);
        }
    }
    Ok(held)
}

/// Copies the lines that are missing, and where the log ends; returns how many lines there are.
fn copy_log(source: &dyn Storage, target: &dyn Storage, log: &str) -> Result<usize, Error> {
    let mine = source.whole(log)?;
    let mut there = target.whole(log)?;
    if !mine.lines.starts_with(&there.lines) {
        target.remove(log)?;
        there = WholeLog::default();
    }
    for lines in mine.lines[there.lines.len()..].chunks(LINES) {
        target.append(log, &lines.join("\n"))?;
    }
    if let Some(end) = mine.end.filter(|end| there.end.as_ref() != Some(end)) {
        target.set_end(log, &end)?;
    }
    Ok(mine.lines.len())
}

/// Refuses to switch to what is not the same.
fn compare(source: &dyn Storage, target: &dyn Storage) -> Result<(), Error> {
    let differs = |what: &str| {
        Error::failed(format!("{what} differs after the copy; the records stay where they were"))
            .reason(causes::STATE_CONFLICT.id)
            .hint("another command changed something in the meantime: run it again")
    };
    let (mine, there) = (documents(source)?, documents(target)?);
    if let Some(name) = mine.keys().chain(there.keys()).find(|name| mine.get(*name) != there.get(*name)) {
        return Err(differs(name));
    }
    for log in [names::LOG, names::HEALTH_LOG] {
        if source.whole(log)? != target.whole(log)? {
            return Err(differs(log));
        }
    }
    Ok(())
}
