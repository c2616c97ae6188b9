//! A plan as Markdown, for a comment on a merge request: short enough for one, and safe. Names
//! and values come from outside; each stands in a code span, where nothing mentions a person,
//! links, or ends the table.

use std::fmt::Write as _;

use super::summary;
use super::view::{affected, of_field};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::apply::Prepared;
use crate::provision::plan::{Action, Change, Plan};
use crate::secrets::redact;
use crate::text::{count, excerpt};

/// GitHub takes comments shorter than 65,536 characters; bytes are never fewer.
const ROOM: usize = 60_000;
/// The longest value shown.
const LONG: usize = 200;

pub fn text(ctx: &Context, prepared: &Prepared, offline: bool) -> Result<String, CliError> {
    let plan = &prepared.plan;
    let tenant = ctx.settings()?.tenant.value.as_str();
    let mut text = format!("### msgrctl plan, tenant {}\n\n", code(tenant));
    if plan.is_empty() && plan.blocked() == 0 {
        let _ = writeln!(text, "Nothing to change: {} unchanged.", plan.count(Action::Nothing));
    } else {
        let _ = writeln!(text, "{}.", summary(plan));
    }
    if prepared.new_tenant {
        text.push_str("\nThe tenant is created.\n");
    }
    if offline {
        text.push_str("\nSecrets and Meta were not checked.\n");
    }
    for app in &plan.apps {
        let others = affected(ctx, plan, app)?;
        if !others.is_empty() {
            let names: Vec<String> = others.iter().map(|name| code(name)).collect();
            let _ = writeln!(text, "\nThe webhook of app {} also changes for {}.", code(&app.id), names.join(", "));
            text.truncate(cut_at(&text, ROOM / 4));
        }
    }
    let mut left = 0;
    let mut changes_left = 0;
    for (heading, rows) in [(CHANGES, changes(plan)), (PROBLEMS, problems(plan)), (SENDS, sends(plan))] {
        let Some((_, first)) = rows.first() else { continue };
        // A table without rows is none.
        if text.len() + heading.len() + first.len() > ROOM {
            left += rows.len();
            changes_left += if heading == CHANGES { rows.len() } else { 0 };
            continue;
        }
        text.push_str(heading);
        let mut is_full = false;
        for (_, row) in &rows {
            is_full = is_full || text.len() + row.len() > ROOM;
            if is_full {
                left += 1;
                changes_left += usize::from(heading == CHANGES);
            } else {
                text.push_str(row);
            }
        }
    }
    if left > 0 {
        let what = match changes_left {
            0 => format!("{} lines of the tables", count(left)),
            changes => format!("{} of {} changes", count(changes), count(self::changes(plan).len())),
        };
        let _ = writeln!(text, "\n**Not shown, for want of room: {what}.** `msgrctl plan` shows all.");
    }
    Ok(text.trim_end().to_owned())
}

const CHANGES: &str = "\n| | Of | Field | From | To |\n|---|---|---|---|---|\n";
const PROBLEMS: &str = "\n| Cannot be applied | Why |\n|---|---|\n";
const SENDS: &str = "\n| Account | Secret read from | Sent to |\n|---|---|---|\n";

/// A row, with whose it is.
type Row = (String, String);

fn changes(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |action: Action, of: &str, change: Option<&Change>| {
        let mark = match action {
            Action::Add => "add",
            Action::Change | Action::Nothing => "change",
            Action::Remove => "remove",
        };
        let value = |value: Option<&String>, change: &Change| {
            value.map(|value| code(&redact(&of_field(change, value)))).unwrap_or_default()
        };
        let [field, from, to] = change.map_or_else(Default::default, |change| {
            [code(&change.field), value(change.from.as_ref(), change), value(change.to.as_ref(), change)]
        });
        rows.push((of.to_owned(), format!("| {mark} | {of} | {field} | {from} | {to} |\n")));
    };
    plan.chat_settings.iter().for_each(|change| add(Action::Change, "Chat Settings", Some(change)));
    for app in &plan.apps {
        app.changes.iter().for_each(|change| add(Action::Change, &format!("app {}", code(&app.id)), Some(change)));
    }
    for account in plan.accounts.iter().filter(|account| account.problems.is_empty()) {
        let of = format!("{} {}", code(&account.name), code(&account.handle));
        if account.action != Action::Nothing && account.changes.is_empty() {
            add(account.action, &of, None);
        }
        account.changes.iter().for_each(|change| add(account.action, &of, Some(change)));
    }
    rows
}

fn problems(plan: &Plan) -> Vec<Row> {
    let of =
        |name: &str, summary: &str| (name.to_owned(), format!("| {} | {} |\n", code(name), code(&redact(summary))));
    let each = plan.accounts.iter().flat_map(|account| account.problems.iter().map(move |problem| (account, problem)));
    each.map(|(account, problem)| of(&account.name, &problem.summary)).collect()
}

fn sends(plan: &Plan) -> Vec<Row> {
    let each = plan.accounts.iter().flat_map(|account| account.sends.iter().map(move |sent| (account, sent)));
    each.map(|(account, sent)| {
        let to = sent.to.iter().map(|to| code(to)).collect::<Vec<_>>().join(" ");
        (account.name.clone(), format!("| {} | {} | {to} |\n", code(&account.name), code(&redact(&sent.source))))
    })
    .collect()
}

/// A text from outside as a code span in a table.
fn code(text: &str) -> String {
    // A pipe ends a cell even in a code span, and its escape depends on what stands before it.
    let text = excerpt(text, LONG).replace('|', "¦");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest + 1);
    let gap = if longest > 0 || text.starts_with(' ') || text.ends_with(' ') { " " } else { "" };
    // A backslash before the fence is one in a code span, but not to every reader of tables.
    let gap = if text.ends_with('\\') { " " } else { gap };
    format!("{fence}{gap}{text}{gap}{fence}")
}

fn cut_at(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_from_outside_stays_in_its_code_span() {
        assert_eq!(code("Acme"), "`Acme`");
        assert_eq!(code("@all #1 <b>"), "`@all #1 <b>`");
        assert_eq!(code("a|b\nc"), "`a¦b c`");
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("a\\"), "` a\\ `");
        assert_eq!(code(""), "");
    }

    proptest! {
        #[test]
        fn no_text_ends_its_span_or_its_cell(text in "[`|\\\\ a\\n@]{0,30}") {
            let span = code(&text);
            let fence = span.len() - span.trim_start_matches('`').len();
            prop_assert!(!span.contains(['|', '\n']));
            if !span.is_empty() {
                let inside = &span[fence..span.len() - fence];
                let longest = inside.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                prop_assert!(longest < fence, "{span:?}");
                prop_assert!(!inside.starts_with('`') && !inside.ends_with(['`', '\\']), "{span:?}");
            }
        }
    }
}
