//! `GET /me`, `GET /{page}`, `GET /{username}`, `GET /{app}`: an object by its id or name.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Call, Caller, Refusal, Token, World, bad, caller, nonexisting_field};
use super::{conversations, personas, unsupported, without_nulls};
use crate::sandbox::versions::{Feature, Served};
use crate::sandbox::world::Page;

pub(super) static PAGE_FIELDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../page_fields.txt").lines().collect());
const MOST_IDS: usize = 50;
/// Fields that v26.0 has removed.
const OLD_FIELDS: [&str; 5] = ["current_location", "genre", "network", "parking", "start_info"];
const USER_FIELDS: [&str; 9] = [
    "client_business_id",
    "id",
    "name",
    "first_name",
    "last_name",
    "middle_name",
    "name_format",
    "picture",
    "short_name",
];
pub(super) const EDGES: [&str; 4] = ["picture", "conversations", "roles", "tasks"];

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    if world.app(node).is_some() {
        return app(world, call, node);
    }
    let caller = caller(world, call, node)?;
    if personas::is_one(world, node) {
        return personas::by_id(world, call, node);
    }
    let known = super::person::answer(world, call, &caller, node);
    if let Some(found) = known.or_else(|| conversations::by_id(world, call, node)) {
        return found;
    }
    match &caller {
        Caller::App(_) if node == "me" => Err(super::caller::no_such_person()),
        Caller::Holder(token) if node == "me" || node == token.user_id => match token.page() {
            Some(id) if node == "me" => {
                let page = world.page(id).cloned().ok_or_else(|| unsupported("get", id))?;
                page_answer(world, &page, call, Some(token))
            }
            _ => user_answer(world, token, call),
        },
        _ => {
            let page = world.page(node).cloned().ok_or_else(|| {
                if node.bytes().all(|b| b.is_ascii_digit()) {
                    unsupported("get", node)
                } else {
                    Refusal::oauth(803, format!("(#803) Some of the aliases you requested do not exist: {node}"))
                }
            })?;
            let reader = match &caller {
                Caller::Holder(token) => Some(token.as_ref()),
                Caller::App(_) => None,
            };
            page_answer(world, &page, call, reader)
        }
    }
}

/// `GET /app` and `GET /{app-id}`: the calling app, or the app that issued the token.
pub(super) fn app(world: &World, call: &Call, node: &str) -> Answered {
    let id = match caller(world, call, node)? {
        Caller::App(id) => id,
        Caller::Holder(token) => token.app_id,
    };
    let app = world.app(&id).filter(|app| node == "app" || app.id == node).ok_or_else(|| unsupported("get", node))?;
    Ok(Answer::ok(json!({
        "category": "Business", "link": "https://example.com/login", "name": app.name, "id": app.id,
    })))
}

/// `GET /?ids=A,B`: each object under the requested id, for older apps before v26.0.
pub(super) fn several(world: &mut World, call: &Call) -> Answered {
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

/// The requested fields in order, always including `id`.
fn pick(wanted: &[String], known: &[&str], node_type: &str, values: &Value) -> Result<Value, Refusal> {
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
    picked.entry("id").or_insert_with(|| values["id"].clone());
    Ok(picked.into())
}

fn page_answer(world: &mut World, page: &Page, call: &Call, reader: Option<&Token>) -> Answered {
    let wanted = call.fields(&["name", "id"]);
    let own = reader.is_some_and(|token| match token.page() {
        Some(id) => id == page.id,
        None => world.reaches(token, page),
    });
    let public = wanted.iter().all(|field| field == "id" || field == "name");
    let asks = |name: &str| wanted.iter().any(|field| field == name);
    // A person gets the Page's token, a Page its own token.
    let tasks = reader.map(|token| world.tasks_of(token, page).to_vec()).unwrap_or_default();
    let token = match reader.filter(|_| own && asks("access_token") && !tasks.is_empty()) {
        Some(token) if token.page().is_some() => Some(token.value.clone()),
        Some(token) => Some(super::accounts::page_token(world, token, page)),
        None => None,
    };
    let of_person = reader.is_some_and(|token| token.page().is_none());
    let get_started = world.profiles.get(&page.id).is_some_and(|profile| profile.contains_key("get_started"));
    let values = without_nulls(json!({
        "id": page.id,
        "name": page.name,
        "username": page.username,
        "link": format!("https://www.facebook.com/{}/", page.username.as_ref().unwrap_or(&page.id)),
        "category": page.category,
        "category_list": [{"id": "144982405562750", "name": page.category}],
        "is_published": page.is_published,
        "has_added_app": !page.subscribed.is_empty(),
        "is_webhooks_subscribed": !page.subscribed.is_empty(),
        "is_messenger_bot_get_started_enabled": get_started,
        "is_messenger_platform_bot": true,
        "messaging_feature_status": {"hop_v2": false, "ig_multi_app": false, "msgr_multi_app": false},
        "tasks": (asks("tasks") && of_person).then_some(tasks),
        "access_token": token,
    }));
    if !Served::of(world.day(), call.version).has(Feature::OldPageFields, Date::MIN)
        && let Some(old) = wanted.iter().find(|field| OLD_FIELDS.contains(&name_of(field)))
    {
        return Err(nonexisting_field(name_of(old), "Page"));
    }
    // Unknown fields are refused before permissions are checked.
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

fn user_answer(world: &World, token: &Token, call: &Call) -> Answered {
    let wanted = call.fields(&["name", "id"]);
    let name = world.name_of(token).ok_or_else(|| unsupported("get", &token.user_id))?;
    let (first, last) = name.split_once(' ').unzip();
    let business = world.system_user(&token.user_id).filter(|user| user.assigned.is_none());
    let business = business.map(|user| &user.business_id);
    let values = json!({
        "id": token.user_id, "name": name, "first_name": first, "last_name": last, "client_business_id": business,
    });
    pick(&wanted, &USER_FIELDS, "User", &without_nulls(values)).map(Answer::ok)
}
