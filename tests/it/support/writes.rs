//! How often files are replaced, counted by the system: each save renames a new file over
//! the old one.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// The replacements of every file of one directory since the last question.
pub struct Writes(OwnedFd);

impl Writes {
    /// Begins to count.
    pub fn of(directory: &Path) -> Self {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        // With the old names as well: two events that look alike would be told as one.
        inotify::add_watch(&watch, directory, WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO).unwrap();
        Self(watch)
    }

    /// How often each file was replaced since the last question.
    pub fn take(&self) -> BTreeMap<String, usize> {
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut counts = BTreeMap::new();
        loop {
            match reader.next() {
                Ok(event) => {
                    assert!(!event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW), "too many to count");
                    let name = event.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    if event.events().contains(inotify::ReadFlags::MOVED_TO) {
                        *counts.entry(name).or_default() += 1;
                    }
                }
                Err(Errno::WOULDBLOCK) => return counts,
                Err(error) => panic!("{error}"),
            }
        }
    }
}
