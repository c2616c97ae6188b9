//! Views of a tenant, for people and programs.

use serde::Serialize;

use crate::accounts::Tenant;
use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

#[derive(Serialize)]
pub struct TenantView<'a> {
    pub name: &'a str,
    #[serde(flatten)]
    pub tenant: &'a Tenant,
    pub accounts: usize,
    /// Whether it is the current tenant.
    pub current: bool,
}

impl<'a> TenantView<'a> {
    pub fn new(ctx: &Context, name: &'a str, tenant: &'a Tenant) -> Result<Self, CliError> {
        let current = ctx.settings()?.tenant.value.as_str() == name;
        Ok(Self { name, tenant, accounts: ctx.accounts_of(name)?.load()?.len(), current })
    }
}

/// Prints every field of a tenant.
pub fn print(ctx: &Context, name: &str, tenant: &Tenant) -> Result<(), CliError> {
    let view = TenantView::new(ctx, name, tenant)?;
    if ctx.output.json {
        ctx.output.json(&Envelope("tenant", view));
    } else {
        ctx.output.result(&text(&view, ctx.output.terminal.out()));
    }
    Ok(())
}

fn text(view: &TenantView<'_>, screen: Screen) -> String {
    let Tenant { host, product_version, callback_template, types, store, app_id } = view.tenant;
    let or = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.into());
    let types: Vec<&str> = types.iter().map(|messenger| messenger.as_str()).collect();
    let rows = [
        ("Host", or(host.as_ref().map(ToString::to_string), "not set")),
        ("Product version", or(product_version.map(|version| version.to_string()), "not set")),
        ("Callback URLs", or(callback_template.as_ref().map(ToString::to_string), "no template")),
        ("Messengers", if types.is_empty() { "not known".into() } else { types.join(", ") }),
        ("New secrets in", or(store.map(|store| store.to_string()), "what --store or config.toml says")),
        ("Meta app", or(app_id.as_ref().map(ToString::to_string), "not set")),
        ("Accounts", view.accounts.to_string()),
    ];
    let current = if view.current { " (current)" } else { "" };
    let mut lines = vec![format!("{}{current}", paint(style::BOLD, view.name, screen.color))];
    for (label, value) in rows {
        lines.push(format!("  {label:<17}{}", wrap(&value, screen.width, 19)));
    }
    lines.join("\n")
}
