//! What the last tests found: kept after each one, known without asking Meta.

use jiff::Timestamp;

use super::{Error, Workspace};
use crate::accounts::Account;
use crate::checks::{Outcome, Report, ids};
use crate::state::Health;

/// What a report says of an account, as it is kept.
pub fn of(account: &Account, report: &Report, now: Timestamp) -> Health {
    let outcome = report.outcome();
    let worst = report.findings.iter().find(|finding| finding.outcome == outcome && finding.cause.is_some());
    let ends = |id: &str| report.findings.iter().find(|finding| finding.id == id).and_then(|finding| finding.ends_at);
    Health {
        account_id: account.id.clone(),
        outcome: outcome.to_string(),
        check: worst.map(|finding| finding.id.to_owned()),
        cause: worst.and_then(|finding| finding.cause).map(str::to_owned),
        since: now,
        checked_at: now,
        expires_at: ends(ids::TOKEN_EXPIRY),
        data_access_ends_at: ends(ids::TOKEN_DATA_ACCESS),
        webhook: report.delivery().to_string(),
    }
}

/// Keeps what the test of one account found, where there was one.
pub fn keep_one(workspace: &Workspace, account: &Account, report: Option<&Report>) {
    keep(workspace, report.map(|report| of(account, report, workspace.now())).into_iter().collect());
}

/// Keeps what tests found. That it cannot be kept is said, and holds back no result.
pub fn keep(workspace: &Workspace, results: Vec<Health>) {
    if results.is_empty() {
        return;
    }
    let kept = || -> Result<(), Error> {
        let tenant = workspace.settings()?.tenant.value.to_string();
        Ok(workspace.records()?.keep_health(&tenant, results)?)
    };
    if let Err(error) = kept() {
        workspace.notice(&format!("what was found is not kept for 'msgrctl status': {}", error.message()));
    }
}

/// An account, and what its last test found.
pub struct Known {
    pub tenant: String,
    pub account: Account,
    pub health: Option<Health>,
}

impl Known {
    /// How the last test ended; `None` where there was none.
    pub fn outcome(&self) -> Option<Outcome> {
        let words = self.health.as_ref()?.outcome.as_str();
        Outcome::ALL.into_iter().find(|outcome| outcome.to_string() == words)
    }
}

/// The accounts of a tenant with what is known of each.
pub fn known(workspace: &Workspace) -> Result<Vec<Known>, Error> {
    let tenant = workspace.settings()?.tenant.value.to_string();
    let kept = workspace.records()?.health(&tenant)?;
    let mut kept: std::collections::HashMap<String, Health> =
        kept.into_iter().map(|health| (health.account_id.clone(), health)).collect();
    let accounts = workspace.accounts()?.load()?.into_iter();
    Ok(accounts.map(|account| Known { health: kept.remove(&account.id), tenant: tenant.clone(), account }).collect())
}
