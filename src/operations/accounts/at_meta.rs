//! The pages at Meta that belong to an account and to what is wrong with it.

use crate::accounts::{Account, AppId, Realm};
use crate::checks::causes::{CAUSES, Next};
use crate::checks::{Finding, Outcome, Report};
use crate::dashboard;

/// A page at Meta, and which Graph its account is of.
pub struct PageAtMeta {
    pub address: String,
    pub graph: Realm,
}

impl PageAtMeta {
    /// The app's dashboard; where the app is not known the Page's settings.
    pub fn of(account: &Account) -> Self {
        let address = match app(account) {
            Some(id) => dashboard::app(Some(id)),
            None => page_settings(account),
        };
        Self { address, graph: account.graph }
    }

    /// Where the fix of what is worst begins, with that outcome; the first where several
    /// are as bad.
    pub fn of_fix(account: &Account, report: &Report) -> Option<(Outcome, Self)> {
        let wrong = report.findings.iter().filter(|finding| finding.outcome > Outcome::Pass);
        let pages = wrong.filter_map(|finding| Some((finding.outcome, of_finding(account, finding)?)));
        // Of several that are as bad the last one would be taken.
        let (outcome, address) = pages.rev().max_by_key(|(outcome, _)| *outcome)?;
        Some((outcome, Self { address, graph: account.graph }))
    }
}

/// The place that the fix names, else where its cause is fixed.
fn of_finding(account: &Account, finding: &Finding) -> Option<String> {
    let id = app(account);
    let named = dashboard::named_in(finding.hint.as_ref()?, id, account.page_id.as_str());
    named.or_else(|| {
        let cause = CAUSES.iter().find(|cause| Some(cause.id) == finding.cause)?;
        match cause.next {
            Next::ReplaceToken => Some(dashboard::use_cases(id)),
            Next::SetApp | Next::AddApp => Some(dashboard::app_settings(id)),
            Next::SetPageId | Next::SetUsername => Some(page_settings(account)),
            _ => None,
        }
    })
}

fn app(account: &Account) -> Option<&str> {
    account.app_id.as_ref().map(AppId::as_str)
}

fn page_settings(account: &Account) -> String {
    dashboard::page_settings(account.page_id.as_str())
}
