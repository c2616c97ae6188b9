//! What is known, as Prometheus reads it: text format 0.0.4, absolute times, handles and fixed
//! ids as labels. <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::accounts::Account;
use crate::checks::{Outcome, Report, ids};
use crate::operations::status::Known;
use crate::state::CheckResult;

/// One account, as it is measured.
#[derive(Clone, Debug)]
pub struct Sample {
    pub tenant: String,
    /// Its handle.
    pub account: String,
    pub page_id: String,
    /// `live` or `sandbox`.
    pub graph: String,
    /// How its last test ended; `None` where it was never tested.
    pub outcome: Option<Outcome>,
    /// The checks that ended with a warning or worse.
    pub checks: Vec<(String, Outcome)>,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// When the access to personal data ends.
    pub data_access_ends_at: Option<Timestamp>,
    pub checked_at: Option<Timestamp>,
}

impl Sample {
    /// An account of which nothing is known.
    fn unknown(tenant: &str, account: &Account) -> Self {
        Self {
            tenant: tenant.to_owned(),
            account: account.handle.to_string(),
            page_id: account.page_id.to_string(),
            graph: account.graph.to_string(),
            outcome: None,
            checks: Vec::new(),
            expires_at: None,
            data_access_ends_at: None,
            checked_at: None,
        }
    }

    /// What is kept of its last test.
    pub fn of(known: &Known) -> Self {
        let sample = Self::unknown(&known.tenant, &known.account);
        let Some(health) = &known.health else { return sample };
        let bad = |check: &CheckResult| {
            let outcome = Outcome::named(&check.outcome).filter(|outcome| *outcome > Outcome::Pass)?;
            Some((check.check.clone(), outcome))
        };
        Self {
            outcome: known.outcome(),
            checks: health.checks.iter().filter_map(bad).collect(),
            expires_at: health.expires_at,
            data_access_ends_at: health.data_access_ends_at,
            checked_at: Some(health.checked_at),
            ..sample
        }
    }

    /// What a test just found.
    pub fn of_report(tenant: &str, account: &Account, report: &Report, now: Timestamp) -> Self {
        let ends = |id| report.findings.iter().find(|finding| finding.id == id).and_then(|finding| finding.ends_at);
        Self {
            outcome: Some(report.outcome()),
            expires_at: ends(ids::TOKEN_EXPIRY),
            data_access_ends_at: ends(ids::TOKEN_DATA_ACCESS),
            checked_at: Some(now),
            ..Self::of_checks(tenant, account, report.findings.iter().map(|finding| (finding.id, finding.outcome)))
        }
    }

    /// What some checks just found.
    pub fn of_checks(tenant: &str, account: &Account, checks: impl Iterator<Item = (&'static str, Outcome)>) -> Self {
        let bad = checks.filter(|(_, outcome)| *outcome > Outcome::Pass);
        let checks = bad.map(|(id, outcome)| (id.to_owned(), outcome)).collect();
        Self { checks, ..Self::unknown(tenant, account) }
    }
}

/// What a watch measures of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfWatch {
    /// How long the last round took.
    pub round_seconds: f64,
    /// The requests sent to Graph since the start; a batch is one.
    pub requests: u64,
    /// Notices that some target has not taken.
    pub pending: usize,
}

/// A family of metrics, written with its samples together.
struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
    begun: bool,
    head: String,
}

impl<'t> Family<'t> {
    fn new(text: &'t mut String, name: &'static str, kind: &str, help: &str) -> Self {
        Self { text, name, begun: false, head: format!("# HELP {name} {help}\n# TYPE {name} {kind}\n") }
    }

