//! Parses a notification, whatever shape its events have.

use serde_json::Value;

use super::{Attachment, Event, Kind, Message};
use crate::webhook::part::Part;

/// Parses a notification. Anything that is not even an envelope gives one unknown event.
pub fn events(notification: &Value) -> Vec<Event> {
    let whole = Part::of(notification);
    let object = whole.at("object").text().unwrap_or_default();
    let entries = whole.at("entry").list();
    let found: Vec<Event> = entries.into_iter().flat_map(|entry| of_entry(&object, entry)).collect();
    if found.is_empty() { vec![Event { object, ..unknown("", whole) }] } else { found }
}

fn of_entry(object: &str, entry: Part<'_>) -> Vec<Event> {
    let page_id = entry.at("id").text().or_else(|| entry.at("uid").text()).unwrap_or_default();
    let time = entry.at("time").number().map(milliseconds);
    let is_test = page_id == "0";
    let mut found = Vec::new();
    for (key, standby) in [("messaging", false), ("standby", true)] {
        for raw in entry.at(key).list() {
            found.push(Event { standby, ..of_conversation(&page_id, raw, time) });
        }
    }
    for raw in entry.at("changes").list() {
        let field = raw.at("field").text().unwrap_or_default();
        let value = raw.at("value");
        let of_a_conversation = field.starts_with("messag") || field == "standby";
        // The same as an item of `messaging`, in another shape.
        if of_a_conversation && (value.at("sender").0.is_some() || value.at("recipient").0.is_some()) {
            let event = of_conversation(&page_id, value, time);
            found.push(Event { standby: field == "standby", raw: raw.0.cloned().unwrap_or_default(), ..event });
        } else {
            found.push(Event { timestamp: time, kind: Kind::Change(field), ..unknown(&page_id, raw) });
        }
    }
    // An app subscribed without values gets only the names.
    for field in entry.at("changed_fields").list().into_iter().filter_map(Part::text) {
        found.push(Event { timestamp: time, kind: Kind::Change(field), ..unknown(&page_id, entry) });
    }
    if found.is_empty() {
        found.push(Event { timestamp: time, ..unknown(&page_id, entry) });
    }
    for event in &mut found {
        object.clone_into(&mut event.object);
        event.is_test = is_test;
    }
    found
}

/// Seconds in some shapes, milliseconds everywhere else.
fn milliseconds(time: i64) -> i64 {
    if (0..100_000_000_000).contains(&time) { time.saturating_mul(1000) } else { time }
}

/// How deep to look for a name in an unknown event.
const DEEP: usize = 8;

fn of_conversation(page_id: &str, raw: Part<'_>, time: Option<i64>) -> Event {
    let kind = kind(raw);
    let (mid, text) = match &kind {
        Kind::Message(message) => (
            message.mid.clone().or_else(|| raw.deep("mid", DEEP)),
            message.text.clone().or_else(|| raw.at("message").deep("text", DEEP)),
        ),
        Kind::Postback { .. } => (raw.at("postback").at("mid").text(), raw.at("postback").at("title").text()),
        Kind::Reaction { .. } => (raw.at("reaction").at("mid").text(), None),
        Kind::Edit => (raw.at("message_edit").at("mid").text(), raw.at("message_edit").at("text").text()),
        Kind::Other(_) | Kind::Unknown => (raw.deep("mid", DEEP), raw.deep("text", DEEP)),
        _ => (None, None),
    };
    Event {
        sender: raw.at("sender").party(),
        recipient: raw.at("recipient").party(),
        timestamp: raw.at("timestamp").number().map(milliseconds).or(time),
        mid,
        text,
        kind,
        ..unknown(page_id, raw)
    }
}

