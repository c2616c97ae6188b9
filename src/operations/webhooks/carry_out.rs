//! The one carrying out of a plan of webhooks: apps first, then Pages; what was written is
//! read back.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use super::found::{app_found, held, page_found, value_or};
use super::handshake::{
    HandshakeFailed, accepts, handshake_failed, is_handshake, misplaced_of, stored_token, without_secrets,
};
use super::observe::{AT_ONCE, Seen, observe};
use super::results::{AccountResult, changed, levels};
use super::status::judge;
use super::target::Target;
use crate::checks::causes::VERIFY_TOKEN_MISSING;
use crate::checks::ids::APP_SUBSCRIPTION;
use crate::checks::{GraphTrace, Misplaced, Outcome, WasSetUp};
use crate::graph::endpoints::subscription::set_of_page;
use crate::graph::{Client, GraphError};
use crate::operations::health::{self, News, SetUps};
use crate::operations::journal::note_at_meta;
use crate::operations::{Error, Found, Workspace};
use crate::provision::apps::AppPlan;
use crate::provision::subscription::{self, AppStep, Wish};
use crate::secrets::{Secret, SecretKind, SecretRef};
use crate::webhook::Prober;

/// How many apps are written at the same time: Meta asks the callback of each in the meantime.
const APPS_AT_ONCE: usize = 8;

/// What is to be done for one account at Meta.
pub struct Work {
    pub target: Target,
    pub wish: Wish,
    pub before: Seen,
    /// Every field that its Page is given; `None`: nothing is written there.
    pub page: Option<Vec<String>>,
}

/// What is to be written at one app.
struct AppWork<'w> {
    plan: &'w AppPlan,
    /// The account that speaks for it.
    target: &'w Target,
    /// `None`: none was needed. An error is this app's alone.
    verify_token: Option<Result<Secret, Error>>,
    /// The one of a rotation that is not finished: the callback says which of the two it has.
    next_verify_token: Option<Secret>,
}

/// What writing an app came to. What is worth a word although it was written is told, too.
type Written = Result<(), Found>;

/// Carries out what is to be done, each account under its place. An app is written where the
/// account that speaks for it is among them. `allow_commands`: the next verify token of a rotation
/// that is not finished may come from a program. Returns what became of each account, in the
/// order of the places.
pub fn carry_out(
    workspace: &Workspace,
    client: &Client,
    works: &BTreeMap<usize, Work>,
    apps: &[AppPlan],
    allow_commands: bool,
) -> Result<Vec<AccountResult>, Error> {
    let prober = workspace.prober()?;
    let of_apps: Vec<AppWork<'_>> = apps
        .iter()
        .filter_map(|plan| Some(AppWork::new(workspace, plan, &works.get(&plan.speaker)?.target, allow_commands)))
        .collect();
    Workspace::wait(write_and_read_back(workspace, client, &prober, works, &of_apps))
}

