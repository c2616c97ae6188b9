//! Saved plans: a file that says what a plan would change and what it rests on. It holds the
//! manifest without its comments, references to secrets and their keyed fingerprints, and no
//! secret. To apply it the plan is made again, and carried out only if all of that is the same.

mod compare;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::compare::{SavedSecret, SavedStep, SeenAtMeta};
use super::files::{self, ManifestFile};
use super::prepare::{Looks, Prepared, prepare};
use crate::accounts::TenantName;
use crate::checks::causes::{self, Cause};
use crate::files as our_files;
use crate::operations::journal::Changing;
use crate::operations::{Error, Origin, Who, Workspace};
use crate::provision::manifest::{self, Text};
use crate::secrets::{Secret, SecretKey, SecretKind, StoreName, generate_print_key};
use crate::state::StateVersion;
use crate::text::in_json;

/// The version of the format.
const FORMAT: u32 = 1;
/// How long a plan may be applied.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The largest plan, in bytes.
pub const LIMIT: u64 = 256 * 1024 * 1024;
/// This program's version.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");
/// The digest of the file, its last member.
const DIGEST: &str = "\"plan_sha256\": \"";

/// A saved plan. Its fields are the file's, in this order.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of the format.
    msgrctl_plan: u32,
    /// The version of msgrctl that made it.
    program: String,
    /// When it was made.
    created: Timestamp,
    /// When it may not be applied any more.
    pub expires: Timestamp,
    /// Who made it.
    author: Who,
    /// The tenant.
    tenant: TenantName,
    /// Whether the tenant is created.
    new_tenant: bool,
    graph: Graph,
    /// The records that it was made from.
    state: StateVersion,
    prune: bool,
    /// Whether commands were run for secrets.
    pub allow_commands: bool,
    manifest: Vec<SavedFile>,
    steps: Vec<SavedStep>,
    secrets: Vec<SavedSecret>,
    meta: Vec<SeenAtMeta>,
    /// The store that keeps the key of the fingerprints.
    key_in: StoreName,
    /// The fingerprint of this file without it and without the digest.
    seal: String,
    /// SHA-256 of this file without it.
    plan_sha256: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Graph {
    url: String,
    version: String,
}

/// A file of the manifest.
#[derive(Debug, Serialize, Deserialize)]
struct SavedFile {
    file: String,
    directory: String,
    /// SHA-256 of the file's bytes.
    sha256: String,
    /// What it says.
    content: Value,
}

/// A plan as it was read from a file.
pub struct ReadPlan {
    pub plan: SavedPlan,
    text: String,
}

/// Whether a text is a saved plan, perhaps an edited one or a part of one, and not a manifest.
pub fn is_plan(text: &str) -> bool {
    const NEAR: usize = 200;
    let (bytes, far) = (text.as_bytes(), text.len().saturating_sub(NEAR));
    let holds = |part: &[u8], mark: &str| part.windows(mark.len()).any(|window| window == mark.as_bytes());
    holds(&bytes[..bytes.len().min(NEAR)], "\"msgrctl_plan\"") || holds(&bytes[far..], "\"plan_sha256\"")
}

/// Saves a plan as a private file, and returns it with its digest.
///
/// # Errors
///
/// The store does not keep the key of the fingerprints, or the file cannot be written.
pub fn save(
    workspace: &Workspace,
    prepared: &Prepared,
    files: &[ManifestFile],
    prune: bool,
    path: &Path,
) -> Result<SavedPlan, Error> {
    let settings = workspace.settings()?;
    let tenant = settings.tenant.value.clone();
    let state = workspace.records()?.version(tenant.as_str(), true)?;
    let (key, key_in) = key(workspace, &state.lineage, &tenant)?;
    let now = workspace.now();
    let mut plan = SavedPlan {
        msgrctl_plan: FORMAT,
        program: PROGRAM.into(),
        created: now,
        expires: now + LIFE,
        author: Who::of(&workspace.env),
        new_tenant: prepared.new_tenant,
        graph: graph(workspace)?,
        state,
        prune,
        allow_commands: prepared.allow_commands,
        manifest: files.iter().map(|file| SavedFile::of(file.text())).collect(),
        steps: compare::steps(prepared),
        secrets: compare::secrets(workspace, prepared, &tenant, &key)?,
        meta: compare::meta(prepared, &key),
        tenant,
        key_in,
        seal: String::new(),
        plan_sha256: String::new(),
    };
    plan.seal = key.print_text(&plan.text());
    plan.plan_sha256 = hex::encode(Sha256::digest(plan.text()));
    our_files::write_given(path, plan.text().as_bytes())?;
    Ok(plan)
}

