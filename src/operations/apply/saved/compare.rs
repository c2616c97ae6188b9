//! What a plan does and rests on, as it is saved; and the first difference from what is now.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SavedPlan, stale};
use crate::accounts::{Account, TenantName};
use crate::address;
use crate::operations::apply::Prepared;
use crate::operations::{Error, Workspace};
use crate::provision::kept::SecretSeen;
use crate::provision::plan::{Action, Change, Live};
use crate::provision::subscription::{AppLevel, PageLevel};
use crate::secrets::{Secret, SecretKind, SecretRef, redact};

/// One change that the plan makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStep {
    /// `add`, `change` or `remove`.
    action: String,
    /// `account`, `app` or `chat_settings`.
    of: String,
    /// The account's handle, or the app's id.
    name: String,
    /// The manifest's key; absent where there is only the action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

/// A secret that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSecret {
    /// The account's handle.
    account: String,
    secret: SecretKind,
    /// Where the record refers to.
    reference: String,
    /// Its keyed fingerprint.
    fingerprint: String,
}

/// What was seen at Meta of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAtMeta {
    /// The account's handle.
    account: String,
    /// The Page's name.
    page_name: Option<String>,
    /// The fields that its Page sends the app; a text where it sends none.
    page: Value,
    /// The app's webhook; `null` where it was not read.
    app: Value,
}

/// The changes of a plan, in its order.
pub fn steps(prepared: &Prepared) -> Vec<SavedStep> {
    let plan = &prepared.plan;
    let step = |action: &str, of: &str, name: &str, change: Option<&Change>| {
        // The query of a URL may hold a key.
        let of_url = change.is_some_and(|change| change.field.ends_with("callback_url"));
        let shown =
            |value: Option<&String>| Some(if of_url { redact(&address::shown(value?)) } else { redact(value?) });
        SavedStep {
            action: action.into(),
            of: of.into(),
            name: name.into(),
            field: change.map(|change| change.field.clone()),
            from: shown(change.and_then(|change| change.from.as_ref())),
            to: shown(change.and_then(|change| change.to.as_ref())),
        }
    };
    let mut steps: Vec<SavedStep> =
        plan.chat_settings.iter().map(|change| step("change", "chat_settings", "", Some(change))).collect();
    for app in &plan.apps {
        steps.extend(app.changes.iter().map(|change| step("change", "app", &app.id, Some(change))));
    }
    for account in &plan.accounts {
        let action = match account.action {
            Action::Add => "add",
            Action::Change => "change",
            Action::Remove => "remove",
            Action::Nothing => continue,
        };
        if account.changes.is_empty() {
            steps.push(step(action, "account", &account.handle, None));
        }
        steps.extend(account.changes.iter().map(|change| step(action, "account", &account.handle, Some(change))));
    }
    steps
}

/// The fingerprints of all secrets that were read, and of the verify tokens that will be sent.
pub fn secrets(
    workspace: &Workspace,
    prepared: &Prepared,
    tenant: &TenantName,
    key: &Secret,
) -> Result<Vec<SavedSecret>, Error> {
    let plan = &prepared.plan;
    let mut secrets = Vec::new();
    for (at, seen) in prepared.seen.iter().enumerate() {
        let planned = &plan.accounts[at];
        let Some(after) = &planned.after else { continue };
        let mut read: Vec<(SecretKind, &Secret)> = seen.used.iter().map(|(kind, secret)| (*kind, secret)).collect();
        for (kind, copy) in &seen.secrets {
            if let SecretSeen::Read { source, .. } = copy
                && !seen.used.contains_key(kind)
            {
                read.push((*kind, source));
            }
        }
        let mut add = |kind: SecretKind, secret: &Secret| {
            let reference = after.secrets.get(&kind).map(ToString::to_string).unwrap_or_default();
            let place = format!("{tenant}\n{}\n{}", planned.handle, kind.key());
            let fingerprint = secret.print(key, &place);
            secrets.push(SavedSecret { account: planned.handle.clone(), secret: kind, reference, fingerprint });
        };
        for (kind, secret) in &read {
            add(*kind, secret);
        }
        let kind = SecretKind::VerifyToken;
        let speaks = plan.apps.iter().any(|app| app.speaker == at);
        let is_read = read.iter().any(|(known, _)| *known == kind);
        let is_new = planned
            .secrets
            .iter()
            .any(|(of, ready)| *of == kind && !matches!(ready, crate::provision::kept::ReadySecret::Refer(_)));
        if speaks
            && !is_read
            && !is_new
            && let Some(secret) = verify_token(workspace, prepared, after)?
        {
            add(kind, &secret);
        }
    }
    Ok(secrets)
}

/// The verify token that Meta will get for an account's app.
fn verify_token(workspace: &Workspace, prepared: &Prepared, after: &Account) -> Result<Option<Secret>, Error> {
    let kind = SecretKind::VerifyToken;
    match after.secrets.get(&kind) {
        Some(SecretRef::Command(_)) if !prepared.allow_commands => Ok(None),
        _ => Ok(workspace.secret(after, kind)?),
    }
}

