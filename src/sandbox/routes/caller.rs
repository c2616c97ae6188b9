//! Identifies the caller: the token, whether it is valid, and the call's signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Call, Refusal, Token, World};

pub enum Caller {
    /// A Page, a person, a system user.
    Holder(Box<Token>),
    /// The app itself, by its id.
    App(String),
}

/// Identifies the caller; refuses invalid tokens and wrong signatures.
pub fn caller(world: &World, call: &Call, node: &str) -> Result<Caller, Refusal> {
    let caller = unproven(world, call, node)?;
    if let Caller::Holder(token) = &caller {
        check_proof(world, call, token)?;
    }
    Ok(caller)
}

/// The same for calls that an app itself may not make.
pub fn holder(world: &World, call: &Call, node: &str) -> Result<Token, Refusal> {
    match caller(world, call, node)? {
        Caller::Holder(token) => Ok(*token),
        Caller::App(_) => Err(Refusal::oauth(102, "A user access token is required to request this resource.")),
    }
}

/// The same without checking the signature.
pub fn unproven(world: &World, call: &Call, node: &str) -> Result<Caller, Refusal> {
    let Some((value, in_header)) = &call.token else {
        return Err(if node == "me" {
            no_such_person()
        } else {
            Refusal::oauth(104, "An access token is required to request this resource.")
        });
    };
    // With the token in a header, 190 was seen as status 401.
    let status = |refusal: Refusal| Refusal { status: in_header.then_some(401), ..refusal };
    if let Some((id, secret)) = value.split_once('|') {
        let app = world.app(id).ok_or_else(unknown_app)?;
        if app.secret != secret {
            return Err(status(Refusal::oauth(190, "Invalid OAuth access token signature.")));
        }
        return Ok(Caller::App(app.id.clone()));
    }
    let token = world.token(value).ok_or_else(|| status(unparsed()))?;
    match token.problem(world.clock.unix_seconds()) {
        Some(problem) => Err(status(problem)),
        None => Ok(Caller::Holder(Box::new(token.clone()))),
    }
}

/// `me` was requested, and the token is not a person's.
pub(super) fn no_such_person() -> Refusal {
    Refusal::oauth(2500, "An active access token must be used to query information about the current user.")
}

/// `101`: no such app.
pub(super) fn unknown_app() -> Refusal {
    Refusal::oauth(101, "Error validating application. Cannot get application info due to a system error.")
}

/// `190`: not a token of this world.
pub(super) fn unparsed() -> Refusal {
    Refusal::oauth(190, "Invalid OAuth access token - Cannot parse access token")
}

/// `appsecret_proof`: of the bare token, or of `token|appsecret_time` for five minutes.
pub(super) fn check_proof(world: &World, call: &Call, token: &Token) -> Result<(), Refusal> {
    const VALID: u64 = 300;
    let refused = |text: &str| Err(Refusal::new(100, "GraphMethodException", text));
    let Some(proof) = call.parameter("appsecret_proof") else {
        if world.rules.require_app_secret {
            return refused("API calls from the server require an appsecret_proof argument");
        }
        return Ok(());
    };
    let time = call.parameter("appsecret_time");
    let message = time.map_or_else(|| token.value.clone(), |time| format!("{}|{time}", token.value));
    let fresh = time
        .is_none_or(|time| time.parse::<i64>().is_ok_and(|time| world.clock.unix_seconds().abs_diff(time) <= VALID));
    let right = world.app(&token.app_id).is_some_and(|app| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()) else { return false };
        mac.update(message.as_bytes());
        let lower = !proof.bytes().any(|b| b.is_ascii_uppercase());
        lower && hex::decode(proof).is_ok_and(|proof| mac.verify_slice(&proof).is_ok())
    });
    if fresh && right { Ok(()) } else { refused("Invalid appsecret_proof provided in the API argument") }
}