/// An unknown event, kept as it came.
fn unknown(page_id: &str, raw: Part<'_>) -> Event {
    let party = |name: &str| raw.at(name).party().or_else(|| raw.at("value").at(name).party());
    Event {
        object: String::new(),
        page_id: page_id.into(),
        sender: party("sender").or_else(|| party("from")),
        recipient: party("recipient"),
        timestamp: None,
        mid: raw.deep("mid", DEEP),
        text: raw.deep("text", DEEP),
        standby: false,
        is_test: false,
        kind: Kind::Unknown,
        raw: raw.0.cloned().unwrap_or_default(),
    }
}

/// The keys of an event besides its content.
const ENVELOPE: [&str; 4] = ["sender", "recipient", "timestamp", "prior_message"];

fn kind(raw: Part<'_>) -> Kind {
    let is = |key: &str| Some(raw.at(key)).filter(|part| part.0.is_some());
    let value = |part: Part<'_>| part.0.cloned().unwrap_or_default();
    if let Some(found) = is("message") {
        return Kind::Message(Message::read(found));
    }
    if let Some(found) = is("postback") {
        return Kind::Postback { payload: found.at("payload").text().or_else(|| found.text()) };
    }
    if let Some(found) = is("delivery") {
        let mids = found.at("mids").list().into_iter().filter_map(Part::text).collect();
        return Kind::Delivery { mids, watermark: found.at("watermark").number().unwrap_or_default() };
    }
    if let Some(found) = is("read") {
        let watermark = found.at("watermark").number().or_else(|| found.number());
        return Kind::Read(watermark.unwrap_or_default());
    }
    if let Some(found) = is("reaction") {
        let action = found.at("action").text().unwrap_or_default();
        return Kind::Reaction { action, emoji: found.at("emoji").text() };
    }
    if is("message_edit").is_some() {
        return Kind::Edit;
    }
    if let Some(found) = is("optin") {
        return Kind::Optin(value(found));
    }
    if let Some(found) = is("referral") {
        return Kind::Referral { reference: found.at("ref").text(), source: found.at("source").text() };
    }
    if let Some(found) = is("account_linking") {
        return Kind::AccountLinking(found.at("status").text().unwrap_or_default());
    }
    if let Some(found) = is("policy_enforcement").or_else(|| is("policy-enforcement")) {
        let action = found.at("action").text().unwrap_or_default();
        return Kind::PolicyEnforcement { action, reason: found.at("reason").text() };
    }
    let names = ["pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"];
    if let Some(what) = names.into_iter().find(|name| is(name).is_some()) {
        return Kind::Handover { what, details: value(raw.at(what)) };
    }
    let mut keys = raw.fields().into_iter().flat_map(|fields| fields.keys());
    match keys.find(|key| !ENVELOPE.contains(&key.as_str())) {
        Some(what) => Kind::Other(what.clone()),
        None => Kind::Unknown,
    }
}

impl Message {
    fn read(part: Part<'_>) -> Self {
        let mut attachments: Vec<Attachment> =
            part.at("attachments").list().into_iter().map(Attachment::read).collect();
        // For some months Meta sent stickers twice: also as an image.
        let stickers: Vec<String> =
            attachments.iter().filter(|one| one.kind == "sticker").filter_map(|one| one.sticker_id.clone()).collect();
        attachments
            .retain(|one| one.kind != "image" || !one.sticker_id.as_ref().is_some_and(|id| stickers.contains(id)));
        let quick_reply = part.at("quick_reply");
        Self {
            mid: part.at("mid").text(),
            text: part.at("text").text().or_else(|| part.text()),
            attachments,
            quick_reply: quick_reply.at("payload").text().or_else(|| quick_reply.text()),
            is_echo: part.at("is_echo").flag(),
            is_deleted: part.at("is_deleted").flag(),
            is_unsupported: part.at("is_unsupported").flag(),
        }
    }
}

