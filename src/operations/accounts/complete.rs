//! What Graph says of a draft: whose its token is, a Page's or a person's who has Pages; the
//! Page's own token behind a person's or a system user's; and the fields that follow from it.

use super::commands;
use super::draft::Draft;
use super::fields::{self, Field};
use super::gate::Gate;
use super::test::{self, WARN_DAYS};
use crate::accounts::{AppId, Name, PageId, PageUsername};
use crate::checks::causes::{self, NO_PAGE_GRANTED, OTHER_APP, PAGE_TOKEN_NEEDED, PAGE_WITHOUT_USERNAME, Place};
use crate::checks::{Diagnosis, Outcome, Subject, of_unreachable};
use crate::graph::endpoints::app::{self, App};
use crate::graph::endpoints::page::{self, Page};
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::endpoints::token;
use crate::graph::{ApiError, AppCredentials, Client, GraphError, Wording};
use crate::messages::{AccountMessages, ChatSettings};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind};
use crate::text::to_paste;

/// What Graph says of a token.
#[derive(Clone, Default)]
pub struct Known {
    /// Whose it is.
    pub whose: Whose,
    /// The app that issued it.
    pub issuer: Option<App>,
}

/// Whose a token is.
#[derive(Clone, Default)]
pub enum Whose {
    /// Graph was not asked, or did not answer.
    #[default]
    NotAsked,
    /// Its app asks for signed calls, and no secret is known to sign with.
    Unsigned,
    /// A person's or a system user's, who has these Pages.
    Person(Vec<OwnPage>),
    /// A Page's.
    Page(Page),
}

impl Known {
    /// The Page, where it is a Page's.
    pub fn page(&self) -> Option<&Page> {
        match &self.whose {
            Whose::Page(page) => Some(page),
            _ => None,
        }
    }

    /// The Page's id.
    pub fn page_id(&self) -> Option<String> {
        self.page().map(|page| page.id.clone())
    }

    /// Its @username; a Page need not have one.
    pub fn username(&self) -> Option<String> {
        self.page()?.username.clone()
    }

    /// Its name.
    pub fn name(&self) -> Option<String> {
        self.page()?.name.clone()
    }
}

/// Whether the app that issued the token is asked for as well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// No.
    Unasked,
    /// Where Graph says it.
    Wished,
    /// Nothing is known as long as Graph does not answer.
    Needed,
}

/// What Graph answered in place of whose a token is.
pub struct Unknown {
    /// Its answer.
    pub error: GraphError,
    /// Whether it was asked for the Pages of a person by then.
    is_of_pages: bool,
}

/// Asks Graph whose a token is. `named` is a Page that is looked for among a person's.
pub fn ask(
    workspace: &Workspace,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
    issuer: Issuer,
) -> Result<Result<Known, Unknown>, Error> {
    let _waiting = workspace.reporter.waiting("asking Graph whose the token is …");
    Workspace::wait(identify(client, token, signer, named, issuer))
}

async fn identify(
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
    issuer: Issuer,
) -> Result<Known, Unknown> {
    let (me, issued) = tokio::join!(page::me(client, token, signer), async {
        match issuer {
            Issuer::Unasked => None,
            Issuer::Wished | Issuer::Needed => Some(app::of_token(client, token, signer).await),
        }
    });
    let of_me = |error| Unknown { error, is_of_pages: false };
    let of_pages = |error| Unknown { error, is_of_pages: true };
    let (issued, unreached) = match issued {
        Some(Ok(answer)) => (Some(answer.value), None),
        Some(Err(error @ GraphError::Unreachable(_))) if issuer == Issuer::Needed => (None, Some(error)),
        Some(Err(_)) | None => (None, None),
    };
    let whose = match me {
        Ok(answer) if !answer.value.may_be_a_person() => Whose::Page(answer.value),
        Err(GraphError::Refused(error)) if error.wording == Some(Wording::Proof) && signer.is_none() => Whose::Unsigned,
        Err(GraphError::Refused(error)) if !may_be_a_persons(&error) => return Err(of_me(GraphError::Refused(error))),
        Err(error @ GraphError::Unreachable(_)) => return Err(of_me(error)),
        // A person has no username and is not published; or the Page's token may not read them.
        Ok(_) | Err(GraphError::Refused(_)) => {
            match pages_of_person(client, token, signer, named).await.map_err(of_pages)? {
                Some(pages) => Whose::Person(pages),
                None => Whose::Page(page::whose(client, token, signer).await.map_err(of_me)?.value),
            }
        }
    };
    match unreached {
        Some(error) => Err(of_me(error)),
        None => Ok(Known { whose, issuer: issued }),
    }
}

/// Whether `/me` refuses what a person's token would be refused for.
fn may_be_a_persons(error: &ApiError) -> bool {
    let of_another_kind = causes::of(error, Place::Me.plain()).cause == PAGE_TOKEN_NEEDED.id;
    let of_a_field = matches!(error.code, Some(100 | 10)) && error.kind != "GraphMethodException";
    of_another_kind || of_a_field && error.subcode.is_none() && !error.access_denied
}

