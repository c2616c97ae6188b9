//! What a message may hold: texts, quick replies, attachments, templates (facts of
//! Graph, section 2.10).

use serde_json::{Map, Value};

use super::parameter::{at_most, bad, bad_with, is_url, list, one_of};
use crate::sandbox::answer::Refusal;
use crate::sandbox::world::World;

const TEXT: usize = 2_000;
const METADATA: usize = 1_000;
const QUICK_REPLIES: usize = 13;
const TITLE: usize = 20;
const PAYLOAD: usize = 1_000;
const TEMPLATE_TEXT: usize = 640;
const BUTTONS: usize = 3;
const ELEMENTS: usize = 10;
const ELEMENT_TITLE: usize = 80;

/// Refuses what Meta would refuse.
pub(super) fn check(world: &World, page_id: &str, message: &Map<String, Value>) -> Result<(), Refusal> {
    let text = message.get("text").and_then(Value::as_str);
    let attachment = message.get("attachment").filter(|attachment| !attachment.is_null());
    if text.unwrap_or_default().is_empty() && attachment.is_none() {
        return Err(bad("Param message must be non-empty."));
    }
    at_most("message[text]", text, TEXT)?;
    at_most("message[metadata]", message.get("metadata").and_then(Value::as_str), METADATA)?;
    let replies = message.get("quick_replies").unwrap_or(&Value::Null);
    for (at, reply) in list("message[quick_replies]", replies, QUICK_REPLIES)?.iter().enumerate() {
        let name = |part: &str| format!("message[quick_replies][{at}][{part}]");
        let kind = reply["content_type"].as_str().unwrap_or_default();
        one_of(&name("content_type"), kind, &["text", "user_phone_number", "user_email", "location"])?;
        if kind == "text" && reply["title"].as_str().unwrap_or_default().is_empty() {
            return Err(bad(format!("The parameter {} is required", name("title"))));
        }
        at_most(&name("title"), reply["title"].as_str(), TITLE)?;
        at_most(&name("payload"), reply["payload"].as_str(), PAYLOAD)?;
    }
    attachment.map_or(Ok(()), |attachment| self::attachment(world, page_id, attachment))
}

/// An attachment of a message, or one that is uploaded for later.
pub(super) fn attachment(world: &World, page_id: &str, attachment: &Value) -> Result<(), Refusal> {
    let kind = attachment["type"].as_str().unwrap_or_default();
    one_of("message[attachment][type]", kind, &["image", "audio", "video", "file", "template"])?;
    let payload = &attachment["payload"];
    if kind == "template" {
        return template(payload);
    }
    if let Some(id) = payload["attachment_id"].as_str() {
        let known = world.attachments.iter().any(|(page, known)| page == page_id && known == id);
        return if known {
            Ok(())
        } else {
            Err(bad_with(2_018_074, "Possible invalid ID or you do not own the attachment."))
        };
    }
    // Without an address the file itself was sent (multipart).
    if payload["url"].is_null() || is_url(&payload["url"], &["https", "http"]) {
        return Ok(());
    }
    Err(bad_with(2_018_008, "Failed to fetch the file from the url"))
}

fn template(payload: &Value) -> Result<(), Refusal> {
    let kind = payload["template_type"].as_str().unwrap_or_default();
    let base = "message[attachment][payload]";
    if kind.is_empty() {
        return Err(bad(format!("The parameter {base}[template_type] is required")));
    }
    at_most(&format!("{base}[text]"), payload["text"].as_str(), TEMPLATE_TEXT)?;
    if kind == "button" {
        if payload["text"].as_str().unwrap_or_default().is_empty() {
            return Err(bad(format!("The parameter {base}[text] is required")));
        }
        if payload["buttons"].as_array().is_none_or(Vec::is_empty) {
            return Err(bad(format!("The parameter {base}[buttons] is required")));
        }
    }
    buttons(&format!("{base}[buttons]"), &payload["buttons"])?;
    for (at, element) in list(&format!("{base}[elements]"), &payload["elements"], ELEMENTS)?.iter().enumerate() {
        let name = |part: &str| format!("{base}[elements][{at}][{part}]");
        at_most(&name("title"), element["title"].as_str(), ELEMENT_TITLE)?;
        at_most(&name("subtitle"), element["subtitle"].as_str(), ELEMENT_TITLE)?;
        buttons(&name("buttons"), &element["buttons"])?;
    }
    Ok(())
}

fn buttons(name: &str, value: &Value) -> Result<(), Refusal> {
    for (at, button) in list(name, value, BUTTONS)?.iter().enumerate() {
        at_most(&format!("{name}[{at}][title]"), button["title"].as_str(), TITLE)?;
        at_most(&format!("{name}[{at}][payload]"), button["payload"].as_str(), PAYLOAD)?;
    }
    Ok(())
}
