//! `apply --check` on a manifest without mistakes.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::manifest::ManifestArgs;
use crate::provision::manifest::Manifest;

pub fn show(ctx: &Context, manifest: &Manifest, args: &ManifestArgs) {
    let accounts = manifest.accounts.len();
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "accounts": accounts, "doubts": manifest.doubts}));
    } else {
        let several = if accounts == 1 { "" } else { "s" };
        ctx.output.result(&format!("ok: {accounts} account{several} in {}", args.in_words()));
    }
}
