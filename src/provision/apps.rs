//! What differs at the webhooks of apps: one for all Pages of an app, so all accounts of it
//! that name webhook fields have a say.

use crate::address;
use std::collections::BTreeMap;

use super::plan::{AccountPlan, Change, Problem, Seen};
use super::subscription::{AppLevel, Levels, Step, Wish, difference};
use crate::dashboard;
use crate::graph::endpoints::subscription::same_callback;
use crate::secrets::SecretKind;

/// What is to be done with the webhook of one app.
#[derive(Debug)]
pub struct AppPlan {
    /// The app.
    pub id: String,
    /// What differs.
    pub changes: Vec<Change>,
    /// What is written.
    pub steps: Vec<Step>,
    /// The place in [`Plan::accounts`](super::plan::Plan::accounts) of the account that speaks for it.
    pub speaker: usize,
    /// The places of all its accounts that name webhook fields.
    pub members: Vec<usize>,
}

/// The webhooks of the apps whose accounts name webhook fields. An account without which
/// an app's webhook cannot be set has that as its problem.
pub(super) fn apps(accounts: &mut [AccountPlan], seen: &[Seen]) -> Vec<AppPlan> {
    let mut apps: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (account, seen)) in accounts.iter_mut().zip(seen).enumerate() {
        let app_id = account.after.as_ref().and_then(|after| after.app_id.as_ref());
        let (Some(id), Some(_), Some(live)) = (app_id, &account.fields, &seen.live) else { continue };
        let id = id.to_string();
        match &live.app {
            Some(Ok(_)) if account.problems.is_empty() => apps.entry(id).or_default().push(at),
            Some(Err(error)) => {
                account.problems.push(Problem::unseen(&format!("the webhook of app {id}"), error));
            }
            Some(Ok(_)) => {}
            None => account.notes.push(format!(
                "the webhook of app {id} is neither looked at nor set without the app secret: {}",
                dashboard::WEBHOOKS
            )),
        }
    }
    let mut plans = Vec::new();
    for (id, members) in apps {
        plans.extend(app(accounts, seen, id, members));
    }
    plans
}

fn app(accounts: &mut [AccountPlan], seen: &[Seen], id: String, mut members: Vec<usize>) -> Option<AppPlan> {
    let callback = |accounts: &[AccountPlan], at: usize| {
        accounts[at].after.as_ref()?.callback_url.as_ref().map(|url| url.as_str().to_owned())
    };
    let asks = |accounts: &[AccountPlan], at: usize| {
        let has = accounts[at].after.as_ref().is_some_and(|after| after.secrets.contains_key(&SecretKind::VerifyToken));
        has && seen[at].closed.is_none()
    };
    // One that knows where its events go, and what the callback is asked with.
    let best = |at: &&usize| (callback(accounts, **at).is_some(), asks(accounts, **at));
    let speaker = members.iter().rev().max_by_key(best).copied()?;
    let callback_url = callback(accounts, speaker);
    let others: Vec<usize> = members
        .iter()
        .filter(|at| match (callback(accounts, **at), &callback_url) {
            (Some(url), Some(speakers)) => !same_callback(&url, speakers),
            _ => false,
        })
        .copied()
        .collect();
    let (name, url) = (accounts[speaker].name.clone(), address::shown(callback_url.as_deref().unwrap_or_default()));
    for at in others {
        accounts[at].problems.push(Problem::new(
            format!("app {id} has one callback URL for all of its Pages, and '{name}' has another one: {url}"),
            "give both the same webhook.callback_url",
        ));
        members.retain(|member| *member != at);
    }
    let mut fields: Vec<String> = Vec::new();
    for field in members.iter().filter_map(|at| accounts[*at].fields.as_ref()).flatten() {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    let Some(Ok(level)) = &seen[speaker].live.as_ref()?.app else { return None };
    let wish = Wish { callback_url, fields, exact: false };
    let levels = Levels { page: Some(wish.fields.clone()), app: Some(level.clone()) };
    let steps = difference(&wish, &levels);
    if steps.is_empty() {
        if *level == AppLevel::Absent {
            accounts[speaker].notes.push(format!("app {id} has no webhook yet: it takes a webhook.callback_url"));
        }
        return None;
    }
    if !asks(accounts, speaker) {
        // Its Pages would send their events to wherever the app's go now.
        let none = || {
            let summary = format!("the webhook of app {id} cannot be set without a verify token");
            Problem::new(summary, "add webhook.verify_token: generate")
        };
        let problem = seen[speaker].closed.clone().unwrap_or_else(none);
        for at in members {
            accounts[at].problems.push(problem.clone());
        }
        return None;
    }
    Some(AppPlan { changes: app_changes(level, &steps), id, steps, speaker, members })
}

fn app_changes(level: &AppLevel, steps: &[Step]) -> Vec<Change> {
    let (callback_now, fields_now, active) = match level {
        AppLevel::Absent => (None, None, true),
        AppLevel::Present(present) => (present.callback_url.clone(), Some(present.fields.join(", ")), present.active),
    };
    let mut changes = Vec::new();
    for step in steps {
        let Step::SetApp { callback_url, fields, replaces } = step else { continue };
        if replaces.is_some() || callback_now.is_none() {
            changes.push(Change::new("webhook.callback_url", callback_now.clone(), Some(callback_url.clone())));
        }
        if fields_now.as_deref() != Some(&fields.join(", ")) {
            changes.push(Change::new("webhook.fields", fields_now.clone(), Some(fields.join(", "))));
        }
        if !active {
            changes.push(Change::new("webhook.active", Some("no".into()), Some("yes".into())));
        }
    }
    changes
}
