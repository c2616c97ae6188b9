//! Both levels of accounts as they should be, and no more written than differs.

use std::collections::{BTreeMap, BTreeSet};

use super::carry_out::{Work, carry_out as carry_out_all};
use super::observe::{Seen, changed_in_words, changed_levels, observe};
use super::others::others_of_app;
use super::results::AccountResult;
use super::target::Target;
use crate::accounts::{Account, CallbackUrl};
use crate::address::shown;
use crate::channel::Channel;
use crate::graph::Client;
use crate::graph::endpoints::subscription::same_callback;
use crate::operations::{Error, Workspace};
use crate::provision::apps::{self, AppPlan, Member};
use crate::provision::subscription::{AppStep, Wish, list, page_step, webhook};
use crate::secrets::SecretKind;

pub struct Order {
    fields: Vec<String>,
    exact: bool,
    resend: bool,
}

impl Order {
    /// These webhook fields; with `exact` no others, and with `resend` Meta is given the
    /// callback URL and the verify token where nothing differs too.
    pub fn new(fields: &[String], exact: bool, resend: bool) -> Result<Self, Error> {
        let mut seen = BTreeSet::new();
        let fields = fields.iter().map(|field| field.trim().to_owned());
        let fields: Vec<String> = fields.filter(|field| seen.insert(field.clone())).collect();
        let is_of_a_field = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if let Some(bad) = fields.iter().find(|field| field.is_empty() || !field.bytes().all(is_of_a_field)) {
            return Err(Error::usage(format!("'{bad}' is not a valid webhook field"))
                .hint("fields are words such as messages, messaging_postbacks, with commas between them"));
        }
        Ok(Self { fields, exact, resend })
    }

    /// What a contact centre needs.
    pub fn usual(channel: Channel) -> Self {
        let fields = webhook(channel).fields.iter().map(|field| (*field).to_owned()).collect();
        Self { fields, exact: false, resend: false }
    }
}

/// What would be written.
pub struct Prepared {
    client: Client,
    works: BTreeMap<usize, Work>,
    apps: Vec<AppPlan>,
}

/// A change of an app that its other Pages notice.
pub struct Moved {
    /// What would become of the app.
    pub what: String,
    pub question: String,
}

/// Looks at Meta, and says what has to be written so that both levels of every target are as
/// ordered.
pub fn prepare(workspace: &Workspace, targets: Vec<Target>, order: &Order) -> Result<Prepared, Error> {
    refuse_two_callbacks(&targets)?;
    let client = workspace.graph()?;
    let seen = {
        let _progress = workspace.reporter.waiting("asking Graph about webhooks …");
        Workspace::wait(observe(&client, &targets.iter().collect::<Vec<_>>()))?
    };
    let work = |(target, before): (Target, Seen)| {
        let wish = Wish { callback_url: target.callback_url(), fields: order.fields.clone(), exact: order.exact };
        // What could not be seen is not written, nor what belongs to another app.
        let seen = before.page.as_ref().ok().filter(|_| !before.has_wrong_app());
        let page = seen.and_then(|level| page_step(&wish, level));
        Work { target, wish, before, page }
    };
    let works: BTreeMap<usize, Work> = targets.into_iter().zip(seen).map(work).enumerate().collect();
    let mut apps = apps::plan(&works.iter().filter_map(member).collect::<Vec<_>>(), order.resend);
    apps.retain(|app| !app.steps.is_empty());
    Ok(Prepared { client, works, apps })
}

fn member<'w>((at, work): (&usize, &'w Work)) -> Option<Member<'w>> {
    let Work { target, wish, before, .. } = work;
    Some(Member {
        at: *at,
        app_id: target.known_app()?.to_owned(),
        level: before.app.as_ref()?.as_ref().ok()?,
        wish: wish.clone(),
        has_verify_token: target.account.secrets.contains_key(&SecretKind::VerifyToken),
    })
}

impl Prepared {
    /// What sends an app's events somewhere else, or makes them fewer: its other Pages go
    /// with it.
    pub fn moves(&self, workspace: &Workspace) -> Result<Vec<Moved>, Error> {
        let mut moves = Vec::new();
        for app in &self.apps {
            let (id, speaker) = (&app.id, &self.works[&app.speaker].target.account);
            for step in &app.steps {
                let (what, asks) = match step {
                    AppStep::Set { callback_url, replaces: Some(now), .. } => (
                        format!("app {id}: events go to {} now, and would go to {}", shown(now), shown(callback_url)),
                        "Send the app's events there",
                    ),
                    AppStep::Remove { fields } => (
                        format!("app {id}: {} would no longer be sent", list(fields)),
                        "Take these fields away from the app",
                    ),
                    AppStep::Set { .. } => continue,
                };
                let others = others_of_app(workspace, speaker, |_| false)?;
                let affects = if others.is_empty() {
                    "Pages of the app that are not kept here go with it".to_owned()
                } else {
                    format!("it affects {} too", others.join(", "))
                };
                moves.push(Moved { what, question: format!("{asks}? ({affects})") });
            }
        }
        Ok(moves)
    }

    /// Looks at Meta again, after a person was asked, who may have thought for long. Refuses to
    /// write over what another tool has changed in the meantime; `command` is this one again.
    pub fn look_again(&self, command: &str) -> Result<(), Error> {
        let targets: Vec<&Target> = self.works.values().map(|work| &work.target).collect();
        let now = Workspace::wait(observe(&self.client, &targets))?;
        for (Work { target, before, .. }, now) in self.works.values().zip(&now) {
            if let Some(level) = changed_levels(before, now).into_iter().next() {
                return Err(Error::failed(format!(
                    "{} of '{}' was changed at Meta while this waited for an answer; nothing was written",
                    changed_in_words(level),
                    target.account.name
                ))
                .hint(format!("look at it again: {command}")));
            }
        }
        Ok(())
    }
}

