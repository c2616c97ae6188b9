//! Which app has a conversation: `pass_thread_control`, `take_…`, `request_…`,
//! `release_…`, `extend_…`, `thread_owner` and `secondary_receivers`
//! (graph/FACTS.md, "Who has a conversation").

use serde_json::{Value, json};

use super::{Answer, Answered, Call, Person, Refusal, World};
use super::{bad_with, need, need_value, of_page, recipient_of, success, unsupported};
use crate::sandbox::events::Event;
use crate::sandbox::say::INBOX_APP;

/// How long an app keeps a conversation that it took.
const KEPT: i64 = 24 * 3_600;

/// Moves a conversation between apps.
pub(super) fn change(world: &mut World, call: &Call, node: &str, verb: &str) -> Answered {
    let (token, page_id) = of_page(world, call, node)?;
    if call.method != "POST" {
        return Err(unsupported(&call.method, node));
    }
    let person = recipient_of(world, &page_id, &need_value(call, "recipient")?)?;
    let owner = world.thread(&page_id, &person.psid).and_then(|thread| thread.owner.clone());
    let metadata = call.parameter("metadata").unwrap_or_default();
    let elsewhere = owner.as_ref().is_some_and(|owner| *owner != token.app_id);
    match verb {
        "pass" => {
            let target = need(call, "target_app_id")?.to_owned();
            if target != INBOX_APP && world.app(&target).is_none() {
                return Err(bad_with(2_018_164, "Incorrect App ID."));
            }
            refuse_if(elsewhere)?;
            let told = json!({"previous_owner_app_id": token.app_id, "new_owner_app_id": target, "metadata": metadata});
            hand_over(world, &person, Some(target), "pass_thread_control", told);
        }
        "take" => {
            let previous = owner.unwrap_or_default();
            let told =
                json!({"previous_owner_app_id": previous, "new_owner_app_id": token.app_id, "metadata": metadata});
            hand_over(world, &person, Some(token.app_id), "take_thread_control", told);
        }
        "request" => {
            let told = json!({"requested_owner_app_id": token.app_id, "metadata": metadata});
            hand_over(world, &person, owner, "request_thread_control", told);
        }
        "release" => {
            refuse_if(elsewhere)?;
            world.thread_mut(&page_id, &person.psid).owner = None;
        }
        _ => {
            refuse_if(elsewhere)?;
            need(call, "duration")?;
        }
    }
    Ok(success())
}

fn refuse_if(elsewhere: bool) -> Result<(), Refusal> {
    if elsewhere {
        return Err(bad_with(2_018_300, "Message failed to send because another app is controlling this thread now."));
    }
    Ok(())
}

fn hand_over(world: &mut World, person: &Person, owner: Option<String>, name: &str, told: Value) {
    let at = world.clock.now().as_millisecond();
    world.thread_mut(&person.page_id, &person.psid).owner = owner;
    world.outbox.push(Event::by_person(&person.page_id, &person.psid, at, name, told));
}

/// `GET /me/thread_owner?recipient=PSID`
pub(super) fn owner(world: &World, call: &Call, node: &str) -> Answered {
    let (_, page_id) = of_page(world, call, node)?;
    let person = recipient_of(world, &page_id, &need_value(call, "recipient")?)?;
    let owner = world.thread(&page_id, &person.psid).and_then(|thread| thread.owner.as_ref());
    let until = world.clock.unix_seconds() + KEPT;
    let data: Vec<Value> =
        owner.map(|owner| json!({"thread_owner": {"app_id": owner, "expiration": until}})).into_iter().collect();
    Ok(Answer::ok(json!({ "data": data })))
}

/// `GET /me/secondary_receivers`: the other apps of the Page, and its inbox.
pub(super) fn receivers(world: &World, call: &Call, node: &str) -> Answered {
    let (token, page_id) = of_page(world, call, node)?;
    let subscribed = world.page(&page_id).map(|page| &page.subscribed);
    let hears = |id: &String| subscribed.is_some_and(|subscribed| subscribed.contains_key(id));
    let others = world.apps.iter().filter(|app| app.id != token.app_id && hears(&app.id));
    let others = others.map(|app| (app.id.as_str(), app.name.as_str())).chain([(INBOX_APP, "Page Inbox")]);
    let data: Vec<Value> = others.map(|(id, name)| json!({"id": id, "name": name})).collect();
    Ok(Answer::ok(json!({ "data": data })))
}
