//! `/{page}/conversations`, `/{conversation-id}`, `/{conversation-id}/messages` and
//! `/{message-id}`: conversations, as an inbox sees them (graph/FACTS.md, "Conversations").

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Call, Part, Refusal, Token, World, nonexisting_field, of_page, require_task, unsupported,
};
use crate::sandbox::form::{DEPTH, split};
use crate::sandbox::people::{Message, Thread};

/// A requested field: `messages.limit(3){id,message}`.
struct Wanted {
    name: String,
    limit: Option<usize>,
    inner: Option<Vec<Wanted>>,
}

/// A Page's conversations.
pub(super) fn of_a_page(world: &World, call: &Call, node: &str) -> Answered {
    let (token, page_id) = reader(world, call, node)?;
    let mut threads: Vec<&Thread> =
        world.threads.iter().filter(|thread| thread.page_id == page_id && !thread.messages.is_empty()).collect();
    if let Some(psid) = call.given("user_id") {
        threads.retain(|thread| thread.psid == psid);
    }
    if call.given("platform").is_some_and(|platform| !platform.eq_ignore_ascii_case("messenger")) {
        threads.clear();
    }
    threads.sort_by_key(|thread| std::cmp::Reverse(updated(thread)));
    let wanted = wanted(call, &["id", "updated_time"]);
    let part = Part::of(call, threads.len())?;
    let data: Result<Vec<Value>, Refusal> =
        threads[part.start..part.end].iter().map(|thread| conversation(world, thread, &wanted)).collect();
    Ok(Answer::ok(part.body(call, &token.value, &format!("{page_id}/conversations"), data?).into()))
}

/// A conversation or a message by its id; `None` if the node is neither.
pub(super) fn by_id(world: &World, call: &Call, node: &str) -> Option<Answered> {
    let has = |thread: &&Thread| match node.get(..2) {
        Some("t_") => thread.id == node,
        Some("m_") => thread.messages.iter().any(|message| message.mid == node),
        _ => false,
    };
    let thread = world.threads.iter().find(has)?;
    let shown = || {
        own(world, call, thread, node)?;
        match thread.messages.iter().find(|message| message.mid == node) {
            Some(found) => message(world, thread, found, &wanted(call, &["id", "created_time"])),
            None => conversation(world, thread, &wanted(call, &["id", "updated_time"])),
        }
    };
    Some(shown().map(Answer::ok))
}

/// The messages of a conversation, newest first.
pub(super) fn messages_of(world: &World, call: &Call, node: &str) -> Answered {
    let thread = world.threads.iter().find(|thread| thread.id == node).ok_or_else(|| unsupported("get", node))?;
    let token = own(world, call, thread, node)?;
    let wanted = wanted(call, &["id", "created_time"]);
    let part = Part::of(call, thread.messages.len())?;
    let newest: Vec<&Message> = thread.messages.iter().rev().collect();
    let data: Result<Vec<Value>, Refusal> =
        newest[part.start..part.end].iter().map(|one| message(world, thread, one, &wanted)).collect();
    Ok(Answer::ok(part.body(call, &token.value, &format!("{node}/messages"), data?).into()))
}

fn reader(world: &World, call: &Call, node: &str) -> Result<(Token, String), Refusal> {
    let (token, page_id) = of_page(world, call, node)?;
    require_task(world, &token, &page_id, &["MESSAGING", "MODERATE"])?;
    for scope in ["pages_manage_metadata", "pages_read_engagement"] {
        token.require(200, scope)?;
    }
    Ok((token, page_id))
}

fn own(world: &World, call: &Call, thread: &Thread, node: &str) -> Result<Token, Refusal> {
    let (token, page_id) = reader(world, call, "me")?;
    if page_id == thread.page_id { Ok(token) } else { Err(unsupported("get", node)) }
}

fn updated(thread: &Thread) -> Timestamp {
    thread.messages.last().map(|message| message.at).unwrap_or_default()
}

/// `2026-07-23T09:28:50+0000`
fn time(at: Timestamp) -> Value {
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string().into()
}

