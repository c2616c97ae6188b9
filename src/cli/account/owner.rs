//! Whose a token is: a Page's, or a person's who has Pages; and the Page's own token
//! behind a person's or a system user's.

use crate::accounts::PageId;
use crate::checks::causes::{self, NO_PAGE_GRANTED, PAGE_TOKEN_NEEDED, Place};
use crate::checks::{Diagnosis, of_unreachable};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::endpoints::app::{self, App};
use crate::graph::endpoints::page::{self, Page};
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::{ApiError, AppCredentials, Client, GraphError, Wording};
use crate::secrets::Secret;
use crate::text::to_paste;
use crate::ui::progress::Progress;

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

/// Asks Graph whose a token is. `named` is a Page that is looked for among a person's.
pub async fn identify(
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&str>,
) -> Result<Known, GraphError> {
    let (me, issuer) = tokio::join!(page::me(client, token, signer), app::of_token(client, token, signer));
    let issuer = issuer.ok().map(|answer| answer.value);
    let known = |whose| Known { whose, issuer: issuer.clone() };
    match me {
        Ok(answer) if !answer.value.may_be_a_person() => return Ok(known(Whose::Page(answer.value))),
        Err(GraphError::Refused(error)) if error.wording == Some(Wording::Proof) && signer.is_none() => {
            return Ok(known(Whose::Unsigned));
        }
        Err(GraphError::Refused(error)) if !may_be_a_persons(&error) => return Err(GraphError::Refused(error)),
        Err(error @ GraphError::Unreachable(_)) => return Err(error),
        Ok(_) | Err(GraphError::Refused(_)) => {}
    }
    // A person has no username and is not published; or the Page's token may not read them.
    let (pages, whose) =
        tokio::join!(pages_of_person(client, token, signer, named), page::whose(client, token, signer));
    match (pages?, whose) {
        (Some(pages), _) => Ok(known(Whose::Person(pages))),
        (None, Ok(page)) => Ok(known(Whose::Page(page.value))),
        (None, Err(error)) => Err(error),
    }
}

/// Whether `/me` refuses what a person's token would be refused for.
pub fn may_be_a_persons(error: &ApiError) -> bool {
    let of_another_kind = causes::of(error, Place::Me.plain()).cause == PAGE_TOKEN_NEEDED.id;
    let of_a_field = matches!(error.code, Some(100 | 10)) && error.kind != "GraphMethodException";
    of_another_kind || of_a_field && error.subcode.is_none() && !error.access_denied
}

/// The Pages behind a token; `None`: it is a Page's own, which has none.
async fn pages_of_person(
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&str>,
) -> Result<Option<Vec<OwnPage>>, GraphError> {
    match person::reachable(client, token, signer, named).await {
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
pub fn lasting(
    ctx: &Context,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    how_to_give_the_app: &str,
) -> Result<Secret, CliError> {
    let Some(signer) = signer else {
        ctx.output.warning(&format!(
            "without app id and app secret the Page's token ends when this person's token ends, which may be in an hour; {how_to_give_the_app}"
        ));
        return Ok(token.clone());
    };
    let asked = {
        let _progress = Progress::start(&ctx.output, "asking Graph for a token that lasts …");
        Context::wait(person::exchange(client, token, signer))?
    };
    match asked {
        Ok(long) => Ok(long.value.access_token),
        Err(error) => {
            let why = match &error {
                GraphError::Refused(error) => causes::of(error, Place::App.plain()).summary,
                GraphError::Unreachable(why) => of_unreachable(why).summary,
            };
            ctx.output.warning(&format!(
                "the person's token could not be exchanged for a long-lived one ({why}), so the Page's token ends with it"
            ));
            Ok(token.clone())
        }
    }
}

/// The Page behind a person's token that is named by its id, with its own token. `None`:
/// the token is a Page's already.
pub fn own_page(
    ctx: &Context,
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
    named: Option<&PageId>,
) -> Result<Option<OwnPage>, CliError> {
    let behind = |token: &Secret| {
        let _progress = Progress::start(&ctx.output, "asking Graph for the Pages behind the token …");
        Context::wait(pages_of_person(client, token, signer, named.map(PageId::as_str)))?
            .map_err(|error| CliError::of_graph(&error, Place::Me.signed(signer.is_some())))
    };
    let Some(pages) = behind(token)? else { return Ok(None) };
    let page = chosen(&pages, named)?;
    if signer.is_none() {
        lasting(ctx, client, token, signer, "give both to make it last: --app-id, --app-secret-file")?;
        return Ok(Some(page));
    }
    let long = lasting(ctx, client, token, signer, "")?;
    let lasting_page = if long == *token { None } else { behind(&long)? };
    let lasting_page = lasting_page.and_then(|pages| chosen(&pages, named).ok());
    Ok(Some(lasting_page.unwrap_or(page)))
}

/// The one of a person's Pages that a flag names.
fn chosen(pages: &[OwnPage], named: Option<&PageId>) -> Result<OwnPage, CliError> {
    let list = |error: CliError| {
        let mut error = error;
        for page in pages.iter().filter(|page| unusable(page).is_none()).take(20) {
            let name = page.name.as_deref().unwrap_or("no name");
            error = error.hint(format!("for {name}: --page-id {}", to_paste(&page.id, "PAGE_ID")));
        }
        error
    };
    let failed = |cause: &'static causes::Cause, summary: &str| {
        let Diagnosis { cause, fix, .. } = cause.diagnosis();
        CliError::check(format!("{summary}; nothing was saved")).reason(cause).hint(fix)
    };
    if pages.is_empty() {
        return Err(failed(&NO_PAGE_GRANTED, "the token is a person's or a system user's, and reaches no Page"));
    }
    let Some(named) = named else {
        let error = CliError::check("the token is a person's or a system user's, not a Page's; nothing was saved");
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
            Err(CliError::check(format!("{name} cannot be connected with this token: {why}; nothing was saved"))
                .reason(PAGE_TOKEN_NEEDED.id)
                .hint("have a person with full control of the Page give the role, or take that person's token"))
        }
        None => Ok(page.clone()),
    }
}
