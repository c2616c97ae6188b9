//! What has to be given back when a signal ends the process: nothing is dropped then.

use std::sync::{Mutex, MutexGuard, PoisonError};

type Step = (u64, Box<dyn FnOnce() + Send>);

fn steps() -> MutexGuard<'static, (u64, Vec<Step>)> {
    static STEPS: Mutex<(u64, Vec<Step>)> = Mutex::new((0, Vec::new()));
    STEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A step that is carried out before the process ends, unless this is dropped before.
#[derive(Debug)]
pub struct AtEnd(u64);

/// Adds a step, which has to end soon by itself.
#[must_use]
pub fn before(step: impl FnOnce() + Send + 'static) -> AtEnd {
    let mut steps = steps();
    steps.0 += 1;
    let id = steps.0;
    steps.1.push((id, Box::new(step)));
    AtEnd(id)
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        steps().1.retain(|(id, _)| *id != self.0);
    }
}

/// Carries the steps out, the last first.
pub fn now() {
    let all = std::mem::take(&mut steps().1);
    all.into_iter().rev().for_each(|(_, step)| step());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[test]
    fn a_step_is_carried_out_once_unless_it_is_dropped() {
        let done = Arc::new(AtomicU8::new(0));
        let adds = |by: u8| {
            let done = done.clone();
            before(move || {
                done.fetch_add(by, Ordering::Relaxed);
            })
        };
        let (_kept, dropped) = (adds(1), adds(10));
        drop(dropped);
        now();
        now();
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
