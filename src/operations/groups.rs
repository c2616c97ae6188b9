//! Splits accounts into groups that are written at once: each write is of a whole file, so a
//! thousand single writes would rewrite it a thousand times.

use std::slice::Chunks;

/// The smallest number of accounts written at once, and the largest number of writes for all
/// of them.
const GROUP: usize = 100;
const WRITES: usize = 20;

/// The groups, in order.
pub fn groups<T>(all: &[T]) -> Chunks<'_, T> {
    all.chunks(GROUP.max(all.len().div_ceil(WRITES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_there_are_the_groups_are_few() {
        for count in [0, 1, 99, 100, 101, 1999, 2000, 2001, 10_000, 12_345] {
            let all = vec![(); count];
            let few = groups(&all).len();
            assert!(few <= WRITES, "{count}: {few}");
            assert_eq!(groups(&all).map(<[()]>::len).sum::<usize>(), count);
        }
    }
}
