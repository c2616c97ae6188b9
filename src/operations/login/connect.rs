//! What becomes of a Page that was chosen after a login: a new account, or a new token for the
//! account that has it.

use crate::accounts::{self, Account, AppId, Name};
use crate::checks::Outcome;
use crate::checks::causes::{NO_PAGE_GRANTED, PAGE_TOKEN_NEEDED, PAGE_WITHOUT_USERNAME};
use crate::graph::AppCredentials;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::accounts::draft::Draft;
use crate::operations::accounts::edit::{self, Edit};
use crate::operations::accounts::gate::Gate;
use crate::operations::accounts::inputs::SecretInputs;
use crate::operations::accounts::{add, owner};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind, SecretRef};

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

    /// Why it cannot be connected.
    pub fn why_not(&self) -> Option<&'static str> {
        let nameless = self.accounts.is_empty() && self.page.username.is_none();
        owner::unusable(&self.page).or(nameless.then_some("it has no username, which the contact centre's form needs"))
    }

    fn refusal(&self) -> Option<Error> {
        let why = self.why_not()?;
        let cause = if owner::unusable(&self.page).is_none() { &PAGE_WITHOUT_USERNAME } else { &PAGE_TOKEN_NEEDED };
        let fix = match cause.id {
            id if id == PAGE_WITHOUT_USERNAME.id => PAGE_WITHOUT_USERNAME.fix(),
            _ => "ask a person with full control of the Page for the role, then log in again".into(),
        };
        Some(Error::check(format!("{} cannot be connected: {why}", self.name())).reason(cause.id).hint(fix))
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
    let mut all: Vec<Candidate> = pages.into_iter().map(|page| Candidate { accounts: of_page(&page), page }).collect();
    all.sort_by_key(|candidate| (candidate.why_not().is_some(), !candidate.accounts.is_empty()));
    Ok(all)
}

/// What became of a Page, or of one of its accounts.
pub struct Connected {
    pub page_id: String,
    pub page_name: Option<String>,
    /// The account that was added or renewed, or that keeps its old token.
    pub account: Option<Account>,
    pub end: End,
}

pub enum End {
    Added(Option<Outcome>),
    Renewed(Option<Outcome>),
    Failed(Error),
}

/// The app of a login, as accounts keep it.
pub struct OfApp {
    pub id: AppId,
    pub secret: Secret,
    /// Where the secret stays, if it was given by reference.
    pub reference: Option<SecretRef>,
}

impl OfApp {
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
#[derive(Clone)]
struct Tokens {
    own: Secret,
    parent: Option<Secret>,
}

impl Tokens {
    fn give(&self, inputs: &mut SecretInputs) {
        inputs.put(SecretKind::PageAccessToken, Some(self.own.clone()));
        if let Some(parent) = &self.parent {
            inputs.put(SecretKind::UserAccessToken, Some(parent.clone()));
        }
    }
}

/// Connects a Page: each of its accounts gets the new token once it has passed the test; a Page
/// without an account gets one. A failure leaves the account as it was. `parent` is the person's
/// token, if it is kept for `account renew`.
///
/// # Errors
///
/// Only an interrupt.
pub fn connect(
    workspace: &Workspace,
    app: &OfApp,
    candidate: &Candidate,
    parent: Option<&Secret>,
) -> Result<Vec<Connected>, Error> {
    let done = |account: Option<Account>, end: Result<End, Error>| match end {
        Err(error) if error.is_interrupt() => Err(error),
        end => Ok(Connected {
            page_id: candidate.page.id.clone(),
            page_name: candidate.page.name.clone(),
            account,
            end: end.unwrap_or_else(End::Failed),
        }),
    };
    let tokens = match (candidate.refusal(), &candidate.page.access_token) {
        (None, Some(own)) => Tokens { own: own.clone(), parent: parent.cloned() },
        (Some(error), _) => return Ok(vec![done(None, Err(error))?]),
        (None, None) => unreachable!("a Page without a token cannot be connected"),
    };
    if candidate.accounts.is_empty() {
        let (account, end) = match new(workspace, app, &candidate.page, &tokens) {
            Ok((account, outcome)) => (Some(account), Ok(End::Added(outcome))),
            Err(error) => (None, Err(error)),
        };
        return Ok(vec![done(account, end)?]);
    }
    let renew = |account: &Account| {
        let end = renew(workspace, app, account, &tokens).map(End::Renewed);
        done(Some(account.clone()), end)
    };
    candidate.accounts.iter().map(renew).collect()
}

fn new(
    workspace: &Workspace,
    app: &OfApp,
    page: &OwnPage,
    tokens: &Tokens,
) -> Result<(Account, Option<Outcome>), Error> {
    let mut draft = Draft::of_token(workspace, tokens.own.clone())?;
    app.give(&mut draft.inputs);
    tokens.give(&mut draft.inputs);
    draft.given.app_id = Some(app.id.clone());
    draft.given.page_id = Some(page.id.parse()?);
    draft.given.page_username = page.username.as_deref().map(str::parse).transpose()?;
    draft.page_name.clone_from(&page.name);
    let known = workspace.accounts()?.load()?;
    let name = page.name.as_deref().and_then(|name| accounts::free_name(&known, name));
    draft.name = name.map(|name| name.parse::<Name>()).transpose()?;
    add::begin(workspace, &mut draft)?;
    add::check_given(&draft, Gate::Passing)?;
    let saved = add::carry_out(workspace, add::prepare(workspace, draft, Gate::Passing)?)?;
    Ok((saved.account, saved.report.map(|report| report.outcome())))
}

fn renew(workspace: &Workspace, app: &OfApp, account: &Account, tokens: &Tokens) -> Result<Option<Outcome>, Error> {
    let mut edit = Edit { to_save: "the account keeps its old token", ..Edit::default() };
    tokens.give(&mut edit.inputs);
    // The record stays; an app that it lacks is what the token was made with.
    if account.app_id.is_none() {
        edit.given.app_id = Some(app.id.clone());
    }
    let is_its_app = account.app_id.as_ref().is_none_or(|id| *id == app.id);
    if is_its_app && !account.secrets.contains_key(&SecretKind::AppSecret) {
        app.give(&mut edit.inputs);
    }
    let Some(prepared) = edit::prepare(workspace, account, edit)? else { return Ok(None) };
    let saved = edit::carry_out(workspace, prepared)?;
    Ok(saved.report.map(|report| report.outcome()))
}

/// A Page that was named, and that the login does not reach.
pub fn not_reached(page_id: &str) -> Connected {
    let error = Error::check("the login does not reach this Page")
        .reason(NO_PAGE_GRANTED.id)
        .hint("log in again and tick the Page; a Page that a business owns may need business_management too");
    Connected { page_id: page_id.to_owned(), page_name: None, account: None, end: End::Failed(error) }
}
