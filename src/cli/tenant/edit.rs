//! `msgrctl tenant edit`: other facts, the same tenant.

use clap::{Args, ValueEnum};

use super::fields::FieldArgs;
use super::{TenantArg, view};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::ui::interrupt;

/// Change a tenant
///
/// Accounts that are there keep their callback URLs.
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
    /// Take a field away
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
    interrupt::install();
    let name = args.tenant.pick(ctx)?;
    if !args.fields.any() && args.clear.is_empty() {
        return Err(CliError::usage("nothing to change was given")
            .hint(format!("name what to change: msgrctl tenant edit {name} --help")));
    }
    let file = ctx.tenant_file(name.as_str())?;
    let change = ctx.hold_tenant_of(name.as_str())?;
    let old = file.load()?;
    let mut tenant = old.clone();
    for field in &args.clear {
        match field {
            Clear::ProductVersion => tenant.product_version = None,
            Clear::CallbackTemplate => tenant.callback_template = None,
            Clear::Types => tenant.types.clear(),
            Clear::DefaultStore => tenant.store = None,
            Clear::AppId => tenant.app_id = None,
        }
    }
    args.fields.apply(&mut tenant)?;
    if tenant == old {
        ctx.output.notice("nothing to change");
    } else {
        file.change(|known| *known = tenant.clone())?;
    }
    drop(change);
    args.fields.warn(ctx, &tenant);
    view::print(ctx, name.as_str(), &tenant)?;
    Ok(0)
}
