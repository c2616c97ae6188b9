//! The files of a manifest: `-f FILE`, a folder, `-`.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use crate::env::current_directory;
use crate::files::{self, FileError};
use crate::operations::Error;
use crate::provision::manifest::{LIMIT, LIMIT_TOGETHER, MOST_FILES, Text, escaped};
use crate::text::decode;

/// The file extensions read in a folder.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads standard input.
type Stdin<'a> = &'a dyn Fn(u64) -> io::Result<Zeroizing<Vec<u8>>>;

/// A file as it was read.
pub struct ManifestFile {
    shown: String,
    directory: PathBuf,
    text: String,
}

impl ManifestFile {
    /// The text, to parse.
    pub fn text(&self) -> Text<'_> {
        Text { file: &self.shown, directory: &self.directory, text: &self.text }
    }
}

/// Reads all files of these paths: a manifest, a folder, or `-`, which `stdin` reads, at most
/// one byte more than its argument.
pub fn read(paths: &[PathBuf], stdin: Stdin<'_>) -> Result<Vec<ManifestFile>, Error> {
    let here = current_directory().unwrap_or_default();
    let (mut found, mut known, mut stdin_is_read, mut together) = (Vec::new(), HashSet::new(), false, 0);
    for path in paths {
        if path.as_os_str() == "-" {
            if std::mem::replace(&mut stdin_is_read, true) {
                return Err(Error::usage("--file - is given twice, but standard input can be read only once"));
            }
            let bytes = stdin(LIMIT).map_err(|error| {
                Error::usage("the manifest could not be read from standard input").cause(error.to_string())
            })?;
            if bytes.len() as u64 > LIMIT {
                return Err(too_large(&shown(path)));
            }
            found.push(of_bytes(shown(path), here.clone(), &bytes)?);
            continue;
        }
        for (path, real) in manifests_at(path)? {
            // Named twice, perhaps by itself and by its folder.
            if !known.insert(real.clone()) {
                continue;
            }
            if known.len() > MOST_FILES {
                return Err(Error::usage(format!("more than {MOST_FILES} files are too many for a manifest"))
                    .hint("put more accounts into each file"));
            }
            let bytes = files::read_bytes(&real, LIMIT).map_err(|error| unreadable(&path, &error))?;
            together += bytes.len() as u64;
            if together > LIMIT_TOGETHER {
                return Err(Error::file(format!(
                    "the files have more than {} MiB together; nothing was used",
                    LIMIT_TOGETHER >> 20
                ))
                .hint("apply them in parts, without --prune"));
            }
            let directory = here.join(&path).parent().map_or_else(|| here.clone(), Path::to_path_buf);
            found.push(of_bytes(shown(&path), directory, &bytes)?);
        }
    }
    Ok(found)
}

/// A path as people see it.
pub fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".into() } else { escaped(&path.to_string_lossy()) }
}

/// The files of a path, with their real paths. A link is followed only inside its folder: in
/// a merge request it may point to any file of the machine that checks it.
fn manifests_at(path: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
    // A trailing slash would follow a link to a folder.
    let path: PathBuf = path.components().collect();
    let real = inside(&path, path.parent().unwrap_or(Path::new("")))?;
    if real.is_dir() { of_folder(&path, &real) } else { Ok(vec![(path, real)]) }
}

/// The manifests in a folder, sorted by name, without subfolders.
fn of_folder(folder: &Path, real: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
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
            return Err(Error::file(format!("{} is not a regular file; nothing was used", shown(&path))));
        }
        manifests.push((path, real));
    }
    if manifests.is_empty() {
        let endings = ENDINGS.map(|ending| format!("*.{ending}")).join(", ");
        return Err(Error::usage(format!("{} has no manifest: no {endings}", shown(folder)))
            .hint("subfolders are not read; name each with -f"));
    }
    Ok(manifests)
}

/// The real path, if it is not a link or stays below `folder`.
fn inside(path: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let is_link = path.is_symlink();
    let real = match files::real_path(path) {
        Ok(real) => real,
        // A pipe of the shell (`-f <(…)`) has a path that leads nowhere else.
        Err(_) if path.exists() => return Ok(path.to_path_buf()),
        Err(source) => return Err(unreadable(path, &FileError::Read { path: path.into(), source })),
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let stays = || files::real_path(folder).is_ok_and(|folder| real.starts_with(folder));
    if is_link && real.metadata().is_ok_and(|kind| kind.is_file() || kind.is_dir()) && !stays() {
        return Err(Error::file(format!("{} is a link that leads out of its folder; nothing was used", shown(path)))
            .hint("name its target with -f, or replace the link with the file"));
    }
    Ok(real)
}

fn of_bytes(shown: String, directory: PathBuf, bytes: &[u8]) -> Result<ManifestFile, Error> {
    match decode(bytes) {
        Ok(text) => Ok(ManifestFile { shown, directory, text: text.into_owned() }),
        Err(error) => {
            let sound = &bytes[..error.valid_up_to()];
            let line = sound.split(|b| *b == b'\n').count();
            Err(Error::file(format!("{shown} is not UTF-8 text, line {line}; nothing was used"))
                .hint("save it as UTF-8"))
        }
    }
}

fn too_large(shown: &str) -> Error {
    Error::file(format!("{shown} has more than {} MiB; nothing was used", LIMIT >> 20))
        .hint("split it into several files: -f takes a folder too")
}

fn unreadable(path: &Path, error: &FileError) -> Error {
    let source = match error {
        FileError::Read { source, .. } => Some(source),
        _ => None,
    };
    match source.map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => {
            Error::usage(format!("the file {} does not exist", shown(path))).hint("name a manifest with -f FILE")
        }
        Some(ErrorKind::FileTooLarge) => too_large(&shown(path)),
        _ => Error::file(format!("cannot read {}", shown(path)))
            .cause(source.map_or_else(|| error.to_string(), ToString::to_string)),
    }
}
