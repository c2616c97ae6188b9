//! `msgrctl log`: the changes made here, and by whom.

use clap::Args;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::tables::show;
use crate::operations::journal::{DONE, Entry, Pending, recover};
use crate::state::HealthChange;
use crate::text::count;
use crate::ui::table::{Text, table_with_text};

/// Show the changes: accounts, secrets, messages, chat settings, tenants
///
/// Newest last. The file log.jsonl has a line of JSON for each change; it names fields and
/// holds no secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl log\n  msgrctl log -n 100 --json\n  msgrctl log --health")]
pub struct LogArgs {
    /// How many changes to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
    /// Show what 'msgrctl watch' found to have changed: accounts that failed, work again, end soon
    #[arg(long)]
    health: bool,
}

pub fn run(args: &LogArgs, ctx: &Context) -> Result<u8, CliError> {
    if args.health {
        return health(args, ctx);
    }
    recover_first(ctx);
    let lines = ctx.records()?.log()?;
    // A line that a killed process left unfinished is skipped.
    let entries: Vec<Entry> = lines[lines.len().saturating_sub(args.number as usize)..]
        .iter()
        .filter_map(|line| serde_json::from_str::<Entry>(line).ok())
        .collect();
    if ctx.output.json {
        let bare: Vec<Entry> = entries.iter().map(Entry::without_values).collect();
        ctx.output.json(&Envelope("entries", bare));
        return Ok(0);
    }
    if entries.is_empty() {
        ctx.output.notice("no changes yet");
        return Ok(0);
    }
    print_table(
        ctx,
        &["TIME (UTC)", "COMMAND", "TENANT", "USER", "WHAT"],
        entries.iter().map(|entry| row(entry).into()).collect(),
    );
    say_older(ctx, entries.len(), lines.len(), "log");
    Ok(0)
}

/// Says that older changes are not shown.
pub fn say_older(ctx: &Context, shown: usize, all: usize, command: &str) {
    if shown < all {
        ctx.output.notice(&format!("the last {shown} of {} changes; all: msgrctl {command} -n {all}", count(all)));
    }
}

fn health(args: &LogArgs, ctx: &Context) -> Result<u8, CliError> {
    let lines = ctx.records()?.health_log()?;
    let last = &lines[lines.len().saturating_sub(args.number as usize)..];
    let changes: Vec<HealthChange> = last.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if ctx.output.json {
        ctx.output.json(&Envelope("changes", changes));
        return Ok(0);
    }
    if changes.is_empty() {
        ctx.output.notice("no change of health was found yet; 'msgrctl watch' looks for them");
        return Ok(0);
    }
    let row = |change: &HealthChange| {
        let time = change.time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let cause = change.cause.as_deref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        let event = serde_json::to_value(change.event).ok().and_then(|word| word.as_str().map(str::to_owned));
        let account = format!("{}/{}", change.tenant, change.account);
        vec![time, account, event.unwrap_or_default(), format!("{}{cause}", change.summary)]
    };
    print_table(ctx, &["TIME (UTC)", "ACCOUNT", "EVENT", "WHAT"], changes.iter().map(row).collect());
    say_older(ctx, changes.len(), lines.len(), "log --health");
    Ok(0)
}

/// Records the change of a killed process before the log is shown.
pub fn recover_first(ctx: &Context) -> Option<Pending> {
    let unfinished = recover(ctx, None, false).unwrap_or_else(|error| {
        ctx.output.warning(error.message());
        None
    });
    if let Some(undo) = &unfinished {
        ctx.output.notice(&format!(
            "an undo in tenant '{}' was not finished; to continue: msgrctl undo --yes",
            undo.entry.tenant
        ));
    }
    unfinished
}

pub fn row(entry: &Entry) -> [String; 5] {
    [
        entry.time.replace('T', " ").trim_end_matches('Z').to_owned(),
        entry.command.clone(),
        entry.tenant.clone(),
        entry.user.clone(),
        match entry.result.as_str() {
            DONE => entry.in_words(),
            other => format!("{} ({other})", entry.in_words()),
        },
    ]
}

pub fn print_table(ctx: &Context, headings: &[&str], rows: Vec<Vec<String>>) {
    let laid = table_with_text(headings, rows, Text::Whole, ctx.output.terminal.out());
    show(ctx, &laid, "--json has them");
}
