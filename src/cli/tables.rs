//! Prints tables.

use super::context::Context;
use crate::ui::table::Layout;

/// Prints a table, and says where the columns are that did not fit.
pub fn show(ctx: &Context, laid: &Layout, elsewhere: &str) {
    ctx.output.result(&laid.text);
    if !laid.left_out.is_empty() {
        ctx.output.notice(&format!("no room for {}; {elsewhere}", laid.left_out.join(", ")));
    }
}
