//! Finds the Pages that a person's or a system user's token reaches: by roles, by businesses, by
//! what the token was granted for.

use std::cell::Cell;
use std::collections::HashMap;

use futures_util::stream::{self, StreamExt as _};

use super::fields::{APP_SECRET, TOKEN};
use crate::accounts::{Account, AppId};
use crate::checks::causes::{
    self, BUSINESS_NOT_SHOWN, BUSINESS_ROLE_MISSING, NO_PAGE_GRANTED, PERMISSION_MISSING, Place, USER_TOKEN_NEEDED,
};
use crate::graph::endpoints::business::{self, Business, Caller, Edge};
use crate::graph::endpoints::person::{self, SeenPage};
use crate::graph::endpoints::{Listed, app, token};
use crate::graph::{ApiError, AppCredentials, Client, GraphError, Wording};
use crate::operations::{Error, Progress, Workspace};
use crate::provision::discovered::{FoundPage, ReachedBy};
use crate::secrets::{Secret, SecretKind};
use crate::text::count;

/// A token to ask with, and its app as far as it is known.
pub struct Asker {
    pub token: Secret,
    pub app_id: Option<AppId>,
    pub app_secret: Option<Secret>,
}

/// What was found.
pub struct Discovery {
    /// Each Page once, in the order in which Graph named them.
    pub pages: Vec<FoundPage>,
    /// How many lists could not be read to their end; each was a warning.
    pub faults: usize,
}

/// The kept tokens of the tenant's accounts, each once.
///
/// # Errors
///
/// The accounts or a store cannot be read.
pub fn kept(workspace: &Workspace, known: &[Account]) -> Result<Vec<Asker>, Error> {
    let realm = workspace.realm()?;
    let mut askers: Vec<Asker> = Vec::new();
    for account in known.iter().filter(|account| account.graph == realm) {
        let Some(token) = workspace.secret(account, SecretKind::UserAccessToken)? else { continue };
        if !askers.iter().any(|asker| asker.token == token) {
            askers.push(Asker { token, app_id: account.app_id.clone(), app_secret: None });
        }
    }
    Ok(askers)
}

/// The error where no token was given and no account keeps one.
pub fn no_token() -> Error {
    Error::usage("missing: the token of a person or a system user").reason(USER_TOKEN_NEEDED.id).hint(format!(
        "give it with {}, or the variable {}; an account keeps one where it was added with --keep-user-token",
        TOKEN.flags,
        TOKEN.variable.unwrap_or_default()
    ))
}

/// Asks Graph for every Page that the tokens reach, or that the business with this id has.
///
/// # Errors
///
/// Nothing was found, with the reason; or the business cannot be read.
pub fn discover(
    workspace: &Workspace,
    askers: Vec<Asker>,
    known: &[Account],
    business: Option<&str>,
) -> Result<Discovery, Error> {
    let client = workspace.graph()?;
    let mut found = Found::default();
    let mut failed = None;
    for asker in askers {
        let progress = workspace.reporter.waiting("asking Graph for the Pages that the token reaches …");
        let result = signed(workspace, &client, asker, known).and_then(|asker| {
            let reach = Workspace::wait(client.in_batches(read(&client, asker.caller(), business, &*progress)))?;
            drop(progress);
            found.add(workspace, &asker, reach, business)
        });
        if let Err(error) = result {
            // Another token may reach more.
            failed = match failed {
                None => Some(error),
                Some(first) => {
                    say_failed(workspace, &error);
                    found.faults += 1;
                    Some(first)
                }
            };
        }
    }
    let Found { pages, faults, .. } = found;
    match failed {
        Some(error) if pages.is_empty() => return Err(error),
        Some(error) => {
            say_failed(workspace, &error);
            return Ok(Discovery { pages, faults: faults + 1 });
        }
        None if pages.is_empty() && faults == 0 => {
            let what = match business {
                Some(id) => format!("the business {id} shows no Page to the token"),
                None => "the token reaches no Page".to_owned(),
            };
            return Err(Error::check(what).reason(NO_PAGE_GRANTED.id).hint(NO_PAGE_GRANTED.fix()));
        }
        None => {}
    }
    Ok(Discovery { pages, faults })
}

