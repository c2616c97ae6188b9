//! `GET /debug_token`: a bad token is an answer of 200 with an error inside.

use serde_json::{Map, Value, json};

use super::caller::check_proof;
use super::parameter::required;
use super::{Caller, caller};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::tokens::TokenKind;
use crate::sandbox::world::World;

pub(super) fn answer(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let input = call.parameter("input_token");
    let itself = input
        .and_then(|input| world.token(input))
        .filter(|token| call.token.as_ref().is_some_and(|(caller, _)| *caller == token.value));
    let wrong_caller = || {
        Refusal::oauth(
            100,
            "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app",
        )
    };
    let app_id = match itself {
        // Also one that is dead: it is told what became of it.
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
    let not_of_this_app = || Refusal::oauth(100, "(#100) The App_id in the input_token did not match the Viewing App");
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
    let mut data = Map::new();
    data.insert("app_id".into(), token.app_id.clone().into());
    let kind = match token.kind {
        TokenKind::Page(_) => "PAGE",
        TokenKind::User => "USER",
        TokenKind::SystemUser => "SYSTEM_USER",
    };
    data.insert("type".into(), kind.into());
    data.insert("application".into(), world.app(&app_id).map(|app| app.name.clone()).into());
    data.insert("data_access_expires_at".into(), token.data_access_expires_at.into());
    if let Some(problem) = &problem {
        data.insert(
            "error".into(),
            json!({"code": problem.code, "message": problem.message, "subcode": problem.subcode}),
        );
    }
    data.insert("expires_at".into(), token.shown_expiry(now).into());
    data.insert("is_valid".into(), problem.is_none().into());
    data.insert("issued_at".into(), token.issued_at.into());
    if let TokenKind::Page(page) = &token.kind {
        data.insert("profile_id".into(), page.clone().into());
    }
    data.insert("scopes".into(), token.scopes.clone().into());
    let granular = token.scopes.iter().filter(|scope| scope.starts_with("pages_")).map(|scope| match &token.targets {
        Some(targets) => json!({"scope": scope, "target_ids": targets}),
        None => json!({"scope": scope}),
    });
    data.insert("granular_scopes".into(), granular.collect());
    data.insert("user_id".into(), token.user_id.clone().into());
    if let Some(fields) = call.list("fields") {
        data.retain(|name, _| fields.iter().any(|field| field == name));
    }
    Ok(Answer::ok(json!({"data": Value::Object(data)})))
}

fn garbage() -> Answer {
    Answer::ok(json!({"data": {
        "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}, "is_valid": false, "scopes": [],
    }}))
}
