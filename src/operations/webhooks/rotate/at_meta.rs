//! The part of a rotation at Meta: its webhook of the app is given the new verify token, and
//! stays as it is besides.

use crate::accounts::Account;
use crate::address::shown;
use crate::checks::GraphTrace;
use crate::graph::endpoints::subscription::same_callback;
use crate::graph::{Client, GraphError, Unreachable};
use crate::operations::accounts::commands;
use crate::operations::secrets::place;
use crate::operations::webhooks::handshake::{
    HandshakeFailed, callback_of, handshake_failed, is_handshake, without_secrets,
};
use crate::operations::webhooks::observe::observe;
use crate::operations::webhooks::status::judge_and_keep;
use crate::operations::webhooks::target::Target;
use crate::operations::{Error, Workspace};
use crate::provision::subscription::{AppLevel, AppStep, write_app};
use crate::secrets::{Secret, SecretKind};

/// The account as Meta is given its token; `None`, and why, where Meta cannot be.
pub(super) fn at_meta(workspace: &Workspace, account: &Account) -> Result<Option<Target>, Error> {
    let handle = &account.handle;
    let missing = if account.callback_url.is_none() {
        format!("it has no callback URL: msgrctl account edit {handle} --callback-url URL")
    } else if account.app_id.is_none() || !account.secrets.contains_key(&SecretKind::AppSecret) {
        format!("its app secret is not known: {}", commands::saved(account).add_app)
    } else {
        workspace.check_realm(account)?;
        let target = Target::of(workspace, account.clone())?;
        if target.app.is_some() {
            return Ok(Some(target));
        }
        format!("its app secret is not there: {}", place(account, SecretKind::AppSecret))
    };
    workspace.notice(&format!("'{}' is rotated only here; {missing}", account.name));
    Ok(None)
}

/// What gives Meta the new token; `None`: Meta has no webhook of the app, so it cannot be
/// given one.
pub(super) fn step_at_meta(workspace: &Workspace, target: &Target) -> Result<Option<AppStep>, Error> {
    let account = &target.account;
    let client = workspace.graph()?;
    let seen = {
        let _progress = workspace.reporter.waiting("asking Graph about the app's webhook …");
        Workspace::wait(observe(&client, &[target]))?.pop()
    };
    if let Some(seen) = &seen {
        judge_and_keep(workspace, &[(target, seen)]);
    }
    let level = match seen.and_then(|seen| seen.app) {
        Some(level) => level?,
        None => return Ok(None),
    };
    let callback = callback_of(account)?;
    let AppLevel::Present(present) = level else {
        workspace.notice(&format!(
            "Meta has no webhook of this app yet, so there is nothing to replace there; msgrctl webhook subscribe {} sets it",
            account.handle
        ));
        return Ok(None);
    };
    if present.callback_url.as_deref().is_none_or(|now| !same_callback(now, callback.as_str())) {
        let now = shown(present.callback_url.as_deref().unwrap_or("nowhere"));
        return Err(Error::failed(format!("the app's events go to {now}, not to {}", callback.shown()))
            .hint(format!("set that first: msgrctl webhook subscribe {}", account.handle))
            .hint("or store it only here: --here-only"));
    }
    Ok(Some(AppStep::Set { callback_url: callback.as_str().to_owned(), fields: present.fields, replaces: None }))
}

/// Gives Meta the new token. Where no answer tells whether Meta took it, it is given once
/// more: Meta's own handshake with the callback then tells.
pub(super) fn give_to_meta(
    workspace: &Workspace,
    target: &Target,
    step: &AppStep,
    token: &Secret,
) -> Result<(), Error> {
    let account = &target.account;
    let callback = callback_of(account)?;
    let client = workspace.graph()?;
    let progress = workspace.reporter.waiting("giving Meta the new verify token …");
    let mut given = give(&client, target, step, token)?;
    let is_unknown = given.as_ref().is_err_and(may_have_arrived);
    if is_unknown {
        given = give(&client, target, step, token)?;
    }
    drop(progress);
    let kept = format!("both verify tokens are kept; to try again: msgrctl webhook rotate {}", account.handle);
    match given {
        Ok(true) => Ok(()),
        other if is_unknown => {
            let why =
                other.err().map_or_else(|| "Meta rejected the second attempt".to_owned(), |error| error.to_string());
            Err(Error::remote(format!("it is not known whether Meta took the new verify token of '{}'", account.name))
                .cause(why)
                .hint("both verify tokens are kept here, and events go on arriving")
                .hint(format!("to find out, and to finish: msgrctl webhook rotate {}", account.handle)))
        }
        Ok(false) => Err(Error::failed("Meta says that it did not take the new verify token").hint(kept)),
        Err(GraphError::Refused(api)) if is_handshake(api.code) => {
            let prober = workspace.prober()?;
            let HandshakeFailed { cause, summary, fix, .. } =
                Workspace::wait(handshake_failed(&prober, callback.as_str(), token))?;
            let trace = without_secrets(GraphTrace::from(&*api), callback.as_str(), token);
            Err(Error::check(summary).reason(cause).hint(fix).hint(kept).graph(trace))
        }
        Err(error) => Err(Error::from(error).hint(kept)),
    }
}

fn give(client: &Client, target: &Target, step: &AppStep, token: &Secret) -> Result<Result<bool, GraphError>, Error> {
    let Some(app) = &target.app else { return Ok(Ok(false)) };
    Workspace::wait(write_app(client, app, target.account.channel, step, Some(token)))
}

/// Whether Meta may have done what it was asked to, although it did not say so.
fn may_have_arrived(error: &GraphError) -> bool {
    match error {
        GraphError::Unreachable(Unreachable::Fault { fault, .. }) => !fault.never_arrived(),
        GraphError::Unreachable(Unreachable::Throttled(_)) | GraphError::Refused(_) => false,
        GraphError::Unreachable(_) => true,
    }
}
