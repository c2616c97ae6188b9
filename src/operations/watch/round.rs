//! A round: every account is tested, what was found is kept, what changed is told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::decide::{End, Judge, Seen, decide};
use super::deliver::deliver;
use super::metrics::{self, OfWatch, Sample};
use super::renew::Renewals;
use super::{Sender, Target};
use crate::accounts::Account;
use crate::checks::causes::SECRET_STORE;
use crate::checks::{Finding, Outcome, Report, ids};
use crate::operations::accounts::bulk::Tests;
use crate::operations::accounts::{commands, named};
use crate::operations::status;
use crate::operations::{Error, Workspace};
use crate::secrets::{StoreError, redact};
use crate::state::{Concerned, Event, HealthChange, Notice, NoticeFile, Pending};
use crate::text::one_line;

/// What is watched, and who is told.
pub struct Watch<'a> {
    tenants: Vec<Watched<'a>>,
    targets: Vec<Target>,
    /// How often what still fails is told again.
    pub remind: Option<SignedDuration>,
    /// Whether tokens that end soon are renewed before each round.
    pub renew: bool,
}

/// The accounts of one tenant.
struct Watched<'a> {
    tenant: String,
    workspace: &'a Workspace,
    tests: Tests<'a>,
    /// Names, handles or ids; empty for all.
    names: &'a [String],
    renewals: Renewals,
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// How many accounts ended how.
    pub counts: BTreeMap<Outcome, usize>,
    /// What was told.
    pub told: Vec<Notice>,
    /// The targets that did not take all of it, with how many notices wait and why.
    pub waiting: Vec<(String, usize, String)>,
    /// How many notices were dropped with the target that they waited for.
    pub dropped: BTreeMap<String, usize>,
    /// The targets that did not answer in this round.
    pub(super) silent: HashSet<String>,
    /// The tenants that could not be tested, and why.
    pub skipped: Vec<(String, Error)>,
    /// The tenants that were tested, and of which nothing could be told.
    pub untold: Vec<(String, Error)>,
    /// The accounts that were not tested: their secrets could not be read, or they are of another
    /// Graph than the settings point to.
    pub untested: usize,
    /// Why the first of these was not.
    pub untested_why: Option<String>,
    /// How long the tests took.
    pub duration: Duration,
    /// The requests that were sent to Graph; a batch is one.
    pub requests: u64,
}

impl<'a> Watch<'a> {
    /// Of the accounts with these names in one tenant, or of all accounts of several.
    ///
    /// # Errors
    ///
    /// The configuration is not valid, or a name is not that of an account.
    pub fn prepare(
        tenants: impl IntoIterator<Item = &'a Workspace>,
        names: &'a [String],
        warn_days: u32,
    ) -> Result<Self, Error> {
        let mut watched = Vec::new();
        let mut targets = Vec::new();
        for workspace in tenants {
            let tenant = workspace.settings()?.tenant.value.to_string();
            if watched.is_empty() {
                targets = Target::all(workspace)?;
            }
            if !names.is_empty() {
                named(workspace, &workspace.accounts()?.load()?, names)?;
            }
            watched.push(Watched {
                tenant,
                workspace,
                tests: Tests::prepare(workspace, warn_days)?,
                names,
                renewals: Renewals::default(),
            });
        }
        Ok(Self { tenants: watched, targets, remind: None, renew: false })
    }

    /// What is known of the accounts of these tenants, as it is measured.
    ///
    /// A tenant that cannot be read has none: the round says why.
    pub fn metrics(&self, round: &Round) -> String {
        let mut samples = Vec::new();
        let mut of_watch = OfWatch { round_seconds: round.duration.as_secs_f64(), ..OfWatch::default() };
        for watched in &self.tenants {
            let known = status::known(watched.workspace, &[]).unwrap_or_default();
            samples.extend(known.iter().map(Sample::of));
            of_watch.requests += watched.tests.requests();
            let notices = watched.workspace.records().and_then(|records| Ok(records.notices(&watched.tenant)?));
            of_watch.pending += notices.ok().flatten().map_or(0, |notices| notices.pending.len());
        }
        metrics::text(&samples, Some(of_watch))
    }

