//! Kills at any moment of a run, on quick machines and on slow ones.

use std::process::Child;
use std::time::Duration;

use rand::RngExt as _;

/// Kills each process at a moment of its own. How late a kill may be follows the runs
/// themselves, so that two of three are killed before they end.
pub struct Kills {
    within: Duration,
    /// How many were killed before they ended.
    pub killed: usize,
}

impl Kills {
    /// Begins with kills within so long.
    pub fn within(within: Duration) -> Self {
        Self { within, killed: 0 }
    }

    /// Kills a process that was just started; that it has ended already is fine too.
    pub fn kill(&mut self, child: &mut Child) {
        std::thread::sleep(self.within.mul_f64(rand::rng().random_range(0.0..1.0)));
        let _ = child.kill();
        let was_killed = child.wait().unwrap().code().is_none();
        self.killed += usize::from(was_killed);
        self.within = self.within.mul_f64(if was_killed { 1.2 } else { 0.7 });
    }
}
