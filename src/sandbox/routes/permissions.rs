//! `GET /me/permissions`: the permissions that a person has granted the app, and those declined.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, TokenKind, World, holder, nonexisting_field};

pub(super) fn answer(world: &World, call: &Call, node: &str) -> Answered {
    let token = holder(world, call, node)?;
    match token.kind {
        TokenKind::Page(_) => return Err(nonexisting_field("permissions", "Page")),
        TokenKind::SystemUser => return Err(nonexisting_field("permissions", "User")),
        TokenKind::User => {}
    }
    let grant = world.grant(&token.app_id, &token.user_id);
    let declined = grant.map(|grant| grant.declined.as_slice()).unwrap_or_default();
    let row = |scope: &String, status: &str| json!({"permission": scope, "status": status});
    let granted = token.scopes.iter().map(|scope| row(scope, "granted"));
    let declined = declined.iter().filter(|scope| !token.may(scope)).map(|scope| row(scope, "declined"));
    Ok(Answer::ok(json!({"data": granted.chain(declined).collect::<Vec<Value>>()})))
}
