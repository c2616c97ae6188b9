//! `msgrctl watch`: tests again and again, measures, and tells what changed.

mod events;
mod parts;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::events::AppEvents;
use self::parts::Part;
use super::candidates;
use super::context::Context;
use super::error::CliError;
use super::pick::TenantsArg;
use crate::checks::Outcome;
use crate::messages::Timeout;
use crate::operations::Workspace;
use crate::operations::accounts::test::WARN_DAYS;
use crate::operations::watch::{Exposed, Round, Watch, one_at_a_time, title, write_metrics};
use crate::text::count;
use crate::ui::interrupt::{self, Hold};

/// Test the accounts again and again, measure, and tell what changed
///
/// Tests every account of the tenant, keeps the results for 'msgrctl status', and sends a
/// notice to the targets in config.toml when an account stops working, works again, or its
/// token ends in 14, 7 and 1 days (msgrctl help notices). --listen exposes /metrics for
/// Prometheus and /healthz; --textfile writes the same for a node exporter. Runs until
/// Ctrl-C or SIGTERM; --once does one round, for cron and timers. It reads config.toml and the
/// list of tenants at its start, and the accounts in each round. With --listen it also takes
/// Meta's signed events about the app at /webhook, and tests the app's accounts at once.
/// --renew renews tokens from kept user tokens, tries each at most once an hour, and tells a
/// failure as a notice.
///
/// Exit codes of --once: as 'account test'. 0 all passed (warnings allowed), 7 a check
/// failed, 5 nothing failed but Graph could not be reached, 9 accounts were not tested or
/// notices wait to be sent.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl watch\n  msgrctl watch --every 5m --listen 127.0.0.1:9187\n  msgrctl watch --all-tenants --once\n  msgrctl watch --notify-test\n  msgrctl watch --print systemd"
)]
pub struct WatchArgs {
    /// Names, handles or ids of accounts [default: all]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts), conflicts_with = "all_tenants")]
    accounts: Vec<String>,
    #[command(flatten)]
    tenants: TenantsArg,
    /// How often a round begins: 15m, 1h
    #[arg(long, value_name = "TIME", default_value = "15m", conflicts_with = "once")]
    every: Timeout,
    /// Do one round, send what there is to tell, and end
    #[arg(long)]
    once: bool,
    /// Expose /metrics and /healthz at this address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", conflicts_with = "once")]
    listen: Option<SocketAddr>,
    /// Write the metrics into this file after each round
    #[arg(long, value_name = "PATH")]
    textfile: Option<PathBuf>,
    /// Tell again what still fails, so often: 24h
    #[arg(long, value_name = "TIME")]
    remind: Option<Timeout>,
    /// Before each round, renew what ends within 20 days, as 'account renew' does
    #[arg(long)]
    renew: bool,
    /// Warn of a token that ends within so many days
    #[arg(long, value_name = "DAYS", default_value_t = WARN_DAYS)]
    warn_days: u32,
    /// Send one notice to every target, to see whether it arrives, and end
    #[arg(long, conflicts_with_all = ["once", "listen", "textfile", "remind", "renew", "accounts"])]
    notify_test: bool,
    /// Print a ready part for another program, and end
    #[arg(long, value_name = "PART", exclusive = true)]
    print: Option<Part>,
}

pub fn run(args: &WatchArgs, ctx: &Context) -> Result<u8, CliError> {
    if let Some(part) = args.print {
        ctx.output.part(&part.text());
        return Ok(0);
    }
    let tenants = if args.tenants.all_tenants { Some(ctx.tenants()?) } else { None };
    let workspaces: Vec<&Workspace> = match &tenants {
        Some(tenants) => tenants.iter().map(|(_, workspace)| workspace).collect(),
        None => vec![ctx],
    };
    let mut watch = Watch::prepare(workspaces.iter().copied(), &args.accounts, args.warn_days)?;
    if args.notify_test {
        return notify_test(&watch, ctx);
    }
    watch.renew = args.renew;
    watch.remind = args.remind.map(|time| SignedDuration::from_secs(i64::try_from(time.seconds()).unwrap_or(i64::MAX)));
    if let Some(path) = &args.textfile {
        ctx.settings()?.refuse_own("the metrics", path)?;
    }
    let _only = one_at_a_time(ctx)?;
    // Whatever has to be asked is asked before the first round.
    for workspace in &workspaces {
        // A tenant that cannot be read, the round skips.
        if let Ok(accounts) = workspace.accounts().and_then(|accounts| Ok(accounts.load()?)) {
            workspace.ask_stores(&accounts, []);
        }
    }
    if args.once {
        let round = Workspace::wait(watch.round(Duration::ZERO, None))?;
        let measured = after(args, ctx, &watch, &round, None);
        return measured.and_then(|()| code(&round));
    }
    let every = Duration::from_secs(args.every.seconds());
    // Ctrl-C ends it as SIGTERM does. Its handler comes before ours: set by the first write, it
    // would take both signals from us.
    interrupt::install();
    let hold = Hold::begin();
    let done = Workspace::wait(keep_watching(args, ctx, &watch, every))?;
    // The handler of Ctrl-C may be behind: it would end the process as interrupted, which has
    // ended in order.
    std::mem::forget(hold);
    done.map(|()| 0)
}

