//! People's actions: how each changes the world, and its event.

use serde_json::{Map, Value, json};

use super::{Location, Say};
use crate::json::without_nulls;
use crate::sandbox::events::Event;
use crate::sandbox::people::{Message, new_mid};
use crate::sandbox::versions;
use crate::sandbox::world::World;

/// Changes the world as the person acts; returns the message concerned, and the event.
pub(super) fn act(world: &mut World, page_id: &str, psid: &str, say: &Say) -> Result<(Option<String>, Event), String> {
    let now = world.clock.now();
    let at = now.as_millisecond();
    let by_person = |name: &str, value: Value| Event::by_person(page_id, psid, at, name, value);
    // A link opens the window only in an existing conversation.
    let spoken = world.thread(page_id, psid).is_some_and(|thread| !thread.messages.is_empty());
    let (mid, event) = if let Some(raw) = &say.raw {
        (None, raw_event(page_id, psid, at, raw)?)
    } else if let Some(payload) = &say.postback {
        let mid = new_mid();
        let title = say.title.as_deref().unwrap_or(payload);
        (Some(mid.clone()), by_person("postback", json!({"mid": mid, "title": title, "payload": payload})))
    } else if let Some(emoji) = &say.reaction {
        let mid = known_mid(world, page_id, psid, say.mid.as_deref())?;
        let reaction = if emoji.is_empty() {
            json!({"mid": mid, "action": "unreact"})
        } else {
            json!({"mid": mid, "action": "react", "emoji": emoji, "reaction": reaction_name(emoji)})
        };
        (Some(mid), by_person("reaction", reaction))
    } else if let Some(mid) = &say.edit {
        let text = say.text.as_deref().filter(|text| !text.is_empty()).ok_or("an edited message needs its new text")?;
        let message = own_message(world, page_id, psid, mid)?;
        message.text = text.into();
        message.edits += 1;
        let edits = message.edits;
        (Some(mid.clone()), by_person("message_edit", json!({"mid": mid, "text": text, "num_edit": edits})))
    } else if let Some(mid) = &say.delete {
        own_message(world, page_id, psid, mid)?.deleted = true;
        (Some(mid.clone()), by_person("message", json!({"mid": mid, "is_deleted": true})))
    } else if say.read {
        (None, read(world, page_id, psid).unwrap_or_else(|| by_person("read", json!({"watermark": at}))))
    } else if let Some(reference) = &say.referral {
        (None, by_person("referral", json!({"ref": reference, "source": "SHORTLINK", "type": "OPEN_THREAD"})))
    } else if let Some(reference) = &say.optin {
        (None, by_person("optin", json!({"ref": reference})))
    } else if let Some(code) = &say.account_linking {
        let linking = if code.is_empty() {
            json!({"status": "unlinked"})
        } else {
            json!({"status": "linked", "authorization_code": code})
        };
        (None, by_person("account_linking", linking))
    } else if say.policy_enforcement {
        let reason =
            "The bot violated our Platform Policies (https://developers.facebook.com/policy/#messengerplatform).";
        let item = json!({
            "recipient": {"id": page_id}, "timestamp": at, "policy_enforcement": {"action": "block", "reason": reason},
        });
        (None, Event { page_id: page_id.into(), psid: None, item, standby: false })
    } else if let Some(how) = &say.thread_control {
        let app = world.apps.first().map(|app| app.id.clone()).unwrap_or_default();
        let told = thread_control(how, &app)?;
        if let Some(owner) = told["new_owner_app_id"].as_str() {
            world.thread_mut(page_id, psid).owner = Some(owner.into());
        }
        (None, by_person(&format!("{how}_thread_control"), told))
    } else {
        let message = message(world, say, now)?;
        let body = event_body(say, &message);
        let mid = message.mid.clone();
        world.thread_mut(page_id, psid).messages.push(message);
        (Some(mid), by_person("message", body))
    };
    if opens_window(&event, psid, spoken)
        && let Some(person) = world.person_mut(page_id, psid)
    {
        person.wrote_at = Some(now);
    }
    Ok((mid, event))
}

/// Whether an event opens the window in which the Page may write
/// (graph/FACTS.md, "Sending a message").
fn opens_window(event: &Event, psid: &str, spoken: bool) -> bool {
    let item = &event.item;
    let has = |name: &str| item[name].is_object();
    let message = &item["message"];
    let wrote = has("message") && message["is_echo"] != true && message["is_deleted"] != true;
    let reacted = has("reaction") && item["reaction"]["action"] != "unreact";
    let own = event.psid.is_some() && item["sender"]["id"] == psid;
    own && (wrote || reacted || has("postback") || has("optin") || spoken && has("referral"))
}

