//! `msgrctl log`: the changes made here, and by whom.

use clap::Args;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::tables::show;
use crate::checks::causes;
use crate::operations::journal::{DONE, Entry, Pending, recover};
use crate::state::{Broken, Fault, HealthChange, walk};
use crate::text::count;
use crate::ui::table::{Text, table_with_text};

/// Show the changes: accounts, secrets, messages, chat settings, tenants
///
/// Newest last, each with who made it: the user, or in CI the actor and the address of the
/// run. The file log.jsonl has a line of JSON for each change; it names fields and holds no
/// secret.
///
/// Each line carries the digest of the line before. --verify walks over them, says how many are
/// intact, and names the first that was changed, is missing, or is out of place. It finds what
/// an editor or another program did, not a person who writes all lines anew: keep a copy of
/// log.jsonl and log.end.json elsewhere for that.
///
/// Exit codes: 0 shown, or all lines are intact; 7 a line is not as it was written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl log\n  msgrctl log -n 100 --json\n  msgrctl log --health\n  msgrctl log --verify"
)]
pub struct LogArgs {
    /// How many changes to show
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
    /// Show what 'msgrctl watch' found to have changed: accounts that failed, work again, end soon
    #[arg(long)]
    health: bool,
    /// Check that no line of the log was changed, removed, moved or added
    #[arg(long, conflicts_with_all = ["health", "number"])]
    verify: bool,
}

pub fn run(args: &LogArgs, ctx: &Context) -> Result<u8, CliError> {
    if args.health {
        return health(args, ctx);
    }
    if args.verify {
        return verify(ctx);
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

fn verify(ctx: &Context) -> Result<u8, CliError> {
    let walk = walk(&ctx.records()?.log_text()?);
    let lines = |number: usize| if number == 1 { "1 line".to_owned() } else { format!("{} lines", count(number)) };
    if ctx.output.json {
        ctx.output.json(&Envelope("chain", &walk));
    } else {
        let all = if walk.broken.is_some() { "" } else { "ok: " };
        let mut said = vec![match walk.begins {
            None if walk.lines == 0 => format!("{all}the log has no lines"),
            None => {
                format!("{all}the log has {} without a digest; the next change begins the chain", lines(walk.lines))
            }
            Some(begins) => format!("{all}{} intact; the chain begins at line {begins}", lines(walk.intact)),
        }];
        said.extend(
            walk.begins
                .filter(|begins| *begins > 1)
                .map(|begins| format!("an older version wrote the {} before, without a digest", lines(begins - 1))),
        );
        said.extend(walk.follows_moved.then(|| "the first line follows lines that were moved away".to_owned()));
        said.extend(walk.unfinished.iter().map(|line| format!("line {line} is unfinished: its process was killed")));
        ctx.output.result(&said.join("\n"));
    }
    let Some(Broken { fault, summary, .. }) = walk.broken else { return Ok(0) };
    let cause = match fault {
        Fault::Changed => &causes::LOG_LINE_CHANGED,
        Fault::Missing => &causes::LOG_LINE_MISSING,
        Fault::OutOfPlace => &causes::LOG_LINE_OUT_OF_PLACE,
        Fault::Unlinked => &causes::LOG_LINE_UNLINKED,
    };
    Err(CliError::check(format!("the log is not as it was written: {summary}")).reason(cause.id).hint(cause.fix()))
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
        entry.who.name().to_owned(),
        match (entry.result.as_str(), entry.who.run()) {
            (DONE, None) => entry.in_words(),
            (DONE, Some(run)) => format!("{} ({run})", entry.in_words()),
            (other, run) => format!(
                "{} ({})",
                entry.in_words(),
                [Some(other), run].into_iter().flatten().collect::<Vec<_>>().join(", ")
            ),
        },
    ]
}

pub fn print_table(ctx: &Context, headings: &[&str], rows: Vec<Vec<String>>) {
    let laid = table_with_text(headings, rows, Text::Whole, ctx.output.terminal.out());
    show(ctx, &laid, "--json has them");
}
