//! `msgrctl webhook listen`: a receiver of Meta's events on this machine.

mod event_loop;
mod play;
mod refused;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::console::Console;
use super::screen::Screen;
use crate::accounts::Realm;
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::{self, CliError};
use crate::clock::Clock;
use crate::files;
use crate::operations::Workspace;
use crate::operations::listen::script::{self, Line};
use crate::operations::listen::{Listened, TokenReader, forward, listened};
use crate::operations::webhooks::Target;
use crate::ui::interrupt::{self, Hold};
use crate::ui::typed::{self, End, Typing};
use crate::webhook::{Subscriber, receiver};
use event_loop::EventLoop;
use play::Script;
use refused::Refused;

/// Receive Meta's events on this machine
///
/// Answers the handshake, checks the signature of every event with the app secret (403 if
/// it is wrong), and prints a line for each event; --json prints an object on each line. An
/// event is answered 200 once it is printed or passed on, and 503 after 4 s without either:
/// Meta then sends it again. A repeated event is shown once. It ends if standard output
/// fails. Meta must reach it over HTTPS: put a reverse proxy or a tunnel in front, with its
/// address as the account's callback URL. A sandbox reaches it directly.
///
/// With --console you play the contact centre: a customer's message opens a session; you
/// take it, answer and end it; system messages are sent as the account is configured.
/// --script FILE does the same without a person. Runs until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl webhook listen acme-support
  msgrctl webhook listen --forward-to http://127.0.0.1:3000/hook
  msgrctl webhook listen acme-support --console
  msgrctl webhook listen acme-support --script conversation.txt --json")]
