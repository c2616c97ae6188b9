//! Routes each call, after the checks that all calls share: version, token, signature.

mod accounts;
mod assigned;
mod businesses;
mod caller;
mod conversations;
mod debug_token;
mod dialog;
mod message_attachments;
mod message_content;
mod messages;
mod messenger_profile;
mod node;
mod oauth;
mod page;
mod paging;
mod parameter;
mod permissions;
mod person;
mod personas;
mod replies;
mod revoke;
mod subscribed_apps;
mod subscriptions;
mod system_users;
mod thread_control;

use jiff::civil::Date;

use super::answer::{Answer, Refusal};
use super::batch::{self, Batch};
use super::call::Call;
use super::people::Person;
use super::tokens::{Token, TokenKind};
use super::versions::{self, Feature, Served};
use super::world::World;
use crate::json::without_nulls;
use caller::{Caller, caller, holder};
use page::{of_page, recipient_of, require_task};
use paging::Part;
use parameter::{at_most, bad, bad_with, is_url, list, need, need_value, one_of, required};
use replies::{Answered, nonexisting_field, success, unsupported};

pub(super) use caller::unproven;
pub(super) use subscriptions::finish;

/// The result of a call.
pub(super) enum Reply {
    Now(Answer),
    /// A callback has to be asked first; then [`finish`] gives the answer.
    Verified(Box<subscriptions::Change>),
    /// Several calls have to be made.
    Batch(Box<Batch>),
}

pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    dispatch(world, call).unwrap_or_else(|refusal| Reply::Now(refusal.into()))
}

/// The answer to a call above a limit, if its token is valid otherwise.
pub(super) fn throttled(world: &World, call: &Call, refusal: Refusal) -> Reply {
    let node = call.segments.first().map(String::as_str).unwrap_or_default();
    Reply::Now(caller(world, call, node).err().unwrap_or(refusal).into())
}

/// The version that an answer names: an expired one is served as the oldest.
pub(super) fn served(world: &World, call: &Call) -> Served {
    Served::of(world.day(), call.version)
}

/// Features closed to the calling app. Meta's text was not recorded.
fn closed(world: &World, call: &Call) -> Option<Refusal> {
    let app = call.token.as_ref().and_then(|(token, _)| match token.split_once('|') {
        Some((id, _)) => world.app(id),
        None => world.token(token).and_then(|token| world.app(&token.app_id)),
    });
    let made = app.map_or(Date::MIN, |app| app.made);
    let fields = call.parameter("fields").unwrap_or_default();
    let used = [
        (Feature::Ids, "ids", call.method == "GET" && call.segments.is_empty() && call.given("ids").is_some()),
        (Feature::DateFormat, "date_format", call.given("date_format").is_some()),
        (Feature::MethodOverride, "method", call.overridden),
        (Feature::Alias, "fields", fields.contains(".as(")),
        (Feature::Jsonp, "callback", call.given("callback").is_some()),
    ];
    let served = served(world, call);
    let refused = used.into_iter().find(|(feature, _, used)| *used && !served.has(*feature, made));
    refused.map(|(_, name, _)| bad(format!("The parameter {name} is no longer supported")))
}

fn dispatch(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    // A page for people has its own refusals.
    if let (false, "GET" | "POST", "/dialog/oauth") = (call.in_batch, call.method.as_str(), call.path().as_str()) {
        return Ok(Reply::Now(dialog::answer(world, call)));
    }
    if call.version.is_some_and(|version| version > versions::range(world.day()).1) {
        return Err(unknown_path(call));
    }
    if let Some(refusal) = closed(world, call) {
        return Err(refusal);
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let answer = match (call.method.as_str(), segments.as_slice()) {
        (_, [node, "subscriptions"]) => return subscriptions::answer(world, call, node),
        ("POST", [node, "messages"]) => messages::answer(world, call, node),
        ("POST", []) if call.parameter("batch").is_some() && !call.in_batch => {
            return Ok(Reply::Batch(Box::new(batch::read(world, call)?)));
        }
        ("GET", []) if call.given("ids").is_some() => node::several(world, call),
        (_, []) => Err(Refusal::new(100, "GraphMethodException", "No node specified")),
        ("GET" | "POST", ["oauth", "access_token"]) => oauth::access_token(world, call),
        ("GET" | "POST", ["oauth", "revoke"]) => revoke::token(world, call),
        ("GET", ["debug_token"]) => debug_token::answer(world, call),
        ("GET", ["app"]) => node::app(world, call, "app"),
        (_, [node, "subscribed_apps"]) => subscribed_apps::answer(world, call, node),
        ("GET", [node, "accounts"]) => accounts::answer(world, call, node),
        ("GET", ["me", "businesses"]) => businesses::of_person(world, call),
        ("GET", [node, edge @ ("owned_pages" | "client_pages")]) => businesses::pages(world, call, node, edge),
        ("GET", [node, "permissions"]) => permissions::answer(world, call, node),
        ("DELETE", [node, "permissions"]) => revoke::permissions(world, call, node, None),
        ("DELETE", [node, "permissions", one]) => revoke::permissions(world, call, node, Some(one)),
        (_, [node, "system_users"]) => system_users::answer(world, call, node),
        ("POST", [node, "applications"]) => system_users::install(world, call, node),
        (_, [node, "access_tokens"]) => system_users::tokens(world, call, node),
        ("POST", [node, "system_user_access_tokens"]) => system_users::tokens_of_business(world, call, node),
        (_, [node, "assigned_users"]) => assigned::users(world, call, node),
        ("GET", [node, "assigned_pages"]) => assigned::pages(world, call, node),
        ("POST", [node, "message_attachments"]) => message_attachments::answer(world, call, node),
        (_, [node, "messenger_profile"]) => messenger_profile::answer(world, call, node),
        (_, [node, "custom_user_settings"]) => messenger_profile::of_person(world, call, node),
        (_, [node, "personas"]) => personas::answer(world, call, node),
        ("GET", [node, "conversations"]) => conversations::of_a_page(world, call, node),
        ("GET", [node, "messages"]) => conversations::messages_of(world, call, node),
        ("GET", [node, "thread_owner"]) => thread_control::owner(world, call, node),
        ("GET", [node, "secondary_receivers"]) => thread_control::receivers(world, call, node),
        (_, [node, edge]) if thread_verb(edge).is_some() => {
            thread_control::change(world, call, node, thread_verb(edge).unwrap_or_default())
        }
        ("DELETE", [node]) if personas::is_one(world, node) => personas::by_id(world, call, node),
        ("GET", [node]) => node::answer(world, call, node),
        (method, [node, ..]) => {
            caller(world, call, node)?;
            Err(if method == "GET" { unknown_path(call) } else { unsupported(method, node) })
        }
    };
    answer.map(Reply::Now)
}

/// `pass` in `pass_thread_control`.
fn thread_verb(edge: &str) -> Option<&str> {
    let verb = edge.strip_suffix("_thread_control")?;
    ["pass", "take", "request", "release", "extend"].contains(&verb).then_some(verb)
}

fn unknown_path(call: &Call) -> Refusal {
    Refusal::oauth(2500, format!("Unknown path components: {}", call.path()))
}
