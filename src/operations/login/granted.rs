//! From the code of a login to a token that lasts, and the Pages behind it.

use std::collections::BTreeSet;

use super::dialog::Dialog;
use crate::checks::causes::{Place, TOKEN_NOT_ACCEPTED};
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::endpoints::{app, login, renewal, token};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::operations::accounts::owner::Question;
use crate::operations::{Error, Workspace};
use crate::secrets::Secret;

const UNCHANGED: &str = "no account was changed";

/// What a login gave.
pub struct Granted {
    /// The person's token: long-lived where Meta gave such a one.
    pub token: Secret,
    /// The Pages behind it, each with its own token where the person may use it.
    pub pages: Vec<OwnPage>,
    /// Permissions that a connection needs and that the person did not grant.
    pub lacking: Vec<String>,
}

/// Asks Meta whether the app's id and secret belong together, before a person logs in for nothing.
///
/// # Errors
///
/// They do not, or Meta does not answer.
pub fn check_app(workspace: &Workspace, client: &Client, app: &AppCredentials) -> Result<(), Error> {
    let _waiting = workspace.reporter.waiting("asking Meta for the app …");
    match Workspace::wait(app::itself(client, app))? {
        Err(error @ GraphError::Unreachable(_)) => Err(Error::of_graph(&error, Place::App.plain())),
        Err(GraphError::Refused(error)) => {
            let is_wrong = matches!(error.code, Some(1 | 101 | 190));
            let shown = Error::of_graph(&GraphError::Refused(error), Place::App.plain());
            // Any other refusal says nothing about the login.
            if is_wrong { Err(shown) } else { Ok(()) }
        }
        Ok(_) => Ok(()),
    }
}

/// Changes the code for a token, that for a long-lived one, and lists its Pages, with those in
/// `named`, which Meta may show only by their ids.
///
/// # Errors
///
/// Meta refuses the code or does not answer. A code works once, so the login begins anew.
pub fn granted(
    workspace: &Workspace,
    client: &Client,
    dialog: &Dialog,
    code: &Secret,
    named: &[String],
) -> Result<Granted, Error> {
    let app = &dialog.app;
    let token = {
        let _waiting = workspace.reporter.waiting("asking Meta for the token …");
        Workspace::wait(login::exchange_code(client, app, code, &dialog.redirect))?
    };
    let token = token.map_err(|error| {
        let is_open = matches!(error, GraphError::Unreachable(_));
        let shown = Error::of_graph(&error, Place::Login.plain()).note(UNCHANGED);
        if is_open { shown.hint("the code may be used up: begin the login again") } else { shown }
    })?;
    of_token(workspace, client, app, token, &dialog.asked, named)
}

/// The same for a token that is there already; `asked`: the permissions that a connection needs of
/// it.
pub fn of_token(
    workspace: &Workspace,
    client: &Client,
    app: &AppCredentials,
    token: Secret,
    asked: &[String],
    named: &[String],
) -> Result<Granted, Error> {
    let (info, permissions) = {
        let _waiting = workspace.reporter.waiting("asking Meta what was granted …");
        Workspace::wait(async {
            tokio::join!(token::debug(client, &token, app), login::permissions(client, &token, app))
        })?
    };
    let refused = |error: GraphError| Error::of_graph(&error, Place::Me.signed(true)).note(UNCHANGED);
    let info = info.map_err(|error| Error::of_graph(&error, Place::App.plain()).note(UNCHANGED))?.value;
    if !info.lives() {
        return Err(Error::credentials(format!("Meta does not accept the token that the login gave; {UNCHANGED}"))
            .reason(TOKEN_NOT_ACCEPTED.id)
            .hint("begin the login again"));
    }
    let is_declined = |wanted: &str| {
        let known = permissions.iter().flat_map(|answer| answer.iter());
        known.filter(|permission| permission.permission == wanted).any(|one| one.status.as_deref() != Some("granted"))
    };
    let lacks = |wanted: &&String| !info.grants(wanted) || is_declined(wanted);
    let lacking = asked.iter().filter(lacks).cloned().collect();
    // A short-lived token would make Pages' tokens that end within hours: it is not good enough to
    // replace one. A business's token lasts as it is.
    let token = if info.is_of_system_user() {
        token
    } else {
        let _waiting = workspace.reporter.waiting("asking Meta for a token that lasts …");
        let exchanged = Workspace::wait(renewal::exchange(client, &token, app, false))?;
        exchanged.map_err(|error| Error::of_graph(&error, Place::Exchange.plain()).note(UNCHANGED))?.value.access_token
    };
    let question = Question { workspace, client, token: &token, signer: Some(app), named: None };
    let mut pages = question.pages()?.map_err(refused)?.unwrap_or_default();
    let missing = named.iter().filter(|id| !pages.iter().any(|page| page.id == **id));
    let missing: BTreeSet<String> = missing.cloned().collect();
    if !missing.is_empty() {
        let found = client.in_batches(person::by_ids::<OwnPage>(client, &token, Some(app), missing));
        pages.extend(Workspace::wait(found)?.map_err(refused)?);
    }
    Ok(Granted { token, pages, lacking })
}
