//! `msgrctl apply`: what a manifest asks for, checked.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::manifest::ManifestArgs;
use crate::provision::manifest::{Manifest, Mistake};

/// Check a manifest: the accounts that a tenant should have
///
/// --check reads the files and tells every mistake in one go, each with its file, line and
/// column. It needs no configuration, no secret and no network, and changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl apply -f accounts.yaml --check
  msgrctl apply -f manifests/ --check --json
  msgrctl apply -f - --check < accounts.yaml")]
pub struct ApplyArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    /// Validate the files, offline and without any secret, and do nothing
    #[arg(long, required = true)]
    check: bool,
}

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

pub fn run(args: &ApplyArgs, ctx: &Context) -> Result<u8, CliError> {
    let Manifest { accounts, doubts, .. } = args.manifest.read(ctx)?;
    let accounts = accounts.len();
    if ctx.output.json {
        let doubts = doubts.iter().map(DoubtView::from).collect();
        ctx.output.json(&CheckView { schema_version: 1, accounts, doubts });
    } else {
        let several = if accounts == 1 { "" } else { "s" };
        ctx.output.result(&format!("ok: {accounts} account{several} in {}", args.manifest.in_words()));
    }
    Ok(0)
}
