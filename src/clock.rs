//! The time. Whoever needs "now" gets a [`Clock`], never the system's directly.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the system's, or one that is set and moved by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    set: Option<Arc<Mutex<Timestamp>>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `at` until [`advance`](Self::advance) moves it.
    pub fn at(at: Timestamp) -> Self {
        Self { set: Some(Arc::new(Mutex::new(at))) }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.set.as_ref().map_or_else(Timestamp::now, |set| *set.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The current time in whole seconds since 1970, as Graph counts it.
    pub fn unix_seconds(&self) -> i64 {
        self.now().as_second()
    }

    /// Moves a clock that was set by hand; the system's clock stays as it is.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(set) = &self.set {
            let mut now = set.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.checked_add(by).unwrap_or(*now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_moves_only_by_hand() {
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_mins(5));
        assert_eq!(clock.unix_seconds(), 300);
    }
}
