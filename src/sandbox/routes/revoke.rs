//! The ends of tokens: `/oauth/revoke`, and `DELETE /{user}/permissions`.

use super::oauth::{self, issued_by};
use super::{Answered, Call, Caller, Refusal, TokenKind, World, bad, caller, success};
use crate::sandbox::grants::Grant;

/// Invalidates one system user's token at once. The call has another valid token of the app.
pub(super) fn token(world: &mut World, call: &Call) -> Answered {
    let app = oauth::caller(world, call)?;
    let by = match caller(world, call, "oauth")? {
        Caller::App(id) => id,
        Caller::Holder(token) => token.app_id,
    };
    let old = call.given("revoke_token").ok_or_else(|| super::required("revoke_token"))?;
    let old = issued_by(world, old, &app)?;
    if let Some(problem) = old.problem(world.clock.unix_seconds()) {
        return Err(problem);
    }
    let itself = call.token.as_ref().is_some_and(|(caller, _)| *caller == old.value);
    if by != app.id || itself || old.kind != TokenKind::SystemUser {
        return Err(Refusal::oauth(100, "Invalid parameter"));
    }
    world.revoke(&old.value);
    Ok(success())
}

/// Removes one permission of a person, or the whole app.
pub(super) fn permissions(world: &mut World, call: &Call, node: &str, permission: Option<&str>) -> Answered {
    let (app_id, user_id) = match caller(world, call, node)? {
        Caller::Holder(token) if token.kind == TokenKind::User && (node == "me" || node == token.user_id) => {
            (token.app_id, token.user_id)
        }
        Caller::App(app) if world.user(node).is_some() => (app, node.to_owned()),
        _ => return Err(super::unsupported("delete", node)),
    };
    let Some(permission) = permission.or_else(|| call.given("permission")) else {
        world.deauthorize(&app_id, &user_id);
        return Ok(success());
    };
    let known = world.grant(&app_id, &user_id).cloned().or_else(|| {
        // A token that the world began with stands for a grant too.
        let is_one = |token: &&crate::sandbox::tokens::Token| {
            token.kind == TokenKind::User && token.app_id == app_id && token.user_id == user_id
        };
        let token = world.tokens.iter().find(is_one)?;
        Some(Grant {
            app_id: app_id.clone(),
            user_id: user_id.clone(),
            granted: token.scopes.clone(),
            declined: Vec::new(),
            pages: token.targets.clone(),
        })
    });
    let mut grant = known.filter(|grant| grant.granted.iter().any(|one| one == permission));
    let Some(grant) = grant.as_mut() else { return Err(bad(format!("The permission {permission} was not granted"))) };
    grant.granted.retain(|one| one != permission);
    world.replace_grant(grant.clone(), false);
    Ok(success())
}
