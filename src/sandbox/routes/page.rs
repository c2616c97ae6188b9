//! The Page and the person that a call is for.

use serde_json::Value;

use super::{Call, Person, Refusal, Token, World, bad_with, holder, required, unsupported};
use crate::sandbox::form::text_of;

/// The Page that a call is for, with its own token, which may send messages.
pub(super) fn of_page(world: &World, call: &Call, node: &str) -> Result<(Token, String), Refusal> {
    let token = holder(world, call, node)?;
    let id = own_page(world, call, &token, node)?;
    token.require(230, "pages_messaging")?;
    Ok((token, id))
}

/// A token's Page, if the node means it.
pub(super) fn own_page(world: &World, call: &Call, token: &Token, node: &str) -> Result<String, Refusal> {
    let Some(own) = token.page() else {
        return Err(Refusal::oauth(210, "(#210) A page access token is required to request this resource."));
    };
    if node == "me" || world.page(node).is_some_and(|page| page.id == own) {
        return Ok(own.to_owned());
    }
    Err(unsupported(&call.method, node))
}

/// Refuses a person without any of these tasks on the Page.
pub(super) fn require_task(world: &World, token: &Token, page_id: &str, tasks: &[&str]) -> Result<(), Refusal> {
    if has_task(world, token, page_id, tasks) {
        return Ok(());
    }
    let tasks = tasks.join(", ");
    Err(Refusal::oauth(200, format!("(#200) Requires one of these tasks to manage the object: {tasks}")))
}

/// Whether a person has one of these tasks, on the old or the new kind of Page.
pub(super) fn has_task(world: &World, token: &Token, page_id: &str, tasks: &[&str]) -> bool {
    let held = world.page(page_id).map(|page| world.tasks_of(token, page)).unwrap_or_default();
    held.iter().any(|held| {
        let held = held.strip_prefix("PROFILE_PLUS_").unwrap_or(held);
        held == "FULL_CONTROL" || tasks.contains(&held)
    })
}

/// The person of this Page that `{"id": …}` names.
pub(super) fn recipient_of(world: &World, page_id: &str, recipient: &Value) -> Result<Person, Refusal> {
    let id = match &recipient["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        // `recipient=PSID`, as on some of Meta's pages, except for sending.
        Value::Null if recipient.is_string() || recipient.is_number() => text_of(recipient),
        _ => return Err(required("recipient")),
    };
    let known = world.person_by_psid(page_id, &id);
    known.cloned().ok_or_else(|| bad_with(2_018_001, "No matching user found"))
}
