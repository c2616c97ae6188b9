//! What `msgrctl version --json` says of a build: the commit, the target, the compiler and the features.
//!
//! `MSGRCTL_COMMIT` names the commit of a package. Without it a release build asks git; a debug
//! build does not, since it would be compiled again after each commit.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=MSGRCTL_COMMIT");
    let given = env::var("MSGRCTL_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| if variable("PROFILE") == "release" { of_git() } else { None });
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit.unwrap_or_default());
    println!("cargo::rustc-env=BUILD_TARGET={}", variable("TARGET"));
    println!(
        "cargo::rustc-env=BUILD_RUSTC={}",
        output(Command::new(variable("RUSTC")).arg("--version")).unwrap_or_default()
    );
    let mut features: Vec<String> = env::vars()
        .filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(|name| name.to_lowercase().replace('_', "-")))
        .collect();
    features.sort();
    println!("cargo::rustc-env=BUILD_FEATURES={}", features.join(","));
}

/// A variable that cargo sets.
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// The commit that is checked out; absent in a source archive, and where a folder above is the
/// repository of something else.
fn of_git() -> Option<String> {
    let root = variable("CARGO_MANIFEST_DIR");
    if !Path::new(&root).join(".git").exists() {
        return None;
    }
    // A file that is missing would run this again at every build.
    let log = git(&root, &["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&root, &["rev-parse", "HEAD"])
}

fn git(root: &str, arguments: &[&str]) -> Option<String> {
    output(Command::new("git").arg("-C").arg(root).args(arguments))
}

fn output(command: &mut Command) -> Option<String> {
    let ran = command.output().ok()?;
    let text = String::from_utf8(ran.stdout).ok()?.trim().to_owned();
    (ran.status.success() && !text.is_empty()).then_some(text)
}
