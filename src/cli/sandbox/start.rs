//! `msgrctl sandbox start`: runs the emulator until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::json::without_nulls;
use crate::operations::Workspace;
use crate::sandbox::{self, Page, Person, Scenario, SharedWorld, World};

/// Start the built-in Graph API on this machine
///
/// Prints its address and working credentials once it accepts connections, and runs until
/// Ctrl-C. Its tokens are the same at every start, so accounts added to it keep working.
/// For scenario files see: msgrctl help scenarios
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl sandbox start
  msgrctl sandbox start --listen 127.0.0.1:8090 --pages 60 --latency 100ms
  msgrctl sandbox start --scenario password-changed.toml --json")]
pub struct StartArgs {
    /// The address to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Your own scenario file
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// The delay before every answer: 100ms, 2s
    #[arg(long, value_name = "TIME")]
    latency: Option<SignedDuration>,
    /// The number of Pages
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "scenario",
        value_parser = clap::value_parser!(u16).range(1..))]
    pages: u16,
}

pub fn run(args: &StartArgs, ctx: &Context) -> Result<u8, CliError> {
    if !args.listen.ip().is_loopback() {
        return Err(CliError::usage(format!("{} is not an address that only this machine can reach", args.listen))
            .hint("the sandbox listens on loopback only: --listen 127.0.0.1:PORT"));
    }
    let world = SharedWorld::new(world(args, ctx)?);
    Workspace::wait(serve(args, ctx, world))?
}

fn world(args: &StartArgs, ctx: &Context) -> Result<World, CliError> {
    let mut world = match &args.scenario {
        Some(path) => {
            /// Ten thousand Pages take 3 MB.
            const LIMIT: u64 = 64 * 1024 * 1024;
            let text = files::read_given_text(path, LIMIT).map_err(|error| CliError::of_given(&error))?;
            Scenario::parse(&text, path)?.into_world(ctx.clock.clone())
        }
        None => World::with_pages(usize::from(args.pages), ctx.clock.clone()),
    };
    if let Some(latency) = args.latency {
        world.rules.latency =
            Duration::try_from(latency).map_err(|_| CliError::usage("--latency must not be negative: 100ms, 2s"))?;
    }
    Ok(world)
}

async fn serve(args: &StartArgs, ctx: &Context, world: SharedWorld) -> Result<u8, CliError> {
    let bound = TcpListener::bind(args.listen).await.map_err(|error| {
        CliError::failed(format!("cannot listen on {}", args.listen))
            .cause(error.to_string())
            .hint("choose another port with --listen 127.0.0.1:PORT, or omit --listen for a free one")
    })?;
    let address =
        bound.local_addr().map_err(|error| CliError::failed("the address is not known").cause(error.to_string()))?;
    let url = format!("http://{address}");
    if ctx.output.json {
        ctx.output.json_line(&view(&world.lock(), &url));
    } else {
        ctx.output.result(&ctx.output.calls().complete(&text(&world.lock(), &url)));
    }
    ctx.output.flush();
    ctx.output.notice(&format!(
        "running until Ctrl-C; what it was asked: msgrctl sandbox calls --graph-url http://{address}"
    ));
    tokio::select! {
        // A client that keeps its connection open does not delay the end.
        served = crate::serve::until(bound, sandbox::router(world), std::future::pending()) => {
            served.map_err(|error| CliError::failed("the sandbox stopped").cause(error.to_string()))?;
        }
        () = crate::leaving::stopped() => {}
    }
    Ok(0)
}

/// JSON: of the app, Page and person only what a client needs.
fn view(world: &World, graph_url: &str) -> Value {
    let app = &world.apps[0];
    let page = |page: &Page| {
        let access_token = token_of(world, page);
        without_nulls(json!({
            "id": page.id, "username": page.username, "name": page.name, "access_token": access_token,
        }))
    };
    let person = |person: &Person| json!({"psid": person.psid, "name": person.name, "page_id": person.page_id});
    without_nulls(json!({
        "schema_version": 1,
        "graph_url": graph_url,
        "app": {"id": app.id, "secret": app.secret},
        "user_token": world.user_token().map(|token| &token.value),
        "pages": world.pages.iter().map(page).collect::<Vec<_>>(),
        "people": world.people.iter().map(person).collect::<Vec<_>>(),
    }))
}

fn token_of<'w>(world: &'w World, page: &Page) -> &'w str {
    world.page_token(&page.id).map(|token| token.value.as_str()).unwrap_or_default()
}

/// The line that sets a variable: in a POSIX shell, in PowerShell on Windows.
fn set(name: &str, value: &str) -> String {
    if cfg!(windows) { format!("$env:{name} = \"{value}\"") } else { format!("export {name}={value}") }
}

/// The command that writes a variable into a pipe.
fn print(name: &str) -> String {
    if cfg!(windows) { format!("$env:{name}") } else { format!("printf %s \"${name}\"") }
}

/// Text: lines to paste, then the people. The secrets work only in this sandbox, so they are
/// shown.
fn text(world: &World, graph_url: &str) -> String {
    let (app, pages) = (&world.apps[0], &world.pages);
    let mut lines = vec![set("MSGRCTL_GRAPH_URL", graph_url)];
    lines.extend(pages.first().map(|page| set("TOKEN", token_of(world, page))));
    lines.extend(world.user_token().map(|token| set("USER_TOKEN", &token.value)));
    lines.push(String::new());
    lines.push("Paste these lines into another terminal; then, for example:".into());
    lines.push(format!("  {}", set("MSGRCTL_APP_SECRET", &app.secret)));
    lines.push(format!("  {} | msgrctl account add --token-stdin --app-id {}", print("TOKEN"), app.id));
    if let (Some(page), Some(_)) = (pages.get(1).or(pages.first()), world.user_token()) {
        lines.push("A person's token reaches all of their Pages; --page-id picks one and stores its own token:".into());
        lines.push(format!(
            "  {} | msgrctl account add --token-stdin --app-id {} --page-id {}",
            print("USER_TOKEN"),
            app.id,
            page.id
        ));
    }
    lines.push(String::new());
    for page in pages.iter().take(10) {
        let username = page.username.as_ref().map(|name| format!(" @{name}")).unwrap_or_default();
        lines.push(format!("page {} {}{username}", page.id, page.name));
    }
    if pages.len() > 10 {
        lines.push(format!("and {} more; --json lists all, with their tokens", pages.len() - 10));
    }
    if let Some(person) = world.people.first() {
        lines.push(format!("person {} {}, who can write to the page:", person.psid, person.name));
        lines.push(format!("  msgrctl sandbox say --from '{}' Hello", person.name));
    }
    lines.join("\n")
}
