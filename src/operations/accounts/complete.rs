//! Fills a draft from Graph: the fields that follow from its token, and the Page's own token
//! in place of a person's.

use super::commands;
use super::draft::Draft;
use super::fields::{self, Field};
use super::gate::Gate;
use super::owner::{Issuer, OwnToken, Question, TokenOwner, Unknown};
use super::test::{self, WARN_DAYS};
use crate::accounts::{AppId, Name, PageId, PageUsername};
use crate::checks::causes::{PAGE_WITHOUT_USERNAME, Place};
use crate::checks::{Outcome, Subject, WasSetUp};
use crate::graph::endpoints::app::App;
use crate::graph::endpoints::page::{self, Page};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::messages::{AccountMessages, ChatSettings};
use crate::operations::{Error, Workspace};
use crate::secrets::Secret;

/// Asks Graph whose the token is, fills in what the draft lacks, and says what it filled in.
pub fn complete(workspace: &Workspace, client: &Client, draft: &mut Draft) -> Result<(), Error> {
    let Some(token) = draft.inputs.token.clone() else { return Err(fields::missing(&[&fields::TOKEN], None)) };
    // Signing needs only the secret; the id may be what is asked for.
    let signer = draft.inputs.app_secret.clone().map(|secret| AppCredentials { id: String::new(), secret });
    let asks = signer.is_some() && draft.given.app_id.is_none();
    let issuer = if asks { Issuer::Needed } else { Issuer::Unasked };
    let named = draft.given.page_id.clone();
    let question = Question { workspace, client, token: &token, signer: signer.as_ref(), named: named.as_ref() };
    let known = match question.whose(issuer)? {
        Ok(known) => known,
        Err(Unknown { error: error @ GraphError::Unreachable(_), .. }) => return Err(out_of_reach(error, draft)),
        Err(Unknown { error, is_of_pages: true }) => {
            return Err(Error::of_graph(&error, Place::Me.signed(signer.is_some())));
        }
        Err(Unknown { is_of_pages: false, .. }) => return Err(explain(workspace, client, &token, draft)?),
    };
    let page = match known.whose {
        TokenOwner::Page(page) if !page.may_be_a_person() => Some(page),
        TokenOwner::Person(_) => take_own_token(workspace, client, draft)?,
        TokenOwner::Page(_) | TokenOwner::Unsigned | TokenOwner::NotAsked => None,
    };
    let Some(page) = page else { return Err(explain(workspace, client, &token, draft)?) };
    fill_in(workspace, draft, known.issuer.as_ref(), &page)?;
    match draft.missing().as_slice() {
        [] => Ok(()),
        missing if page.username.is_none() && page.is_published.is_some() => {
            let name = page.name.as_deref().unwrap_or(&page.id);
            Err(fields::missing(missing, Some(&PAGE_WITHOUT_USERNAME.fix()))
                .note(format!("the Page '{name}' has none, and the contact centre's form needs one"))
                .reason(PAGE_WITHOUT_USERNAME.id))
        }
        missing => Err(fields::missing(missing, Some("Graph does not show them to this token"))),
    }
}

/// Fills in what a draft lacks from its app and Page.
fn fill_in(workspace: &Workspace, draft: &mut Draft, issuer: Option<&App>, page: &Page) -> Result<(), Error> {
    let say = |what: &Field, value: &str, flag: &str| {
        workspace.notice(&format!("{}: {value} (from Graph; {flag} sets another)", what.name));
    };
    if let Some(app) = issuer {
        let id: AppId = app.id.parse()?;
        say(&fields::APP_ID, id.as_str(), "--app-id");
        draft.given.app_id = Some(id);
    }
    if draft.given.page_id.is_none() {
        let id: PageId = page.id.parse()?;
        say(&fields::PAGE_ID, id.as_str(), "--page-id");
        draft.given.page_id = Some(id);
    }
    if draft.given.page_username.is_none()
        && let Some(username) = &page.username
    {
        let username: PageUsername = username.parse()?;
        say(&fields::PAGE_USERNAME, username.as_str(), "--page-username");
        draft.given.page_username = Some(username);
    }
    if draft.name.is_none()
        && let Some(name) = &page.name
    {
        let name: Name = name.parse()?;
        say(&fields::NAME, name.as_str(), "NAME");
        draft.name = Some(name);
    }
    draft.page_name.clone_from(&page.name);
    Ok(())
}

/// If the token is a person's or a system user's, replaces it with the own token of the named
/// Page. `None`: it is already a Page's.
pub fn take_own_token(workspace: &Workspace, client: &Client, draft: &mut Draft) -> Result<Option<Page>, Error> {
    let Some(token) = draft.inputs.token.clone() else { return Ok(None) };
    let signer = draft.signer();
    let named = draft.given.page_id.clone();
    let question = Question { workspace, client, token: &token, signer: signer.as_ref(), named: named.as_ref() };
    let Some(OwnToken { token: own, page, parent }) = question.own_page()? else { return Ok(None) };
    // The Page's own token shows what a list of Pages omits.
    let shown = Workspace::wait(page::me(client, &own, signer.as_ref()))?.ok().map(|answer| answer.value);
    draft.inputs.take_own(own, parent);
    Ok(Some(shown.unwrap_or(Page { id: page.id, name: page.name, username: page.username, is_published: None })))
}

fn out_of_reach(error: GraphError, draft: &Draft) -> Error {
    Error::from(error)
        .note("nothing was saved")
        .hint(format!("to save without asking Graph, give {} and --no-test", flags(&draft.missing())))
}

fn flags(fields: &[&Field]) -> String {
    fields.iter().map(|field| field.flags).collect::<Vec<_>>().join(", ")
}

/// Why Graph refuses a token: the checks say. If they pass, the missing values are the error.
fn explain(workspace: &Workspace, client: &Client, token: &Secret, draft: &Draft) -> Result<Error, Error> {
    let subject = Subject {
        channel: draft.channel,
        commands: commands::unsaved(),
        page_id: draft.given.page_id.as_ref().map(ToString::to_string),
        page_username: draft.given.page_username.as_ref().map(ToString::to_string),
        token: token.clone(),
        parent: None,
        app_id: draft.given.app_id.as_ref().map(ToString::to_string),
        app: draft.signer(),
        app_secret_gone: None,
        callback: None,
        messages: AccountMessages::default(),
        chat_settings: ChatSettings::default(),
        warn_days: WARN_DAYS,
        was_set_up: WasSetUp::default(),
        among_others: false,
    };
    let name = draft.name.as_ref().map_or("the token", |name| name.as_str());
    let report = test::run(workspace, client, name, &subject)?;
    if report.credentials() >= Outcome::Unreachable {
        let to_save = format!("to save it as it is, give {} and --save-anyway", flags(&draft.missing()));
        Gate::Passing.judge(workspace, &report, name, &to_save)?;
    }
    Ok(fields::missing(&draft.missing(), Some("Graph does not show them to this token")))
}
