//! A program without a terminal, as the page of `src/lib.rs` shows it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use msgrctl::accounts::Account;
use msgrctl::checks::Outcome;
use msgrctl::clock::Clock;
use msgrctl::env::Environment;
use msgrctl::messages::MessageState;
use msgrctl::operations::accounts::{self, Draft};
use msgrctl::operations::apply::{self, Ended, How, Looks};
use msgrctl::operations::{Error, Given, Kind, Reporter, Unseen, Workspace};
use msgrctl::provision::manifest::{self, Manifest, Text};
use msgrctl::sandbox::{InProcess, World};
use msgrctl::secrets::{Secret, StoreName};

fn connect(
    env: Environment,
    given: Given,
    reporter: Rc<dyn Reporter>,
    token: Secret,
    manifest: Manifest,
) -> Result<(Outcome, Ended), Error> {
    let workspace = Workspace::new(env, given, reporter, "connect");
    let account = accounts::add(&workspace, Draft::of_token(&workspace, token)?)?;
    let report = accounts::test(&workspace, account.handle.as_str())?;
    let prepared = apply::prepare(&workspace, manifest, Looks::default())?;
    let how = How { fail_fast: false, again: "connect", on_end: &|_, _, _| {} };
    Ok((report.credentials(), apply::carry_out(&workspace, &prepared, how)?))
}

#[test]
fn the_page_of_the_library_shows_this_program() {
    let page: Vec<&str> = include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//!")).collect();
    let page: Vec<&str> = page.into_iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let shown = page.iter().skip_while(|line| !line.starts_with("fn ")).take_while(|line| !line.starts_with("```"));
    let shown = shown.copied().collect::<Vec<_>>().join("\n");
    assert!(shown.contains("Workspace::new"), "{shown}");
    assert!(include_str!("library.rs").contains(&shown), "{shown}");
}

/// Keeps what it is told.
#[derive(Default)]
struct Kept(RefCell<Vec<String>>);

impl Reporter for Kept {
    fn notice(&self, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }

    fn warning(&self, text: &str) {
        self.0.borrow_mut().push(format!("warning: {text}"));
    }
}

/// What one run needs: a Graph in this process, a directory, a key for the encrypted file.
struct House {
    sandbox: InProcess,
    directory: tempfile::TempDir,
    kept: Rc<Kept>,
}

impl House {
    fn new() -> Self {
        let sandbox = InProcess::start(World::new(Clock::system())).expect("a sandbox");
        Self { sandbox, directory: tempfile::tempdir().expect("a directory"), kept: Rc::default() }
    }

    fn given(&self) -> Given {
        Given {
            config_dir: Some(self.directory.path().to_owned()),
            graph_url: Some(self.sandbox.url()),
            store: Some(StoreName::File),
            ..Given::default()
        }
    }

    fn connect(&self, token: &str) -> Result<(Outcome, Ended), Error> {
        let env = Environment::default().with("MSGRCTL_PASSPHRASE", "a passphrase for this test");
        let page = self.sandbox.world().pages[0].clone();
        let text = format!(
            "version: 1\naccounts:\n  - name: {}\n    page_id: '{}'\n    page_username: {}\n    messages: {{agent-left: disabled}}\n",
            page.name,
            page.id,
            page.username.unwrap_or_default()
        );
        let text = Text { file: "accounts.yaml", directory: Path::new("/"), text: &text };
        let manifest = manifest::read(&[text]).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        connect(env, self.given(), self.kept.clone(), Secret::new(token), manifest)
    }

    fn accounts(&self) -> Vec<Account> {
        let workspace = Workspace::new(Environment::default(), self.given(), Rc::new(Unseen), "look");
        workspace.accounts().expect("a store").load().expect("records")
    }
}

#[test]
fn it_adds_an_account_tests_it_and_applies_a_manifest() {
    let house = House::new();
    let token = {
        let world = house.sandbox.world();
        world.page_token(&world.pages[0].id).expect("a token").value.clone()
    };
    let (outcome, ended) = house.connect(&token).expect("connected");
    assert!(outcome < Outcome::Unreachable, "{outcome}");
    assert!(matches!(ended.outcomes[&0], apply::Outcome::Done));
    let accounts = house.accounts();
    assert_eq!(accounts.len(), 1);
    assert!(accounts[0].secrets.values().all(|place| place.store() == Some(StoreName::File)));
    let event = "agent-left".parse().expect("an event");
    assert_eq!(accounts[0].messages.state(event), MessageState::Disabled, "as the manifest has it");
    let told = house.kept.0.borrow();
    let id = format!("page id: {} (from Graph; --page-id sets another)", accounts[0].page_id);
    assert!(told.contains(&id), "{told:?}");
    // The same again is refused before anything is asked.
    drop(told);
    let error = house.connect(&token).map(drop).expect_err("taken");
    assert!(error.message().contains("is taken"), "{}", error.message());
    assert_eq!(house.accounts(), accounts);
}

#[test]
fn what_fails_is_a_value_and_nothing_is_saved() {
    let house = House::new();
    let error = house.connect("EAABwrong").map(drop).expect_err("refused");
    assert_eq!(error.kind(), Kind::Check);
    let (_, report) = error.report().expect("a report");
    assert_eq!(report.credentials(), Outcome::Fail);
    assert!(house.accounts().is_empty());
}
