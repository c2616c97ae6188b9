//! `msgrctl webhook subscribe`: both levels as they should be, and no more written
//! than differs.

use crate::address::shown;
use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use futures_util::stream::{self, StreamExt as _};

use super::found::{
    HandshakeFailed, app_found, field_or, handshake_failed, held, is_handshake, page_found, without_secrets,
};
use super::levels::{self, APP, AT_ONCE, AccountResult, Found, PAGE, Seen, Target};
use super::probe::outcome_of;
use super::status::read_all;
use super::verify::stored_token;
use crate::accounts::{Account, CallbackUrl, Realm};
use crate::checks::causes::{CAUSES, Matter, VERIFY_TOKEN_MISSING};
use crate::checks::{GraphTrace, Misplaced, Outcome, misplaced};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountsArg, Chosen};
use crate::graph::endpoints::subscription::same_callback;
use crate::graph::{Client, GraphError};
use crate::operations::accounts::commands;
use crate::operations::journal::note_at_meta;
use crate::provision::subscription::{self, AppLevel, FIELDS, Levels, PageLevel, Step, Wish, difference};
use crate::secrets::{Secret, SecretKind};
use crate::ui::interrupt;
use crate::ui::progress::Progress;
use crate::webhook::Prober;

/// Have Meta send an account's events to its callback URL
///
/// Sets the app's webhook (callback URL, verify token, fields) and subscribes the
/// Page, writes only what differs, and reads back what was written. Fields that are
/// there stay unless --exact is given. When Meta's handshake with the callback fails,
/// it is asked from here too, and the cause is named.
///
/// Without the app secret the Page is subscribed alone, and what is left to do by
/// hand is printed. An app has one callback URL for all of its Pages: before it is
/// changed the accounts that it affects are named and asked for.
///
/// Exit codes: 0 done (what is left to do by hand is a warning), 1 Meta refused, 4 credentials, 5 Graph could
/// not be reached, 9 a part of the accounts failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook subscribe acme-support
  msgrctl webhook subscribe --all --yes
  msgrctl webhook subscribe acme-support --fields messages,messaging_postbacks --exact")]
pub struct SubscribeArgs {
    #[command(flatten)]
    accounts: AccountsArg,
    /// The webhook fields, with commas between them
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', default_values_t = FIELDS.map(str::to_owned))]
    fields: Vec<String>,
    /// These fields and no others: take away what is there beside them
    #[arg(long)]
    exact: bool,
    /// Send the callback URL and the verify token to Meta again, where nothing else differs too
    #[arg(long)]
    resend: bool,
}

impl SubscribeArgs {
    /// The command again, to be pasted.
    fn command(&self) -> String {
        let mut words = vec!["msgrctl webhook subscribe".to_owned()];
        // Fails on a NUL only, which no argument can hold.
        words.extend(self.accounts.accounts.iter().map(|name| shlex::try_quote(name).unwrap_or_default().into_owned()));
        words.extend(self.accounts.all.then(|| "--all".to_owned()));
        if self.fields != FIELDS {
            words.push(format!("--fields {}", self.fields.join(",")));
        }
        words.extend(self.exact.then(|| "--exact".to_owned()));
        words.extend(self.resend.then(|| "--resend".to_owned()));
        words.join(" ")
    }
}

