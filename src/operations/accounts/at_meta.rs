//! Pages at Meta for an account and its problems.

use crate::accounts::{Account, AppId, Realm};
use crate::checks::causes::{self, Next};
use crate::checks::{Finding, Outcome, Report};
use crate::dashboard;

/// A page at Meta, and the Graph of its account.
pub struct PageAtMeta {
    pub address: String,
    pub graph: Realm,
}

impl PageAtMeta {
    /// The app's dashboard, or the Page's settings if the app is not known.
    pub fn of(account: &Account) -> Self {
        let address = match app(account) {
            Some(id) => dashboard::app(Some(id)),
            None => page_settings(account),
        };
        Self { address, graph: account.graph }
    }

    /// Where the worst problem is fixed, with its outcome; the first of several equally bad ones.
    pub fn of_fix(account: &Account, report: &Report) -> Option<(Outcome, Self)> {
        let wrong = report.findings.iter().filter(|finding| finding.outcome > Outcome::Pass);
        let pages = wrong.filter_map(|finding| Some((finding.outcome, of_finding(account, finding)?)));
        // `max_by_key` returns the last of equal elements.
        let (outcome, address) = pages.rev().max_by_key(|(outcome, _)| *outcome)?;
        Some((outcome, Self { address, graph: account.graph }))
    }
}

/// The place in the fix, or where the cause is usually fixed.
fn of_finding(account: &Account, finding: &Finding) -> Option<String> {
    let id = app(account);
    let named = dashboard::named_in(finding.hint.as_ref()?, id, account.page_id.as_str());
    named.or_else(|| {
        let cause = causes::all().find(|cause| Some(cause.id) == finding.cause)?;
        match cause.next {
            Next::ReplaceToken | Next::LogIn => Some(dashboard::use_cases(id)),
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