pub struct ListenArgs {
    /// Names, handles or ids of accounts [default: all of the tenant]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    accounts: Vec<String>,
    /// The address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The path of the callback URL
    #[arg(long, value_name = "PATH", default_value = "/webhook")]
    path: String,
    /// Forward each event, with its signatures, to this URL, and show the answer
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Play the contact centre: take, answer and end conversations
    #[arg(long)]
    console: bool,
    /// Run this script instead of a person, then end (msgrctl help scripts)
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

pub fn run(args: &ListenArgs, ctx: &Context) -> Result<u8, CliError> {
    if !args.path.starts_with('/') || args.path.contains(['?', '#']) {
        return Err(CliError::usage(format!("'{}' is not a valid path: it begins with / and has no query", args.path)));
    }
    let script = args.script.as_ref().map(|path| read_script(path)).transpose()?;
    let listened = listened(ctx, &args.accounts)?;
    let forward = args.forward_to.as_deref().map(|url| forward::Target::read(ctx, url)).transpose()?;
    let console = args.console || script.is_some();
    if forward.as_ref().is_some_and(|target| target.is_at(args.listen, &args.path)) {
        return Err(CliError::usage("--forward-to is the listener's own address: events would loop"));
    }
    let target = if console { Some(console_target(ctx, &listened)?) } else { None };
    let by_hand = console && script.is_none();
    // A script moves the console's clock instead of waiting.
    let clock = if script.is_some() { Clock::at(ctx.clock.now()) } else { ctx.clock.clone() };
    let screen = Screen::new(&ctx.output, clock.clone());
    let scripted = script.is_some();
    let console = target.map(|target| Console::new(ctx, &screen, target, clock, scripted)).transpose()?;
    let subscribers = listened.iter().map(|listened| Subscriber {
        page_id: listened.account.page_id.to_string(),
        app_secret: listened.app_secret.clone(),
    });
    let (router, mut heard) = receiver(&args.path, subscribers.collect());
    // Ctrl-C and SIGTERM let answered events finish, and the summary follows. Set later, by a test's
    // progress, the handler of prompts would take both signals from the listener.
    interrupt::install();
    let hold = Hold::begin();
    let mut is_signalled = false;
    // From here on a reader that stops reading delays neither answers nor the end.
    ctx.output.write_behind();
    let mut tokens = TokenReader::start(ctx, &listened)?;
    let done = Workspace::wait(async {
        let bound = TcpListener::bind(args.listen).await.map_err(|error| {
            CliError::failed(format!("cannot listen on {}", args.listen))
                .cause(error.to_string())
                .hint("choose another with --listen 127.0.0.1:PORT; port 0 takes a free one")
        })?;
        let address = bound
            .local_addr()
            .map_err(|error| CliError::failed("the address is not known").cause(error.to_string()))?;
        let mut event_loop = EventLoop::new(ctx, &screen, &listened, console, forward);
        let mut refused = Refused::new(ctx, &screen, heard.refusals.clone());
        let (close, closed) = oneshot::channel::<()>();
        let server = tokio::spawn(crate::serve::until(bound, router, async {
            // Dropped or sent, both mean stop.
            let _ = closed.await;
        }));
        say_ready(args, ctx, &screen, &listened, address, event_loop.opening());
        // The prompt comes after the opening text.
        let (lines, ended) = if by_hand { type_below(ctx) } else { (None, None) };
        let outcome = tokio::select! {
            outcome = event_loop.work(&mut heard.notifications, lines, script.map(Script::new)) => outcome,
            () = refused.show() => Ok(()),
            () = tokens.keep(&heard.verify_tokens, &mut heard.unknown_tokens) => Ok(()),
            () = show_handshakes(ctx, &screen, &mut heard.handshakes) => Ok(()),
            kind = ctx.output.failing() => cannot_write(ctx, kind),
            () = ended_by_hand(ctx, ended) => Ok(()),
            () = crate::leaving::stopped() => {
                is_signalled = true;
                Ok(())
            }
            // Ctrl-C may have come before the listener was ready.
            () = std::future::ready(()), if Hold::is_asked() => Ok(()),
        };
        drop(close);
        event_loop.finish(&mut heard.notifications, server).await;
        say_goodbye(ctx, &screen, &event_loop, &refused);
        outcome
    });
    if is_signalled {
        // A prompt's Ctrl-C handler may run late and end the process as interrupted, although it
        // ended in order.
        std::mem::forget(hold);
    }
    // A prompt that is still open has changed the terminal.
    interrupt::give_terminal_back();
    done?.map(|()| 0)
}

type Typed = (Option<mpsc::UnboundedReceiver<String>>, Option<oneshot::Receiver<End>>);

/// Starts reading typed lines, below the output.
fn type_below(ctx: &Context) -> Typed {
    let terminal = ctx.stdin_is_terminal && ctx.output.terminal.stdout && !ctx.output.json;
    interrupt::remember_terminal();
    let Typing { lines, ended, above } = typed::lines(terminal);
    if let Some(above) = above {
        ctx.output.show_above(above);
    }
    (Some(lines), Some(ended))
}

/// Prints each correct handshake; never ready.
async fn show_handshakes(ctx: &Context, screen: &Screen<'_>, handshakes: &mut mpsc::Receiver<()>) {
    while handshakes.recv().await.is_some() {
        if !ctx.output.is_behind() {
            let line = "handshake: right verify token, the challenge was repeated";
            screen.note("handshake", None, line, json!({"accepted": true}));
        }
    }
    std::future::pending::<()>().await;
}

/// Standard output fails: says so and ends. A reader that has gone (`| head -1`) is not an
/// error.
fn cannot_write(ctx: &Context, kind: std::io::ErrorKind) -> Result<(), CliError> {
    if kind == std::io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    ctx.output.warning(&format!("events can no longer be printed ({kind}); Meta is asked to send them again"));
    Err(error::of_output(kind).hint("free some space or write elsewhere, then start it again"))
}

/// Ready when the operator presses Ctrl-C or Ctrl-D. The end of piped input does not count.
async fn ended_by_hand(ctx: &Context, ended: Option<oneshot::Receiver<End>>) {
    if let Some(ended) = ended {
        match ended.await {
            Ok(End::OfInput) if !ctx.stdin_is_terminal => {
                ctx.output.notice("the input has ended; listening continues until Ctrl-C");
            }
            _ => return,
        }
    }
    std::future::pending::<()>().await;
}

fn say_goodbye(ctx: &Context, screen: &Screen<'_>, event_loop: &EventLoop<'_>, refused: &Refused<'_>) {
    if let Some(lost) = event_loop.not_forwarded() {
        ctx.output.warning(&lost);
    }
    let (events, again, count) = (event_loop.events, event_loop.again, refused.count());
    if ctx.output.json {
        let details = json!({"events": events, "duplicates": again, "refused": count});
        return screen.note("stopped", None, "", details);
    }
    let why = if count == 0 { String::new() } else { format!(" ({})", refused.reasons()) };
    let s = if events == 1 { "" } else { "s" };
    match event_loop.open() {
        0 => {}
        1 => ctx.output.notice("one conversation was not ended: the customer waits"),
        open => ctx.output.notice(&format!("{open} conversations were not ended: the customers wait")),
    }
    ctx.output.notice(&format!("stopped: {events} event{s}, {again} sent again by Meta, {count} refused{why}"));
}

fn read_script(path: &std::path::Path) -> Result<Vec<(usize, Line)>, CliError> {
    const LIMIT: u64 = 4 * 1024 * 1024;
    let text = files::read_given_text(path, LIMIT).map_err(|error| CliError::of_given(&error))?;
    script::parse(&text).map_err(|wrong| {
        let mut error = CliError::usage(format!("{} is not a valid script", path.display()));
        for mistake in wrong {
            error = error.cause(mistake);
        }
        error.hint("what a script may say: msgrctl help scripts")
    })
}

fn console_target(ctx: &Context, listened: &[Listened]) -> Result<Target, CliError> {
    let [one] = listened else {
        return Err(CliError::usage("the console needs one account").hint("msgrctl webhook listen NAME --console"));
    };
    ctx.check_realm(&one.account)?;
    Target::of(ctx, one.account.clone())
}

fn say_ready(
    args: &ListenArgs,
    ctx: &Context,
    screen: &Screen<'_>,
    listened: &[Listened],
    address: SocketAddr,
    opening: Option<String>,
) {
    let url = format!("http://{address}{}", args.path);
    let names: Vec<&str> = listened.iter().map(|listened| listened.account.name.as_str()).collect();
    if ctx.output.json {
        let details = json!({"url": url, "accounts": names});
        screen.note("ready", None, "", details);
    } else {
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        ctx.output.result(&format!("ready: listening on {url} for {}", names.join(", ")));
        ctx.output.flush();
        if let Some(opening) = opening {
            ctx.output.notice(&opening);
        }
    }
    if !address.ip().is_loopback() {
        ctx.output.warning("anyone who can reach this machine can reach the listener; Meta needs HTTPS in front of it");
    }
    for Listened { account, .. } in listened {
        let handle = &account.handle;
        match (&account.callback_url, account.graph) {
            (None, Realm::Sandbox) => ctx.output.notice(&format!(
                "next: msgrctl account edit {handle} --callback-url {url} && msgrctl webhook subscribe {handle}"
            )),
            (None, Realm::Live) => ctx.output.notice(&format!(
                "'{}' has no callback URL yet; once an HTTPS address leads here: msgrctl account edit {handle} --callback-url https://HOST{}",
                account.name, args.path
            )),
            (Some(callback), Realm::Sandbox) if callback.as_str() != url => ctx.output.notice(&format!(
                "the callback URL of '{}' is {}, not {url}; to change it: msgrctl account edit {handle} --callback-url {url} && msgrctl webhook subscribe {handle}",
                account.name,
                callback.shown()
            )),
            _ => {}
        }
    }
}
