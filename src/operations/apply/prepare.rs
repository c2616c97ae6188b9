//! Compares a manifest with the accounts here and at Meta.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::observe;
use crate::accounts::{Account, Name, Realm, TenantName};
use crate::operations::tenants::check_known;
use crate::operations::webhooks::Target;
use crate::operations::{Error, Origin, Workspace};
use crate::provision::chat_settings;
use crate::provision::draft::{Draft, House, drafts};
use crate::provision::kept::key_of;
use crate::provision::manifest::{Manifest, WantedSettings};
use crate::provision::plan::{Plan, Seen, plan};
use crate::secrets::{SecretKind, SecretRef};

/// How to compare a manifest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks {
    /// Remove accounts that the manifest does not name.
    pub prune: bool,
    /// Run commands that the manifest or a record refers to for secrets.
    pub allow_commands: bool,
    /// Ask neither Meta nor any secret store.
    pub offline: bool,
}

/// A plan, and what carrying it out needs.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The file's Chat Settings.
    pub chat_settings: WantedSettings,
    /// The accounts to write at Meta, as tested, by position.
    pub targets: HashMap<usize, Target>,
    /// What was seen of the accounts, in manifest order.
    pub seen: Vec<Seen>,
    /// Whether the tenant is new here.
    pub new_tenant: bool,
    /// Whether commands may be run for secrets.
    pub allow_commands: bool,
}

/// The tenant that the manifest names; `None` if a flag or variable overrides it, or it names
/// none.
pub fn tenant_of(workspace: &Workspace, manifest: &Manifest, looks: Looks) -> Result<Option<TenantName>, Error> {
    let setting = &workspace.settings()?.tenant;
    let said = matches!(setting.origin, Origin::Flag(_) | Origin::Variable(_));
    if let Some(wanted) = manifest.tenant.as_ref().filter(|wanted| said && **wanted != setting.value) {
        let differ = format!("the file is for the tenant '{wanted}', and {} says '{}'", setting.origin, setting.value);
        if looks.prune {
            return Err(Error::usage(format!("{differ}: --prune would remove every account of another tenant"))
                .hint(format!("omit {} or --prune", setting.origin)));
        }
        workspace.warning(&format!("{differ}, which wins"));
    }
    Ok(manifest.tenant.clone().filter(|_| !said))
}

/// Compares a manifest with the accounts here and at Meta; without network and secrets if
/// `looks` says so.
pub fn prepare(workspace: &Workspace, manifest: Manifest, looks: Looks) -> Result<Prepared, Error> {
    let name = workspace.settings()?.tenant.value.as_str();
    let new_tenant = name != "default" && !workspace.tenant_names()?.iter().any(|known| known == name);
    if new_tenant && manifest.tenant.as_ref().is_none_or(|tenant| tenant.as_str() != name) {
        // Only the flag or variable names it, so it may be mistyped.
        check_known(workspace, name)?;
    }
    let realm = workspace.realm()?;
    let tenant = workspace.tenant()?;
    let records = workspace.accounts()?.load()?;
    let ids: HashSet<String> = records.iter().map(|account| account.id.clone()).collect();
    // Not the canonical path, which would change once the directory exists.
    let root = workspace.settings()?.paths.root();
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    let new_id = |account: &Name| {
        let id = id_of(&root, name, realm, account);
        // An account may have taken that id under another name.
        if ids.contains(&id) { Uuid::new_v4().to_string() } else { id }
    };
    let house = House {
        tenant: &tenant,
        realm,
        store: workspace.settings()?.store.value,
        now: workspace.now(),
        new_id: &new_id,
    };
    let known = workspace.chat_settings()?.load()?;
    let (_, changes) = chat_settings::changed(&manifest.chat_settings, &known);
    let (drafts, rest) = drafts(manifest.accounts, records, &house);
    let (mine, _): (Vec<Account>, Vec<Account>) = rest.into_iter().partition(|account| account.graph == realm);
    if looks.prune && drafts.is_empty() && !mine.is_empty() {
        return Err(Error::usage("the file names no account; --prune would remove all of them")
            .hint("name at least one in it, or remove them one by one: msgrctl account remove NAME"));
    }
    let (seen, targets): (Vec<Seen>, Vec<Option<Target>>) = if looks.offline {
        drafts.iter().map(|_| (Seen::default(), None)).unzip()
    } else {
        let goes = mine.iter().filter(|_| looks.prune);
        workspace.ask_stores(
            drafts.iter().filter_map(|draft| draft.before.as_ref()).chain(goes),
            observe::stores_of(&drafts),
        );
        workspace.read_ahead(drafts.iter().filter_map(|draft| draft.before.as_ref()));
        observe::look(workspace, &drafts, looks.allow_commands)?.into_iter().unzip()
    };
    observe::keep_levels(workspace, &drafts, &seen, &targets);
    let left = if looks.prune { Vec::new() } else { mine.iter().map(|account| account.name.to_string()).collect() };
    let removed = if looks.prune { mine } else { Vec::new() };
    let from_commands = |draft: &Draft| {
        let is_command = |kind: &SecretKind| matches!(draft.source(*kind), Some(SecretRef::Command(_)));
        SecretKind::IN_MANIFEST.into_iter().filter(is_command).collect()
    };
    let commands: Vec<Vec<SecretKind>> = drafts.iter().map(from_commands).collect();
    let mut plan = plan(drafts, &seen, removed, left);
    if looks.offline && !looks.allow_commands {
        for (account, kinds) in plan.accounts.iter_mut().zip(commands) {
            for kind in kinds {
                account
                    .notes
                    .push(format!("{} comes from a command, which runs only with --allow-commands", key_of(kind)));
            }
        }
    }
    plan.chat_settings = changes;
    let writes = |at: &usize| plan.accounts[*at].page.is_some() || plan.apps.iter().any(|app| app.speaker == *at);
    let targets = targets.into_iter().enumerate().filter_map(|(at, target)| Some((at, target?)));
    let targets = targets.filter(|(at, _)| writes(at)).collect();
    Ok(Prepared {
        plan,
        chat_settings: manifest.chat_settings,
        targets,
        seen,
        new_tenant,
        allow_commands: looks.allow_commands,
    })
}

/// The id of a new account, derived from its name. `root` is this configuration's directory:
/// another configuration of the same person shares the keyring and must not share entries.
fn id_of(root: &Path, tenant: &str, realm: Realm, name: &Name) -> String {
    let text = format!("{}\0{tenant}\0{realm}\0{}", root.display(), name.as_str().to_lowercase());
    let hash = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
