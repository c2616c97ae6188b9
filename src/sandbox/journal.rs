//! Logs the requests to the sandbox, its answers, and its own requests to callbacks, without any
//! secret.

use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::form;
use super::tokens::{Token, TokenKind};
use super::world::World;
use crate::http::Url;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was answered, in the sandbox's time.
    pub at: Timestamp,
    /// GET, POST or DELETE.
    pub method: String,
    /// Including the version: `/v26.0/me`.
    pub path: String,
    /// The parameters; secret ones are described instead of shown.
    pub parameters: Vec<Parameter>,
    /// The owner of the token, and where it was: `page Acme Support (header)`.
    pub token: String,
    /// The HTTP status; absent if the connection was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `error.code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// `error.error_subcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// `fbtrace_id`; empty for the sandbox's own requests.
    pub fbtrace_id: String,
    /// Further details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    /// A request of the sandbox's own, sent or not; the error says why there is no answer.
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

    /// Its approximate length as JSON.
    fn size(&self) -> usize {
        serde_json::to_string(self).map_or(0, |text| text.len() + 1)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    /// Its value, or a description.
    pub value: String,
}

/// Recent requests, as a running sandbox returns them.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallLog {
    pub schema_version: u8,
    pub left_out: usize,
    /// Oldest first.
    pub calls: Vec<Entry>,
}

/// Recent requests, oldest first.
#[derive(Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    forgotten: usize,
}

impl Journal {
    /// How many requests are remembered.
    pub(super) const LENGTH: usize = 10_000;

    /// The requests, oldest first.
    pub fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// The last `count` requests, oldest first; fewer if they exceed `bytes` as JSON.
    pub(super) fn last(&self, count: usize, bytes: usize) -> CallLog {
        let mut left = bytes;
        let mut calls = Vec::new();
        for entry in self.entries.iter().rev().take(count) {
            let Some(rest) = left.checked_sub(entry.size()) else { break };
            left = rest;
            calls.push(entry.clone());
        }
        calls.reverse();
        CallLog { schema_version: 1, left_out: self.forgotten + self.entries.len() - calls.len(), calls }
    }

    pub(super) fn add(&mut self, mut entry: Entry) {
        if self.entries.len() == Self::LENGTH {
            self.entries.pop_front();
            self.forgotten += 1;
        }
        cut(&mut entry.path);
        for parameter in &mut entry.parameters {
            cut(&mut parameter.name);
            cut(&mut parameter.value);
        }
        self.entries.push_back(entry);
    }
}

pub(super) fn entry(world: &World, call: &Call, answer: Option<&Answer>, trace_id: &str) -> Entry {
    let version = call.version.map(|(major, minor)| format!("/v{major}.{minor}")).unwrap_or_default();
    let shown =
        |(name, value): &(String, String)| Parameter { name: name_of(world, name), value: shown(world, name, value) };
    let token = match &call.token {
        None => "none".into(),
        Some((value, true)) => format!("{} (header)", describe(world, value)),
        Some((value, false)) => format!("{} (parameter)", describe(world, value)),
    };
    Entry {
        at: world.clock.now(),
        method: call.method.clone(),
        path: without_secrets(world, &format!("{version}{}", call.path())),
        parameters: call.parameters.iter().map(shown).collect(),
        token,
        status: answer.map(|answer| answer.status),
        code: answer.and_then(|answer| answer.code).map(|(code, _)| code),
        subcode: answer.and_then(|answer| answer.code).and_then(|(_, subcode)| subcode),
        fbtrace_id: trace_id.into(),
        note: note(world, call),
    }
}

