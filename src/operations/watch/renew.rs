//! Renews what ends soon before a round, at most once an hour each.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::accounts::Account;
use crate::operations::accounts::bulk::Tests;
use crate::operations::accounts::named;
use crate::operations::accounts::renew::{Outcome, Wanted, renew};
use crate::operations::{Error, Kind, Workspace};
use crate::secrets::SecretKind;

/// What ends within so many days is renewed.
const DAYS: i64 = 20;
/// The time between two tries of an account.
const PAUSE: Duration = Duration::from_secs(3_600);

/// The tries of a tenant's accounts: when each was last made, and how often it then failed in a row.
#[derive(Default)]
pub(super) struct Renewals(RefCell<HashMap<String, (Instant, u32)>>);

impl Renewals {
    /// Renews the tokens of the accounts with these names, or of all, that keep a user token and
    /// were not tried within the hour. Why one was not renewed is added to the results of `tests`;
    /// what prevents all of them is a warning, and the round goes on.
    pub async fn run(&self, workspace: &Workspace, tests: &Tests<'_>, names: &[String]) {
        if let Err(error) = self.try_all(workspace, tests, names).await {
            workspace.warning(&format!("cannot renew tokens: {}", error.message()));
        }
    }

    async fn try_all(&self, workspace: &Workspace, tests: &Tests<'_>, names: &[String]) -> Result<(), Error> {
        workspace.stores().forget();
        let all = workspace.accounts()?.load()?;
        let realm = workspace.realm()?;
        let chosen = if names.is_empty() { all } else { named(workspace, &all, names)? };
        let is_due = |account: &Account| {
            let tried = self.0.borrow().get(&account.id).map(|(at, _)| at.elapsed());
            let keeps = account.secrets.contains_key(&SecretKind::UserAccessToken);
            // Without the kept token nothing can fail any more.
            if !keeps {
                tests.set_unrenewed(&account.id, None);
            }
            keeps && account.graph == realm && tried.is_none_or(|tried| tried >= PAUSE)
        };
        let due: Vec<Account> = chosen.into_iter().filter(is_due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        for account in &due {
            self.0.borrow_mut().entry(account.id.clone()).or_insert((now, 0)).0 = now;
        }
        let wanted = Wanted { within: Some(SignedDuration::from_hours(24 * DAYS)), revoke_old: false };
        for one in renew(workspace, due, wanted).await? {
            let (id, handle) = (&one.account.id, &one.account.handle);
            if one.outcome == Outcome::Renewed {
                workspace.notice(&format!(
                    "{handle}: {}; the contact centre needs the new one: msgrctl account handover {handle}",
                    one.summary
                ));
            }
            let mut tries = self.0.borrow_mut();
            let Some((_, failures)) = tries.get_mut(id) else { continue };
            let Some(error) = &one.error else {
                *failures = 0;
                tests.set_unrenewed(id, None);
                continue;
            };
            *failures += 1;
            // Where Graph does not answer, the round itself says so; an hour later it is more than that.
            if error.kind() != Kind::Remote || *failures > 1 {
                let hint = format!("see why, and renew it: msgrctl account renew {handle}");
                let hint = error.first_hint().map_or(hint, str::to_owned);
                tests.set_unrenewed(id, Some((error.message().to_owned(), hint)));
            }
        }
        Ok(())
    }
}
