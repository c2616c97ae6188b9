//! What the last test of an account found, and which levels of its webhook were ever set up.
//! Kept beside the accounts, so that it is known without asking Meta again.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the last test of an account found, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The account's id.
    pub account_id: String,
    /// `pass`, `warn`, `fail` or `unreachable`: its worst check.
    pub outcome: String,
    /// The first check that ended so, where that is not `pass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// When a test first ended like this one: with the same outcome for the same cause.
    pub since: Timestamp,
    /// When the test was made.
    pub checked_at: Timestamp,
    /// When the token ends; absent where it does not end or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the access to personal data ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_access_ends_at: Option<Timestamp>,
    /// The worst of what was found about the delivery of messages.
    pub webhook: String,
}

/// The levels of an account's webhook that were there once, or were ordered from here: since
/// then their absence is a failure, and no longer something to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// The account's id.
    pub account_id: String,
    /// The id of the app whose webhook it was: another app has none by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The id of the Page whose subscription it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// What is known of a tenant's accounts: the content of `health.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct HealthFile {
    schema_version: u8,
    /// The result of the last test of each account.
    pub accounts: Vec<Health>,
    /// What was set up, an entry an account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_up: Vec<SetUp>,
}

impl HealthFile {
    /// Puts what is new in the place of what was known of the same accounts and levels. A
    /// result that ended as before keeps the time since when that is so.
    pub(super) fn take(&mut self, new: Self) {
        self.schema_version = 1;
        self.take_results(new.accounts);
        let mut known: HashMap<String, usize> =
            self.set_up.iter().enumerate().map(|(at, set_up)| (set_up.account_id.clone(), at)).collect();
        for new in new.set_up {
            let at = *known.entry(new.account_id.clone()).or_insert(self.set_up.len());
            match self.set_up.get_mut(at) {
                Some(old) => {
                    old.app = new.app.or(old.app.take());
                    old.page = new.page.or(old.page.take());
                }
                None => self.set_up.push(new),
            }
        }
    }

    fn take_results(&mut self, results: Vec<Health>) {
        let mut known: HashMap<String, usize> =
            self.accounts.iter().enumerate().map(|(at, health)| (health.account_id.clone(), at)).collect();
        for mut new in results {
            if let Some(&at) = known.get(&new.account_id) {
                let old = &mut self.accounts[at];
                if (&old.outcome, &old.cause) == (&new.outcome, &new.cause) {
                    new.since = old.since;
                }
                *old = new;
            } else {
                known.insert(new.account_id.clone(), self.accounts.len());
                self.accounts.push(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(outcome: &str, cause: Option<&str>, at: i64) -> Health {
        let at = Timestamp::from_second(at).expect("a time");
        Health {
            account_id: "one".into(),
            outcome: outcome.into(),
            check: None,
            cause: cause.map(str::to_owned),
            since: at,
            checked_at: at,
            expires_at: None,
            data_access_ends_at: None,
            webhook: "pass".into(),
        }
    }

    #[test]
    fn since_stays_while_outcome_and_cause_stay() {
        let mut file = HealthFile::default();
        let mut since = |outcome, cause, at| {
            file.take(HealthFile { accounts: vec![health(outcome, cause, at)], ..HealthFile::default() });
            assert_eq!(file.accounts.len(), 1);
            (file.accounts[0].since.as_second(), file.accounts[0].checked_at.as_second())
        };
        assert_eq!(since("fail", Some("expired"), 10), (10, 10));
        assert_eq!(since("fail", Some("expired"), 20), (10, 20));
        assert_eq!(since("fail", Some("logged-out"), 30), (30, 30));
        assert_eq!(since("pass", None, 40), (40, 40));
    }

    #[test]
    fn what_was_set_up_stays_known_whatever_a_test_finds_later() {
        let mut file = HealthFile::default();
        let mut take = |accounts, app: Option<&str>, page: Option<&str>| {
            let (app, page) = (app.map(str::to_owned), page.map(str::to_owned));
            let set_up = vec![SetUp { account_id: "one".into(), app, page }];
            file.take(HealthFile { accounts, set_up, ..HealthFile::default() });
            let [known] = &file.set_up[..] else { panic!("{file:?}") };
            (known.app.clone().unwrap_or_default(), known.page.clone().unwrap_or_default())
        };
        assert_eq!(take(Vec::new(), Some("1"), None), ("1".into(), String::new()));
        assert_eq!(take(vec![health("fail", Some("expired"), 10)], None, Some("2")), ("1".into(), "2".into()));
        // Another app takes the place of the one before.
        assert_eq!(take(Vec::new(), Some("3"), None), ("3".into(), "2".into()));
        // A file of before is read.
        let old: HealthFile = serde_json::from_str(r#"{"schema_version":1,"accounts":[]}"#).expect("read");
        assert!(old.set_up.is_empty());
    }
}
