//! Carries out a plan: reports blocked accounts first, then changes what is kept here, then
//! Meta.

use std::collections::BTreeMap;

use super::prepare::Prepared;
use super::run::{Ended, How, Outcome, Run};
use super::{local, meta};
use crate::accounts::Account;
use crate::operations::journal::Changing;
use crate::operations::webhooks::Target;
use crate::operations::{Error, Unseen, Workspace};
use crate::provision::plan::{Action, Problem};

/// Carries out a plan and returns how each account did. Continues after a failure.
///
/// # Errors
///
/// Nothing could be changed, or the operator asked to stop; the error says how far it came.
pub fn carry_out(workspace: &Workspace, prepared: &Prepared, how: How<'_>) -> Result<Ended, Error> {
    carry_out_held(workspace, prepared, how, None)
}

/// The same, where the caller may hold the tenant already.
pub fn carry_out_held(
    workspace: &Workspace,
    prepared: &Prepared,
    how: How<'_>,
    held: Option<Changing<'_>>,
) -> Result<Ended, Error> {
    let plan = &prepared.plan;
    let progress =
        if plan.is_empty() { Box::new(Unseen) } else { workspace.reporter.counting("saving", plan.accounts.len()) };
    let mut run = Run { workspace, plan, progress, how, ended: Ended::default() };
    for (at, account) in plan.accounts.iter().enumerate() {
        if let Some(problem) = account.problems.first() {
            let more = account.problems.len() - 1;
            let and = if more > 0 { format!(" (and {more} more; msgrctl plan shows all)") } else { String::new() };
            let summary = format!("{}{and}", problem.summary);
            run.end(at, Outcome::Failed(Problem { summary, ..problem.clone() }));
        }
    }
    if !plan.is_empty() && !run.stops() {
        let _run = workspace.hold_run()?;
        let mut ready = local::carry_out(&mut run, prepared, held)?;
        if !run.stops() {
            let as_saved = |(at, account)| Some((at, Target { account, ..prepared.targets.get(&at)?.clone() }));
            let known = |at: &usize, _: &mut Account| prepared.targets.contains_key(at);
            let targets: BTreeMap<_, _> = ready.extract_if(known).filter_map(as_saved).collect();
            if !targets.is_empty() {
                run.progress.now("setting webhooks at Meta");
            }
            meta::carry_out(workspace, prepared, targets, &mut |at, ended| {
                run.end(at, ended.map_or_else(Outcome::Failed, |()| Outcome::Done));
            })?;
        }
        // They are saved here, but not done at Meta.
        for at in ready.into_keys() {
            run.end(
                at,
                Outcome::Failed(Problem::new("it is saved here, and its webhook is not set yet", "run this again")),
            );
        }
    }
    for at in 0..plan.accounts.len() {
        if !run.ended.outcomes.contains_key(&at) {
            let unchanged = plan.accounts[at].action == Action::Nothing;
            run.end(at, if unchanged { Outcome::Unchanged } else { Outcome::Left });
        }
    }
    Ok(run.ended)
}

#[cfg(test)]
mod tests {
    //! Local changes, with secrets in memory and files in a directory.

    use std::cell::{Cell, RefCell};
    use std::path::Path;
    use std::rc::Rc;

    use super::*;
    use crate::env::Environment;
    use crate::operations::apply::{How, Looks, prepare};
    use crate::operations::journal::History;
    use crate::operations::{Given, Hold, Reporter, key};
    use crate::provision::kept::ReadySecret;
    use crate::provision::manifest::{self, Text};
    use crate::secrets::{MemoryStore, Secret, SecretKind, SecretRef, StoreName};

    /// Does what a test asks.
    #[derive(Default)]
    struct Told {
        warnings: RefCell<Vec<String>>,
        /// After how many questions it says to stop.
        stops_after: Cell<Option<usize>>,
        /// Runs when asked whether to stop.
        meanwhile: RefCell<Option<Box<dyn Fn()>>>,
    }

    struct Held(bool);

    impl Hold for Held {
        fn was_interrupted(&self) -> bool {
            self.0
        }
    }

    impl Reporter for Told {
        fn notice(&self, _text: &str) {}

        fn warning(&self, text: &str) {
            self.warnings.borrow_mut().push(text.into());
        }

        fn hold(&self) -> Box<dyn Hold> {
            Box::new(Held(self.stops_after.get().is_some()))
        }

        fn is_stop_asked(&self) -> bool {
            if let Some(happens) = self.meanwhile.borrow_mut().take() {
                happens();
            }
            let Some(more) = self.stops_after.get() else { return false };
            self.stops_after.set(Some(more.saturating_sub(1)));
            more == 0
        }
    }

    struct Fleet {
        directory: tempfile::TempDir,
        memory: MemoryStore,
        told: Rc<Told>,
    }

