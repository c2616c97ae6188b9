//! The files of a manifest, as commands take them: `-f FILE`, a folder, `-`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::context::Context;
use super::error::CliError;
use crate::operations::apply::files::{self, ManifestFile, shown};
use crate::provision::manifest::{self, Manifest, Mistake, Text};
use crate::secrets::redact;

/// A limit for files that are not manifests at all.
const SHOWN: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    /// A manifest, or a folder whose *.yaml, *.yml and *.json are read, except links that lead out of it; '-' is standard input; may be repeated
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    file: Vec<PathBuf>,
    /// The same as -f FILE
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    files: Vec<PathBuf>,
}

impl ManifestArgs {
    /// Reads all files. All mistakes are printed at once, and then nothing is used; oddities are
    /// warnings.
    pub fn read(&self, ctx: &Context) -> Result<Manifest, CliError> {
        let paths = self.paths();
        if paths.is_empty() {
            return Err(CliError::usage("missing: FILE, the manifest")
                .hint(format!("name a file, a folder, or '-': msgrctl {} -f FILE", ctx.command))
                .hint("to write one with your accounts: msgrctl export > accounts.yaml")
                .hint("what a manifest may contain: msgrctl help manifests"));
        }
        let files = files::read(&paths, &|limit| ctx.read_stdin(limit))?;
        let texts: Vec<Text<'_>> = files.iter().map(ManifestFile::text).collect();
        match manifest::read(&texts) {
            Ok(manifest) => {
                for doubt in &manifest.doubts {
                    ctx.output.warning(&redact(&doubt.to_string()));
                }
                Ok(manifest)
            }
            Err(mistakes) => Err(self.refuse(&mistakes, ctx)),
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.file.iter().chain(&self.files).cloned().collect()
    }

    /// The sources: `accounts.yaml`, `a.yaml, b.yaml`, `5 files`.
    pub fn in_words(&self) -> String {
        const FEW: usize = 3;
        let paths = self.paths();
        if paths.len() > FEW {
            return format!("{} files", paths.len());
        }
        paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
    }

    /// The flags again, to paste.
    pub fn words(&self) -> Vec<String> {
        let quoted = |path: &PathBuf| {
            let path = path.to_string_lossy();
            // Fails only on a NUL, which no argument can hold.
            shlex::try_quote(&path).map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        self.paths().iter().map(|path| format!("-f {}", quoted(path))).collect()
    }

    /// Prints the mistakes and returns the error of the manifest.
    pub(super) fn refuse(&self, mistakes: &[Mistake], ctx: &Context) -> CliError {
        let number = mistakes.len();
        let several = if number == 1 { "" } else { "s" };
        let mut error = CliError::file(format!("{number} mistake{several} in {}; nothing was used", self.in_words()))
            .hint("what a manifest may contain: msgrctl help manifests");
        let mut lines: Vec<String> = mistakes.iter().take(SHOWN).map(ToString::to_string).collect();
        lines.extend((number > SHOWN).then(|| format!("and {} more", number - SHOWN)));
        for line in lines {
            if ctx.output.json {
                error = error.cause(line);
            } else {
                ctx.output.talk(&redact(&line));
            }
        }
        error
    }
}
