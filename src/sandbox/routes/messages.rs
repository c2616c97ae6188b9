//! `POST /me/messages`: a Page's message to a person, and whether it is allowed (graph/FACTS.md,
//! "Sending a message" and "Refusals of the Send API").

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::message_content::{self, sticker_id};
use super::{
    Answer, Answered, Call, Person, Refusal, Token, World, of_page, recipient_of, require_task, without_nulls,
};
use super::{bad, bad_with, need_value, one_of, required};
use crate::sandbox::events::Event;
use crate::sandbox::people::{Message, digits, new_mid};
use crate::sandbox::{say, versions};

/// For all messages, after the person's last one.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// For a human's answer, after the person's last message.
const HUMAN_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

const TYPES: [&str; 4] = ["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"];
const TAGS: [&str; 2] = ["HUMAN_AGENT", "CUSTOMER_FEEDBACK"];
/// Refused since 27 April 2026.
const FORMER_TAGS: [&str; 3] = ["CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE"];
const ACTIONS: [&str; 5] = ["typing_on", "typing_off", "mark_seen", "react", "unreact"];
const NOTIFICATIONS: [&str; 3] = ["REGULAR", "SILENT_PUSH", "NO_PUSH"];

/// Other ways to name a recipient, and whether the answer names the person.
const OTHER_RECIPIENTS: [(&str, bool); 6] = [
    ("user_ref", false),
    ("phone_number", false),
    ("post_id", true),
    ("comment_id", true),
    ("notification_messages_token", true),
    ("one_time_notif_token", true),
];

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    let (token, page_id) = of_page(world, call, node)?;
    require_task(world, &token, &page_id, &["MESSAGING"])?;
    let recipient = need_value(call, "recipient")?;
    if !recipient.is_object() {
        return Err(bad("Param recipient must be an object."));
    }
    let message = call.value("message");
    if let Some(action) = call.given("sender_action") {
        if message.is_some() {
            return Err(bad_with(2_018_014, "Cannot send both message and state at the same time."));
        }
        let person = recipient_of(world, &page_id, &recipient)?;
        return act(world, call, &token, &person, action);
    }
    let content = message.as_ref().and_then(Value::as_object).filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| bad("Param message must be non-empty."))?;
    message_content::check(world, &page_id, content, call.parameter("filedata").is_some())?;
    let by_human = by_human(call, content)?;
    if let Some(id) = call.given("persona_id")
        && !world.personas.iter().any(|persona| persona.page_id == page_id && persona.id == id)
    {
        return Err(bad("Invalid persona_id"));
    }
    let named = OTHER_RECIPIENTS.iter().find(|(name, _)| !recipient[name].is_null());
    if let (Some((name, told)), true) = (named, recipient["id"].is_null()) {
        return Ok(Answer::ok(elsewhere(&recipient[name], *told)));
    }
    let person = recipient_of(world, &page_id, &recipient)?;
    may_write(world, &token, &person, by_human)?;
    let (mid, attachment_id) = send(world, &token, &person, content);
    let body = json!({"recipient_id": person.psid, "message_id": mid, "attachment_id": attachment_id});
    Ok(Answer::ok(without_nulls(body)))
}

/// Whether a message may use the seven days of a human's answer; refuses values that Graph does
/// not know.
fn by_human(call: &Call, content: &Map<String, Value>) -> Result<bool, Refusal> {
    let kind = call.given("messaging_type");
    if let Some(kind) = kind {
        one_of("messaging_type", kind, &TYPES)?;
    }
    if let Some(notification) = call.given("notification_type") {
        one_of("notification_type", notification, &NOTIFICATIONS)?;
    }
    let Some(tag) = call.given("tag") else {
        return if kind == Some("MESSAGE_TAG") { Err(required("tag")) } else { Ok(false) };
    };
    if FORMER_TAGS.contains(&tag) {
        return Err(bad(format!("The message tag {tag} is no longer supported.")));
    }
    one_of("tag", tag, &TAGS)?;
    // A tag is valid only with its type, and one of the two only with its template.
    let feedback =
        content.get("attachment").is_some_and(|sent| sent["payload"]["template_type"] == "customer_feedback");
    Ok(kind == Some("MESSAGE_TAG") && (tag != "CUSTOMER_FEEDBACK" || feedback))
}