fn say_failed(workspace: &Workspace, error: &Error) {
    workspace.warning(&format!("one of the tokens was not read: {}", error.message()));
}

/// A token whose app is known, with the secret to sign with where the app needs it.
struct Signed {
    token: Secret,
    app_id: Option<AppId>,
    signer: Option<AppCredentials>,
}

impl Signed {
    fn caller(&self) -> Caller<'_> {
        Caller { token: &self.token, app: self.signer.as_ref() }
    }
}

/// Finds the app of a token, and its secret: the given one, or that of an account of the app.
fn signed(workspace: &Workspace, client: &Client, asker: Asker, known: &[Account]) -> Result<Signed, Error> {
    let Asker { token, app_id, app_secret } = asker;
    let id = |app_id: &Option<AppId>| app_id.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut signer = app_secret.map(|secret| AppCredentials { id: id(&app_id), secret });
    let is_given = signer.is_some();
    let mut apps: Vec<&Account> = Vec::new();
    for account in known.iter().filter(|account| account.secrets.contains_key(&SecretKind::AppSecret)) {
        let is_other = |app: &AppId| app_id.as_ref().is_some_and(|id| id != app);
        let is_new = |app: &AppId| !apps.iter().any(|known| known.app_id.as_ref() == Some(app));
        if account.app_id.as_ref().is_some_and(|app| !is_other(app) && is_new(app)) {
            apps.push(account);
        }
    }
    let credentials = |account: &Account| -> Result<Option<AppCredentials>, Error> {
        let secret = workspace.secret(account, SecretKind::AppSecret)?;
        Ok(secret.map(|secret| AppCredentials { id: id(&account.app_id), secret }))
    };
    let mut others = apps.iter();
    let found = loop {
        match Workspace::wait(app::of_token(client, &token, signer.as_ref()))? {
            Ok(answer) => break answer.value.id.parse::<AppId>().ok(),
            // The app asks for signed calls: perhaps it is one that an account has.
            Err(GraphError::Refused(error)) if error.wording == Some(Wording::Proof) && !is_given => {
                let Some(account) = others.next() else {
                    let error = Error::of_graph(&GraphError::Refused(error), Place::Me.plain());
                    return Err(error.hint(format!("give it with {}", APP_SECRET.flags)));
                };
                signer = credentials(account)?.or(signer);
            }
            Err(error) if is_given => return Err(Error::of_graph(&error, Place::Me.signed(true))),
            Err(GraphError::Refused(error)) if error.code != Some(190) => break None,
            Err(error) => return Err(Error::of_graph(&error, Place::Me.signed(signer.is_some()))),
        }
    };
    let app_id = app_id.or(found);
    match &mut signer {
        Some(signer) if signer.id.is_empty() => signer.id = id(&app_id),
        Some(_) => {}
        None => {
            let account = apps.iter().find(|account| app_id.is_some() && account.app_id == app_id);
            signer = account.map(|account| credentials(account)).transpose()?.flatten();
        }
    }
    Ok(Signed { token, app_id, signer })
}

/// What one token reaches.
struct Reach {
    roles: Listed<SeenPage>,
    /// Without roles: the Pages that the token was granted for.
    granted: Result<Vec<SeenPage>, GraphError>,
    /// Why the list of businesses could not be read.
    businesses: Option<GraphError>,
    lists: Vec<(Business, Edge, Listed<SeenPage>)>,
}

