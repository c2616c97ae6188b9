//! Checks the content of a message: texts, quick replies, attachments, templates
//! (graph/FACTS.md, "Sending a message").

use serde_json::{Map, Value};

use super::{Refusal, World, at_most, bad, bad_with, is_url, list, one_of, required};
use crate::sandbox::form::text_of;

const TEXT: usize = 2_000;
const METADATA: usize = 1_000;
const QUICK_REPLIES: usize = 13;
const TITLE: usize = 20;
const PAYLOAD: usize = 1_000;
const TEMPLATE_TEXT: usize = 640;
const BUTTONS: usize = 3;
const ELEMENTS: usize = 10;
const ELEMENT_TITLE: usize = 80;
/// The types in Meta's reference.
const TEMPLATES: [&str; 11] = [
    "button",
    "generic",
    "image_grid",
    "media",
    "receipt",
    "product",
    "coupon",
    "customer_feedback",
    "customer_information",
    "notification_messages",
    "one_time_notif_req",
];
const BUTTON_TYPES: [&str; 6] = ["web_url", "postback", "phone_number", "account_link", "account_unlink", "game_play"];

/// Refuses what Meta would refuse. `file` says that the attachment itself was uploaded.
pub(super) fn check(world: &World, page_id: &str, message: &Map<String, Value>, file: bool) -> Result<(), Refusal> {
    let text = message.get("text").and_then(Value::as_str);
    let attachment = message.get("attachment").filter(|attachment| !attachment.is_null());
    let sticker = message.get("sticker_id").filter(|id| !id.is_null());
    if text.unwrap_or_default().is_empty() && attachment.is_none() && sticker.is_none() {
        return Err(bad("Param message must be non-empty."));
    }
    if sticker.is_some() && sticker_id(message).is_none() {
        return Err(bad("Param message[sticker_id] must be a valid sticker id"));
    }
    if sticker.is_some() && (attachment.is_some() || text.is_some_and(|text| !text.is_empty())) {
        return Err(bad("Only one of text, attachment or sticker_id can be specified"));
    }
    if attachment.is_some() && text.is_some_and(|text| !text.is_empty()) {
        return Err(bad_with(2_018_018, "Only one of text or attachment can be specified"));
    }
    at_most("message[text]", text, TEXT)?;
    at_most("message[metadata]", message.get("metadata").and_then(Value::as_str), METADATA)?;
    let replies = message.get("quick_replies").unwrap_or(&Value::Null);
    for (at, reply) in list("message[quick_replies]", replies, QUICK_REPLIES)?.iter().enumerate() {
        let name = |part: &str| format!("message[quick_replies][{at}][{part}]");
        let kind = reply["content_type"].as_str().unwrap_or_default();
        one_of(&name("content_type"), kind, &["text", "user_phone_number", "user_email", "location"])?;
        for part in if kind == "text" { ["title", "payload"].as_slice() } else { &[] } {
            text_in(reply, part, &name(part))?;
        }
        at_most(&name("title"), reply["title"].as_str(), TITLE)?;
        at_most(&name("payload"), reply["payload"].as_str(), PAYLOAD)?;
    }
    attachment.map_or(Ok(()), |attachment| self::attachment(world, page_id, attachment, file))
}

/// The id of a message's sticker; Meta also accepts the number as a text.
pub(super) fn sticker_id(message: &Map<String, Value>) -> Option<u64> {
    text_of(message.get("sticker_id")?).parse().ok()
}

/// An attachment of a message, or one uploaded for later.
pub(super) fn attachment(world: &World, page_id: &str, attachment: &Value, file: bool) -> Result<(), Refusal> {
    let kind = attachment["type"].as_str().unwrap_or_default();
    one_of("message[attachment][type]", kind, &["image", "audio", "video", "file", "template"])?;
    let payload = &attachment["payload"];
    if kind == "template" {
        return template(payload);
    }
    if !payload["attachment_id"].is_null() {
        let id = text_of(&payload["attachment_id"]);
        let known = world.attachments.iter().any(|(page, known)| page == page_id && *known == id);
        let unknown = || bad_with(2_018_074, "Possible invalid ID or you do not own the attachment.");
        return known.then_some(()).ok_or_else(unknown);
    }
    if payload["url"].is_null() && !file {
        return Err(required("message[attachment][payload][url]"));
    }
    if payload["url"].is_null() || is_url(&payload["url"], &["https", "http"]) {
        return Ok(());
    }
    Err(bad_with(2_018_008, "Failed to fetch the file from the url"))
}

