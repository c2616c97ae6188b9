//! Finds out whose a token is (a Page's, or a person's with Pages), gets the Page's own token
//! behind a person's or a system user's, and checks whether an app fits.

use crate::accounts::PageId;
use crate::checks::causes::{self, NO_PAGE_GRANTED, OTHER_APP, PAGE_TOKEN_NEEDED, Place};
use crate::checks::{Diagnosis, of_unreachable};
use crate::graph::endpoints::app::{self, App};
use crate::graph::endpoints::page::{self, Page};
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::endpoints::{renewal, token};
use crate::graph::{ApiError, AppCredentials, Client, GraphError, Wording};
use crate::operations::{Error, Workspace};
use crate::secrets::Secret;
use crate::text::to_paste;

/// What Graph says about a token.
#[derive(Clone, Default)]
pub struct Known {
    pub whose: TokenOwner,
    /// The app that issued it.
    pub issuer: Option<App>,
    /// Whether the token may ask about itself: its permissions and expiry are then known without
    /// the app secret.
    pub inspects_itself: bool,
}

#[derive(Clone, Default)]
pub enum TokenOwner {
    /// Graph was not asked, or did not answer.
    #[default]
    NotAsked,
    /// The app requires signed calls, and the app secret is not known.
    Unsigned,
    /// A person's or a system user's, with these Pages.
    Person(Vec<OwnPage>),
    Page(Page),
}

impl Known {
    pub fn page(&self) -> Option<&Page> {
        match &self.whose {
            TokenOwner::Page(page) => Some(page),
            _ => None,
        }
    }

    pub fn page_id(&self) -> Option<String> {
        self.page().map(|page| page.id.clone())
    }

    /// The @username, if the Page has one.
    pub fn username(&self) -> Option<String> {
        self.page()?.username.clone()
    }

    pub fn name(&self) -> Option<String> {
        self.page()?.name.clone()
    }
}

/// Whether to ask for the app that issued the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// Do not ask.
    Unasked,
    /// If Graph says so.
    Wished,
    /// Fail if Graph does not answer.
    Needed,
}

/// Why it is not known whose the token is.
pub struct Unknown {
    pub error: GraphError,
    /// Whether the failed call was for a person's Pages.
    pub is_of_pages: bool,
}

/// A token and what is needed to ask about it.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Shows progress.
    pub workspace: &'a Workspace,
    pub client: &'a Client,
    pub token: &'a Secret,
    /// The app to sign calls with.
    pub signer: Option<&'a AppCredentials>,
    /// The Page to look for among a person's.
    pub named: Option<&'a PageId>,
}

