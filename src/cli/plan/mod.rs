//! `msgrctl plan`: compares a manifest with the accounts here and at Meta.

mod markdown;
pub(super) mod view;

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::context::Context;
use super::error::CliError;
use super::format::FormatArg;
use super::manifest::ManifestArgs;
use crate::operations::Invocation;
use crate::operations::apply::{self, Looks, saved};
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
/// --out saves the plan, to be reviewed and then applied as it is: msgrctl apply PLAN. The file
/// is private, names secrets by reference and keyed fingerprint, and holds the manifest and what
/// was seen at Meta. It can be applied for 24 hours, by this version of msgrctl, while nothing
/// that it rests on changes. The key of the fingerprints is made once, in the store of new
/// secrets (--store), or taken from MSGRCTL_SECRET_<TENANT>_PLAN_KEY. A plan in which an account
/// cannot be applied is not saved.
///
/// Exit codes: 0 done, 8 there are changes (with --exit-code), 9 something cannot be applied,
/// 5 Graph could not be reached, 3 the file has mistakes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl plan -f accounts.yaml --offline
  msgrctl plan -f accounts.yaml
  msgrctl plan -f manifests/ --prune --json
  msgrctl plan -f accounts.yaml --out accounts.plan
  msgrctl plan -f accounts.yaml --format markdown > plan.md
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
    /// Save the plan in a private file, for 'msgrctl apply PLAN'
    #[arg(long, value_name = "PLAN", value_hint = ValueHint::FilePath, conflicts_with = "offline")]
    out: Option<PathBuf>,
    /// The output format [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

/// How to print a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// The same as --json
    Json,
    /// A table for a merge request, shorter than 65,536 characters
    Markdown,
}

impl PlanArgs {
    /// The chosen format, of those that checks have too.
    pub fn format(&self) -> FormatArg {
        let format = self.format.map(|format| match format {
            Format::Text => super::format::Format::Text,
            Format::Json => super::format::Format::Json,
            Format::Markdown => super::format::Format::Markdown,
        });
        FormatArg { format }
    }
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
    if let Some((path, _)) = args.manifest.saved_plan()? {
        let command = Invocation::of("apply").arg(&path.to_string_lossy());
        return Err(CliError::usage(format!(
            "{} is a saved plan, and a plan is made of a manifest",
            saved::shown(&path)
        ))
        .hint(format!("to apply it: {command}")));
    }
    if let Some(path) = &args.out {
        saved::refuse_other(path)?;
    }
    let (manifest, files) = args.manifest.read_files(ctx)?;
    if let Some(path) = &args.out {
        ctx.settings()?.refuse_own("the plan", path)?;
    }
    let looks = Looks { offline: args.offline, ..args.how.looks() };
    let other = of_tenant(ctx, &manifest, looks)?;
    let ctx = other.as_ref().unwrap_or(ctx);
    let mut prepared = apply::prepare(ctx, manifest, looks)?;
    view::complete(ctx, &mut prepared.plan);
    let blocked = prepared.plan.blocked();
    let out = args.out.as_ref().filter(|_| blocked == 0);
    let saved = out.map(|path| Ok::<_, CliError>((path, saved::save(ctx, &prepared, &files, looks.prune, path)?)));
    let saved = saved.transpose()?;
    if args.format == Some(Format::Markdown) {
        ctx.output.result(&markdown::text(ctx, &prepared, args.offline)?);
    } else {
        let saved =
            saved.as_ref().map(|(path, plan)| view::Saved { file: path, sha256: plan.digest(), expires: plan.expires });
        view::show(ctx, &prepared, args.offline, saved.as_ref())?;
    }
    if let Some((path, plan)) = &saved {
        let command =
            Invocation::of("apply").flag("--allow-commands", plan.allow_commands).arg(&path.to_string_lossy());
        ctx.output.notice(&format!("the plan is saved until {}; to apply exactly this: {command}", plan.expires));
    }
    if blocked > 0 {
        let several = if blocked == 1 { "" } else { "s" };
        let unsaved = if args.out.is_some() { "; no plan was saved" } else { "" };
        let message = format!("{blocked} account{several} cannot be applied, for the reasons above{unsaved}");
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
