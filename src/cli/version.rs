//! `msgrctl version`.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use crate::env::platform;
use crate::graph::GraphVersion;

/// Print the version
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl version\n  msgrctl version --json")]
pub struct VersionArgs {}

#[derive(Serialize)]
struct VersionView {
    schema_version: u8,
    version: &'static str,
    platform: String,
    /// The default version of the Graph API.
    graph_version: String,
}

pub fn run(ctx: &Context) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    if ctx.output.json {
        let graph_version = GraphVersion::DEFAULT.to_string();
        ctx.output.json(&VersionView { schema_version: 1, version, platform: platform(), graph_version });
    } else {
        ctx.output.result(&format!("msgrctl {version}"));
    }
    0
}
