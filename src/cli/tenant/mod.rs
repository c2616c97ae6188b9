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
use crate::document::nearest;
use crate::operations::{Origin, Setting};

#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = "Examples:\n  msgrctl tenant list")]
pub(super) enum TenantCommand {
    Add(add::AddArgs),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Show(show::ShowArgs),
    Use(r#use::UseArgs),
    Edit(edit::EditArgs),
    #[command(visible_alias = "rm")]
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

/// Refuses a tenant that a flag or a variable names and that is not there. What is wrong
/// with the configuration itself is said by the command.
pub(super) fn check_named(ctx: &Context) -> Result<(), CliError> {
    match ctx.settings().map(|settings| &settings.tenant) {
        Ok(Setting { value, origin: Origin::Flag(_) | Origin::Variable(_) }) => check_known(ctx, value.as_str()),
        _ => Ok(()),
    }
}

/// Refuses a tenant that nobody has added: a typing mistake must not make one.
pub(super) fn check_known(ctx: &Context, name: &str) -> Result<(), CliError> {
    // The one that is always there.
    if name == "default" {
        return Ok(());
    }
    let known = ctx.tenant_names()?;
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let error = CliError::failed(format!("there is no tenant '{name}'"));
    let add = format!("to add it: msgrctl tenant add {name} --host HOST");
    Err(match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean '{near}'? (msgrctl tenant list shows all; {add})")),
        None => error.hint(add),
    })
}