pub fn run(args: &SubscribeArgs, ctx: &Context) -> Result<u8, CliError> {
    interrupt::install();
    let Chosen { accounts, left_out } = args.accounts.choose(ctx)?;
    if accounts.is_empty() {
        ctx.output.notice("no accounts to subscribe");
        levels::show(ctx, &[]);
        return Ok(0);
    }
    let mut fields: Vec<String> = args.fields.iter().map(|field| field.trim().to_owned()).collect();
    let mut seen = BTreeSet::new();
    fields.retain(|field| seen.insert(field.clone()));
    if let Some(bad) = fields.iter().find(|field| field.is_empty() || !field.bytes().all(is_of_a_field)) {
        return Err(CliError::usage(format!("'{bad}' is not a valid webhook field"))
            .hint("fields are words such as messages, messaging_postbacks, with commas between them"));
    }
    let alone = accounts.len() == 1;
    let (targets, failed) = read_all(ctx, accounts)?;
    let order = Order { fields, exact: args.exact, resend: args.resend };
    let results = subscribe(ctx, &targets, &order, &args.command())?;
    levels::show(ctx, &results);
    let bad: Vec<&AccountResult> = results.iter().filter(|result| result.outcome() >= Outcome::Unreachable).collect();
    let not_done = bad.len() + failed + left_out;
    if not_done == 0 {
        return Ok(0);
    }
    if !alone {
        return Err(CliError::partial(format!(
            "{not_done} of the accounts are not subscribed as they should be, for the reasons above; fix them and run the command again"
        )));
    }
    let refused = bad.iter().flat_map(|result| &result.found).find(|found| found.graph.is_some());
    let cause = refused.and_then(|found| found.cause);
    let of_token = CAUSES.iter().any(|known| Some(known.id) == cause && known.matter == Matter::Credentials);
    let name = targets.first().map(|target| target.account.name.to_string()).unwrap_or_default();
    let message = format!("'{name}' is not subscribed as it should be, for the reason above");
    Err(match bad.first().map(|result| result.outcome()) {
        Some(Outcome::Unreachable) => CliError::remote(message),
        _ if of_token => CliError::credentials(message),
        _ => CliError::failed(message),
    })
}

/// Asks, after an account was added by hand, whether its events should be sent; a
/// subscription that fails is shown, and the account stays as it is.
pub fn offer(ctx: &Context, account: &Account) -> Result<(), CliError> {
    let handle = &account.handle;
    ctx.output.talk("");
    if !ctx.asks(&format!("Have Meta send the messages of '{}' now (webhook subscribe)?", account.name))? {
        ctx.output.notice(&format!("later: msgrctl webhook subscribe {handle}"));
        return Ok(());
    }
    let target = Target::of(ctx, account.clone())?;
    let command = format!("msgrctl webhook subscribe {handle}");
    let order = Order { fields: FIELDS.map(str::to_owned).to_vec(), exact: false, resend: false };
    let results = subscribe(ctx, &[target], &order, &command)?;
    levels::show(ctx, &results);
    Ok(())
}

fn is_of_a_field(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// What should be subscribed.
struct Order {
    fields: Vec<String>,
    exact: bool,
    /// Whether Meta is given the callback URL and the verify token where nothing differs too.
    resend: bool,
}

/// Makes both levels of every target as they should be.
fn subscribe(ctx: &Context, targets: &[Target], order: &Order, command: &str) -> Result<Vec<AccountResult>, CliError> {
    refuse_two_callbacks(targets)?;
    let Order { fields, exact, resend } = order;
    let wish = |target: &Target| Wish { callback_url: target.callback_url(), fields: fields.clone(), exact: *exact };
    let wishes: Vec<Wish> = targets.iter().map(wish).collect();
    let client = ctx.graph()?;
    let prober = ctx.prober()?;
    Context::wait(async {
        let all: Vec<&Target> = targets.iter().collect();
        let progress = Progress::start(&ctx.output, "asking Graph about webhooks …");
        let before = levels::observe(&client, &all).await;
        drop(progress);
        let plan = plan(ctx, targets, &before, &wishes, *resend);
        if ask_before_moving(ctx, &plan, command)? {
            let now = levels::observe(&client, &all).await;
            refuse_changed(targets, &before, &now, command)?;
        }
        let writes = plan.apps.len() + plan.pages.iter().flatten().count();
        let _progress = (writes > 0).then(|| Progress::start(&ctx.output, "subscribing …"));
        Ok(carry_out(ctx, &client, &prober, targets, &wishes, before, &plan).await)
    })?
}

/// Carries a plan out: apps first, then Pages; what was written is read back. `before` is
/// what was seen of each target.
pub async fn carry_out(
    ctx: &Context,
    client: &Client,
    prober: &Prober,
    targets: &[Target],
    wishes: &[Wish],
    before: Vec<Seen>,
    plan: &Plan<'_>,
) -> Vec<AccountResult> {
    let apps = write_apps(client, prober, plan).await;
    let pages = stream::iter(targets.iter().zip(&plan.pages).map(|(target, step)| {
        // While the app's events go elsewhere, this Page's would go there too.
        let step = step.as_ref().filter(|_| !stays_elsewhere(target, plan, &apps));
        async move {
            match step {
                Some(step) => Some(subscription::carry_out(client, step, target.page(), None).await),
                None => None,
            }
        }
    }));
    let pages = pages.buffered(AT_ONCE).collect::<Vec<Option<Result<bool, GraphError>>>>();
    let pages = if targets.len() > 1 { client.in_batches(pages).await } else { pages.await };
    let changed: Vec<bool> = targets
        .iter()
        .zip(&pages)
        .map(|(target, page)| {
            let app = app_id(target).is_some_and(|id| apps.get(id).is_some_and(Option::is_none));
            app || matches!(page, Some(Ok(_)))
        })
        .collect();
    let again: Vec<&Target> =
        targets.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(target, _)| target).collect();
    let written = targets.iter().zip(&pages).filter_map(|(target, page)| {
        let app = plan.apps.values().any(|app| app.target.account.id == target.account.id);
        let levels: Vec<&'static str> = [
            (APP, app && app_id(target).is_some_and(|id| apps.get(id).is_some_and(Option::is_none))),
            (PAGE, matches!(page, Some(Ok(_)))),
        ]
        .into_iter()
        .filter_map(|(level, written)| written.then_some(level))
        .collect();
        (!levels.is_empty()).then(|| levels::changed(&target.account, &levels))
    });
    note_at_meta(ctx, written.collect());
    let mut after = levels::observe(client, &again).await.into_iter();
    let mut results = Vec::new();
    for ((((target, wish), before), page), changed) in targets.iter().zip(wishes).zip(before).zip(pages).zip(changed) {
        let after = if changed { after.next().unwrap_or(before) } else { before };
        let app = app_id(target).and_then(|id| apps.get(id));
        let held_back = page.is_none() && stays_elsewhere(target, plan, &apps);
        results.push(AccountResult {
            name: target.account.name.to_string(),
            changed,
            found: vec![
                app_found(target, wish, &after, app),
                if held_back { held() } else { page_found(target, wish, &after, page) },
            ],
        });
    }
    results
}