/// A message's recipient, and whether the call is part of a batch.
fn note(world: &World, call: &Call) -> Option<String> {
    let is_message = call.method == "POST" && call.segments.get(1).is_some_and(|edge| edge == "messages");
    let page = call.token.as_ref().and_then(|(token, _)| world.token(token)?.page());
    let person = page.filter(|_| is_message).and_then(|page| {
        let recipient = call.value("recipient")?;
        world.person_by_psid(page, &form::text_of(&recipient["id"]))
    });
    let to = person.map(|person| format!("to {}", without_secrets(world, &person.name)));
    let notes = [to, call.in_batch.then(|| "in a batch".into())];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// Parameters that hold a token.
const TOKENS: [&str; 4] = ["access_token", "input_token", "fb_exchange_token", "revoke_token"];
/// Parameters of a login that are hidden. Within values these names mean other things.
const OF_LOGIN: [&str; 6] = ["code", "state", "code_verifier", "code_challenge", "nonce", "signed_request"];
/// Parameters, and names within values, whose values are hidden.
const HIDDEN: [&str; 7] = [
    "client_secret",
    "verify_token",
    "hub.verify_token",
    "notification_messages_token",
    "one_time_notif_token",
    "account_linking_token",
    "authorization_code",
];
const HIDDEN_VALUE: &str = "(hidden)";

/// A name that begins like this is a body that was read as a form but is not one.
fn is_no_form(name: &str) -> bool {
    name.trim_start().starts_with(['{', '[', '"'])
}

fn name_of(world: &World, name: &str) -> String {
    if is_no_form(name) {
        return "(no form; JSON comes with Content-Type: application/json)".into();
    }
    without_secrets(world, name)
}

/// A parameter's value as the journal shows it.
pub(super) fn shown(world: &World, name: &str, value: &str) -> String {
    match name {
        name if TOKENS.contains(&name) => describe(world, value),
        name if HIDDEN.contains(&name) || OF_LOGIN.contains(&name) || is_no_form(name) => HIDDEN_VALUE.into(),
        "appsecret_proof" => "(a signature)".into(),
        "callback_url" | "redirect_uri" => match Url::parse(value) {
            Ok(url) => without_secrets(world, &shown_url(&url)),
            Err(_) => without_secrets(world, value.split(['?', '#']).next().unwrap_or_default()),
        },
        // Each of its operations has its own entry.
        "batch" => match form::json(value) {
            Some(Value::Array(operations)) => format!("({} operations)", operations.len()),
            _ => "(not a list)".into(),
        },
        _ => {
            let mut names = TOKENS.iter().chain(&HIDDEN);
            let inside = value.starts_with(['{', '[']) && names.any(|name| value.contains(name));
            match inside.then(|| form::json(value)).flatten() {
                Some(mut found) => {
                    hide(&mut found);
                    without_secrets(world, &found.to_string())
                }
                // It has a secret's name but cannot be parsed.
                None if inside => HIDDEN_VALUE.into(),
                None => without_secrets(world, value),
            }
        }
    }
}

/// Hides the secrets within a value, by name.
fn hide(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => {
            for (name, inner) in fields {
                if HIDDEN.contains(&name.as_str()) || TOKENS.contains(&name.as_str()) {
                    *inner = HIDDEN_VALUE.into();
                } else {
                    hide(inner);
                }
            }
        }
        _ => {}
    }
}

/// An address without query, user and password, which may hold a secret.
pub(super) fn shown_url(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Fails only for addresses without a host, which have no user either.
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    shown.into()
}

/// Whether tokens and app tokens may contain this character.
fn is_token_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|')
}

/// A text without this world's secrets and anything that looks like a token.
pub(super) fn without_secrets(world: &World, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(is_token_letter).unwrap_or(rest.len());
        let end = rest[start..].find(|c| !is_token_letter(c)).map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        out.push_str(&run_without_secrets(world, &rest[start..end]));
        rest = &rest[end..];
    }
    for secret in world.apps.iter().map(|app| &app.secret) {
        out = out.replace(secret.as_str(), "(an app secret)");
    }
    for secret in world.subscriptions.iter().map(|one| &one.verify_token).filter(|secret| secret.len() > 5) {
        out = out.replace(secret.as_str(), HIDDEN_VALUE);
    }
    out
}

