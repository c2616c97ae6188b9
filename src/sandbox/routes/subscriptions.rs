//! `/{app-id}/subscriptions`: where an app hears of its Pages, verified while the
//! caller waits (graph/FACTS.md, "An app's webhook").

use serde_json::{Value, json};

use super::parameter::required;
use super::subscribed_apps::FIELDS;
use super::{Caller, Reply, caller, unsupported};
use crate::http::Url;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::callback::is_callback;
use crate::sandbox::world::{Subscription, World};

const OBJECTS: [&str; 6] = ["user", "page", "permissions", "payments", "instagram", "whatsapp_business_account"];

/// What changes once the callback has answered.
pub(in crate::sandbox) struct Change {
    /// The callback.
    pub url: Url,
    /// What it is asked with.
    pub verify_token: String,
    app_id: String,
    object: String,
    callback_url: String,
    fields: Vec<String>,
    include_values: Option<bool>,
}

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Reply, Refusal> {
    let Caller::App(app_id) = caller(world, call, node)? else {
        return Err(Refusal::oauth(15, "(#15) This method must be called with an app access_token."));
    };
    let method = call.method.to_lowercase();
    if app_id != node && node != "app" {
        return Err(unsupported(&method, node));
    }
    match call.method.as_str() {
        "GET" => Ok(list(world, call, &app_id)),
        "POST" => subscribe(world, call, &app_id),
        "DELETE" => remove(world, call, &app_id),
        _ => Err(unsupported(&method, node)),
    }
}

fn success() -> Reply {
    Reply::Now(Answer::ok(json!({"success": true})))
}

fn list(world: &World, call: &Call, app_id: &str) -> Reply {
    let (major, minor) = super::served(world, call).version;
    let shown = |one: &Subscription| {
        let fields: Vec<Value> =
            one.fields.iter().map(|name| json!({"name": name, "version": format!("v{major}.{minor}")})).collect();
        json!({"object": one.object, "callback_url": one.callback_url, "active": one.active, "fields": fields})
    };
    let own: Vec<Value> = world.subscriptions.iter().filter(|one| one.app_id == app_id).map(shown).collect();
    Reply::Now(Answer::ok(json!({ "data": own })))
}

fn subscribe(world: &mut World, call: &Call, app_id: &str) -> Result<Reply, Refusal> {
    let named = |name: &str| call.parameter(name).filter(|value| !value.is_empty());
    let object = named("object").ok_or_else(|| required("object"))?;
    if !OBJECTS.contains(&object) {
        let known = OBJECTS.join(", ");
        return Err(Refusal::oauth(100, format!("(#100) Param object must be one of {{{known}}} - got \"{object}\".")));
    }
    let fields = fields(call, object)?;
    let existing = world.subscriptions.iter_mut().find(|one| one.app_id == app_id && one.object == object);
    let is_known = existing.is_some();
    let include_values = named("include_values").map(|_| call.is_on("include_values"));
    let fields = fields.unwrap_or_default();
    let (callback_url, verify_token) = match (existing, named("callback_url"), named("verify_token")) {
        (Some(existing), None, None) => {
            if fields.is_empty() {
                return Err(required("fields"));
            }
            amend(&mut existing.fields, fields);
            existing.include_values = include_values.unwrap_or(existing.include_values);
            return Ok(success());
        }
        (Some(existing), callback_url, verify_token) => {
            (callback_url.unwrap_or(&existing.callback_url).to_owned(), verify_token)
        }
        (None, callback_url, verify_token) => {
            (callback_url.ok_or_else(|| required("callback_url"))?.to_owned(), verify_token)
        }
    };
    let verify_token = verify_token.ok_or_else(|| required("verify_token"))?.to_owned();
    if fields.is_empty() && !is_known {
        return Err(required("fields"));
    }
    let url = Url::parse(&callback_url).ok().filter(is_callback);
    let url = url.ok_or_else(|| {
        Refusal::oauth(100, "(#100) Param callback_url must be a valid HTTPS URL (http is for this machine alone).")
    })?;
    let (app_id, object) = (app_id.to_owned(), object.to_owned());
    Ok(Reply::Verified(Box::new(Change { url, verify_token, app_id, object, callback_url, fields, include_values })))
}

fn amend(fields: &mut Vec<String>, more: Vec<String>) {
    for field in more {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
}

fn fields(call: &Call, object: &str) -> Result<Option<Vec<String>>, Refusal> {
    let Some(fields) = call.list("fields") else { return Ok(None) };
    if object == "page"
        && let Some((at, field)) = fields.iter().enumerate().find(|(_, field)| !FIELDS.contains(&field.as_str()))
    {
        let known = FIELDS.join(", ");
        return Err(Refusal::oauth(
            100,
            format!("(#100) Param fields[{at}] must be one of {{{known}}} - got \"{field}\"."),
        ));
    }
    Ok(Some(fields))
}

/// What becomes of a change once the callback has answered, or has not.
pub(super) fn finish(world: &mut World, change: Change, verified: Result<(), Refusal>) -> Result<Answer, Refusal> {
    verified?;
    // What else has changed meanwhile stays.
    let meant = |one: &&mut Subscription| one.app_id == change.app_id && one.object == change.object;
    if let Some(one) = world.subscriptions.iter_mut().find(meant) {
        amend(&mut one.fields, change.fields);
        one.callback_url = change.callback_url;
        one.verify_token = change.verify_token;
        one.include_values = change.include_values.unwrap_or(one.include_values);
        one.active = true;
    } else {
        world.subscriptions.push(Subscription {
            app_id: change.app_id,
            object: change.object,
            callback_url: change.callback_url,
            verify_token: change.verify_token,
            active: true,
            fields: change.fields,
            include_values: change.include_values.unwrap_or_default(),
        });
    }
    Ok(Answer::ok(json!({"success": true})))
}

fn remove(world: &mut World, call: &Call, app_id: &str) -> Result<Reply, Refusal> {
    let object = call.parameter("object");
    let fields = call.list("fields").filter(|fields| !fields.is_empty());
    if object.is_none() && fields.is_some() {
        return Err(required("object"));
    }
    let meant = |one: &Subscription| one.app_id == app_id && object.is_none_or(|object| one.object == object);
    match fields {
        Some(fields) => {
            for one in world.subscriptions.iter_mut().filter(|one| meant(one)) {
                one.fields.retain(|field| !fields.contains(field));
            }
        }
        None => world.subscriptions.retain(|one| !meant(one)),
    }
    Ok(success())
}
