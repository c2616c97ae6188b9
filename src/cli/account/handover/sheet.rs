//! The handover as data, before it is rendered.
//!
//! The form is the contact centre's (accounts/FACTS.md, "The integration account").

use jiff::Timestamp;
use serde::Serialize;

use super::steps::{self, StepState};
use crate::accounts::{Account, AppId};
use crate::checks::Report;
use crate::dashboard;
use crate::messages::{Event, MessageState};
use crate::provision::subscription::webhook;
use crate::secrets::{MASK, SecretKind};

#[derive(Serialize)]
pub(super) struct Sheet<'a> {
    schema_version: u8,
    pub account: &'a str,
    /// `live` or `sandbox`.
    pub graph: String,
    pub handle: &'a str,
    /// When it was made, and so when the ticked steps were proved.
    pub made_at: Timestamp,
    pub prerequisites: &'static [&'static str],
    pub form_place: &'static str,
    /// In the order of the form.
    pub form: Vec<Entry>,
    pub messages_place: &'static str,
    /// The tab System Messages: each event, its state, and a custom text.
    pub messages: Vec<Message>,
    pub meta_app: MetaApp,
    pub steps: Vec<StepState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal_with: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Entry {
    pub field: &'static str,
    /// What to enter or choose there.
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The command that prints a masked value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal_with: Option<String>,
    #[serde(skip)]
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Entered as it is.
    Value,
    /// Entered as it is, and secret.
    Secret,
    /// The mask in place of a secret.
    Masked,
    /// An instruction.
    Words,
}

/// One event of the tab System Messages.
#[derive(Serialize)]
pub(super) struct Message {
    pub event: &'static str,
    /// Its label in the form.
    pub label: &'static str,
    /// When it is sent.
    pub when: &'static str,
    /// `custom`, `default`, `disabled`.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Message {
    /// The state as the form has it: `Custom`.
    pub fn choice(&self) -> String {
        let (first, rest) = self.state.split_at(1);
        first.to_uppercase() + rest
    }
}

#[derive(Serialize)]
pub(super) struct MetaApp {
    pub place: &'static str,
    pub address: String,
    /// The address that Meta sends events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Masked unless revealed.
    pub verify_token: String,
    /// The webhook fields to subscribe.
    pub fields: &'static [&'static str],
    /// The same values as form fields, in order.
    #[serde(skip)]
    pub form: Vec<Entry>,
}

/// The secrets as shown; `None` where none can be read.
pub(super) struct Secrets {
    pub token: Option<String>,
    pub verify_token: Option<String>,
    pub revealed: bool,
    /// Whether the query of the callback URL, which may hold a key, is shown.
    pub whole_address: bool,
}

const PREREQUISITES: &[&str] = &[
    "Bright Pattern Contact Center 5.0 or newer",
    "Facebook enabled for your tenant by the service provider; if the list of types lacks Facebook, ask them",
    "the privilege to create integration accounts, for the person who fills in the form",
];

const FORM: &str =
    "Contact Center Administrator > Call Center Configuration > Integration Accounts > Add Account > Messenger";
const MESSAGES: &str = "the same integration account in Contact Center Administrator, tab System Messages";

impl<'a> Sheet<'a> {
    pub fn new(account: &'a Account, secrets: &Secrets, report: Option<&Report>, made_at: Timestamp) -> Self {
        let handle = account.handle.as_str();
        let mut form = vec![
            value("Name", account.name.to_string()),
            value("Type", account.channel.in_the_form().into()),
            Entry { note: Some("without @"), ..value("Page Username", account.page_username.to_string()) },
            value("Page ID", account.page_id.to_string()),
            Entry {
                note: Some("the page access token"),
                ..secrets.entry(account, "Token", SecretKind::PageAccessToken)
            },
            Entry {
                note: Some("type this one; do not let the form generate another"),
                ..secrets.entry(account, "Webhook Verify Token", SecretKind::VerifyToken)
            },
        ];
        form.push(match secrets.callback(account) {
            Some(callback) => Entry { note: Some("the form shows it; compare"), ..callback },
            None => words("Callback URL", "the form shows it after you save"),
        });
        form.push(Entry { note: Some("it tests page and token only"), ..words("Test Connection", "press it") });
        let fields = webhook(account.channel).fields;
        let app_id = account.app_id.as_ref().map(AppId::as_str);
        let meta_form = vec![
            secrets.callback(account).unwrap_or_else(|| words("Callback URL", "the one in the contact centre's form")),
            secrets.entry(account, "Verify token", SecretKind::VerifyToken),
            value("Webhook fields", fields.join(", ")),
        ];
        Self {
            schema_version: 1,
            account: account.name.as_str(),
            graph: account.graph.to_string(),
            handle,
            made_at,
            prerequisites: PREREQUISITES,
            form_place: FORM,
            form,
            messages_place: MESSAGES,
            messages: Event::all().map(|event| message(account, event)).collect(),
            meta_app: MetaApp {
                place: dashboard::WEBHOOKS,
                address: dashboard::use_cases(app_id),
                callback_url: secrets.callback(account).map(|entry| entry.value),
                verify_token: meta_form[1].value.clone(),
                fields,
                form: meta_form,
            },
            steps: steps::states(account, report),
            reveal_with: (!secrets.revealed).then(|| format!("msgrctl account handover {handle} --reveal")),
        }
    }

    /// Whether it shows a secret in clear.
    pub fn has_secrets(&self) -> bool {
        self.form.iter().chain(&self.meta_app.form).any(|entry| entry.kind == Kind::Secret)
    }
}

fn value(field: &'static str, value: String) -> Entry {
    Entry { field, value, note: None, reveal_with: None, kind: Kind::Value }
}

fn words(field: &'static str, text: &str) -> Entry {
    Entry { kind: Kind::Words, ..value(field, text.into()) }
}

impl Secrets {
    /// A secret's field; unless revealed it is masked and names the command that prints it.
    fn entry(&self, account: &Account, field: &'static str, kind: SecretKind) -> Entry {
        let shown = if kind == SecretKind::PageAccessToken { &self.token } else { &self.verify_token };
        let reveal = || format!("msgrctl secret reveal {} {}", account.handle, kind.argument());
        Entry {
            kind: if self.revealed && shown.is_some() { Kind::Secret } else { Kind::Masked },
            reveal_with: (!self.revealed && shown.is_some()).then(reveal),
            ..value(field, shown.clone().unwrap_or_else(|| MASK.into()))
        }
    }

    /// The callback URL; secret if it has a query, which may hold a key.
    fn callback(&self, account: &Account) -> Option<Entry> {
        let url = account.callback_url.as_ref()?;
        let (whole, shown) = (url.as_str().to_owned(), url.shown());
        let kind = match (whole == shown, self.whole_address) {
            (true, _) => Kind::Value,
            (false, true) => Kind::Secret,
            (false, false) => Kind::Masked,
        };
        Some(Entry { kind, ..value("Callback URL", if self.whole_address { whole } else { shown }) })
    }
}

fn message(account: &Account, event: Event) -> Message {
    let state = account.messages.state(event);
    let text = match &state {
        MessageState::Custom(text) => Some(text.to_string()),
        _ => None,
    };
    let entry = event.entry();
    Message { event: entry.id, label: entry.title, when: entry.when, state: state.word(), text }
}