async fn write_and_read_back(
    workspace: &Workspace,
    client: &Client,
    prober: &Prober,
    works: &BTreeMap<usize, Work>,
    of_apps: &[AppWork<'_>],
) -> Vec<AccountResult> {
    let (apps, pages) = write(client, prober, works, of_apps).await;
    let is_set = |id: &str| apps.get(id).is_some_and(is_written);
    let written = works.iter().zip(&pages).filter_map(|((at, work), page)| {
        let app = of_apps.iter().any(|app| app.plan.speaker == *at && is_set(&app.plan.id));
        let levels = levels(app, matches!(page, Some(Ok(_))));
        (!levels.is_empty()).then(|| changed(&work.target.account, &levels))
    });
    note_at_meta(workspace, written.collect());
    let has_changed =
        |work: &Work, page: &Option<_>| work.target.known_app().is_some_and(is_set) || matches!(page, Some(Ok(_)));
    let again: Vec<bool> = works.values().zip(&pages).map(|(work, page)| has_changed(work, page)).collect();
    let targets: Vec<&Target> =
        works.values().zip(&again).filter(|(_, again)| **again).map(|(work, _)| &work.target).collect();
    let mut after = observe(client, &targets).await.into_iter();
    let held_back: Vec<bool> = works.values().map(|work| stays_elsewhere(&work.target, of_apps, &apps)).collect();
    let set_ups = SetUps::of(workspace);
    let mut results = Vec::new();
    let mut news = News::default();
    for (((work, page), changed), held_back) in works.values().zip(pages).zip(again).zip(held_back) {
        let Work { target, wish, before, .. } = work;
        let read_back = if changed { after.next() } else { None };
        let seen = read_back.as_ref().unwrap_or(before);
        let app = target.known_app().and_then(|id| apps.get(id));
        let is_doubtful = target.known_app().is_some_and(|id| may_have_changed(id, of_apps, &apps))
            || matches!(page, Some(Err(GraphError::Unreachable(_))));
        let of_page = if page.is_none() && held_back { held() } else { page_found(target, wish, seen, page) };
        let found = vec![app_found(target, wish, seen, app), of_page];
        // Of an app that Meta does not know nothing can be there.
        let app = was_ordered(&found[0]) && !seen.has_wrong_app();
        let ordered = WasSetUp { app, page: was_ordered(&found[1]) };
        news.set_up(&target.account, ordered);
        let before = set_ups.levels(&target.account);
        let was_set_up = WasSetUp { app: before.app || ordered.app, page: before.page || ordered.page };
        judge(&mut news, target, seen, was_set_up);
        let is_taken = |id: &str| is_set(id) && of_apps.iter().any(|app| app.plan.id == id && sets(app.plan));
        if is_doubtful {
            news.changed(&target.account);
        } else if target.known_app().is_some_and(is_taken) {
            news.callback_taken(&target.account);
        }
        results.push(AccountResult { account: target.account.clone(), changed, found });
    }
    health::keep(workspace, &news);
    let is_touched = |id: &str| is_set(id) || may_have_changed(id, of_apps, &apps);
    for AppWork { plan, target, .. } in of_apps.iter().filter(|app| is_touched(&app.plan.id)) {
        let targets = works.values().map(|work| &work.target);
        let looked_at = targets.filter(|target| target.known_app() == Some(&plan.id));
        let looked_at: Vec<&str> = looked_at.map(|target| target.account.id.as_str()).collect();
        health::app_changed(workspace, &plan.id, target.account.graph, false, &looked_at);
    }
    results
}

/// Whether a level should be there from now on, even where Meta did not take it: not where it
/// was left as it is, or where the account lacks what it takes.
fn was_ordered(found: &Found) -> bool {
    match found.outcome {
        Outcome::Skip => false,
        Outcome::Warn => found.cause.is_none(),
        _ => true,
    }
}

/// What became of each app, and of each account's Page where it was written.
type Writes<'w> = (BTreeMap<&'w str, Written>, Vec<Option<Result<bool, GraphError>>>);

async fn write<'w>(
    client: &Client,
    prober: &Prober,
    works: &BTreeMap<usize, Work>,
    of_apps: &'w [AppWork<'w>],
) -> Writes<'w> {
    let writes = of_apps.iter().map(|app| async { (app.plan.id.as_str(), write_app(client, prober, app).await) });
    let apps: BTreeMap<&str, Written> = stream::iter(writes).buffer_unordered(APPS_AT_ONCE).collect().await;
    let pages = stream::iter(works.values().map(|Work { target, page, .. }| {
        // While the app's events go elsewhere, this Page's would go there too.
        let fields = page.as_ref().filter(|_| !stays_elsewhere(target, of_apps, &apps));
        async move {
            match fields {
                Some(fields) => Some(set_of_page(client, target.page(), fields).await),
                None => None,
            }
        }
    }));
    let pages = pages.buffered(AT_ONCE).collect::<Vec<_>>();
    let pages = if works.len() > 1 { client.in_batches(pages).await } else { pages.await };
    (apps, pages)
}

fn is_written(written: &Written) -> bool {
    written.as_ref().err().is_none_or(|found| found.outcome <= Outcome::Warn)
}

