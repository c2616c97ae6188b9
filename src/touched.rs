//! Whether this process has changed anything that outlasts it: a file of ours, an entry
//! of a store, something at Meta. An error says "nothing was changed" only while it has not.

use std::sync::atomic::{AtomicBool, Ordering};

static CHANGED: AtomicBool = AtomicBool::new(false);

/// Something is changed, or may be.
pub fn note() {
    CHANGED.store(true, Ordering::Relaxed);
}

/// Whether anything is changed, or may be.
pub fn anything() -> bool {
    CHANGED.load(Ordering::Relaxed)
}
