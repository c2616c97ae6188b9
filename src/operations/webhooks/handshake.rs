//! The handshake: what an account's callback is asked with, and what it means that one failed
//! at Meta.

use url::Url;

use crate::accounts::{Account, CallbackUrl, Realm};
use crate::address::shown;
use crate::checks::causes::{HANDSHAKE_FAILED, VERIFY_TOKEN_MISSING};
use crate::checks::ids::CALLBACK_HANDSHAKE;
use crate::checks::{GraphTrace, Misplaced, Outcome, judge_problem, misplaced};
use crate::operations::accounts::commands;
use crate::operations::health::{self, News};
use crate::operations::secrets::place;
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind};
use crate::webhook::{self, Probe, Prober};

/// Where an account's events go.
pub fn callback_of(account: &Account) -> Result<CallbackUrl, Error> {
    account.callback_url.clone().ok_or_else(|| {
        Error::usage(format!("'{}' has no callback URL yet", account.name)).hint(format!(
            "the contact centre's form shows it; then: msgrctl account edit {} --callback-url URL",
            account.handle
        ))
    })
}

/// The verify token of an account.
pub fn stored_token(workspace: &Workspace, account: &Account) -> Result<Secret, Error> {
    let kind = SecretKind::VerifyToken;
    let found = workspace.secret(account, kind)?;
    found.ok_or_else(|| {
        let place = place(account, kind);
        Error::credentials(format!("there is no {kind} for '{}': {place}", account.name))
            .reason(VERIFY_TOKEN_MISSING.id)
            .hint(format!("make one: msgrctl webhook rotate {}", account.handle))
    })
}

/// A callback URL as an address to be asked.
pub fn address(callback: &str) -> Result<Url, Error> {
    Url::parse(callback)
        .map_err(|error| Error::usage(format!("'{}' is not an address", shown(callback))).cause(error.to_string()))
}

/// How a probe ended.
pub fn outcome_of(probe: &Probe) -> Outcome {
    probe.problem.as_ref().map_or(Outcome::Pass, |problem| judge_problem(problem).0)
}

/// Keeps for `msgrctl status` how the callback of an account answered its verify token. Where
/// Meta would not ask it, that it answers here says nothing.
pub fn keep_answer(workspace: &Workspace, account: &Account, probe: &Probe) {
    let Some(callback) = &account.callback_url else { return };
    let (outcome, cause) = match (misplaced_of(account, callback.as_str()), &probe.problem) {
        (Some(misplaced), _) => (Outcome::Fail, Some(misplaced.cause.id)),
        (None, Some(problem)) => {
            let (outcome, cause) = judge_problem(problem);
            (outcome, Some(cause))
        }
        (None, None) => (Outcome::Pass, None),
    };
    let mut news = News::default();
    news.seen(account, &[(CALLBACK_HANDSHAKE, outcome, cause)]);
    health::keep(workspace, &news);
}

/// What is wrong with a callback URL before Meta is asked to call it.
pub(super) fn misplaced_of(account: &Account, callback: &str) -> Option<Misplaced> {
    misplaced(callback, account.graph == Realm::Sandbox, &commands::saved(account).edit)
}

/// Asks a callback for the handshake as Meta would, while the caller is told.
pub fn ask(workspace: &Workspace, callback: &CallbackUrl, token: &Secret, how: &str) -> Result<Probe, Error> {
    let (url, prober) = (address(callback.as_str())?, workspace.prober()?);
    let _progress = workspace.reporter.waiting(&format!("asking {} {how} …", callback.shown()));
    Ok(Workspace::wait(prober.ask(&url, token))??)
}

/// Whether a callback would be taken with this token.
pub(super) async fn accepts(prober: &Prober, callback_url: &str, verify_token: &Secret) -> bool {
    let Ok(url) = Url::parse(callback_url) else { return false };
    prober.ask(&url, verify_token).await.is_ok_and(|found| outcome_of(&found) != Outcome::Fail)
}

/// Whether Meta says that the callback did not answer its handshake.
pub fn is_handshake(code: Option<i64>) -> bool {
    matches!(code, Some(2200 | 2201))
}

/// Meta's words on a handshake, without the verify token and the callback's keys, which some
/// of them repeat.
pub fn without_secrets(trace: GraphTrace, callback: &str, token: &Secret) -> GraphTrace {
    let hidden = |says: String| match url::Url::parse(callback) {
        Ok(callback) => webhook::hidden_in(&says, &callback, token),
        Err(_) => token.hidden_in(&says),
    };
    GraphTrace { says: trace.says.map(hidden), ..trace }
}

/// A handshake that failed at Meta, as the probe from here explains it.
pub struct HandshakeFailed {
    pub cause: &'static str,
    pub summary: String,
    pub fix: String,
    /// What the callback says, in its first words.
    pub receiver_says: Option<String>,
}

/// Why a handshake failed at Meta: the callback is asked from here, since Meta's own
/// words name no cause.
pub async fn handshake_failed(prober: &Prober, callback: &str, token: &Secret) -> HandshakeFailed {
    let asked = match url::Url::parse(callback) {
        Ok(url) => prober.ask(&url, token).await.ok(),
        Err(_) => None,
    };
    let (problem, receiver_says) = asked.map(|probe| (probe.problem, probe.says)).unwrap_or_default();
    match problem.filter(|problem| !problem.is_warning()) {
        Some(problem) => HandshakeFailed {
            receiver_says,
            cause: problem.cause(),
            summary: format!("Meta asked the callback for the handshake, and it failed: {}", problem.summary()),
            fix: problem.fix().into(),
        },
        None => HandshakeFailed {
            receiver_says: None,
            cause: HANDSHAKE_FAILED.id,
            summary: "Meta asked the callback for the handshake, and it failed, while from here it answers as it should".into(),
            fix: "see what differs for Meta: a firewall that lets only some addresses in, a name or an address that only this network knows, a country that is blocked".into(),
        },
    }
}
