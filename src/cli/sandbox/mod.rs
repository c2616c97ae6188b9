//! `msgrctl sandbox`: the built-in Graph API.

mod calls;
mod say;
mod start;

use clap::Subcommand;

use serde::de::DeserializeOwned;

use super::context::Context;
use super::error::CliError;
use crate::graph::BaseUrl;
use crate::http::{Client, Request};
use crate::operations::Workspace;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl sandbox start")]
pub(super) enum SandboxCommand {
    Start(start::StartArgs),
    Say(Box<say::SayArgs>),
    Calls(calls::CallsArgs),
}

pub(super) fn run(command: SandboxCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        SandboxCommand::Start(args) => start::run(&args, ctx),
        SandboxCommand::Say(args) => say::run(*args, ctx),
        SandboxCommand::Calls(args) => calls::run(&args, ctx),
    }
}

/// Calls the running sandbox at a path outside Graph's API.
fn ask<T: DeserializeOwned>(ctx: &Context, request: impl FnOnce(&BaseUrl) -> Request) -> Result<T, CliError> {
    let base = &ctx.settings()?.graph_url.value;
    if !base.is_loopback() {
        return Err(CliError::usage("missing: the sandbox's address")
            .hint("give the address of the running sandbox: --graph-url http://127.0.0.1:PORT (MSGRCTL_GRAPH_URL)"));
    }
    let client = Client::new(&ctx.http_settings()?)?;
    let gone = |cause: String| {
        CliError::remote(format!("no sandbox answers at {base}")).cause(cause).hint("start one: msgrctl sandbox start")
    };
    let answer = Workspace::wait(client.send(request(base)))?.map_err(|fault| gone(fault.to_string()))?;
    if answer.status == 400
        && let Ok(refused) = serde_json::from_slice::<Refused>(&answer.body)
    {
        return Err(CliError::usage(refused.error));
    }
    serde_json::from_slice(&answer.body).map_err(|_| gone("the server there is not a sandbox".into()))
}

/// Why a sandbox refuses a request.
#[derive(serde::Deserialize)]
struct Refused {
    error: String,
}
