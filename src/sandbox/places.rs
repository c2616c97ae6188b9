//! Indexes of a world's long lists, so that ten thousand Pages are as fast as one. The lists are
//! public and change without notice, so each position is checked before it is used.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

/// The positions in one list, by a key of its items.
#[derive(Default)]
pub(super) struct Places(RefCell<Kept>);

#[derive(Default)]
struct Kept {
    places: HashMap<String, usize>,
    /// How many items are indexed.
    length: usize,
    /// The key of the last indexed item, to detect a list that was replaced.
    last: Option<String>,
}

impl Places {
    /// The position of the item with this key; searches the whole list for items that were
    /// changed in place.
    pub fn find<T>(&self, items: &[T], key: &str, key_of: impl Fn(&T) -> Option<Cow<'_, str>>) -> Option<usize> {
        if let Some(at) = self.known(items, key, &key_of) {
            return Some(at);
        }
        let at = items.iter().position(|item| key_of(item).as_deref() == Some(key))?;
        *self.0.borrow_mut() = Kept::default();
        self.known(items, key, key_of).or(Some(at))
    }

    /// The same for lists whose items keep their keys: a missing key costs nothing.
    pub fn known<T>(&self, items: &[T], key: &str, key_of: impl Fn(&T) -> Option<Cow<'_, str>>) -> Option<usize> {
        let mut kept = self.0.borrow_mut();
        let same = match kept.length.checked_sub(1) {
            None => true,
            Some(last) => items.get(last).is_some_and(|item| key_of(item).as_deref() == kept.last.as_deref()),
        };
        if !same {
            *kept = Kept::default();
        }
        if kept.length < items.len() {
            kept.last = items.last().and_then(&key_of).map(Cow::into_owned);
        }
        for (at, item) in items.iter().enumerate().skip(kept.length) {
            if let Some(key) = key_of(item) {
                kept.places.entry(key.into_owned()).or_insert(at);
            }
        }
        kept.length = items.len();
        let at = *kept.places.get(key)?;
        (key_of(items.get(at)?).as_deref() == Some(key)).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_a_list_that_changes() {
        fn find(places: &Places, items: &[String], key: &str) -> Option<usize> {
            places.find(items, key, |item| Some(Cow::Borrowed(item)))
        }
        let places = Places::default();
        let find = |items: &[String], key: &str| find(&places, items, key);
        let mut items: Vec<String> = ["a", "b", "a"].map(str::to_owned).into();
        assert_eq!((find(&items, "a"), find(&items, "b"), find(&items, "c")), (Some(0), Some(1), None));
        items.push("c".into());
        assert_eq!(find(&items, "c"), Some(3));
        items[1] = "d".into();
        assert_eq!((find(&items, "b"), find(&items, "d")), (None, Some(1)));
        items.remove(0);
        assert_eq!((find(&items, "a"), find(&items, "d")), (Some(1), Some(0)));
        items.remove(0);
        items.push("e".into());
        assert_eq!(
            places.known(&items, "e", |item| Some(Cow::Borrowed(item))),
            Some(2),
            "it is seen that it is another list"
        );
        assert_eq!((find(&items, "e"), find(&items, "c"), find(&items, "d")), (Some(2), Some(1), None));
    }
}
