//! Renews tokens from the kept user tokens that they came from, without a person.
//!
//! New token, check, the Pages' own tokens, test, store, and only then, if asked, the old one is
//! revoked. The old token works on to its own end, so wherever this stops each account has a
//! token that works.

mod judge;
mod prepare;
mod revoke;
mod store;

use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};

use self::judge::{Due, check_new, is_wrong};
use super::test::{self, Credentials, WARN_DAYS};
use super::token_life;
use crate::accounts::Account;
use crate::checks::causes::{NO_PAGE_GRANTED, Place, RENEWAL_FAILED, USER_TOKEN_MISSING};
use crate::checks::{self, Report, Subject, TokenLife};
use crate::graph::endpoints::person;
use crate::graph::endpoints::renewal::exchange;
use crate::graph::endpoints::token::{self, TokenInfo};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::messages::ChatSettings;
use crate::operations::health::{self, News, SetUps};
use crate::operations::{Error, Workspace};
use crate::secrets::Secret;
use crate::text::words;
use crate::webhook::Prober;

/// Calls that wait at a time.
const AT_ONCE: usize = 256;

/// What to renew.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// Only what ends within this time.
    pub within: Option<SignedDuration>,
    /// Revoke the old token of a system user once nothing uses it any more.
    pub revoke_old: bool,
}

/// How it ended for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has a new token.
    Renewed,
    /// Its token ends later.
    NotDue,
    /// Its token does not end.
    Unchanged,
    /// It has the old token, and a new try may help.
    Failed,
    /// A person has to do something first.
    CannotRenew,
}

words!(Outcome {
    Renewed => "renewed",
    NotDue => "not-due",
    Unchanged => "unchanged",
    Failed => "failed",
    CannotRenew => "cannot-renew"
});

/// What came of an account.
pub struct Renewed {
    pub account: Account,
    pub outcome: Outcome,
    /// When its token ends now, if it does and that is known.
    pub expires_at: Option<Timestamp>,
    pub summary: String,
    /// Why it was not renewed, or why the old token was not revoked.
    pub error: Option<Error>,
    pub old_revoked: bool,
    /// Whether the Page's own token is another one now, which the contact centre has to get.
    pub has_new_page_token: bool,
}

impl Renewed {
    fn of(account: Account, outcome: Outcome, expires_at: Option<Timestamp>, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        let (error, old_revoked, has_new_page_token) = (None, false, false);
        Self { account, outcome, expires_at, summary, error, old_revoked, has_new_page_token }
    }

    fn failed(account: Account, outcome: Outcome, error: Error) -> Self {
        let summary = error.message().to_owned();
        Self { error: Some(error), ..Self::of(account, outcome, None, summary) }
    }
}

/// An account in a run: its place, what it has, and what Meta says of its token.
struct Member {
    at: usize,
    account: Account,
    credentials: Credentials,
    info: Option<Result<TokenInfo, GraphError>>,
}

/// The accounts of an app whose tokens came from one kept token; `None`: none is kept.
struct Group {
    app: AppCredentials,
    parent: Option<Secret>,
    info: Option<Result<TokenInfo, GraphError>>,
    members: Vec<Member>,
}

/// A new token that was tested.
struct Fresh {
    member: Member,
    token: Secret,
    report: Report,
}

struct Run<'w> {
    workspace: &'w Workspace,
    client: Client,
    prober: Prober,
    wanted: Wanted,
    settings: ChatSettings,
    set_ups: SetUps,
    results: Vec<Option<Renewed>>,
}

/// Renews these accounts of the tenant, all of the Graph in the settings; a result for each, in
/// order.
///
/// # Errors
///
/// Nothing was begun: the configuration is not valid.
pub async fn renew(workspace: &Workspace, accounts: Vec<Account>, wanted: Wanted) -> Result<Vec<Renewed>, Error> {
    let mut run = Run {
        workspace,
        client: workspace.graph()?,
        prober: workspace.prober()?.asking_once(),
        wanted,
        settings: workspace.chat_settings()?.load()?,
        set_ups: SetUps::of(workspace),
        results: accounts.iter().map(|_| None).collect(),
    };
    let mut groups: Vec<Group> = Vec::new();
    for (at, account) in accounts.into_iter().enumerate() {
        match prepare::secrets(run.workspace, &account) {
            Ok((app, parent, credentials)) => {
                let member = Member { at, account, credentials, info: None };
                match groups.iter_mut().find(|group| group.app == app && group.parent == parent) {
                    Some(group) => group.members.push(member),
                    None => groups.push(Group { app, parent, info: None, members: vec![member] }),
                }
            }
            Err((outcome, error)) => run.results[at] = Some(Renewed::failed(account, outcome, error)),
        }
    }
    run.client.in_batches(prepare::inspect(&run.client, &mut groups)).await;
    for group in groups {
        run.group(group).await;
    }
    Ok(run.results.into_iter().flatten().collect())
}