/// The Pages behind a token; `None`: it is a Page's own, which has none.
async fn pages_of_person(
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
) -> Result<Option<Vec<OwnPage>>, GraphError> {
    match person::reachable(client, token, signer, named.map(PageId::as_str)).await {
        Ok(pages) => Ok(Some(pages)),
        // A Page has no field accounts.
        Err(GraphError::Refused(error))
            if error.code == Some(100) && error.subcode.is_none() && error.kind != "GraphMethodException" =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Why a Page cannot be connected with a person's token.
pub fn unusable(page: &OwnPage) -> Option<&'static str> {
    if !page.may_message() {
        return Some("the person's role on it does not include messages (task MESSAGING)");
    }
    page.access_token.is_none().then_some("Graph gives no token for it to this person")
}

/// A person's token that lasts, where the app's secret allows one; the Pages' tokens that
/// come from it do not expire. Otherwise it is the token itself, and why is said.
fn lasting(
    workspace: &Workspace,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    how_to_give_the_app: &str,
) -> Result<Secret, Error> {
    let Some(signer) = signer else {
        workspace.warning(&format!(
            "without app id and app secret the Page's token ends when this person's token ends, which may be in an hour; {how_to_give_the_app}"
        ));
        return Ok(token.clone());
    };
    let asked = {
        let _progress = workspace.reporter.waiting("asking Graph for a token that lasts …");
        Workspace::wait(person::exchange(client, token, signer))?
    };
    match asked {
        Ok(long) => Ok(long.value.access_token),
        Err(error) => {
            let why = match &error {
                GraphError::Refused(error) => causes::of(error, Place::App.plain()).summary,
                GraphError::Unreachable(why) => of_unreachable(why).summary,
            };
            workspace.warning(&format!(
                "the person's token could not be exchanged for a long-lived one ({why}), so the Page's token ends with it"
            ));
            Ok(token.clone())
        }
    }
}

/// The Pages behind a longer life of a person's token, where the app's secret allows one:
/// their tokens do not expire. `None`, and why is said, where it does not.
pub fn lasting_pages(
    workspace: &Workspace,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
    how_to_give_the_app: &str,
) -> Result<Option<(Secret, Result<Vec<OwnPage>, GraphError>)>, Error> {
    let long = lasting(workspace, client, token, signer, how_to_give_the_app)?;
    if long == *token {
        return Ok(None);
    }
    let pages = pages_behind(workspace, client, &long, signer, named)?;
    Ok(Some((long, pages.map(Option::unwrap_or_default))))
}

/// The Pages behind a token; `None`: it is a Page's own, which has none.
pub fn pages_behind(
    workspace: &Workspace,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
) -> Result<Result<Option<Vec<OwnPage>>, GraphError>, Error> {
    let _waiting = workspace.reporter.waiting("asking Graph for the Pages behind the token …");
    Workspace::wait(pages_of_person(client, token, signer, named))
}

/// The token of the Page behind a person's or a system user's token that is named by its
/// id: it is to be stored in its place. `None`: the token is a Page's already.
pub fn own_page(
    workspace: &Workspace,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
) -> Result<Option<(Secret, OwnPage)>, Error> {
    let refused = |error| Error::of_graph(&error, Place::Me.signed(signer.is_some()));
    let Some(pages) = pages_behind(workspace, client, token, signer, named)?.map_err(refused)? else {
        return Ok(None);
    };
    let mut page = chosen(&pages, named)?;
    let how = "give both to make it last: --app-id, --app-secret-file";
    if let Some((_, pages)) = lasting_pages(workspace, client, token, signer, named, how)? {
        page = chosen(&pages.map_err(refused)?, named).unwrap_or(page);
    }
    let Some(own) = page.access_token.clone() else { return Ok(None) };
    workspace.notice("the token is a person's or a system user's: the Page's own token is stored in its place");
    Ok(Some((own, page)))
}

/// The one of a person's Pages that a flag names.
fn chosen(pages: &[OwnPage], named: Option<&PageId>) -> Result<OwnPage, Error> {
    let list = |error: Error| {
        let mut error = error;
        for page in pages.iter().filter(|page| unusable(page).is_none()).take(20) {
            let name = page.name.as_deref().unwrap_or("no name");
            error = error.hint(format!("for {name}: --page-id {}", to_paste(&page.id, "PAGE_ID")));
        }
        error
    };
    let failed = |cause: &'static causes::Cause, summary: &str| {
        let Diagnosis { cause, fix, .. } = cause.diagnosis();
        Error::check(format!("{summary}; nothing was saved")).reason(cause).hint(fix)
    };
    if pages.is_empty() {
        return Err(failed(&NO_PAGE_GRANTED, "the token is a person's or a system user's, and reaches no Page"));
    }
    let Some(named) = named else {
        let error = Error::check("the token is a person's or a system user's, not a Page's; nothing was saved");
        let error = error.reason(PAGE_TOKEN_NEEDED.id);
        return Err(list(error.hint("name the Page with --page-id, and its own token is taken")));
    };
    let Some(page) = pages.iter().find(|page| page.id == named.as_str()) else {
        let what = format!("the token is a person's or a system user's, and does not reach page {named}");
        return Err(list(failed(&NO_PAGE_GRANTED, &what)));
    };
    match unusable(page) {
        Some(why) => {
            let name = page.name.as_deref().unwrap_or(&page.id);
            Err(Error::check(format!("{name} cannot be connected with this token: {why}; nothing was saved"))
                .reason(PAGE_TOKEN_NEEDED.id)
                .hint("have a person with full control of the Page give the role, or take that person's token"))
        }
        None => Ok(page.clone()),
    }
}

