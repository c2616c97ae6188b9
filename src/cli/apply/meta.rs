//! What is kept at Meta: the webhooks of apps, then the subscriptions of Pages, many in
//! one request. What was written is read back.

use std::collections::HashMap;

use super::{Failure, Outcome, Run};
use crate::accounts::Account;
use crate::checks::{self, GraphTrace};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::plan::Prepared;
use crate::cli::plan::look::Access;
use crate::cli::webhook::levels::{self, APP, AccountResult, Found, PAGE, Seen, Target};
use crate::cli::webhook::subscribe::{self, AppPlan, Plan};
use crate::graph::{GraphError, Unreachable};
use crate::provision::plan::Action;
use crate::provision::subscription::{PageLevel, Wish};

/// Carries out what is to be done at Meta, and takes the accounts that are dealt with out
/// of `ready`: those whose turn it is, as they were saved.
pub fn carry_out(run: &mut Run<'_>, prepared: &Prepared, ready: &mut HashMap<usize, Account>) -> Result<(), CliError> {
    let ctx = run.ctx;
    let plan = run.plan;
    let mut of_targets: Vec<usize> = ready.keys().copied().filter(|at| prepared.access.contains_key(at)).collect();
    of_targets.sort_unstable();
    // An app whose speaker could not be saved keeps sending elsewhere: its Pages wait.
    let lost: Vec<_> = plan.apps.iter().filter(|app| !of_targets.contains(&app.speaker)).collect();
    of_targets.retain(|at| {
        let Some(app) = lost.iter().find(|app| app.members.contains(at)) else { return true };
        ready.remove(at);
        let summary = format!(
            "it is saved here, and its Page is left as it is: the webhook of app {} waits for '{}', which failed",
            app.id, plan.accounts[app.speaker].name
        );
        run.end(*at, Outcome::Failed(Failure { summary, hint: Some("run this again".into()), unreachable: false }));
        false
    });
    let targets: Vec<Target> = of_targets
        .iter()
        .filter_map(|at| {
            let Access { token, app } = prepared.access.get(at)?;
            Some(Target { account: ready.remove(at)?, token: token.clone(), app: app.clone() })
        })
        .collect();
    if targets.is_empty() {
        return Ok(());
    }
    run.progress.now("setting webhooks at Meta");
    let client = ctx.graph()?;
    let before: Vec<Seen> = of_targets.iter().map(|at| seen(prepared, *at)).collect();
    let now = Context::wait(levels::observe(&client, &targets.iter().collect::<Vec<_>>()))?;
    let mut stale = stale(run, &of_targets, &before, &now);
    let mut kept = Vec::new();
    for (at, (target, before)) in of_targets.into_iter().zip(targets.into_iter().zip(before)) {
        // One whose Page alone is stale still speaks for its app.
        let speaks = || plan.apps.iter().any(|app| app.speaker == at);
        match stale.remove(&at) {
            Some((level, failure)) if level == PAGE && speaks() => {
                stale.insert(at, (level, failure));
                kept.push((at, target, before));
            }
            Some((_, failure)) => run.end(at, Outcome::Failed(failure)),
            None => kept.push((at, target, before)),
        }
    }
    let (mut of_targets, mut targets, mut before) = (Vec::new(), Vec::new(), Vec::new());
    for (at, target, seen) in kept {
        of_targets.push(at);
        targets.push(target);
        before.push(seen);
    }
    if targets.is_empty() {
        return Ok(());
    }
    let wishes: Vec<Wish> = targets
        .iter()
        .zip(&of_targets)
        .map(|(target, at)| Wish {
            callback_url: target.callback_url(),
            fields: plan.accounts[*at].fields.clone().unwrap_or_default(),
            exact: false,
        })
        .collect();
    let mut steps = Plan {
        pages: of_targets
            .iter()
            .map(|at| plan.accounts[*at].page.clone().filter(|_| !stale.contains_key(at)))
            .collect(),
        ..Plan::default()
    };
    for app in &plan.apps {
        if let Some(target) = of_targets.iter().position(|at| *at == app.speaker).map(|place| &targets[place]) {
            steps.apps.insert(&app.id, AppPlan::new(ctx, target, app.steps.clone()));
        }
    }
    let prober = ctx.prober()?;
    let results = Context::wait(subscribe::carry_out(ctx, &client, &prober, &targets, &wishes, before, &steps))?;
    for (at, result) in of_targets.into_iter().zip(results) {
        let outcome = match stale.remove(&at) {
            Some((_, failure)) => Outcome::Failed(failure),
            None => outcome(run, at, result),
        };
        run.end(at, outcome);
    }
    Ok(())
}

