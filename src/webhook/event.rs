//! What Meta sends to a callback: an envelope of entries, each with events (facts of
//! Graph, section 5.5).
//!
//! Meta adds fields and kinds without notice, and old ones come in other shapes. So
//! nothing is required of an event: what is understood gets its [`Kind`], what is
//! not is kept as it came.

use serde::Deserialize;
use serde_json::Value;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `entry.id`: the Page.
    pub page_id: String,
    /// Who did it: a customer's page-scoped id, or the Page's own in an echo.
    pub sender: Option<String>,
    /// To whom.
    pub recipient: Option<String>,
    /// When, in milliseconds since 1970; deliveries have the entry's time.
    pub timestamp: Option<i64>,
    /// Another app has the conversation, and this one only listens.
    pub standby: bool,
    /// What it was.
    pub kind: Kind,
    /// As it came.
    pub raw: Value,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A customer, or in an echo the Page, said something.
    Message(Message),
    /// A tap on a button or the menu.
    Postback(Postback),
    /// The Page's messages arrived.
    Delivery(Delivery),
    /// The customer has read up to a moment.
    Read {
        /// Milliseconds since 1970.
        watermark: i64,
    },
    /// A reaction to a message, or one taken back.
    Reaction(Reaction),
    /// A message's text is another now.
    Edit(Edit),
    /// The customer agreed to be written to.
    Optin(Value),
    /// The customer came over a link or an advertisement.
    Referral(Referral),
    /// An account was linked or unlinked.
    AccountLinking {
        /// `linked` or `unlinked`.
        status: String,
    },
    /// Meta blocked or warned the Page.
    PolicyEnforcement(PolicyEnforcement),
    /// The conversation changed hands between apps.
    Handover {
        /// `pass_thread_control`, `take_thread_control`, `request_thread_control`, `app_roles`.
        what: &'static str,
        /// What Meta says of it.
        details: Value,
    },
    /// Something else of a conversation, by its key.
    Other {
        /// `order`, `game_play`, `messaging_feedback`, …
        what: String,
    },
    /// Something of the Page itself, outside of conversations.
    Change {
        /// `feed`, `leadgen`, …
        field: String,
    },
    /// Nothing that is known.
    Unknown,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Its name; the same at every delivery.
    pub mid: Option<String>,
    /// Its text.
    pub text: Option<String>,
    /// What came with it.
    pub attachments: Vec<Attachment>,
    /// The quick reply that was tapped.
    pub quick_reply: Option<QuickReply>,
    /// The message that it answers.
    pub reply_to: Option<Mid>,
    /// Sent by the Page.
    pub is_echo: bool,
    /// By which app, in an echo: a number or a text.
    pub app_id: Option<Value>,
    /// The customer has taken it back.
    pub is_deleted: bool,
    /// Of a kind that Meta does not pass on.
    pub is_unsupported: bool,
}

/// Something beside a text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, `location`, `fallback`, `template`, `reel`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// A title, of a link.
    pub title: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// Its content, by kind.
    pub payload: Option<Value>,
}

impl Attachment {
    /// Where it can be looked at.
    pub fn address(&self) -> Option<&str> {
        let inside = self.payload.as_ref().and_then(|payload| payload.get("url")?.as_str());
        inside.or(self.url.as_deref())
    }
}

/// A tapped quick reply.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct QuickReply {
    /// What the bot that offered it made of it.
    pub payload: String,
}

/// A message by its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Mid {
    /// The name.
    pub mid: String,
}

/// A tapped button.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Postback {
    /// Its name, since v11.
    pub mid: Option<String>,
    /// What stood on the button.
    pub title: Option<String>,
    /// What the bot that offered it made of it.
    pub payload: Option<String>,
}

/// Messages that arrived.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Delivery {
    /// Which; may be left out.
    pub mids: Vec<String>,
    /// All up to this moment, in milliseconds since 1970.
    pub watermark: i64,
}

