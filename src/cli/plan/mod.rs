//! `msgrctl plan`: what differs between a manifest and what is, here and at Meta.

pub(super) mod look;
mod places;
pub(super) mod view;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use clap::Args;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use crate::accounts::{Account, Name, Realm};
use crate::messages::{ChatSettings, ChatText};
use crate::operations::Origin;
use crate::provision::draft::{Draft, House, NewSecret, drafts};
use crate::provision::kept::key_of;
use crate::provision::manifest::{Manifest, WantedSettings, WantedText};
use crate::provision::plan::{Action, Change, Plan, Seen, plan, quoted};
use crate::secrets::{SecretKind, SecretRef};
use crate::ui::interrupt;
use look::Access;

/// There are changes.
const CHANGES: u8 = 8;

/// Show what differs between a file of accounts and what is
///
/// Compares every account of the file with its record here, with its secrets and with
/// what Meta says: the Page's name and username, the app's webhook, the Page's
/// subscription. Changes nothing. With --offline neither Meta nor any secret is looked
/// at, so that a file of somebody else's can be looked through without one.
///
/// What the file does not name is left as it is. Secrets are never shown: the plan says where
/// each is read and who gets it, and refuses one that looks like another kind of credential.
/// What a file may say: msgrctl help manifests
///
/// Exit codes: 0 done, 8 there are changes (with --exit-code), 9 something cannot be made
/// as the file says, 5 Graph could not be reached, 3 the file has mistakes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl plan -f accounts.yaml --offline
  msgrctl plan -f accounts.yaml
  msgrctl plan -f manifests/ --prune --json
  msgrctl plan -f accounts.yaml --exit-code || echo \"there is something to apply\"")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    how: How,
    /// Ask neither Meta nor any store of secrets
    #[arg(long)]
    offline: bool,
    /// Exit with 8 when there are changes
    #[arg(long)]
    exit_code: bool,
}

/// What `plan` and `apply` take alike.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Remove the accounts that the file does not name, and their secrets
    #[arg(long)]
    pub prune: bool,
    /// Run the commands that the file or an account's record names as references to secrets
    #[arg(long)]
    pub allow_commands: bool,
}

pub(super) fn run(args: &PlanArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let manifest = args.manifest.read(ctx)?;
    let other = of_tenant(ctx, &manifest, &args.how)?;
    let ctx = other.as_ref().unwrap_or(ctx);
    let prepared = prepare(ctx, manifest, &args.how, args.offline)?;
    view::show(ctx, &prepared, args.offline)?;
    let blocked = prepared.plan.blocked();
    if blocked > 0 {
        let several = if blocked == 1 { "" } else { "s" };
        let message = format!("{blocked} account{several} cannot be made as the file says, for the reasons above");
        let out_of_reach = prepared.plan.is_out_of_reach();
        return Err(if out_of_reach { CliError::remote(message) } else { CliError::partial(message) });
    }
    Ok(if args.exit_code && !prepared.plan.is_empty() { CHANGES } else { 0 })
}

/// A plan, and what it takes to carry it out.
pub(super) struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// What the file says of Chat Settings.
    pub chat_settings: WantedSettings,
    /// What was tested of the accounts that something is written for at Meta, by their places.
    pub access: HashMap<usize, Access>,
    /// What was seen of the accounts, in the order of the manifest.
    pub seen: Vec<Seen>,
    /// Whether the tenant is not known here yet.
    pub new_tenant: bool,
}

/// The same run in the tenant that the manifest names; `None`: a flag or a variable names
/// one, or the manifest does not.
pub(super) fn of_tenant(ctx: &Context, manifest: &Manifest, how: &How) -> Result<Option<Context>, CliError> {
    let setting = &ctx.settings()?.tenant;
    let said = matches!(setting.origin, Origin::Flag(_) | Origin::Variable(_));
    if let Some(wanted) = manifest.tenant.as_ref().filter(|wanted| said && **wanted != setting.value) {
        let differ = format!("the file is for the tenant '{wanted}', and {} says '{}'", setting.origin, setting.value);
        if how.prune {
            return Err(CliError::usage(format!("{differ}: with --prune every account of another tenant would go"))
                .hint(format!("leave {} or --prune out", setting.origin)));
        }
        ctx.output.warning(&format!("{differ}, which wins"));
    }
    Ok(manifest.tenant.as_ref().filter(|_| !said).map(|tenant| ctx.in_tenant(tenant.as_str())))
}

