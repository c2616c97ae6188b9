//! `msgrctl plan`: compares a manifest with the accounts here and at Meta.

pub(super) mod view;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use crate::operations::apply::{self, Looks};
use crate::provision::manifest::Manifest;
use crate::provision::plan::{Action, Plan};

/// The exit code for changes.
const CHANGES: u8 = 8;

/// Show what differs between a manifest, the accounts here and Meta
///
/// Compares every account in the file with its record, its secrets and Meta: the Page's name
/// and username, the app's webhook, the Page's subscription. Changes nothing. --offline uses
/// neither Meta nor secrets, so you can check another person's file.
///
/// Accounts and fields that the file does not name stay. Secrets are never shown: the plan
/// says where each is read and who gets it, and refuses one that looks like another kind of
/// credential. What a file may say: msgrctl help manifests
///
/// Exit codes: 0 done, 8 there are changes (with --exit-code), 9 something cannot be applied,
/// 5 Graph could not be reached, 3 the file has mistakes.
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
    /// Use neither Meta nor any secret store
    #[arg(long)]
    offline: bool,
    /// Exit with 8 when there are changes
    #[arg(long)]
    exit_code: bool,
}

/// Flags of both `plan` and `apply`.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Remove the accounts that the file does not name, and their secrets
    #[arg(long)]
    pub prune: bool,
    /// Run commands that the file or an account's record refers to for secrets
    #[arg(long)]
    pub allow_commands: bool,
}

impl How {
    /// What to compare the manifest with.
    pub fn looks(&self) -> Looks {
        Looks { prune: self.prune, allow_commands: self.allow_commands, offline: false }
    }
}

pub(super) fn run(args: &PlanArgs, ctx: &Context) -> Result<u8, CliError> {
    let manifest = args.manifest.read(ctx)?;
    let looks = Looks { offline: args.offline, ..args.how.looks() };
    let other = of_tenant(ctx, &manifest, looks)?;
    let ctx = other.as_ref().unwrap_or(ctx);
    let mut prepared = apply::prepare(ctx, manifest, looks)?;
    view::complete(ctx, &mut prepared.plan);
    view::show(ctx, &prepared, args.offline)?;
    let blocked = prepared.plan.blocked();
    if blocked > 0 {
        let several = if blocked == 1 { "" } else { "s" };
        let message = format!("{blocked} account{several} cannot be applied, for the reasons above");
        let out_of_reach = prepared.plan.is_out_of_reach();
        return Err(if out_of_reach { CliError::remote(message) } else { CliError::partial(message) });
    }
    Ok(if args.exit_code && !prepared.plan.is_empty() { CHANGES } else { 0 })
}

/// The context of the manifest's tenant.
pub(super) fn of_tenant(ctx: &Context, manifest: &Manifest, looks: Looks) -> Result<Option<Context>, CliError> {
    let inside = apply::tenant_of(ctx, manifest, looks)?.map(|tenant| ctx.in_tenant(tenant.as_str()));
    if let Some(inside) = &inside {
        inside.say_how_to_call();
    }
    Ok(inside)
}

/// The summary of a plan: `3 to add, 1 to change, …`.
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
        text = format!("{text}, {} that cannot be applied", plan.blocked());
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
