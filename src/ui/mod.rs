//! The terminal: its abilities, and layout. Knows no domain.

pub mod browser;
pub mod editor;
pub mod interrupt;
pub mod line;
pub mod output;
pub mod pager;
pub mod progress;
pub mod prompt;
mod search;
pub mod style;
pub mod table;
pub mod terminal;
pub mod typed;
pub mod writer;
