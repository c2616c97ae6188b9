//! What another tool changes at Meta while a person reads a plan is not overwritten.

use msgrctl::sandbox::InProcess;

use crate::support::pty::Pty;
use crate::support::{Fleet, Home, world};

/// Another tool has the Page at this place send one field more.
fn adds_a_field(sandbox: &InProcess, at: usize) -> Vec<String> {
    let app_id = world::app(sandbox).0;
    let mut world = sandbox.world();
    let fields = world.pages[at].subscribed.entry(app_id).or_default();
    fields.push("standby".into());
    fields.clone()
}

/// `apply` on a terminal, confirmed after `meanwhile`; what it said.
fn applied(fleet: &Fleet, meanwhile: impl FnOnce()) -> String {
    let mut pty = Pty::start(&fleet.home.msgrctl(&["apply", "-f", "accounts.yaml"]), 200);
    pty.expect("Apply this?");
    meanwhile();
    pty.send("y");
    pty.send("\r");
    let (said, code) = pty.end();
    assert_eq!(code, 9, "{said}");
    said
}

#[test]
fn a_page_that_was_changed_since_the_plan_is_left_to_the_others() {
    let fleet = Fleet::new(3);
    fleet.manifest(0..3);
    let writes = fleet.writes();
    let mut changed = Vec::new();
    let said = applied(&fleet, || changed = adds_a_field(&fleet.sandbox, 1));
    assert!(said.contains("the Page's subscription of 'Page 1' was changed at Meta since the plan was made"), "{said}");
    assert!(said.contains("2 added") && said.contains("1 failed"), "{said}");
    assert_eq!(fleet.subscribed(1), changed, "nothing was overwritten");
    assert_eq!(fleet.subscribed(2).len(), 3);
    assert_eq!(fleet.writes() - writes, 3, "the app and two Pages");
    // The next plan has it in it.
    fleet.apply(&[]).code(0);
    assert_eq!(fleet.subscribed(1).len(), 4);
}

#[test]
fn an_app_that_was_changed_since_the_plan_holds_its_pages() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    let said = applied(&fleet, || world::subscribe(&fleet.sandbox, "https://other.example.com/hook", &["messages"]));
    for name in ["Page 0", "Page 1"] {
        assert!(said.contains(&format!("the app's webhook of '{name}'")) || said.contains(name), "{said}");
    }
    assert!(said.contains("was changed at Meta since the plan was made") && said.contains("2 failed"), "{said}");
    assert_eq!(fleet.sandbox.world().subscriptions[0].callback_url, "https://other.example.com/hook");
    assert_eq!(fleet.subscribed(0), ["messages"]);
    assert_eq!(fleet.writes(), 0);
}

#[test]
fn what_cannot_be_seen_again_is_not_overwritten() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    let id = fleet.sandbox.world().pages[0].id.clone();
    let said = applied(&fleet, || {
        let effect = msgrctl::sandbox::Fault { code: Some(80001), ..Default::default() };
        let path = Some(format!("/{id}/subscribed_apps"));
        let fault = msgrctl::sandbox::Fault { path, method: Some("GET".into()), ..effect };
        fleet.sandbox.world().faults.push(fault);
    });
    assert!(said.contains("cannot be read again before it is written") && said.contains("1 failed"), "{said}");
    assert_eq!((fleet.subscribed(0).len(), fleet.subscribed(1).len()), (2, 3));
    // That account speaks for the app, which can be seen.
    assert_eq!(fleet.sandbox.world().subscriptions[0].callback_url, fleet.hook.url);
}

/// An account whose app's events go somewhere else, and what `webhook subscribe` asks then.
fn subscribing(sandbox: &InProcess, home: &Home, meanwhile: impl FnOnce()) -> (String, i32) {
    world::subscribe(sandbox, "https://old.example.com/hook", &["messages"]);
    home.run(&["account", "edit", "acme", "--callback-url", "http://127.0.0.1:9/hook", "--no-test"]).code(0);
    let mut pty = Pty::start(&home.msgrctl(&["webhook", "subscribe", "acme"]), 200);
    pty.expect("Send the app's events there?");
    meanwhile();
    pty.send("y");
    pty.send("\r");
    pty.end()
}

#[test]
fn subscribe_looks_again_after_it_has_asked() {
    let sandbox = world::sandbox();
    let home = world::acme(&sandbox, true);
    let (said, code) = subscribing(&sandbox, &home, || drop(adds_a_field(&sandbox, 0)));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the Page's subscription of 'Acme' was changed at Meta while this waited"), "{said}");
    let app_id = world::app(&sandbox).0;
    assert_eq!(sandbox.world().pages[0].subscribed[&app_id], ["messages", "standby"]);
    assert_eq!(sandbox.world().subscriptions[0].callback_url, "https://old.example.com/hook");
}
