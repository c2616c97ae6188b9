//! `msgrctl log`: the changes made here, and by whom.

use clap::Args;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::tables::show;
use crate::operations::journal::{DONE, Entry, Pending, recover};
use crate::text::count;
use crate::ui::table::{Text, table_with_text};

/// Show the changes: accounts, secrets, messages, chat settings, tenants
///
/// Newest last. The file log.jsonl has a line of JSON for each change; it names fields and
/// holds no secret.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl log\n  msgrctl log -n 100 --json")]
pub struct LogArgs {
    /// How many changes to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

pub fn run(args: &LogArgs, ctx: &Context) -> Result<u8, CliError> {
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
