//! `msgrctl apply`: applies a manifest.

mod check;
mod view;

use std::path::Path;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use super::plan::{self, How};
use crate::operations::Invocation;
use crate::operations::apply::{self, saved};
use crate::provision::draft;

/// Apply a manifest: create, change and remove accounts, secrets and webhooks to match it
///
/// Shows the plan and asks once; --yes skips the question. Continues after a failure, and
/// can be stopped and run again at any time: the next run changes only what still differs.
/// An account's credentials are tested with Graph before it is changed.
/// Accounts that the file does not name stay, unless --prune is given.
/// What a file may say: msgrctl help manifests
///
/// 'apply PLAN' applies a plan that was saved with 'msgrctl plan --out'. It was reviewed, so no
/// question is asked. Exactly that plan is carried out: if the records, a secret or the state at
/// Meta have changed since, it is refused with what changed, and nothing is written. The plan
/// has its own --prune; --allow-commands has to be given again.
///
/// --check reads the files and reports every mistake, each with file, line and column; it
/// needs no configuration, secret or network, and changes nothing.
///
/// Exit codes: 0 done or nothing to change, 9 a part failed and the rest is done, 5 Graph
/// could not be reached for any account, 3 the file has mistakes, 1 a saved plan is refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl apply -f accounts.yaml --check
  msgrctl apply -f accounts.yaml
  msgrctl apply -f manifests/ --yes --json
  msgrctl apply accounts.plan
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
    if let Some((path, text)) = args.manifest.saved_plan()? {
        return run_saved(args, ctx, &path, &text);
    }
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
    view::finish(ctx, &prepared, &ended, "fix the failures and run it again; finished accounts are skipped")
}

/// Applies a saved plan.
fn run_saved(args: &ApplyArgs, ctx: &Context, path: &Path, text: &str) -> Result<u8, CliError> {
    let read = saved::read(text)?;
    let own = [("--check", args.check), ("--prune", args.how.prune)];
    if let Some((flag, _)) = own.into_iter().find(|(_, given)| *given) {
        return Err(CliError::usage(format!("{} is a saved plan: {flag} is for manifests", saved::shown(path)))
            .hint(format!("omit {flag}")));
    }
    if read.plan.allow_commands && !args.how.allow_commands {
        let command = Invocation::of("apply").flag("--allow-commands", true).arg(&path.to_string_lossy());
        return Err(CliError::usage("the plan was made with --allow-commands, so that it runs commands for secrets")
            .hint(format!("to allow that: {command}")));
    }
    let other = read.tenant(ctx)?.map(|tenant| ctx.in_tenant(tenant.as_str()));
    if let Some(other) = &other {
        other.say_how_to_call();
    }
    let ctx = other.as_ref().unwrap_or(ctx);
    let (mut prepared, held) = read.prepare(ctx)?;
    plan::view::complete(ctx, &mut prepared.plan);
    let how = apply::How {
        fail_fast: args.fail_fast,
        again: "msgrctl plan -f FILE --out PLAN",
        on_end: &|account, outcome, progress| view::ended(ctx, account, outcome, progress),
    };
    let ended = apply::carry_out_held(ctx, &prepared, how, Some(held))?;
    view::finish(
        ctx,
        &prepared,
        &ended,
        "fix the failures and make a new plan of what is left: msgrctl plan -f FILE --out PLAN",
    )
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
