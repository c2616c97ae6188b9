//! `--open`: a page in the browser, and its address where there is none.

use super::context::Context;
use crate::accounts::Realm;
use crate::operations::accounts::at_meta::PageAtMeta;
use crate::ui::browser;

/// Opens an address or a file, and says so. Where no browser can be opened the address
/// stands on a line of its own, to be copied: in the result, unless that is a document for
/// a program (`to_talk`).
pub fn open(ctx: &Context, address: &str, to_talk: bool) {
    if browser::open(address, &ctx.env) {
        ctx.output.notice(&format!("opened in the browser: {address}"));
        return;
    }
    ctx.output.notice("no browser can be opened from here; open this yourself:");
    if to_talk {
        ctx.output.talk(address);
    } else {
        ctx.output.result(address);
    }
}

/// Opens the page of an account at Meta.
pub fn open_at_meta(ctx: &Context, page: &PageAtMeta, to_talk: bool) {
    if page.graph == Realm::Sandbox {
        ctx.output.warning("this account is of a sandbox: Meta has no page of it");
    }
    open(ctx, &page.address, to_talk);
}