    /// Whether anything is told.
    pub fn has_targets(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Tests every account, or out of turn those with the page ids in `only`, spread over `spread`,
    /// keeps what was found, and tells what changed.
    /// A tenant that cannot be tested holds no other up. Dropped at any moment, it loses
    /// nothing that was told and tells nothing twice but what was on its way.
    pub async fn round(&self, spread: Duration, only: Option<&HashSet<String>>) -> Round {
        let before: u64 = self.tenants.iter().map(|watched| watched.tests.requests()).sum();
        let mut round = Round::default();
        for watched in &self.tenants {
            if self.renew && only.is_none() {
                watched.renewals.run(watched.workspace, &watched.tests, watched.names).await;
            }
            match watched.seen(spread / u32::try_from(self.tenants.len()).unwrap_or(1), only, &mut round).await {
                Ok((seen, _)) if only.is_some() && seen.is_empty() => {}
                Ok((seen, ids)) => {
                    if let Err(error) = self.tell(watched, &seen, &ids, only.is_some(), &mut round).await {
                        round.untold.push((watched.tenant.clone(), error));
                    }
                }
                Err(error) => round.skipped.push((watched.tenant.clone(), error)),
            }
        }
        round.requests = self.tenants.iter().map(|watched| watched.tests.requests()).sum::<u64>() - before;
        round
    }

    /// Sends one notice that says that nothing happened; the targets that took it, and why
    /// the others did not.
    ///
    /// # Errors
    ///
    /// config.toml has no target.
    pub async fn tell_test(&self) -> Result<Vec<(String, Result<(), String>)>, Error> {
        let Some(Watched { workspace, .. }) = self.tenants.first().filter(|_| self.has_targets()) else {
            return Err(
                Error::failed("config.toml has no target of notices").hint("how to write one: msgrctl help notices")
            );
        };
        let id = uuid::Uuid::new_v4().to_string();
        let notice = Notice { schema_version: 1, id, event: Event::Test, at: workspace.now(), accounts: Vec::new() };
        let sent = self.targets.iter().map(|target| async {
            let sent = match Sender::new(workspace, target) {
                Ok(sender) => sender.send(&notice).await.map_err(|refusal| refusal.why),
                Err(error) => Err(error.message().to_owned()),
            };
            (target.name.clone(), sent)
        });
        Ok(join_all(sent).await)
    }

    /// Decides what is to be told of a tenant, writes it down, and sends it with what waits.
    async fn tell(
        &self,
        watched: &Watched<'_>,
        seen: &[Seen],
        ids: &HashSet<String>,
        partial: bool,
        round: &mut Round,
    ) -> Result<(), Error> {
        let records = watched.workspace.records()?;
        let before = records.notices(&watched.tenant).map_err(|error| {
            let error = Error::from(error);
            let anew = Error::file(error.message()).hint(
                "to begin anew, with what fails told once more, move it away; a file of a newer msgrctl needs that one",
            );
            error.causes().iter().fold(anew, |anew, cause| anew.cause(cause.clone()))
        })?;
        // Decisions made without a target were never sent.
        let known = before.as_ref().is_some_and(|before| !before.silent || self.targets.is_empty());
        let mut memory = before.unwrap_or_else(NoticeFile::new);
        if memory.silent && !self.targets.is_empty() {
            memory.accounts.clear();
        }
        memory.silent = self.targets.is_empty();
        let was = memory.clone();
        let (now, remind) = (watched.workspace.now(), self.remind);
        let judge = Judge { known, partial, now, remind, exists: &|id| ids.contains(id) };
        let mut told = Vec::new();
        let mut lines = Vec::new();
        for notice in decide(&mut memory, seen, &judge) {
            // A digest is no change.
            let changes = notice.accounts.iter().filter(|_| notice.event != Event::Digest);
            lines.extend(changes.map(|concerned| line(&notice, concerned)));
            let wanting = self.targets.iter().filter(|target| target.wants(notice.event));
            let targets: Vec<String> = wanting.map(|target| target.name.clone()).collect();
            if !targets.is_empty() {
                memory.pending.push(Pending { targets, notice: notice.clone() });
            }
            told.push(notice);
        }
        // A target that is gone from the configuration takes nothing any more.
        for pending in &mut memory.pending {
            let is_there = |name: &&String| self.targets.iter().any(|target| target.name == **name);
            for gone in pending.targets.iter().filter(|name| !is_there(name)) {
                *round.dropped.entry(gone.clone()).or_default() += 1;
            }
            pending.targets.retain(|name| is_there(&name));
        }
        memory.pending.retain(|pending| !pending.targets.is_empty());
        // Before anything is sent: a kill in between sends it again with the same id.
        if memory != was || !known {
            records.keep_notices(&watched.tenant, &memory)?;
        }
        round.told.extend(told);
        if !lines.is_empty()
            && let Err(error) = records.log_health(&lines)
        {
            watched
                .workspace
                .warning(&format!("the log of health cannot be written: {}", Error::from(error).message()));
        }
        deliver(watched.workspace, &watched.tenant, &self.targets, memory, round).await;
        Ok(())
    }
}

/// A change of health as a line of the log.
fn line(notice: &Notice, concerned: &Concerned) -> String {
    let Concerned { tenant, account, check, cause, summary, .. } = concerned;
    let entry = HealthChange {
        time: notice.at,
        event: notice.event,
        tenant: tenant.clone(),
        account: account.clone(),
        check: check.clone(),
        cause: cause.clone(),
        summary: summary.clone(),
    };
    serde_json::to_string(&entry).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

impl Watched<'_> {
    /// Tests the accounts, and returns what was found with the ids of all accounts that there are.
    async fn seen(
        &self,
        spread: Duration,
        only: Option<&HashSet<String>>,
        round: &mut Round,
    ) -> Result<(Vec<Seen>, HashSet<String>), Error> {
        let workspace = self.workspace;
        // As they are now: another process may have changed them since the last round.
        workspace.stores().forget();
        workspace.stores().try_again();
        let all = workspace.accounts()?.load()?;
        let ids: HashSet<String> = all.iter().map(|account| account.id.clone()).collect();
        let realm = workspace.realm()?;
        let chosen = if self.names.is_empty() { all } else { named(workspace, &all, self.names)? };
        let is_meant = |account: &Account| only.is_none_or(|pages| pages.contains(account.page_id.as_str()));
        let (chosen, others): (Vec<Account>, Vec<Account>) =
            chosen.into_iter().filter(is_meant).partition(|account| account.graph == realm);
        round.untested += others.len();
        if let Some(other) = others.first() {
            round.untested_why.get_or_insert_with(|| format!("'{}' belongs to {}", other.name, other.graph));
        }
        if spread.is_zero() {
            // In a round that is spread over minutes each is read when its time comes.
            workspace.read_ahead(&chosen);
        }
        let mut seen = Vec::with_capacity(chosen.len());
        let order: HashMap<String, usize> =
            chosen.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect();
        let several = chosen.len() > 1;
        round.duration += self
            .tests
            .run(chosen, several, spread, |account, report| {
                if let Err(error) = &report {
                    round.untested += 1;
                    round.untested_why.get_or_insert_with(|| format!("'{}': {error}", account.name));
                }
                let found = self.found(&account, &report, workspace.now());
                *round.counts.entry(found.outcome).or_default() += 1;
                seen.push(found);
            })
            .await?;
        seen.sort_by_key(|seen: &Seen| order.get(&seen.id).copied());
        self.since(&mut seen);
        Ok((seen, ids))
    }

    /// Since when it is so, as it was kept with the results.
    fn since(&self, seen: &mut [Seen]) {
        let kept = self.workspace.records().and_then(|records| Ok(records.health(&self.tenant)?.0));
        let since: HashMap<String, Timestamp> = kept
            .map(|kept| kept.accounts.into_iter().map(|health| (health.account_id, health.since)).collect())
            .unwrap_or_default();
        for seen in seen {
            let was_tested = seen.concerned.cause.as_deref() != Some(SECRET_STORE.id);
            if let Some(since) = since.get(&seen.id).filter(|_| was_tested) {
                seen.concerned.since = *since;
            }
        }
    }

    fn found(&self, account: &Account, report: &Result<Report, StoreError>, now: Timestamp) -> Seen {
        let concerned = |check: Option<&str>, cause: Option<&str>, summary: String, hint: Option<String>| Concerned {
            tenant: self.tenant.clone(),
            account: account.handle.to_string(),
            page_id: account.page_id.to_string(),
            check: check.map(str::to_owned),
            cause: cause.map(str::to_owned),
            summary: one_line(&redact(&summary)),
            hint: hint.map(|hint| one_line(&redact(&self.complete(&hint)))),
            since: now,
            ends_at: None,
        };
        let (outcome, concerned) = match report {
            Ok(report) => {
                let outcome = report.outcome();
                let worst = report.findings.iter().find(|finding| finding.outcome == outcome);
                let worst = worst.filter(|_| outcome > Outcome::Pass);
                let summary = worst.map_or_else(|| "it works".to_owned(), |finding| finding.summary.clone());
                let hint = worst.and_then(|finding| finding.hint.clone());
                (outcome, concerned(worst.map(|it| it.id), worst.and_then(|it| it.cause), summary, hint))
            }
            Err(error) => {
                let hint = format!("{}; then: msgrctl account test {}", SECRET_STORE.fix(), account.handle);
                let cause = Some(SECRET_STORE.id);
                (Outcome::Unreachable, concerned(Some(ids::TOKEN_VALID), cause, error.to_string(), Some(hint)))
            }
        };
        let findings = || report.iter().flat_map(|report| &report.findings);
        let ends = findings().filter_map(|finding| self.end(account, finding)).collect();
        let is_judged = |finding: &&Finding| !matches!(finding.outcome, Outcome::Skip | Outcome::Unreachable);
        let judged = findings().filter(is_judged).map(|finding| finding.id.to_owned()).collect();
        Seen { id: account.id.clone(), outcome, concerned, ends, judged }
    }

    fn end(&self, account: &Account, finding: &Finding) -> Option<End> {
        let at = finding.ends_at?;
        let day = at.strftime("%Y-%m-%d");
        let summary = match finding.id {
            ids::TOKEN_EXPIRY => format!("the page access token ends on {day}"),
            ids::TOKEN_DATA_ACCESS => format!("the access to personal data ends on {day}"),
            _ => return None,
        };
        let renew = commands::saved(account).replace_token;
        let hint = finding.hint.clone().unwrap_or_else(|| format!("take a new token; then: {renew}"));
        Some(End { check: finding.id, at, summary, hint: Some(one_line(&redact(&self.complete(&hint)))) })
    }

    /// A hint with the flags by which its commands find this tenant and configuration.
    fn complete(&self, hint: &str) -> String {
        crate::operations::calls(&self.workspace.given).complete(hint).into_owned()
    }
}
