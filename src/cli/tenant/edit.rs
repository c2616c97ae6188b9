//! `msgrctl tenant edit`: change a tenant's settings.

use clap::{Args, ValueEnum};

use super::fields::FieldArgs;
use super::{TenantArg, view};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::tenants;

/// Change a tenant
///
/// Existing accounts keep their callback URLs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl tenant edit acme --product-version 5.19
  msgrctl tenant edit acme --types facebook --clear app-id")]
pub struct EditArgs {
    #[command(flatten)]
    tenant: TenantArg,
    #[command(flatten)]
    fields: FieldArgs,
    /// Clear a field
    #[arg(long, value_name = "FIELD")]
    clear: Vec<Clear>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Clear {
    /// The version of the contact centre
    ProductVersion,
    /// The template of callback URLs
    CallbackTemplate,
    /// The enabled messengers
    Types,
    /// Where new secrets go
    DefaultStore,
    /// The Meta app
    AppId,
}

pub fn run(args: &EditArgs, ctx: &Context) -> Result<u8, CliError> {
    let name = args.tenant.pick(ctx)?;
    if !args.fields.any() && args.clear.is_empty() {
        return Err(CliError::usage("nothing to change: no flag was given")
            .hint(format!("name what to change: msgrctl tenant edit {name} --help")));
    }
    let tenant = tenants::edit(ctx, &name, |tenant| {
        for field in &args.clear {
            match field {
                Clear::ProductVersion => tenant.product_version = None,
                Clear::CallbackTemplate => tenant.callback_template = None,
                Clear::Types => tenant.types.clear(),
                Clear::DefaultStore => tenant.store = None,
                Clear::AppId => tenant.app_id = None,
            }
        }
        args.fields.apply(tenant)
    })?;
    args.fields.warn(ctx, &tenant);
    view::print(ctx, name.as_str(), &tenant)?;
    Ok(0)
}