impl Question<'_> {
    /// Asks Graph whose the token is.
    pub fn whose(self, issuer: Issuer) -> Result<Result<Known, Unknown>, Error> {
        let _waiting = self.workspace.reporter.waiting("asking Graph whose the token is …");
        Workspace::wait(self.identify(issuer))
    }

    async fn identify(self, issuer: Issuer) -> Result<Known, Unknown> {
        let Self { client, token, signer, .. } = self;
        let of_app = async {
            match issuer {
                Issuer::Unasked => None,
                Issuer::Wished | Issuer::Needed => Some(app::of_token(client, token, signer).await),
            }
        };
        let of_itself = async {
            // With the app secret there is no need to ask.
            issuer == Issuer::Wished && signer.is_none() && token::debug_itself(client, token).await.is_ok()
        };
        let (me, app, inspects_itself) = tokio::join!(page::me(client, token, signer), of_app, of_itself);
        let of_me = |error| Unknown { error, is_of_pages: false };
        let of_pages = |error| Unknown { error, is_of_pages: true };
        let proof = |error: &ApiError| error.wording == Some(Wording::Proof) && signer.is_none();
        let whose = match me {
            Ok(answer) if !answer.value.may_be_a_person() => TokenOwner::Page(answer.value),
            Err(GraphError::Refused(error)) if proof(&error) => TokenOwner::Unsigned,
            Err(GraphError::Refused(error)) if !may_be_a_persons(&error) => {
                return Err(of_me(GraphError::Refused(error)));
            }
            Err(error @ GraphError::Unreachable(_)) => return Err(of_me(error)),
            // A person has no username and is not published; a Page's token may also lack the right to read them.
            Ok(_) | Err(GraphError::Refused(_)) => match self.pages_of_person().await.map_err(of_pages)? {
                Some(pages) => TokenOwner::Person(pages),
                None => TokenOwner::Page(page::whose(client, token, signer).await.map_err(of_me)?.value),
            },
        };
        match app {
            Some(Err(error @ GraphError::Unreachable(_))) if issuer == Issuer::Needed => Err(of_me(error)),
            app => Ok(Known { whose, issuer: app.and_then(Result::ok).map(|answer| answer.value), inspects_itself }),
        }
    }

    async fn pages_of_person(self) -> Result<Option<Vec<OwnPage>>, GraphError> {
        match person::reachable(self.client, self.token, self.signer, self.named.map(PageId::as_str)).await {
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

    /// The Pages behind the token; `None`: it is a Page's own.
    pub fn pages(self) -> Result<Result<Option<Vec<OwnPage>>, GraphError>, Error> {
        let _waiting = self.workspace.reporter.waiting("asking Graph for the Pages behind the token …");
        Workspace::wait(self.pages_of_person())
    }

    /// Exchanges a person's token for a long-lived one with the app secret, and lists its Pages.
    /// `None`, with a notice why, if that fails.
    pub fn lasting_pages(self, how_to_give_the_app: &str) -> Result<Option<Lasting>, Error> {
        let Some(token) = self.lasting(how_to_give_the_app)? else { return Ok(None) };
        let pages = Question { token: &token, ..self }.pages()?.map(Option::unwrap_or_default);
        Ok(Some(Lasting { token, pages }))
    }

    fn lasting(self, how_to_give_the_app: &str) -> Result<Option<Secret>, Error> {
        // The exchange is for people; a system user's token lasts as it is.
        if self.is_of_system_user()? {
            return Ok(None);
        }
        let Some(signer) = self.signer else {
            self.workspace.warning(&format!(
                "without app id and app secret the Page's token expires with this person's token, perhaps within an hour; {how_to_give_the_app}"
            ));
            return Ok(None);
        };
        let asked = {
            let _waiting = self.workspace.reporter.waiting("asking Graph for a token that lasts …");
            Workspace::wait(renewal::exchange(self.client, self.token, signer, false))?
        };
        let why = match &asked {
            Ok(long) => return Ok(Some(long.value.access_token.clone()).filter(|long| long != self.token)),
            Err(GraphError::Refused(error)) => causes::of(error, Place::Exchange.plain()).summary,
            Err(GraphError::Unreachable(why)) => of_unreachable(why).summary,
        };
        self.workspace.warning(&format!(
            "the person's token could not be exchanged for a long-lived one ({why}), so the Page's token expires with it"
        ));
        Ok(None)
    }

    /// Refuses a token that does not reach the named Page as a person's or a system user's does.
    pub fn check_reaches(self) -> Result<(), Error> {
        let refused = |error| Error::of_graph(&error, Place::Me.signed(self.signer.is_some()));
        match self.pages()?.map_err(refused)? {
            Some(pages) => chosen(&pages, self.named).map(drop),
            None => {
                Err(Error::check("the token is a Page's own, not a person's or a system user's; nothing was saved")
                    .hint("give the token of the person or system user that the Page's token came from"))
            }
        }
    }

    /// Whether it is a system user's token, as far as Graph says: by its app, or by itself.
    fn is_of_system_user(self) -> Result<bool, Error> {
        let Self { client, token, signer, .. } = self;
        let asked = Workspace::wait(async {
            match signer {
                Some(app) => token::debug(client, token, app).await,
                None => token::debug_itself(client, token).await,
            }
        })?;
        Ok(asked.is_ok_and(|answer| answer.value.is_of_system_user()))
    }

    /// The own token of the named Page behind a person's or a system user's token; it replaces
    /// that token. `None`: it is already a Page's.
    pub fn own_page(self) -> Result<Option<OwnToken>, Error> {
        let refused = |error| Error::of_graph(&error, Place::Me.signed(self.signer.is_some()));
        let Some(pages) = self.pages()?.map_err(refused)? else { return Ok(None) };
        let mut page = chosen(&pages, self.named)?;
        let mut parent = self.token.clone();
        let how = "give both to make it last: --app-id, --app-secret-file";
        if let Some(lasting) = self.lasting_pages(how)?
            && let Ok(of_lasting) = chosen(&lasting.pages.map_err(refused)?, self.named)
        {
            (page, parent) = (of_lasting, lasting.token);
        }
        let Some(token) = page.access_token.clone() else { return Ok(None) };
        self.workspace
            .notice("the token is a person's or a system user's: the Page's own token is stored in its place");
        Ok(Some(OwnToken { token, page, parent }))
    }
}

/// A Page's own token behind a person's or a system user's.
pub struct OwnToken {
    pub token: Secret,
    pub page: OwnPage,
    /// The token that it came from: the person's, long-lived if it could be exchanged, or the
    /// system user's.
    pub parent: Secret,
}

/// A person's long-lived token, and its Pages.
pub struct Lasting {
    pub token: Secret,
    /// The Pages, whose tokens do not expire; or why they could not be listed.
    pub pages: Result<Vec<OwnPage>, GraphError>,
}

/// Whether `/me` fails like this for a person's token.
fn may_be_a_persons(error: &ApiError) -> bool {
    let of_another_kind = causes::of(error, Place::Me.plain()).cause == PAGE_TOKEN_NEEDED.id;
    let of_a_field = matches!(error.code, Some(100 | 10)) && error.kind != "GraphMethodException";
    of_another_kind || of_a_field && error.subcode.is_none() && !error.access_denied
}

/// Why a Page cannot be connected with a person's token.
pub fn unusable(page: &OwnPage) -> Option<&'static str> {
    if !page.may_message() {
        return Some("the person's role on it does not include messages (task MESSAGING)");
    }
    page.access_token.is_none().then_some("Graph does not return a token of it to this person")
}

/// The named Page among a person's.
fn chosen(pages: &[OwnPage], named: Option<&PageId>) -> Result<OwnPage, Error> {
    const FEW: usize = 20;
    let list = |error: Error| {
        let mut error = error;
        let usable: Vec<&OwnPage> = pages.iter().filter(|page| unusable(page).is_none()).collect();
        for page in usable.iter().take(FEW) {
            let name = page.name.as_deref().unwrap_or("no name");
            error = error.hint(format!("for {name}: --page-id {}", to_paste(&page.id, "PAGE_ID")));
        }
        if usable.len() > FEW {
            error = error
                .hint(format!("and {} more: msgrctl account add on a terminal lists them all", usable.len() - FEW));
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
        return Err(list(error.hint("name the Page with --page-id; its own token is then used")));
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
                .hint("ask a person with full control of the Page for the role, or use that person's token"))
        }
        None => Ok(page.clone()),
    }
}

/// Whether app id and app secret fit together and fit a token.
pub enum Fit {
    /// They fit.
    Yes,
    /// They do not fit, with the reason.
    No(String),
    /// Graph could not be asked, with the reason.
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