fn may_write(world: &World, token: &Token, person: &Person, by_human: bool) -> Result<(), Refusal> {
    let refuse =
        |code, subcode, text: &str| Err(Refusal::oauth(code, format!("(#{code}) {text}")).with_subcode(subcode));
    if !world.may_be_messaged(person) {
        return refuse(
            200,
            2_018_028,
            "Cannot message users who are not admins, developers or testers of the app until pages_messaging permission is reviewed and the app is live.",
        );
    }
    if person.blocked {
        return refuse(551, 1_545_041, "This person isn't available right now.");
    }
    let owner = world.thread(&person.page_id, &person.psid).and_then(|thread| thread.owner.as_ref());
    if owner.is_some_and(|owner| *owner != token.app_id) {
        // The code for this subcode is not documented.
        return refuse(10, 2_018_300, "Message failed to send because another app is controlling this thread now.")
            .map_err(|refusal: Refusal| refusal.with_status(400));
    }
    let window = if by_human { HUMAN_WINDOW } else { WINDOW };
    let now = world.clock.now();
    if person.wrote_at.is_none_or(|at| now.duration_since(at) > window) {
        // Messenger was seen to answer 400 here; elsewhere code 10 is 403.
        return refuse(
            10,
            2_018_278,
            "This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview",
        )
        .map_err(|refusal: Refusal| refusal.with_status(400));
    }
    Ok(())
}

fn act(world: &mut World, call: &Call, token: &Token, person: &Person, action: &str) -> Answered {
    one_of("sender_action", action, &ACTIONS)?;
    may_write(world, token, person, false)?;
    let thread = world.thread_mut(&person.page_id, &person.psid);
    if action == "mark_seen" {
        for message in thread.messages.iter_mut().filter(|message| !message.from_page) {
            message.read = true;
        }
    }
    if action.ends_with("react") {
        let payload = call.value("payload").unwrap_or_default();
        let mid = payload["message_id"].as_str().ok_or_else(|| required("payload[message_id]"))?;
        if !thread.messages.iter().any(|message| message.mid == mid) {
            return Err(bad("Invalid message id"));
        }
    }
    Ok(Answer::ok(json!({"recipient_id": person.psid})))
}

/// The answer to a message for a person this world does not know by PSID.
fn elsewhere(recipient: &Value, told: bool) -> Value {
    let id = told.then(|| digits(&recipient.to_string(), 16));
    without_nulls(json!({"recipient_id": id, "message_id": new_mid()}))
}

/// Saves the message and queues its events: the message itself, its arrival, and its reading.
/// Returns its id, and that of an attachment saved for later.
fn send(world: &mut World, token: &Token, person: &Person, content: &Map<String, Value>) -> (String, Option<String>) {
    let page_id = person.page_id.as_str();
    let text = content.get("text").and_then(Value::as_str).unwrap_or_default();
    let mut message = Message::new(world.clock.now(), true, text);
    let mut kept = None;
    if let Some(attachment) = content.get("attachment").filter(|attachment| !attachment.is_null()) {
        // In a form all values are texts.
        let reusable = &attachment["payload"]["is_reusable"];
        if *reusable == true || *reusable == "true" || *reusable == "1" {
            kept = Some(world.keep_attachment(page_id));
        }
        message.attachments.push(attachment.clone());
    }
    if let Some(id) = sticker_id(content) {
        message.attachments.extend(versions::sticker(world.today(), id));
    }
    let metadata = content.get("metadata").and_then(Value::as_str);
    world.outbox.push(Event::echo(page_id, &person.psid, &token.app_id, metadata, &message));
    world.outbox.push(Event::delivered(page_id, &person.psid, &message));
    let mid = message.mid.clone();
    world.thread_mut(page_id, &person.psid).messages.push(message);
    if world.rules.reads {
        let read = say::read(world, page_id, &person.psid);
        world.outbox.extend(read);
    }
    (mid, kept)
}
