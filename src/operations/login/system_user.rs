//! A system user of a business, and a token of it: finds or creates the user, installs the app,
//! assigns the Pages, makes the token. What exists already is used, so that a run that failed in
//! the middle goes on when it is repeated.

use std::fmt::Write as _;

use crate::accounts::Name;
use crate::checks::causes::{OTHER_APP, PAGE_NOT_GRANTED, PERMISSION_MISSING, Place, REFUSED, TOKEN_NOT_ACCEPTED};
use crate::dashboard;
use crate::graph::endpoints::business::{self, Business, Caller, SystemUser};
use crate::graph::endpoints::token::{self, TokenInfo};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::operations::{Error, Kind, Workspace};
use crate::secrets::Secret;

/// The name of the system user, unless another is wanted.
pub const NAME: &str = "msgrctl";

/// What the system user may do on each Page.
pub const TASKS: [&str; 3] = ["MESSAGING", "MODERATE", "MANAGE"];

/// The permissions of its token.
pub const SCOPES: [&str; 5] =
    ["pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement", "business_management"];

/// How long the token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// 60 days; `account renew` makes the next one. Meta recommends it.
    SixtyDays,
    /// Without an end. Some businesses do not allow it any more.
    Never,
}

/// What is wanted of a business.
#[derive(Clone, Copy, Debug)]
pub struct SystemUserRequest<'w> {
    /// The business.
    pub business: &'w Business,
    /// The name of the system user; see [`NAME`].
    pub name: &'w str,
    /// The ids of the Pages that its token has to reach.
    pub pages: &'w [String],
    /// How long its token lives.
    pub life: Life,
}

/// What exists, and what will be made.
#[derive(Clone, Debug)]
pub struct Prepared {
    business: Business,
    name: String,
    user: Option<SystemUser>,
    /// How many other system users there are.
    others: usize,
    /// The Pages that the user does not have yet, with all tasks.
    to_assign: Vec<String>,
    /// All Pages that the token has to reach.
    pages: Vec<String>,
    life: Life,
}

impl Prepared {
    /// The system user that will be used; `None`: one will be created, which cannot be deleted
    /// later.
    pub fn user(&self) -> Option<&SystemUser> {
        self.user.as_ref()
    }

    /// The ids of the Pages that will be assigned.
    pub fn to_assign(&self) -> &[String] {
        &self.to_assign
    }

    /// What will be done at Meta, a line for each step; for a question.
    pub fn steps(&self, app_id: &str) -> Vec<String> {
        let business = shown(&self.business);
        let user = match (&self.user, self.others) {
            (Some(user), _) => format!("use the system user '{}' ({}) of {business}", self.name, user.id),
            (None, others) => format!(
                "create the system user '{}' in {business}, which has {}; a system user cannot be deleted later, and their number is limited",
                self.name,
                match others {
                    0 => "none yet".to_owned(),
                    1 => "1 other".to_owned(),
                    others => format!("{others} others"),
                }
            ),
        };
        let mut steps = vec![user, format!("install app {app_id} for it")];
        steps.extend(self.to_assign.iter().map(|page| format!("assign Page {page} to it ({})", TASKS.join(", "))));
        steps.push(match self.life {
            Life::SixtyDays => format!("make a token of 60 days with {}", SCOPES.join(", ")),
            Life::Never => format!("make a token without an end with {}", SCOPES.join(", ")),
        });
        steps
    }
}

/// A token, and the system user that it belongs to.
#[derive(Debug)]
pub struct SystemUserToken {
    /// The system user.
    pub user: SystemUser,
    /// Its token. The own token of each Page is behind it, as behind a person's.
    pub token: Secret,
    /// What Meta says of the token: of a system user, of this app, with all permissions, for all
    /// Pages.
    pub info: TokenInfo,
}

/// An administrator of a business, by a token with `business_management`.
pub struct Administrator<'a> {
    workspace: &'a Workspace,
    client: Client,
    token: Secret,
    app: AppCredentials,
}