    /// One without samples leaves no trace.
    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        if !self.begun {
            self.begun = true;
            self.text.push_str(&self.head);
        }
        self.text.push_str(self.name);
        if !labels.is_empty() {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", label(value))).collect();
            let _ = write!(self.text, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A label's value: what would end it is escaped.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The whole text. The account's metrics are those of the contract; `watch` adds its own.
pub fn text(samples: &[Sample], watch: Option<OfWatch>) -> String {
    let mut text = String::new();
    let mut build = Family::new(&mut text, "msgrctl_build_info", "gauge", "The version that runs.");
    build.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);

    let of = |sample: &Sample| [("tenant", sample.tenant.clone()), ("account", sample.account.clone())];
    let mut family = |name, help, value: &dyn Fn(&Sample) -> Option<i64>| {
        let mut family = Family::new(&mut text, name, "gauge", help);
        for sample in samples {
            let Some(value) = value(sample) else { continue };
            let labels = of(sample);
            family.sample(&labels.each_ref().map(|(name, value)| (*name, value.as_str())), value);
        }
    };
    let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    family(
        "msgrctl_account_up",
        "Whether the account works: 0 where a check failed.",
        &|sample| match sample.outcome? {
            Outcome::Fail => Some(0),
            Outcome::Unreachable => None,
            _ => Some(1),
        },
    );
    family("msgrctl_token_expiry_timestamp_seconds", "When the page access token ends.", &|sample| {
        seconds(sample.expires_at)
    });
    family("msgrctl_data_access_expiry_timestamp_seconds", "When the access to personal data ends.", &|sample| {
        seconds(sample.data_access_ends_at)
    });
    family("msgrctl_last_check_timestamp_seconds", "When the account was last tested.", &|sample| {
        seconds(sample.checked_at)
    });

    let help = "How a check ended: 1 warning, 2 failure, 3 not answered; none where it passed.";
    let mut outcomes = Family::new(&mut text, "msgrctl_check_outcome", "gauge", help);
    for sample in samples {
        for (check, outcome) in &sample.checks {
            let labels = [("tenant", &*sample.tenant), ("account", &*sample.account), ("check", check)];
            let Some(number) = number(*outcome) else { continue };
            outcomes.sample(&labels, number);
        }
    }
    let mut info = Family::new(&mut text, "msgrctl_account_info", "gauge", "What an account is connected to.");
    for sample in samples {
        let labels = [
            ("tenant", &*sample.tenant),
            ("account", &*sample.account),
            ("page_id", &*sample.page_id),
            ("graph", &*sample.graph),
        ];
        info.sample(&labels, 1);
    }
    if let Some(watch) = watch {
        let help = "How long the last round of tests took.";
        Family::new(&mut text, "msgrctl_round_duration_seconds", "gauge", help).sample(&[], watch.round_seconds);
        let help = "Requests sent to Graph since the start; a batch is one.";
        Family::new(&mut text, "msgrctl_graph_requests_total", "counter", help).sample(&[], watch.requests);
        let help = "Notices that a target has not taken yet.";
        Family::new(&mut text, "msgrctl_notices_pending", "gauge", help).sample(&[], watch.pending);
    }
    text
}

/// The checks of this machine, for `doctor`.
pub fn of_machine(checks: &[(String, Outcome)]) -> String {
    let mut text = String::new();
    let help = "How a check of this machine ended: 0 passed, 1 warning, 2 failure, 3 not answered.";
    let mut outcomes = Family::new(&mut text, "msgrctl_doctor_outcome", "gauge", help);
    for (check, outcome) in checks.iter().filter(|(_, outcome)| *outcome > Outcome::Skip) {
        outcomes.sample(&[("check", check)], number(*outcome).unwrap_or(0));
    }
    text
}

/// The number of an outcome; `None` for what passed or was skipped.
fn number(outcome: Outcome) -> Option<u8> {
    match outcome {
        Outcome::Skip | Outcome::Pass => None,
        Outcome::Warn => Some(1),
        Outcome::Fail => Some(2),
        Outcome::Unreachable => Some(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(account: &str, outcome: Option<Outcome>) -> Sample {
        let at = "2026-11-29T10:00:00Z".parse().ok();
        Sample {
            tenant: "a\"b\\c\nd".into(),
            account: account.into(),
            page_id: "1".into(),
            graph: "sandbox".into(),
            outcome,
            checks: outcome.filter(|it| *it > Outcome::Pass).map(|it| ("token.valid".into(), it)).into_iter().collect(),
            expires_at: at,
            data_access_ends_at: None,
            checked_at: at,
        }
    }

    #[test]
    fn each_family_is_one_group_and_no_series_is_there_twice() {
        let all = [Some(Outcome::Pass), Some(Outcome::Fail), Some(Outcome::Unreachable), None];
        let samples: Vec<Sample> = all.iter().enumerate().map(|(at, it)| sample(&format!("a{at}"), *it)).collect();
        let text = text(&samples, Some(OfWatch { round_seconds: 1.5, requests: 60, pending: 0 }));
        assert!(text.ends_with('\n') && !text.contains('\r'));
        let mut seen = std::collections::HashSet::new();
        let (mut families, mut now) = (std::collections::HashSet::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                now = rest.split(' ').next().unwrap_or_default().to_owned();
                assert!(families.insert(now.clone()), "{line}");
            } else if !line.starts_with('#') {
                let series = line.rsplit_once(' ').expect("a value").0;
                assert!(line.starts_with(&now) && seen.insert(series.to_owned()), "{line}");
            }
        }
        assert!(text.contains("msgrctl_account_up{tenant=\"a\\\"b\\\\c\\nd\",account=\"a0\"} 1\n"), "{text}");
        assert!(
            text.contains("account=\"a1\"} 0\n")
                && !text.contains("msgrctl_account_up{tenant=\"a\\\"b\\\\c\\nd\",account=\"a2\"}")
        );
        assert!(text.contains("check=\"token.valid\"} 2\n") && text.contains("check=\"token.valid\"} 3\n"));
        assert!(!text.contains("data_access"), "no series for what is not known: {text}");
        assert!(
            text.contains(
                "msgrctl_token_expiry_timestamp_seconds{tenant=\"a\\\"b\\\\c\\nd\",account=\"a0\"} 1795946400\n"
            ),
            "{text}"
        );
    }
}
