//! An event as a line for a person and as JSON.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::json::without_nulls;
use crate::text::harmless;
use crate::webhook::{Attachment, Event, Kind, Message};

/// The word for an event, and its details.
pub fn words(event: &Event) -> (&'static str, String) {
    let or = |text: &Option<String>, none: &str| text.as_deref().map_or_else(|| none.to_owned(), harmless);
    if event.is_test {
        return ("test", "Meta's test button: callback and signature work; this is not a customer's message".into());
    }
    match &event.kind {
        Kind::Message(message) => (if message.is_echo { "echo" } else { "message" }, said(message)),
        Kind::Postback { payload } => {
            ("postback", format!("{} ({})", or(&event.text, "a button"), or(payload, "no payload")))
        }
        Kind::Delivery { mids, watermark } => {
            let count = mids.len();
            let mids = if count == 0 { String::new() } else { format!("{count} message{}, ", plural(count)) };
            ("delivery", format!("{mids}all up to {}", moment(*watermark)))
        }
        Kind::Read(watermark) => ("read", format!("all up to {}", moment(*watermark))),
        Kind::Reaction { action, emoji } => {
            let how = if action == "unreact" { "removed" } else { "" };
            ("reaction", format!("{} {how}", or(emoji, "")).trim().to_owned())
        }
        Kind::Edit => ("edit", or(&event.text, "no text")),
        Kind::Optin(details) => ("optin", harmless(&details.to_string())),
        Kind::Referral { reference, source } => {
            ("referral", format!("{} ({})", or(reference, "no ref"), or(source, "no source")))
        }
        Kind::AccountLinking(status) => ("account_linking", harmless(status)),
        Kind::PolicyEnforcement { action, reason } => {
            ("policy_enforcement", format!("{}: {}", harmless(action), or(reason, "no reason given")))
        }
        Kind::Handover { what, details } => (what, harmless(&details.to_string())),
        Kind::Other(what) => ("other", harmless(what)),
        Kind::Change(field) => ("change", harmless(field)),
        Kind::Unknown => ("unknown", "an unknown event; --json shows it in full".into()),
    }
}

/// The content of a message, on one line.
pub fn said(message: &Message) -> String {
    if message.is_deleted {
        return "(unsent)".into();
    }
    let mut parts: Vec<String> = message.text.iter().map(|text| harmless(text)).collect();
    parts.extend(message.attachments.iter().map(attached));
    if message.is_unsupported {
        parts.push("(of a kind that Meta does not pass on)".into());
    }
    if let Some(reply) = &message.quick_reply {
        parts.push(format!("(quick reply {})", harmless(reply)));
    }
    if parts.is_empty() { "(nothing)".into() } else { parts.join(" ") }
}

fn attached(attachment: &Attachment) -> String {
    let Attachment { kind, title, url, sticker_id, images, coordinates } = attachment;
    let kind = match kind.as_str() {
        "" => "attachment".to_owned(),
        "image_grid" => format!("image grid of {images}"),
        kind => kind.to_owned(),
    };
    let place = coordinates.as_ref().map(|(lat, long)| format!("{lat}, {long}"));
    let sticker = sticker_id.as_ref().map(|id| format!("sticker {id}"));
    let parts = [Some(kind), title.clone(), sticker.or(place).or_else(|| url.clone())];
    let mut parts: Vec<String> = parts.into_iter().flatten().map(|part| harmless(&part)).collect();
    if parts.get(1).is_some_and(|part| part.starts_with("sticker ")) && parts[0] == "sticker" {
        parts.remove(0);
    }
    format!("[{}]", parts.join(": "))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Meta's time in milliseconds, as local time of day.
fn moment(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), clock)
}

/// The local time of day.
pub fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// An event as JSON; `raw` is the event as it came.
pub fn view(event: &Event, account: Option<&str>, now: Timestamp) -> Value {
    let occurred_at = event.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok());
    let mut view = without_nulls(json!({
        "schema_version": 1,
        "kind": "event",
        "received_at": now,
        "event": words(event).0,
        "object": event.object,
        "page_id": event.page_id,
        "account": account,
        "sender": event.sender,
        "recipient": event.recipient,
        "occurred_at": occurred_at,
        "mid": event.mid,
        "text": event.text,
        "standby": event.standby,
    }));
    view["raw"] = event.raw.clone();
    view
}
