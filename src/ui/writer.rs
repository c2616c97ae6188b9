//! Writes to standard output and standard error on a thread: a reader that stops reading
//! delays neither answers nor signals, and it is known what was really written.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::typed::Above;

/// Bytes that may wait for standard error; beyond that notices are dropped.
const TALK_LIMIT: usize = 256 * 1024;
/// Beyond this many bytes the reader is behind.
const BEHIND: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// The progress of the thread.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// The number of chunks written or given up.
    done: u64,
    /// The number of chunks written: the first ones.
    written: u64,
    /// Why standard output fails.
    failed: Option<io::ErrorKind>,
}

/// The thread; it writes chunks in order.
#[derive(Clone)]
pub struct Writer(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Queue {
    chunks: VecDeque<Chunk>,
    /// Bytes of the waiting chunks and the one being written.
    bytes: usize,
    /// The number of chunks so far.
    handed: u64,
}

enum Chunk {
    Bytes(Stream, Vec<u8>),
    /// From here on results are shown above a line being typed.
    Above(Above),
}

impl Writer {
    /// Starts the thread, which ends with the process.
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
        });
        let of_thread = shared.clone();
        std::thread::spawn(move || of_thread.work());
        Self(shared)
    }

    /// A handle for one stream; each flush ends a chunk.
    pub fn stream(&self, stream: Stream) -> Handle {
        Handle { writer: self.clone(), stream, chunk: Vec::new() }
    }

    /// From here on shows results above the line being typed.
    pub fn show_above(&self, above: Above) {
        self.push(Chunk::Above(above), 0);
    }

    /// A promise for everything so far.
    pub fn receipt(&self) -> Receipt {
        Receipt { through: self.0.queue().handed, progress: self.0.progress.subscribe() }
    }

    /// Why standard output fails.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        self.0.progress.borrow().failed
    }

    /// Ready once standard output fails.
    pub async fn failing(&self) -> io::ErrorKind {
        let mut progress = self.0.progress.subscribe();
        loop {
            if let Some(kind) = progress.borrow_and_update().failed {
                return kind;
            }
            // The sender lives as long as `self`.
            let _ = progress.changed().await;
        }
    }

    /// Whether the reader is far behind.
    pub fn is_behind(&self) -> bool {
        self.0.queue().bytes > BEHIND
    }

    /// Waits until everything is written or given up; `false` if that takes longer than `within`.
    pub fn drain(&self, within: Duration) -> bool {
        let end = Instant::now() + within;
        let through = self.0.queue().handed;
        loop {
            let progress = *self.0.progress.borrow();
            if progress.done >= through {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            // At most once in a process.
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn push(&self, chunk: Chunk, size: usize) {
        let mut queue = self.0.queue();
        queue.bytes += size;
        queue.handed += 1;
        queue.chunks.push_back(chunk);
        drop(queue);
        self.0.arrived.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut above: Option<Above> = None;
        loop {
            let (chunk, count) = self.next();
            let mut size = 0;
            let mut failed = None;
            match chunk {
                Chunk::Above(new) => above = Some(new),
                Chunk::Bytes(stream, bytes) => {
                    size = bytes.len();
                    let shown = above.as_mut().is_some_and(|above| above.show(&String::from_utf8_lossy(&bytes)));
                    // After a failure nothing more is written: a later line would follow half of an earlier one.
                    if !shown && (stream == Stream::Err || self.progress.borrow().failed.is_none()) {
                        let written = write_whole(stream, &bytes);
                        failed = written.err().filter(|_| stream == Stream::Out).map(|error| error.kind());
                    }
                }
            }
            self.queue().bytes -= size;
            self.progress.send_modify(|progress| {
                progress.failed = progress.failed.or(failed);
                progress.done += count;
                if progress.failed.is_none() {
                    progress.written = progress.done;
                }
            });
        }
    }

    /// The next chunk, joined with following ones for the same stream, so that a slow reader gets
    /// several in one write; and their number.
    fn next(&self) -> (Chunk, u64) {
        let mut queue = self.queue();
        let first = loop {
            match queue.chunks.pop_front() {
                Some(chunk) => break chunk,
                None => queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let Chunk::Bytes(stream, mut bytes) = first else { return (first, 1) };
        let mut count = 1;
        while bytes.len() < BEHIND
            && let Some(Chunk::Bytes(of, more)) = queue.chunks.front()
            && *of == stream
        {
            bytes.extend_from_slice(more);
            queue.chunks.pop_front();
            count += 1;
        }
        (Chunk::Bytes(stream, bytes), count)
    }
}

pub struct Handle {
    writer: Writer,
    stream: Stream,
    chunk: Vec<u8>,
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Hands the chunk over. Fails once standard output has failed.
    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.chunk);
        let waiting = self.writer.0.queue().bytes;
        if !chunk.is_empty() && (self.stream == Stream::Out || waiting < TALK_LIMIT) {
            let size = chunk.len();
            self.writer.push(Chunk::Bytes(self.stream, chunk), size);
        }
        match self.writer.failure().filter(|_| self.stream == Stream::Out) {
            Some(kind) => Err(kind.into()),
            None => Ok(()),
        }
    }
}

/// A promise for the chunks up to a moment.
pub struct Receipt {
    through: u64,
    progress: watch::Receiver<Progress>,
}

impl Receipt {
    /// Ready once all of it is written, or never will be.
    pub async fn written(mut self) -> Result<(), io::ErrorKind> {
        let through = self.through;
        match self.progress.wait_for(|progress| progress.failed.is_some() || progress.written >= through).await {
            Ok(progress) if progress.written >= through => Ok(()),
            Ok(progress) => Err(progress.failed.unwrap_or(io::ErrorKind::Other)),
            // The thread ends only with the process.
            Err(_) => Err(io::ErrorKind::BrokenPipe),
        }
    }
}

/// Writes all of a chunk, or removes what was written of it where possible: half a line of
/// JSON would spoil the file.
fn write_whole(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    match stream {
        Stream::Out => raw::write_whole(&io::stdout(), bytes),
        Stream::Err => raw::write_whole(&io::stderr(), bytes),
    }
}

#[cfg(unix)]
mod raw {
    use std::io;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use rustix::fs::{FileType, SeekFrom, fstat, ftruncate, seek};
    use rustix::io::Errno;

    /// The length of a regular file; `None` for a terminal or a pipe.
    fn length(fd: impl AsFd) -> Option<u64> {
        let facts = fstat(fd).ok()?;
        (FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile).then(|| u64::try_from(facts.st_size).ok())?
    }

    pub fn write_whole(fd: &impl AsFd, bytes: &[u8]) -> io::Result<()> {
        let before = length(fd);
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(fd, rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                // Another program on the terminal made it non-blocking.
                Err(Errno::AGAIN) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => {
                    cut_back(fd, before, bytes.len() - rest.len());
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Cuts half a line off again, unless another process has also written to the file. If that
    /// fails the file stays.
    fn cut_back(fd: &impl AsFd, before: Option<u64>, written: usize) {
        let Some(before) = before else { return };
        if written > 0 && length(fd) == Some(before + written as u64) && ftruncate(fd, before).is_ok() {
            let _ = seek(fd, SeekFrom::Start(before));
        }
    }
}

#[cfg(not(unix))]
mod raw {
    use std::io::{self, Write};

    pub fn write_whole<T>(stream: &T, bytes: &[u8]) -> io::Result<()>
    where
        for<'s> &'s T: Write,
    {
        let mut stream = stream;
        stream.write_all(bytes)?;
        stream.flush()
    }
}
