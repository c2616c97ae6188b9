//! What the last tests found: kept after each one, known without asking Meta.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Error, Workspace};
use crate::accounts::{Account, AppId};
use crate::checks::{Outcome, Report, WasSetUp, ids};
use crate::state::{Health, HealthFile, SetUp};

/// Adds what a report says of an account to what is to be kept.
pub fn add(to: &mut HealthFile, account: &Account, report: &Report, now: Timestamp) {
    to.accounts.push(of(account, report, now));
    to.set_up.extend(set_up(account, WasSetUp::of(report)));
}

fn of(account: &Account, report: &Report, now: Timestamp) -> Health {
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

/// That levels of an account's webhook are there, or were ordered; `None` where neither is.
pub fn set_up(account: &Account, levels: WasSetUp) -> Option<SetUp> {
    let app = account.app_id.as_ref().filter(|_| levels.app).map(ToString::to_string);
    let page = levels.page.then(|| account.page_id.to_string());
    (app.is_some() || page.is_some()).then(|| SetUp { account_id: account.id.clone(), app, page })
}

/// Which levels of the tenant's webhooks were set up once.
#[derive(Default)]
pub struct SetUps(HashMap<String, SetUp>);

impl SetUps {
    /// What is kept. What cannot be read was never kept.
    pub fn of(workspace: &Workspace) -> Result<Self, Error> {
        let tenant = workspace.settings()?.tenant.value.to_string();
        let kept = workspace.records()?.health(&tenant).unwrap_or_default().set_up;
        Ok(Self(kept.into_iter().map(|one| (one.account_id.clone(), one)).collect()))
    }

    /// Those of an account, as long as it is of the same app and Page.
    pub fn levels(&self, account: &Account) -> WasSetUp {
        let Some(known) = self.0.get(&account.id) else { return WasSetUp::default() };
        WasSetUp {
            app: known.app.is_some() && known.app.as_deref() == account.app_id.as_ref().map(AppId::as_str),
            page: known.page.as_deref() == Some(account.page_id.as_str()),
        }
    }
}

/// Keeps what the test of one account found, where there was one.
pub fn keep_one(workspace: &Workspace, account: &Account, report: Option<&Report>) {
    let mut found = HealthFile::default();
    if let Some(report) = report {
        add(&mut found, account, report, workspace.now());
    }
    keep(workspace, found);
}

/// Keeps what was found. That it cannot be kept is said, and holds back no result.
pub fn keep(workspace: &Workspace, found: HealthFile) {
    if found.accounts.is_empty() && found.set_up.is_empty() {
        return;
    }
    let kept = || -> Result<(), Error> {
        let tenant = workspace.settings()?.tenant.value.to_string();
        Ok(workspace.records()?.keep_health(&tenant, found)?)
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
    let kept = workspace.records()?.health(&tenant)?.accounts;
    let mut kept: HashMap<String, Health> =
        kept.into_iter().map(|health| (health.account_id.clone(), health)).collect();
    let accounts = workspace.accounts()?.load()?.into_iter();
    Ok(accounts.map(|account| Known { health: kept.remove(&account.id), tenant: tenant.clone(), account }).collect())
}
