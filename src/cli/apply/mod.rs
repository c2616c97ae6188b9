//! `msgrctl apply`: makes what is as a manifest says.
//!
//! First what is kept here, in groups that are each written at once, secrets before
//! records; then what is kept at Meta, apps before Pages. Whatever moment it is ended at,
//! every secret is where its record says, and the next run goes on from there, since the
//! plan is made of what is.

mod check;
mod local;
mod view;

use std::collections::BTreeMap;

use clap::Args;

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use super::plan::look::Access;
use super::plan::{self, How, Prepared};
use crate::accounts::Account;
use crate::operations::apply::meta;
use crate::operations::webhooks::Target;
use crate::provision::draft;
use crate::provision::plan::{Plan, Problem};
use crate::ui::interrupt::{self, Hold};
use crate::ui::progress::Progress;

/// Make accounts, secrets and webhooks as a file says
///
/// Shows the plan and asks once; --yes asks nothing. Goes on after a failure, and can be
/// ended and run again at any moment: what is as it should be is left alone, so a second
/// run writes nothing. The credentials of an account are tested with Graph before anything
/// of it is changed. Accounts that the file does not name stay, unless --prune is given.
/// What a file may say: msgrctl help manifests
///
/// --check reads the files and tells every mistake in one go, each with its file, line and
/// column; it needs no configuration, no secret and no network, and changes nothing.
///
/// Exit codes: 0 done, also nothing to change, 9 a part failed and the rest is done, 5 Graph
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
    /// Validate the files, offline and without any secret, and do nothing
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
    interrupt::install();
    let other = plan::of_tenant(ctx, &manifest, &args.how)?;
    let ctx = other.as_ref().unwrap_or(ctx);
    let prepared = plan::prepare(ctx, manifest, &args.how, false)?;
    if !prepared.plan.is_empty() {
        if !ctx.says_yes() {
            let text = plan::view::text(ctx, &prepared, false, ctx.output.terminal.err())?;
            ctx.output.talk(&text);
            ctx.output.talk("");
        }
        // The sum stands above it; where nobody can be asked it does not.
        let question = if ctx.someone_can_answer() {
            "Apply this?".to_owned()
        } else {
            format!("Apply this? ({})", plan::summary(&prepared.plan))
        };
        ctx.confirm(&question, &args.command())?;
    }
    let ended = carry_out(ctx, &prepared, args)?;
    view::finish(ctx, &prepared, &ended)
}

impl ApplyArgs {
    /// The command again, to be pasted.
    fn command(&self) -> String {
        let mut words = vec!["msgrctl apply".to_owned()];
        words.extend(self.manifest.words());
        words.extend(self.how.prune.then(|| "--prune".to_owned()));
        words.extend(self.how.allow_commands.then(|| "--allow-commands".to_owned()));
        words.extend(self.fail_fast.then(|| "--fail-fast".to_owned()));
        words.join(" ")
    }
}

/// How an account ended; of a manifest's, by its place in the plan.
pub(super) enum Outcome {
    /// As the plan says.
    Done,
    /// It was as it should be.
    Unchanged,
    /// Not, or not in full.
    Failed(Failure),
    /// Not tried any more.
    Left,
}

/// Why an account is not as it should be.
#[derive(Clone)]
pub(super) struct Failure {
    /// What happened.
    pub summary: String,
    /// What to do.
    pub hint: Option<String>,
    /// Trying again may help.
    pub unreachable: bool,
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        let hint = error.first_hint().map(|hint| hint.replace('\n', " "));
        Self { summary: error.message().to_owned(), hint, unreachable: false }
    }
}

/// The accounts that have ended, and whether more are begun.
pub(super) struct Run<'a> {
    ctx: &'a Context,
    plan: &'a Plan,
    progress: Progress,
    outcomes: BTreeMap<usize, Outcome>,
    fail_fast: bool,
    /// The command again, to go on.
    again: &'a str,
    /// Whether Chat Settings were written.
    settings_changed: bool,
}

