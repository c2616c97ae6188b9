//! How the handover looks, on a terminal and as Markdown.

use super::sheet::Sheet;
use crate::text::harmless;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

const SANDBOX: &str = "This account is of a sandbox: its values mean nothing to Meta or to a real contact centre.";

/// For a terminal.
pub(super) fn text(sheet: &Sheet<'_>, screen: Screen) -> String {
    let heading = |text: &str| paint(style::BOLD, text, screen.color);
    let broken = |text: &str, indent: usize| wrap(text, screen.width, indent);
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
    for entry in &sheet.form {
        let note = entry.note.map(|note| format!("  ({note})")).unwrap_or_default();
        lines.push(format!("  {:<22}{}", entry.field, broken(&format!("{}{note}", entry.value), 24)));
    }
    lines.extend([String::new(), heading("Into the tab System Messages")]);
    for message in &sheet.messages {
        let text = message.text.as_deref().unwrap_or_default().replace('\n', " / ");
        let text = if text.is_empty() { text } else { format!(": {text}") };
        lines.push(format!("  {:<22}{}", message.event, broken(&format!("{}{text}", message.state), 24)));
    }
    lines.extend([String::new(), heading("Into the Meta app"), format!("  {}", broken(sheet.meta_app.place, 2))]);
    for (field, value) in meta(sheet) {
        lines.push(format!("  {field:<22}{}", broken(&value, 24)));
    }
    lines.extend([String::new(), heading("Until a customer reaches an agent (x: proved just now)")]);
    for step in &sheet.steps {
        let mark = if step.done { "[x]" } else { "[ ]" };
        lines.push(format!("  {mark} {:>2} {}", step.number, broken(step.text, 9)));
        if let Some(detail) = &step.detail {
            lines.push(format!("         {}", paint(style::DIM, &broken(detail, 9), screen.color)));
        }
    }
    if let Some(command) = &sheet.reveal_with {
        lines.extend([String::new(), format!("Secrets are masked; to see them: {command}")]);
    }
    lines.join("\n")
}

/// For a ticket or a wiki.
pub(super) fn markdown(sheet: &Sheet<'_>) -> String {
    let mut lines = vec![format!("# Handover of {}", cell(sheet.account)), String::new()];
    if sheet.graph == "sandbox" {
        lines.extend([SANDBOX.into(), String::new()]);
    }
    lines.extend(["## Before you begin".into(), String::new()]);
    lines.extend(sheet.prerequisites.iter().map(|prerequisite| format!("- {prerequisite}")));
    lines.extend([String::new(), "## Into the contact centre's form".into(), String::new()]);
    lines.extend([
        format!("{}.", sheet.form_place),
        String::new(),
        "| Field | Value | |".into(),
        "|---|---|---|".into(),
    ]);
    for entry in &sheet.form {
        lines.push(format!("| {} | {} | {} |", entry.field, cell(&entry.value), entry.note.unwrap_or_default()));
    }
    lines.extend([String::new(), "## Into the tab System Messages".into(), String::new()]);
    lines.extend(["| Event | State | Text |".into(), "|---|---|---|".into()]);
    for message in &sheet.messages {
        let text = message.text.as_deref().map(|text| cell(&text.replace('\n', " / "))).unwrap_or_default();
        lines.push(format!("| {} | {} | {text} |", message.event, message.state));
    }
    lines.extend([String::new(), "## Into the Meta app".into(), String::new(), format!("{}.", sheet.meta_app.place)]);
    lines.extend([String::new(), "| Field | Value |".into(), "|---|---|".into()]);
    lines.extend(meta(sheet).into_iter().map(|(field, value)| format!("| {field} | {} |", cell(&value))));
    lines.extend([String::new(), "## Until a customer reaches an agent".into(), String::new()]);
    for step in &sheet.steps {
        let mark = if step.done { "x" } else { " " };
        let detail = step.detail.as_ref().map(|detail| format!(" ({})", words(detail))).unwrap_or_default();
        lines.push(format!("- [{mark}] {}. {}{detail}", step.number, step.text));
    }
    if let Some(command) = &sheet.reveal_with {
        lines.extend([String::new(), format!("Secrets are masked; to see them: `{command}`")]);
    }
    lines.join("\n")
}

fn meta(sheet: &Sheet<'_>) -> [(&'static str, String); 3] {
    let app = &sheet.meta_app;
    let callback = app.callback_url.clone().unwrap_or_else(|| "the one that the contact centre's form shows".into());
    [("Callback URL", callback), ("Verify token", app.verify_token.clone()), ("Webhook fields", app.fields.join(", "))]
}

/// Text that stays as it is, in its cell: whatever it has in it, it makes no markup, no
/// link and no image.
fn cell(text: &str) -> String {
    let text = harmless(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let room = if longest > 0 { " " } else { "" };
    if text.is_empty() { text } else { format!("{fence}{room}{}{room}{fence}", text.replace('|', "\\|")) }
}

/// A sentence that may quote text from outside: as it is where nothing in it means
/// anything to Markdown, else as it would stand in a cell.
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