impl Attachment {
    fn read(part: Part<'_>) -> Self {
        let payload = part.at("payload");
        let element = payload.at("elements").list().first().copied().unwrap_or(Part(None));
        let images = element.at("images").list();
        let kind = part.at("type").text().unwrap_or_default();
        let is_grid = payload.at("template_type").text().as_deref() == Some("image_grid");
        let coordinates = payload.at("coordinates");
        let url = payload.at("url").text().or_else(|| part.at("url").text());
        let title = part.at("title").text().or_else(|| payload.at("title").text());
        Self {
            kind: if is_grid { "image_grid".into() } else { kind },
            title: title.or_else(|| element.at("title").text()),
            url: url.or_else(|| images.first()?.at("url").text()),
            sticker_id: payload.at("sticker_id").text().or_else(|| part.at("sticker_id").text()),
            images: images.len(),
            coordinates: coordinates.at("lat").text().zip(coordinates.at("long").text()),
        }
    }
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

    /// The samples of Meta's reference, with their expected kinds.
    #[test]
    fn every_kind_is_understood() {
        let with = |rest: &str| {
            one(&format!(r#"{{"sender":{{"id":"765"}},"recipient":{{"id":"109"}},"timestamp":1458692752478,{rest}}}"#))
        };
        let message =
            with(r#""message":{"mid":"m_1","text":"hello","quick_reply":{"payload":"P"},"reply_to":{"mid":"m_0"}}"#);
        assert_eq!(message.customer(), Some("765"));
        assert_eq!(message.name().as_deref(), Some("message m_1 765 109"));
        let Kind::Message(found) = &message.kind else { panic!("{message:?}") };
        assert_eq!((found.text.as_deref(), found.quick_reply.as_deref()), (Some("hello"), Some("P")));
        let image = with(
            r#""message":{"mid":"m_2","attachments":[{"type":"image","payload":{"url":"https:\/\/x\/1","sticker_id":369}}]}"#,
        );
        let Kind::Message(found) = image.kind else { panic!("an image") };
        assert_eq!(
            (found.attachments[0].kind.as_str(), found.attachments[0].url.as_deref()),
            ("image", Some("https://x/1"))
        );
        assert_eq!(found.attachments[0].sticker_id.as_deref(), Some("369"));
        let echo =
            with(r#""message":{"is_echo":true,"app_id":1517776481860111,"metadata":"M","mid":"m_3","text":"hi"}"#);
        assert_eq!(echo.customer(), Some("109"));
        assert_ne!(with(r#""message":{"mid":"m_1","is_deleted":true}"#).name(), message.name());
        assert!(
            matches!(with(r#""postback":{"mid":"m_4","title":"T","payload":"P","referral":{"ref":"R"}}"#).kind, Kind::Postback { payload } if payload.as_deref() == Some("P"))
        );
        assert!(
            matches!(with(r#""delivery":{"mids":["m_5"],"watermark":1458668856253}"#).kind, Kind::Delivery { mids, .. } if mids == ["m_5"])
        );
        assert!(matches!(with(r#""read":{"watermark":1458668856253}"#).kind, Kind::Read(1_458_668_856_253)));
        assert!(
            matches!(with(r#""reaction":{"mid":"m_1","action":"react","emoji":"\u2764\ufe0f","reaction":"love"}"#).kind, Kind::Reaction { emoji, .. } if emoji.as_deref() == Some("\u{2764}\u{fe0f}"))
        );
        for number in ["1", "\"1\""] {
            let edit = with(&format!(r#""message_edit":{{"mid":"m_1","text":"new text","num_edit":{number}}}"#));
            assert!(edit.kind == Kind::Edit && edit.text.as_deref() == Some("new text"));
        }
        assert!(matches!(with(r#""optin":{"type":"notification_messages","payload":"I"}"#).kind, Kind::Optin(_)));
        assert!(
            matches!(with(r#""referral":{"ref":"R","source":"SHORTLINK","type":"OPEN_THREAD"}"#).kind, Kind::Referral { reference, .. } if reference.as_deref() == Some("R"))
        );
        assert!(matches!(
            with(r#""account_linking":{"status":"linked","authorization_code":"C"}"#).kind,
            Kind::AccountLinking(_)
        ));
        for name in ["policy_enforcement", "policy-enforcement"] {
            let found = one(&format!(
                r#"{{"recipient":{{"id":"109"}},"timestamp":1,"{name}":{{"action":"block","reason":"R"}}}}"#
            ));
            assert!(matches!(found.kind, Kind::PolicyEnforcement { action, .. } if action == "block"));
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
            assert!(matches!(with(&format!(r#""{name}":{{}}"#)).kind, Kind::Other(what) if what == name));
        }
    }

    #[test]
    fn standby_and_changes_are_understood() {
        let text = r#"{"object":"page","entry":[
            {"id":"1","time":1574175286359,"standby":[{"sender":{"id":"5"},"recipient":{"id":"1"},"timestamp":1574175285472,"postback":{}}]},
            {"id":"2","time":1701413579,"changes":[{"field":"feed","value":{"item":"comment"}}]}]}"#;
        let found = events(&serde_json::from_str(text).expect("JSON"));
        assert!(found[0].standby && matches!(found[0].kind, Kind::Postback { .. }));
        assert!(matches!(&found[1].kind, Kind::Change(field) if field == "feed"));
        assert_eq!(found[1].timestamp, Some(1_701_413_579_000));
    }

    #[test]
    fn old_numbers_and_new_kinds_do_no_harm() {
        let old = one(
            r#"{"sender":{"id":765},"recipient":{"id":109},"timestamp":1,"message":{"mid":"mid.1:41","text":"old"}}"#,
        );
        assert_eq!(old.sender.as_deref(), Some("765"));
        let number = one(r#"{"sender":{"id":"7"},"message":{"mid":5,"text":7}}"#);
        assert_eq!((number.mid.as_deref(), number.text.as_deref()), (Some("5"), Some("7")));
        assert!(matches!(one(r#"{"sender":{"id":"7"}}"#).kind, Kind::Unknown));
        for odd in ["[]", "{}", "7", r#""x""#, r#"{"object":"instagram","entry":[]}"#, r#"{"object":"page","entry":7}"#]
        {
            let found = events(&serde_json::from_str(odd).expect("JSON"));
            assert_eq!(found.len(), 1, "{odd}");
            assert_eq!(found[0].kind, Kind::Unknown);
        }
    }

    fn all(text: &str) -> Vec<Event> {
        events(&serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn the_test_button_of_the_dashboard_is_known_in_each_of_its_shapes() {
        let shapes = [
            r#"{"entry":[{"changes":[{"field":"messages","value":{"page_id":"1067280970047460"}}],"id":"0","time":1514862760}],"object":"page"}"#,
            r#"{"object":"page","entry":[{"time":1681827428517,"id":"0","messaging":[{"sender":{"id":"12334"},"recipient":{"id":"23245"},"timestamp":"1527459824","message":{"mid":"test_message_id","text":"test_message"}}]}]}"#,
            r#"{"object":"instagram","entry":[{"id":"0","time":1787422449,"changes":[{"field":"messages","value":{"sender":{"id":"12334"},"recipient":{"id":"23245"},"timestamp":"1527459824","message":{"mid":"random_mid","text":"random_text"}}}]}]}"#,
        ];
        for (shape, text) in shapes.iter().zip([None, Some("test_message"), Some("random_text")]) {
            let found = all(shape);
            assert!(found.len() == 1 && found[0].is_test && !found[0].is_of("page"), "{shape}");
            assert_eq!((found[0].text.as_deref(), found[0].name()), (text, None), "{shape}");
        }
        assert_eq!(all(shapes[1])[0].timestamp, Some(1_527_459_824_000));
    }

    #[test]
    fn changes_with_messages_are_events_of_the_conversation() {
        let text = r#"{"object":"page","entry":[{"id":"109","time":1787422449,"changes":[{"field":"messaging_postbacks","value":{"sender":{"id":"765"},"recipient":{"id":"109"},"timestamp":1787422449000,"postback":{"mid":"m_1","title":"T","payload":"P"}}}]}]}"#;
        let found = all(text);
        assert_eq!((found[0].sender.as_deref(), found[0].mid.as_deref()), (Some("765"), Some("m_1")));
        assert!(matches!(&found[0].kind, Kind::Postback { payload } if payload.as_deref() == Some("P")));
        assert!(found[0].is_of("page"));
    }

    #[test]
    fn other_objects_are_named_for_what_they_are() {
        let user =
            all(r#"{"object":"user","entry":[{"uid":"1","id":"1","time":1,"changed_fields":["feed","email"]}]}"#);
        assert_eq!(user.len(), 2);
        assert!(user[0].object == "user" && matches!(&user[1].kind, Kind::Change(field) if field == "email"));
        let app = all(
            r#"{"object":"application","entry":[{"id":"9","time":1790000000,"changes":[{"field":"business_integration_uninstall","value":{"business_manager_id":"5"}}]}]}"#,
        );
        assert!(matches!(&app[0].kind, Kind::Change(field) if field == "business_integration_uninstall"));
        let instagram = all(
            r#"{"object":"instagram","entry":[{"id":"17841","time":1,"messaging":[{"sender":{"id":"5"},"recipient":{"id":"17841"},"message":{"mid":"m","text":"hi"}}]}]}"#,
        );
        assert!(!instagram[0].is_of("page") && instagram[0].text.as_deref() == Some("hi"));
    }

    #[test]
    fn stickers_and_image_grids_are_understood() {
        let with = |attachments: &str| {
            let event =
                one(&format!(r#"{{"sender":{{"id":"7"}},"message":{{"mid":"m","attachments":{attachments}}}}}"#));
            let Kind::Message(message) = event.kind else { panic!("a message") };
            message.attachments
        };
        let new = r#"{"type":"sticker","payload":{"sticker_id":767226160478561,"url":"https://x/s"}}"#;
        let old = r#"{"type":"image","payload":{"sticker_id":767226160478561,"url":"https://x/s"}}"#;
        let found = with(&format!("[{new}]"));
        assert_eq!((found[0].kind.as_str(), found[0].sticker_id.as_deref()), ("sticker", Some("767226160478561")));
        assert_eq!(with(&format!("[{old},{new}]")).len(), 1, "one sticker that came in both shapes");
        assert_eq!(with(new).len(), 1, "not even a list");
        assert!(with("null").is_empty() && with("[null]").is_empty());
        let grid = r#"[{"type":"template","payload":{"template_type":"image_grid","elements":[{"title":"New","images":[{"url":"https://x/1"},{"url":"https://x/2"}]}]}}]"#;
        let found = with(grid);
        assert_eq!(
            (found[0].kind.as_str(), found[0].images, found[0].title.as_deref()),
            ("image_grid", 2, Some("New"))
        );
        let post = with(r#"[{"type":"post","payload":{"title":"A post","url":"https://x/p"}}]"#);
        assert_eq!((post[0].title.as_deref(), post[0].url.as_deref()), (Some("A post"), Some("https://x/p")));
    }

    #[test]
    fn null_is_absence_everywhere() {
        let text = r#"{"sender":{"id":"7"},"recipient":null,"timestamp":null,"message":{"mid":"m_1","text":"hi","quick_reply":{"payload":null},"attachments":null,"reply_to":null,"is_echo":null}}"#;
        let event = one(text);
        assert_eq!(
            (event.mid.as_deref(), event.text.as_deref(), event.timestamp),
            (Some("m_1"), Some("hi"), Some(1_458_692_752_478))
        );
        assert!(matches!(event.kind, Kind::Message(message) if message.quick_reply.is_none() && !message.is_echo));
        assert!(matches!(one(r#"{"sender":{"id":"7"},"message":null,"postback":{}}"#).kind, Kind::Postback { .. }));
    }
}