impl Run<'_> {
    fn tell(&mut self, at: usize, result: Renewed) {
        self.results[at] = Some(result);
    }

    fn fail(&mut self, member: Member, outcome: Outcome, error: Error) {
        self.tell(member.at, Renewed::failed(member.account, outcome, error));
    }

    fn fail_all(&mut self, members: Vec<Member>, outcome: Outcome, error: &Error) {
        for member in members {
            self.fail(member, outcome, error.clone());
        }
    }

    /// Renews the accounts of one kept token.
    async fn group(&mut self, group: Group) {
        let Group { app, parent, info, members } = group;
        let now = self.client.clock().unix_seconds();
        let info = match info {
            Some(Err(error)) => {
                let error = Error::of_graph(&error, Place::App.plain());
                return self.fail_all(members, Outcome::Failed, &error);
            }
            info => info.and_then(Result::ok),
        };
        let due = Due { now, within: self.wanted.within, parent: info.as_ref() };
        let mut work = Vec::new();
        for member in members {
            match due.of(&member) {
                Ok(None) => work.push(member),
                Ok(Some((outcome, expires_at, summary))) => {
                    self.tell(member.at, Renewed::of(member.account, outcome, expires_at, summary));
                }
                Err((outcome, error)) => self.fail(member, outcome, error),
            }
        }
        let is_parent_due = due.is_parent_due();
        let (Some(parent), Some(info)) = (parent, info.as_ref()) else {
            // Without a kept token every account has its result by now, as `Due` says.
            let error = Error::credentials(USER_TOKEN_MISSING.summary).reason(USER_TOKEN_MISSING.id);
            return self.fail_all(work, Outcome::CannotRenew, &error);
        };
        if work.is_empty() {
            return;
        }
        match self.new_parent(&parent, info, &app, is_parent_due).await {
            Ok(new) => self.give_out(work, &parent, &new, info, &app).await,
            Err(error) => self.fail_all(work, Outcome::Failed, &error),
        }
    }

    /// A new token in place of the kept one, checked; the same where that is not due.
    async fn new_parent(
        &self,
        parent: &Secret,
        info: &TokenInfo,
        app: &AppCredentials,
        is_due: bool,
    ) -> Result<Secret, Error> {
        if !is_due {
            return Ok(parent.clone());
        }
        let new = match exchange(&self.client, parent, app, info.is_of_system_user()).await {
            Ok(answer) => answer.value.access_token,
            Err(error @ GraphError::Unreachable(_)) => {
                return Err(Error::of_graph(&error, Place::Exchange.plain()).note(
                    "Meta may have created a token that was not received; the old one still works, and trying again is safe",
                ));
            }
            Err(error) => return Err(Error::of_graph(&error, Place::Exchange.plain())),
        };
        let asked = token::debug(&self.client, &new, app).await;
        let seen = asked.map_err(|error| Error::of_graph(&error, Place::App.plain()).note("the old token stays"))?;
        check_new(info, &seen.value).map(|()| new)
    }

    /// The Pages' own tokens of the new one: fetched, tested, stored; then the old one is revoked if
    /// that is wanted.
    async fn give_out(
        &mut self,
        work: Vec<Member>,
        parent: &Secret,
        new: &Secret,
        info: &TokenInfo,
        app: &AppCredentials,
    ) {
        let tested = {
            let tests = stream::iter(work).map(|member| self.tested(member, new, Some(info), app));
            self.client.in_batches(tests.buffered(AT_ONCE).collect::<Vec<_>>()).await
        };
        let mut fresh = Vec::new();
        let mut all_stored = true;
        for tested in tested {
            match tested {
                // A person's token is renewed at most once a day.
                Ok(Fresh { member, token, report }) if new == parent && token == member.credentials.token => {
                    let summary = "Meta gave the same token again";
                    let same = Renewed::of(member.account, Outcome::Unchanged, report.expires_at(), summary);
                    self.tell(member.at, same);
                }
                Ok(tested) => fresh.push(tested),
                Err((member, error)) => {
                    all_stored = false;
                    self.fail(member, Outcome::Failed, error.note("its old token stays"));
                }
            }
        }
        let stored = store::store(self.workspace, &fresh, parent, new);
        let mut news = News::default();
        let mut renewed = Vec::new();
        for (Fresh { member, token, report }, stored) in fresh.into_iter().zip(stored) {
            match stored {
                Ok(account) => {
                    news.tested(&account, &report, self.workspace.now());
                    let expires_at = report.expires_at();
                    renewed.push(member.at);
                    let has_new_page_token = token != member.credentials.token;
                    let summary = if has_new_page_token {
                        token_life::renewed_in_words(expires_at)
                    } else {
                        "the kept user token was renewed; the Page's own token stays".to_owned()
                    };
                    let renewed = Renewed::of(account, Outcome::Renewed, expires_at, summary);
                    self.tell(member.at, Renewed { has_new_page_token, ..renewed });
                }
                Err(error) => {
                    all_stored = false;
                    self.fail(member, Outcome::Failed, error);
                }
            }
        }
        health::keep(self.workspace, &news);
        if !self.wanted.revoke_old || !info.is_of_system_user() || new == parent || renewed.is_empty() {
            return;
        }
        let done = if all_stored {
            revoke::revoke(self.workspace, &self.client, parent, new, app).await
        } else {
            Err(Error::failed("the old token was not revoked: an account still needs it"))
        };
        for at in renewed {
            let Some(result) = &mut self.results[at] else { continue };
            match &done {
                Ok(()) => result.old_revoked = true,
                Err(error) => {
                    result.summary = format!("{}; {}", result.summary, error.message());
                    result.error = Some(error.clone());
                }
            }
        }
    }

    /// The Page's own token of a new one, tested as the account's.
    async fn tested(
        &self,
        member: Member,
        new: &Secret,
        info: Option<&TokenInfo>,
        app: &AppCredentials,
    ) -> Result<Fresh, (Member, Error)> {
        let page_id = member.account.page_id.as_str();
        let page = match person::page(&self.client, new, Some(app), page_id).await {
            Ok(page) => page,
            Err(error) => return Err((member, Error::of_graph(&error, Place::Page.signed(true)))),
        };
        let Some(token) = page.and_then(|page| page.access_token) else {
            let error = Error::check(format!("the new token does not reach page {page_id}"));
            return Err((member, error.reason(NO_PAGE_GRANTED.id).hint(NO_PAGE_GRANTED.fix())));
        };
        let credentials =
            Credentials { token: token.clone(), user_token: Some(new.clone()), ..member.credentials.clone() };
        let account = &member.account;
        let subject = Subject {
            was_set_up: self.set_ups.levels(account),
            among_others: true,
            ..test::subject(account, self.settings.clone(), credentials, WARN_DAYS, true)
        };
        let report = checks::run(&self.client, &self.prober, &subject).await;
        let now = self.client.clock().unix_seconds();
        if let Some(Ok(old)) = &member.info
            && TokenLife::end_of(old, info, now) == Some(0)
            && let Some(end) = report.expires_at()
        {
            let error = Error::check(format!(
                "the new token was rejected: it ends on {}, and the account's token does not end",
                end.strftime("%Y-%m-%d")
            ))
            .reason(RENEWAL_FAILED.id)
            .hint(format!(
                "remove the kept token, which is another one's: msgrctl account edit {} --clear user-token --yes",
                account.handle
            ));
            return Err((member, error));
        }
        match is_wrong(&report) {
            None => Ok(Fresh { member, token, report }),
            Some(finding) => {
                let failed = match finding.outcome {
                    checks::Outcome::Unreachable => {
                        Error::remote(format!("the new token was not tested: {}", finding.summary))
                    }
                    _ => Error::check(format!("the new token failed its test: {}", finding.summary)),
                };
                let failed = failed.because_of(Some(finding));
                let error = finding.hint.iter().fold(failed, |error, hint| error.hint(hint.clone()));
                Err((member, error))
            }
        }
    }
}
