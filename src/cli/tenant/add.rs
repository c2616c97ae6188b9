//! `msgrctl tenant add`: a customer of the contact centre.

use clap::Args;

use super::fields::FieldArgs;
use super::view;
use crate::accounts::TenantName;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::tenants;

/// Add a tenant
///
/// Every customer of the contact centre is a tenant with a host of its own, shown at
/// the upper right of Contact Center Administrator. With a template the callback URLs
/// of its accounts are made from it; their path is published nowhere, so take it from
/// an account that works.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl tenant add acme --host acme.brightpattern.com
  msgrctl tenant add beta --host beta.brightpattern.com --product-version 5.19 \\
      --callback-template 'https://{host}/messenger/{page_id}' --types facebook,line")]
pub struct AddArgs {
    /// A short name: lower-case letters, digits, '.', '_', '-'
    #[arg(value_name = "TENANT")]
    name: String,
    #[command(flatten)]
    fields: FieldArgs,
}

pub fn run(args: &AddArgs, ctx: &Context) -> Result<u8, CliError> {
    let name: TenantName = args.name.parse().map_err(CliError::from)?;
    if args.fields.host.is_none() {
        return Err(CliError::usage("missing: the tenant's host")
            .hint("--host HOST: it stands at the upper right of Contact Center Administrator"));
    }
    let tenant = tenants::add(ctx, &name, |tenant| args.fields.apply(tenant))?;
    args.fields.warn(ctx, &tenant);
    view::print(ctx, name.as_str(), &tenant)?;
    ctx.output.notice(&format!("to work in it: msgrctl tenant use {name}, or --tenant {name}"));
    Ok(0)
}
