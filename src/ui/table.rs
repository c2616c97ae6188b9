//! Tables for people: headings and rows; wide characters keep columns aligned.

use comfy_table::{Cell, ContentArrangement, Table, presets};
use console::measure_text_width;

use super::style::{self, paint};
use super::terminal::Screen;
use crate::text::harmless;

/// The space between two columns.
const GAP: usize = 2;

/// A table, and the headings of columns that did not fit.
pub struct Layout {
    pub text: String,
    /// The omitted columns, from the right.
    pub left_out: Vec<String>,
}

/// Lays out `rows` under `headings`, the most important first. A narrow window drops columns
/// from the right, down to two; wide cells are wrapped. A pipe gets one line for each row.
pub fn table(headings: &[&str], mut rows: Vec<Vec<String>>, screen: Screen) -> Layout {
    for cell in rows.iter_mut().flatten() {
        *cell = harmless(cell);
    }
    let shown = screen.width.map_or(headings.len(), |width| columns_that_fit(headings, &rows, usize::from(width)));
    lay(headings, rows, shown, screen)
}

/// The first columns, so many.
fn lay(headings: &[&str], mut rows: Vec<Vec<String>>, shown: usize, screen: Screen) -> Layout {
    for row in &mut rows {
        row.truncate(shown);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match screen.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(headings[..shown].iter().map(Cell::new));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.trim_fmt();
    let text = match text.split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", paint(style::BOLD, heading, screen.color)),
        None => text,
    };
    Layout { text, left_out: headings[shown..].iter().map(|heading| (*heading).to_owned()).collect() }
}

/// What becomes of a text in the last column that is longer than its room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// It is cut.
    Cut,
    /// It continues below.
    Whole,
}

/// The same with a text in the last column: it stays, and columns before it go.
pub fn table_with_text(headings: &[&str], mut rows: Vec<Vec<String>>, text: Text, screen: Screen) -> Layout {
    const LEAST: usize = 24;
    let Some(width) = screen.width.map(usize::from) else { return table(headings, rows, screen) };
    let last = headings.len() - 1;
    let widths: Vec<usize> = (0..last).map(|column| widest(headings, &rows, column) + GAP).collect();
    let fits = |shown: &usize| widths[..*shown].iter().sum::<usize>() + LEAST + GAP <= width;
    let shown = (1..=last).rev().find(fits).unwrap_or(1);
    let room = width.saturating_sub(widths[..shown].iter().sum::<usize>() + GAP).max(LEAST);
    let dots = if screen.unicode { "…" } else { "..." };
    for row in &mut rows {
        row.drain(shown..last);
        if let Some(cell) = row.get_mut(shown).filter(|_| text == Text::Cut) {
            *cell = console::truncate_str(&harmless(cell), room, dots).into_owned();
        }
    }
    let (left_out, kept) = (&headings[shown..last], [&headings[..shown], &headings[last..]].concat());
    for cell in rows.iter_mut().flatten() {
        *cell = harmless(cell);
    }
    let mut laid = lay(&kept, rows, kept.len(), screen);
    laid.left_out.splice(..0, left_out.iter().map(|heading| (*heading).to_owned()));
    laid
}

fn widest(headings: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell));
    cells.max().unwrap_or_default().max(measure_text_width(headings[column]))
}

fn columns_that_fit(headings: &[&str], rows: &[Vec<String>], width: usize) -> usize {
    let mut used = 0;
    let fitting = (0..headings.len()).take_while(|column| {
        used += widest(headings, rows, *column) + GAP;
        // The gap after the last column may overflow.
        used <= width + GAP
    });
    fitting.count().max(2).min(headings.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(width: Option<u16>) -> Layout {
        let screen = Screen { width, color: false, unicode: true };
        let row = ["日本サポート", "support", "109876543210987"].map(str::to_owned).to_vec();
        table(&["NAME", "HANDLE", "PAGE ID"], vec![row], screen)
    }

    #[test]
    fn columns_are_left_out_from_the_right() {
        assert_eq!(laid(Some(80)).text, "NAME          HANDLE   PAGE ID\n日本サポート  support  109876543210987");
        let narrow = laid(Some(30));
        assert_eq!(narrow.text, "NAME          HANDLE\n日本サポート  support");
        assert_eq!(narrow.left_out, ["PAGE ID"]);
        assert!(laid(None).left_out.is_empty());
    }

    #[test]
    fn the_text_stays_and_columns_before_it_go() {
        let screen = Screen { width: Some(60), color: false, unicode: true };
        let row = ["2026-11-29 10:00:00", "account edit", "acme", "a text longer than its room is"];
        let laid = table_with_text(
            &["TIME", "COMMAND", "TENANT", "WHAT"],
            vec![row.map(str::to_owned).to_vec()],
            Text::Cut,
            screen,
        );
        assert_eq!(
            laid.text.lines().next_back().unwrap_or_default(),
            "2026-11-29 10:00:00  a text longer than its room is"
        );
        assert_eq!(laid.left_out, ["COMMAND", "TENANT"]);
    }

    #[test]
    fn a_whole_text_continues_below() {
        let screen = Screen { width: Some(60), color: false, unicode: true };
        let row = ["2026-11-29 10:00:00", "a text that is much longer than the room that is left for it on a line"];
        let laid = table_with_text(&["TIME", "WHAT"], vec![row.map(str::to_owned).to_vec()], Text::Whole, screen);
        assert!(laid.left_out.is_empty());
        let lines: Vec<&str> = laid.text.lines().collect();
        assert!(lines.len() > 2 && lines.iter().all(|line| measure_text_width(line) <= 60), "{}", laid.text);
        assert_eq!(lines[2].trim_start(), "room that is left for it on a line");
    }

    #[test]
    fn two_columns_always_stay() {
        let tiny = laid(Some(12));
        assert_eq!(tiny.left_out, ["PAGE ID"]);
        assert!(tiny.text.lines().count() > 2, "{}", tiny.text);
    }
}
