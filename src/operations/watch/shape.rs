//! The shapes in which a notice goes to a webhook.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::words;
use crate::checks::ids;
use crate::state::{Concerned, Event, Notice};

/// What the other side reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// The notice itself.
    #[default]
    Json,
    /// Slack, Mattermost, Rocket.Chat: `{"text": …}`.
    Slack,
    /// Alertmanager's `/api/v2/alerts`.
    Alertmanager,
}

impl Shape {
    /// The body of a request.
    pub fn body(self, notice: &Notice) -> Vec<u8> {
        let value = match self {
            Self::Json => serde_json::to_value(notice).unwrap_or_default(),
            Self::Slack => json!({"text": slack(notice)}),
            Self::Alertmanager => alerts(notice),
        };
        value.to_string().into_bytes()
    }
}

/// How many accounts a chat message lists.
const LISTED: usize = 20;

fn slack(notice: &Notice) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut lines = vec![format!("*msgrctl: {}*", escaped(&words::title(notice))), escaped(words::meaning(notice))];
    for concerned in notice.accounts.iter().take(LISTED) {
        lines.push(format!(
            "• {}/{}: {}",
            escaped(&concerned.tenant),
            escaped(&concerned.account),
            escaped(&concerned.summary)
        ));
        if let Some((fix, command)) = words::fix(concerned) {
            lines.push(format!("   {}", escaped(fix)));
            lines.extend(command.map(|command| format!("   `{}`", escaped(command))));
        }
    }
    let more = notice.accounts.len().saturating_sub(LISTED);
    lines.extend((more > 0).then(|| format!("and {more} more: msgrctl status")));
    lines.join("\n")
}

/// One alert an account. Its labels stay the same from the failure to the recovery, since
/// they are what Alertmanager knows it by.
fn alerts(notice: &Notice) -> Value {
    // Without an end Alertmanager would call it resolved after five minutes.
    const OPEN: SignedDuration = SignedDuration::from_hours(24 * 365);
    let name = |concerned: Option<&Concerned>| match (notice.event, concerned.and_then(|it| it.check.as_deref())) {
        (Event::Test, _) => "MsgrctlTest",
        (Event::Unreachable, _) | (Event::Recovered, Some(ids::GRAPH_REACHABLE)) => "MsgrctlUnreachable",
        (Event::Expires, _) | (Event::Recovered, Some(_)) => "MsgrctlTokenEnds",
        _ => "MsgrctlAccount",
    };
    let ends = match notice.event {
        Event::Recovered | Event::Test => notice.at,
        _ => notice.at + OPEN,
    };
    let alert = |concerned: &Concerned| {
        json!({
            "labels": {
                "alertname": name(Some(concerned)),
                "tenant": concerned.tenant,
                "account": concerned.account,
                "page_id": concerned.page_id,
            },
            "annotations": {
                "summary": concerned.summary,
                "description": concerned.hint.as_deref().unwrap_or_default(),
                "cause": concerned.cause.as_deref().unwrap_or_default(),
                "notice": notice.id,
            },
            "startsAt": concerned.since.min(notice.at),
            "endsAt": ends,
        })
    };
    let mut alerts: Vec<Value> = notice.accounts.iter().map(alert).collect();
    if alerts.is_empty() {
        let labels = json!({"alertname": name(None)});
        let annotations = json!({"summary": words::title(notice), "notice": notice.id});
        alerts.push(json!({"labels": labels, "annotations": annotations, "startsAt": notice.at, "endsAt": ends}));
    }
    Value::Array(alerts)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_notice_is_what_the_contract_says() {
        let notice = sample(Event::Failed);
        let value: Value = serde_json::from_slice(&Shape::Json.body(&notice)).expect("JSON");
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["event"], "failed");
        let account = &value["accounts"][0];
        for key in ["tenant", "account", "page_id", "check", "cause", "summary", "hint", "since"] {
            assert!(account[key].is_string(), "{key}: {account}");
        }
    }

    #[test]
    fn names_cannot_break_a_message() {
        let mut notice = sample(Event::Failed);
        notice.accounts[0].summary = "<!channel> & more".into();
        let value: Value = serde_json::from_slice(&Shape::Slack.body(&notice)).expect("JSON");
        let text = value["text"].as_str().expect("text");
        assert!(text.contains("&lt;!channel&gt; &amp; more") && !text.contains("<!"), "{text}");
        assert!(text.contains("`msgrctl account edit acme --token-stdin --yes`"), "{text}");
    }

    #[test]
    fn a_recovery_ends_the_alert_of_the_failure() {
        let alerts = |event| -> Vec<Value> {
            serde_json::from_slice(&Shape::Alertmanager.body(&sample(event))).expect("a list")
        };
        let failed = alerts(Event::Failed);
        let mut well = sample(Event::Recovered);
        well.accounts[0].check = None;
        let recovered: Vec<Value> = serde_json::from_slice(&Shape::Alertmanager.body(&well)).expect("a list");
        assert_eq!(recovered[0]["labels"], failed[0]["labels"]);
        assert!(recovered.iter().all(|alert| alert["endsAt"] == "2026-11-29T10:00:00Z"), "{recovered:?}");
        assert!(failed[0]["endsAt"].as_str() > Some("2027"));
    }
}