/// Writes it, and reads back what was written. Returns what became of each target, in their
/// order.
pub fn carry_out(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<AccountResult>, Error> {
    let Prepared { client, works, apps } = prepared;
    let writes = !apps.is_empty() || works.values().any(|work| work.page.is_some());
    let _progress = writes.then(|| workspace.reporter.waiting("subscribing …"));
    carry_out_all(workspace, client, works, apps, true)
}

/// An app has one callback URL: accounts of one app that name two cannot both be served.
fn refuse_two_callbacks(targets: &[Target]) -> Result<(), Error> {
    let mut known: BTreeMap<&str, (&Account, &CallbackUrl)> = BTreeMap::new();
    for target in targets {
        let (Some(id), Some(url)) = (target.known_app(), &target.account.callback_url) else { continue };
        let (first, at) = *known.entry(id).or_insert((&target.account, url));
        if !same_callback(at.as_str(), url.as_str()) {
            return Err(Error::usage(format!(
                "app {id} has one callback URL for all of its Pages, and two accounts of it name different ones: '{}' {}, '{}' {}",
                first.name,
                at.shown(),
                target.account.name,
                url.shown()
            ))
            .hint(format!(
                "give both the same: msgrctl account edit {} --callback-url {}",
                target.account.handle,
                at.to_paste()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Outcome;
    use crate::operations::accounts::test;
    use crate::operations::change::{self, Change, New, Target as Place};
    use crate::operations::status::{self, Standing};
    use crate::operations::webhooks::tests::Rig;
    use crate::sandbox::Fault;
    use crate::secrets::{Secret, StoreName};

    fn prepared(rig: &Rig) -> Prepared {
        let target = Target::of(&rig.workspace, rig.account()).expect("a target");
        prepare(&rig.workspace, vec![target], &Order::usual(rig.account().channel)).expect("prepared")
    }

    #[test]
    fn both_levels_are_set_and_a_second_run_writes_nothing() {
        let rig = Rig::new();
        let first = prepared(&rig);
        assert!(first.moves(&rig.workspace).expect("moves").is_empty(), "a new webhook moves no other Page");
        let result = carry_out(&rig.workspace, &first).expect("results").remove(0);
        assert!(result.changed && result.outcome() == Outcome::Pass);
        assert_eq!(rig.at_meta(), "old");
        let log = rig.logged();
        assert!(log.contains("meta.app_subscription") && log.contains("meta.page_subscription"), "{log}");
        let result = carry_out(&rig.workspace, &prepared(&rig)).expect("results").remove(0);
        assert!(!result.changed && result.outcome() == Outcome::Pass);
        assert_eq!(rig.logged(), log);
    }

    #[test]
    fn what_another_tool_changes_while_a_person_is_asked_is_not_overwritten() {
        let rig = Rig::new().subscribed("https://old.example.com/m");
        let prepared = prepared(&rig);
        let [moved] = &prepared.moves(&rig.workspace).expect("moves")[..] else { panic!("one move") };
        assert!(moved.what.contains("https://old.example.com/m now"), "{}", moved.what);
        prepared.look_again("the command").expect("nothing was changed");
        rig.sandbox.world().subscriptions[0].callback_url = "https://new.example.com/m".into();
        let refused = prepared.look_again("the command").expect_err("it was changed");
        assert_eq!(refused.first_hint(), Some("look at it again: the command"));
    }

    #[test]
    fn while_a_token_is_rotated_meta_is_given_the_one_that_the_callback_has() {
        let rig = Rig::new();
        let kind = SecretKind::NextVerifyToken;
        let new = Some(New::Value(Secret::new("next"), Place::Chosen(StoreName::Memory)));
        let accounts = rig.workspace.accounts().expect("accounts");
        change::save(&rig.workspace, &mut rig.account(), vec![Change { kind, new }], |account| {
            accounts.update(&account.id, |current| current.secrets.clone_from(&account.secrets))
        })
        .expect("saved");
        rig.callback_knows(&["next"]);
        let result = carry_out(&rig.workspace, &prepared(&rig)).expect("results").remove(0);
        assert_eq!((rig.at_meta().as_str(), result.found[0].outcome), ("next", Outcome::Warn));
        assert!(rig.logged().contains("meta.app_subscription"), "what was written is in the log");
    }

    #[test]
    fn what_meta_may_have_taken_without_an_answer_is_to_be_tested_again() {
        let rig = Rig::new();
        test::account(&rig.workspace, &rig.account()).expect("tested");
        let standing = || status::known(&rig.workspace, &[]).expect("known").remove(0).standing();
        assert_eq!(standing(), Standing::Bad(Outcome::Warn));
        let (method, path) = (Some("POST".into()), Some("/*/subscriptions".into()));
        rig.sandbox.world().faults.push(Fault { method, path, drop: true, ..Fault::default() });
        let result = carry_out(&rig.workspace, &prepared(&rig)).expect("results").remove(0);
        assert_eq!(result.outcome(), Outcome::Unreachable);
        assert_eq!(standing(), Standing::Changed);
        rig.sandbox.world().faults.clear();
        carry_out(&rig.workspace, &prepared(&rig)).expect("results");
        test::account(&rig.workspace, &rig.account()).expect("tested");
        assert_ne!(standing(), Standing::Changed);
    }
}