/// The part of the time between two rounds over which the tests of one are spread.
const SPREAD: f64 = 0.8;

/// Rounds until the process is asked to end. What a round has found and told by then is kept.
async fn keep_watching(args: &WatchArgs, ctx: &Context, watch: &Watch<'_>, every: Duration) -> Result<(), CliError> {
    let exposed = Exposed::default();
    let (close, closed) = oneshot::channel::<()>();
    let mut app_events = None;
    let server = match args.listen {
        Some(address) => {
            let mut router = exposed.router();
            if let Some((receiver, events)) = AppEvents::of(ctx)? {
                router = router.fallback_service(receiver);
                app_events = Some(events);
            }
            let bound = TcpListener::bind(address).await.map_err(|error| {
                CliError::failed(format!("cannot listen on {address}"))
                    .cause(error.to_string())
                    .hint("choose another with --listen 127.0.0.1:PORT; port 0 takes a free one")
            })?;
            let address = bound.local_addr().unwrap_or(address);
            if ctx.output.json {
                ctx.output.json_line(
                    &json!({"schema_version": 1, "event": "ready", "url": format!("http://{address}/metrics")}),
                );
            } else {
                ctx.output.result(&format!("metrics: http://{address}/metrics"));
            }
            ctx.output.flush();
            Some(tokio::spawn(crate::serve::until(bound, router, async {
                let _ = closed.await;
            })))
        }
        None => None,
    };
    let mut stopped = stop_signal();
    // What earlier runs have kept, while the first round is under way.
    let patience = every * 2 + Duration::from_secs(60);
    exposed.set(watch.metrics(&Round::default()), Some(patience));
    'rounds: loop {
        if Hold::is_asked() {
            break;
        }
        let start = std::time::Instant::now();
        // The accounts to test out of turn; events arrive during a round too.
        let mut pages = HashSet::new();
        let round = {
            let mut round = std::pin::pin!(watch.round(every.mul_f64(SPREAD), None));
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => break 'rounds,
                    more = next_of(app_events.as_mut()) => pages.extend(more),
                    round = &mut round => break round,
                }
            }
        };
        after_each(args, ctx, watch, &round, &exposed, patience);
        loop {
            if !pages.is_empty() {
                ctx.output.notice("Meta reports a change of the app: its accounts are tested now");
                let now = std::mem::take(&mut pages);
                let round = tokio::select! {
                    biased;
                    _ = &mut stopped => break 'rounds,
                    round = watch.round(Duration::ZERO, Some(&now)) => round,
                };
                after_each(args, ctx, watch, &round, &exposed, patience);
            }
            tokio::select! {
                biased;
                _ = &mut stopped => break 'rounds,
                more = next_of(app_events.as_mut()) => pages.extend(more),
                () = tokio::time::sleep(every.saturating_sub(start.elapsed())) => break,
            }
        }
    }
    drop(close);
    if let Some(server) = server {
        // Answers on their way have two seconds.
        let _ = server.await;
    }
    ctx.output.notice("stopped");
    Ok(())
}

/// Ready when the process is asked to end (Ctrl-C, SIGTERM). Heard on a thread of its own: a
/// keyring or a program that gives a secret may hold the other one up, and is not waited for.
fn stop_signal() -> oneshot::Receiver<()> {
    const AT_LAST: Duration = Duration::from_secs(4);
    let (ask, asked) = oneshot::channel();
    std::thread::spawn(move || {
        if Workspace::wait(crate::leaving::stopped()).is_ok() {
            // The receiver is dropped once the rounds have ended.
            let _ = ask.send(());
            std::thread::sleep(AT_LAST);
            interrupt::finish(0);
        }
    });
    asked
}