/// Compares a manifest with what is. Without a network and without secrets where
/// `offline` says so.
pub(super) fn prepare(ctx: &Context, manifest: Manifest, how: &How, offline: bool) -> Result<Prepared, CliError> {
    let name = ctx.settings()?.tenant.value.as_str();
    let new_tenant = name != "default" && !ctx.tenant_names()?.iter().any(|known| known == name);
    if new_tenant && manifest.tenant.as_ref().is_none_or(|tenant| tenant.as_str() != name) {
        // Nobody but the flag or the variable names it: perhaps a typing mistake.
        super::tenant::check_known(ctx, name)?;
    }
    let realm = ctx.realm()?;
    let tenant = ctx.tenant()?;
    let records = ctx.accounts()?.load()?;
    let ids: HashSet<String> = records.iter().map(|account| account.id.clone()).collect();
    // Not the canonical path: that is another one once the directory is there.
    let root = ctx.settings()?.paths.root();
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    let new_id = |account: &Name| {
        let id = id_of(&root, name, realm, account);
        // It had another name when it got that one.
        if ids.contains(&id) { Uuid::new_v4().to_string() } else { id }
    };
    let house = House { tenant: &tenant, realm, store: ctx.settings()?.store.value, now: ctx.now(), new_id: &new_id };
    let known = ctx.chat_settings()?.load()?;
    let (_, changes) = settings_of(&manifest.chat_settings, &known);
    let (drafts, rest) = drafts(manifest.accounts, records, &house);
    let (mine, _): (Vec<Account>, Vec<Account>) = rest.into_iter().partition(|account| account.graph == realm);
    if how.prune && drafts.is_empty() && !mine.is_empty() {
        return Err(CliError::usage("the file names no account, and with --prune all of them would go")
            .hint("name at least one in it, or remove them one by one: msgrctl account remove NAME"));
    }
    let (seen, access): (Vec<Seen>, Vec<Option<Access>>) = if offline {
        drafts.iter().map(|_| (Seen::default(), None)).unzip()
    } else {
        let goes = mine.iter().filter(|_| how.prune);
        ctx.ask_stores(drafts.iter().filter_map(|draft| draft.before.as_ref()).chain(goes), look::stores_of(&drafts));
        look::look(ctx, &drafts, how.allow_commands)?.into_iter().unzip()
    };
    let left = if how.prune { Vec::new() } else { mine.iter().map(|account| account.name.to_string()).collect() };
    let removed = if how.prune { mine } else { Vec::new() };
    let commands: Vec<Vec<SecretKind>> = drafts.iter().map(kinds_of_commands).collect();
    let mut plan = plan(drafts, &seen, removed, left);
    if offline && !how.allow_commands {
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
    let access = access.into_iter().enumerate().filter_map(|(at, access)| Some((at, access?)));
    let access = access.filter(|(at, _)| writes(at)).collect();
    Ok(Prepared { plan, chat_settings: manifest.chat_settings, access, seen, new_tenant })
}

/// The secrets of an account that programs print, as the file or its record says.
fn kinds_of_commands(draft: &Draft) -> Vec<SecretKind> {
    let place = |kind: SecretKind| match draft.secrets.iter().find(|(of, _)| *of == kind) {
        Some((_, NewSecret::Refer(place) | NewSecret::Copy { from: place, .. })) => Some(place),
        Some((_, NewSecret::Generate(_))) => None,
        None => draft.before.as_ref()?.secrets.get(&kind),
    };
    SecretKind::ALL.into_iter().filter(|kind| matches!(place(*kind), Some(SecretRef::Command(_)))).collect()
}

/// The id of a new account, made of what it is called.
///
/// `root` is the directory of this configuration: another one of the same person shares
/// the keyring with it, and must not share its entries.
fn id_of(root: &Path, tenant: &str, realm: Realm, name: &Name) -> String {
    let text = format!("{}\0{tenant}\0{realm}\0{}", root.display(), name.as_str().to_lowercase());
    let hash = Sha256::digest(text);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Chat Settings as they will be, and what differs.
pub(super) fn settings_of(wanted: &WantedSettings, known: &ChatSettings) -> (ChatSettings, Vec<Change>) {
    let mut new = known.clone();
    let mut changes = Vec::new();
    let timeouts = &mut new.timeouts;
    for (field, place, value) in [
        ("messenger_timeout", &mut timeouts.messenger, wanted.messenger_timeout),
        ("web_timeout", &mut timeouts.web, wanted.web_timeout),
        ("agent_ramp_up", &mut timeouts.agent_ramp_up, wanted.agent_ramp_up),
        ("outbound_timeout", &mut timeouts.outbound, wanted.outbound_timeout),
    ] {
        if let Some(value) = value
            && *place != Some(value)
        {
            changes.push(Change::new(field, place.map(|known| known.to_string()), Some(value.to_string())));
            *place = Some(value);
        }
    }
    let words = |text: Option<&ChatText>| match text {
        Some(ChatText::Custom(text)) => format!("custom: {}", quoted(text.as_str())),
        Some(ChatText::Disabled) => "disabled".into(),
        None => "built-in".into(),
    };
    for (event, text) in &wanted.messages {
        let text = match text {
            WantedText::Custom(text) => Some(ChatText::Custom(text.clone())),
            WantedText::Disabled => Some(ChatText::Disabled),
            WantedText::BuiltIn => None,
        };
        let before = new.messages.get(event);
        if before != text.as_ref() {
            changes.push(Change::new(format!("messages.{event}"), Some(words(before)), Some(words(text.as_ref()))));
            match text {
                Some(text) => drop(new.messages.insert(*event, text)),
                None => drop(new.messages.remove(event)),
            }
        }
    }
    (new, changes)
}

/// `3 added, 1 changed, …`: what a plan comes to.
pub(super) fn summary(plan: &Plan) -> String {
    let count = |action| plan.count(action);
    let mut text = format!(
        "{} to add, {} to change, {} to remove, {} unchanged",
        count(Action::Add),
        count(Action::Change),
        count(Action::Remove),
        count(Action::Nothing)
    );
    if plan.blocked() > 0 {
        text = format!("{text}, {} that cannot be made as the file says", plan.blocked());
    }
    let apps = plan.apps.len();
    if apps > 0 {
        let (several, ends) = if apps == 1 { ("", "s") } else { ("s", "") };
        text = format!("{text}; the webhook{several} of {apps} app{several} change{ends}");
    }
    if !plan.chat_settings.is_empty() {
        text = format!("{text}; Chat Settings change");
    }
    text
}
