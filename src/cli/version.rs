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
    /// The commit of the sources in full; absent where the build did not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'static str>,
    /// What it was built for: `x86_64-unknown-linux-musl`.
    target: &'static str,
    /// The compiler, with which the same commit gives the same bytes.
    rustc: &'static str,
    /// The features of cargo that it was built with.
    features: Vec<&'static str>,
}

pub fn run(ctx: &Context) -> u8 {
    let version = env!("CARGO_PKG_VERSION");
    if ctx.output.json {
        ctx.output.json(&VersionView {
            schema_version: 1,
            version,
            platform: platform(),
            graph_version: GraphVersion::DEFAULT.to_string(),
            commit: Some(env!("BUILD_COMMIT")).filter(|commit| !commit.is_empty()),
            target: env!("BUILD_TARGET"),
            rustc: env!("BUILD_RUSTC"),
            features: env!("BUILD_FEATURES").split(',').filter(|feature| !feature.is_empty()).collect(),
        });
    } else {
        ctx.output.result(&format!("msgrctl {version}"));
    }
    0
}