/// Whether the app's events should have gone somewhere else, and do not.
fn stays_elsewhere(target: &Target, plan: &Plan<'_>, apps: &BTreeMap<&str, Written>) -> bool {
    let Some(id) = app_id(target) else { return false };
    let moves = |app: &AppPlan<'_>| app.steps.iter().any(|step| matches!(step, Step::SetApp { replaces: Some(_), .. }));
    apps.get(id).is_some_and(Option::is_some) && plan.apps.get(id).is_some_and(moves)
}

fn app_id(target: &Target) -> Option<&str> {
    target.app.as_ref().map(|app| app.id.as_str())
}

/// An app has one callback URL: accounts of one app that name two cannot both be served.
fn refuse_two_callbacks(targets: &[Target]) -> Result<(), CliError> {
    let mut known: BTreeMap<&str, (&Account, &CallbackUrl)> = BTreeMap::new();
    for target in targets {
        let (Some(id), Some(url)) = (app_id(target), &target.account.callback_url) else { continue };
        let (first, at) = *known.entry(id).or_insert((&target.account, url));
        if !same_callback(at.as_str(), url.as_str()) {
            return Err(CliError::usage(format!(
                "app {id} has one callback URL for all of its Pages, and two accounts of it name different ones: '{}' {}, '{}' {}",
                first.name,
                at.shown(),
                target.account.name,
                url.shown()
            ))
            .hint(format!(
                "give both the same: msgrctl account edit {} --callback-url {}",
                target.account.handle,
                at.to_paste()
            )));
        }
    }
    Ok(())
}

/// What is to be written.
#[derive(Default)]
pub struct Plan<'t> {
    /// Each app's steps, and whose token and verify token they are carried out with.
    pub apps: BTreeMap<&'t str, AppPlan<'t>>,
    /// Each target's own.
    pub pages: Vec<Option<Step>>,
}

/// What is to be written at one app.
pub struct AppPlan<'t> {
    target: &'t Target,
    steps: Vec<Step>,
    /// `None`: none was needed. An error is this app's alone.
    verify_token: Option<Result<Secret, CliError>>,
    /// The one of a rotation that is not finished.
    next_verify_token: Option<Secret>,
}

impl<'t> AppPlan<'t> {
    /// The steps of the app of `target`, whose verify token is read where it is needed.
    pub fn new(ctx: &Context, target: &'t Target, steps: Vec<Step>) -> Self {
        let sets = steps.iter().any(|step| matches!(step, Step::SetApp { .. }));
        let verify_token = sets.then(|| stored_token(ctx, &target.account));
        Self { target, steps, verify_token, next_verify_token: None }
    }

