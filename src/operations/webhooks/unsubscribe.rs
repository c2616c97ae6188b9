//! A Page sends the app no more events, or the app has no webhook any more.

use super::others::others_of_app;
use super::results::{AccountResult, changed, levels};
use super::target::Target;
use crate::accounts::Account;
use crate::checks::causes::NOT_READ_BACK;
use crate::checks::ids::{APP_SUBSCRIPTION, PAGE_SUBSCRIPTION};
use crate::checks::{Outcome, WasSetUp};
use crate::graph::Client;
use crate::graph::endpoints::subscription::{remove_of_app, remove_of_page};
use crate::operations::health::{self, News};
use crate::operations::journal::note_at_meta;
use crate::operations::{Error, Found, Workspace};
use crate::provision::subscription::{AppLevel, PageLevel, observe_app, observe_page};

/// What is there, and would be removed.
pub struct Prepared {
    client: Client,
    target: Target,
    /// Whether the app's webhook is to go, too.
    with_app: bool,
    there: There,
}

/// Which levels are there; the app's only where it is to go.
#[derive(Clone, Copy, Default)]
struct There {
    page: bool,
    app: bool,
}

/// Looks at the Page of `account`, and with `with_app` at the webhook of its app.
pub fn prepare(workspace: &Workspace, account: Account, with_app: bool) -> Result<Prepared, Error> {
    workspace.check_realm(&account)?;
    let target = Target::of(workspace, account)?;
    if with_app && target.app.is_none() {
        return Err(Error::usage("the app's webhook can only be removed with the app id and the app secret").hint(
            format!(
                "give them: msgrctl account edit {} --app-id APP_ID --app-secret-stdin; or leave --app out",
                target.account.handle
            ),
        ));
    }
    let client = workspace.graph()?;
    let _progress = workspace.reporter.waiting("asking Graph about webhooks …");
    let there = Workspace::wait(there(&client, &target, with_app))??;
    Ok(Prepared { client, target, with_app, there })
}

impl Prepared {
    /// What to ask a person before it is carried out; `None`: nothing is there to be removed.
    pub fn question(&self, workspace: &Workspace) -> Result<Option<String>, Error> {
        let account = &self.target.account;
        let name = &account.name;
        if self.there.app {
            let others = others_of_app(workspace, account, |_| false)?;
            let affects =
                if others.is_empty() { String::new() } else { format!(", and those of {}", others.join(", ")) };
            let question = format!("Remove the app's webhook? The events of '{name}'{affects} would no longer arrive.");
            return Ok(Some(question));
        }
        let question = || format!("Stop the events of '{name}'? Messages of its customers would no longer arrive.");
        Ok(self.there.page.then(question))
    }
}

/// Removes what is there, and reads back whether it is gone.
pub fn carry_out(workspace: &Workspace, prepared: &Prepared) -> Result<AccountResult, Error> {
    let Prepared { client, target, with_app, there: before } = prepared;
    let is_there = before.page || before.app;
    let _progress = is_there.then(|| workspace.reporter.waiting("unsubscribing …"));
    let mut done = There::default();
    let removed = Workspace::wait(remove(client, target, *before, &mut done))?;
    let levels = levels(done.app, done.page);
    if !levels.is_empty() {
        note_at_meta(workspace, vec![changed(&target.account, &levels)]);
    }
    let after = match removed {
        Ok(()) if is_there => Workspace::wait(there(client, target, *with_app)).and_then(|there| there),
        Ok(()) => Ok(There::default()),
        Err(error) => Err(error),
    };
    keep(workspace, prepared, done, after.as_ref().ok());
    let after = after?;
    let mut found = Vec::new();
    if *with_app {
        found.push(gone(APP_SUBSCRIPTION, before.app, after.app, "the app's webhook for Pages"));
    }
    found.push(gone(PAGE_SUBSCRIPTION, before.page, after.page, "the Page's subscription"));
    Ok(AccountResult { account: target.account.clone(), changed: is_there, found })
}

/// Removes what is there; `done` says what was removed, whatever comes after it.
async fn remove(client: &Client, target: &Target, before: There, done: &mut There) -> Result<(), Error> {
    if before.page {
        remove_of_page(client, target.page()).await?;
        done.page = true;
    }
    if let (true, Some(credentials)) = (before.app, &target.app) {
        remove_of_app(client, credentials, target.account.channel.webhook_object(), None).await?;
        done.app = true;
    }
    Ok(())
}

/// Keeps what became of the levels: what is gone was not lost, and what could not be read back
/// is not known.
fn keep(workspace: &Workspace, prepared: &Prepared, done: There, after: Option<&There>) {
    let account = &prepared.target.account;
    let mut news = News::default();
    match after {
        Some(after) => {
            let app = prepared.with_app && !after.app;
            news.removed(account, WasSetUp { app, page: !after.page });
            if after.app || after.page {
                news.changed(account);
            }
        }
        None if done.app || done.page => news.changed(account),
        None => {}
    }
    health::keep(workspace, &news);
    if let (true, Some(app)) = (done.app, prepared.target.known_app()) {
        let is_gone = after.is_some_and(|after| !after.app);
        health::app_changed(workspace, app, account.graph, is_gone, &[account.id.as_str()]);
    }
}

async fn there(client: &Client, target: &Target, with_app: bool) -> Result<There, Error> {
    let page = match observe_page(client, target.page(), target.app_id()).await? {
        PageLevel::Absent => false,
        PageLevel::Fields(_) => true,
        PageLevel::OfAnotherApp(id) => {
            let found = Found::of_another_app(&target.account, &id);
            return Err(Error::failed(found.summary).hint(found.hint.unwrap_or_default()));
        }
    };
    let app = match target.app.as_ref().filter(|_| with_app) {
        Some(credentials) => {
            matches!(observe_app(client, credentials, target.account.channel).await?, AppLevel::Present(_))
        }
        None => false,
    };
    Ok(There { page, app })
}

fn gone(id: &'static str, was: bool, is: bool, what: &str) -> Found {
    if is {
        return Found::new(id, Outcome::Fail, format!("{what} is still there")).because(&NOT_READ_BACK);
    }
    let how = if was { "has ended" } else { "was not there" };
    Found::pass(id, format!("{what} {how}"))
}