    impl Fleet {
        fn new() -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            Self { directory, memory: MemoryStore::default(), told: Rc::default() }
        }

        fn workspace(&self) -> Workspace {
            let config_dir = Some(self.directory.path().to_path_buf());
            let given = Given { config_dir, store: Some(StoreName::Memory), ..Given::default() };
            Workspace::new(Environment::default(), given, self.told.clone(), "apply")
                .with_memory(Some(self.memory.clone()))
        }

        fn apply(&self, accounts: &[(&str, &str, &str)], prune: bool) -> Ended {
            let workspace = self.workspace();
            let prepared = planned(&workspace, accounts, prune);
            carried_out(&workspace, &prepared, false).unwrap_or_else(|error| panic!("{}", error.message()))
        }

        fn accounts(&self) -> Vec<Account> {
            self.workspace().accounts().expect("settings").load().expect("accounts")
        }

        fn verify_token(&self, account: &Account) -> Option<Secret> {
            self.workspace().secret(account, SecretKind::VerifyToken).expect("memory answers")
        }
    }

    /// The prepared plan for these accounts (name, handle, further lines).
    fn planned(workspace: &Workspace, accounts: &[(&str, &str, &str)], prune: bool) -> Prepared {
        let of = |(name, handle, more): &(&str, &str, &str)| {
            let id = handle.len();
            let token = if more.contains("token:") { "" } else { "    token: {env: TOKEN}\n" };
            format!(
                "  - name: {name}\n    handle: {handle}\n    page_id: '10987654321{id}'\n    page_username: page{id}\n    webhook: {{callback_url: 'https://example.com/m', verify_token: generate}}\n{token}{more}"
            )
        };
        let text = format!(
            "version: 1\nchat_settings: {{messenger_timeout: 10m}}\naccounts:\n{}",
            accounts.iter().map(of).collect::<String>()
        );
        let text = Text { file: "a.yaml", directory: Path::new("/"), text: &text };
        let manifest = manifest::read(&[text]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let looks = Looks { prune, allow_commands: false, offline: true };
        prepare(workspace, manifest, looks).unwrap_or_else(|error| panic!("{}", error.message()))
    }

    fn carried_out(workspace: &Workspace, prepared: &Prepared, fail_fast: bool) -> Result<Ended, Error> {
        let how = How { fail_fast, again: "msgrctl apply -f a.yaml --yes", on_end: &|_, _, _| {} };
        carry_out(workspace, prepared, how)
    }

    /// `done`, `left`, `unchanged` or the failure, in plan order.
    fn words(ended: &Ended) -> Vec<&str> {
        let word = |outcome: &'_ Outcome| match outcome {
            Outcome::Done => "done",
            Outcome::Unchanged => "unchanged",
            Outcome::Left => "left",
            Outcome::Failed(_) => "failed",
        };
        ended.outcomes.values().map(word).collect()
    }

    const ONE: (&str, &str, &str) = ("One", "uno", "");
    const TWO: (&str, &str, &str) = ("Two", "tres", "");
    const THREE: (&str, &str, &str) = ("Three", "cinco", "");
    /// A new account cannot have a stored secret.
    const BLOCKED: (&str, &str, &str) = ("Other", "otro-mas", "    token: {stored: true}\n");
    const DISABLED: &str = "    messages: {agent-left: disabled}\n";

    #[test]
    fn what_is_added_is_there_with_its_secrets_and_the_second_run_changes_nothing() {
        let fleet = Fleet::new();
        let ended = fleet.apply(&[ONE, TWO], false);
        assert_eq!((words(&ended), ended.settings_changed), (vec!["done", "done"], true));
        for account in fleet.accounts() {
            assert_eq!(account.secrets[&SecretKind::VerifyToken], SecretRef::Stored(StoreName::Memory));
            assert!(fleet.verify_token(&account).is_some_and(|token| token.expose().len() > 20));
        }
        let before = fleet.accounts();
        let ended = fleet.apply(&[ONE, TWO], false);
        assert_eq!((words(&ended), ended.settings_changed), (vec!["unchanged", "unchanged"], false));
        assert_eq!(fleet.accounts(), before);
    }

    #[test]
    fn what_differs_is_changed_and_names_are_exchanged() {
        let fleet = Fleet::new();
        fleet.apply(&[ONE, TWO], false);
        let [one, two] = &fleet.accounts()[..] else { panic!("two accounts") };
        let ended = fleet.apply(&[("Two", "uno", ""), ("One", "tres", "")], false);
        assert_eq!(words(&ended), ["done", "done"]);
        let now = fleet.accounts();
        let id_of = |name: &str| now.iter().find(|account| account.name.as_str() == name).map(|account| &account.id);
        assert_eq!((id_of("One"), id_of("Two")), (Some(&two.id), Some(&one.id)));
        let workspace = fleet.workspace();
        let history = History::read(&workspace).expect("it can be read");
        let last = history.last().expect("a change");
        assert_eq!((last.command.as_str(), last.changes.len()), ("apply", 2));
    }

    #[test]
    fn a_record_that_was_changed_since_the_plan_is_left_as_it_is() {
        let fleet = Fleet::new();
        fleet.apply(&[ONE, TWO], false);
        let workspace = fleet.workspace();
        let prepared = planned(&workspace, &[("One", "uno", DISABLED), ("Two", "tres", DISABLED)], false);
        let id = fleet.accounts()[0].id.clone();
        let rename = |account: &mut Account| account.name = "Uno".parse().expect("a name");
        workspace.accounts().expect("settings").update(&id, rename).expect("it is saved");
        let ended = carried_out(&workspace, &prepared, false).unwrap_or_else(|error| panic!("{}", error.message()));
        assert_eq!(words(&ended), ["failed", "done"]);
        let now = fleet.accounts();
        let left = "agent-left".parse().expect("an event");
        let states = now.iter().map(|account| account.messages.state(left).word()).collect::<Vec<_>>();
        assert_eq!((now[0].name.as_str(), states), ("Uno", vec!["default", "disabled"]));
    }

    #[test]
    fn prune_removes_accounts_and_their_secrets_unless_an_account_is_blocked() {
        let fleet = Fleet::new();
        fleet.apply(&[ONE, TWO], false);
        let two = fleet.accounts().pop().expect("an account");
        let ended = fleet.apply(&[ONE, BLOCKED], true);
        assert_eq!(words(&ended), ["unchanged", "failed", "left"]);
        assert_eq!(*fleet.told.warnings.borrow(), ["nothing is removed while an account cannot be applied"]);
        assert_eq!(fleet.accounts().len(), 2);
        let ended = fleet.apply(&[ONE], true);
        assert_eq!(words(&ended), ["unchanged", "done"]);
        assert_eq!(fleet.accounts().len(), 1);
        assert_eq!(fleet.verify_token(&two), None);
    }

    #[test]
    fn secrets_are_put_back_when_the_records_cannot_be_written() {
        let fleet = Fleet::new();
        fleet.apply(&[ONE], false);
        let one = fleet.accounts().pop().expect("an account");
        let old = fleet.verify_token(&one);
        let workspace = fleet.workspace();
        let mut prepared = planned(&workspace, &[("One", "uno", DISABLED), TWO], false);
        let new = Secret::new("another-verify-token");
        prepared.plan.accounts[0].secrets = vec![(SecretKind::VerifyToken, ReadySecret::Keep(new, StoreName::Memory))];
        let two = prepared.plan.accounts[1].after.clone().expect("a new account");
        let path = workspace.settings().expect("settings").paths.accounts_file("default");
        let damage = move || std::fs::write(&path, "not TOML").expect("it is written");
        *fleet.told.meanwhile.borrow_mut() = Some(Box::new(damage));
        let ended = carried_out(&workspace, &prepared, false).unwrap_or_else(|error| panic!("{}", error.message()));
        for outcome in ended.outcomes.values() {
            let Outcome::Failed(problem) = outcome else { panic!("not saved") };
            assert!(problem.summary.ends_with("nothing was saved, and the secrets were rolled back"), "{problem:?}");
        }
        assert_eq!(fleet.verify_token(&one), old);
        let stored = workspace.store(StoreName::Memory).get(&key(&two, SecretKind::VerifyToken));
        assert_eq!(stored.expect("memory answers"), None);
    }

    #[test]
    fn asked_to_stop_in_the_middle_it_keeps_what_is_done_and_the_next_run_goes_on() {
        let fleet = Fleet::new();
        fleet.told.stops_after.set(Some(1));
        let all = [ONE, TWO, THREE];
        let workspace = fleet.workspace();
        let prepared = planned(&workspace, &all, false);
        let stopped = carried_out(&workspace, &prepared, false).err().expect("an interrupt");
        assert!(stopped.is_interrupt() && stopped.message().contains("1 of 3 accounts"), "{}", stopped.message());
        let saved = fleet.accounts();
        assert_eq!(saved.len(), 1);
        fleet.told.stops_after.set(None);
        assert_eq!(words(&fleet.apply(&all, false)), ["unchanged", "done", "done"]);
        assert_eq!(fleet.accounts()[0], saved[0]);
    }

    #[test]
    fn a_stop_at_the_first_failure_begins_nothing_more() {
        let fleet = Fleet::new();
        let workspace = fleet.workspace();
        let prepared = planned(&workspace, &[ONE, BLOCKED, THREE], false);
        let ended = carried_out(&workspace, &prepared, true).unwrap_or_else(|error| panic!("{}", error.message()));
        assert_eq!(words(&ended), ["left", "failed", "left"]);
        assert!(fleet.accounts().is_empty());
    }
}