/// How a run ended.
pub(super) struct Ended {
    /// How each account did, by its place in the plan.
    pub outcomes: BTreeMap<usize, Outcome>,
    /// Whether Chat Settings were written.
    pub settings_changed: bool,
}

impl Run<'_> {
    /// An account has ended: shown where it failed, or where nothing moves.
    fn end(&mut self, at: usize, outcome: Outcome) {
        let account = &self.plan.accounts[at];
        let line = view::line(self.ctx, account, &outcome);
        let output = &self.ctx.output;
        if let Some(line) = line.filter(|_| !output.json) {
            self.progress.suspend(|| {
                output.result(&line);
                output.flush();
            });
        }
        self.progress.step();
        self.outcomes.insert(at, outcome);
    }

    /// Whether an account has failed.
    fn has_failed(&self) -> bool {
        self.outcomes.values().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Whether nothing more is begun.
    fn stops(&self) -> bool {
        self.fail_fast && self.has_failed()
    }

    /// Ends it where somebody has asked to, with what was done on the disk.
    fn interrupted(&self, hold: &Hold) -> Result<(), CliError> {
        if !hold.was_interrupted() {
            return Ok(());
        }
        self.progress.end();
        let (done, all) = (self.outcomes.len(), self.plan.accounts.len());
        Err(CliError::interrupted().note(format!("{done} of {all} accounts are dealt with; run it again to go on")))
    }
}

fn carry_out(ctx: &Context, prepared: &Prepared, args: &ApplyArgs) -> Result<Ended, CliError> {
    let again = format!("{} --yes", args.command());
    let plan = &prepared.plan;
    let progress =
        if plan.is_empty() { Progress::none() } else { Progress::bar(&ctx.output, "saving", plan.accounts.len()) };
    let (outcomes, fail_fast) = (BTreeMap::new(), args.fail_fast);
    let mut run = Run { ctx, plan, progress, outcomes, fail_fast, again: &again, settings_changed: false };
    for (at, account) in plan.accounts.iter().enumerate() {
        if let Some(problem) = account.problems.first() {
            let more = account.problems.len() - 1;
            let and = if more > 0 { format!(" (and {more} more; msgrctl plan shows all)") } else { String::new() };
            run.end(
                at,
                Outcome::Failed(Failure {
                    summary: format!("{}{and}", problem.summary),
                    hint: problem.hint.clone(),
                    unreachable: problem.unreachable,
                }),
            );
        }
    }
    if !plan.is_empty() && !run.stops() {
        let mut ready = local::carry_out(&mut run, prepared)?;
        if !run.stops() {
            let access = |(at, account)| {
                let Access { token, app } = prepared.access.get(&at)?;
                Some((at, Target { account, token: token.clone(), app: app.clone() }))
            };
            let places = |at: &usize, _: &mut Account| prepared.access.contains_key(at);
            let targets: BTreeMap<usize, Target> = ready.extract_if(places).filter_map(access).collect();
            if !targets.is_empty() {
                run.progress.now("setting webhooks at Meta");
            }
            meta::carry_out(ctx, plan, &prepared.seen, targets, &mut |at, ended| {
                let failed = |Problem { summary, hint, unreachable }| Failure { summary, hint, unreachable };
                run.end(at, ended.map_or_else(|problem| Outcome::Failed(failed(problem)), |()| Outcome::Done));
            })?;
        }
        // Those are saved, and their turn at Meta did not come.
        for at in ready.into_keys() {
            let summary = "it is saved here, and its webhook is not set yet".into();
            let hint = Some("run this again".into());
            run.end(at, Outcome::Failed(Failure { summary, hint, unreachable: false }));
        }
    }
    for at in 0..plan.accounts.len() {
        if !run.outcomes.contains_key(&at) {
            let unchanged = plan.accounts[at].action == crate::provision::plan::Action::Nothing;
            run.end(at, if unchanged { Outcome::Unchanged } else { Outcome::Left });
        }
    }
    Ok(Ended { outcomes: run.outcomes, settings_changed: run.settings_changed })
}
