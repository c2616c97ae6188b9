//! `/dialog/oauth`: the page on which a person logs in and grants an app permissions and Pages.
//! Meta has several steps; here they are one form, which a script can fill in too.

mod page;
mod redirect;
mod refusal;

use std::collections::HashSet;

use super::{Answer, Call, Token, TokenKind, World};
use crate::sandbox::apps::{App, Configuration, ConfiguredToken, LoginError, LoginKind};
use crate::sandbox::grants::{Challenge, Code, Grant, new_code, new_token};
use crate::sandbox::people::digits;
use crate::sandbox::rules::Access;
use crate::sandbox::tokens::{Origin, TokenState};
use crate::sandbox::versions;
use crate::sandbox::world::{Page, SCOPES, User};
use refusal::Refused;

const DAY: i64 = 86_400;
/// What every login grants.
const BASIC: &str = "public_profile";

/// A dialog that an app has opened as Meta demands.
struct Dialog<'w> {
    app: &'w App,
    configuration: Option<&'w Configuration>,
    /// The permissions that it asks for.
    permissions: Vec<String>,
}

/// The next step.
enum Step {
    Show(String),
    Grant(Grant, Box<Code>),
    /// Back to the app without a grant.
    Back(String),
}

pub(super) fn answer(world: &mut World, call: &Call) -> Answer {
    match step(world, call) {
        Ok(Step::Show(html)) => page::answer(200, html),
        Ok(Step::Back(target)) => page::redirect(target),
        Ok(Step::Grant(grant, code)) => {
            let target = redirect::granted(world, call, &grant, &code);
            let of_system_user = code.token.kind == TokenKind::SystemUser;
            if of_system_user && world.system_user(&grant.user_id).is_none() {
                world.integrate(&grant);
            }
            world.replace_grant(grant, of_system_user);
            if redirect::asks(call, "token") {
                world.tokens.push(code.token.clone());
            }
            world.codes.push(*code);
            page::redirect(target)
        }
        Err(refused) => page::answer(400, page::refusal(call, &refused)),
    }
}

fn step(world: &World, call: &Call) -> Result<Step, Refused> {
    let action = call.given("action").filter(|_| call.method == "POST");
    let dialog = match dialog(world, call) {
        // The broken dialog's only button leads back, as if the person had cancelled.
        Err(Refused::Login(LoginError::SomethingWentWrong)) if action.is_some() => {
            return Ok(Step::Back(redirect::denied(call)));
        }
        dialog => dialog?,
    };
    if action == Some("cancel") {
        return Ok(Step::Back(redirect::denied(call)));
    }
    let Some(user) = person(world, call, &dialog)? else {
        return Ok(Step::Show(page::form(world, call, &dialog, None)));
    };
    let holder = dialog.holder(user);
    let earlier = world.grant(&dialog.app.id, &holder);
    let again = call
        .list("auth_type")
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == "rerequest" || kind == "reauthorize"));
    // As at Meta, an earlier grant is reused without a question.
    let reused = earlier.filter(|grant| !again && dialog.permissions.iter().all(|one| grant.knows(one)));
    let grant = match (reused, action) {
        (Some(grant), _) => grant.clone(),
        (None, Some("continue")) => chosen(world, call, &dialog, user, holder),
        (None, _) => return Ok(Step::Show(page::form(world, call, &dialog, Some(user)))),
    };
    Ok(match dialog.app.login_error {
        Some(LoginError::UserDenied) => Step::Back(redirect::denied(call)),
        Some(LoginError::ServerError) => Step::Back(redirect::failed(call)),
        _ => {
            let code = code(world, call, &dialog, user, &grant);
            Step::Grant(grant, Box::new(code))
        }
    })
}

/// Checks what the app has sent.
fn dialog<'w>(world: &'w World, call: &Call) -> Result<Dialog<'w>, Refused> {
    use LoginError::{AppMissing, InvalidScopes, NoSupportedPermission, ServerError, SomethingWentWrong, UserDenied};
    if call.version.is_some_and(|version| version > versions::range(world.day()).1) {
        return Err(Refused::Version);
    }
    let app = call.given("client_id").and_then(|id| world.app(id)).ok_or(Refused::Login(AppMissing))?;
    redirect::check(app, call)?;
    let asked: Vec<String> = call.given("scope").map_or_else(Vec::new, split);
    let refused = |asked: &[String]| {
        let unknown: Vec<String> = asked.iter().filter(|one| !app.offers(one)).cloned().collect();
        Refused::Scopes(if unknown.is_empty() { asked.to_vec() } else { unknown })
    };
    match app.login_error {
        None | Some(UserDenied | ServerError) => {}
        Some(InvalidScopes) => return Err(refused(&asked)),
        Some(error) => return Err(Refused::Login(error)),
    }
    let broken = Err(Refused::Login(SomethingWentWrong));
    let config_id = call.given("config_id");
    if app.login == LoginKind::Classic {
        if config_id.is_some() {
            return broken;
        }
        if !asked.iter().all(|permission| app.offers(permission)) {
            return Err(refused(&asked));
        }
        return Ok(Dialog { app, configuration: None, permissions: with_basic(asked) });
    }
    let Some(config_id) = config_id else {
        let basic = asked.iter().all(|one| one == BASIC || one == "email");
        return Err(if basic { Refused::Login(NoSupportedPermission) } else { refused(&asked) });
    };
    let is_own = |one: &&Configuration| one.id == config_id && one.app.as_ref().is_none_or(|id| *id == app.id);
    let Some(configuration) = world.configurations.iter().find(is_own) else { return broken };
    let of_system_user = configuration.token != ConfiguredToken::User;
    let for_system_user = redirect::asks(call, "code")
        && !redirect::asks(call, "token")
        && call.given("override_default_response_type") == Some("true")
        && asked.is_empty();
    if of_system_user && !for_system_user || !app.is_live() && !world.rules.business_login_in_development {
        return broken;
    }
    let own = configuration.permissions.clone().unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec());
    let permissions = if of_system_user { own } else { with_basic([own, asked].concat()) };
    Ok(Dialog { app, configuration: Some(configuration), permissions })
}