/// What was seen at Meta.
pub fn meta(prepared: &Prepared, key: &Secret) -> Vec<SeenAtMeta> {
    let accounts = prepared.plan.accounts.iter().zip(&prepared.seen);
    let one = |live: &Live, handle: &str| SeenAtMeta {
        account: handle.to_owned(),
        page_name: live.page_name.as_deref().map(redact),
        page: match &live.page {
            Ok(PageLevel::Fields(fields)) => sorted(fields),
            Ok(PageLevel::Absent) => "not subscribed".into(),
            Ok(PageLevel::OfAnotherApp(id)) => format!("subscribed by app {id}").into(),
            Err(_) => "not read".into(),
        },
        app: match &live.app {
            None => Value::Null,
            Some(Ok(AppLevel::Absent)) => "no webhook".into(),
            Some(Ok(AppLevel::Present(webhook))) => json!({
                "callback_url": webhook.callback_url.as_deref().map(address::shown),
                // Its query may hold a key.
                "callback_fingerprint": webhook.callback_url.as_deref().map(|url| key.print_text(url)),
                "fields": sorted(&webhook.fields),
                "active": webhook.active,
            }),
            Some(Err(_)) => "not read".into(),
        },
    };
    accounts.filter_map(|(account, seen)| Some(one(seen.live.as_ref()?, &account.handle))).collect()
}

/// Meta lists fields in any order.
fn sorted(fields: &[String]) -> Value {
    let mut fields = fields.to_vec();
    fields.sort();
    fields.into()
}

/// The first difference between what the plan rests on and what is now.
pub fn check(workspace: &Workspace, plan: &SavedPlan, prepared: &Prepared, key: &Secret) -> Result<(), Error> {
    let now = secrets(workspace, prepared, &plan.tenant, key)?;
    for was in &plan.secrets {
        let is = now.iter().find(|now| (&now.account, now.secret) == (&was.account, was.secret));
        if is.is_some_and(|is| is.fingerprint != was.fingerprint) {
            let what = format!("the {} of '{}' ({})", was.secret, was.account, was.reference);
            return Err(stale(&format!("{what} has another value than when it was made")));
        }
    }
    let problems = prepared.plan.accounts.iter().filter_map(|account| Some((account, account.problems.first()?)));
    if let Some((account, problem)) = problems.into_iter().next() {
        let what = format!("'{}' cannot be applied now: {}", account.name, problem.summary);
        return Err(if problem.unreachable {
            Error::remote(format!("the plan was not applied: {what}")).hint("try again later")
        } else {
            stale(&what)
        });
    }
    if let Some((was, is)) = first_difference(&plan.secrets, &now) {
        let account = was.or(is).map(|secret| secret.account.as_str()).unwrap_or_default();
        return Err(stale(&format!("the secrets of '{account}' are read from other places than when it was made")));
    }
    if let Some((was, is)) = first_difference(&plan.meta, &meta(prepared, key)) {
        return Err(stale(&at_meta(was, is)));
    }
    if let Some((was, is)) = first_difference(&plan.steps, &steps(prepared)) {
        let words = |step: Option<&SavedStep>| step.map_or_else(|| "nothing more".to_owned(), SavedStep::in_words);
        return Err(stale(&format!("it says '{}', and now it would be '{}'", words(was), words(is))));
    }
    Ok(())
}

fn first_difference<'a, T: PartialEq>(was: &'a [T], is: &'a [T]) -> Option<(Option<&'a T>, Option<&'a T>)> {
    let pairs = (0..was.len().max(is.len())).map(|at| (was.get(at), is.get(at)));
    pairs.into_iter().find(|(was, is)| was != is)
}

/// What differs at Meta, with both values.
fn at_meta(was: Option<&SeenAtMeta>, is: Option<&SeenAtMeta>) -> String {
    let (Some(was), Some(is)) = (was, is) else { return "other accounts were looked at at Meta".into() };
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(fields) => fields.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Object(webhook) => {
            let fields = webhook["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
            format!(
                "{} with {}{}",
                webhook["callback_url"].as_str().unwrap_or("no callback URL"),
                fields.collect::<Vec<_>>().join(", "),
                if webhook["active"] == true { "" } else { ", not active" }
            )
        }
        _ => "not read".into(),
    };
    let name = |name: &Option<String>| Value::from(name.clone().unwrap_or_default());
    let pairs = [
        ("the Page's subscription", was.page.clone(), is.page.clone()),
        ("the app's webhook", was.app.clone(), is.app.clone()),
        ("the Page's name", name(&was.page_name), name(&is.page_name)),
    ];
    let found = pairs.into_iter().find(|(_, was, is)| was != is);
    let Some((what, was_value, is_value)) = found else { return format!("'{}' was looked at instead", is.account) };
    let changed = format!("{what} of '{}' was changed at Meta since it was made", was.account);
    format!("{changed}: was {}; is {}", words(&was_value), words(&is_value))
}

impl SavedStep {
    fn in_words(&self) -> String {
        let Self { action, of, name, field, to, .. } = self;
        let what = if of == "chat_settings" { "Chat Settings".to_owned() } else { format!("{of} {name}") };
        let field = field.as_ref().map(|field| format!(": {field}")).unwrap_or_default();
        let to = to.as_ref().map(|to| format!(" -> {}", crate::text::excerpt(to, 60))).unwrap_or_default();
        format!("{action} {what}{field}{to}")
    }
}
