//! `/{page}/subscribed_apps`: read, replaced, removed.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::page::{has_task, own_page};
use super::{Answer, Answered, Call, Caller, Refusal, World};
use super::{caller, holder, one_of, require_task, required, success, unsupported};
use crate::sandbox::rules::SubscribedAppsMode;

/// In the order in which Graph's own error lists them.
pub(super) static FIELDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../subscribed_fields.txt").lines().collect());

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    // An app may remove its own subscription; everything else needs the Page.
    if let (Caller::App(app_id), "DELETE") = (caller(world, call, node)?, call.method.as_str()) {
        let id = world.page(node).map(|page| page.id.clone()).ok_or_else(|| unsupported("delete", node))?;
        change(world, &id, |subscribed| drop(subscribed.remove(&app_id)));
        return Ok(success());
    }
    let token = holder(world, call, node)?;
    if token.page().is_none() && world.page(node).is_some_and(|page| page.new_experience) {
        let text = "A Page access token is required for this call for the new Pages experience.";
        return Err(Refusal::oauth(190, text).with_subcode(2_069_032));
    }
    let id = own_page(world, call, &token, node)?;
    for scope in ["pages_manage_metadata", "pages_show_list"] {
        token.require(200, scope)?;
    }
    require_task(world, &token, &id, &["CREATE_CONTENT", "MANAGE", "MODERATE"])?;
    match call.method.as_str() {
        "GET" => {
            let app = world.app(&token.app_id).ok_or_else(|| unsupported("get", node))?;
            let fields = world.page(&id).and_then(|page| page.subscribed.get(&token.app_id));
            let shown = |fields| {
                json!({
                    "category": "Business", "link": "https://example.com/app", "name": app.name, "id": app.id,
                    "subscribed_fields": fields,
                })
            };
            Ok(Answer::ok(json!({"data": fields.map(shown).into_iter().collect::<Vec<Value>>()})))
        }
        "POST" => {
            let fields = wanted(call)?;
            if fields.iter().any(|field| field == "messages") {
                let refuse = |what| Refusal::oauth(200, format!("(#200) To subscribe to the messages field, {what}"));
                if !token.may("pages_messaging") {
                    return Err(refuse("one of these permissions is needed: pages_messaging"));
                }
                if !has_task(world, &token, &id, &["MESSAGING"]) {
                    return Err(refuse("one of these tasks is needed: MESSAGING"));
                }
            }
            let adds = world.rules.subscribed_apps_mode == SubscribedAppsMode::Add;
            change(world, &id, |subscribed| {
                let mut all = subscribed.remove(&token.app_id).filter(|_| adds).unwrap_or_default();
                let new: Vec<String> = fields.into_iter().filter(|field| !all.contains(field)).collect();
                all.extend(new);
                subscribed.insert(token.app_id.clone(), all);
            });
            Ok(success())
        }
        "DELETE" => {
            change(world, &id, |subscribed| drop(subscribed.remove(&token.app_id)));
            Ok(success())
        }
        method => Err(unsupported(method, node)),
    }
}

fn wanted(call: &Call) -> Result<Vec<String>, Refusal> {
    let fields = call.list("subscribed_fields").filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| required("subscribed_fields"))?;
    for (at, field) in fields.iter().enumerate() {
        one_of(&format!("subscribed_fields[{at}]"), field, &FIELDS)?;
    }
    Ok(fields)
}

type Subscribed = std::collections::BTreeMap<String, Vec<String>>;

fn change(world: &mut World, page_id: &str, change: impl FnOnce(&mut Subscribed)) {
    if let Some(page) = world.page_mut(page_id) {
        change(&mut page.subscribed);
    }
}
