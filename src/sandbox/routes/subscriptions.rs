//! `/{app-id}/subscriptions`: where an app receives its Pages' events, verified while the caller
//! waits (graph/FACTS.md, "An app's webhook").

use serde_json::{Value, json};

use super::subscribed_apps::FIELDS;
use super::{Answer, Answered, Call, Caller, Refusal, Reply, World};
use super::{bad, caller, need, one_of, required, success, unsupported};
use crate::http::Url;
use crate::sandbox::callback::is_callback;
use crate::sandbox::world::Subscription;

const OBJECTS: [&str; 6] = ["user", "page", "permissions", "payments", "instagram", "whatsapp_business_account"];

/// A change to make once the callback has answered.
pub(in crate::sandbox) struct Change {
    pub url: Url,
    /// The app's new subscription.
    pub subscription: Subscription,
}

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Reply, Refusal> {
    let Caller::App(app_id) = caller(world, call, node)? else {
        return Err(Refusal::oauth(15, "(#15) This method must be called with an app access_token."));
    };
    match call.method.as_str() {
        method if app_id != node && node != "app" => Err(unsupported(method, node)),
        "GET" => Ok(Reply::Now(list(world, call, &app_id))),
        "POST" => subscribe(world, call, &app_id),
        "DELETE" => remove(world, call, &app_id).map(Reply::Now),
        method => Err(unsupported(method, node)),
    }
}

fn list(world: &World, call: &Call, app_id: &str) -> Answer {
    let (major, minor) = super::served(world, call).version;
    let shown = |one: &Subscription| {
        let fields: Vec<Value> =
            one.fields.iter().map(|name| json!({"name": name, "version": format!("v{major}.{minor}")})).collect();
        json!({"object": one.object, "callback_url": one.callback_url, "active": one.active, "fields": fields})
    };
    let own: Vec<Value> = world.subscriptions.iter().filter(|one| one.app_id == app_id).map(shown).collect();
    Answer::ok(json!({ "data": own }))
}

fn subscribe(world: &mut World, call: &Call, app_id: &str) -> Result<Reply, Refusal> {
    let object = need(call, "object")?;
    one_of("object", object, &OBJECTS)?;
    let fields = call.list("fields").unwrap_or_default();
    for (at, field) in fields.iter().enumerate().filter(|_| object == "page") {
        one_of(&format!("fields[{at}]"), field, &FIELDS)?;
    }
    let existing = world.subscriptions.iter_mut().find(|one| one.app_id == app_id && one.object == object);
    let is_new = existing.is_none();
    let callback_url = match existing {
        Some(existing) if call.given("callback_url").is_none() => {
            if call.given("verify_token").is_none() {
                if fields.is_empty() {
                    return Err(required("fields"));
                }
                amend(&mut existing.fields, fields);
                return Ok(Reply::Now(success()));
            }
            existing.callback_url.clone()
        }
        _ => need(call, "callback_url")?.to_owned(),
    };
    let verify_token = need(call, "verify_token")?.to_owned();
    if fields.is_empty() && is_new {
        return Err(required("fields"));
    }
    let url = Url::parse(&callback_url).ok().filter(is_callback);
    let url =
        url.ok_or_else(|| bad("Param callback_url must be a valid HTTPS URL (http is for this machine alone)."))?;
    let (app_id, object) = (app_id.to_owned(), object.to_owned());
    let subscription = Subscription { app_id, object, callback_url, verify_token, active: true, fields };
    Ok(Reply::Verified(Box::new(Change { url, subscription })))
}

fn amend(fields: &mut Vec<String>, more: Vec<String>) {
    for field in more {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
}

/// Makes or drops a change, depending on the callback's answer.
pub(in crate::sandbox) fn finish(world: &mut World, change: Change, verified: Result<(), Refusal>) -> Answer {
    if let Err(refusal) = verified {
        return refusal.into();
    }
    let new = change.subscription;
    // Keep other changes made in the meantime.
    let meant = |one: &&mut Subscription| one.app_id == new.app_id && one.object == new.object;
    if let Some(one) = world.subscriptions.iter_mut().find(meant) {
        amend(&mut one.fields, new.fields);
        one.callback_url = new.callback_url;
        one.verify_token = new.verify_token;
        one.active = true;
    } else {
        world.subscriptions.push(new);
    }
    success()
}

fn remove(world: &mut World, call: &Call, app_id: &str) -> Answered {
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