impl<'a> Administrator<'a> {
    /// `token` is a person's or a system user's who administers the business; `app` issued it.
    pub fn new(workspace: &'a Workspace, token: Secret, app: AppCredentials) -> Result<Self, Error> {
        Ok(Self { workspace, client: workspace.graph()?, token, app })
    }

    fn caller(&self) -> Caller<'_> {
        Caller { token: &self.token, app: Some(&self.app) }
    }

    /// The businesses of the token, to choose one.
    pub fn businesses(&self) -> Result<Vec<Business>, Error> {
        let _waiting = self.workspace.reporter.waiting("asking Meta for your businesses …");
        let listed = Workspace::wait(business::of_token(&self.client, self.caller()))?;
        let businesses = listed.whole().map_err(|error| refused(&error, Place::Business, "your businesses"))?;
        if businesses.is_empty() {
            return Err(Error::check("the token does not administer any business")
                .hint("create one at https://business.facebook.com, add the app and the Pages to it, and log in again")
                .hint("without a business, connect a Page with a person's token: msgrctl account add"));
        }
        Ok(businesses)
    }

    /// The business with this id.
    pub fn business(&self, id: &str) -> Result<Business, Error> {
        let _waiting = self.workspace.reporter.waiting("asking Meta for the business …");
        let found = Workspace::wait(async {
            // A list that cannot be read says nothing about this one.
            let own = business::of_token(&self.client, self.caller()).await.items;
            match own.into_iter().find(|business| business.id == id) {
                Some(business) => Ok(business),
                None => business::by_id(&self.client, self.caller(), id).await,
            }
        })?;
        found.map_err(|error| refused(&error, Place::Business, &format!("the business {id}")))
    }

    /// Looks at what exists; changes nothing.
    pub fn prepare(&self, wish: SystemUserRequest<'_>) -> Result<Prepared, Error> {
        let name: Name = wish.name.parse().map_err(|error| Error::from(error).context("the system user's name"))?;
        if wish.pages.is_empty() {
            return Err(Error::usage("missing: the Pages that the system user's token has to reach")
                .hint("the Pages of the business: msgrctl account discover"));
        }
        let _waiting = self.workspace.reporter.waiting("asking Meta for the system users …");
        let (users, assigned) = Workspace::wait(self.look(&wish.business.id, name.as_str()))?.map_err(|error| {
            self.failed(wish.business, &[], "reading the system users", Some(&error), Place::Business)
        })?;
        let (own, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| is_called(user, name.as_str()));
        let to_assign = wish.pages.iter().filter(|page| !assigned.contains(page)).cloned().collect();
        Ok(Prepared {
            business: wish.business.clone(),
            name: name.as_str().to_owned(),
            user: own.into_iter().next(),
            others: others.len(),
            to_assign,
            pages: wish.pages.to_vec(),
            life: wish.life,
        })
    }

    /// The system users, and the Pages that the one of that name has with all tasks.
    async fn look(&self, business: &str, name: &str) -> Result<(Vec<SystemUser>, Vec<String>), GraphError> {
        let users = business::system_users(&self.client, self.caller(), business).await?;
        let Some(user) = users.iter().find(|user| is_called(user, name)) else { return Ok((users, Vec::new())) };
        let assigned = match business::assigned_pages(&self.client, self.caller(), &user.id).await {
            Ok(pages) => pages,
            // Not shown: they are assigned again, which changes nothing.
            Err(GraphError::Refused(error)) if error.code != Some(190) => Vec::new(),
            Err(error) => return Err(error),
        };
        // Pages with the new experience name the same tasks otherwise.
        let is = |task: &str, wanted: &str| {
            task == wanted
                || task == "PROFILE_PLUS_FULL_CONTROL"
                || task.strip_prefix("PROFILE_PLUS_").is_some_and(|task| task == wanted)
        };
        let has_all = |tasks: &[String]| TASKS.iter().all(|wanted| tasks.iter().any(|task| is(task, wanted)));
        let whole = assigned.into_iter().filter(|page| page.tasks.as_deref().is_some_and(has_all));
        Ok((users, whole.map(|page| page.id).collect()))
    }

    /// Makes what is missing, then the token. After a failure the same may be done again, from
    /// `prepare` on: it goes on where it stopped.
    pub fn carry_out(&self, prepared: &Prepared) -> Result<SystemUserToken, Error> {
        let business = &prepared.business;
        let hold = self.workspace.reporter.hold();
        let progress = self.workspace.reporter.waiting(&format!("setting up the system user '{}' …", prepared.name));
        let mut done: Vec<String> = Vec::new();
        let stopped = |done: &[String]| {
            if hold.was_interrupted() { Err(noted(Error::interrupted(), done)) } else { Ok(()) }
        };
        let user = if let Some(user) = &prepared.user {
            user.clone()
        } else {
            let made = business::create_system_user(&self.client, self.caller(), &business.id, &prepared.name);
            let doing = format!("creating the system user '{}'", prepared.name);
            let made = Workspace::wait(made)?
                .map_err(|error| self.failed(business, &done, &doing, Some(&error), Place::NewSystemUser))?;
            done.push(format!("the system user '{}' ({})", prepared.name, made.id));
            made
        };
        stopped(&done)?;
        progress.now(&format!("installing app {} for the system user …", self.app.id));
        let doing = format!("installing app {} for the system user", self.app.id);
        let installed = business::install_app(&self.client, self.caller(), &user.id, &self.app.id);
        self.confirmed(Workspace::wait(installed)?, business, &done, &doing, Place::AppInstall)?;
        done.push(format!("app {} is installed", self.app.id));
        let mut unassigned: Vec<String> = Vec::new();
        for page in &prepared.to_assign {
            stopped(&done)?;
            progress.now(&format!("assigning Page {page} to the system user …"));
            let assigned = business::assign_page(&self.client, self.caller(), page, &user.id, &TASKS);
            let doing = format!("assigning Page {page} to the system user");
            match self.confirmed(Workspace::wait(assigned)?, business, &done, &doing, Place::PageAssignment) {
                Ok(()) => done.push(format!("Page {page} is assigned")),
                // One Page that Meta refuses holds no other up.
                Err(error) if error.kind() != Kind::Remote && prepared.pages.len() > unassigned.len() + 1 => {
                    self.workspace.warning(error.message());
                    unassigned.push(page.clone());
                }
                Err(error) => return Err(error),
            }
        }
        stopped(&done)?;
        progress.now("making the token of the system user …");
        let never = prepared.life == Life::Never;
        let made = business::make_token(&self.client, &self.token, &self.app, &user.id, &SCOPES, never);
        let doing = "making the system user's token";
        let token = Workspace::wait(made)?.map_err(|error| {
            let failed = self.failed(business, &done, doing, Some(&error), Place::SystemUserToken);
            if never {
                failed.hint("some businesses do not allow tokens that never expire: omit --never-expires")
            } else {
                failed
            }
        })?;
        done.push("a token was created and not stored".into());
        let inspected = Workspace::wait(token::debug(&self.client, &token, &self.app))?;
        let info = inspected
            .map_err(|error| self.failed(business, &done, "inspecting the new token", Some(&error), Place::App))?
            .value;
        judge(&info, &self.app.id, prepared, &unassigned).map_err(|error| noted(error, &done))?;
        if never != (info.expires_at == Some(0)) {
            let has =
                if never { "an end, although none was asked for" } else { "no end, although 60 days were asked for" };
            self.workspace.warning(&format!("the system user's token has {has}"));
        }
        Ok(SystemUserToken { user, token, info })
    }

    /// A change that Meta has to confirm.
    fn confirmed(
        &self,
        result: Result<bool, GraphError>,
        business: &Business,
        done: &[String],
        doing: &str,
        place: Place,
    ) -> Result<(), Error> {
        match result {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.failed(business, done, doing, None, place)),
            Err(error) => Err(self.failed(business, done, doing, Some(&error), place)),
        }
    }

    /// A step that failed: why, what was done before, and how to do the rest. `error`: `None` where
    /// Meta did not confirm it.
    fn failed(
        &self,
        business: &Business,
        done: &[String],
        doing: &str,
        error: Option<&GraphError>,
        place: Place,
    ) -> Error {
        let shown = match error {
            Some(error) => refused(error, place, doing),
            None => Error::failed(format!("{doing}: Meta did not confirm it")).reason(REFUSED.id),
        };
        let is_change =
            matches!(place, Place::NewSystemUser | Place::AppInstall | Place::PageAssignment | Place::SystemUserToken);
        match error {
            Some(GraphError::Unreachable(_)) if is_change => {
                noted(shown.note("whether Meta has done it is not known"), done)
            }
            Some(GraphError::Unreachable(_)) => noted(shown, done),
            _ => {
                let shown = shown.hint(self.by_hand(&business.id, place));
                if done.is_empty() { shown.note("nothing was changed at Meta") } else { noted(shown, done) }
            }
        }
    }

    /// The step in the browser.
    fn by_hand(&self, business: &str, place: Place) -> String {
        let users = dashboard::system_users(business);
        match place {
            Place::NewSystemUser => {
                format!("or create it in the browser: open {users}, choose Add, role Employee; then run this again")
            }
            Place::AppInstall => format!(
                "or in the browser: add app {} to the business at {}, then open {users}, choose the system user, Assign assets > Apps; then run this again",
                self.app.id,
                dashboard::business_apps(business)
            ),
            Place::PageAssignment => format!(
                "or in the browser: open {users}, choose the system user, Assign assets > Pages, and give it full control of each Page; then run this again"
            ),
            Place::SystemUserToken => format!(
                "or in the browser: open {users}, choose the system user and Generate token, choose app {} and the permissions {}; then give each account the token: msgrctl account add --token-stdin --page-id PAGE_ID",
                self.app.id,
                SCOPES.join(", ")
            ),
            _ => format!("the system users of the business are at {users}"),
        }
    }
}