fn template(payload: &Value) -> Result<(), Refusal> {
    let base = "message[attachment][payload]";
    let kind = text_in(payload, "template_type", &format!("{base}[template_type]"))?;
    one_of(&format!("{base}[template_type]"), kind, &TEMPLATES)?;
    at_most(&format!("{base}[text]"), payload["text"].as_str(), TEMPLATE_TEXT)?;
    if kind == "button" {
        text_in(payload, "text", &format!("{base}[text]"))?;
    }
    let needed = match kind {
        "button" => Some("buttons"),
        "generic" | "media" | "image_grid" => Some("elements"),
        _ => None,
    };
    if let Some(part) = needed.filter(|part| payload[*part].as_array().is_none_or(Vec::is_empty)) {
        return Err(required(&format!("{base}[{part}]")));
    }
    buttons(&format!("{base}[buttons]"), &payload["buttons"])?;
    for (at, element) in list(&format!("{base}[elements]"), &payload["elements"], ELEMENTS)?.iter().enumerate() {
        let name = |part: &str| format!("{base}[elements][{at}][{part}]");
        if kind == "generic" {
            text_in(element, "title", &name("title"))?;
        }
        at_most(&name("title"), element["title"].as_str(), ELEMENT_TITLE)?;
        at_most(&name("subtitle"), element["subtitle"].as_str(), ELEMENT_TITLE)?;
        buttons(&name("buttons"), &element["buttons"])?;
    }
    if kind == "image_grid" { image_grid(&payload["elements"], base) } else { Ok(()) }
}

/// The image grid of June 2026: one element with two to six images, at most one of them large.
fn image_grid(elements: &Value, base: &str) -> Result<(), Refusal> {
    const GRID_TITLE: usize = 45;
    let [element] = elements.as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(bad(format!("Param {base}[elements] must have exactly 1 element")));
    };
    at_most(&format!("{base}[elements][0][title]"), element["title"].as_str(), GRID_TITLE)?;
    let images = element["images"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(2..=6).contains(&images.len()) {
        return Err(bad(format!("Param {base}[elements][0][images] must have between 2 and 6 elements")));
    }
    if let Some(at) = images.iter().position(|image| !is_url(&image["url"], &["https", "http"])) {
        return Err(required(&format!("{base}[elements][0][images][{at}][url]")));
    }
    if images.iter().filter(|image| image["is_hero_image"] == true).count() > 1 {
        return Err(bad(format!("Param {base}[elements][0][images] may have one hero image")));
    }
    Ok(())
}

fn buttons(name: &str, value: &Value) -> Result<(), Refusal> {
    for (at, button) in list(name, value, BUTTONS)?.iter().enumerate() {
        let named = |part: &str| format!("{name}[{at}][{part}]");
        let kind = text_in(button, "type", &named("type"))?;
        one_of(&named("type"), kind, &BUTTON_TYPES)?;
        let needed: &[&str] = match kind {
            "postback" | "phone_number" => &["title", "payload"],
            "web_url" => &["title", "url"],
            "account_link" => &["url"],
            // A game, or unlinking an account: Meta sets the button's title.
            _ => &[],
        };
        for part in needed {
            text_in(button, part, &named(part))?;
        }
        at_most(&named("title"), button["title"].as_str(), TITLE)?;
        at_most(&named("payload"), button["payload"].as_str(), PAYLOAD)?;
    }
    Ok(())
}

/// A required text.
fn text_in<'v>(value: &'v Value, part: &str, name: &str) -> Result<&'v str, Refusal> {
    value[part].as_str().filter(|text| !text.is_empty()).ok_or_else(|| required(name))
}