/// Whether something of an app may be written although writing it failed: no answer came, or a
/// step before went through.
fn may_have_changed(id: &str, of_apps: &[AppWork<'_>], apps: &BTreeMap<&str, Written>) -> bool {
    let Some(Err(failed)) = apps.get(id).filter(|written| !is_written(written)) else { return false };
    let has_steps = |app: &AppWork<'_>| app.plan.id == id && app.plan.steps.len() > 1;
    failed.outcome == Outcome::Unreachable || of_apps.iter().any(has_steps)
}

/// Whether the app's events should have gone somewhere else, and do not.
fn stays_elsewhere(target: &Target, of_apps: &[AppWork<'_>], apps: &BTreeMap<&str, Written>) -> bool {
    let Some(id) = target.known_app() else { return false };
    let moves =
        |app: &AppWork<'_>| app.plan.steps.iter().any(|step| matches!(step, AppStep::Set { replaces: Some(_), .. }));
    apps.get(id).is_some_and(|written| !is_written(written))
        && of_apps.iter().any(|app| app.plan.id == id && moves(app))
}

/// Whether Meta is given the callback, and asks it.
fn sets(plan: &AppPlan) -> bool {
    plan.steps.iter().any(|step| matches!(step, AppStep::Set { .. }))
}

impl<'w> AppWork<'w> {
    /// The work at the app of `target`, whose verify tokens are read where they are needed. A
    /// next one that cannot be read is told by `webhook rotate`.
    fn new(workspace: &Workspace, plan: &'w AppPlan, target: &'w Target, allow_commands: bool) -> Self {
        let sets = sets(plan);
        let account = &target.account;
        let kind = SecretKind::NextVerifyToken;
        let is_command = matches!(account.secrets.get(&kind), Some(SecretRef::Command(_)));
        let reads_next = sets && (allow_commands || !is_command);
        let next = || workspace.secret(account, kind).ok().flatten();
        Self {
            plan,
            target,
            verify_token: sets.then(|| stored_token(workspace, account)),
            next_verify_token: if reads_next { next() } else { None },
        }
    }
}

async fn write_app(client: &Client, prober: &Prober, app: &AppWork<'_>) -> Written {
    let account = &app.target.account;
    let verify_token = match &app.verify_token {
        Some(Err(error)) => {
            let found = Found::new(APP_SUBSCRIPTION, Outcome::Fail, error.message()).because(&VERIFY_TOKEN_MISSING);
            return Err(Found { hint: error.first_hint().map(str::to_owned), ..found });
        }
        Some(Ok(token)) => Some(token),
        None => None,
    };
    // The app's own level takes its secret.
    let Some(credentials) = &app.target.app else { return Ok(()) };
    for step in &app.plan.steps {
        if let AppStep::Set { callback_url, .. } = step
            && let Some(Misplaced { cause, summary, hint }) = misplaced_of(account, callback_url)
        {
            let summary = format!("not sent to Meta: {summary}");
            return Err(Found::new(APP_SUBSCRIPTION, Outcome::Fail, summary).hint(hint).because(cause));
        }
        let next = match (&app.next_verify_token, step) {
            (Some(next), AppStep::Set { callback_url, .. }) if accepts(prober, callback_url, next).await => Some(next),
            _ => None,
        };
        let verify_token = next.or(verify_token);
        // A "no" of Meta's without an error shows when it is read back.
        if let Err(error) = subscription::write_app(client, credentials, account.channel, step, verify_token).await {
            return Err(explain(prober, app, step, verify_token, &error).await);
        }
        if next.is_some() {
            let why = "set with the next verify token, which the callback accepts; the rotation is not finished";
            let hint = format!("msgrctl webhook rotate {}", account.handle);
            return Err(Found::new(APP_SUBSCRIPTION, Outcome::Warn, why).hint(hint));
        }
    }
    Ok(())
}

/// Why Meta did not take a step. For a handshake that failed the callback is asked
/// from here: Meta's own words name no cause.
async fn explain(
    prober: &Prober,
    app: &AppWork<'_>,
    step: &AppStep,
    verify_token: Option<&Secret>,
    error: &GraphError,
) -> Found {
    let then = format!("msgrctl webhook subscribe {}", app.target.account.handle);
    match (error, step, verify_token) {
        (GraphError::Refused(api), AppStep::Set { callback_url, .. }, Some(token)) if is_handshake(api.code) => {
            let HandshakeFailed { cause, summary, fix, receiver_says } =
                handshake_failed(prober, callback_url, token).await;
            Found {
                cause: Some(cause),
                receiver_says,
                graph: Some(without_secrets(GraphTrace::from(&**api), callback_url, token)),
                ..Found::new(APP_SUBSCRIPTION, Outcome::Fail, summary).hint(format!("{fix}; then: {then}"))
            }
        }
        _ => {
            let (AppStep::Set { fields, .. } | AppStep::Remove { fields }) = step;
            value_or(error, Found::failed(APP_SUBSCRIPTION, error, app.target, &then), app.target, fields, &then)
        }
    }
}