fn message(world: &World, say: &Say, now: jiff::Timestamp) -> Result<Message, String> {
    let text = say.text.clone().or_else(|| say.quick_reply.clone()).unwrap_or_default();
    let mut message = Message::new(now, false, &text);
    for attachment in &say.attachments {
        message.attachments.push(json!({"type": attachment.kind, "payload": {"url": attachment.url}}));
    }
    if let Some(id) = say.sticker {
        message.attachments.extend(versions::sticker(world.today(), id));
    }
    if let Some(Location { lat, long }) = say.location {
        message.attachments.push(json!({"type": "location", "payload": {"coordinates": {"lat": lat, "long": long}}}));
    }
    if message.text.is_empty() && message.attachments.is_empty() {
        return Err("there is nothing to do: give a text or another action".into());
    }
    if let Some(mid) = &say.reply_to
        && !world.threads.iter().flat_map(|thread| &thread.messages).any(|message| message.mid == *mid)
    {
        return Err(format!("there is no message '{mid}'"));
    }
    Ok(message)
}

fn event_body(say: &Say, message: &Message) -> Value {
    without_nulls(json!({
        "mid": message.mid,
        "text": message.given_text(),
        "quick_reply": say.quick_reply.as_ref().map(|payload| json!({ "payload": payload })),
        "reply_to": say.reply_to.as_ref().map(|mid| json!({ "mid": mid })),
        "attachments": message.given_attachments(),
    }))
}

/// The event of a person who reads the Page's messages; `None` if there are none.
pub(in crate::sandbox) fn read(world: &mut World, page_id: &str, psid: &str) -> Option<Event> {
    let at = world.clock.now().as_millisecond();
    let thread = world.thread_mut(page_id, psid);
    let last = thread.messages.iter().rfind(|message| message.from_page)?.at.as_millisecond();
    for message in thread.messages.iter_mut().filter(|message| message.from_page) {
        message.read = true;
    }
    Some(Event::by_person(page_id, psid, at, "read", json!({ "watermark": last })))
}

fn raw_event(page_id: &str, psid: &str, at: i64, raw: &Value) -> Result<Event, String> {
    let mut item = raw.as_object().cloned().ok_or("an event is an object: {\"message\": …}")?;
    let mut whole = Map::new();
    for (name, usual) in
        [("sender", json!({ "id": psid })), ("recipient", json!({ "id": page_id })), ("timestamp", at.into())]
    {
        whole.insert(name.into(), item.shift_remove(name).unwrap_or(usual));
    }
    whole.append(&mut item);
    Ok(Event { page_id: page_id.into(), psid: Some(psid.into()), item: whole.into(), standby: false })
}

fn known_mid(world: &World, page_id: &str, psid: &str, named: Option<&str>) -> Result<String, String> {
    let messages = world.thread(page_id, psid).map(|thread| thread.messages.as_slice()).unwrap_or_default();
    match named {
        Some(mid) if messages.iter().any(|message| message.mid == mid) => Ok(mid.into()),
        Some(mid) => Err(format!("there is no message '{mid}' between them")),
        None => messages
            .iter()
            .rfind(|message| message.from_page)
            .or(messages.last())
            .map(|message| message.mid.clone())
            .ok_or_else(|| "there is no message to react to yet".into()),
    }
}

fn own_message<'w>(world: &'w mut World, page_id: &str, psid: &str, mid: &str) -> Result<&'w mut Message, String> {
    let own = |message: &&mut Message| message.mid == mid && !message.from_page;
    let found = world.thread_mut(page_id, psid).messages.iter_mut().find(own);
    found.ok_or_else(|| format!("this person has sent no message '{mid}'"))
}

fn reaction_name(emoji: &str) -> &'static str {
    match emoji.trim_end_matches('\u{fe0f}') {
        "😊" | "😆" => "smile",
        "😠" | "😡" => "angry",
        "😢" => "sad",
        "😮" => "wow",
        "❤" => "love",
        "👍" => "like",
        "👎" => "dislike",
        _ => "other",
    }
}

/// The inbox of the Page, as it appears in handovers.
pub(in crate::sandbox) const INBOX_APP: &str = "263902037430900";