/// What the levels of an account came to.
fn outcome(run: &Run<'_>, at: usize, result: AccountResult) -> Outcome {
    let is_bad = |found: &Found| {
        // A Page that was held back has a line of its own, without anything to do.
        found.outcome >= checks::Outcome::Unreachable || found.id == PAGE && found.outcome == checks::Outcome::Skip
    };
    let Some(worst) = result.found.into_iter().filter(is_bad).max_by_key(|found| found.outcome) else {
        return Outcome::Done;
    };
    let graph = worst.graph.as_ref().map(GraphTrace::in_words).unwrap_or_default();
    Outcome::Failed(Failure {
        summary: format!("{}{}: {}{graph}", saved(run, at), worst.id, worst.summary),
        hint: worst.hint.as_deref().map(again),
        unreachable: worst.outcome == checks::Outcome::Unreachable,
    })
}

/// Of the accounts of `of_targets`, those that differ at Meta from what was reviewed, or can no
/// longer be seen, and on which level: a write would replace what another tool has set
/// meanwhile. Where it is an app, all of its accounts here wait.
fn stale(
    run: &Run<'_>,
    of_targets: &[usize],
    before: &[Seen],
    now: &[Seen],
) -> HashMap<usize, (&'static str, Failure)> {
    let plan = run.plan;
    let mut stale = HashMap::new();
    for ((at, before), now) in of_targets.iter().zip(before).zip(now) {
        let account = &plan.accounts[*at];
        let app = plan.apps.iter().find(|app| app.speaker == *at);
        let of_page = now.page.as_ref().err().filter(|_| account.page.is_some()).map(|error| (PAGE, error));
        let of_app = now.app.as_ref().and_then(|level| level.as_ref().err()).filter(|_| app.is_some());
        let unseen = of_app.map(|error| (APP, error)).or(of_page);
        // A level that is not written may be as it likes.
        let is_written = |level: &&str| if *level == PAGE { account.page.is_some() } else { app.is_some() };
        let (level, why, unreachable) = match (levels::changed_levels(before, now).into_iter().find(is_written), unseen)
        {
            (Some(level), _) => {
                let why = "was changed at Meta since the plan was made; nothing of it was overwritten".to_owned();
                (level, why, false)
            }
            (None, Some((level, error))) => {
                (level, format!("cannot be read again before it is written: {error}"), true)
            }
            (None, None) => continue,
        };
        let members = app.filter(|_| level == APP).into_iter().flat_map(|app| &app.members);
        for one in members.filter(|at| of_targets.contains(at)).chain([at]) {
            let what = levels::changed_in_words(level);
            let failure = Failure {
                summary: format!("{}{level}: {what} of '{}' {why}", saved(run, *one), account.name),
                hint: Some("run plan again to see what differs now".into()),
                unreachable,
            };
            stale.insert(*one, (level, failure));
        }
    }
    stale
}

/// How a failure at Meta begins where the account itself was saved.
fn saved(run: &Run<'_>, at: usize) -> &'static str {
    let was_saved = matches!(run.plan.accounts[at].action, Action::Add | Action::Change);
    if was_saved { "saved here, but not done at Meta: " } else { "" }
}

/// What to do; what comes after it is this command, not the one of a single account,
/// which knows nothing of the file.
fn again(hint: &str) -> String {
    let fix = hint.split_once("; then: ").map_or(hint, |(fix, _)| fix);
    format!("{fix}; then run this again")
}

/// What the plan was made of.
fn seen(prepared: &Prepared, at: usize) -> Seen {
    match prepared.seen.get(at).and_then(|seen| seen.live.as_ref()) {
        Some(live) => Seen { page: live.page.clone(), app: live.app.clone() },
        // Without a look there is no step, and without a step nobody gets here.
        None => Seen { page: Ok(PageLevel::Absent), app: Some(Err(GraphError::Unreachable(Unreachable::Unfinished))) },
    }
}
