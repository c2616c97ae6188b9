//! What the last test of an account found. Kept beside the accounts, so that it can be shown
//! without asking Meta again.

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

/// The content of `health.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HealthFile {
    pub schema_version: u8,
    pub accounts: Vec<Health>,
}

impl HealthFile {
    /// Puts results in the place of older ones of the same accounts. One that ended as before
    /// keeps the time since when that is so.
    pub fn take(&mut self, results: Vec<Health>) {
        self.schema_version = 1;
        let mut known: std::collections::HashMap<String, usize> =
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
            file.take(vec![health(outcome, cause, at)]);
            assert_eq!(file.accounts.len(), 1);
            (file.accounts[0].since.as_second(), file.accounts[0].checked_at.as_second())
        };
        assert_eq!(since("fail", Some("expired"), 10), (10, 10));
        assert_eq!(since("fail", Some("expired"), 20), (10, 20));
        assert_eq!(since("fail", Some("logged-out"), 30), (30, 30));
        assert_eq!(since("pass", None, 40), (40, 40));
    }
}
