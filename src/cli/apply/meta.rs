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
use crate::cli::webhook::levels::{Found, PAGE, Seen, Target};
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
    let wishes: Vec<Wish> = targets
        .iter()
        .zip(&of_targets)
        .map(|(target, at)| Wish {
            callback_url: target.callback_url(),
            fields: plan.accounts[*at].fields.clone().unwrap_or_default(),
            exact: false,
        })
        .collect();
    let mut steps =
        Plan { pages: of_targets.iter().map(|at| plan.accounts[*at].page.clone()).collect(), ..Plan::default() };
    for app in &plan.apps {
        if let Some(target) = of_targets.iter().position(|at| *at == app.speaker).map(|place| &targets[place]) {
            steps.apps.insert(&app.id, AppPlan::new(ctx, target, app.steps.clone()));
        }
    }
    let before = of_targets.iter().map(|at| seen(prepared, *at)).collect();
    run.progress.now("setting webhooks at Meta");
    let client = ctx.graph()?;
    let prober = ctx.prober()?;
    let results = Context::wait(subscribe::carry_out(ctx, &client, &prober, &targets, &wishes, before, &steps))?;
    for (at, result) in of_targets.into_iter().zip(results) {
        let is_bad = |found: &Found| {
            // A Page that was held back has a line of its own, without anything to do.
            found.outcome >= checks::Outcome::Unreachable || found.id == PAGE && found.outcome == checks::Outcome::Skip
        };
        let worst = result.found.into_iter().filter(is_bad).max_by_key(|found| found.outcome);
        let was_saved = matches!(plan.accounts[at].action, Action::Add | Action::Change);
        let saved = if was_saved { "saved here, but not done at Meta: " } else { "" };
        run.end(
            at,
            match worst {
                None => Outcome::Done,
                Some(found) => Outcome::Failed(Failure {
                    summary: format!(
                        "{saved}{}: {}{}",
                        found.id,
                        found.summary,
                        found.graph.as_ref().map(GraphTrace::in_words).unwrap_or_default()
                    ),
                    hint: found.hint.as_deref().map(again),
                    unreachable: found.outcome == checks::Outcome::Unreachable,
                }),
            },
        );
    }
    Ok(())
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
