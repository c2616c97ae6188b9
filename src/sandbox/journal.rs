//! What the sandbox was asked and what it answered, and what it sent to callbacks
//! itself; without any secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::form;
use super::tokens::TokenKind;
use super::world::World;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was answered, in the sandbox's time.
    pub at: Timestamp,
    /// GET, POST or DELETE.
    pub method: String,
    /// With the version it asked for: `/v26.0/me`.
    pub path: String,
    /// The parameters; those that carry secrets say what was in them.
    pub parameters: Vec<Parameter>,
    /// Whose token came with it: `page Acme Support (header)`.
    pub token: String,
    /// The HTTP status; absent when the connection was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `error.code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// `error.error_subcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// `fbtrace_id`; empty for what the sandbox sent itself.
    pub fbtrace_id: String,
    /// What else is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    /// What the sandbox itself sent, or would have; the error is why there is no answer.
    pub(super) fn of_sandbox(
        world: &World,
        method: &str,
        path: String,
        parameters: Vec<Parameter>,
        result: Result<u16, String>,
    ) -> Self {
        Self {
            at: world.clock.now(),
            method: method.into(),
            path,
            parameters,
            token: "sandbox".into(),
            status: result.as_ref().ok().copied(),
            code: None,
            subcode: None,
            fbtrace_id: String::new(),
            note: result.err(),
        }
    }
}

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, or what it was.
    pub value: String,
}

/// The last requests, oldest first.
#[derive(Default)]
pub struct Journal {
    entries: Vec<Entry>,
}

impl Journal {
    /// How many requests are remembered.
    const LENGTH: usize = 10_000;

    /// The requests, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn add(&mut self, entry: Entry) {
        if self.entries.len() == Self::LENGTH {
            self.entries.remove(0);
        }
        self.entries.push(entry);
    }
}

pub(super) fn entry(world: &World, call: &Call, answer: Option<&Answer>, trace_id: &str) -> Entry {
    let version = call.version.map(|(major, minor)| format!("/v{major}.{minor}")).unwrap_or_default();
    let shown = |(name, value): &(String, String)| {
        let value = match name.as_str() {
            "access_token" | "input_token" | "fb_exchange_token" => describe(world, value),
            "client_secret" | "verify_token" | "hub.verify_token" | "code" => "(hidden)".into(),
            "appsecret_proof" => "(a signature)".into(),
            // Each of its operations has an entry of its own.
            "batch" => match form::json(value) {
                Some(Value::Array(operations)) => format!("({} operations)", operations.len()),
                _ => "(not a list)".into(),
            },
            _ => without_secrets(world, value),
        };
        Parameter { name: name.clone(), value }
    };
    let token = match &call.token {
        None => "none".into(),
        Some((value, true)) => format!("{} (header)", describe(world, value)),
        Some((value, false)) => format!("{} (parameter)", describe(world, value)),
    };
    Entry {
        at: world.clock.now(),
        method: call.method.clone(),
        path: format!("{version}{}", call.path()),
        parameters: call.parameters.iter().map(shown).collect(),
        token,
        status: answer.map(|answer| answer.status),
        code: answer.and_then(|answer| answer.code).map(|(code, _)| code),
        subcode: answer.and_then(|answer| answer.code).and_then(|(_, subcode)| subcode),
        fbtrace_id: trace_id.into(),
        note: note(world, call),
    }
}

/// To whom a message goes, and whether the call is one of several.
fn note(world: &World, call: &Call) -> Option<String> {
    let is_message = call.method == "POST" && call.segments.get(1).is_some_and(|edge| edge == "messages");
    let person = call.value("recipient").filter(|_| is_message).and_then(|recipient| {
        let psid = form::text_of(&recipient["id"]);
        world.people.iter().find(|person| person.psid == psid)
    });
    let notes = [person.map(|person| format!("to {}", person.name)), call.in_batch.then(|| "in a batch".into())];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// A text with every secret of this world, and all that looks like a token, taken out.
pub(super) fn without_secrets(world: &World, text: &str) -> String {
    let mut text = text.to_owned();
    for token in &world.tokens {
        if text.contains(&token.value) {
            text = text.replace(&token.value, &format!("({})", describe(world, &token.value)));
        }
    }
    for secret in world.apps.iter().map(|app| &app.secret) {
        text = text.replace(secret.as_str(), "(an app secret)");
    }
    for secret in world.subscriptions.iter().map(|one| &one.verify_token).filter(|secret| secret.len() > 5) {
        text = text.replace(secret.as_str(), "(hidden)");
    }
    if text.contains("EAA") {
        text = text
            .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
            .map(|part| {
                let bare = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                if bare.starts_with("EAA") && bare.len() > 30 { part.replace(bare, "(a token)") } else { part.into() }
            })
            .collect();
    }
    text
}

/// A token by what it is.
fn describe(world: &World, value: &str) -> String {
    if let Some((app, _)) = value.split_once('|') {
        return format!("app {}", world.app(app).map_or("unknown", |app| app.id.as_str()));
    }
    let Some(token) = world.tokens.iter().find(|token| token.value == value) else { return "unknown token".into() };
    match &token.kind {
        TokenKind::Page(id) => format!("page {}", world.page(id).map_or(id.as_str(), |page| page.name.as_str())),
        TokenKind::User => "user".into(),
        TokenKind::SystemUser => "system user".into(),
    }
}
