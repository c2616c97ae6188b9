//! `GET /me/permissions`: what a person has granted the app.

use serde_json::{Value, json};

use super::{Caller, caller, nonexisting_field};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::tokens::TokenKind;
use crate::sandbox::world::World;

pub(super) fn answer(world: &World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    match caller(world, call, node)? {
        Caller::Holder(token) if token.kind != TokenKind::User => Err(match token.kind {
            TokenKind::Page(_) => nonexisting_field("permissions", "Page"),
            _ => nonexisting_field("permissions", "User"),
        }),
        Caller::Holder(token) => {
            let granted: Vec<Value> =
                token.scopes.iter().map(|scope| json!({"permission": scope, "status": "granted"})).collect();
            Ok(Answer::ok(json!({"data": granted})))
        }
        Caller::App(_) => Err(Refusal::oauth(102, "A user access token is required to request this resource.")),
    }
}
