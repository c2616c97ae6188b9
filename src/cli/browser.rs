//! `--open`: opens a page in the browser, or prints its address.

use super::context::Context;
use crate::accounts::Realm;
use crate::operations::accounts::at_meta::PageAtMeta;
use crate::ui::browser;

/// Opens an address or a file, and says so. Without a browser the address is printed on its
/// own line, in the result unless that is a document for a program (`to_talk`).
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

/// Opens the account's page at Meta.
pub fn open_at_meta(ctx: &Context, page: &PageAtMeta, to_talk: bool) {
    if page.graph == Realm::Sandbox {
        ctx.output.warning("this is a sandbox account: Meta has no page for it");
    }
    open(ctx, &page.address, to_talk);
}
