//! The handover as data: what stands on it, whatever it looks like.
//!
//! The form and the steps are the contact centre's (accounts/FACTS.md, "The
//! integration account" and "The way to the first message").

use serde::Serialize;

use crate::accounts::Account;
use crate::checks::ids;
use crate::checks::{Group, Outcome, Report};
use crate::dashboard;
use crate::messages::{Event, MessageState};
use crate::provision::subscription::webhook;
use crate::secrets::MASK;

/// Everything that is handed over.
#[derive(Serialize)]
pub(super) struct Sheet<'a> {
    schema_version: u8,
    pub account: &'a str,
    /// `live` or `sandbox`.
    pub graph: String,
    pub handle: &'a str,
    /// What has to be so before anything else.
    pub prerequisites: &'static [&'static str],
    pub form_place: &'static str,
    /// The form, in its order.
    pub form: Vec<Entry>,
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

/// A field of the form.
#[derive(Serialize)]
pub(super) struct Entry {
    /// Its label.
    pub field: &'static str,
    /// What is typed or chosen there.
    pub value: String,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// A box of the tab System Messages.
#[derive(Serialize)]
pub(super) struct Message {
    pub event: &'static str,
    /// `custom`, `default`, `disabled`.
    pub state: &'static str,
    /// The text of a custom one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What the Meta app needs.
#[derive(Serialize)]
pub(super) struct MetaApp {
    /// The menu path.
    pub place: &'static str,
    /// The address that Meta sends events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Masked, unless it is to be revealed.
    pub verify_token: String,
    /// The webhook fields to subscribe.
    pub fields: &'static [&'static str],
}

/// A step, and whether it is proved.
#[derive(Serialize)]
pub(super) struct StepState {
    /// From 1.
    pub number: usize,
    /// What is to be done.
    pub text: &'static str,
    /// Whether a test has just proved it.
    pub done: bool,
    /// What was found, or how to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
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
    "the privilege to create integration accounts, for whoever fills in the form",
];

/// How a step is proved.
enum Proof {
    /// By nothing that Meta tells.
    Person,
    /// By every check of the credentials.
    Credentials,
    /// By these checks, all of them.
    Checks(&'static [&'static str]),
}

const STEPS: &[(&str, Proof)] = &[
    ("Facebook is enabled for the tenant", Proof::Person),
    ("The account is saved, and its credentials pass Test Connection", Proof::Credentials),
    (
        "Callback URL and verify token are in the Meta app",
        Proof::Checks(&[ids::APP_SUBSCRIPTION, ids::CALLBACK_HANDSHAKE]),
    ),
    (
        "The webhook fields are subscribed on the app and on the Page",
        Proof::Checks(&[ids::APP_SUBSCRIPTION, ids::PAGE_SUBSCRIPTION]),
    ),
    ("The app is live, with Advanced Access for pages_messaging", Proof::Person),
    ("A chat service with teams exists", Proof::Person),
    ("A chat scenario exists", Proof::Person),
    ("A Messaging/Chat scenario entry ties scenario, service and this account together", Proof::Person),
    ("An agent is Ready in Agent Desktop", Proof::Person),
    ("A person without a role on the app has sent a first message, and an agent has answered it", Proof::Person),
];

impl<'a> Sheet<'a> {
    pub fn new(account: &'a Account, secrets: &Secrets, report: Option<&Report>) -> Self {
        let shown = |secret: &Option<String>| secret.clone().unwrap_or_else(|| MASK.into());
        let callback_url = account
            .callback_url
            .as_ref()
            .map(|url| if secrets.whole_address { url.as_str().to_owned() } else { url.shown() });
        let entry = |field, value, note| Entry { field, value, note };
        let form = vec![
            entry("Name", account.name.to_string(), None),
            entry("Type", account.channel.in_the_form().into(), None),
            entry("Page Username", account.page_username.to_string(), Some("without @")),
            entry("Page ID", account.page_id.to_string(), None),
            entry("Token", shown(&secrets.token), Some("the page access token")),
            entry(
                "Webhook Verify Token",
                shown(&secrets.verify_token),
                Some("type this one; do not let the form generate another"),
            ),
            entry(
                "Callback URL",
                callback_url.clone().unwrap_or_else(|| "the form shows it once it is saved there".into()),
                callback_url.as_ref().map(|_| "the form shows it; compare"),
            ),
            entry("Test Connection", "press it".into(), Some("it tests page and token only")),
        ];
        let handle = account.handle.as_str();
        let reveal_with = (!secrets.revealed).then(|| format!("msgrctl account handover {handle} --reveal"));
        let steps = STEPS.iter().enumerate();
        Self {
            schema_version: 1,
            account: account.name.as_str(),
            graph: account.graph.to_string(),
            handle,
            prerequisites: PREREQUISITES,
            form_place: "Contact Center Administrator: add an integration account of type Messenger",
            form,
            messages: Event::all().map(|event| message(account, event)).collect(),
            meta_app: MetaApp {
                place: dashboard::WEBHOOKS,
                callback_url,
                verify_token: shown(&secrets.verify_token),
                fields: webhook(account.channel).fields,
            },
            steps: steps.map(|(at, (text, proof))| step(at + 1, text, proof, account, report)).collect(),
            reveal_with,
        }
    }
}

fn message(account: &Account, event: Event) -> Message {
    let state = account.messages.state(event);
    let text = match &state {
        MessageState::Custom(text) => Some(text.to_string()),
        _ => None,
    };
    Message { event: event.id(), state: state.word(), text }
}

fn step(number: usize, text: &'static str, proof: &Proof, account: &Account, report: Option<&Report>) -> StepState {
    let (done, detail) = match (proof, report) {
        (Proof::Person, _) | (_, None) => (false, None),
        (Proof::Credentials, Some(report)) => credentials(report, account),
        (Proof::Checks(ids), Some(report)) => checks(ids, report),
    };
    let callback_missing = number == 3 && account.callback_url.is_none();
    let detail = detail.or_else(|| {
        callback_missing.then(|| {
            format!("once you know the callback URL: msgrctl account edit {} --callback-url URL", account.handle)
        })
    });
    StepState { number, text, done, detail }
}

fn credentials(report: &Report, account: &Account) -> (bool, Option<String>) {
    let ask = format!("msgrctl account test {}", account.handle);
    match report.credentials() {
        Outcome::Pass => (true, Some("tested just now".into())),
        Outcome::Warn => (true, Some(format!("with a warning; see {ask}"))),
        Outcome::Unreachable => (false, Some(format!("Graph could not be reached; try {ask}"))),
        Outcome::Fail | Outcome::Skip => (false, Some(format!("they do not pass; see {ask}"))),
    }
}

/// Proved when every one of the checks was made and passed; says of each that was
/// made what it found.
fn checks(ids: &[&str], report: &Report) -> (bool, Option<String>) {
    let made: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| {
            finding.group == Group::Delivery && ids.contains(&finding.id) && finding.outcome != Outcome::Skip
        })
        .collect();
    let well = made.iter().all(|finding| finding.outcome == Outcome::Pass);
    let done = well && made.len() == ids.len();
    let found = made.iter().map(|finding| finding.summary.as_str()).collect::<Vec<_>>().join("; ");
    let so_far = if well && !done { "so far: " } else { "" };
    (done, (!found.is_empty()).then(|| format!("{so_far}{found}")))
}
