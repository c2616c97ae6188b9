//! `GET /me/permissions`: the permissions that a person has granted the app.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, TokenKind, World, holder, nonexisting_field};

pub(super) fn answer(world: &World, call: &Call, node: &str) -> Answered {
    let token = holder(world, call, node)?;
    match token.kind {
        TokenKind::Page(_) => return Err(nonexisting_field("permissions", "Page")),
        TokenKind::SystemUser => return Err(nonexisting_field("permissions", "User")),
        TokenKind::User => {}
    }
    let granted = token.scopes.iter().map(|scope| json!({"permission": scope, "status": "granted"}));
    Ok(Answer::ok(json!({"data": granted.collect::<Vec<Value>>()})))
}
