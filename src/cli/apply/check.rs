//! `apply --check`: what a manifest says, when it says nothing wrong.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::manifest::ManifestArgs;
use crate::provision::manifest::{Manifest, Mistake};

#[derive(Serialize)]
struct CheckView<'a> {
    schema_version: u8,
    accounts: usize,
    doubts: Vec<DoubtView<'a>>,
}

#[derive(Serialize)]
struct DoubtView<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
}

impl<'a> From<&'a Mistake> for DoubtView<'a> {
    fn from(Mistake { place, message, .. }: &'a Mistake) -> Self {
        Self { file: &place.file, line: place.line, column: place.column, message }
    }
}

/// Says that a manifest has no mistake.
pub fn show(ctx: &Context, manifest: &Manifest, args: &ManifestArgs) {
    let accounts = manifest.accounts.len();
    if ctx.output.json {
        let doubts = manifest.doubts.iter().map(DoubtView::from).collect();
        ctx.output.json(&CheckView { schema_version: 1, accounts, doubts });
    } else {
        let several = if accounts == 1 { "" } else { "s" };
        ctx.output.result(&format!("ok: {accounts} account{several} in {}", args.in_words()));
    }
}
