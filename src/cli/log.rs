//! `msgrctl log`: what was changed here, and by whom.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::history::{ChangedThing, Entry};
use crate::files;
use crate::ui::table::table;

/// Show what was changed: accounts, secrets, messages, chat settings, tenants
///
/// The newest last. The log is kept in log.jsonl, a line of JSON for each change; it
/// names fields and holds no secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl log\n  msgrctl log -n 100 --json")]
pub struct LogArgs {
    /// How many changes
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    number: usize,
}

#[derive(Serialize)]
struct LogView {
    schema_version: u8,
    entries: Vec<Entry>,
}

pub fn run(args: &LogArgs, ctx: &Context) -> Result<u8, CliError> {
    let path = ctx.settings()?.paths.log_file();
    let text = files::read_text(&path)?.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    // A line that a killed process left unfinished says nothing.
    let entries: Vec<Entry> = lines[lines.len().saturating_sub(args.number)..]
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    if ctx.output.json {
        ctx.output.json(&LogView { schema_version: 1, entries });
        return Ok(0);
    }
    if entries.is_empty() {
        ctx.output.notice("nothing was changed yet");
        return Ok(0);
    }
    let row = |entry: &Entry| {
        let what: Vec<String> = entry.changes.iter().take(3).map(in_words).collect();
        let more = entry.changes.len().saturating_sub(3);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        vec![
            entry.time.replace('T', " ").trim_end_matches('Z').to_owned(),
            entry.command.clone(),
            format!("{}{more}", what.join("; ")),
            entry.user.clone(),
            entry.tenant.clone(),
        ]
    };
    let rows = entries.iter().map(row).collect();
    ctx.output
        .result(&table(&["TIME (UTC)", "COMMAND", "WHAT", "USER", "TENANT"], rows, ctx.output.terminal.out()).text);
    Ok(0)
}

/// One change in a line: `Acme Support: callback_url`.
pub fn in_words(change: &ChangedThing) -> String {
    match change.what.as_str() {
        "changed" => format!("{}: {}", change.of, change.fields.join(", ")),
        what => format!("{} {what}", change.of),
    }
}