fn thread_control(how: &str, app: &str) -> Result<Value, String> {
    match how {
        "pass" => Ok(json!({"previous_owner_app_id": INBOX_APP, "new_owner_app_id": app, "metadata": ""})),
        "take" => Ok(json!({"previous_owner_app_id": app, "new_owner_app_id": INBOX_APP, "metadata": ""})),
        "request" => Ok(json!({"requested_owner_app_id": INBOX_APP, "metadata": ""})),
        other => Err(format!("'{other}' is not pass, take or request")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::sandbox::say::Location;

    fn event(world: &mut World, say: &Say) -> (Option<String>, Event) {
        let (page_id, psid) = (world.pages[0].id.clone(), world.people[0].psid.clone());
        act(world, &page_id, &psid, say).expect("an event")
    }

    #[test]
    fn messages_are_remembered_edited_and_taken_back() {
        let mut world = World::new(Clock::system());
        let (mid, sent) = event(&mut world, &Say { text: Some("hi".into()), ..Say::default() });
        let mid = mid.expect("a mid");
        assert_eq!((sent.field(), &sent.item["message"]["text"]), ("messages", &"hi".into()));
        let edit = Say { edit: Some(mid.clone()), text: Some("ho".into()), ..Say::default() };
        let (_, edited) = event(&mut world, &edit);
        assert_eq!(edited.item["message_edit"], json!({"mid": mid, "text": "ho", "num_edit": 1}));
        let (_, gone) = event(&mut world, &Say { delete: Some(mid.clone()), ..Say::default() });
        assert_eq!(gone.item["message"], json!({"mid": mid, "is_deleted": true}));
        let message = world.threads[0].messages.last().expect("a message");
        assert_eq!((message.text.as_str(), message.edits, message.deleted), ("ho", 1, true));
    }

    #[test]
    fn every_event_has_its_field() {
        let mut world = World::new(Clock::system());
        event(&mut world, &Say { text: Some("hi".into()), ..Say::default() });
        let some = || Some("X".to_owned());
        let cases = [
            (Say { postback: some(), ..Say::default() }, "messaging_postbacks"),
            (Say { reaction: Some("👍".into()), ..Say::default() }, "message_reactions"),
            (Say { read: true, ..Say::default() }, "message_reads"),
            (Say { referral: some(), ..Say::default() }, "messaging_referrals"),
            (Say { optin: some(), ..Say::default() }, "messaging_optins"),
            (Say { account_linking: some(), ..Say::default() }, "messaging_account_linking"),
            (Say { policy_enforcement: true, ..Say::default() }, "messaging_policy_enforcement"),
            (Say { thread_control: Some("pass".into()), ..Say::default() }, "messaging_handovers"),
            (Say { location: Some(Location { lat: 1.5, long: 2.0 }), ..Say::default() }, "messages"),
            (Say { raw: Some(json!({"optout": {}})), ..Say::default() }, "messaging_optouts"),
        ];
        for (say, field) in cases {
            assert_eq!(event(&mut world, &say).1.field(), field, "{say:?}");
        }
    }

    #[test]
    fn nothing_is_nothing_to_say() {
        let mut world = World::new(Clock::system());
        let page_id = world.pages[0].id.clone();
        let psid = world.people[0].psid.clone();
        assert!(act(&mut world, &page_id, &psid, &Say::default()).is_err());
    }

    #[test]
    fn some_events_open_the_window() {
        let some = || Some("X".to_owned());
        let cases = [
            (Say { text: some(), ..Say::default() }, true),
            (Say { postback: some(), ..Say::default() }, true),
            (Say { optin: some(), ..Say::default() }, true),
            (Say { reaction: Some("👍".into()), ..Say::default() }, true),
            (Say { reaction: Some(String::new()), ..Say::default() }, false),
            (Say { referral: some(), ..Say::default() }, true),
            (Say { account_linking: some(), ..Say::default() }, false),
            (Say { read: true, ..Say::default() }, false),
            (Say { raw: Some(json!({"delivery": {"watermark": 1}})), ..Say::default() }, false),
            (Say { raw: Some(json!({"message": {"is_echo": true}})), ..Say::default() }, false),
            (Say { raw: Some(json!({"message": {"mid": "m_x"}})), ..Say::default() }, true),
        ];
        for (say, opens) in cases {
            let mut world = World::new(Clock::system());
            world.people[0].wrote_at = None;
            event(&mut world, &say);
            assert_eq!(world.people[0].wrote_at.is_some(), opens, "{say:?}");
        }
        let mut world = World::new(Clock::system());
        world.people[0].wrote_at = None;
        world.threads.clear();
        event(&mut world, &Say { referral: some(), ..Say::default() });
        assert_eq!(world.people[0].wrote_at, None, "nothing was said before the link was followed");
    }
}