/// Whether app id and app secret fit together, and fit a token.
pub enum Fit {
    /// They do.
    Yes,
    /// They do not, for this reason.
    No(String),
    /// Graph could not be asked, for this reason.
    NotAsked(String),
}

/// Asks Graph whether an app's id and secret fit together and fit the token.
pub fn fits(workspace: &Workspace, client: &Client, token: &Secret, app: &AppCredentials) -> Result<Fit, Error> {
    let asked = {
        let _waiting = workspace.reporter.waiting("asking Graph whether they fit …");
        Workspace::wait(token::debug(client, token, app))?
    };
    Ok(match asked {
        Ok(answer) if answer.value.app_id.as_ref().is_none_or(|found| *found == app.id) => Fit::Yes,
        Ok(_) => Fit::No("the token was issued by another app".to_owned()),
        Err(GraphError::Refused(error)) => match causes::of(&error, Place::App.plain()) {
            found if found.cause == OTHER_APP.id => {
                Fit::No(format!("the token was not issued by app {}, but by another app", app.id))
            }
            found => Fit::No(found.summary),
        },
        Err(GraphError::Unreachable(why)) => Fit::NotAsked(of_unreachable(&why).summary),
    })
}

/// Asks Graph whose the token of a draft is, fills in what the draft lacks, and says what.
pub fn complete(workspace: &Workspace, client: &Client, draft: &mut Draft) -> Result<(), Error> {
    let Some(token) = draft.inputs.token.clone() else { return Err(fields::missing(&[&fields::TOKEN], None)) };
    // Signing needs the secret alone; the id may be what is asked for.
    let signer = draft.inputs.app_secret.clone().map(|secret| AppCredentials { id: String::new(), secret });
    let asks = signer.is_some() && draft.given.app_id.is_none();
    let issuer = if asks { Issuer::Needed } else { Issuer::Unasked };
    let named = draft.given.page_id.clone();
    let known = match ask(workspace, client, &token, signer.as_ref(), named.as_ref(), issuer)? {
        Ok(known) => known,
        Err(Unknown { error: error @ GraphError::Unreachable(_), .. }) => return Err(out_of_reach(error, draft)),
        Err(Unknown { error, is_of_pages: true }) => {
            return Err(Error::of_graph(&error, Place::Me.signed(signer.is_some())));
        }
        Err(Unknown { is_of_pages: false, .. }) => return Err(explain(workspace, client, &token, draft)?),
    };
    let page = match known.whose {
        Whose::Page(page) if !page.may_be_a_person() => Some(page),
        Whose::Person(_) => take_own_token(workspace, client, draft)?,
        Whose::Page(_) | Whose::Unsigned | Whose::NotAsked => None,
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

/// Fills in what a draft lacks of what is known of its app and Page.
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

/// Where the token is a person's or a system user's and the draft names one of their
/// Pages: that Page's own token takes its place. `None`: it is a Page's already.
pub fn take_own_token(workspace: &Workspace, client: &Client, draft: &mut Draft) -> Result<Option<Page>, Error> {
    let Some(token) = draft.inputs.token.clone() else { return Ok(None) };
    let signer = draft.signer();
    let named = draft.given.page_id.clone();
    let Some((own, page)) = own_page(workspace, client, &token, signer.as_ref(), named.as_ref())? else {
        return Ok(None);
    };
    // What a list of Pages leaves out, the Page's own token shows.
    let shown = Workspace::wait(page::me(client, &own, signer.as_ref()))?.ok().map(|answer| answer.value);
    draft.inputs.put(SecretKind::PageAccessToken, Some(own));
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

/// A token that Graph refuses before anything is known of its Page: the checks
/// say why. When they find nothing wrong with it, the missing values are the point.
fn explain(workspace: &Workspace, client: &Client, token: &Secret, draft: &Draft) -> Result<Error, Error> {
    let subject = Subject {
        commands: commands::unsaved(),
        page_id: draft.given.page_id.as_ref().map(ToString::to_string),
        page_username: draft.given.page_username.as_ref().map(ToString::to_string),
        token: token.clone(),
        app_id: draft.given.app_id.as_ref().map(ToString::to_string),
        app: draft.signer(),
        app_secret_gone: None,
        callback: None,
        messages: AccountMessages::default(),
        chat_settings: ChatSettings::default(),
        warn_days: WARN_DAYS,
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