    /// The same, where a rotation of the verify token may not be finished: then the callback
    /// says which of the two it has. A next token that cannot be read is told by
    /// `webhook rotate`.
    fn or_next(self, ctx: &Context) -> Self {
        if self.verify_token.is_none() {
            return self;
        }
        let next = ctx.secret(&self.target.account, SecretKind::NextVerifyToken);
        Self { next_verify_token: next.ok().flatten(), ..self }
    }
}

fn plan<'t>(ctx: &Context, targets: &'t [Target], before: &[Seen], wishes: &[Wish], resend: bool) -> Plan<'t> {
    let mut plan = Plan::default();
    for ((target, seen), wish) in targets.iter().zip(before).zip(wishes) {
        let (seen_page, page) = match &seen.page {
            Ok(PageLevel::Absent) => (true, None),
            Ok(PageLevel::Fields(fields)) => (true, Some(fields.clone())),
            // What could not be seen, or is another app's, is not written.
            Ok(PageLevel::OfAnotherApp(_)) | Err(_) => (false, None),
        };
        let app = seen.app.clone().and_then(Result::ok);
        let levels = Levels { page, app };
        let (of_page, mut of_app): (Vec<Step>, Vec<Step>) =
            difference(wish, &levels).into_iter().partition(|step| matches!(step, Step::SetPage { .. }));
        plan.pages.push(of_page.into_iter().next().filter(|_| seen_page));
        if let (true, Some(callback_url), Some(AppLevel::Present(present))) = (resend, &wish.callback_url, &levels.app)
            && !of_app.iter().any(|step| matches!(step, Step::SetApp { .. }))
        {
            let fields = present.fields.clone();
            of_app.insert(0, Step::SetApp { callback_url: callback_url.clone(), fields, replaces: None });
        }
        // An account with a callback URL speaks for all of its app.
        let better =
            |known: &AppPlan<'_>| known.target.account.callback_url.is_none() && target.account.callback_url.is_some();
        if let (Some(id), false) = (app_id(target), of_app.is_empty())
            && plan.apps.get(id).is_none_or(better)
        {
            plan.apps.insert(id, AppPlan::new(ctx, target, of_app).or_next(ctx));
        }
    }
    plan
}

/// The other accounts of an app, in every tenant of this configuration; those of which
/// `known` says so are left out.
pub fn others_of_app(
    ctx: &Context,
    account: &Account,
    known: impl Fn(&Account) -> bool,
) -> Result<Vec<String>, CliError> {
    let here = ctx.settings()?.tenant.value.to_string();
    let mut names = Vec::new();
    for tenant in ctx.tenant_names()? {
        for other in ctx.accounts_of(&tenant)?.load()? {
            let same = other.app_id == account.app_id && other.graph == account.graph && other.id != account.id;
            if same && !known(&other) {
                let place = if tenant == here { String::new() } else { format!(" (tenant {tenant})") };
                names.push(format!("'{}'{place}", other.name));
            }
        }
    }
    Ok(names)
}

/// Asks before an app's events go somewhere else, or become fewer: its other Pages go
/// with it. Says whether a person was asked, who may have thought for long.
fn ask_before_moving(ctx: &Context, plan: &Plan<'_>, command: &str) -> Result<bool, CliError> {
    let mut asked = false;
    for (id, app) in &plan.apps {
        for step in &app.steps {
            let what = match step {
                Step::SetApp { callback_url, replaces: Some(now), .. } => {
                    ctx.output.notice(&format!(
                        "app {id}: events go to {} now, and would go to {}",
                        shown(now),
                        shown(callback_url)
                    ));
                    "Send the app's events there"
                }
                Step::RemoveFromApp { fields } => {
                    ctx.output.notice(&format!("app {id}: {} would no longer be sent", levels::list(fields)));
                    "Take these fields away from the app"
                }
                _ => continue,
            };
            let others = others_of_app(ctx, &app.target.account, |_| false)?;
            let affects = if others.is_empty() {
                "Pages of the app that are not kept here go with it".to_owned()
            } else {
                format!("it affects {} too", others.join(", "))
            };
            ctx.confirm(&format!("{what}? ({affects})"), command)?;
            asked |= !ctx.says_yes();
        }
    }
    Ok(asked)
}