/// A reaction.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Reaction {
    /// To which message.
    pub mid: Option<String>,
    /// `react` or `unreact`.
    pub action: String,
    /// The sign.
    pub emoji: Option<String>,
}

/// An edited message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// Which.
    pub mid: Option<String>,
    /// Its text now.
    pub text: Option<String>,
}

/// Where a customer came from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Referral {
    /// What the link said.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// `SHORTLINK`, `ADS`, …
    pub source: Option<String>,
}

/// What Meta holds against the Page.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PolicyEnforcement {
    /// `block`, `warning`, `unblock`.
    pub action: String,
    /// Why.
    pub reason: Option<String>,
}

impl Event {
    /// What tells a delivery of the same event again: kind and message. Events
    /// without a message's name cannot be told apart.
    pub fn name(&self) -> Option<String> {
        let (kind, mid) = match &self.kind {
            Kind::Message(message) if message.is_deleted => ("deleted", message.mid.as_deref()),
            Kind::Message(message) => ("message", message.mid.as_deref()),
            Kind::Postback(postback) => ("postback", postback.mid.as_deref()),
            _ => return None,
        };
        mid.map(|mid| format!("{kind} {mid}"))
    }

    /// The customer in it: the sender, but the recipient of what the Page sent.
    pub fn customer(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message(message) if message.is_echo => self.recipient.as_deref(),
            _ => self.sender.as_deref(),
        }
    }
}

/// Takes a notification apart. What has not even the shape of an envelope gives one
/// event of which nothing is known.
pub fn events(notification: &Value) -> Vec<Event> {
    let object = notification.get("object").and_then(Value::as_str).unwrap_or_default();
    let entries = notification.get("entry").and_then(Value::as_array);
    let (Some(entries), "page") = (entries, object) else { return vec![unknown("", notification)] };
    entries.iter().flat_map(of_entry).collect()
}

fn of_entry(entry: &Value) -> Vec<Event> {
    let page_id = text(entry, "id").unwrap_or_default();
    let time = entry.get("time").and_then(Value::as_i64);
    let mut found = Vec::new();
    for (key, standby) in [("messaging", false), ("standby", true)] {
        for raw in entry.get(key).and_then(Value::as_array).into_iter().flatten() {
            found.push(Event {
                page_id: page_id.clone(),
                sender: party(raw, "sender"),
                recipient: party(raw, "recipient"),
                timestamp: raw.get("timestamp").and_then(Value::as_i64).or(time),
                standby,
                kind: kind(raw),
                raw: raw.clone(),
            });
        }
    }
    for raw in entry.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let field = text(raw, "field").unwrap_or_default();
        // Seconds here, milliseconds everywhere else.
        let timestamp = time.map(|time| if time < 100_000_000_000 { time.saturating_mul(1000) } else { time });
        found.push(Event { timestamp, kind: Kind::Change { field }, ..unknown(&page_id, raw) });
    }
    if found.is_empty() {
        found.push(Event { timestamp: time, ..unknown(&page_id, entry) });
    }
    found
}

fn unknown(page_id: &str, raw: &Value) -> Event {
    Event {
        page_id: page_id.into(),
        sender: None,
        recipient: None,
        timestamp: None,
        standby: false,
        kind: Kind::Unknown,
        raw: raw.clone(),
    }
}

/// An id or a text that old payloads give as a number.
fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn party(raw: &Value, who: &str) -> Option<String> {
    let party = raw.get(who)?;
    text(party, "id").or_else(|| text(party, "user_ref"))
}

/// Everything an event may carry beside who and when.
const ENVELOPE: [&str; 4] = ["sender", "recipient", "timestamp", "prior_message"];

