//! The steps up to the first message, and what proves each of them
//! (accounts/FACTS.md, "The way to the first message").

use serde::{Serialize, Serializer};

use crate::accounts::Account;
use crate::checks::ids;
use crate::checks::{Finding, Group, Outcome, Report};
use crate::dashboard;

#[derive(Serialize)]
pub(super) struct StepState {
    /// From 1.
    pub number: usize,
    /// What must be true.
    pub text: &'static str,
    /// Whether a test has just proved it.
    pub done: bool,
    /// Where the operator does it.
    pub place: String,
    /// One fact each.
    #[serde(rename = "detail", serialize_with = "joined", skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// The command that does or proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

fn joined<S: Serializer>(facts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&facts.join("; "))
}

/// How a step is proved.
enum Proof {
    /// Meta cannot tell; the operator checks.
    Person,
    /// Every check of the credentials passed.
    Credentials,
    /// These checks passed; each with the fact that it proves.
    Checks(&'static [(&'static str, &'static str)]),
}

struct Step {
    text: &'static str,
    /// `{username}` is the Page's.
    place: &'static str,
    proof: Proof,
    /// `{handle}` is the account's.
    command: Option<&'static str>,
}

const SUBSCRIBE: Option<&str> = Some("msgrctl webhook subscribe {handle}");

const fn by_person(text: &'static str, place: &'static str) -> Step {
    Step { text, place, proof: Proof::Person, command: None }
}

const STEPS: &[Step] = &[
    by_person(
        "Facebook is enabled for the tenant",
        "Contact Center Administrator > Call Center Configuration > Integration Accounts > Add Account > Messenger: Facebook is in the list; if it is not, ask the service provider",
    ),
    by_person(
        "The values above are saved in the contact centre's form",
        "Contact Center Administrator > Call Center Configuration > Integration Accounts > the account",
    ),
    Step {
        text: "The token passes Test Connection",
        place: "the button Test Connection of the contact centre's form, and here",
        proof: Proof::Credentials,
        command: Some("msgrctl account test {handle}"),
    },
    Step {
        text: "The Meta app has the callback URL with its verify token",
        place: dashboard::WEBHOOKS,
        proof: Proof::Checks(&[
            (ids::APP_SUBSCRIPTION, "the app has the callback URL"),
            (ids::CALLBACK_HANDSHAKE, "the callback answers Meta's handshake"),
        ]),
        command: SUBSCRIBE,
    },
    Step {
        text: "The webhook fields are subscribed on the app and on the Page",
        place: dashboard::WEBHOOKS,
        proof: Proof::Checks(&[
            (ids::APP_SUBSCRIPTION, "the app has the fields"),
            (ids::PAGE_SUBSCRIPTION, "the Page has the fields"),
        ]),
        command: SUBSCRIBE,
    },
    by_person("The app is live, with Advanced Access for pages_messaging", dashboard::REVIEW),
    by_person(
        "A chat service with teams exists",
        "Contact Center Administrator > Services & Campaigns; the teams are in its tab Assignments",
    ),
    by_person("A chat scenario exists", "Contact Center Administrator > Scenarios"),
    by_person(
        "A scenario entry ties scenario, service and this account together",
        "Contact Center Administrator > Scenario Entries > Messaging/Chat",
    ),
    by_person("An agent is Ready", "Agent Desktop, as an agent of the service"),
    by_person(
        "A person without a role on the app has written to the Page, and an agent has answered",
        "Messenger, to the Page: m.me/{username}",
    ),
];

/// Every step, ticked as far as `report` proves it.
pub(super) fn states(account: &Account, report: Option<&Report>) -> Vec<StepState> {
    STEPS.iter().enumerate().map(|(at, step)| state(at + 1, step, account, report)).collect()
}

fn state(number: usize, step: &Step, account: &Account, report: Option<&Report>) -> StepState {
    let Proved { done, found, next } = match (&step.proof, report) {
        (Proof::Person, _) | (_, None) => Proved::default(),
        (Proof::Credentials, Some(report)) => credentials(report),
        (Proof::Checks(proofs), Some(report)) => checks(proofs, report),
    };
    let command = if step.command == SUBSCRIBE && account.callback_url.is_none() {
        Some("msgrctl account edit {handle} --callback-url URL")
    } else {
        step.command
    };
    StepState {
        number,
        text: step.text,
        done,
        place: step.place.replace("{username}", account.page_username.as_str()),
        found,
        command: next.or_else(|| command.map(|command| command.replace("{handle}", account.handle.as_str()))),
    }
}

#[derive(Default)]
struct Proved {
    done: bool,
    found: Vec<String>,
    /// The command that fixes the finding.
    next: Option<String>,
}

fn credentials(report: &Report) -> Proved {
    let (done, found) = match report.credentials() {
        Outcome::Pass => (true, "tested just now"),
        Outcome::Warn => (true, "tested just now, with a warning"),
        Outcome::Unreachable => (false, "Graph could not be reached"),
        Outcome::Fail | Outcome::Skip => (false, "the credentials do not pass"),
    };
    Proved { done, found: vec![found.into()], next: None }
}

/// Proved when every one of the checks ran and passed; lists what each found.
fn checks(proofs: &[(&str, &str)], report: &Report) -> Proved {
    let (mut found, mut passed, mut next) = (Vec::new(), 0, None);
    for (id, proves) in proofs {
        let of_delivery = |finding: &&Finding| finding.group == Group::Delivery && finding.id == *id;
        match report.findings.iter().find(of_delivery) {
            Some(finding) if finding.outcome == Outcome::Pass => {
                passed += 1;
                found.push((*proves).to_owned());
            }
            Some(finding) if finding.outcome != Outcome::Skip => {
                found.push(finding.summary.clone());
                next = next.or_else(|| command(finding));
            }
            _ => {}
        }
    }
    let done = passed == proofs.len();
    if !done && passed == found.len() {
        found = found.iter().map(|fact| format!("so far: {fact}")).collect();
    }
    Proved { done, found, next }
}

fn command(finding: &Finding) -> Option<String> {
    let (_, command) = finding.hint.as_deref()?.split_once("; then: ")?;
    command.starts_with("msgrctl ").then(|| command.to_owned())
}
