//! `msgrctl tenant`: the customers of the contact centre whose accounts are kept here.

mod add;
mod edit;
mod fields;
mod list;
mod remove;
mod show;
mod r#use;
mod view;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;

use super::candidates;
use super::context::Context;
use super::error::CliError;
use crate::accounts::TenantName;
pub(super) use crate::operations::tenants::{check_known, check_named};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl tenant list")]
pub(super) enum TenantCommand {
    #[command(visible_aliases = ["create", "new"])]
    Add(add::AddArgs),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    #[command(visible_aliases = ["get", "info"])]
    Show(show::ShowArgs),
    Use(r#use::UseArgs),
    Edit(edit::EditArgs),
    #[command(visible_aliases = ["rm", "delete"])]
    Remove(remove::RemoveArgs),
}

pub(super) fn run(command: TenantCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        TenantCommand::Add(args) => add::run(&args, ctx),
        TenantCommand::List(args) => list::run(&args, ctx),
        TenantCommand::Show(args) => show::run(&args, ctx),
        TenantCommand::Use(args) => r#use::run(&args, ctx),
        TenantCommand::Edit(args) => edit::run(&args, ctx),
        TenantCommand::Remove(args) => remove::run(&args, ctx),
    }
}

/// A tenant that is there, named.
#[derive(Debug, Args)]
struct NamedTenant {
    /// The tenant's name
    #[arg(value_name = "TENANT", add = ArgValueCandidates::new(candidates::tenants))]
    name: String,
}

impl NamedTenant {
    fn find(&self, ctx: &Context) -> Result<TenantName, CliError> {
        TenantArg { name: Some(self.name.clone()) }.pick(ctx)
    }
}

/// A tenant that is there.
#[derive(Debug, Args)]
struct TenantArg {
    /// The tenant's name [default: the one that is worked in]
    #[arg(value_name = "TENANT", add = ArgValueCandidates::new(candidates::tenants))]
    name: Option<String>,
}

impl TenantArg {
    fn pick(&self, ctx: &Context) -> Result<TenantName, CliError> {
        let settings = ctx.settings()?;
        let name: TenantName = match &self.name {
            Some(name) => name.parse().map_err(CliError::from)?,
            None => settings.tenant.value.clone(),
        };
        check_known(ctx, name.as_str())?;
        Ok(name)
    }
}
