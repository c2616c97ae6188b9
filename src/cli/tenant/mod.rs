//! `msgrctl tenant`: the customers of the contact centre.

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

/// An existing tenant, named.
#[derive(Debug, Args)]
struct NamedTenant {
    /// The tenant's name [on a terminal it is asked for]
    #[arg(value_name = "TENANT", add = ArgValueCandidates::new(candidates::tenants))]
    name: Option<String>,
}

impl NamedTenant {
    fn find(&self, ctx: &Context) -> Result<TenantName, CliError> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => pick(ctx)?,
        };
        TenantArg { name: Some(name) }.pick(ctx)
    }
}

/// Lets the operator choose a tenant.
fn pick(ctx: &Context) -> Result<String, CliError> {
    // --yes does not answer which tenant is meant.
    if !ctx.someone_can_answer || ctx.global.yes {
        return Err(CliError::usage("missing: TENANT, the tenant's name").hint("all tenants: msgrctl tenant list"));
    }
    let mut names = ctx.tenant_names()?;
    if names.is_empty() {
        return Err(
            CliError::failed("there are no tenants yet").hint("to add one: msgrctl tenant add TENANT --host HOST")
        );
    }
    match ctx.prompter.search("Which tenant?", &names)? {
        Some(at) => Ok(names.swap_remove(at)),
        None => Err(CliError::failed("no tenant was chosen")),
    }
}

/// An existing tenant.
#[derive(Debug, Args)]
struct TenantArg {
    /// The tenant's name [default: the current one]
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
