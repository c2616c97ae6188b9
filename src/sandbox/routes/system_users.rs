//! System users of a business: listed, created, given apps, Pages and tokens. Most of Meta's
//! refusals here were not recorded.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::businesses::{listing, manager, no_permission, picked};
use super::oauth::issued;
use super::{Answer, Answered, Call, Caller, Refusal, Token, TokenKind, World};
use super::{bad, need, one_of, required, success, unproven, unsupported};
use crate::sandbox::apps::App;
use crate::sandbox::businesses::{Business, SystemUser};
use crate::sandbox::grants::new_token;
use crate::sandbox::tokens::{Origin, TokenState};

const SIXTY_DAYS: i64 = 60 * 86_400;

/// The caller, if it may change a business.
fn admin(world: &World, call: &Call, node: &str, business: &Business) -> Result<Token, Refusal> {
    let token = manager(world, call, node)?;
    if world.administers(&token, business) { Ok(token) } else { Err(no_permission()) }
}

fn business_of(world: &World, user: &SystemUser) -> Result<Business, Refusal> {
    world.business(&user.business_id).cloned().ok_or_else(no_permission)
}

/// `/{business}/system_users`.
pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    let business = world.business(node).cloned().ok_or_else(|| unsupported(&call.method, node))?;
    let admin = admin(world, call, node, &business)?;
    let own: Vec<&SystemUser> =
        world.system_users.iter().filter(|user| user.business_id == business.id && user.assigned.is_some()).collect();
    match call.method.as_str() {
        "GET" => {
            let fields = call.fields(&["id", "name", "role"]);
            let rows = own.iter().map(|user| {
                let role = if user.admin { "ADMIN" } else { "EMPLOYEE" };
                picked(&fields, &json!({"id": user.id, "name": user.name, "role": role}), "SystemUser")
            });
            let rows: Vec<Value> = rows.collect::<Result<_, _>>()?;
            listing(call, &admin, &format!("{node}/system_users"), &rows)
        }
        "POST" => {
            let name = need(call, "name")?;
            let role = call.given("role").unwrap_or("EMPLOYEE");
            one_of("role", role, &["ADMIN", "EMPLOYEE"])?;
            let is_admin = role == "ADMIN";
            let most = if is_admin { 1 } else { business.system_user_limit };
            if own.iter().filter(|user| user.admin == is_admin).count() >= most {
                return Err(bad("The business has reached the limit of system users"));
            }
            let mut user = SystemUser::new(&business.id, name, is_admin);
            // Two may have the same name.
            while world.system_user(&user.id).is_some() {
                user.id = SystemUser::new(&business.id, &user.id, is_admin).id;
            }
            let id = user.id.clone();
            world.system_users.push(user);
            Ok(Answer::ok(json!({ "id": id })))
        }
        method => Err(unsupported(method, node)),
    }
}

/// `POST /{system-user}/applications`: an admin or another system user installs an app.
pub(super) fn install(world: &mut World, call: &Call, node: &str) -> Answered {
    let user = world.system_user(node).cloned().ok_or_else(|| unsupported(&call.method, node))?;
    let business = business_of(world, &user)?;
    let token = manager(world, call, node)?;
    let colleague = world.system_user(&token.user_id).is_some_and(|one| one.business_id == business.id);
    if !colleague && !world.administers(&token, &business) {
        return Err(no_permission());
    }
    let app = claimed(world, need(call, "business_app")?, &business)?.id;
    if let Some(user) = world.system_user_mut(node).filter(|user| !user.apps.contains(&app)) {
        user.apps.push(app);
    }
    Ok(success())
}

/// An app that the business may use for its system users.
fn claimed(world: &World, id: &str, business: &Business) -> Result<App, Refusal> {
    let own = |app: &&App| app.business.as_ref().is_none_or(|owner| *owner == business.id);
    world.app(id).filter(own).cloned().ok_or_else(invalid)
}

fn invalid() -> Refusal {
    Refusal::oauth(100, "Invalid parameter")
}

/// `/{system-user}/access_tokens`: generated (POST), or all of them invalidated (DELETE).
pub(super) fn tokens(world: &mut World, call: &Call, node: &str) -> Answered {
    let user = world.system_user(node).cloned().ok_or_else(|| unsupported(&call.method, node))?;
    let business = business_of(world, &user)?;
    let token = caller(world, call, node, &user, &business)?;
    match call.method.as_str() {
        "POST" => generate(world, call, &token, &user, &business, need(call, "business_app")?),
        "DELETE" => {
            check_proof(world, call, &token, &token.app_id)?;
            let is_own = |token: &&Token| token.kind == TokenKind::SystemUser && token.user_id == user.id;
            let all: Vec<String> = world.tokens.iter().filter(is_own).map(|token| token.value.clone()).collect();
            for token in &all {
                world.revoke(token);
            }
            Ok(success())
        }
        method => Err(unsupported(method, node)),
    }
}