/// `a,b c` without repetitions.
fn split(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty() && seen.insert(*part));
    parts.map(str::to_owned).collect()
}

fn with_basic(mut permissions: Vec<String>) -> Vec<String> {
    if !permissions.iter().any(|one| one == BASIC) {
        permissions.push(BASIC.into());
    }
    permissions
}

/// The person who logs in; `None`: not chosen yet.
fn person<'w>(world: &'w World, call: &Call, dialog: &Dialog) -> Result<Option<&'w User>, Refused> {
    let user = match (call.given("person"), world.users.as_slice()) {
        (Some(id), _) => world.user(id),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    match user {
        Some(user) if user.app_role => Ok(Some(user)),
        Some(_) if !dialog.app.is_live() => Err(Refused::Login(LoginError::AppNotActive)),
        Some(_) if world.rules.access == Access::Standard => Err(Refused::Login(LoginError::NoSupportedPermission)),
        user => Ok(user),
    }
}

/// The Pages that a person can tick.
fn pages_of<'w>(world: &'w World, user: &User) -> Vec<&'w Page> {
    let own: Option<HashSet<&str>> = user.pages.as_ref().map(|ids| ids.iter().map(String::as_str).collect());
    let has = |page: &&Page| !page.tasks.is_empty() && own.as_ref().is_none_or(|ids| ids.contains(page.id.as_str()));
    world.pages.iter().filter(has).collect()
}

impl Dialog<'_> {
    /// Whether Pages are chosen.
    fn has_pages(&self) -> bool {
        self.permissions.iter().any(|one| one.starts_with("pages_") || one == "business_management")
    }

    /// Whether each permission can be declined.
    fn is_classic(&self) -> bool {
        self.configuration.is_none()
    }

    /// Whom the token belongs to: the person, or the system user of the app in their business.
    fn holder(&self, user: &User) -> String {
        match self.configuration {
            Some(one) if one.token != ConfiguredToken::User => digits(&format!("integration {}", self.app.id), 17),
            _ => user.id.clone(),
        }
    }
}

/// What the person has filled in.
fn chosen(world: &World, call: &Call, dialog: &Dialog, user: &User, holder: String) -> Grant {
    let sent = |name: &str| -> HashSet<&str> {
        call.parameters.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let (permissions, pages) = (sent("permission"), sent("page"));
    let given = |one: &String| one == BASIC || !dialog.is_classic() || permissions.contains(one.as_str());
    let (granted, declined) = dialog.permissions.iter().cloned().partition(given);
    let all = call.given("pages") == Some("all");
    let ticked = pages_of(world, user).into_iter().filter(|page| pages.contains(page.id.as_str()));
    Grant {
        app_id: dialog.app.id.clone(),
        user_id: holder,
        granted,
        declined,
        pages: (!all).then(|| ticked.map(|page| page.id.clone()).collect()),
    }
}

fn code(world: &World, call: &Call, dialog: &Dialog, user: &User, grant: &Grant) -> Code {
    let now = world.clock.unix_seconds();
    let of = dialog.configuration.map(|one| one.token).unwrap_or_default();
    let life = i64::try_from(world.rules.login_life.as_secs()).unwrap_or_default();
    let token = Token {
        value: new_token(),
        kind: if of == ConfiguredToken::User { TokenKind::User } else { TokenKind::SystemUser },
        app_id: grant.app_id.clone(),
        user_id: grant.user_id.clone(),
        scopes: grant.granted.clone(),
        targets: grant.pages.clone(),
        issued_at: now,
        expires_at: match of {
            ConfiguredToken::User => now + life,
            ConfiguredToken::SystemUser => 0,
            ConfiguredToken::SystemUser60Days => now + 60 * DAY,
        },
        data_access_expires_at: if of == ConfiguredToken::User { now + 90 * DAY } else { 0 },
        state: TokenState::Valid,
        app_role: user.app_role,
        origin: Origin::Issued,
    };
    let challenge = call
        .given("code_challenge")
        .map(|value| Challenge { value: value.into(), hashed: call.given("code_challenge_method") == Some("S256") });
    let redirect_uri = call.given("redirect_uri").unwrap_or_default().to_owned();
    Code { value: new_code(), redirect_uri, made_at: now, used: false, challenge, token }
}
