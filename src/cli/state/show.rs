//! `msgrctl state show`: where the records are, and who holds their locks.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::envelope::Envelope;
use crate::cli::error::CliError;
use crate::cli::tables;
use crate::operations::shared_state;
use crate::storage::{LockInfo, TenantState};
use crate::text::sentence;
use crate::ui::table::table;

/// Show where the records are, and who holds their locks
///
/// For each tenant the size of its records. A shared state also has a serial, which grows with
/// each change, and a lineage, which names its history. Changes nothing and takes no lock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl state show\n  msgrctl state show --json")]
pub struct ShowArgs {}

#[derive(Serialize)]
struct StateView<'a> {
    /// `files` or the address.
    address: &'a str,
    /// What names it.
    origin: String,
    tenants: Vec<TenantView<'a>>,
}

#[derive(Serialize)]
struct TenantView<'a> {
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<u64>,
    bytes: usize,
    /// Why its records cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<&'a LockInfo>,
}

pub fn run(_args: &ShowArgs, ctx: &Context) -> Result<u8, CliError> {
    let overview = shared_state::show(ctx)?;
    let view = |state: &'_ TenantState| -> Vec<String> {
        let serial = state.serial.map_or_else(|| "-".into(), |serial| serial.to_string());
        let lock = state.lock.as_ref().map_or_else(|| "-".into(), |lock| format!("{} {}", lock.id, lock.in_words()));
        let lineage = state.lineage.clone().unwrap_or_else(|| "-".into());
        vec![state.tenant.clone(), state.bytes.to_string(), serial, sentence(&lock), lineage]
    };
    if ctx.output.json {
        let tenants = overview.tenants.iter().map(|state| TenantView {
            tenant: &state.tenant,
            lineage: state.lineage.as_deref(),
            serial: state.serial,
            bytes: state.bytes,
            damaged: state.damaged.as_deref(),
            lock: state.lock.as_ref(),
        });
        let (address, origin) = (overview.address.as_str(), overview.origin.to_string());
        ctx.output.json(&Envelope("state", StateView { address, origin, tenants: tenants.collect() }));
        return Ok(0);
    }
    ctx.output.result(&format!("{} ({})", overview.address, overview.origin));
    if !overview.tenants.is_empty() {
        let rows = overview.tenants.iter().map(view).collect();
        let laid = table(&["TENANT", "BYTES", "SERIAL", "LOCK", "LINEAGE"], rows, ctx.output.terminal.out());
        tables::show(ctx, &laid, "--json shows all");
    }
    for damaged in overview.tenants.iter().filter_map(|state| state.damaged.as_ref()) {
        ctx.output.warning(damaged);
    }
    Ok(0)
}
