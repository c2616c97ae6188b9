//! The events that callbacks receive: those of the Messenger Platform in their envelope
//! (webhook/FACTS.md, "Events"), and which app receives which.

use serde_json::{Value, json};

use super::people::Message;
use super::world::World;
use crate::json::without_nulls;

/// Something that happened between a person and a Page.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub page_id: String,
    pub psid: Option<String>,
    /// An object of `messaging`.
    pub item: Value,
    /// Sent as to a listening app, whichever app has the thread.
    pub standby: bool,
}

/// The webhook field of each key of an event.
const FIELDS: [(&str, &str); 21] = [
    ("message", "messages"),
    ("postback", "messaging_postbacks"),
    ("delivery", "message_deliveries"),
    ("read", "message_reads"),
    ("reaction", "message_reactions"),
    ("message_edit", "message_edits"),
    ("optin", "messaging_optins"),
    ("optout", "messaging_optouts"),
    ("referral", "messaging_referrals"),
    ("account_linking", "messaging_account_linking"),
    ("policy_enforcement", "messaging_policy_enforcement"),
    ("policy-enforcement", "messaging_policy_enforcement"),
    ("pass_thread_control", "messaging_handovers"),
    ("take_thread_control", "messaging_handovers"),
    ("request_thread_control", "messaging_handovers"),
    ("app_roles", "messaging_handovers"),
    ("messaging_feedback", "messaging_feedback"),
    ("messaging_customer_information", "messaging_customer_information"),
    ("game_play", "messaging_game_plays"),
    ("response_feedback", "response_feedback"),
    ("order", "send_cart"),
];

impl Event {
    /// An event that a person caused at `at` (milliseconds).
    pub fn by_person(page_id: &str, psid: &str, at: i64, name: &str, value: Value) -> Self {
        let mut item = json!({"sender": {"id": psid}, "recipient": {"id": page_id}, "timestamp": at});
        item[name] = value;
        Self { page_id: page_id.into(), psid: Some(psid.into()), item, standby: false }
    }

    /// The Page's own message, for apps that subscribe to echoes.
    pub fn echo(page_id: &str, psid: &str, app_id: &str, metadata: Option<&str>, message: &Message) -> Self {
        let body = without_nulls(json!({
            "is_echo": true,
            "app_id": app_id.parse::<u64>().map_or_else(|_| app_id.into(), Value::from),
            "metadata": metadata,
            "mid": message.mid,
            "text": message.given_text(),
            "attachments": message.given_attachments(),
        }));
        let item = json!({
            "sender": {"id": page_id}, "recipient": {"id": psid}, "timestamp": message.at.as_millisecond(), "message": body,
        });
        Self { page_id: page_id.into(), psid: Some(psid.into()), item, standby: false }
    }

    /// A message has reached the person's device. It has no time of its own.
    pub fn delivered(page_id: &str, psid: &str, message: &Message) -> Self {
        let delivery = json!({"mids": [message.mid], "watermark": message.at.as_millisecond()});
        let item = json!({"sender": {"id": psid}, "recipient": {"id": page_id}, "delivery": delivery});
        Self { page_id: page_id.into(), psid: Some(psid.into()), item, standby: false }
    }

    /// The field under which an app subscribes to it.
    pub fn field(&self) -> &'static str {
        if self.item["message"]["is_echo"] == true {
            return "message_echoes";
        }
        let named = FIELDS.iter().find(|(key, _)| self.item.get(key).is_some());
        named.map_or("messages", |(_, field)| field)
    }

    /// The whole body at `time` (milliseconds), with one event in `messaging`.
    pub fn envelope(&self, time: i64, standby: bool) -> Value {
        let key = if standby { "standby" } else { "messaging" };
        json!({"object": "page", "entry": [{"id": self.page_id, "time": time, key: [self.item]}]})
    }
}

/// An app that receives an event.
pub(super) struct Hearer {
    pub app_id: String,
    pub callback_url: String,
    pub standby: bool,
    /// The field that it receives it by: the event's, or `standby`.
    pub field: &'static str,
}

/// The callback that receives a Page's field; the error says why none does.
pub(super) fn subscribed<'w>(world: &'w World, app: &str, page_id: &str, field: &str) -> Result<&'w str, String> {
    let page = world.page(page_id).ok_or("there is no such Page")?;
    let has = |fields: &[String]| fields.iter().any(|name| name == field);
    match world.subscriptions.iter().find(|one| one.app_id == app && one.object == "page") {
        None => Err(format!("app {app} has no callback for its Pages (/{app}/subscriptions)")),
        Some(one) if !one.active => Err(format!("the callback of app {app} is not active")),
        Some(one) if !has(&one.fields) => Err(format!("app {app} is not subscribed to {field} (/{app}/subscriptions)")),
        Some(_) if !page.subscribed.get(app).is_some_and(|fields| has(fields)) => {
            Err(format!("the Page is not subscribed to {field} (/{page_id}/subscribed_apps)"))
        }
        Some(one) => Ok(&one.callback_url),
    }
}

/// The apps that receive an event; the error says why none does.
pub(super) fn hearers(world: &World, event: &Event) -> Result<Vec<Hearer>, String> {
    let person = event.psid.as_ref().and_then(|psid| world.person(&event.page_id, psid));
    if let Some(person) = person.filter(|person| !world.may_be_messaged(person)) {
        return Err(format!(
            "the app reaches only people with a role on it (Standard Access or development mode), and {} has none",
            person.name
        ));
    }
    let owner = person.and_then(|person| world.thread(&person.page_id, &person.psid)?.owner.clone());
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for app in &world.apps {
        // Both sides are told that the conversation changed hands.
        let handover = event.field() == "messaging_handovers";
        let standby = event.standby || !handover && owner.as_ref().is_some_and(|owner| *owner != app.id);
        let field = if standby { "standby" } else { event.field() };
        match subscribed(world, &app.id, &event.page_id, field) {
            Ok(url) => found.push(Hearer { app_id: app.id.clone(), callback_url: url.into(), standby, field }),
            Err(reason) => reasons.push(reason),
        }
    }
    if found.is_empty() { Err(reasons.into_iter().next().unwrap_or_default()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_by_the_keys() {
        let field = |name: &str| Event::by_person("1", "2", 3, name, json!({})).field();
        assert_eq!(field("message"), "messages");
        assert_eq!(field("postback"), "messaging_postbacks");
        assert_eq!(field("policy-enforcement"), "messaging_policy_enforcement");
        let message = Message::new(jiff::Timestamp::UNIX_EPOCH, true, "hi");
        assert_eq!(Event::echo("1", "2", "3", None, &message).field(), "message_echoes");
    }

    #[test]
    fn the_envelope_is_metas() {
        let event = Event::by_person("1", "2", 3, "message", json!({"mid": "m_x", "text": "hi"}));
        assert_eq!(
            event.envelope(4, false).to_string(),
            r#"{"object":"page","entry":[{"id":"1","time":4,"messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":3,"message":{"mid":"m_x","text":"hi"}}]}]}"#
        );
        assert!(event.envelope(4, true)["entry"][0]["standby"].is_array());
    }
}