fn kind(raw: &Value) -> Kind {
    let is = |key: &str| raw.get(key).filter(|value| !value.is_null());
    let understood = || {
        Some(if let Some(found) = is("message") {
            Kind::Message(read(found)?)
        } else if let Some(found) = is("postback") {
            Kind::Postback(read(found)?)
        } else if let Some(found) = is("delivery") {
            Kind::Delivery(read(found)?)
        } else if let Some(found) = is("read") {
            Kind::Read { watermark: found.get("watermark")?.as_i64()? }
        } else if let Some(found) = is("reaction") {
            Kind::Reaction(read(found)?)
        } else if let Some(found) = is("message_edit") {
            Kind::Edit(read(found)?)
        } else if let Some(found) = is("optin") {
            Kind::Optin(found.clone())
        } else if let Some(found) = is("referral") {
            Kind::Referral(read(found)?)
        } else if let Some(found) = is("account_linking") {
            Kind::AccountLinking { status: text(found, "status")? }
        } else if let Some(found) = is("policy_enforcement").or_else(|| is("policy-enforcement")) {
            Kind::PolicyEnforcement(read(found)?)
        } else {
            let names = ["pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"];
            let what = names.into_iter().find(|name| is(name).is_some())?;
            Kind::Handover { what, details: raw[what].clone() }
        })
    };
    understood().unwrap_or_else(|| {
        let mut keys = raw.as_object().into_iter().flat_map(|fields| fields.keys());
        match keys.find(|key| !ENVELOPE.contains(&key.as_str())) {
            Some(what) => Kind::Other { what: what.clone() },
            None => Kind::Unknown,
        }
    })
}

fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Option<T> {
    T::deserialize(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(messaging: &str) -> Event {
        let text =
            format!(r#"{{"object":"page","entry":[{{"id":"109","time":1458692752478,"messaging":[{messaging}]}}]}}"#);
        let mut found = events(&serde_json::from_str(&text).expect("JSON"));
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// The samples of the facts, section 5.5, and what each is.
    #[test]
    fn every_kind_of_the_facts_is_understood() {
        let with = |rest: &str| {
            one(&format!(r#"{{"sender":{{"id":"765"}},"recipient":{{"id":"109"}},"timestamp":1458692752478,{rest}}}"#))
        };
        let message =
            with(r#""message":{"mid":"m_1","text":"hello","quick_reply":{"payload":"P"},"reply_to":{"mid":"m_0"}}"#);
        assert_eq!(message.customer(), Some("765"));
        assert_eq!(message.name().as_deref(), Some("message m_1"));
        let Kind::Message(found) = &message.kind else { panic!("{message:?}") };
        assert_eq!(
            (found.text.as_deref(), found.quick_reply.as_ref().map(|reply| reply.payload.as_str())),
            (Some("hello"), Some("P"))
        );
        let image = with(
            r#""message":{"mid":"m_2","attachments":[{"type":"image","payload":{"url":"https:\/\/x\/1","sticker_id":369}}]}"#,
        );
        let Kind::Message(found) = image.kind else { panic!("an image") };
        assert_eq!(
            (found.attachments[0].kind.as_str(), found.attachments[0].address()),
            ("image", Some("https://x/1"))
        );
        let echo =
            with(r#""message":{"is_echo":true,"app_id":1517776481860111,"metadata":"M","mid":"m_3","text":"hi"}"#);
        assert_eq!(echo.customer(), Some("109"));
        assert_ne!(with(r#""message":{"mid":"m_1","is_deleted":true}"#).name(), message.name());
        assert!(
            matches!(with(r#""postback":{"mid":"m_4","title":"T","payload":"P","referral":{"ref":"R"}}"#).kind, Kind::Postback(found) if found.payload.as_deref() == Some("P"))
        );
        assert!(
            matches!(with(r#""delivery":{"mids":["m_5"],"watermark":1458668856253}"#).kind, Kind::Delivery(found) if found.mids == ["m_5"])
        );
        assert!(matches!(
            with(r#""read":{"watermark":1458668856253}"#).kind,
            Kind::Read { watermark: 1_458_668_856_253 }
        ));
        assert!(
            matches!(with(r#""reaction":{"mid":"m_1","action":"react","emoji":"\u2764\ufe0f","reaction":"love"}"#).kind, Kind::Reaction(found) if found.emoji.as_deref() == Some("\u{2764}\u{fe0f}"))
        );
        for number in ["1", "\"1\""] {
            let edit = with(&format!(r#""message_edit":{{"mid":"m_1","text":"new text","num_edit":{number}}}"#));
            assert!(matches!(edit.kind, Kind::Edit(found) if found.text.as_deref() == Some("new text")));
        }
        assert!(matches!(with(r#""optin":{"type":"notification_messages","payload":"I"}"#).kind, Kind::Optin(_)));
        assert!(
            matches!(with(r#""referral":{"ref":"R","source":"SHORTLINK","type":"OPEN_THREAD"}"#).kind, Kind::Referral(found) if found.reference.as_deref() == Some("R"))
        );
        assert!(matches!(
            with(r#""account_linking":{"status":"linked","authorization_code":"C"}"#).kind,
            Kind::AccountLinking { .. }
        ));
        for name in ["policy_enforcement", "policy-enforcement"] {
            let found = one(&format!(
                r#"{{"recipient":{{"id":"109"}},"timestamp":1,"{name}":{{"action":"block","reason":"R"}}}}"#
            ));
            assert!(matches!(found.kind, Kind::PolicyEnforcement(found) if found.action == "block"));
        }
        for name in ["pass_thread_control", "take_thread_control", "request_thread_control"] {
            assert!(
                matches!(with(&format!(r#""{name}":{{"new_owner_app_id":"1"}}"#)).kind, Kind::Handover { what, .. } if what == name)
            );
        }
        assert!(matches!(
            one(r#"{"recipient":{"id":"109"},"app_roles":{"1":["primary_receiver"]}}"#).kind,
            Kind::Handover { what: "app_roles", .. }
        ));
        for name in ["order", "game_play", "messaging_feedback", "response_feedback", "messaging_customer_information"]
        {
            assert!(matches!(with(&format!(r#""{name}":{{}}"#)).kind, Kind::Other { what } if what == name));
        }
    }

    #[test]
    fn standby_and_changes_are_understood() {
        let text = r#"{"object":"page","entry":[
            {"id":"1","time":1574175286359,"standby":[{"sender":{"id":"5"},"recipient":{"id":"1"},"timestamp":1574175285472,"postback":{}}]},
            {"id":"2","time":1701413579,"changes":[{"field":"feed","value":{"item":"comment"}}]}]}"#;
        let found = events(&serde_json::from_str(text).expect("JSON"));
        assert!(found[0].standby && matches!(found[0].kind, Kind::Postback(_)));
        assert!(matches!(&found[1].kind, Kind::Change { field } if field == "feed"));
        assert_eq!(found[1].timestamp, Some(1_701_413_579_000));
    }

    #[test]
    fn old_numbers_and_new_kinds_do_no_harm() {
        let old = one(
            r#"{"sender":{"id":765},"recipient":{"id":109},"timestamp":1,"message":{"mid":"mid.1:41","text":"old"}}"#,
        );
        assert_eq!(old.sender.as_deref(), Some("765"));
        assert!(
            matches!(one(r#"{"sender":{"id":"7"},"message":{"mid":5}}"#).kind, Kind::Other { what } if what == "message")
        );
        assert!(matches!(one(r#"{"sender":{"id":"7"}}"#).kind, Kind::Unknown));
        for odd in ["[]", "{}", "7", r#""x""#, r#"{"object":"instagram","entry":[]}"#, r#"{"object":"page","entry":7}"#]
        {
            let found = events(&serde_json::from_str(odd).expect("JSON"));
            assert_eq!(found.len(), 1, "{odd}");
            assert_eq!(found[0].kind, Kind::Unknown);
        }
    }
}