/// Refuses to write over what another tool changed while a person was asked.
fn refuse_changed(targets: &[Target], before: &[Seen], now: &[Seen], command: &str) -> Result<(), CliError> {
    for ((target, before), now) in targets.iter().zip(before).zip(now) {
        if let Some(level) = levels::changed_levels(before, now).into_iter().next() {
            return Err(CliError::failed(format!(
                "{} of '{}' was changed at Meta while this waited for an answer; nothing was written",
                levels::changed_in_words(level),
                target.account.name
            ))
            .hint(format!("look at it again: {command}")));
        }
    }
    Ok(())
}

/// How many apps are written at the same time: Meta asks the callback of each meanwhile.
const APPS_AT_ONCE: usize = 8;

/// What writing an app came to: nothing said is good.
type Written = Option<Found>;

async fn write_apps<'t>(client: &Client, prober: &Prober, plan: &Plan<'t>) -> BTreeMap<&'t str, Written> {
    let writes = plan.apps.iter().map(|(id, app)| async move { (*id, write_app(client, prober, app).await) });
    stream::iter(writes).buffer_unordered(APPS_AT_ONCE).collect().await
}

async fn write_app(client: &Client, prober: &Prober, app: &AppPlan<'_>) -> Written {
    let verify_token = match &app.verify_token {
        Some(Err(error)) => {
            let hint = error.first_hint().map(str::to_owned);
            return Some(Found::new(APP, Outcome::Fail, error.message(), hint).because(&VERIFY_TOKEN_MISSING));
        }
        Some(Ok(token)) => Some(token),
        None => None,
    };
    for step in &app.steps {
        if let Step::SetApp { callback_url, .. } = step
            && let Some(Misplaced { cause, summary, hint }) = misplaced_of(&app.target.account, callback_url)
        {
            return Some(
                Found::new(APP, Outcome::Fail, format!("not sent to Meta: {summary}"), Some(hint)).because(cause),
            );
        }
        // While the verify token is rotated the callback tells which of the two it has.
        let next = match (&app.next_verify_token, step) {
            (Some(next), Step::SetApp { callback_url, .. }) if accepts(prober, callback_url, next).await => Some(next),
            _ => None,
        };
        let verify_token = next.or(verify_token);
        // A "no" of Meta's without an error shows when it is read back.
        let done = subscription::carry_out(client, step, app.target.page(), verify_token).await;
        if let Err(error) = done {
            return Some(explain(prober, app, step, verify_token, &error).await);
        }
        if next.is_some() {
            let why = "set with the next verify token, which the callback accepts; the rotation is not finished";
            let hint = format!("msgrctl webhook rotate {}", app.target.account.handle);
            return Some(Found::new(APP, Outcome::Warn, why, Some(hint)));
        }
    }
    None
}

async fn accepts(prober: &Prober, callback_url: &str, verify_token: &Secret) -> bool {
    let Ok(url) = url::Url::parse(callback_url) else { return false };
    prober.ask(&url, verify_token).await.is_ok_and(|found| outcome_of(&found) != Outcome::Fail)
}

/// What is wrong with a callback URL before Meta is asked to call it.
fn misplaced_of(account: &Account, callback: &str) -> Option<Misplaced> {
    misplaced(callback, account.graph == Realm::Sandbox, &commands::saved(account).edit)
}

/// Why Meta did not take a step. For a handshake that failed the callback is asked
/// from here: Meta's own words name no cause.
async fn explain(
    prober: &Prober,
    app: &AppPlan<'_>,
    step: &Step,
    verify_token: Option<&Secret>,
    error: &GraphError,
) -> Found {
    let then = format!("msgrctl webhook subscribe {}", app.target.account.handle);
    match (error, step, verify_token) {
        (GraphError::Refused(api), Step::SetApp { callback_url, .. }, Some(token)) if is_handshake(api.code) => {
            let HandshakeFailed { cause, summary, fix, receiver_says } =
                handshake_failed(prober, callback_url, token).await;
            Found {
                cause: Some(cause),
                receiver_says,
                graph: Some(without_secrets(GraphTrace::from(&**api), callback_url, token)),
                ..Found::new(APP, Outcome::Fail, summary, Some(format!("{fix}; then: {then}")))
            }
        }
        _ => field_or(error, Found::failed(APP, error, app.target, &then), &then),
    }
}
