//! `POST /me/messages`: what a Page says to a person, and whether it may (facts of
//! Graph, sections 2.10 and 4.4).

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::{Caller, caller, page_id, unsupported};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::events::Event;
use crate::sandbox::people::{Message, Person};
use crate::sandbox::say;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::World;

const WINDOW: SignedDuration = SignedDuration::from_hours(24);
const TEXT_LIMIT: usize = 2_000;

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    let (token, page_id) = of_page(world, call, node)?;
    let recipient = call.value("recipient").ok_or_else(|| bad("The parameter recipient is required"))?;
    let message = call.value("message");
    if call.parameter("sender_action").is_some() {
        if message.is_some() {
            return Err(Refusal {
                subcode: Some(2_018_014),
                ..bad("Cannot send both message and state at the same time.")
            });
        }
        let person = recipient_of(world, &page_id, &recipient)?;
        return Ok(Answer::ok(json!({"recipient_id": person.psid})));
    }
    let content = message.as_ref().and_then(Value::as_object).filter(|content| !content.is_empty());
    let content = content.ok_or_else(|| bad("Param message must be non-empty."))?;
    let text = content.get("text").map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned));
    if text.as_deref().unwrap_or_default().is_empty() && !content.contains_key("attachment") {
        return Err(bad("Param message must be non-empty."));
    }
    if text.as_deref().is_some_and(|text| text.chars().count() > TEXT_LIMIT) {
        return Err(bad("Length of param message[text] must be less than or equal to 2000"));
    }
    let person = recipient_of(world, &page_id, &recipient)?;
    may_write(world, &person)?;
    let mid = send(world, &token, &page_id, &person, content, text.as_deref().unwrap_or_default());
    Ok(Answer::ok(json!({"recipient_id": person.psid, "message_id": mid})))
}

/// The Page that a call is for, with a token of its own that may send messages.
pub(super) fn of_page(world: &World, call: &Call, node: &str) -> Result<(Token, String), Refusal> {
    let caller = caller(world, call, node)?;
    let method = call.method.to_lowercase();
    let Caller::Holder(token) = &caller else {
        return Err(Refusal::oauth(102, "A user access token is required to request this resource."));
    };
    let TokenKind::Page(own) = &token.kind else {
        return Err(Refusal::oauth(210, "(#210) A page access token is required to request this resource."));
    };
    let id = page_id(world, &caller, node).filter(|id| id == own).ok_or_else(|| unsupported(&method, node))?;
    if !token.may("pages_messaging") {
        return Err(Refusal::oauth(230, "(#230) Requires pages_messaging permission to manage the object"));
    }
    Ok((token.as_ref().clone(), id))
}

fn bad(text: &str) -> Refusal {
    Refusal::oauth(100, format!("(#100) {text}"))
}

fn recipient_of(world: &World, page_id: &str, recipient: &Value) -> Result<Person, Refusal> {
    let id = match &recipient["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return Err(bad("The parameter recipient is required")),
    };
    let known = world.people.iter().find(|person| person.page_id == page_id && person.psid == id);
    known.cloned().ok_or_else(|| Refusal { subcode: Some(2_018_001), ..bad("No matching user found") })
}

fn may_write(world: &World, person: &Person) -> Result<(), Refusal> {
    if !world.may_be_messaged(person) {
        return Err(Refusal {
            subcode: Some(2_018_028),
            ..Refusal::oauth(
                200,
                "(#200) Cannot message users who are not admins, developers or testers of the app until pages_messaging permission is reviewed and the app is live.",
            )
        });
    }
    if person.blocked {
        return Err(Refusal {
            subcode: Some(1_545_041),
            ..Refusal::oauth(551, "(#551) This person isn't available right now.")
        });
    }
    let now = world.clock.now();
    if person.wrote_at.is_none_or(|at| now.duration_since(at) > WINDOW) {
        return Err(Refusal {
            subcode: Some(2_018_278),
            ..Refusal::oauth(
                10,
                "(#10) This message is sent outside of allowed window. Learn more about the new policy here: https://developers.facebook.com/docs/messenger-platform/policy-overview",
            )
            .with_status(400)
        });
    }
    Ok(())
}

/// Remembers the message and tells the callbacks: of the message itself, that it
/// has arrived, and that it was read.
fn send(
    world: &mut World,
    token: &Token,
    page_id: &str,
    person: &Person,
    content: &Map<String, Value>,
    text: &str,
) -> String {
    let mut message = Message::new(world.clock.now(), true, text);
    if let Some(attachment) = content.get("attachment") {
        message.attachments.push(attachment.clone());
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
    mid
}
