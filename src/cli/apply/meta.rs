//! What is kept at Meta: the webhooks of apps, then the subscriptions of Pages, many in
//! one request. What was written is read back.

use std::collections::HashMap;

use super::{Failure, Outcome, Run};
use crate::accounts::Account;
use crate::checks;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::plan::Prepared;
use crate::cli::webhook::levels::{Seen, Target};
use crate::cli::webhook::subscribe::{self, AppPlan, Plan};
use crate::graph::{GraphError, Unreachable};
use crate::provision::subscription::{PageLevel, Wish};

/// Carries out what is to be done at Meta; `ready` are the accounts whose turn it is, as
/// they were saved.
pub fn carry_out(run: &mut Run<'_>, prepared: &Prepared, ready: &HashMap<usize, Account>) -> Result<(), CliError> {
    let ctx = run.ctx;
    let plan = run.plan;
    let mut places: Vec<usize> = ready.keys().copied().collect();
    places.sort_unstable();
    let mut targets: Vec<Target> = Vec::new();
    let mut of_targets: Vec<usize> = Vec::new();
    for at in places {
        match Target::of(ctx, ready[&at].clone()) {
            Ok(target) => {
                targets.push(target);
                of_targets.push(at);
            }
            Err(error) if error.is_interrupt() => return Err(error),
            Err(error) => run.end(at, Outcome::Failed(Failure::from(error))),
        }
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
    let mut steps =
        Plan { pages: of_targets.iter().map(|at| plan.accounts[*at].page.clone()).collect(), ..Plan::default() };
    for app in &plan.apps {
        if let Some(target) = of_targets.iter().position(|at| *at == app.speaker).map(|place| &targets[place]) {
            steps.apps.insert(&app.id, AppPlan::new(ctx, target, app.steps.clone()));
        }
    }
    let before = of_targets.iter().map(|at| seen(prepared, *at)).collect();
    let client = ctx.graph()?;
    let prober = ctx.prober()?;
    let results = Context::wait(subscribe::carry_out(ctx, &client, &prober, &targets, &wishes, before, &steps))?;
    for (at, result) in of_targets.into_iter().zip(results) {
        let bad = result.found.into_iter().filter(|found| {
            found.outcome >= checks::Outcome::Unreachable
                || found.outcome == checks::Outcome::Skip && found.hint.is_none()
        });
        let worst = bad.max_by_key(|found| found.outcome);
        run.end(
            at,
            match worst {
                None => Outcome::Done,
                Some(found) => Outcome::Failed(Failure {
                    summary: format!("{}: {}", found.id, found.summary),
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
