//! What is known of the accounts of a tenant, and what to do about it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::health::read;
use crate::accounts::Account;
use crate::checks::{Outcome, TokenLife};
use crate::operations::accounts::named;
use crate::operations::{Error, Workspace};
use crate::state::Health;

/// How an account stands, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its last test ended well.
    Well(Outcome),
    /// It was never tested.
    NotTested,
    /// Something that its last test rests on was changed since.
    Changed,
    /// Its last test ended so.
    Bad(Outcome),
}

impl Standing {
    /// As it is counted and shown.
    pub fn words(self) -> String {
        match self {
            Self::Well(outcome) | Self::Bad(outcome) => outcome.to_string(),
            Self::NotTested => "not tested".into(),
            Self::Changed => "changed since".into(),
        }
    }
}

/// An account, and what its last test found.
pub struct Known {
    pub tenant: String,
    pub account: Account,
    pub health: Option<Health>,
    /// Since when it changes too often for `watch` to tell each change.
    pub unstable_since: Option<Timestamp>,
}

impl Known {
    /// How the last test ended; `None` where there was none.
    pub fn outcome(&self) -> Option<Outcome> {
        Outcome::named(&self.health.as_ref()?.outcome)
    }

    /// What the token was when it was tested.
    pub fn token_life(&self) -> Option<TokenLife> {
        TokenLife::named(self.health.as_ref()?.token_life.as_deref()?)
    }

    /// Why it ended so. That something could not be reached is told beside a failure, which
    /// would hide it.
    pub fn causes(&self) -> String {
        let Some(health) = &self.health else { return String::new() };
        let silent = Outcome::Unreachable.to_string();
        let unreachable = health.checks.iter().find(|check| check.outcome == silent && check.cause != health.cause);
        let unstable = self.unstable_since.map(|_| "unstable");
        let causes = [health.cause.as_deref(), unreachable.and_then(|check| check.cause.as_deref()), unstable];
        causes.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    pub fn standing(&self) -> Standing {
        let is_changed = self.health.as_ref().is_some_and(|health| health.changed_at.is_some());
        match self.outcome() {
            None => Standing::NotTested,
            Some(_) if is_changed => Standing::Changed,
            Some(outcome) if outcome > Outcome::Pass => Standing::Bad(outcome),
            Some(outcome) => Standing::Well(outcome),
        }
    }
}

/// The accounts of a tenant with what is known of each: those that are named, or all.
pub fn known(workspace: &Workspace, names: &[String]) -> Result<Vec<Known>, Error> {
    let tenant = workspace.settings()?.tenant.value.to_string();
    let all = workspace.accounts()?.load()?;
    let accounts = if names.is_empty() { all } else { named(workspace, &all, names)? };
    let kept = read(workspace)?.accounts.into_iter().filter(|health| Outcome::named(&health.outcome).is_some());
    let mut kept: HashMap<String, Health> = kept.map(|health| (health.account_id.clone(), health)).collect();
    // What is wrong with the notices, watch says.
    let told = workspace.records()?.notices(&tenant).ok().flatten().unwrap_or_default();
    let unstable = told.accounts.into_iter().filter_map(|told| Some((told.account_id, told.unstable_since?)));
    let mut unstable: HashMap<String, Timestamp> = unstable.collect();
    let known = accounts.into_iter().map(|account| Known {
        health: kept.remove(&account.id),
        unstable_since: unstable.remove(&account.id),
        tenant: tenant.clone(),
        account,
    });
    Ok(known.collect())
}

/// `3 accounts: 1 fail, 1 not tested, 1 pass`.
pub fn counts(accounts: &[Known]) -> String {
    let mut counts: Vec<(Standing, usize)> = Vec::new();
    let mut all: Vec<Standing> = accounts.iter().map(Known::standing).collect();
    all.sort_by(|a, b| b.cmp(a));
    for standing in all {
        match counts.last_mut() {
            Some((last, count)) if *last == standing => *count += 1,
            _ => counts.push((standing, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(standing, count)| format!("{count} {}", standing.words())).collect();
    let plural = if accounts.len() == 1 { "" } else { "s" };
    format!("{} account{plural}: {}", accounts.len(), parts.join(", "))
}

/// What to do next, each with its command: see what is wrong with the worst, and test what was
/// changed since or never tested. `accounts` has the worst first.
pub fn next(workspace: &Workspace, accounts: &[Known]) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let worst = accounts.first().map(Known::standing).filter(|worst| matches!(worst, Standing::Bad(_)));
    for (standing, what) in [
        (worst, "to see what is wrong and the fix"),
        (Some(Standing::Changed), "changed since the last test; to test again"),
        (Some(Standing::NotTested), "to test"),
    ] {
        let alike: Vec<&Known> = accounts.iter().filter(|known| Some(known.standing()) == standing).collect();
        if let [first, ..] = &alike[..] {
            lines.push(format!("{what}: {}", to_test(workspace, first, &alike)?));
        }
    }
    Ok(lines)
}

/// The command that tests these accounts; all, where they are many.
fn to_test(workspace: &Workspace, first: &Known, alike: &[&Known]) -> Result<String, Error> {
    const MANY: usize = 5;
    if alike.iter().any(|known| known.tenant != first.tenant) {
        return Ok("msgrctl account test --all-tenants".into());
    }
    let handles: Vec<&str> = alike.iter().map(|known| known.account.handle.as_str()).collect();
    let which = if handles.len() > MANY { "--all".to_owned() } else { handles.join(" ") };
    Ok(format!("msgrctl account test {which}{}", workspace.tenant_flag(&first.tenant)?))
}
