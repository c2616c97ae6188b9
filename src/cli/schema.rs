//! `msgrctl schema`: the shape of a file as JSON Schema, for editors and validators.

use clap::Args;

use super::context::Context;
use crate::provision::manifest;

/// Print the JSON Schema of a file, for editors and validators
///
/// JSON Schema, draft 2020-12. Editors that know the YAML language server complete and
/// check a manifest whose first line is:
/// # yaml-language-server: $schema=manifest.schema.json
/// A mistake that only all files together show (a name used twice, two callback URLs of one
/// app) is found by msgrctl apply --check.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:\n  msgrctl schema manifest > manifest.schema.json\n  msgrctl schema manifest | jq '.\"$defs\".account'"
)]
pub struct SchemaArgs {
    /// The file: manifest
    #[arg(value_name = "manifest", value_parser = [MANIFEST])]
    of: String,
}

const MANIFEST: &str = "manifest";

pub fn run(args: &SchemaArgs, ctx: &Context) -> u8 {
    debug_assert_eq!(args.of, MANIFEST);
    ctx.output.exact(manifest::schema().as_bytes());
    0
}
