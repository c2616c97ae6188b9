//! Changes at Meta: the webhooks of apps, then the subscriptions of Pages, many in one
//! request; each is read back.

use std::collections::{BTreeMap, HashMap};

use super::prepare::Prepared;
use crate::checks::causes::STATE_CONFLICT;
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::checks::{self, GraphTrace};
use crate::graph::{GraphError, Unreachable};
use crate::operations::webhooks::{self, AccountResult, Seen, Target, Work, changed_in_words, changed_levels, observe};
use crate::operations::{Error, Found, Workspace};
use crate::provision::apps::AppPlan;
use crate::provision::plan::{Action, Problem};
use crate::provision::subscription::{PageLevel, Wish};

/// Carries out the plan at Meta. `targets`: the saved accounts, by position; `end` gets each
/// result. An app is written if its speaking account is among them; otherwise the app's Pages
/// are not changed.
pub fn carry_out(
    workspace: &Workspace,
    prepared: &Prepared,
    mut targets: BTreeMap<usize, Target>,
    end: &mut dyn FnMut(usize, Result<(), Problem>),
) -> Result<(), Error> {
    let plan = &prepared.plan;
    for (at, problem) in prepared.waiting(&targets) {
        targets.remove(&at);
        end(at, Err(problem));
    }
    if targets.is_empty() {
        return Ok(());
    }
    let client = workspace.graph()?;
    let now = Workspace::wait(observe(&client, &targets.values().collect::<Vec<_>>()))?;
    let mut stale = prepared.stale(&targets.keys().copied().collect::<Vec<_>>(), &now);
    let mut works = BTreeMap::new();
    for (at, target) in targets {
        // An account with only a stale Page still speaks for its app.
        let speaks = plan.apps.iter().any(|app| app.speaker == at);
        match stale.get(&at) {
            Some((level, _)) if !speaks || *level != PAGE_SUBSCRIPTION => {
                end(at, stale.remove(&at).map_or(Ok(()), |(_, problem)| Err(problem)));
            }
            is_stale => {
                let page = plan.accounts[at].page.clone().filter(|_| is_stale.is_none());
                works.insert(at, prepared.work(at, target, page));
            }
        }
    }
    if works.is_empty() {
        return Ok(());
    }
    let places: Vec<usize> = works.keys().copied().collect();
    let results = webhooks::carry_out(workspace, &client, &works, &plan.apps, prepared.allow_commands)?;
    for (at, result) in places.into_iter().zip(results) {
        let ended = match stale.remove(&at) {
            Some((_, problem)) => Err(problem),
            None => prepared.outcome(at, result),
        };
        end(at, ended);
    }
    Ok(())
}

impl Prepared {
    /// The accounts whose app keeps its callback because its speaker was not saved.
    fn waiting(&self, targets: &BTreeMap<usize, Target>) -> Vec<(usize, Problem)> {
        let lost: Vec<&AppPlan> = self.plan.apps.iter().filter(|app| !targets.contains_key(&app.speaker)).collect();
        let waits = |at: &usize| {
            let app = lost.iter().find(|app| app.members.contains(at))?;
            let summary = format!(
                "it is saved here, but its Page was not changed: the webhook of app {} waits for '{}', which failed",
                app.id, self.plan.accounts[app.speaker].name
            );
            Some((*at, Problem::new(summary, "run this again")))
        };
        targets.keys().filter_map(waits).collect()
    }

    fn work(&self, at: usize, target: Target, page: Option<Vec<String>>) -> Work {
        let fields = self.plan.accounts[at].fields.clone().unwrap_or_default();
        let wish = Wish { callback_url: target.callback_url(), fields, exact: false };
        Work { target, wish, before: self.before(at), page }
    }

