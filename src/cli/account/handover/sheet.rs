//! The handover as data: what stands on it, whatever it looks like.
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

/// Everything that is handed over.
#[derive(Serialize)]
pub(super) struct Sheet<'a> {
    schema_version: u8,
    pub account: &'a str,
    /// `live` or `sandbox`.
    pub graph: String,
    pub handle: &'a str,
    /// When it was made, and what it says was proved.
    pub made_at: Timestamp,
    /// What has to be so before anything else.
    pub prerequisites: &'static [&'static str],
    pub form_place: &'static str,
    /// The form, in its order.
    pub form: Vec<Entry>,
    pub messages_place: &'static str,
    /// The tab System Messages: each event, its state, and the text where it has its own.
    pub messages: Vec<Message>,
    /// What the Meta app needs.
    pub meta_app: MetaApp,
    /// The steps up to the first message.
    pub steps: Vec<StepState>,
    /// The commands that show what is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal_with: Option<String>,
}

/// A field of a form.
#[derive(Serialize)]
pub(super) struct Entry {
    /// Its label.
    pub field: &'static str,
    /// What is typed or chosen there.
    pub value: String,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The command that prints it, where it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reveal_with: Option<String>,
    #[serde(skip)]
    pub kind: Kind,
}

/// What the value of a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is typed or pasted there, as it is.
    Value,
    /// The same, and a secret.
    Secret,
    /// What stands in the place of a secret.
    Masked,
    /// What to do there.
    Words,
}

/// A box of the tab System Messages.
#[derive(Serialize)]
pub(super) struct Message {
    pub event: &'static str,
    /// Its label in the form.
    pub label: &'static str,
    /// When it is sent.
    pub when: &'static str,
    /// `custom`, `default`, `disabled`.
    pub state: &'static str,
    /// The text of a custom one.
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

/// What the Meta app needs.
#[derive(Serialize)]
pub(super) struct MetaApp {
    /// The menu path.
    pub place: &'static str,
    /// The address of the page where it begins.
    pub address: String,
    /// The address that Meta sends events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Masked, unless it is to be revealed.
    pub verify_token: String,
    /// The webhook fields to subscribe.
    pub fields: &'static [&'static str],
    /// The same as a form, in its order.
    #[serde(skip)]
    pub form: Vec<Entry>,
}

/// The secrets as they are shown; `None` where there is none to read.
pub(super) struct Secrets {
    pub token: Option<String>,
    pub verify_token: Option<String>,
    pub revealed: bool,
    /// Whether the query of the callback URL, which may hold a key, is shown.
    pub whole_address: bool,
}

const PREREQUISITES: &[&str] = &[
    "Bright Pattern Contact Center 5.0 or newer",
    "Facebook enabled for your tenant by the service provider; if Facebook is not in the list of types, ask them",
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
            None => words("Callback URL", "the form shows it once it is saved there"),
        });
        form.push(Entry { note: Some("it tests page and token only"), ..words("Test Connection", "press it") });
        let fields = webhook(account.channel).fields;
        let app_id = account.app_id.as_ref().map(AppId::as_str);
        let meta_form = vec![
            secrets
                .callback(account)
                .unwrap_or_else(|| words("Callback URL", "the one that the contact centre's form shows")),
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

    /// Whether a secret stands on it.
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
    /// A secret's field, masked with the command that prints it unless it is to be revealed.
    fn entry(&self, account: &Account, field: &'static str, kind: SecretKind) -> Entry {
        let shown = if kind == SecretKind::PageAccessToken { &self.token } else { &self.verify_token };
        let reveal = || format!("msgrctl secret reveal {} {}", account.handle, kind.argument());
        Entry {
            kind: if self.revealed && shown.is_some() { Kind::Secret } else { Kind::Masked },
            reveal_with: (!self.revealed && shown.is_some()).then(reveal),
            ..value(field, shown.clone().unwrap_or_else(|| MASK.into()))
        }
    }

    /// The callback URL, a secret where its query may hold one.
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
