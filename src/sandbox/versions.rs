//! The versions served on a day, and what Meta has removed from all of them, as data by date:
//! from Meta's table of versions and the changelogs of v26.0 and v27.0
//! (<https://developers.facebook.com/docs/graph-api/changelog>). The day is the world's, so that
//! a scenario can have older behaviour.

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::rules::Rules;

type Version = (u16, u16);

/// Each version's first day, and its last where Meta has named one.
const VERSIONS: [(u16, Date, Option<Date>); 10] = [
    (18, date(2023, 9, 12), Some(date(2026, 1, 26))),
    (19, date(2024, 1, 23), Some(date(2026, 5, 21))),
    (20, date(2024, 5, 21), Some(date(2026, 9, 24))),
    (21, date(2024, 10, 2), Some(date(2027, 1, 21))),
    (22, date(2025, 1, 21), Some(date(2027, 5, 20))),
    (23, date(2025, 5, 29), Some(date(2027, 10, 8))),
    (24, date(2025, 10, 8), Some(date(2028, 2, 18))),
    (25, date(2026, 2, 18), Some(date(2028, 7, 29))),
    (26, date(2026, 7, 29), None),
    (27, date(2026, 11, 4), None),
];

/// v26.0 was released without the following; other versions lost it later.
const V26: (Version, Date) = ((26, 0), date(2026, 7, 29));
const OTHERS: Date = date(2026, 10, 27);
/// From this day apps may not start to use what v28.0 ends.
const V27: Date = date(2026, 11, 4);

/// A feature that Meta has removed from every version, or left to older apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `debug=all` and its `__debug__`.
    Debug,
    /// `ETag`, `If-None-Match`, 304.
    Etag,
    /// `?ids=A,B`.
    Ids,
    /// `date_format`.
    DateFormat,
    /// `method=delete` on a POST.
    MethodOverride,
    /// `fields=name.as(n)`.
    Alias,
    /// `callback=` around an answer.
    Jsonp,
    /// Page fields that new-experience Pages do not have.
    OldPageFields,
}

/// A world's day, and its settings for versions.
#[derive(Clone, Copy, Debug)]
pub struct Day<'w> {
    pub today: Date,
    pub rules: &'w Rules,
}

/// The day and the version of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// The version in the answer.
    pub version: Version,
    today: Date,
}

impl Served {
    /// For a call that requests `version`. `app` is the day on which the calling app was
    /// created.
    pub fn of(day: Day<'_>, version: Option<Version>) -> Self {
        let (oldest, newest) = range(day);
        let asked = version.unwrap_or(oldest).clamp(oldest, newest.max(oldest));
        // Between the two every version ends in .0; v24.7 is served as v24.0.
        let version = if asked == newest { asked } else { (asked.0, 0).max(oldest) };
        Self { version, today: day.today }
    }

    /// Whether a feature works for an app created on this day.
    pub fn has(self, feature: Feature, app_made: Date) -> bool {
        let is_new_app = self.today >= V27 && app_made >= V27;
        let since = if self.version >= V26.0 { V26.1 } else { OTHERS };
        match feature {
            // Two of Meta's texts differ on older apps and versions; the later one allows them.
            Feature::Ids | Feature::DateFormat if self.version < V26.0 => self.today < OTHERS || !is_new_app,
            Feature::Debug | Feature::Etag | Feature::Ids | Feature::DateFormat => self.today < since,
            Feature::MethodOverride | Feature::Alias | Feature::Jsonp => !is_new_app,
            Feature::OldPageFields => self.version < V26.0,
        }
    }
}

/// The oldest and the newest version served, unless the world sets others.
pub fn range(day: Day<'_>) -> (Version, Version) {
    let Day { today, rules } = day;
    let mut served = VERSIONS.iter().filter(|(_, first, last)| *first <= today && last.is_none_or(|last| today < last));
    let oldest = served.next().map_or((VERSIONS[0].0, 0), |(major, ..)| (*major, 0));
    let newest = served.next_back().map_or(oldest, |(major, ..)| (*major, 0));
    (rules.oldest_version.unwrap_or(oldest), rules.newest_version.unwrap_or(newest))
}

/// A sticker in an event of that day: at first an image with the sticker's id, then both for a
/// while, and since 30 August 2026 only a sticker
/// (<https://developers.facebook.com/docs/messenger-platform/changelog>).
pub fn sticker(today: Date, id: u64) -> Vec<Value> {
    const BOTH: Date = date(2026, 6, 1);
    const ALONE: Date = date(2026, 8, 30);
    let kinds = [("sticker", today >= BOTH), ("image", today < ALONE)];
    let url = format!("https://scontent.xx.fbcdn.net/v/sticker_{id}.png");
    let of = |kind| json!({"type": kind, "payload": {"sticker_id": id, "url": url}});
    kinds.into_iter().filter(|(_, comes)| *comes).map(|(kind, _)| of(kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::sandbox::World;

    fn on(day: &str) -> World {
        World::new(Clock::at(format!("{day}T12:00:00Z").parse().expect("a time")))
    }

    #[test]
    fn the_day_decides_what_is_served() {
        assert_eq!(range(on("2026-11-28").day()), ((21, 0), (27, 0)));
        assert_eq!(range(on("2026-11-03").day()), ((21, 0), (26, 0)));
        assert_eq!(range(on("2027-01-21").day()), ((22, 0), (27, 0)));
        let world = on("2026-11-28");
        let named = |asked| Served::of(world.day(), asked).version;
        assert_eq!((named(None), named(Some((18, 0))), named(Some((24, 7)))), ((21, 0), (21, 0), (24, 0)));
    }

    #[test]
    fn stickers_come_as_the_day_has_them() {
        for (day, kinds) in
            [("2026-05-31", &["image"][..]), ("2026-06-01", &["sticker", "image"]), ("2026-08-30", &["sticker"])]
        {
            let sent = sticker(on(day).today(), 369);
            assert!(sent.iter().map(|one| &one["type"]).eq(kinds), "{day}: {sent:?}");
            assert!(sent.iter().all(|one| one["payload"]["sticker_id"] == 369));
        }
    }

    #[test]
    fn features_end_by_version_day_and_age_of_the_app() {
        let (old, new) = (date(2026, 1, 1), date(2026, 11, 10));
        let has =
            |day: &str, version: u16, feature, made| Served::of(on(day).day(), Some((version, 0))).has(feature, made);
        for feature in [Feature::Debug, Feature::Etag] {
            assert!(has("2026-10-26", 25, feature, old) && !has("2026-10-26", 26, feature, old));
            assert!(!has("2026-10-27", 25, feature, old));
        }
        for feature in [Feature::Ids, Feature::DateFormat] {
            assert!(has("2026-11-28", 25, feature, old) && !has("2026-11-28", 25, feature, new));
            assert!(!has("2026-11-28", 26, feature, old));
        }
        assert!(has("2026-11-28", 27, Feature::MethodOverride, old) && !has("2026-11-28", 21, Feature::Alias, new));
    }
}
