//! `/{page}/subscribed_apps`: read, replaced, removed.

use std::sync::LazyLock;

use serde_json::json;

use super::page::{has_task, page_id, require_task};
use super::parameter::required;
use super::{Caller, caller, unsupported};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::rules::SubscribedAppsMode;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::World;

/// In the order in which Graph's own error lists them.
pub(super) static FIELDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("../subscribed_fields.txt").lines().collect());

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    let caller = caller(world, call, node)?;
    let success = || Answer::ok(json!({"success": true}));
    // An app may take its own subscription away; everything else needs the Page.
    if let (Caller::App(app_id), "DELETE") = (&caller, call.method.as_str()) {
        let app_id = app_id.clone();
        let id = page_id(world, &caller, node).ok_or_else(|| unsupported("delete", node))?;
        change(world, &id, |subscribed| drop(subscribed.remove(&app_id)));
        return Ok(success());
    }
    let token = match &caller {
        Caller::App(_) => {
            return Err(Refusal {
                status: Some(400),
                ..Refusal::oauth(102, "A user access token is required to request this resource.")
            });
        }
        Caller::Holder(token) => token.as_ref().clone(),
    };
    let method = call.method.to_lowercase();
    let TokenKind::Page(own) = &token.kind else {
        if world.page(node).is_some_and(|page| page.new_experience) {
            let text = "A Page access token is required for this call for the new Pages experience.";
            return Err(Refusal { subcode: Some(2_069_032), ..Refusal::oauth(190, text) });
        }
        return Err(Refusal::oauth(210, "(#210) A page access token is required to request this resource."));
    };
    let id = page_id(world, &caller, node).filter(|id| id == own).ok_or_else(|| unsupported(&method, node))?;
    for scope in ["pages_manage_metadata", "pages_show_list"] {
        require(&token, scope)?;
    }
    require_task(world, &id, &["CREATE_CONTENT", "MANAGE", "MODERATE"])?;
    match call.method.as_str() {
        "GET" => {
            let app = world.app(&token.app_id).ok_or_else(|| unsupported("get", node))?;
            let fields = world.page(&id).and_then(|page| page.subscribed.get(&token.app_id));
            let data: Vec<_> = fields
                .map(|fields| {
                    json!({
                        "category": "Business", "link": "https://example.com/app", "name": app.name, "id": app.id,
                        "subscribed_fields": fields,
                    })
                })
                .into_iter()
                .collect();
            Ok(Answer::ok(json!({"data": data})))
        }
        "POST" => {
            let fields = wanted(call)?;
            if fields.iter().any(|field| field == "messages") {
                let refuse = |what| Refusal::oauth(200, format!("(#200) To subscribe to the messages field, {what}"));
                if !token.may("pages_messaging") {
                    return Err(refuse("one of these permissions is needed: pages_messaging"));
                }
                if !has_task(world, &id, &["MESSAGING"]) {
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
        _ => Err(unsupported(&method, node)),
    }
}

fn require(token: &Token, scope: &str) -> Result<(), Refusal> {
    if token.may(scope) {
        return Ok(());
    }
    Err(Refusal::oauth(200, format!("(#200) Requires {scope} permission to manage the object")))
}

fn wanted(call: &Call) -> Result<Vec<String>, Refusal> {
    let fields = call.list("subscribed_fields").filter(|fields| !fields.is_empty());
    let fields = fields.ok_or_else(|| required("subscribed_fields"))?;
    for (at, field) in fields.iter().enumerate() {
        if !FIELDS.contains(&field.as_str()) {
            let known = FIELDS.join(", ");
            return Err(Refusal::oauth(
                100,
                format!("(#100) Param subscribed_fields[{at}] must be one of {{{known}}} - got \"{field}\"."),
            ));
        }
    }
    Ok(fields)
}

type Subscribed = std::collections::BTreeMap<String, Vec<String>>;

fn change(world: &mut World, page_id: &str, change: impl FnOnce(&mut Subscribed)) {
    if let Some(page) = world.page_mut(page_id) {
        change(&mut page.subscribed);
    }
}
