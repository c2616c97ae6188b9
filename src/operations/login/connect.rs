//! What becomes of a Page that was chosen after a login: a new account, or a new token for the
//! account that has it.

use std::collections::HashSet;

use crate::accounts::{self, Account, AppId, Name};
use crate::checks::Outcome;
use crate::checks::causes::{Cause, NO_PAGE_GRANTED, PAGE_NOT_GRANTED, PAGE_WITHOUT_USERNAME, TASK_MISSING};
use crate::graph::AppCredentials;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::accounts::add;
use crate::operations::accounts::draft::Draft;
use crate::operations::accounts::edit::{self, Clear, Edit};
use crate::operations::accounts::gate::Gate;
use crate::operations::accounts::inputs::SecretInputs;
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName};

/// A Page that the login reached.
pub struct Candidate {
    pub page: OwnPage,
    /// The accounts of the tenant that have it.
    pub accounts: Vec<Account>,
}

impl Candidate {
    /// Its name, or its id where Meta shows none.
    pub fn name(&self) -> &str {
        self.page.name.as_deref().unwrap_or(&self.page.id)
    }

    /// Why it cannot be connected: the cause, and a few words for a list.
    pub fn obstacle(&self) -> Option<(&'static Cause, &'static str)> {
        if !self.page.may_message() {
            return Some((&TASK_MISSING, "the role on it does not include messages"));
        }
        if self.page.access_token.is_none() {
            return Some((&PAGE_NOT_GRANTED, "Meta gives no token of it"));
        }
        self.lacks_username().then_some((&PAGE_WITHOUT_USERNAME, "it has no username"))
    }

    /// Whether no token of any person would make a new account possible.
    pub fn lacks_username(&self) -> bool {
        self.accounts.is_empty() && self.page.username.is_none()
    }
}

/// The Pages with their accounts: those that can be connected first.
pub fn candidates(workspace: &Workspace, pages: Vec<OwnPage>) -> Result<Vec<Candidate>, Error> {
    let realm = workspace.realm()?;
    let known = workspace.accounts()?.load()?;
    let of_page = |page: &OwnPage| {
        let is_its = |account: &&Account| account.page_id.as_str() == page.id && account.graph == realm;
        known.iter().filter(is_its).cloned().collect()
    };
    // Meta's list may name a Page twice.
    let mut seen = HashSet::new();
    let pages = pages.into_iter().filter(|page| seen.insert(page.id.clone()));
    let mut all: Vec<Candidate> = pages.map(|page| Candidate { accounts: of_page(&page), page }).collect();
    all.sort_by_key(|candidate| (candidate.obstacle().is_some(), !candidate.accounts.is_empty()));
    Ok(all)
}

/// What became of a Page, or of one of its accounts.
pub struct ConnectResult {
    pub page_id: String,
    pub page_name: Option<String>,
    /// The account that was added or renewed, or that has its old token.
    pub account: Option<Account>,
    pub outcome: ConnectOutcome,
}

/// How it ended; with what Test Connection found, if it was asked.
pub enum ConnectOutcome {
    Added(Option<Outcome>),
    Renewed(Option<Outcome>),
    Failed(Error),
}

/// The app of a login, as accounts keep it.
pub struct LoginApp {
    pub id: AppId,
    pub secret: Secret,
    /// Where the secret stays, if it was given by reference.
    pub reference: Option<SecretRef>,
}

impl LoginApp {
    /// As calls are signed with it.
    pub fn credentials(&self) -> AppCredentials {
        AppCredentials { id: self.id.to_string(), secret: self.secret.clone() }
    }

    /// Puts the secret among those of an account.
    pub fn give(&self, inputs: &mut SecretInputs) {
        inputs.put(SecretKind::AppSecret, Some(self.secret.clone()));
        if let Some(reference) = &self.reference {
            inputs.references.insert(SecretKind::AppSecret, reference.clone());
        }
    }
}

/// The tokens of a Page: its own, and the one that it came from if that is kept.
struct Tokens<'t> {
    own: &'t Secret,
    parent: Option<&'t Secret>,
}

impl Tokens<'_> {
    fn give(&self, inputs: &mut SecretInputs) {
        inputs.put(SecretKind::PageAccessToken, Some(self.own.clone()));
        if let Some(parent) = self.parent {
            inputs.put(SecretKind::UserAccessToken, Some(parent.clone()));
        }
    }
}

