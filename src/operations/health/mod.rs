//! What the last tests found and what was seen since: kept by every command that finds or
//! changes it, known without asking Meta.

mod news;

use std::collections::HashMap;

pub use self::news::News;
use super::{Error, Workspace};
use crate::accounts::{Account, AppId, Realm};
use crate::checks::{Report, WasSetUp};
use crate::state::{HealthFile, SetUp};

/// Which levels of the tenant's webhooks were set up once.
pub struct SetUps(HashMap<String, SetUp>);

impl SetUps {
    /// What is kept. A file that cannot be read holds back no test; that nothing can be kept
    /// there is said after it.
    pub fn of(workspace: &Workspace) -> Self {
        let kept = read(workspace).unwrap_or_default().set_up;
        Self(kept.into_iter().map(|one| (one.account_id.clone(), one)).collect())
    }

    /// Those of an account, as long as it is of the same app and Page. An app that was not
    /// known is taken for the same.
    pub fn levels(&self, account: &Account) -> WasSetUp {
        let Some(known) = self.0.get(&account.id) else { return WasSetUp::default() };
        let app = account.app_id.as_ref().map(AppId::as_str);
        let is_other = known.page_app.as_deref().zip(app).is_some_and(|(known, now)| known != now);
        WasSetUp {
            app: known.app.is_some() && known.app.as_deref() == app,
            page: known.page.as_deref() == Some(account.page_id.as_str()) && !is_other,
        }
    }
}

/// What is kept of the tenant; what is wrong with the file is said.
pub fn read(workspace: &Workspace) -> Result<HealthFile, Error> {
    let tenant = workspace.settings()?.tenant.value.to_string();
    let (file, trouble) = workspace.records()?.health(&tenant)?;
    workspace.say_of_health(&tenant, trouble.as_ref());
    Ok(file)
}

/// Keeps what the test of one account found, where there was one.
pub fn keep_one(workspace: &Workspace, account: &Account, report: Option<&Report>) {
    let mut news = News::default();
    if let Some(report) = report {
        news.tested(account, report, workspace.now());
    }
    keep(workspace, &news);
}

/// Keeps what was found and changed. That it cannot be kept is said, and holds back no result.
pub fn keep(workspace: &Workspace, news: &News) {
    let kept = || {
        let tenant = workspace.settings()?.tenant.value.to_string();
        let accounts = workspace.accounts()?.load()?;
        keep_in(workspace, &tenant, &accounts, news)
    };
    if !news.is_empty()
        && let Err(error) = kept()
    {
        workspace.notice(&format!("what was found is not kept for 'msgrctl status': {}", error.message()));
    }
}

fn keep_in(workspace: &Workspace, tenant: &str, accounts: &[Account], news: &News) -> Result<(), Error> {
    let updated = accounts.iter().map(|account| (account.id.clone(), account.updated_at)).collect();
    let now = workspace.now();
    let trouble = workspace.records()?.change_health(tenant, &|file| news.put_into(file, &updated, now))?;
    workspace.say_of_health(tenant, trouble.as_ref());
    Ok(())
}

/// The webhook of an app was written at Meta, or with `removed` is gone: what is known of its
/// other accounts, in every tenant, is older than that. `looked_at` are the accounts that were
/// looked at again after it.
pub fn app_changed(workspace: &Workspace, app_id: &str, realm: Realm, removed: bool, looked_at: &[&str]) {
    let mark = |tenant: &str| -> Result<(), Error> {
        let accounts = workspace.accounts_of(tenant)?.load()?;
        let of_app = |account: &&Account| {
            account.graph == realm && account.app_id.as_ref().is_some_and(|id| id.as_str() == app_id)
        };
        let mut news = News::default();
        if removed && accounts.iter().any(|account| of_app(&account)) {
            news.app_removed(app_id);
        }
        let others = accounts.iter().filter(of_app).filter(|account| !looked_at.contains(&account.id.as_str()));
        others.for_each(|account| news.changed(account));
        if news.is_empty() { Ok(()) } else { keep_in(workspace, tenant, &accounts, &news) }
    };
    for tenant in workspace.tenant_names().unwrap_or_default() {
        if let Err(error) = mark(&tenant) {
            workspace.notice(&format!(
                "'msgrctl status' may show old results in tenant '{tenant}', which use the same app: {}",
                error.message()
            ));
        }
    }
}
