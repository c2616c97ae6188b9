//! How the handover looks, on a terminal and as Markdown.

use super::sheet::{Entry, Sheet};
use crate::text::harmless;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// The first line for a sandbox account.
pub(super) const SANDBOX: &str = "This is a sandbox account: Meta and a real contact centre do not know its values.";

pub(super) fn text(sheet: &Sheet<'_>, screen: Screen) -> String {
    let heading = |text: &str| paint(style::BOLD, text, screen.color);
    let broken = |text: &str, indent: usize| wrap(text, screen.width, indent);
    // A command stays on one line, so that it can be pasted.
    let command = |label: &str, command: &str, indent: usize| {
        format!("{}{} {command}", " ".repeat(indent), paint(style::HINT, label, screen.color))
    };
    let fields = |entries: &[Entry]| {
        let mut lines = Vec::new();
        for entry in entries {
            let note = entry.note.map(|note| format!("  ({note})")).unwrap_or_default();
            lines.push(format!("  {:<22}{}", entry.field, broken(&format!("{}{note}", entry.value), 24)));
            lines.extend(entry.reveal_with.as_deref().map(|reveal| command("to copy it:", reveal, 24)));
        }
        lines
    };
    let mut lines = vec![heading(&format!("Handover of '{}'", sheet.account)), String::new()];
    if sheet.graph == "sandbox" {
        lines.extend([broken(SANDBOX, 0), String::new()]);
    }

    lines.push(heading("Before you begin"));
    for prerequisite in sheet.prerequisites {
        lines.push(format!("  - {}", broken(prerequisite, 4)));
    }
    lines.extend([
        String::new(),
        heading("Into the contact centre's form"),
        format!("  {}", broken(sheet.form_place, 2)),
    ]);
    lines.extend(fields(&sheet.form));
    lines.extend([
        String::new(),
        heading("Into the account's tab System Messages"),
        format!("  {}", broken(sheet.messages_place, 2)),
    ]);
    for message in &sheet.messages {
        let text = message.text.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        let state = format!("{}{text}", message.choice());
        let state: Vec<String> = state.lines().map(|line| broken(line, 24)).collect();
        lines.push(format!("  {:<22}{}", message.label, state.join(&format!("\n{}", " ".repeat(24)))));
    }
    lines.extend([
        String::new(),
        heading("Into the Meta app"),
        format!("  {}", broken(sheet.meta_app.place, 2)),
        format!("  {}", sheet.meta_app.address),
    ]);
    lines.extend(fields(&sheet.meta_app.form));
    lines.extend([String::new(), heading("Until a customer reaches an agent (x: proved just now)")]);
    for step in &sheet.steps {
        let mark = if step.done { "[x]" } else { "[ ]" };
        lines.push(format!("  {mark} {:>2} {}", step.number, broken(step.text, 9)));
        for fact in &step.found {
            lines.push(format!("         {}", paint(style::DIM, &broken(fact, 9), screen.color)));
        }
        if !step.done {
            lines.push(format!("         {}", broken(&format!("where: {}", step.place), 9)));
            lines.extend(step.command.as_deref().map(|it| command("command:", it, 9)));
        }
    }
    if let Some(reveal) = &sheet.reveal_with {
        lines.extend([String::new(), format!("Secrets are masked; to see them: {reveal}")]);
    }
    lines.join("\n")
}

pub(super) fn markdown(sheet: &Sheet<'_>) -> String {
    fn fields(entries: &[Entry]) -> impl Iterator<Item = String> {
        let rows = entries.iter().map(|entry| {
            let reveal = entry.reveal_with.as_ref().map(|command| format!("to copy it: `{command}`"));
            let notes: Vec<String> = entry.note.map(str::to_owned).into_iter().chain(reveal).collect();
            format!("| {} | {} | {} |", entry.field, cell(&entry.value), notes.join("; "))
        });
        ["| Field | Value | Note |".to_owned(), "|---|---|---|".to_owned()].into_iter().chain(rows)
    }
    let mut lines = vec![format!("# Handover of {}", cell(sheet.account)), String::new()];
    if sheet.graph == "sandbox" {
        lines.extend([SANDBOX.into(), String::new()]);
    }
    lines.extend(["## Before you begin".into(), String::new()]);
    lines.extend(sheet.prerequisites.iter().map(|prerequisite| format!("- {prerequisite}")));
    lines.extend([String::new(), "## Into the contact centre's form".into(), String::new()]);
    lines.extend([format!("{}.", sheet.form_place), String::new()]);
    lines.extend(fields(&sheet.form));
    lines.extend([String::new(), "## Into the account's tab System Messages".into(), String::new()]);
    lines.extend([format!("In {}.", sheet.messages_place), String::new()]);
    lines.extend(["| Event | State | Text |".into(), "|---|---|---|".into()]);
    for message in &sheet.messages {
        let text = message.text.as_deref().map(|text| cell(&text.replace('\n', " / "))).unwrap_or_default();
        lines.push(format!("| {} | {} | {text} |", message.label, message.choice()));
    }
    lines.extend([String::new(), "## Into the Meta app".into(), String::new()]);
    lines.extend([format!("{}: `{}`", sheet.meta_app.place, sheet.meta_app.address), String::new()]);
    lines.extend(fields(&sheet.meta_app.form));
    lines.extend([String::new(), "## Until a customer reaches an agent".into(), String::new()]);
    for step in &sheet.steps {
        let mark = if step.done { "x" } else { " " };
        lines.push(format!("- [{mark}] {}. {}", step.number, step.text));
        lines.extend(step.found.iter().map(|fact| format!("  - {}", words(fact))));
        if !step.done {
            lines.push(format!("  - where: {}", step.place));
            lines.extend(step.command.as_ref().map(|command| format!("  - command: `{command}`")));
        }
    }
    if let Some(command) = &sheet.reveal_with {
        lines.extend([String::new(), format!("Secrets are masked; to see them: `{command}`")]);
    }
    lines.join("\n")
}

/// Text in a table cell, escaped so that it cannot form markup, a link or an image.
fn cell(text: &str) -> String {
    let text = harmless(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let room = if longest > 0 { " " } else { "" };
    if text.is_empty() { text } else { format!("{fence}{room}{}{room}{fence}", text.replace('|', "\\|")) }
}

/// A sentence that may quote text from outside: unchanged where it has no Markdown
/// characters, else escaped.
fn words(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " ,;:.()'-/".contains(c);
    let is_link = ["://", "www."].iter().any(|start| text.to_lowercase().contains(start));
    if text.chars().all(plain) && !is_link { text.to_owned() } else { cell(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_makes_no_markup() {
        assert_eq!(cell("![x](https://x.example)<img src=x>"), "`![x](https://x.example)<img src=x>`");
        assert_eq!(cell("a`b``c"), "``` a`b``c ```");
        assert_eq!(cell("a|b\nc\u{202e}"), "`a\\|b c`");
        assert_eq!(words("tested just now"), "tested just now");
        for markup in ["see https://x.example", "WWW.x.example", "a@x.example", "<b>", "[a](b)", "a*b*", "a_b_", "&lt;"]
        {
            assert_eq!(words(markup), format!("`{markup}`"));
        }
    }
}
