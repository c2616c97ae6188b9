//! Test Connection of many accounts.

use futures_util::stream::{self, StreamExt as _};

use super::{commands, test};
use crate::accounts::Account;
use crate::checks::{self, Report, Subject};
use crate::dashboard;
use crate::messages::ChatSettings;
use crate::operations::health::{self, News, SetUps};
use crate::operations::secrets::place;
use crate::operations::{Error, Workspace};
use crate::secrets::{SecretKind, StoreError};

/// Accounts tested together: enough to fill the batches in flight, few enough to hold in
/// memory.
const TOGETHER: usize = 256;

/// Tests accounts, reports each result in order as soon as it is known, and saves it.
/// `warn_days`: days before expiry.
pub fn test_all(
    workspace: &Workspace,
    accounts: Vec<Account>,
    warn_days: u32,
    mut told: impl FnMut(Account, Result<Report, StoreError>),
) -> Result<(), Error> {
    let several = accounts.len() > 1;
    let mut found = News::default();
    let settings = workspace.chat_settings()?.load()?;
    let set_ups = SetUps::of(workspace);
    let client = workspace.graph()?;
    let prober = workspace.prober()?.asking_once();
    let test = |account: Account| {
        // Read when its turn comes, so that thousands of secrets are not held at once.
        let subject = subject(workspace, &settings, warn_days, &account)
            .map(|subject| subject.map(|subject| Subject { was_set_up: set_ups.levels(&account), ..subject }));
        let (client, prober) = (&client, &prober);
        async move {
            let report = match subject {
                Ok(Ok(mut subject)) => {
                    subject.among_others = several;
                    Ok(checks::run(client, prober, &subject).await)
                }
                Ok(Err(known)) => Ok(known),
                Err(error) => Err(error),
            };
            (account, report)
        }
    };
    let work = async {
        let mut reports = stream::iter(accounts).map(test).buffered(TOGETHER);
        while let Some((account, report)) = reports.next().await {
            if let Ok(report) = &report {
                found.tested(&account, report, workspace.now());
            }
            told(account, report);
        }
    };
    Workspace::wait(client.in_batches(work))?;
    health::keep(workspace, &found);
    Ok(())
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
