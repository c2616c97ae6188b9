//! Finds the app that signed a body. Strangers can send any body, so the Page that it names is
//! tried first, and most bodies cost one check.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::Subscriber;
use crate::secrets::Secret;
use crate::webhook::signature::{Signature, SignatureError};

/// The most bytes to hash for a body, besides the first check.
const BUDGET: usize = 1024 * 1024;
/// The least cost of a check, however small the body: the blocks that every check hashes.
const LEAST: usize = 256;
/// How many entries of a body are searched for a known Page.
const ENTRIES: usize = 1000;

/// The apps that sign events.
pub(super) struct Signers {
    apps: Vec<App>,
    by_page: HashMap<String, Vec<usize>>,
}

struct App {
    secret: Secret,
    pages: Vec<String>,
}

impl Signers {
    /// The distinct apps of these subscribers.
    pub(super) fn new(subscribers: Vec<Subscriber>) -> Self {
        let mut apps: Vec<App> = Vec::new();
        let mut by_page: HashMap<String, Vec<usize>> = HashMap::new();
        for Subscriber { page_id, app_secret } in subscribers {
            let at = apps.iter().position(|app| app.secret == app_secret).unwrap_or_else(|| {
                apps.push(App { secret: app_secret, pages: Vec::new() });
                apps.len() - 1
            });
            apps[at].pages.push(page_id.clone());
            by_page.entry(page_id).or_default().push(at);
        }
        Self { apps, by_page }
    }

    /// The Pages of the app that signed a body.
    pub(super) fn pages(&self, signature: &Signature, body: &[u8]) -> Result<Vec<String>, SignatureError> {
        // With one app there is nothing to find.
        let named = if self.apps.len() > 1 { pages_named(body) } else { Vec::new() };
        let named: BTreeSet<usize> = named.iter().filter_map(|id| self.by_page.get(id)).flatten().copied().collect();
        let others = (0..self.apps.len()).filter(|at| !named.contains(at));
        let affordable = 1 + BUDGET / body.len().max(LEAST);
        named
            .iter()
            .copied()
            .chain(others)
            .take(affordable)
            .map(|at| &self.apps[at])
            .find(|app| signature.verify(body, app.secret.expose().as_bytes()).is_ok())
            .map(|app| app.pages.clone())
            .ok_or(SignatureError::Wrong)
    }
}

/// The ids of a body's entries; the rest is dropped.
fn pages_named(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        entry: Ids,
    }
    // An unreadable body is checked with as many secrets as the budget allows.
    serde_json::from_slice::<Body>(body).map(|body| body.entry.0).unwrap_or_default()
}

#[derive(Default)]
struct Ids(Vec<String>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default)]
            id: String,
        }
        impl<'de> Visitor<'de> for Entries {
            type Value = Ids;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Ids, A::Error> {
                let mut ids = Vec::new();
                while ids.len() < ENTRIES {
                    let Some(entry) = entries.next_element::<Entry>()? else { return Ok(Ids(ids)) };
                    ids.push(entry.id);
                }
                while entries.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Ids(ids))
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::signature::sign;

    fn subscribers(count: usize) -> Vec<Subscriber> {
        (0..count)
            .map(|at| Subscriber { page_id: format!("10{at}"), app_secret: Secret::new(format!("{at:032x}")) })
            .collect()
    }

    fn signed(body: &[u8], secret: &str) -> Signature {
        let (sha256, _) = sign(body, secret.as_bytes());
        Signature::read(Some(sha256.as_bytes()), None).expect("a signature")
    }

    #[test]
    fn the_page_that_is_named_decides_which_secret_comes_first() {
        let known = Signers::new(subscribers(1000));
        let large = format!(r#"{{"object":"page","entry":[{{"id":"10999","x":"{}"}}]}}"#, "y".repeat(3 << 20));
        let signature = signed(large.as_bytes(), &format!("{:032x}", 999));
        assert_eq!(known.pages(&signature, large.as_bytes()), Ok(vec!["10999".to_owned()]));
        // A large body of an unknown Page costs one or two checks, and is refused.
        let stranger = large.replace("10999", "77");
        let signature = signed(stranger.as_bytes(), &format!("{:032x}", 999));
        assert_eq!(known.pages(&signature, stranger.as_bytes()), Err(SignatureError::Wrong));
    }

    #[test]
    fn a_small_body_is_checked_with_every_secret() {
        let known = Signers::new(subscribers(1000));
        for body in [r#"{"object":"page","entry":[{"id":"0"}]}"#, "[]", "{\"entry\":7}", "\u{1}"] {
            let signature = signed(body.as_bytes(), &format!("{:032x}", 998));
            assert_eq!(known.pages(&signature, body.as_bytes()), Ok(vec!["10998".to_owned()]), "{body}");
        }
    }

    #[test]
    fn a_page_of_two_apps_is_checked_with_both() {
        let mut known = subscribers(2);
        known[1].page_id = known[0].page_id.clone();
        let known = Signers::new(known);
        let body = br#"{"object":"page","entry":[{"id":"100"}]}"#;
        for at in 0..2 {
            let signature = signed(body, &format!("{at:032x}"));
            assert!(known.pages(&signature, body).is_ok());
        }
    }
}
