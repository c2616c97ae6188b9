//! `msgrctl apply`: applies a manifest.

mod check;
mod view;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use super::plan::{self, How};
use crate::operations::apply;
use crate::provision::draft;

/// Apply a manifest: create, change and remove accounts, secrets and webhooks to match it
///
/// Shows the plan and asks once; --yes skips the question. Continues after a failure, and
/// can be stopped and run again at any time: the next run changes only what still differs.
/// An account's credentials are tested with Graph before it is changed.
/// Accounts that the file does not name stay, unless --prune is given.
/// What a file may say: msgrctl help manifests
///
/// --check reads the files and reports every mistake, each with file, line and column; it
/// needs no configuration, secret or network, and changes nothing.
///
/// Exit codes: 0 done or nothing to change, 9 a part failed and the rest is done, 5 Graph
/// could not be reached for any account, 3 the file has mistakes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl apply -f accounts.yaml --check
  msgrctl apply -f accounts.yaml
  msgrctl apply -f manifests/ --yes --json
  msgrctl export | msgrctl apply -f - --check")]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    how: How,
    /// Validate the files offline, without secrets, and change nothing
    #[arg(long, conflicts_with_all = ["prune", "allow_commands", "fail_fast"])]
    check: bool,
    /// Stop at the first failure
    #[arg(long)]
    fail_fast: bool,
}

pub(super) fn run(args: &ApplyArgs, ctx: &Context) -> Result<u8, CliError> {
    let manifest = args.manifest.read(ctx)?;
    if args.check {
        let mistakes = draft::mistakes(&manifest);
        if !mistakes.is_empty() {
            return Err(args.manifest.refuse(&mistakes, ctx));
        }
        check::show(ctx, &manifest, &args.manifest);
        return Ok(0);
    }
    let looks = args.how.looks();
    let other = plan::of_tenant(ctx, &manifest, looks)?;
    let ctx = other.as_ref().unwrap_or(ctx);
    let mut prepared = apply::prepare(ctx, manifest, looks)?;
    plan::view::complete(ctx, &mut prepared.plan);
    if !prepared.plan.is_empty() {
        if !ctx.global.yes {
            let text = plan::view::text(ctx, &prepared, false, ctx.output.terminal.err())?;
            ctx.output.talk(&text);
            ctx.output.talk("");
        }
        // The summary is printed above; without a prompt it is not.
        let question = if ctx.someone_can_answer {
            "Apply this?".to_owned()
        } else {
            format!("Apply this? ({})", plan::summary(&prepared.plan))
        };
        ctx.confirm(&question, &args.command())?;
    }
    let how = apply::How {
        fail_fast: args.fail_fast,
        again: &format!("{} --yes", args.command()),
        on_end: &|account, outcome, progress| view::ended(ctx, account, outcome, progress),
    };
    let ended = apply::carry_out(ctx, &prepared, how)?;
    view::finish(ctx, &prepared, &ended)
}

impl ApplyArgs {
    /// The same command, to paste.
    fn command(&self) -> String {
        let mut words = vec!["msgrctl apply".to_owned()];
        words.extend(self.manifest.words());
        words.extend(self.how.prune.then(|| "--prune".to_owned()));
        words.extend(self.how.allow_commands.then(|| "--allow-commands".to_owned()));
        words.extend(self.fail_fast.then(|| "--fail-fast".to_owned()));
        words.join(" ")
    }
}
