//! Ready parts for other programs, printed to be put where they belong.

use clap::ValueEnum;
use clap::builder::PossibleValue;

/// A part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Systemd,
    Cron,
    Alerts,
    Icinga,
    Grafana,
}

impl ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Systemd, Self::Cron, Self::Alerts, Self::Icinga, Self::Grafana]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Systemd => PossibleValue::new("systemd").help("Units: a service, or one round by a timer"),
            Self::Cron => PossibleValue::new("cron").help("A line for /etc/cron.d"),
            Self::Alerts => PossibleValue::new("alerts").help("Alert rules for Prometheus"),
            Self::Icinga => PossibleValue::new("icinga").help("A command for Icinga and Nagios"),
            Self::Grafana => PossibleValue::new("grafana").help("A dashboard"),
        })
    }
}

impl Part {
    /// Its text. Several files follow each other, each behind a line with its name.
    pub fn text(self) -> String {
        match self {
            Self::Systemd => [
                ("msgrctl-watch.service", include_str!("parts/msgrctl-watch.service")),
                ("msgrctl-once.service", include_str!("parts/msgrctl-once.service")),
                ("msgrctl-once.timer", include_str!("parts/msgrctl-once.timer")),
            ]
            .map(|(name, text)| format!("# ==> {name} <==\n{text}"))
            .join("\n"),
            Self::Cron => include_str!("parts/cron").into(),
            Self::Alerts => include_str!("parts/alerts.yml").into(),
            Self::Icinga => include_str!("parts/icinga.conf").into(),
            Self::Grafana => include_str!("parts/grafana.json").into(),
        }
    }
}
