//! `msgrctl account`: the integration accounts of a tenant.

mod add;
mod discover;
pub mod edit;
mod fields;
mod handover;
pub mod inputs;
mod list;
mod remove;
mod rename;
mod renew;
mod show;
mod test;
pub mod view;
mod ways_out;
mod wizard;

pub use fields::refused_flag;
pub use test::{TestArgs, run as test};
pub use wizard::{Pasted, again, introduce, pasted, say};

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::format::FormatArg;

#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  msgrctl account list\n  msgrctl account test --all"
)]
pub(super) enum AccountCommand {
    #[command(visible_aliases = ["create", "new"])]
    Add(add::AddArgs),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    #[command(visible_aliases = ["get", "info"])]
    Show(show::ShowArgs),
    Edit(edit::EditArgs),
    Rename(rename::RenameArgs),
    Renew(renew::RenewArgs),
    #[command(visible_aliases = ["rm", "delete"])]
    Remove(remove::RemoveArgs),
    Test(test::TestArgs),
    Handover(handover::HandoverArgs),
    Discover(discover::DiscoverArgs),
}

impl AccountCommand {
    pub(super) fn format(&self) -> FormatArg {
        if let Self::Test(args) = self { args.format } else { FormatArg::default() }
    }
}

pub(super) fn run(command: AccountCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        AccountCommand::Add(args) => add::run(&args, ctx),
        AccountCommand::List(args) => list::run(&args, ctx),
        AccountCommand::Show(args) => show::run(&args, ctx),
        AccountCommand::Edit(args) => edit::run(&args, ctx),
        AccountCommand::Rename(args) => rename::run(&args, ctx),
        AccountCommand::Renew(args) => renew::run(&args, ctx),
        AccountCommand::Remove(args) => remove::run(&args, ctx),
        AccountCommand::Test(args) => test::run(&args, ctx),
        AccountCommand::Handover(args) => handover::run(&args, ctx),
        AccountCommand::Discover(args) => discover::run(&args, ctx),
    }
}