/// Reads a saved plan.
///
/// # Errors
///
/// It was edited or cut off, or another version of msgrctl made it.
pub fn read(text: &str) -> Result<ReadPlan, Error> {
    let edited = || refuse(&causes::PLAN_EDITED, "the file is not as it was written: its digest does not fit");
    let start = text.rfind(DIGEST).map(|at| at + DIGEST.len()).ok_or_else(edited)?;
    let end = start + text[start..].find('"').ok_or_else(edited)?;
    let bare = format!("{}{}", &text[..start], &text[end..]);
    if hex::encode(Sha256::digest(&bare)) != text[start..end] {
        return Err(edited());
    }
    let value: Value = serde_json::from_str(text).map_err(|_| edited())?;
    let program = value["program"].as_str().unwrap_or_default();
    if program != PROGRAM || value["msgrctl_plan"] != FORMAT {
        let made =
            format!("it was made by version {}, and this is version {PROGRAM}", crate::text::excerpt(program, 40));
        return Err(refuse(&causes::PLAN_OF_OTHER_VERSION, &made));
    }
    let plan: SavedPlan = serde_json::from_value(value).map_err(|error| edited().cause(error.to_string()))?;
    Ok(ReadPlan { text: bare, plan })
}

impl ReadPlan {
    /// The tenant to work in, if it is not the current one.
    ///
    /// # Errors
    ///
    /// A flag or variable names another one.
    pub fn tenant(&self, workspace: &Workspace) -> Result<Option<TenantName>, Error> {
        let (setting, tenant) = (&workspace.settings()?.tenant, &self.plan.tenant);
        if setting.value == *tenant {
            return Ok(None);
        }
        if matches!(setting.origin, Origin::Flag(_) | Origin::Variable(_)) {
            let other = format!("it is for the tenant '{tenant}', and {} says '{}'", setting.origin, setting.value);
            return Err(refuse(&causes::PLAN_OF_OTHER_TENANT, &other));
        }
        Ok(Some(tenant.clone()))
    }

    /// Makes the plan again under the tenant's lock, which is returned with it.
    ///
    /// # Errors
    ///
    /// Something is not as it was when the plan was made; nothing was changed.
    pub fn prepare<'w>(&self, workspace: &'w Workspace) -> Result<(Prepared, Changing<'w>), Error> {
        let plan = &self.plan;
        if workspace.now() >= plan.expires {
            let expired = format!("it was made at {} and could be applied until {}", plan.created, plan.expires);
            return Err(refuse(&causes::PLAN_EXPIRED, &expired));
        }
        let graph = graph(workspace)?;
        if graph != plan.graph {
            let [of_plan, now] = [&plan.graph, &graph].map(|graph| format!("{} {}", graph.url, graph.version));
            let other = format!("it is for {of_plan}, and the settings say {now}");
            return Err(refuse(&causes::PLAN_OF_OTHER_GRAPH, &other));
        }
        // Nothing is made for a plan that does not belong here.
        self.check_state(workspace)?;
        let held = workspace.hold_tenant()?;
        self.check_state(workspace)?;
        let key = stored_key(workspace, &plan.state.lineage, &plan.tenant, plan.key_in)?;
        let bare = self.text.replacen(&format!("\"seal\": \"{}\"", plan.seal), "\"seal\": \"\"", 1);
        let Some(key) = key.filter(|key| key.print_text(&bare) == plan.seal) else {
            let why = format!("the key of this tenant's plans in the {} store did not make it", plan.key_in);
            return Err(refuse(&causes::PLAN_EDITED, &why));
        };
        let texts: Vec<String> = plan.manifest.iter().map(|file| file.content.to_string()).collect();
        let texts = plan.manifest.iter().zip(&texts);
        let texts: Vec<Text<'_>> =
            texts.map(|(file, text)| Text { file: &file.file, directory: Path::new(&file.directory), text }).collect();
        let manifest = manifest::read(&texts).map_err(|mistakes| {
            let mistake = mistakes.first().map(ToString::to_string).unwrap_or_default();
            refuse(&causes::PLAN_OF_OTHER_VERSION, "its manifest cannot be read").cause(mistake)
        })?;
        let looks = Looks { prune: plan.prune, allow_commands: plan.allow_commands, offline: false };
        let prepared = prepare(workspace, manifest, looks)?;
        // The lock has made the tenant's directory.
        let prepared = Prepared { new_tenant: plan.new_tenant, ..prepared };
        compare::check(workspace, plan, &prepared, &key)?;
        Ok((prepared, held))
    }

    fn check_state(&self, workspace: &Workspace) -> Result<(), Error> {
        let (plan, now) = (&self.plan.state, workspace.records()?.version(self.plan.tenant.as_str(), false)?);
        // Records in a shared state have no history before the first of them.
        if now.lineage != plan.lineage && !plan.lineage.is_empty() {
            let other = "it was made for other records: those of another configuration directory or shared state";
            return Err(refuse(&causes::PLAN_OF_OTHER_CONFIGURATION, other));
        }
        if now != *plan {
            let changed = format!("the records of tenant '{}' were changed since it was made", self.plan.tenant);
            return Err(stale(&changed).hint("to see what changed: msgrctl log"));
        }
        Ok(())
    }
}

