//! Plans the webhooks of apps: an app has one for all of its Pages, so it depends on all
//! accounts of the app. [`plan`] is pure; `webhook subscribe` and `apply` carry out the plan.

use std::collections::BTreeMap;

use super::plan::{AccountPlan, Change, Problem, Seen};
use super::subscription::{AppLevel, AppStep, Wish, app_steps};
use crate::address;
use crate::dashboard;
use crate::graph::endpoints::subscription::same_callback;
use crate::secrets::SecretKind;

/// An account of an app whose webhook was read.
pub struct Member<'a> {
    /// Its index among the accounts.
    pub at: usize,
    pub app_id: String,
    /// The app's webhook at Meta.
    pub level: &'a AppLevel,
    pub wish: Wish,
    /// Whether there is a verify token for the callback.
    pub has_verify_token: bool,
}

/// The planned changes to the webhook of one app.
#[derive(Debug, PartialEq, Eq)]
pub struct AppPlan {
    pub id: String,
    pub changes: Vec<Change>,
    /// The writes, in order.
    pub steps: Vec<AppStep>,
    /// The index of the account whose wishes count.
    pub speaker: usize,
    /// The indices of all its accounts.
    pub members: Vec<usize>,
    /// The indices of accounts with another callback URL than the speaker: their wishes do not
    /// count.
    pub elsewhere: Vec<usize>,
}

