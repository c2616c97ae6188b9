//! `msgrctl webhook`: from the verify token to a message that arrives.

mod console;
mod line;
mod listen;
mod probe;
mod results;
mod rotate;
mod screen;
mod show;
mod status;
pub mod subscribe;
mod unsubscribe;
mod verify;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::format::FormatArg;

#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  msgrctl webhook show acme-support\n  msgrctl webhook verify acme-support\n  msgrctl webhook subscribe acme-support\n  msgrctl webhook listen acme-support"
)]
pub(super) enum WebhookCommand {
    #[command(visible_aliases = ["get", "info"])]
    Show(show::ShowArgs),
    Verify(verify::VerifyArgs),
    Subscribe(subscribe::SubscribeArgs),
    Unsubscribe(unsubscribe::UnsubscribeArgs),
    Status(status::StatusArgs),
    Rotate(rotate::RotateArgs),
    Listen(listen::ListenArgs),
}

impl WebhookCommand {
    pub(super) fn format(&self) -> FormatArg {
        if let Self::Status(args) = self { args.format } else { FormatArg::default() }
    }
}

pub(super) fn run(command: WebhookCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        WebhookCommand::Show(args) => show::run(&args, ctx),
        WebhookCommand::Verify(args) => verify::run(&args, ctx),
        WebhookCommand::Subscribe(args) => subscribe::run(&args, ctx),
        WebhookCommand::Unsubscribe(args) => unsubscribe::run(&args, ctx),
        WebhookCommand::Status(args) => status::run(&args, ctx),
        WebhookCommand::Rotate(args) => rotate::run(&args, ctx),
        WebhookCommand::Listen(args) => listen::run(&args, ctx),
    }
}