fn wanted(call: &Call, default: &[&str]) -> Vec<Wanted> {
    call.fields(default).iter().map(|field| expanded(field, DEPTH)).collect()
}

/// A field with at most `levels` levels; deeper ones are dropped.
fn expanded(field: &str, levels: usize) -> Wanted {
    let (head, inner) = match field.split_once('{') {
        Some((head, inner)) => (head, Some(inner.strip_suffix('}').unwrap_or(inner))),
        None => (field, None),
    };
    let mut parts = head.split('.');
    let name = parts.next().unwrap_or_default().trim().to_owned();
    let limit = parts.find_map(|part| part.strip_prefix("limit(")?.strip_suffix(')')?.parse().ok());
    let inner = inner.zip(levels.checked_sub(1));
    let inner = inner.map(|(inner, levels)| split(inner).iter().map(|field| expanded(field, levels)).collect());
    Wanted { name, limit, inner }
}

fn conversation(world: &World, thread: &Thread, wanted: &[Wanted]) -> Result<Value, Refusal> {
    let last = thread.messages.last();
    let mut shown = Map::new();
    for field in wanted {
        let value: Value = match field.name.as_str() {
            "id" | "scoped_thread_key" => thread.id.clone().into(),
            "updated_time" => time(updated(thread)),
            "link" => format!("/{}/inbox/{}/", thread.page_id, thread.psid).into(),
            "message_count" => thread.messages.len().into(),
            "unread_count" => thread.messages.iter().filter(|one| !one.from_page && !one.read).count().into(),
            "snippet" => last.map(|message| message.text.clone()).unwrap_or_default().into(),
            "participants" | "senders" => json!({"data": participants(world, thread)}),
            "former_participants" => json!({"data": []}),
            "can_reply" | "is_subscribed" => true.into(),
            "messages" => {
                let default = [expanded("id", 1), expanded("created_time", 1)];
                let inner = field.inner.as_deref().unwrap_or(&default);
                let newest = thread.messages.iter().rev().take(field.limit.unwrap_or(25));
                let data: Result<Vec<Value>, Refusal> = newest.map(|one| message(world, thread, one, inner)).collect();
                json!({"data": data?})
            }
            "name" | "folder" | "wallpaper" | "is_owner" => continue,
            other => return Err(nonexisting_field(other, "UnifiedThread")),
        };
        shown.insert(field.name.clone(), value);
    }
    shown.entry("id").or_insert_with(|| thread.id.clone().into());
    Ok(shown.into())
}

fn message(world: &World, thread: &Thread, message: &Message, wanted: &[Wanted]) -> Result<Value, Refusal> {
    let [person, page] = participants(world, thread);
    let (from, to) = if message.from_page { (page, person) } else { (person, page) };
    let mut shown = Map::new();
    for field in wanted {
        let value = match field.name.as_str() {
            "id" => message.mid.clone().into(),
            "created_time" => time(message.at),
            "message" => if message.deleted { "" } else { message.text.as_str() }.into(),
            "from" => from.clone(),
            "to" => json!({"data": [to]}),
            "attachments" if message.attachments.is_empty() => continue,
            "attachments" => json!({"data": message.attachments}),
            "is_unsupported" => false.into(),
            "tags" | "sticker" | "shares" | "reactions" | "story" | "thread_id" => continue,
            other => return Err(nonexisting_field(other, "UnifiedMessage")),
        };
        shown.insert(field.name.clone(), value);
    }
    shown.entry("id").or_insert_with(|| message.mid.clone().into());
    Ok(shown.into())
}

/// The person, then the Page.
fn participants(world: &World, thread: &Thread) -> [Value; 2] {
    let one = |name: &str, id: &str| json!({"name": name, "email": format!("{id}@facebook.com"), "id": id});
    let person = world.person(&thread.page_id, &thread.psid).map(|person| person.name.as_str()).unwrap_or_default();
    let page = world.page(&thread.page_id).map(|page| page.name.as_str()).unwrap_or_default();
    [one(person, &thread.psid), one(page, &thread.page_id)]
}