impl SavedPlan {
    /// The plan's digest.
    pub fn digest(&self) -> &str {
        &self.plan_sha256
    }

    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_else(|error| unreachable!("it is JSON: {error}"));
        // What would be read as something else on a terminal or by a CI runner is escaped.
        text.lines().flat_map(|line| [in_json(line), "\n".into()]).collect()
    }
}

impl SavedFile {
    fn of(text: Text<'_>) -> Self {
        let directory = std::path::absolute(text.directory).unwrap_or_else(|_| text.directory.to_path_buf());
        Self {
            file: text.file.into(),
            directory: directory.to_string_lossy().into_owned(),
            sha256: hex::encode(Sha256::digest(text.text)),
            content: manifest::as_json(text.text),
        }
    }
}

fn graph(workspace: &Workspace) -> Result<Graph, Error> {
    let settings = workspace.settings()?;
    Ok(Graph { url: settings.graph_url.value.to_string(), version: settings.graph_version.value.to_string() })
}

fn key_name(lineage: &str, tenant: &TenantName) -> SecretKey {
    SecretKey {
        account_id: format!("plans-{lineage}-{tenant}"),
        handle: tenant.to_string(),
        account_name: format!("saved plans of tenant {tenant}"),
        kind: SecretKind::PlanKey,
    }
}

fn stored_key(
    workspace: &Workspace,
    lineage: &str,
    tenant: &TenantName,
    store: StoreName,
) -> Result<Option<Secret>, Error> {
    Ok(workspace.store(store).get(&key_name(lineage, tenant))?)
}

/// Removes the key of a tenant's plans from the store of new secrets, which may not have one.
pub(crate) fn forget_key(workspace: &Workspace, lineage: &str, tenant: &TenantName) -> Result<(), Error> {
    let store = workspace.settings()?.store.value;
    if store != StoreName::Env {
        workspace.store(store).remove(&key_name(lineage, tenant))?;
    }
    Ok(())
}

/// The key of the fingerprints, and where it is: a variable, or the store of new secrets, which
/// keeps the one that is made there once.
fn key(workspace: &Workspace, lineage: &str, tenant: &TenantName) -> Result<(Secret, StoreName), Error> {
    const SHORTEST: usize = 32;
    let variable = key_name(lineage, tenant).variable();
    if let Some(key) = stored_key(workspace, lineage, tenant, StoreName::Env)? {
        if key.is_shorter_than(SHORTEST) {
            return Err(Error::usage(format!("{variable} is too short for a key: its value could be guessed"))
                .hint(format!("set it to a random text of {SHORTEST} characters or more")));
        }
        return Ok((key, StoreName::Env));
    }
    let store = workspace.settings()?.store.value;
    let key = stored_key(workspace, lineage, tenant, store).transpose();
    let key = key.unwrap_or_else(|| make_key(workspace, lineage, tenant, store)).map_err(|error| {
        let instead = format!(
            "or set {variable} to a random text of {SHORTEST} characters or more, wherever plans are made and applied"
        );
        error.context("the key of the plan's fingerprints cannot be kept").hint(instead)
    })?;
    Ok((key, store))
}

/// Makes the key; another process may make it at the same time.
fn make_key(workspace: &Workspace, lineage: &str, tenant: &TenantName, store: StoreName) -> Result<Secret, Error> {
    // The encrypted file is written as a whole, and lies in the tenant's directory anyway.
    let _held = if store == StoreName::File { Some(workspace.lock_tenant()?) } else { None };
    workspace.stores().file().forget();
    let (store, name) = (workspace.store(store), key_name(lineage, tenant));
    if let Some(key) = store.get(&name)? {
        return Ok(key);
    }
    store.set(&name, &generate_print_key())?;
    store.get(&name)?.ok_or_else(|| Error::failed("the store did not keep it"))
}

/// A plan that is not applied.
fn refuse(cause: &'static Cause, why: &str) -> Error {
    Error::failed(format!("the plan was not applied: {why}")).reason(cause.id).hint(cause.fix())
}

fn stale(why: &str) -> Error {
    refuse(&causes::PLAN_STALE, why)
}

/// The text of a file that is a saved plan; `None` for any other file.
pub fn text_at(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let text = our_files::read_given_text(path, LIMIT).ok()?;
    is_plan(&text).then_some(text)
}

/// Refuses a path whose file is something else than a saved plan: it would be lost.
pub fn refuse_other(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_err() || text_at(path).is_some() {
        return Ok(());
    }
    Err(Error::usage(format!("{} is there already and is not a saved plan; nothing was written", shown(path)))
        .hint("name a new file with --out"))
}

/// A path of a plan, for showing.
pub fn shown(path: &Path) -> String {
    files::shown(path)
}
