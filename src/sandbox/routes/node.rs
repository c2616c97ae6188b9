//! `GET /me`, `GET /{page}`, `GET /{username}`, `GET /{app}`: a node by its id or name.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::parameter::bad;
use super::{Caller, caller, nonexisting_field, unsupported};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::versions::Feature;
use crate::sandbox::world::{Page, World};

pub(super) static PAGE_FIELDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../page_fields.txt").lines().collect());
const MOST_IDS: usize = 50;
/// Fields that v26.0 no longer has.
const OLD_FIELDS: [&str; 5] = ["current_location", "genre", "network", "parking", "start_info"];
const USER_FIELDS: [&str; 8] =
    ["id", "name", "first_name", "last_name", "middle_name", "name_format", "picture", "short_name"];
pub(super) const EDGES: [&str; 4] = ["picture", "conversations", "roles", "tasks"];

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    let caller = caller(world, call, node)?;
    if world.app(node).is_some() {
        return super::app::by_id(world, call, node);
    }
    let known = super::person::answer(world, call, &caller, node)
        .or_else(|| super::conversations::by_id(world, call, node))
        .or_else(|| super::personas::by_id(world, call, node));
    if let Some(found) = known {
        return found;
    }
    match &caller {
        Caller::App(_) if node == "me" => Err(Refusal::oauth(
            2500,
            "An active access token must be used to query information about the current user.",
        )),
        Caller::Holder(token) if node == "me" || node == token.user_id => match &token.kind {
            TokenKind::Page(id) if node == "me" => {
                let page = world.page(id).cloned().ok_or_else(|| unsupported("get", id))?;
                page_answer(world, &page, call, Some(token))
            }
            _ => user_answer(world, token, call),
        },
        _ => {
            let Some(page) = world.page(node).cloned() else {
                return Err(if node.bytes().all(|b| b.is_ascii_digit()) {
                    unsupported("get", node)
                } else {
                    Refusal::oauth(803, format!("(#803) Some of the aliases you requested do not exist: {node}"))
                });
            };
            let reader = match &caller {
                Caller::Holder(token) => Some(token.as_ref()),
                Caller::App(_) => None,
            };
            page_answer(world, &page, call, reader)
        }
    }
}

/// `GET /?ids=A,B`: each under the id it was asked by, for older apps before v26.0.
pub(super) fn several(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let ids = call.list("ids").unwrap_or_default();
    if ids.len() > MOST_IDS {
        return Err(bad(format!("Too many IDs. Maximum: {MOST_IDS}. Provided: {}.", ids.len())));
    }
    let mut found = Map::new();
    for id in ids {
        let body = answer(world, call, &id)?.body;
        found.insert(id, body);
    }
    Ok(Answer::ok(found.into()))
}

/// `accounts` in `accounts.limit(3){id}`.
pub(super) fn name_of(field: &str) -> &str {
    field.split(['{', '.']).next().unwrap_or(field)
}

/// The fields that were asked for, in that order, `id` always among them.
fn pick(wanted: &[String], known: &[&str], node_type: &str, values: &Map<String, Value>) -> Result<Value, Refusal> {
    let mut picked = Map::new();
    for field in wanted {
        let name = name_of(field);
        if !known.contains(&name) && !EDGES.contains(&name) {
            return Err(nonexisting_field(name, node_type));
        }
        if let Some(value) = values.get(name) {
            picked.insert(name.into(), value.clone());
        }
    }
    if let Some(id) = values.get("id") {
        picked.entry("id").or_insert_with(|| id.clone());
    }
    Ok(Value::Object(picked))
}

fn default_fields() -> Vec<String> {
    vec!["name".into(), "id".into()]
}

fn page_answer(world: &mut World, page: &Page, call: &Call, reader: Option<&Token>) -> Result<Answer, Refusal> {
    let wanted = call.list("fields").unwrap_or_else(default_fields);
    let own = reader.is_some_and(|token| match &token.kind {
        TokenKind::Page(id) => *id == page.id,
        _ => true,
    });
    let public = wanted.iter().all(|field| field == "id" || field == "name");
    let mut values = Map::new();
    values.insert("id".into(), page.id.clone().into());
    values.insert("name".into(), page.name.clone().into());
    if let Some(username) = &page.username {
        values.insert("username".into(), username.clone().into());
        values.insert("link".into(), format!("https://www.facebook.com/{username}/").into());
    } else {
        values.insert("link".into(), format!("https://www.facebook.com/{}/", page.id).into());
    }
    values.insert("category".into(), page.category.clone().into());
    values.insert("category_list".into(), json!([{"id": "144982405562750", "name": page.category}]));
    values.insert("is_published".into(), page.is_published.into());
    values.insert("has_added_app".into(), (!page.subscribed.is_empty()).into());
    values.insert("is_webhooks_subscribed".into(), (!page.subscribed.is_empty()).into());
    let get_started = world.profiles.get(&page.id).is_some_and(|profile| profile.contains_key("get_started"));
    values.insert("is_messenger_bot_get_started_enabled".into(), get_started.into());
    values.insert("is_messenger_platform_bot".into(), true.into());
    let routing = json!({"hop_v2": false, "ig_multi_app": false, "msgr_multi_app": false});
    values.insert("messaging_feature_status".into(), routing);
    if wanted.iter().any(|field| field == "tasks")
        && reader.is_some_and(|token| !matches!(token.kind, TokenKind::Page(_)))
    {
        values.insert("tasks".into(), page.tasks.clone().into());
    }
    if let Some(token) = reader.filter(|_| own)
        && wanted.iter().any(|field| field == "access_token")
        && !page.tasks.is_empty()
    {
        // A person gets the Page's token, a Page its own.
        let value = match token.kind {
            TokenKind::Page(_) => token.value.clone(),
            _ => super::accounts::page_token(world, token, page),
        };
        values.insert("access_token".into(), value.into());
    }
    if !super::served(world, call).has(Feature::OldPageFields, Date::MIN)
        && let Some(old) = wanted.iter().find(|field| OLD_FIELDS.contains(&name_of(field)))
    {
        return Err(nonexisting_field(name_of(old), "Page"));
    }
    // Unknown fields are refused before permissions are looked at.
    let picked = pick(&wanted, &PAGE_FIELDS, "Page", &values)?;
    let may_read = own && reader.is_some_and(|token| token.may("pages_read_engagement"));
    let allowed = may_read || own && public;
    if !allowed {
        return Err(Refusal::oauth(
            100,
            "(#100) Object does not exist, cannot be loaded due to missing permission or reviewable feature, or does not support this operation. This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' feature or the 'Page Public Metadata Access' feature. Refer to https://developers.facebook.com/docs/apps/review/login-permissions#manage-pages, https://developers.facebook.com/docs/apps/review/feature#reference-PAGES_ACCESS and https://developers.facebook.com/docs/apps/review/feature#page-public-metadata-access for details.",
        ));
    }
    Ok(Answer::ok(picked))
}

fn user_answer(world: &World, token: &Token, call: &Call) -> Result<Answer, Refusal> {
    let wanted = call.list("fields").unwrap_or_else(default_fields);
    let user = world.users.iter().find(|user| user.id == token.user_id);
    let user = user.ok_or_else(|| unsupported("get", &token.user_id))?;
    let mut values = Map::new();
    values.insert("id".into(), user.id.clone().into());
    values.insert("name".into(), user.name.clone().into());
    if let Some((first, last)) = user.name.split_once(' ') {
        values.insert("first_name".into(), first.into());
        values.insert("last_name".into(), last.into());
    }
    pick(&wanted, &USER_FIELDS, "User", &values).map(Answer::ok)
}
