//! `msgrctl sandbox start`: runs the emulator until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::operations::Workspace;
use crate::sandbox::{self, Scenario, SharedWorld, World};

/// Start the built-in Graph API on this machine
///
/// Prints, as soon as it accepts connections, where it is and credentials that
/// work, and runs until Ctrl-C. Its tokens are the same at every start, so
/// accounts that were added to it go on working. What a scenario file may say:
/// msgrctl help scenarios.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl sandbox start
  msgrctl sandbox start --listen 127.0.0.1:8090 --pages 60 --latency 100ms
  msgrctl sandbox start --scenario password-changed.toml --json")]
pub struct StartArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A world of your own
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Wait so long before every answer: 100ms, 2s
    #[arg(long, value_name = "TIME")]
    latency: Option<SignedDuration>,
    /// How many Pages there are
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "scenario",
        value_parser = clap::value_parser!(u16).range(1..))]
    pages: u16,
}

#[derive(Serialize)]
struct Started {
    schema_version: u8,
    graph_url: String,
    app: AppView,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_token: Option<String>,
    pages: Vec<PageView>,
    people: Vec<PersonView>,
}

#[derive(Serialize)]
struct PersonView {
    psid: String,
    name: String,
    page_id: String,
}

#[derive(Serialize)]
struct AppView {
    id: String,
    secret: String,
}

#[derive(Serialize)]
struct PageView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    name: String,
    access_token: String,
}

pub fn run(args: &StartArgs, ctx: &Context) -> Result<u8, CliError> {
    if !args.listen.ip().is_loopback() {
        return Err(CliError::usage(format!("{} is not an address of this machine alone", args.listen))
            .hint("the sandbox listens on loopback only: --listen 127.0.0.1:PORT"));
    }
    let world = SharedWorld::new(world(args, ctx)?);
    Workspace::wait(serve(args, ctx, world))?
}

fn world(args: &StartArgs, ctx: &Context) -> Result<World, CliError> {
    let mut world = match &args.scenario {
        Some(path) => {
            /// Ten thousand Pages have 3 MB.
            const LIMIT: u64 = 64 * 1024 * 1024;
            let text = files::read_given_text(path, LIMIT).map_err(|error| CliError::of_given(&error))?;
            Scenario::parse(&text, path)?.into_world(ctx.clock.clone())
        }
        None => World::with_pages(usize::from(args.pages), ctx.clock.clone()),
    };
    if let Some(latency) = args.latency {
        world.rules.latency =
            Duration::try_from(latency).map_err(|_| CliError::usage("--latency is a time from now on: 100ms, 2s"))?;
    }
    Ok(world)
}

async fn serve(args: &StartArgs, ctx: &Context, world: SharedWorld) -> Result<u8, CliError> {
    let bound = TcpListener::bind(args.listen).await.map_err(|error| {
        CliError::failed(format!("cannot listen on {}", args.listen))
            .cause(error.to_string())
            .hint("choose another port with --listen 127.0.0.1:PORT, or leave it out for a free one")
    })?;
    let address =
        bound.local_addr().map_err(|error| CliError::failed("the address is not known").cause(error.to_string()))?;
    let started = started(&world.lock(), format!("http://{address}"));
    if ctx.output.json {
        ctx.output.json(&started);
    } else {
        ctx.output.result(&text(&started));
    }
    ctx.output.flush();
    ctx.output.notice(&format!(
        "running until Ctrl-C; what it was asked: msgrctl sandbox calls --graph-url http://{address}"
    ));
    tokio::select! {
        // A client that keeps its connection does not hold the end up.
        served = crate::serve::until(bound, sandbox::router(world), std::future::pending()) => {
            served.map_err(|error| CliError::failed("the sandbox stopped").cause(error.to_string()))?;
        }
        () = crate::serve::stopped() => {}
    }
    Ok(0)
}

fn started(world: &World, graph_url: String) -> Started {
    let token_of = |id: &str| world.page_token(id).map(|token| token.value.clone());
    Started {
        schema_version: 1,
        graph_url,
        app: AppView { id: world.apps[0].id.clone(), secret: world.apps[0].secret.clone() },
        user_token: world.user_token().map(|token| token.value.clone()),
        pages: world
            .pages
            .iter()
            .map(|page| PageView {
                id: page.id.clone(),
                username: page.username.clone(),
                name: page.name.clone(),
                access_token: token_of(&page.id).unwrap_or_default(),
            })
            .collect(),
        people: world
            .people
            .iter()
            .map(|person| PersonView {
                psid: person.psid.clone(),
                name: person.name.clone(),
                page_id: person.page_id.clone(),
            })
            .collect(),
    }
}

/// For a person: what to paste, then who is there. The values work in this
/// sandbox alone, so they are shown.
fn text(started: &Started) -> String {
    let mut lines = vec![format!("export MSGRCTL_GRAPH_URL={}", started.graph_url)];
    if let Some(page) = started.pages.first() {
        lines.push(format!("export TOKEN={}", page.access_token));
    }
    lines.push(String::new());
    lines.push("Paste the two lines into another terminal; then, for example:".into());
    lines.push(format!("  export MSGRCTL_APP_SECRET={}", started.app.secret));
    lines.push(format!("  printf %s \"$TOKEN\" | msgrctl account add --token-stdin --app-id {}", started.app.id));
    lines.push(String::new());
    lines.push("a user token, which shows all Pages: sandbox start --json has it".into());
    for page in started.pages.iter().take(10) {
        let username = page.username.as_ref().map(|name| format!(" @{name}")).unwrap_or_default();
        lines.push(format!("page {} {}{username}", page.id, page.name));
    }
    if started.pages.len() > 10 {
        lines.push(format!("and {} more; --json lists all with their tokens", started.pages.len() - 10));
    }
    if let Some(person) = started.people.first() {
        lines.push(format!("person {} {}, who can write to the page:", person.psid, person.name));
        let page = if started.pages.len() > 1 { format!(" --page {}", person.page_id) } else { String::new() };
        lines.push(format!("  msgrctl sandbox say{page} --from '{}' Hello", person.name));
    }
    lines.join("\n")
}
