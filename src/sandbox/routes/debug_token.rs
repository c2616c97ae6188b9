//! `GET /debug_token`: for a bad token it answers 200 with an error inside.

use serde_json::{Value, json};

use super::caller::check_proof;
use super::{Answer, Answered, Call, Caller, TokenKind, World, bad, caller, required, without_nulls};

pub(super) fn answer(world: &World, call: &Call) -> Answered {
    let input = call.parameter("input_token");
    let itself = input
        .and_then(|input| world.token(input))
        .filter(|token| call.token.as_ref().is_some_and(|(caller, _)| *caller == token.value));
    let wrong_caller =
        || bad("You must provide an app access token, or a user access token that is an owner or developer of the app");
    let app_id = match itself {
        // An invalid token too: the answer says why it is invalid.
        Some(token) => {
            check_proof(world, call, token)?;
            let system = token.kind == TokenKind::SystemUser;
            let allowed = world.rules.self_inspection && token.app_role;
            if !(allowed && !system || system && world.rules.system_user_inspection) {
                return Err(wrong_caller());
            }
            token.app_id.clone()
        }
        None if call.token.is_none() => return Err(wrong_caller()),
        None => match caller(world, call, "debug_token")? {
            Caller::App(id) => id,
            Caller::Holder(token) if token.kind == TokenKind::User && token.app_role => token.app_id.clone(),
            Caller::Holder(_) => return Err(wrong_caller()),
        },
    };
    let input = input.ok_or_else(|| required("input_token"))?;
    let not_of_this_app = || bad("The App_id in the input_token did not match the Viewing App");
    if let Some((id, secret)) = input.split_once('|') {
        let known = world.app(id).filter(|app| app.secret == secret);
        let Some(app) = known else { return Ok(garbage()) };
        if app.id != app_id {
            return Err(not_of_this_app());
        }
        return Ok(Answer::ok(json!({"data": {
            "app_id": app.id, "type": "APP", "application": app.name, "is_valid": true, "scopes": [],
        }})));
    }
    let Some(token) = world.token(input) else { return Ok(garbage()) };
    if token.app_id != app_id {
        return Err(not_of_this_app());
    }
    let now = world.clock.unix_seconds();
    let problem = token.own_problem(now);
    let (kind, page) = match &token.kind {
        TokenKind::Page(page) => ("PAGE", Some(page)),
        TokenKind::User => ("USER", None),
        TokenKind::SystemUser => ("SYSTEM_USER", None),
    };
    let granular = token.scopes.iter().filter(|scope| scope.starts_with("pages_"));
    let granular = granular.map(|scope| without_nulls(json!({"scope": scope, "target_ids": token.targets})));
    let error = problem
        .as_ref()
        .map(|problem| json!({"code": problem.code, "message": problem.message, "subcode": problem.subcode}));
    let mut data = without_nulls(json!({
        "app_id": token.app_id,
        "type": kind,
        "application": world.app(&app_id).map(|app| &app.name),
        "data_access_expires_at": token.data_access_expires_at,
        "error": error,
        "expires_at": token.shown_expiry(now),
        "is_valid": problem.is_none(),
        "issued_at": token.issued_at,
        "profile_id": page,
        "scopes": token.scopes,
        "granular_scopes": granular.collect::<Vec<Value>>(),
        "user_id": token.user_id,
    }));
    if let (Some(fields), Some(data)) = (call.list("fields"), data.as_object_mut()) {
        data.retain(|name, _| fields.contains(name));
    }
    Ok(Answer::ok(json!({ "data": data })))
}

fn garbage() -> Answer {
    Answer::ok(json!({"data": {
        "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}, "is_valid": false, "scopes": [],
    }}))
}