/// The same for a run of token characters.
fn run_without_secrets<'t>(world: &World, run: &'t str) -> Cow<'t, str> {
    const LONG: usize = 30;
    let known = |text: &str| world.known_token(text).map(|token| format!("({})", described(world, token)));
    if let Some(shown) = known(run) {
        return shown.into();
    }
    // The code of a login.
    if run.starts_with("AQD") && run.len() > LONG {
        return "(a code)".into();
    }
    // A token may follow other text directly: `token_EAA…`, `APPID|EAA…`.
    let mut starts = run.match_indices("EAA").map(|(at, _)| at).chain(run.rmatch_indices('|').map(|(at, _)| at + 1));
    let found = starts.find_map(|at| {
        let (before, token) = run.split_at(at);
        let shown =
            known(token).or_else(|| (token.starts_with("EAA") && token.len() > LONG).then(|| "(a token)".into()))?;
        Some(format!("{before}{shown}"))
    });
    found.map_or(Cow::Borrowed(run), Cow::Owned)
}

/// Describes a token without showing it.
fn describe(world: &World, value: &str) -> String {
    if let Some((app, _)) = value.split_once('|') {
        return format!("app {}", world.app(app).map_or("unknown", |app| app.id.as_str()));
    }
    world.token(value).map_or_else(|| "unknown token".into(), |token| described(world, token))
}

fn described(world: &World, token: &Token) -> String {
    match &token.kind {
        TokenKind::Page(id) => format!("page {}", world.page(id).map_or(id.as_str(), |page| page.name.as_str())),
        TokenKind::User => "user".into(),
        TokenKind::SystemUser => "system user".into(),
    }
}

/// The most characters of a text that are kept.
const SHOWN: usize = 2_000;

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        let more = text[at..].chars().count();
        *text = format!("{}… ({more} characters more)", &text[..at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn long_values_are_cut_and_old_entries_are_counted() {
        let world = World::new(Clock::system());
        let mut journal = Journal::default();
        let entry = |value: String| {
            let parameters = vec![Parameter { name: "text".into(), value }];
            Entry::of_sandbox(&world, "POST", "-> x".into(), parameters, Ok(200))
        };
        journal.add(entry("ä".repeat(5_000)));
        let kept = &journal.entries()[0].parameters[0].value;
        assert!(kept.ends_with("ä… (3000 characters more)") && kept.chars().count() < 2_050);
        for _ in 0..Journal::LENGTH {
            journal.add(entry("x".repeat(1_000)));
        }
        assert_eq!(journal.entries().len(), Journal::LENGTH);
        let last = journal.last(5, usize::MAX);
        assert_eq!((last.calls.len(), last.left_out), (5, Journal::LENGTH - 4));
        let fitting = journal.last(Journal::LENGTH, 1_000_000);
        assert!((800..1_000).contains(&fitting.calls.len()), "{}", fitting.calls.len());
        assert_eq!(fitting.calls.len() + fitting.left_out, Journal::LENGTH + 1);
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_stand() {
        let world = World::new(Clock::system());
        let (token, secret) = (&world.tokens[1].value, &world.apps[0].secret);
        let shown = |text: &str| without_secrets(&world, text);
        assert_eq!(shown(&format!("<{token}>")), "<(page Acme Support)>");
        assert_eq!(shown(&format!("token_{token}")), "token_(page Acme Support)");
        assert_eq!(shown(&format!("5|{secret}/x")), "5|(an app secret)/x");
        assert_eq!(shown(&format!("EAA_a-{}, ä", "x".repeat(40))), "(a token), ä");
        assert_eq!(shown("EAAshort and more"), "EAAshort and more");
        let recipient = r#"{"one_time_notif_token":"geheim","id":"1"}"#;
        assert_eq!(self::shown(&world, "recipient", recipient), r#"{"one_time_notif_token":"(hidden)","id":"1"}"#);
        assert_eq!(self::shown(&world, "x", r#"{"verify_token":"geheim""#), "(hidden)");
        assert_eq!(
            self::shown(&world, "callback_url", "http://name:word@a.example/x?key=geheim#y"),
            "http://a.example/x"
        );
    }
}
