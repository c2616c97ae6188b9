//! Tables for people: a heading, rows, no lines; wide characters keep columns.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::style::{self, paint};
use super::terminal::Terminal;

/// Lays out `rows` under `headings`. On a narrow terminal cells are wrapped;
/// into a pipe every row is one line.
pub fn table(headings: &[&str], rows: Vec<Vec<String>>, terminal: &Terminal) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match terminal.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(headings.iter().map(Cell::new));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.trim_fmt();
    match text.split_once('\n') {
        Some((heading, rest)) => format!("{}\n{rest}", paint(style::BOLD, heading, terminal.stdout_color)),
        None => text,
    }
}
