//! The files of a manifest, as commands take them: `-f FILE`, a folder, `-`.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::context::Context;
use super::error::CliError;
use crate::env::current_directory;
use crate::files::{self, FileError};
use crate::provision::manifest::{self, LIMIT, LIMIT_TOGETHER, MOST_FILES, Manifest, Mistake, Text, escaped};
use crate::secrets::redact;

/// No more mistakes are shown, so that a file that is something else stays readable.
const SHOWN: usize = 1000;

/// The endings of the files in a folder that count.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    /// A manifest, or a folder whose *.yaml, *.yml and *.json are read, without links that lead out of it; '-' is standard input; may be repeated
    #[arg(short, long, value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    file: Vec<PathBuf>,
}

/// A file as it was read.
struct Read {
    shown: String,
    directory: PathBuf,
    text: String,
}

impl Read {
    fn text(&self) -> Text<'_> {
        Text { file: &self.shown, directory: &self.directory, text: &self.text }
    }
}

impl ManifestArgs {
    /// Reads all files. Every mistake is shown at once, and then nothing was read; what
    /// is merely odd is a warning.
    pub fn read(&self, ctx: &Context) -> Result<Manifest, CliError> {
        let files = self.files(ctx)?;
        let texts: Vec<Text<'_>> = files.iter().map(Read::text).collect();
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

    /// What was read, in words: `accounts.yaml`, `a.yaml, b.yaml`, `5 files`.
    pub fn in_words(&self) -> String {
        const FEW: usize = 3;
        if self.file.len() > FEW {
            return format!("{} files", self.file.len());
        }
        self.file.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
    }

    /// The flags again, to be pasted.
    pub fn words(&self) -> Vec<String> {
        let quoted = |path: &PathBuf| {
            let path = path.to_string_lossy();
            // Fails on a NUL only, which no argument can hold.
            shlex::try_quote(&path).map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        self.file.iter().map(|path| format!("-f {}", quoted(path))).collect()
    }

    /// The error of a manifest with these mistakes, which are shown.
    pub(super) fn refuse(&self, mistakes: &[Mistake], ctx: &Context) -> CliError {
        let number = mistakes.len();
        let several = if number == 1 { "" } else { "s" };
        let mut error =
            CliError::file(format!("{number} mistake{several} in {}; nothing was read of it", self.in_words()))
                .hint("what a manifest may have in it: msgrctl schema manifest");
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

    fn files(&self, ctx: &Context) -> Result<Vec<Read>, CliError> {
        let here = current_directory().unwrap_or_default();
        let (mut found, mut known, mut stdin, mut together) = (Vec::new(), HashSet::new(), false, 0);
        for path in &self.file {
            if path.as_os_str() == "-" {
                if std::mem::replace(&mut stdin, true) {
                    return Err(CliError::usage("--file - is given twice, and standard input can be read once"));
                }
                let bytes = ctx.read_stdin(LIMIT).map_err(|error| {
                    CliError::usage("the manifest could not be read from standard input").cause(error.to_string())
                })?;
                if bytes.len() as u64 > LIMIT {
                    return Err(too_large(&shown(path)));
                }
                found.push(read(shown(path), here.clone(), &bytes)?);
                continue;
            }
            for (path, real) in self::found(path)? {
                // Named twice, by itself and by its folder perhaps: once is meant.
                if !known.insert(real.clone()) {
                    continue;
                }
                if known.len() > MOST_FILES {
                    return Err(CliError::usage(format!("more than {MOST_FILES} files are too many for a manifest"))
                        .hint("put more accounts into each file"));
                }
                let bytes = files::read_bytes(&real, LIMIT).map_err(|error| unreadable(&path, &error))?;
                together += bytes.len() as u64;
                if together > LIMIT_TOGETHER {
                    return Err(CliError::file(format!(
                        "the files have more than {} MiB together; nothing was read of them",
                        LIMIT_TOGETHER >> 20
                    ))
                    .hint("apply them in parts, without --prune"));
                }
                let directory = here.join(&path).parent().map_or_else(|| here.clone(), Path::to_path_buf);
                found.push(read(shown(&path), directory, &bytes)?);
            }
        }
        Ok(found)
    }
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".into() } else { escaped(&path.to_string_lossy()) }
}

/// The files that a path stands for, and where each of them really is: a link is followed
/// inside the folder that it stands in, and never out of it. What a merge request has in it
/// may be a link to any file of the machine that checks it.
fn found(path: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CliError> {
    // With a slash at its end a link would pass for the folder that it leads to.
    let path: PathBuf = path.components().collect();
    let real = inside(&path, path.parent().unwrap_or(Path::new("")))?;
    if real.is_dir() { of_folder(&path, &real) } else { Ok(vec![(path, real)]) }
}

/// The manifests of a folder by their names; folders in it are not looked into.
fn of_folder(folder: &Path, real: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CliError> {
    let counts = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        ENDINGS.contains(&ending) && !hidden
    };
    let mut manifests = Vec::new();
    for path in files::list(folder).map_err(|error| unreadable(folder, &error))?.into_iter().filter(counts) {
        let real = inside(&path, real)?;
        if real.is_dir() {
            continue;
        }
        if !real.is_file() {
            return Err(CliError::file(format!("{} is not a regular file; nothing was read of it", shown(&path))));
        }
        manifests.push((path, real));
    }
    if manifests.is_empty() {
        let endings = ENDINGS.map(|ending| format!("*.{ending}")).join(", ");
        return Err(CliError::usage(format!("there is no manifest in {}: no {endings}", shown(folder)))
            .hint("folders below it are not looked into; name each with -f"));
    }
    Ok(manifests)
}

/// Where a path really is, if it is not a link or stays below `folder`.
fn inside(path: &Path, folder: &Path) -> Result<PathBuf, CliError> {
    let is_link = path.is_symlink();
    let real = match path.canonicalize() {
        Ok(real) => real,
        // A pipe of the shell (`-f <(…)`) has a path that leads nowhere else.
        Err(_) if path.exists() => return Ok(path.to_path_buf()),
        Err(source) => return Err(unreadable(path, &FileError::Read { path: path.into(), source })),
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let stays = || folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
    if is_link && real.metadata().is_ok_and(|kind| kind.is_file() || kind.is_dir()) && !stays() {
        return Err(CliError::file(format!(
            "{} is a link that leads out of its folder; nothing was read of it",
            shown(path)
        ))
        .hint("name what it leads to with -f, or put the file itself there"));
    }
    Ok(real)
}

fn read(shown: String, directory: PathBuf, bytes: &[u8]) -> Result<Read, CliError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Read { shown, directory, text: text.into() }),
        Err(error) => {
            let sound = &bytes[..error.valid_up_to()];
            let line = sound.split(|b| *b == b'\n').count();
            Err(CliError::file(format!("{shown} is not UTF-8 text, line {line}; nothing was read of it"))
                .hint("save it as UTF-8"))
        }
    }
}

fn too_large(shown: &str) -> CliError {
    CliError::file(format!("{shown} has more than {} MiB; nothing was read of it", LIMIT >> 20))
        .hint("make several files of it: -f takes a folder too")
}

fn unreadable(path: &Path, error: &FileError) -> CliError {
    let source = match error {
        FileError::Read { source, .. } => Some(source),
        _ => None,
    };
    match source.map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => {
            CliError::usage(format!("there is no file {}", shown(path))).hint("name a manifest with -f FILE")
        }
        Some(ErrorKind::FileTooLarge) => too_large(&shown(path)),
        _ => CliError::file(format!("cannot read {}", shown(path)))
            .cause(source.map_or_else(|| error.to_string(), ToString::to_string)),
    }
}
