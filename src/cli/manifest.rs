//! The files of a manifest, as commands take them: `-f FILE`, a folder, `-`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::context::Context;
use super::error::CliError;
use crate::operations::Invocation;
use crate::operations::apply::files::{self, ManifestFile, shown};
use crate::operations::apply::saved;
use crate::provision::manifest::{self, Manifest, Mistake, Text};
use crate::secrets::redact;
use crate::text::for_shell;

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
        Ok(self.read_files(ctx)?.0)
    }

    /// The same, with the files.
    pub fn read_files(&self, ctx: &Context) -> Result<(Manifest, Vec<ManifestFile>), CliError> {
        let paths = self.paths();
        if paths.is_empty() {
            return Err(CliError::usage("missing: FILE, the manifest")
                .hint(format!("name a file, a folder, or '-': msgrctl {} -f FILE", ctx.command))
                .hint("to write one with your accounts: msgrctl export > accounts.yaml")
                .hint("what a manifest may contain: msgrctl help manifests"));
        }
        let files = files::read(&paths, &|limit| ctx.read_stdin(limit))?;
        let read = manifest::read(&files.iter().map(ManifestFile::text).collect::<Vec<Text<'_>>>());
        match read {
            Ok(manifest) => {
                for doubt in &manifest.doubts {
                    ctx.output.warning(&redact(&doubt.to_string()));
                }
                Ok((manifest, files))
            }
            Err(mistakes) => Err(self.refuse(&mistakes, ctx)),
        }
    }

    /// The saved plan that is named in place of a manifest, with its text.
    ///
    /// # Errors
    ///
    /// One is named with -f, or with other files.
    pub fn saved_plan(&self) -> Result<Option<(PathBuf, String)>, CliError> {
        let found = |path: &PathBuf| Some((path.clone(), saved::text_at(path)?));
        let with_flag = self.file.iter().find_map(found);
        let misplaced = |path: &PathBuf, why: &str| {
            let command = Invocation::of("apply").arg(&path.to_string_lossy());
            CliError::usage(format!("{} is a saved plan, {why}", shown(path))).hint(format!("to apply it: {command}"))
        };
        if let Some((path, _)) = with_flag {
            return Err(misplaced(&path, "and -f is for manifests"));
        }
        match self.files.iter().find_map(found) {
            Some((path, _)) if self.file.len() + self.files.len() > 1 => {
                Err(misplaced(&path, "which is applied without other files"))
            }
            found => Ok(found),
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
        self.paths().iter().map(|path| format!("-f {}", for_shell(&path.to_string_lossy()))).collect()
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