/// The Pages of the next app that something happened to; never, where nothing is heard of apps.
async fn next_of(events: Option<&mut AppEvents<'_>>) -> HashSet<String> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

/// Shows what came of a round, and measures it.
///
/// # Errors
///
/// The file of metrics cannot be written.
fn after(
    args: &WatchArgs,
    ctx: &Context,
    watch: &Watch<'_>,
    round: &Round,
    exposed: Option<(&Exposed, Duration)>,
) -> Result<(), CliError> {
    show(ctx, round);
    if exposed.is_none() && args.textfile.is_none() {
        return Ok(());
    }
    let metrics = watch.metrics(round);
    let written = args.textfile.as_ref().map_or(Ok(()), |path| write_metrics(path, &metrics));
    if let Some((exposed, patience)) = exposed {
        // A watch that can tell nothing, or read no secret, is not well, and is overdue in the end.
        let is_blind = round.untested > 0 && round.counts.values().sum::<usize>() <= round.untested;
        exposed.set(metrics, Some(patience).filter(|_| round.untold.is_empty() && !is_blind));
    }
    written
}

/// The same in a watch that goes on: the next round writes the file again.
fn after_each(
    args: &WatchArgs,
    ctx: &Context,
    watch: &Watch<'_>,
    round: &Round,
    exposed: &Exposed,
    patience: Duration,
) {
    ctx.warn_of_move();
    if let Err(error) = after(args, ctx, watch, round, Some((exposed, patience))) {
        ctx.output.warning(&in_words(&error));
    }
}

/// An error in one line: what failed, why, and what to do.
fn in_words(error: &CliError) -> String {
    let hint = error.first_hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    let what: Vec<&str> = [error.message()].into_iter().chain(error.causes().iter().map(String::as_str)).collect();
    format!("{}{hint}", what.join(": "))
}

fn show(ctx: &Context, round: &Round) {
    for (tenant, error) in &round.skipped {
        ctx.output.warning(&format!("tenant '{tenant}' was skipped: {}", in_words(error)));
    }
    for (tenant, error) in &round.untold {
        ctx.output.warning(&format!("nothing could be told of tenant '{tenant}': {}", in_words(error)));
    }
    for (target, count) in &round.dropped {
        ctx.output.warning(&format!(
            "{count} of the notices that waited for target '{target}' were dropped: it is not in config.toml any more"
        ));
    }
    for (target, waiting, why) in &round.waiting {
        let s = if *waiting == 1 { " waits" } else { "s wait" };
        ctx.output.warning(&format!("{waiting} notice{s} for target '{target}': {why}; the next round tries again"));
    }
    let seconds = (round.duration.as_secs_f64() * 10.0).round() / 10.0;
    if ctx.output.json {
        let counts: serde_json::Map<String, serde_json::Value> =
            round.counts.iter().map(|(outcome, count)| (outcome.to_string(), (*count).into())).collect();
        ctx.output.json_line(&json!({
            "schema_version": 1, "event": "round", "at": ctx.clock.now(), "counts": counts, "requests": round.requests, "seconds": seconds,
            "told": round.told,
        }));
    } else {
        let time = ctx.clock.now().strftime("%Y-%m-%d %H:%M:%SZ");
        let counts: Vec<String> =
            round.counts.iter().rev().map(|(outcome, number)| format!("{} {outcome}", count(*number))).collect();
        let counts = if counts.is_empty() { "no accounts".to_owned() } else { counts.join(", ") };
        ctx.output.result(&format!(
            "{time}  {counts}  ({seconds} s, {} request{})",
            count(usize::try_from(round.requests).unwrap_or(usize::MAX)),
            if round.requests == 1 { "" } else { "s" }
        ));
        for notice in &round.told {
            ctx.output.result(&format!("  {}", ctx.output.calls().complete(&title(notice))));
        }
    }
    ctx.output.flush();
}

/// The exit code of one round.
fn code(round: &Round) -> Result<u8, CliError> {
    if !round.skipped.is_empty() {
        return Err(CliError::partial("not every tenant was tested, for the reasons above"));
    }
    if round.untested > 0 {
        let (s, were) = if round.untested == 1 { ("", "was") } else { ("s", "were") };
        let error = CliError::partial(format!("{} account{s} {were} not tested", count(round.untested)));
        let error = round.untested_why.iter().fold(error, |error, why| error.cause(why.clone()));
        return Err(error.hint("for all of them: msgrctl account test --all"));
    }
    let worst = round.counts.keys().max();
    if !round.untold.is_empty() {
        return Err(CliError::partial("what was found could not be told, for the reasons above"));
    }
    if !round.waiting.is_empty() && worst.is_none_or(|worst| *worst <= Outcome::Warn) {
        return Err(CliError::partial("notices wait to be sent, for the reasons above"));
    }
    Ok(match worst {
        Some(Outcome::Fail) => 7,
        Some(Outcome::Unreachable) => 5,
        _ => 0,
    })
}

fn notify_test(watch: &Watch<'_>, ctx: &Context) -> Result<u8, CliError> {
    let sent = Workspace::wait(watch.tell_test())??;
    let mut failed = 0;
    let mut rows = Vec::new();
    for (target, result) in &sent {
        match result {
            Ok(()) if !ctx.output.json => ctx.output.result(&format!("{target}: took the notice")),
            Ok(()) => {}
            Err(why) => {
                failed += 1;
                ctx.output.warning(&format!("{target} did not take the notice: {why}"));
            }
        }
        rows.push(json!({"target": target, "sent": result.is_ok(), "why": result.as_ref().err()}));
    }
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "targets": rows}));
    }
    match failed {
        0 => Ok(0),
        1 => Err(CliError::partial("1 target did not take the notice, for the reason above")),
        failed => Err(CliError::partial(format!("{failed} targets did not take the notice, for the reasons above"))),
    }
}
