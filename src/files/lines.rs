//! Files of lines that only grow: a line is added, and the last one is read, at a cost that does
//! not grow with the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::Path;

use super::{FileError, access, flush, is_there, parent};

/// Appends a line to a private file, creating it if needed. Callers that share the file hold a
/// lock.
pub fn append_line(path: &Path, line: &str) -> Result<(), FileError> {
    let new = !is_there(path)?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    access::of_new_file(&mut options);
    let write = || -> io::Result<()> {
        let mut file = options.open(path)?;
        if new {
            access::restrict(path);
        }
        // A line that a killed process left unfinished stays separate.
        let gap = if ends_in_a_line(path)? { "" } else { "\n" };
        file.write_all(format!("{gap}{line}\n").as_bytes())?;
        file.sync_all()?;
        if new {
            flush(parent(path));
        }
        Ok(())
    };
    write().map_err(|source| FileError::Write { path: path.into(), source })
}

fn ends_in_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The last line of one of msgrctl's files, without its line feed, which an unfinished line
/// lacks, and the place in the file where it ends; `None` for an empty file. Only that line
/// is read.
pub fn last_line(path: &Path) -> Result<Option<(Vec<u8>, u64)>, FileError> {
    if !is_there(path)? {
        return Ok(None);
    }
    let read = || last_line_of(&mut File::open(path)?);
    read().map_err(|source| FileError::Read { path: path.into(), source })
}

/// Reads backwards, in blocks.
fn last_line_of(file: &mut (impl Read + Seek)) -> io::Result<Option<(Vec<u8>, u64)>> {
    const BLOCK: u64 = 4096;
    let mut start = file.seek(SeekFrom::End(0))?;
    let mut end = start;
    // The blocks of the line, the last one first.
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    while start > 0 {
        let size = start.min(BLOCK);
        start -= size;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        file.by_ref().take(size).read_to_end(&mut block)?;
        if blocks.is_empty() && block.last() == Some(&b'\n') {
            // It ends the line.
            block.pop();
            end -= 1;
        }
        let end_before = block.iter().rposition(|byte| *byte == b'\n');
        blocks.push(block.split_off(end_before.map_or(0, |at| at + 1)));
        if end_before.is_some() {
            break;
        }
    }
    Ok((!blocks.is_empty()).then(|| (blocks.into_iter().rev().flatten().collect(), end)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// Counts what is read.
    struct Counted(Cursor<Vec<u8>>, usize);

    impl Read for Counted {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(to)?;
            self.1 += read;
            Ok(read)
        }
    }

    impl Seek for Counted {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn last_of(text: &[u8]) -> (Option<Vec<u8>>, usize) {
        let mut file = Counted(Cursor::new(text.to_vec()), 0);
        let found = last_line_of(&mut file).expect("memory can be read");
        let whole = text.strip_suffix(b"\n").unwrap_or(text);
        assert!(found.iter().all(|(_, end)| *end == whole.len() as u64));
        (found.map(|(line, _)| line), file.1)
    }

    #[test]
    fn as_much_is_read_of_a_long_file_as_of_a_short_one() {
        let line = format!("{}\n", "x".repeat(300));
        let (short, of_short) = last_of(line.repeat(20).as_bytes());
        let (long, of_long) = last_of(line.repeat(50_000).as_bytes());
        assert_eq!((short.as_deref(), &short), (Some(line.trim_end().as_bytes()), &long));
        assert_eq!((of_short, of_long), (4096, 4096));
    }

    proptest! {
        #[test]
        fn the_last_line_is_what_follows_the_last_line_feed(
            lines in prop::collection::vec("[a-z]{0,9}|[a-z]{4090,4100}|[a-z]{8190,8194}", 0..4),
            is_finished: bool,
        ) {
            let mut text = lines.join("\n");
            if is_finished && !lines.is_empty() {
                text.push('\n');
            }
            let whole = text.strip_suffix('\n').unwrap_or(&text);
            let expected = (!text.is_empty()).then(|| whole.rsplit('\n').next().unwrap_or_default().as_bytes().to_vec());
            prop_assert_eq!(last_of(text.as_bytes()).0, expected);
        }
    }
}