async fn read(client: &Client, caller: Caller<'_>, business: Option<&str>, progress: &dyn Progress) -> Reach {
    /// Lists read at once.
    const AT_ONCE: usize = 50;
    let seen = Cell::new(0);
    let more = |pages: usize| {
        seen.set(seen.get() + pages);
        progress.now(&format!("asking Graph for the Pages that the token reaches … {} so far", count(seen.get())));
    };
    let more = &more;
    let of = |businesses: Vec<Business>| {
        let edges = businesses.into_iter().flat_map(|business| Edge::ALL.map(|edge| (business.clone(), edge)));
        let lists = stream::iter(edges).map(move |(business, edge)| async move {
            let pages = business::pages(client, caller, &business.id, edge, more).await;
            (business, edge, pages)
        });
        lists.buffered(AT_ONCE).collect::<Vec<_>>()
    };
    let of_businesses = async {
        let Some(id) = business else {
            let Listed { items, error } = business::of_token(client, caller).await;
            return (error, of(items).await);
        };
        // Its lists decide whether it can be read; its name is for people.
        let lists = of(vec![Business { id: id.to_owned(), name: None }]);
        let (named, mut lists) = tokio::join!(business::by_id(client, caller, id), lists);
        if let Ok(named) = named {
            for (business, ..) in &mut lists {
                business.name.clone_from(&named.name);
            }
        }
        (None, lists)
    };
    let roles = person::seen_pages(client, caller.token, caller.app, more);
    let (roles, (businesses, lists)) = tokio::join!(roles, of_businesses);
    let granted = if roles.items.is_empty() && roles.error.is_none() && business.is_none() {
        granted(client, caller).await
    } else {
        Ok(Vec::new())
    };
    Reach { roles, granted, businesses, lists }
}

/// The Pages that a token was granted for, where it may be inspected.
async fn granted(client: &Client, caller: Caller<'_>) -> Result<Vec<SeenPage>, GraphError> {
    let info = match caller.app {
        Some(app) => token::debug(client, caller.token, app).await,
        None => token::debug_itself(client, caller.token).await,
    };
    let (ids, _) = person::granted_pages(&info.map(|answer| answer.value).unwrap_or_default());
    person::by_ids(client, caller.token, caller.app, ids).await
}

/// The Pages of all tokens, each once.
#[derive(Default)]
struct Found {
    pages: Vec<FoundPage>,
    places: HashMap<String, usize>,
    faults: usize,
}

impl Found {
    /// Adds what a token reaches; says which lists are not complete.
    fn add(
        &mut self,
        workspace: &Workspace,
        asker: &Signed,
        reach: Reach,
        business: Option<&str>,
    ) -> Result<(), Error> {
        let signed = asker.signer.is_some();
        let Reach { roles, granted, businesses, lists } = reach;
        if let Some(GraphError::Refused(error)) = &roles.error {
            if is_of_page(error) {
                return Err(Error::credentials("the token is a Page's own, and reaches only that Page")
                    .reason(USER_TOKEN_NEEDED.id)
                    .hint(USER_TOKEN_NEEDED.fix())
                    .hint("to connect that Page: msgrctl account add"));
            }
            if error.code == Some(190) || error.wording == Some(Wording::Proof) {
                return Err(Error::of_graph(&GraphError::Refused(error.clone()), Place::Me.signed(signed)));
            }
        }
        match &businesses {
            Some(GraphError::Refused(error)) if lacks_permission(error) => {
                workspace.notice(
                    "the businesses behind the token were not asked for their Pages: the token lacks business_management",
                );
            }
            Some(error) => self.fault(workspace, "the businesses behind the token", error, Place::Business),
            None => {}
        }
        let refused: Vec<&GraphError> = lists.iter().filter_map(|(_, _, pages)| pages.error.as_ref()).collect();
        if let Some(id) = business
            && let [first, _] = refused[..]
            && lists.iter().all(|(_, _, pages)| pages.items.is_empty())
        {
            return Err(unreadable(id, first, signed));
        }
        let before = self.pages.len();
        for (of, edge, pages) in lists {
            if let Some(error) = &pages.error {
                let name = of.name.as_ref().map(|name| format!("'{name}' ")).unwrap_or_default();
                let kind = if edge == Edge::Owned { "own" } else { "clients'" };
                let what = format!("the {kind} Pages of the business {name}({})", of.id);
                self.fault(workspace, &what, error, Place::Business);
            }
            let reached_by = match edge {
                Edge::Owned => ReachedBy::Owned,
                Edge::Client => ReachedBy::Client,
            };
            for page in pages.items {
                self.page(page, reached_by, Some(&of), asker);
            }
        }
        if let Some(error) = &roles.error {
            // What a role gives is the main part: without anything else it is the reason.
            if self.pages.len() == before && roles.items.is_empty() && business.is_none() {
                return Err(Error::of_graph(error, Place::Me.signed(signed)));
            }
            self.fault(workspace, "the Pages of the person's roles", error, Place::Me);
        }
        for page in roles.items {
            if business.is_none() || self.places.contains_key(&page.id) {
                self.page(page, ReachedBy::Role, None, asker);
            }
        }
        match granted {
            Ok(pages) => pages.into_iter().for_each(|page| self.page(page, ReachedBy::Granted, None, asker)),
            Err(error) => self.fault(workspace, "the Pages that the token was granted for", &error, Place::Me),
        }
        Ok(())
    }

