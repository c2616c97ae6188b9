//! The time. Code that needs "now" gets a [`Clock`], never the system's directly.

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

/// How far `at` is from `now`, in the largest unit that fits: `3 h ago`, `in 12 days`.
pub fn relative(now: Timestamp, at: Timestamp) -> String {
    const UNITS: [(i64, &str, &str); 3] = [(86_400, "day", "days"), (3600, "h", "h"), (60, "min", "min")];
    let seconds = at.as_second() - now.as_second();
    let length = seconds.abs();
    // Days are used from two days on: 47 h say more than one day.
    let unit = UNITS.iter().find(|(unit, ..)| length >= if *unit == 86_400 { 2 * unit } else { *unit });
    let Some((unit, one, several)) = unit else {
        return if seconds > 0 { "in a moment".into() } else { "just now".into() };
    };
    let count = length / unit;
    let unit = if count == 1 { one } else { several };
    if seconds > 0 { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
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
