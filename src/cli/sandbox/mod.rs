//! `msgrctl sandbox`: the built-in Graph API.

mod calls;
mod start;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl sandbox start")]
pub(super) enum SandboxCommand {
    Start(start::StartArgs),
    Calls(calls::CallsArgs),
}

pub(super) fn run(command: SandboxCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        SandboxCommand::Start(args) => start::run(&args, ctx),
        SandboxCommand::Calls(args) => calls::run(&args, ctx),
    }
}