    /// Adds a Page, or what this list knows more of it.
    fn page(&mut self, seen: SeenPage, reached_by: ReachedBy, of: Option<&Business>, asker: &Signed) {
        let SeenPage { id, name, username, has_token, tasks, permitted_tasks } = seen;
        let Some(known) = self.places.get(&id).and_then(|at| self.pages.get_mut(*at)) else {
            self.places.insert(id.clone(), self.pages.len());
            let tasks = tasks.or(permitted_tasks);
            let (business, app_id) = (of.cloned(), asker.app_id.clone());
            self.pages.push(FoundPage { id, name, username, tasks, has_token, reached_by, business, app_id });
            return;
        };
        if known.business.is_none() && of.is_some() {
            (known.business, known.reached_by) = (of.cloned(), reached_by);
        }
        if has_token && !known.has_token {
            (known.has_token, known.app_id) = (true, asker.app_id.clone());
        }
        known.name = known.name.take().or(name);
        known.username = known.username.take().or(username);
        // The person's own tasks come before the business's.
        known.tasks = tasks.or(known.tasks.take()).or(permitted_tasks);
    }

    fn fault(&mut self, workspace: &Workspace, what: &str, error: &GraphError, place: Place) {
        self.faults += 1;
        let error = Error::of_graph(error, place.plain());
        let hint = error.first_hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        workspace.warning(&format!("{what} were not all read: {}{hint}", error.message()));
    }
}

/// Whether `/me/accounts` is refused like this for a Page's token: a Page has no such list.
fn is_of_page(error: &ApiError) -> bool {
    error.code == Some(100) && error.subcode.is_none() && error.kind != "GraphMethodException"
}

/// Whether businesses are refused to a token that reaches Pages only by roles.
fn lacks_permission(error: &ApiError) -> bool {
    let cause = causes::of(error, Place::Business.plain()).cause;
    [BUSINESS_NOT_SHOWN.id, BUSINESS_ROLE_MISSING.id, PERMISSION_MISSING.id].contains(&cause)
}

/// The error for a named business.
fn unreadable(id: &str, error: &GraphError, signed: bool) -> Error {
    let shown = Error::of_graph(error, Place::Business.signed(signed));
    match shown.why() {
        Some(cause) if cause == BUSINESS_NOT_SHOWN.id || cause == BUSINESS_ROLE_MISSING.id => {
            shown.context(format!("the business {id} cannot be read"))
        }
        _ => shown.context(format!("the business {id}")),
    }
}