/// Connects a Page: each of its accounts gets the new token once it has passed the test; a Page
/// without an account gets one. A failure leaves the account as it was. `parent` is the token that
/// the Page's came from, if it is kept for `account renew`. Results are added to `ended`.
///
/// # Errors
///
/// Only an interrupt.
pub fn connect(
    workspace: &Workspace,
    app: &LoginApp,
    candidate: &Candidate,
    parent: Option<&Secret>,
    ended: &mut Vec<ConnectResult>,
) -> Result<(), Error> {
    let mut add = |account: Option<Account>, outcome: Result<ConnectOutcome, Error>| {
        let outcome = match outcome {
            Err(error) if error.is_interrupt() => return Err(error),
            outcome => outcome.unwrap_or_else(ConnectOutcome::Failed),
        };
        let (page_id, page_name) = (candidate.page.id.clone(), candidate.page.name.clone());
        ended.push(ConnectResult { page_id, page_name, account, outcome });
        Ok(())
    };
    let own = match (candidate.obstacle(), &candidate.page.access_token) {
        (None, Some(own)) => own,
        (obstacle, _) => {
            let (cause, why) = obstacle.unwrap_or((&PAGE_NOT_GRANTED, "Meta gives no token of it"));
            let error = Error::check(format!("it cannot be connected: {why}")).reason(cause.id).hint(cause.fix());
            return add(None, Err(error));
        }
    };
    let tokens = Tokens { own, parent };
    let mut accounts = candidate.accounts.clone();
    if accounts.is_empty() {
        // Another login may have added one in the meantime.
        let again = candidates(workspace, vec![candidate.page.clone()])?;
        accounts = again.into_iter().flat_map(|candidate| candidate.accounts).collect();
    }
    if accounts.is_empty() {
        return match new(workspace, app, &candidate.page, &tokens) {
            Ok((account, tested)) => add(Some(account), Ok(ConnectOutcome::Added(tested))),
            Err(error) => add(None, Err(error)),
        };
    }
    for account in &accounts {
        let renewed = renew(workspace, app, account, &tokens).map(ConnectOutcome::Renewed);
        add(Some(account.clone()), renewed)?;
    }
    Ok(())
}

fn new(
    workspace: &Workspace,
    app: &LoginApp,
    page: &OwnPage,
    tokens: &Tokens<'_>,
) -> Result<(Account, Option<Outcome>), Error> {
    let mut draft = Draft::of_token(workspace, tokens.own.clone())?;
    app.give(&mut draft.inputs);
    tokens.give(&mut draft.inputs);
    draft.given.app_id = Some(app.id.clone());
    draft.given.page_id = Some(page.id.parse()?);
    draft.given.page_username = page.username.as_deref().map(str::parse).transpose()?;
    draft.page_name.clone_from(&page.name);
    let known = workspace.accounts()?.load()?;
    draft.to_save = "no account was added";
    // A name that no account can have is replaced by the Page's id.
    let unnamed = format!("Page {}", page.id);
    let named = page.name.as_deref().filter(|name| name.parse::<Name>().is_ok()).unwrap_or(&unnamed);
    draft.name = accounts::free_name(&known, named).map(|name| name.parse::<Name>()).transpose()?;
    add::begin(workspace, &mut draft)?;
    add::check_given(&draft, Gate::Passing)?;
    let saved = add::carry_out(workspace, add::prepare(workspace, draft, Gate::Passing)?)?;
    Ok((saved.account, saved.report.map(|report| report.outcome())))
}

fn renew(
    workspace: &Workspace,
    app: &LoginApp,
    account: &Account,
    tokens: &Tokens<'_>,
) -> Result<Option<Outcome>, Error> {
    if let Some(place) = foreign_place(account) {
        return Err(Error::credentials(format!(
            "its page access token is read from {place}, which msgrctl cannot write; put the new one there, or have msgrctl keep it"
        ))
        .hint(format!("msgrctl account edit {} --token-stdin --yes", account.handle)));
    }
    let mut edit = Edit { to_save: "the account has its old token", ..Edit::default() };
    tokens.give(&mut edit.inputs);
    if tokens.parent.is_none() {
        // It would renew another token than the one that the account has now.
        edit.clear.push(Clear::UserToken);
    }
    // The record stays; an app that it lacks is the one that made the token.
    if account.app_id.is_none() {
        edit.given.app_id = Some(app.id.clone());
    }
    if account.app_id.as_ref().is_none_or(|id| *id == app.id) && !has_secret_of(workspace, account, app)? {
        app.give(&mut edit.inputs);
    }
    let Some(prepared) = edit::prepare(workspace, account, edit)? else { return Ok(None) };
    let saved = edit::carry_out(workspace, prepared)?;
    Ok(saved.report.map(|report| report.outcome()))
}

/// Where the account reads its token from, if msgrctl does not keep it.
fn foreign_place(account: &Account) -> Option<String> {
    let place = account.secrets.get(&SecretKind::PageAccessToken)?;
    place.store().is_none_or(|store| store == StoreName::Env).then(|| place.to_string())
}

/// Whether the account needs no app secret of this login: it has the same, or reads it from a
/// place of the operator's.
fn has_secret_of(workspace: &Workspace, account: &Account, app: &LoginApp) -> Result<bool, Error> {
    match account.secrets.get(&SecretKind::AppSecret) {
        None => Ok(false),
        Some(place) if place.store().is_none_or(|store| store == StoreName::Env) => Ok(true),
        Some(_) => Ok(workspace.secret(account, SecretKind::AppSecret)?.is_some_and(|secret| secret == app.secret)),
    }
}

/// A Page that was named, and that the login does not reach.
pub fn not_reached(page_id: &str) -> ConnectResult {
    let error =
        Error::check("the login does not reach this Page").reason(NO_PAGE_GRANTED.id).hint(NO_PAGE_GRANTED.fix());
    ConnectResult {
        page_id: page_id.to_owned(),
        page_name: None,
        account: None,
        outcome: ConnectOutcome::Failed(error),
    }
}
