//! `GET` or `POST /oauth/access_token`: a long-lived token for a short-lived one, or an app's
//! token.

use serde_json::json;

use super::caller::{unknown_app, unparsed};
use super::{Answer, Answered, Call, Refusal, Token, TokenKind, World};
use crate::sandbox::tokens::value_for;

/// The lifetime of a long-lived token in seconds, as Graph was seen to report it.
const LONG: i64 = 5_183_944;

pub(super) fn access_token(world: &mut World, call: &Call) -> Answered {
    // Code 1 has status 400 here; only "an unknown error" with the same code has 500.
    let bad_request = |code, text: &str| Refusal::oauth(code, text).with_status(400);
    let app = call.parameter("client_id").and_then(|id| world.app(id)).cloned().ok_or_else(unknown_app)?;
    if call.parameter("client_secret") != Some(app.secret.as_str()) {
        return Err(bad_request(1, "Error validating client secret."));
    }
    match call.parameter("grant_type") {
        Some("client_credentials") => Ok(Answer::ok(json!({
            "access_token": format!("{}|{}", app.id, app.secret), "token_type": "bearer",
        }))),
        Some("fb_exchange_token") => {
            let short = call
                .parameter("fb_exchange_token")
                .ok_or_else(|| bad_request(1, "fb_exchange_token parameter not specified"))?;
            let now = world.clock.unix_seconds();
            let token = world.token(short).filter(|token| token.kind == TokenKind::User);
            let token = token.filter(|token| token.app_id == app.id).cloned().ok_or_else(unparsed)?;
            if let Some(problem) = token.problem(now) {
                return Err(problem);
            }
            let value = value_for(&format!("long {}", token.value));
            world.tokens.retain(|token| token.value != value);
            world.tokens.push(Token { value: value.clone(), issued_at: now, expires_at: now + LONG, ..token });
            Ok(Answer::ok(json!({"access_token": value, "token_type": "bearer", "expires_in": LONG})))
        }
        _ => Err(bad_request(191, "Missing redirect_uri parameter.")),
    }
}