/// Whether a system user has this name.
fn is_called(user: &SystemUser, name: &str) -> bool {
    user.name.as_deref().is_some_and(|own| own.trim() == name)
}

/// The name and id of a business.
fn shown(business: &Business) -> String {
    match &business.name {
        Some(name) => format!("the business '{name}' ({})", business.id),
        None => format!("the business {}", business.id),
    }
}

/// A refusal, or a missing answer, after what was being done.
fn refused(error: &GraphError, place: Place, doing: &str) -> Error {
    Error::of_graph(error, place.signed(true)).context(doing)
}

/// Adds what was done before a failure.
fn noted(error: Error, done: &[String]) -> Error {
    if done.is_empty() {
        return error;
    }
    error.note(format!("already done: {}; run the same command again to continue", done.join(", ")))
}

/// Whether a token is what was asked for.
fn judge(info: &TokenInfo, app_id: &str, prepared: &Prepared, unassigned: &[String]) -> Result<(), Error> {
    let fails = |cause: &'static crate::checks::causes::Cause, what: String| {
        Err(Error::check(format!("the system user's new token {what}")).reason(cause.id).hint(cause.fix()))
    };
    if !info.lives() || !info.is_of_system_user() {
        let kind = info.kind.as_deref().unwrap_or("UNKNOWN");
        return fails(&TOKEN_NOT_ACCEPTED, format!("does not work, or is not a system user's (type {kind})"));
    }
    if info.app_id.as_deref().is_some_and(|issuer| issuer != app_id) {
        return fails(&OTHER_APP, format!("belongs to another app than {app_id}"));
    }
    let missing: Vec<&str> = SCOPES.into_iter().filter(|scope| !info.grants(scope)).collect();
    if !missing.is_empty() {
        return fails(
            &PERMISSION_MISSING,
            format!("lacks {}: the app has to have these permissions", missing.join(", ")),
        );
    }
    let reaches =
        |page: &&String| ["pages_messaging", "pages_manage_metadata"].iter().all(|scope| info.covers(scope, page));
    let mut not_reached = String::new();
    for page in prepared.pages.iter().filter(|page| !unassigned.contains(page) && !reaches(page)) {
        // Writing into memory does not fail.
        let _ = write!(not_reached, "{}{page}", if not_reached.is_empty() { "" } else { ", " });
    }
    if not_reached.is_empty() { Ok(()) } else { fails(&PAGE_NOT_GRANTED, format!("does not reach Page {not_reached}")) }
}
