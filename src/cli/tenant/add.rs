//! `msgrctl tenant add`: adds a customer of the contact centre.

use clap::Args;

use super::fields::FieldArgs;
use super::view;
use crate::accounts::{TenantHost, TenantName};
use crate::cli::account::again;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::accounts::fields::Field;
use crate::operations::tenants;

/// Add a tenant
///
/// Every customer of the contact centre is a tenant with its own host, shown at the upper
/// right of Contact Center Administrator. A template makes the callback URLs of its accounts.
/// The path of callback URLs is not documented: copy it from a working account.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl tenant add acme --host acme.brightpattern.com
  msgrctl tenant add beta --host beta.brightpattern.com --product-version 5.19 \\
      --callback-template 'https://{host}/messenger/{page_id}' --types facebook,line")]
pub struct AddArgs {
    /// A short name: lower-case letters, digits, '.', '_', '-' [on a terminal it is asked for]
    #[arg(value_name = "TENANT")]
    name: Option<String>,
    #[command(flatten)]
    fields: FieldArgs,
}

pub fn run(args: &AddArgs, ctx: &Context) -> Result<u8, CliError> {
    let given = args.name.as_deref().map(str::parse::<TenantName>).transpose().map_err(CliError::from)?;
    let mut fields = args.fields.clone();
    let name = match given {
        Some(name) if fields.host.is_some() => name,
        given if ctx.someone_can_answer && !ctx.global.yes => ask(ctx, given, &mut fields)?,
        given => return Err(missing(given.as_ref(), &fields)),
    };
    let tenant = tenants::add(ctx, &name, |tenant| fields.apply(tenant))?;
    fields.warn(ctx, &tenant);
    view::print(ctx, name.as_str(), &tenant)?;
    ctx.output.notice(&format!("to work in it: msgrctl tenant use {name}, or --tenant {name}"));
    Ok(0)
}

/// Asks for what is missing.
fn ask(ctx: &Context, name: Option<TenantName>, fields: &mut FieldArgs) -> Result<TenantName, CliError> {
    let name = match name {
        Some(name) => name,
        None => again(ctx, &TENANT, "", |_| Ok(()))?.ok_or_else(left)?,
    };
    if fields.host.is_none() {
        let host: TenantHost = again(ctx, &HOST, "", |_| Ok(()))?.ok_or_else(left)?;
        fields.host = Some(host.to_string());
    }
    Ok(name)
}

/// Names everything that is missing.
fn missing(name: Option<&TenantName>, fields: &FieldArgs) -> CliError {
    let name_missing = name.is_none().then_some("TENANT, a short name");
    let host_missing = fields.host.is_none().then_some("--host, the tenant's host");
    let missing: Vec<&str> = name_missing.into_iter().chain(host_missing).collect();
    let name = name.map_or("TENANT", TenantName::as_str);
    CliError::usage(format!("missing: {}", missing.join(" and ")))
        .hint(format!("{}: msgrctl tenant add {name} --host HOST", HOST.found))
}

const TENANT: Field = Field::new("tenant name", "TENANT", "a short name of your choice, such as acme");
const HOST: Field = Field::new(
    "host",
    "--host",
    "the host is at the upper right of Contact Center Administrator, such as acme.brightpattern.com",
);

fn left() -> CliError {
    CliError::left("left; nothing was added")
}
