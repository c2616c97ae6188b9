//! When each version of Graph ends, from Meta's table of versions
//! (<https://developers.facebook.com/docs/graph-api/changelog/versions>, November 2026).

use jiff::civil::{Date, date};

use super::GraphVersion;

/// The last day of each version that Meta has named one for. Older versions have ended.
const ENDS: [(u16, Date); 9] = [
    (17, date(2025, 9, 12)),
    (18, date(2026, 1, 26)),
    (19, date(2026, 5, 21)),
    (20, date(2026, 9, 24)),
    (21, date(2027, 1, 21)),
    (22, date(2027, 5, 20)),
    (23, date(2027, 10, 8)),
    (24, date(2028, 2, 18)),
    (25, date(2028, 7, 29)),
];

impl GraphVersion {
    /// The day on which Meta stops serving this version; it then answers such calls in the
    /// oldest version served, without an error. `None`: Meta has named no day.
    pub fn ends(self) -> Option<Date> {
        let oldest = ENDS[0];
        if self < Self::of(oldest.0) {
            return Some(oldest.1);
        }
        ENDS.iter().find(|(major, _)| Self::of(*major) == self).map(|(_, end)| *end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_end_in_their_order() {
        assert!(ENDS.windows(2).all(|two| two[0].0 + 1 == two[1].0 && two[0].1 < two[1].1));
        assert_eq!(GraphVersion::of(21).ends(), Some(date(2027, 1, 21)));
        assert_eq!(GraphVersion::of(9).ends(), Some(date(2025, 9, 12)));
        assert_eq!(GraphVersion::DEFAULT.ends(), None);
        assert_eq!(GraphVersion::of(27).ends(), None);
    }
}