/// `POST /{business}/system_user_access_tokens`: the same by the business, or the token that there
/// is (`fetch_only`).
pub(super) fn tokens_of_business(world: &mut World, call: &Call, node: &str) -> Answered {
    let business = world.business(node).cloned().ok_or_else(|| unsupported(&call.method, node))?;
    let itself = call.token.as_ref().and_then(|(value, _)| world.token(value)).map(|token| token.user_id.clone());
    let id = call.given("system_user_id").map(str::to_owned).or(itself).unwrap_or_default();
    let user = world.system_user(&id).filter(|user| user.business_id == business.id).cloned();
    let user = user.ok_or_else(|| if call.token.is_some() { invalid() } else { required("access_token") })?;
    let token = caller(world, call, node, &user, &business)?;
    if call.parameter("fetch_only") == Some("true") {
        check_proof(world, call, &token, &token.app_id)?;
        let now = world.clock.unix_seconds();
        let is_current = |one: &&Token| {
            one.kind == TokenKind::SystemUser
                && (&one.user_id, &one.app_id) == (&user.id, &token.app_id)
                && one.problem(now).is_none()
        };
        let current = world.tokens.iter().rfind(is_current).ok_or_else(invalid)?;
        return Ok(issued(&current.value, None));
    }
    generate(world, call, &token, &user, &business, &token.app_id)
}

/// An admin or the system user itself. The proof is checked with the app that the call names.
fn caller(world: &World, call: &Call, node: &str, user: &SystemUser, business: &Business) -> Result<Token, Refusal> {
    let Caller::Holder(token) = unproven(world, call, node)? else { return Err(no_permission()) };
    let itself = token.user_id == user.id && token.kind == TokenKind::SystemUser;
    if token.page().is_some() || !itself && !world.administers(&token, business) {
        return Err(no_permission());
    }
    Ok(*token)
}

fn generate(
    world: &mut World,
    call: &Call,
    caller: &Token,
    user: &SystemUser,
    business: &Business,
    app_id: &str,
) -> Answered {
    if business.two_factor && caller.kind == TokenKind::User {
        let text = "Two factor authentication required. User have to enter a code from SMS or TOTP code generator to pass 2fac. This could happen when accessing a 2fac-protected asset like a page that is owned by a 2fac-protected business manager.";
        return Err(Refusal::oauth(415, text).with_subcode(2_859_009));
    }
    let app = claimed(world, app_id, business)?;
    check_proof(world, call, caller, &app.id)?;
    let scopes = call.list("scope").filter(|scopes| !scopes.is_empty()).ok_or_else(|| required("scope"))?;
    if !user.apps.contains(&app.id) || !scopes.iter().all(|scope| app.offers(scope)) {
        return Err(invalid());
    }
    let for_60_days = call.parameter("set_token_expires_in_60_days") == Some("true");
    if !for_60_days && !business.lasting_tokens {
        return Err(invalid());
    }
    let now = world.clock.unix_seconds();
    // A snapshot: what is assigned later is not in it.
    let mut targets: Option<Vec<String>> = match &user.assigned {
        Some(assigned) => Some(assigned.keys().cloned().collect()),
        None => world.grant(&app.id, &user.id).and_then(|grant| grant.pages.clone()),
    };
    if let Some(assets) = call.list("asset") {
        let granted = |id: &String| targets.as_ref().is_none_or(|targets| targets.contains(id));
        if !assets.iter().all(granted) {
            return Err(invalid());
        }
        targets = Some(assets);
    }
    let value = new_token();
    world.tokens.push(Token {
        value: value.clone(),
        kind: TokenKind::SystemUser,
        app_id: app.id,
        user_id: user.id.clone(),
        scopes,
        targets,
        issued_at: now,
        expires_at: if for_60_days { now + SIXTY_DAYS } else { 0 },
        data_access_expires_at: 0,
        state: TokenState::Valid,
        app_role: true,
        origin: Origin::Issued,
    });
    Ok(issued(&value, for_60_days.then_some(SIXTY_DAYS)))
}

/// The proof, which these calls require: of the caller's token, with the secret of the app that
/// the new token is for.
fn check_proof(world: &World, call: &Call, caller: &Token, app_id: &str) -> Result<(), Refusal> {
    let refused = |text: &str| Err(Refusal::new(100, "GraphMethodException", text));
    let Some(proof) = call.given("appsecret_proof") else {
        return refused("API calls from the server require an appsecret_proof argument");
    };
    let right = world.app(app_id).is_some_and(|app| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()) else { return false };
        mac.update(caller.value.as_bytes());
        hex::decode(proof).is_ok_and(|proof| mac.verify_slice(&proof).is_ok())
    });
    if right { Ok(()) } else { refused("Invalid appsecret_proof provided in the API argument") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::sandbox::call::Parts;

    #[test]
    fn the_proof_is_of_the_callers_token() {
        let mut world = World::new(Clock::system());
        world.apps[0].secret = "0123456789abcdef0123456789abcdef".into();
        let proves = |token: &str, proof: &str| {
            let query = format!("appsecret_proof={proof}");
            let call =
                Call::new(&Parts { method: "POST", path: "/1/access_tokens", query: &query, ..Parts::default() });
            let caller = Token { value: token.into(), ..world.tokens[0].clone() };
            check_proof(&world, &call, &caller, &world.apps[0].id).is_ok()
        };
        let proof = "86a5be7cf67a95dff44cd78a03ae002f7a9b3469b15fe8c622988b92e5c552d3";
        assert!(proves("EAAEmulatorAdminToken0001", proof));
        assert!(!proves("EAAEmulatorSystemUserToken0001", proof) && !proves("EAAEmulatorAdminToken0001", ""));
    }
}
