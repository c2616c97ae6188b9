//! Test Connection of many accounts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::Either;
use futures_util::stream::{self, Stream, StreamExt as _};

use super::{commands, test};
use crate::accounts::Account;
use crate::checks::{self, Report, Subject};
use crate::dashboard;
use crate::graph::Client;
use crate::messages::ChatSettings;
use crate::operations::health::{self, News, SetUps};
use crate::operations::secrets::place;
use crate::operations::{Error, Workspace};
use crate::secrets::{SecretKind, StoreError};
use crate::webhook::Prober;

/// Accounts tested together: enough to fill the batches in flight, few enough to hold in
/// memory.
const TOGETHER: usize = 256;
/// As many accounts as fill the batches that are on their way at a time.
const BATCHES: usize = 200;

/// Tests accounts, reports each result in order as soon as it is known, and saves it.
/// `warn_days`: days before expiry.
pub fn test_all(
    workspace: &Workspace,
    accounts: Vec<Account>,
    warn_days: u32,
    told: impl FnMut(Account, Result<Report, StoreError>),
) -> Result<(), Error> {
    let tests = Tests::prepare(workspace, warn_days)?;
    let several = accounts.len() > 1;
    Workspace::wait(tests.run(accounts, several, Duration::ZERO, told))??;
    Ok(())
}

/// Tests of a tenant's accounts, ready to be run, and run again.
pub struct Tests<'a> {
    workspace: &'a Workspace,
    client: Client,
    prober: Prober,
    warn_days: u32,
    /// Why the tokens of accounts could not be renewed, and what to do, by account id.
    unrenewed: RefCell<HashMap<String, (String, String)>>,
}

impl<'a> Tests<'a> {
    /// With a client of its own, which keeps its connections and its pace.
    ///
    /// # Errors
    ///
    /// What it needs of the configuration is not valid.
    pub fn prepare(workspace: &'a Workspace, warn_days: u32) -> Result<Self, Error> {
        let (client, prober) = (workspace.graph()?, workspace.prober()?.asking_once());
        Ok(Self { workspace, client, prober, warn_days, unrenewed: RefCell::default() })
    }

    /// From now on the results of an account say that its token could not be renewed, why, and what
    /// to do; `None`: not any more.
    pub fn set_unrenewed(&self, account_id: &str, why: Option<(String, String)>) {
        let mut unrenewed = self.unrenewed.borrow_mut();
        match why {
            Some(why) => unrenewed.insert(account_id.to_owned(), why),
            None => unrenewed.remove(account_id),
        };
    }

    /// The requests that were sent to Graph by now; a batch is one.
    pub fn requests(&self) -> u64 {
        self.client.requests()
    }

    /// Tests accounts as [`test_all`] does; `several`: these are some of many. A test that crashes is told as one that was not
    /// answered: it says nothing about the account, and holds no other up.
    ///
    /// Where there is time, the tests begin spread over `spread`, and end in any order: what one has
    /// still to ask waits for the first calls of the next, so that batches are full. Returns how long
    /// they took without these pauses.
    ///
    /// # Errors
    ///
    /// Nothing was tested: Chat Settings cannot be read.
    pub async fn run(
        &self,
        accounts: Vec<Account>,
        several: bool,
        spread: Duration,
        mut told: impl FnMut(Account, Result<Report, StoreError>),
    ) -> Result<Duration, Error> {
        let start = Instant::now();
        let Self { workspace, client, prober, warn_days, unrenewed } = self;
        let mut found = News::default();
        let settings = workspace.chat_settings()?.load()?;
        let set_ups = SetUps::of(workspace);
        let test = |account: Account| {
            // Read when its turn comes: the secrets of thousands are not kept at once.
            let subject = subject(workspace, &settings, *warn_days, &account)
                .map(|subject| subject.map(|subject| Subject { was_set_up: set_ups.levels(&account), ..subject }));
            async move {
                let report = match subject {
                    Ok(Ok(mut subject)) => {
                        subject.among_others = several;
                        Ok(unless_it_crashes(checks::run(client, prober, &subject)).await)
                    }
                    Ok(Err(known)) => Ok(known),
                    Err(error) => Err(error),
                };
                let report = report.map(|mut report| {
                    if let Some((why, hint)) = unrenewed.borrow().get(&account.id) {
                        report.add_failed_renewal(why, hint.clone());
                    }
                    report
                });
                (account, report)
            }
        };
        let parts = u32::try_from(accounts.len().div_ceil(BATCHES)).unwrap_or(u32::MAX).max(1);
        let (pause, last) = (spread / parts, parts - 1);
        let work = async {
            let begun = self.spread(accounts, pause).map(test);
            let mut reports = pin!(if pause.is_zero() {
                Either::Left(begun.buffered(TOGETHER))
            } else {
                Either::Right(begun.buffer_unordered(TOGETHER))
            });
            while let Some((account, report)) = reports.next().await {
                if let Ok(report) = &report {
                    found.tested(&account, report, workspace.now());
                }
                told(account, report);
            }
        };
        client.in_batches(work).await;
        health::keep(workspace, &found);
        Ok(start.elapsed().saturating_sub(pause * last))
    }

    /// The accounts, as many at a time as fill the batches, with pauses between.
    fn spread(&self, accounts: Vec<Account>, pause: Duration) -> impl Stream<Item = Account> {
        let last = accounts.len().saturating_sub(1) / BATCHES;
        stream::iter(accounts)
            .chunks(BATCHES)
            .enumerate()
            .then(move |(at, part)| async move {
                if at > 0 {
                    tokio::time::sleep(pause).await;
                }
                self.client.wait_longer(if at < last { pause } else { Duration::ZERO });
                stream::iter(part)
            })
            .flatten()
    }
}

/// The report of a test, also of one that crashes.
async fn unless_it_crashes(test: impl Future<Output = Report>) -> Report {
    AssertUnwindSafe(test).catch_unwind().await.unwrap_or_else(|_| Report::of_crash())
}

/// What to ask about an account, or a report that needs no call.
fn subject(
    workspace: &Workspace,
    settings: &ChatSettings,
    warn_days: u32,
    account: &Account,
) -> Result<Result<Subject, Report>, StoreError> {
    Ok(match test::stored(workspace, account)? {
        Some(credentials) => Ok(test::subject(account, settings.clone(), credentials, warn_days, true)),
        None => Err(without_token(account)),
    })
}

fn without_token(account: &Account) -> Report {
    let place = place(account, SecretKind::PageAccessToken);
    let next = commands::saved(account).replace_token;
    Report::of_missing_token(place, format!("take a Page access token from {}; then: {next}", dashboard::TOKENS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Outcome;

    #[test]
    fn a_crash_says_nothing_about_the_account() {
        let report = Workspace::wait(unless_it_crashes(async { panic!("a fault") })).expect("waited");
        assert_eq!(report.outcome(), Outcome::Unreachable);
        assert_eq!(report.findings[0].cause, Some("test-crashed"));
    }
}