    /// What the plan was made from.
    fn before(&self, at: usize) -> Seen {
        match self.seen.get(at).and_then(|seen| seen.live.as_ref()) {
            Some(live) => Seen { page: live.page.clone(), app: live.app.clone() },
            // Only accounts with a step get here, and a step needs a look.
            None => {
                Seen { page: Ok(PageLevel::Absent), app: Some(Err(GraphError::Unreachable(Unreachable::Unfinished))) }
            }
        }
    }

    /// Of the accounts at `places`, those that changed at Meta since the plan, or cannot be read,
    /// and on which level: a write would replace another tool's change. For an app, all its
    /// accounts wait.
    fn stale(&self, places: &[usize], now: &[Seen]) -> HashMap<usize, (&'static str, Problem)> {
        let plan = &self.plan;
        let mut stale = HashMap::new();
        for (at, now) in places.iter().zip(now) {
            let account = &plan.accounts[*at];
            let app = plan.apps.iter().find(|app| app.speaker == *at);
            let of_page = now.page.as_ref().err().filter(|_| account.page.is_some());
            let of_app = now.app.as_ref().and_then(|level| level.as_ref().err()).filter(|_| app.is_some());
            let unseen = of_app.map(|error| (APP_SUBSCRIPTION, error));
            let unseen = unseen.or(of_page.map(|error| (PAGE_SUBSCRIPTION, error)));
            // A level that is not written may differ.
            let is_written =
                |level: &&str| if *level == PAGE_SUBSCRIPTION { account.page.is_some() } else { app.is_some() };
            let changed = changed_levels(&self.before(*at), now).into_iter().find(is_written);
            let (level, why, unreachable) = match (changed, unseen) {
                (Some(level), _) => {
                    let why = "was changed at Meta since the plan was made; nothing of it was overwritten".to_owned();
                    (level, why, false)
                }
                (None, Some((level, error))) => {
                    (level, format!("cannot be read again before it is written: {error}"), true)
                }
                (None, None) => continue,
            };
            let members = app.filter(|_| level == APP_SUBSCRIPTION).into_iter().flat_map(|app| &app.members);
            for one in members.filter(|at| places.contains(at)).chain([at]) {
                let what = changed_in_words(level);
                let summary = format!("{}{level}: {what} of '{}' {why}", self.saved(*one), account.name);
                let hint = Some("run plan again to see what differs now".into());
                stale.insert(*one, (level, Problem { summary, hint, unreachable }));
            }
        }
        stale
    }

    /// The result of an account's levels.
    fn outcome(&self, at: usize, result: AccountResult) -> Result<(), Problem> {
        let is_bad = |found: &Found| {
            // A Page that was held back has its own line, with nothing to do.
            found.outcome >= checks::Outcome::Unreachable
                || found.id == PAGE_SUBSCRIPTION && found.outcome == checks::Outcome::Skip
        };
        let worst = result.found.into_iter().filter(is_bad).max_by_key(|found| found.outcome);
        let Some(worst) = worst else { return Ok(()) };
        // Meta was not asked: another command changed the records.
        let is_held_back = worst.cause == Some(STATE_CONFLICT.id);
        let graph = worst.graph.as_ref().map(GraphTrace::in_words).unwrap_or_default();
        Err(Problem {
            summary: format!("{}{}: {}{graph}", self.saved(at), worst.id, worst.summary),
            hint: if is_held_back { worst.hint } else { worst.hint.as_deref().map(again) },
            unreachable: worst.outcome == checks::Outcome::Unreachable && !is_held_back,
        })
    }

    /// The prefix of a failure at Meta if the account itself was saved.
    fn saved(&self, at: usize) -> &'static str {
        let was_saved = matches!(self.plan.accounts[at].action, Action::Add | Action::Change);
        if was_saved { "saved here, but not done at Meta: " } else { "" }
    }
}

/// The fix, followed by this command instead of the single account's command, which does not
/// know the file.
fn again(hint: &str) -> String {
    let fix = hint.split_once("; then: ").map_or(hint, |(fix, _)| fix);
    format!("{fix}; then run this again")
}
