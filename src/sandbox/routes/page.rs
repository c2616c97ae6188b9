//! The Page that a call is for, and the person.

use serde_json::Value;

use super::parameter::{bad_with, required};
use super::{Caller, caller, unsupported};
use crate::sandbox::answer::Refusal;
use crate::sandbox::call::Call;
use crate::sandbox::form::text_of;
use crate::sandbox::people::Person;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::World;

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

/// Refuses a person who has none of these tasks on the Page.
pub(super) fn require_task(world: &World, page_id: &str, tasks: &[&str]) -> Result<(), Refusal> {
    if has_task(world, page_id, tasks) {
        return Ok(());
    }
    let tasks = tasks.join(", ");
    Err(Refusal::oauth(200, format!("(#200) Requires one of these tasks to manage the object: {tasks}")))
}

/// Whether a person has one of these tasks, in the old or the new kind of Page.
pub(super) fn has_task(world: &World, page_id: &str, tasks: &[&str]) -> bool {
    let held = world.page(page_id).map(|page| page.tasks.as_slice()).unwrap_or_default();
    held.iter().any(|held| {
        let held = held.strip_prefix("PROFILE_PLUS_").unwrap_or(held);
        held == "FULL_CONTROL" || tasks.contains(&held)
    })
}

/// The person of this Page whom `{"id": …}` names.
pub(super) fn recipient_of(world: &World, page_id: &str, recipient: &Value) -> Result<Person, Refusal> {
    let id = match &recipient["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        // `recipient=PSID`, as some of Meta's own pages have it for all but sending.
        Value::Null if recipient.is_string() || recipient.is_number() => text_of(recipient),
        _ => return Err(required("recipient")),
    };
    let known = world.person_by_psid(page_id, &id);
    known.cloned().ok_or_else(|| bad_with(2_018_001, "No matching user found"))
}

/// The Page that a node means for this caller: `me`, an id, a username.
pub(super) fn page_id(world: &World, caller: &Caller, node: &str) -> Option<String> {
    match caller {
        Caller::Holder(token) if node == "me" => match &token.kind {
            TokenKind::Page(id) => Some(id.clone()),
            _ => None,
        },
        _ => world.page(node).map(|page| page.id.clone()),
    }
}