/// The writes for each app, by app id; empty where the webhook is as its accounts wish. With
/// `resend`, a callback URL that is already set is written again.
pub fn plan(members: &[Member<'_>], resend: bool) -> Vec<AppPlan> {
    let mut apps: BTreeMap<&str, Vec<&Member<'_>>> = BTreeMap::new();
    for member in members {
        apps.entry(&member.app_id).or_default().push(member);
    }
    apps.into_values().filter_map(|members| plan_of(&members, resend)).collect()
}

fn plan_of(members: &[&Member<'_>], resend: bool) -> Option<AppPlan> {
    // Prefer an account that has a callback URL and a verify token.
    let best = |member: &&&Member<'_>| (member.wish.callback_url.is_some(), member.has_verify_token);
    let speaker = members.iter().rev().max_by_key(best)?;
    let goes_elsewhere = |member: &Member<'_>| match (&member.wish.callback_url, &speaker.wish.callback_url) {
        (Some(url), Some(speakers)) => !same_callback(url, speakers),
        _ => false,
    };
    let (elsewhere, members): (Vec<&Member<'_>>, Vec<&Member<'_>>) =
        members.iter().partition(|member| goes_elsewhere(member));
    let mut wish = Wish { fields: Vec::new(), ..speaker.wish.clone() };
    for field in members.iter().flat_map(|member| &member.wish.fields) {
        if !wish.fields.contains(field) {
            wish.fields.push(field.clone());
        }
    }
    let mut steps = app_steps(&wish, speaker.level);
    if let (true, Some(callback_url), AppLevel::Present(present)) = (resend, &wish.callback_url, speaker.level)
        && !steps.iter().any(|step| matches!(step, AppStep::Set { .. }))
    {
        let (callback_url, fields) = (callback_url.clone(), present.fields.clone());
        steps.insert(0, AppStep::Set { callback_url, fields, replaces: None });
    }
    let places = |members: Vec<&Member<'_>>| members.into_iter().map(|member| member.at).collect();
    Some(AppPlan {
        id: speaker.app_id.clone(),
        changes: app_changes(speaker.level, &steps),
        steps,
        speaker: speaker.at,
        members: places(members),
        elsewhere: places(elsewhere),
    })
}

/// Plans the webhooks of the apps whose accounts name webhook fields. An account that an app's
/// webhook cannot be set without gets a problem.
pub(super) fn apps(accounts: &mut [AccountPlan], seen: &[Seen]) -> Vec<AppPlan> {
    let mut members = Vec::new();
    for (at, (account, seen)) in accounts.iter_mut().zip(seen).enumerate() {
        let (Some(after), Some(fields), Some(live)) = (&account.after, &account.fields, &seen.live) else { continue };
        let Some(id) = after.app_id.as_ref().map(ToString::to_string) else { continue };
        match &live.app {
            Some(Ok(level)) if account.problems.is_empty() => {
                let callback_url = after.callback_url.as_ref().map(|url| url.as_str().to_owned());
                let has_verify_token = after.secrets.contains_key(&SecretKind::VerifyToken) && seen.closed.is_none();
                let wish = Wish { callback_url, fields: fields.clone(), exact: false };
                members.push(Member { at, app_id: id, level, wish, has_verify_token });
            }
            Some(Err(error)) => {
                account.problems.push(Problem::unseen(&format!("the webhook of app {id}"), error));
            }
            Some(Ok(_)) => {}
            None => account.notes.push(format!(
                "the webhook of app {id} is neither read nor set without the app secret: {}",
                dashboard::WEBHOOKS
            )),
        }
    }
    let mut plans = plan(&members, false);
    plans.retain(|app| is_done(accounts, seen, app, &members));
    plans
}

/// Whether the plan of an app can be carried out. Whatever prevents it becomes a problem of its
/// accounts.
fn is_done(accounts: &mut [AccountPlan], seen: &[Seen], app: &AppPlan, members: &[Member<'_>]) -> bool {
    let id = &app.id;
    let Some(speaker) = members.iter().find(|member| member.at == app.speaker) else { return false };
    let (name, url) =
        (accounts[app.speaker].name.clone(), address::shown(speaker.wish.callback_url.as_deref().unwrap_or_default()));
    for at in &app.elsewhere {
        accounts[*at].problems.push(Problem::new(
            format!("app {id} has one callback URL for all of its Pages, and '{name}' has another one: {url}"),
            "give both the same webhook.callback_url",
        ));
    }
    if app.steps.is_empty() {
        if *speaker.level == AppLevel::Absent {
            accounts[app.speaker].notes.push(format!("app {id} has no webhook yet: it needs a webhook.callback_url"));
        }
        return false;
    }
    if !speaker.has_verify_token {
        // Otherwise its Pages would send their events to the app's current callback.
        let none = || {
            let summary = format!("the webhook of app {id} cannot be set without a verify token");
            Problem::new(summary, "add webhook.verify_token: generate")
        };
        let problem = seen[app.speaker].closed.clone().unwrap_or_else(none);
        for at in &app.members {
            accounts[*at].problems.push(problem.clone());
        }
    }
    speaker.has_verify_token
}

fn app_changes(level: &AppLevel, steps: &[AppStep]) -> Vec<Change> {
    let (callback_now, fields_now, active) = match level {
        AppLevel::Absent => (None, None, true),
        AppLevel::Present(present) => (present.callback_url.clone(), Some(present.fields.join(", ")), present.active),
    };
    let mut changes = Vec::new();
    for step in steps {
        let AppStep::Set { callback_url, fields, replaces } = step else { continue };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::endpoints::subscription::AppSubscription;

    const HERE: &str = "https://hooks.example.com/m";
    const OLD: &str = "https://old.example.com/m";

    fn texts(fields: &[&str]) -> Vec<String> {
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    fn present(callback_url: &str, fields: &[&str]) -> AppLevel {
        AppLevel::Present(AppSubscription {
            object: "page".into(),
            callback_url: Some(callback_url.into()),
            active: true,
            fields: texts(fields),
            oldest_version: None,
        })
    }

    /// An account of app 1: its callback URL, its fields, and whether it has a verify token.
    type Says<'a> = (Option<&'a str>, &'a [&'a str], bool);

    /// The current level, the accounts, and the expected result: steps, speaker, and accounts
    /// that go elsewhere.
    type Case<'a> = (&'a str, &'a AppLevel, &'a [Says<'a>], Vec<AppStep>, usize, &'a [usize]);

    fn planned(level: &AppLevel, all: &[Says<'_>], exact: bool, resend: bool) -> AppPlan {
        let member = |(at, (callback_url, fields, has_verify_token)): (usize, &Says<'_>)| Member {
            at,
            app_id: "1".into(),
            level,
            wish: Wish { callback_url: callback_url.map(str::to_owned), fields: texts(fields), exact },
            has_verify_token: *has_verify_token,
        };
        let members: Vec<Member<'_>> = all.iter().enumerate().map(member).collect();
        plan(&members, resend).remove(0)
    }

    fn set(callback_url: &str, fields: &[&str], replaces: Option<&str>) -> AppStep {
        let replaces = replaces.map(str::to_owned);
        AppStep::Set { callback_url: callback_url.into(), fields: texts(fields), replaces }
    }

    #[test]
    fn accounts_of_an_app_are_served_together() {
        let here = present(HERE, &["messages"]);
        let old = present(OLD, &["messages"]);
        let plain: Says<'_> = (Some(HERE), &["messages"], true);
        let cases: [Case<'_>; 7] = [
            ("as wished", &here, &[plain, plain], vec![], 0, &[]),
            (
                "the fields of all",
                &here,
                &[plain, (Some(HERE), &["messaging_postbacks"], true)],
                vec![set(HERE, &["messages", "messaging_postbacks"], None)],
                0,
                &[],
            ),
            (
                "one that knows the address speaks",
                &old,
                &[(None, &["messages"], true), plain],
                vec![set(HERE, &["messages"], Some(OLD))],
                1,
                &[],
            ),
            (
                "of those one that has a verify token",
                &old,
                &[(Some(HERE), &["messages"], false), plain, plain],
                vec![set(HERE, &["messages"], Some(OLD))],
                1,
                &[],
            ),
            ("one that goes elsewhere has no say", &here, &[plain, (Some(OLD), &["feed"], true)], vec![], 0, &[1]),
            ("a new app", &AppLevel::Absent, &[plain], vec![set(HERE, &["messages"], None)], 0, &[]),
            ("a new app without an address", &AppLevel::Absent, &[(None, &["messages"], true)], vec![], 0, &[]),
        ];
        for (name, level, all, steps, speaker, elsewhere) in cases {
            let app = planned(level, all, false, false);
            assert_eq!((app.steps, app.speaker, app.elsewhere.as_slice()), (steps, speaker, elsewhere), "{name}");
            assert_eq!(app.members.len() + elsewhere.len(), all.len(), "{name}");
        }
    }

    #[test]
    fn what_is_sent_again_keeps_what_is_there() {
        let there = present(HERE, &["feed", "messages"]);
        let says: Says<'_> = (Some(HERE), &["messages"], true);
        let again = set(HERE, &["feed", "messages"], None);
        assert_eq!(planned(&there, &[says], false, true).steps, std::slice::from_ref(&again));
        let removes = AppStep::Remove { fields: texts(&["feed"]) };
        assert_eq!(planned(&there, &[says], true, true).steps, [again, removes]);
        let moves = planned(&present(OLD, &["messages"]), &[says], false, true);
        assert_eq!(moves.steps, [set(HERE, &["messages"], Some(OLD))], "it is sent once");
        let nowhere: Says<'_> = (None, &["messages"], true);
        assert_eq!(planned(&there, &[nowhere], false, true).steps, []);
    }

    #[test]
    fn each_app_has_its_own() {
        let (here, old) = (present(HERE, &["messages"]), present(OLD, &["messages"]));
        let member = |at, app_id: &str, level| Member {
            at,
            app_id: app_id.into(),
            level,
            wish: Wish { callback_url: Some(HERE.into()), fields: texts(&["messages"]), exact: false },
            has_verify_token: true,
        };
        let plans = plan(&[member(0, "2", &here), member(3, "1", &old), member(5, "2", &here)], false);
        let places: Vec<_> = plans.iter().map(|app| (app.id.as_str(), app.members.as_slice())).collect();
        assert_eq!(places, [("1", [3].as_slice()), ("2", [0, 5].as_slice())]);
        assert_eq!(plans[0].changes, [Change::new("webhook.callback_url", Some(OLD.into()), Some(HERE.into()))]);
    }
}
