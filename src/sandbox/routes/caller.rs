//! Who makes a call: the token, whether it lives, and its signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::sandbox::answer::Refusal;
use crate::sandbox::call::Call;
use crate::sandbox::tokens::Token;
use crate::sandbox::world::World;

/// Who makes a call.
pub enum Caller {
    /// A Page, a person, a system user.
    Holder(Box<Token>),
    /// The app itself, by its id.
    App(String),
}

/// Finds out who calls, and refuses tokens that are dead and signatures that are wrong.
pub fn caller(world: &World, call: &Call, node: &str) -> Result<Caller, Refusal> {
    let caller = unproven(world, call, node)?;
    if let Caller::Holder(token) = &caller {
        check_proof(world, call, token)?;
    }
    Ok(caller)
}

/// The same, whatever its signature is.
pub fn unproven(world: &World, call: &Call, node: &str) -> Result<Caller, Refusal> {
    let Some((value, in_header)) = &call.token else {
        return Err(if node == "me" {
            Refusal::oauth(2500, "An active access token must be used to query information about the current user.")
        } else {
            Refusal::oauth(104, "An access token is required to request this resource.")
        });
    };
    // With the token in a header 190 was seen as 401.
    let status = |refusal: Refusal| Refusal { status: in_header.then_some(401), ..refusal };
    if let Some((id, secret)) = value.split_once('|') {
        let Some(app) = world.app(id) else {
            return Err(Refusal::oauth(
                101,
                "Error validating application. Cannot get application info due to a system error.",
            ));
        };
        if app.secret != secret {
            return Err(status(Refusal::oauth(190, "Invalid OAuth access token signature.")));
        }
        return Ok(Caller::App(app.id.clone()));
    }
    let Some(token) = world.token(value) else {
        return Err(status(Refusal::oauth(190, "Invalid OAuth access token - Cannot parse access token")));
    };
    if let Some(problem) = token.problem(world.clock.unix_seconds()) {
        return Err(status(problem));
    }
    Ok(Caller::Holder(Box::new(token.clone())))
}

/// `appsecret_proof`: of the token alone, or of `token|appsecret_time` for five minutes.
pub(super) fn check_proof(world: &World, call: &Call, token: &Token) -> Result<(), Refusal> {
    const VALID: u64 = 300;
    let Some(proof) = call.parameter("appsecret_proof") else {
        return if world.rules.require_app_secret {
            Err(Refusal::new(
                100,
                "GraphMethodException",
                "API calls from the server require an appsecret_proof argument",
            ))
        } else {
            Ok(())
        };
    };
    let message = match call.parameter("appsecret_time") {
        Some(time) => format!("{}|{time}", token.value),
        None => token.value.clone(),
    };
    let fresh = call
        .parameter("appsecret_time")
        .is_none_or(|time| time.parse::<i64>().is_ok_and(|time| world.clock.unix_seconds().abs_diff(time) <= VALID));
    let right = world.app(&token.app_id).is_some_and(|app| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()) else { return false };
        mac.update(message.as_bytes());
        let lower = !proof.bytes().any(|b| b.is_ascii_uppercase());
        lower && hex::decode(proof).is_ok_and(|proof| mac.verify_slice(&proof).is_ok())
    });
    if fresh && right {
        return Ok(());
    }
    Err(Refusal::new(100, "GraphMethodException", "Invalid appsecret_proof provided in the API argument"))
}
