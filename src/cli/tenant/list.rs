//! `msgrctl tenant list`: the tenants of this configuration.

use clap::Args;

use super::view::TenantView;
use crate::accounts::Tenant;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::tables::show;
use crate::ui::table::table;

/// List the tenants; a star marks the current one
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl tenant list\n  msgrctl tenant list --json")]
pub struct ListArgs {}

pub fn run(_args: &ListArgs, ctx: &Context) -> Result<u8, CliError> {
    let names = ctx.tenant_names()?;
    let tenants: Vec<(String, Tenant)> = names
        .into_iter()
        .map(|name| Ok((name.clone(), ctx.tenant_file(&name)?.load()?)))
        .collect::<Result<_, CliError>>()?;
    let views: Vec<TenantView<'_>> =
        tenants.iter().map(|(name, tenant)| TenantView::new(ctx, name, tenant)).collect::<Result<_, _>>()?;
    if ctx.output.json {
        ctx.output.json(&Envelope("tenants", views));
        return Ok(0);
    }
    if views.is_empty() {
        ctx.output.notice(
            "no tenants yet; accounts go to the tenant 'default', and to add another: msgrctl tenant add --help",
        );
        return Ok(0);
    }
    let row = |view: &TenantView<'_>| {
        vec![
            format!("{}{}", if view.current { "* " } else { "  " }, view.name),
            view.accounts.to_string(),
            view.tenant.host.as_ref().map(ToString::to_string).unwrap_or_default(),
            view.tenant.product_version.map(|version| version.to_string()).unwrap_or_default(),
        ]
    };
    let headings = ["  TENANT", "ACCOUNTS", "HOST", "VERSION"];
    let laid = table(&headings, views.iter().map(row).collect(), ctx.output.terminal.out());
    show(ctx, &laid, "msgrctl tenant show has them");
    Ok(0)
}
