//! Many accounts are asked about in few requests, and what is wrong with one stays its own.

use std::time::Duration;

use msgrctl::sandbox::{Fault, InProcess, TokenState};
use serde_json::Value;

use crate::support::many::{many, requests, set_app};
use crate::support::{Home, Run, world};

/// The outcome of every account, in order.
fn outcomes(run: &Run) -> Vec<String> {
    let value = run.json();
    let results = value["results"].as_array().unwrap();
    results.iter().map(|result| result["outcome"].as_str().unwrap().to_owned()).collect()
}

/// The accounts that did not pass or warn.
fn bad(run: &Run) -> Vec<(usize, String)> {
    let outcomes = outcomes(run).into_iter().enumerate();
    outcomes.filter(|(_, outcome)| outcome != "pass" && outcome != "warn").collect()
}

fn check(run: &Run, account: usize, id: &str) -> Value {
    let checks = run.json()["results"][account]["checks"].as_array().cloned().unwrap();
    checks.into_iter().find(|check| check["id"] == id).unwrap()
}

fn test(home: &Home, code: i32) -> Run {
    home.run(&["account", "test", "--all", "--json"]).code(code)
}

fn fault(sandbox: &InProcess, path: impl Into<String>, times: Option<u32>, effect: Fault) {
    sandbox.world().faults.push(Fault { path: Some(path.into()), times, ..effect });
}

fn subscribed_apps(sandbox: &InProcess, at: usize) -> String {
    format!("/{}/subscribed_apps", sandbox.world().pages[at].id)
}

#[test]
fn three_calls_an_account_go_fifty_at_a_time() {
    let (sandbox, home) = many(120);
    set_app(&home, &world::app(&sandbox).0, None);
    world::subscribe(&sandbox, "https://hooks.example.com/m", &world::EVENTS);
    let run = test(&home, 0);
    assert_eq!(outcomes(&run).len(), 120);
    assert!(bad(&run).is_empty(), "{:?}", bad(&run));
    // 360 calls: the Page, its subscription, and what the token says of itself, its app too.
    assert!(requests(&sandbox) <= 9, "{}", requests(&sandbox));
    let asked = |end: &str| world::paths(&sandbox).iter().filter(|path| path.ends_with(end)).count();
    assert_eq!((asked("/debug_token"), asked("/app")), (120, 0), "each is asked about for itself");
}

#[test]
fn with_the_app_secret_every_call_is_signed_and_the_app_asked_about_once() {
    let (sandbox, home) = many(60);
    let (id, secret) = world::app(&sandbox);
    set_app(&home, &id, Some(&secret));
    sandbox.world().rules.require_app_secret = true;
    world::subscribe(&sandbox, "https://hooks.example.com/m", &world::EVENTS);
    let text = std::fs::read_to_string(home.accounts_file()).unwrap();
    let text = text.replace("graph = ", "callback_url = \"https://hooks.example.com/m\"\ngraph = ");
    std::fs::write(home.accounts_file(), text).unwrap();
    let run = test(&home, 0);
    assert!(bad(&run).is_empty(), "{:?}", bad(&run));
    for id in ["token.valid", "token.permissions", "app.subscription"] {
        assert_eq!(check(&run, 59, id)["outcome"], "pass", "{id}");
    }
    let asked = world::paths(&sandbox).iter().filter(|path| path.ends_with("/subscriptions")).count();
    assert!(asked <= 2, "{asked}");
}

#[test]
fn a_token_that_died_speaks_for_nobody_else() {
    let (sandbox, home) = many(60);
    // The first call of the first batch, which would speak for the batch as a whole.
    sandbox.world().tokens[1].state = TokenState::LoggedOut;
    let first: Vec<String> = sandbox.world().pages.iter().map(|page| page.id.clone()).collect();
    sandbox.world().page_token_mut(&first[0]).unwrap().state = TokenState::LoggedOut;
    sandbox.world().page_token_mut(&first[31]).unwrap().state = TokenState::LoggedOut;
    let run = test(&home, 7);
    let failed: Vec<usize> = bad(&run).into_iter().map(|(at, _)| at).collect();
    assert!(failed.contains(&0) && failed.contains(&31) && failed.len() <= 3, "{failed:?}");
    assert_eq!(check(&run, 0, "token.valid")["graph"]["code"], 190);
    assert!(requests(&sandbox) <= 7, "{}", requests(&sandbox));
}

#[test]
fn a_dead_token_that_inspects_itself_speaks_for_no_batch() {
    let (sandbox, home) = many(200);
    let pages: Vec<String> = sandbox.world().pages.iter().map(|page| page.id.clone()).collect();
    // In every batch one of them inspects itself before another token shows that it works.
    for page in pages.iter().step_by(2) {
        sandbox.world().page_token_mut(page).unwrap().state = TokenState::LoggedOut;
    }
    let run = test(&home, 7);
    assert_eq!(bad(&run).len(), 100);
    let refused = sandbox
        .world()
        .journal
        .entries()
        .iter()
        .filter(|entry| entry.path == "/v26.0/" && entry.status != Some(200))
        .count();
    // Four batches are on their way before the first answer shows a token that works.
    assert!(refused <= 4, "{refused} batches were refused for their speaker");
}

#[test]
fn when_every_token_has_died_each_account_is_told_so() {
    let (sandbox, home) = many(30);
    for token in &mut sandbox.world().tokens {
        token.state = TokenState::LoggedOut;
    }
    let run = test(&home, 7);
    assert_eq!(bad(&run).len(), 30);
    for at in 0..30 {
        assert_eq!(check(&run, at, "token.valid")["graph"]["subcode"], 467, "{at}");
    }
}

#[test]
fn what_is_wrong_with_one_page_is_reported_for_it_alone() {
    let (sandbox, home) = many(60);
    let limit = Fault { code: Some(80006), regain_minutes: Some(12), status: Some(400), ..Fault::default() };
    fault(&sandbox, subscribed_apps(&sandbox, 7), None, limit);
    let broken = Fault { body: Some("<html>Sorry</html>".into()), ..Fault::default() };
    fault(&sandbox, subscribed_apps(&sandbox, 23), None, broken);
    fault(&sandbox, subscribed_apps(&sandbox, 41), None, Fault { drop: true, ..Fault::default() });
    let run = test(&home, 5);
    let of = |at| (at, "unreachable".to_owned());
    assert_eq!(bad(&run), [of(7), of(23), of(41)]);
    assert!(check(&run, 7, "page.subscription")["hint"].as_str().unwrap().contains("wait 12 minutes"));
    // The limit is told and not called into; the others are tried three times.
    let asked = |at: usize| {
        let path = format!("/v26.0{}", subscribed_apps(&sandbox, at));
        world::paths(&sandbox).iter().filter(|known| **known == path).count()
    };
    assert_eq!((asked(7), asked(23), asked(41)), (1, 3, 3));
    sandbox.world().faults.clear();
    assert!(bad(&test(&home, 0)).is_empty(), "the next run goes on");
}

#[test]
fn what_was_not_finished_goes_again() {
    let (sandbox, home) = many(20);
    sandbox.world().rules.batch_patience = Duration::from_millis(200);
    let slow = Fault { delay: Some(Duration::from_secs(2)), ..Fault::default() };
    fault(&sandbox, subscribed_apps(&sandbox, 3), Some(1), slow.clone());
    assert!(bad(&test(&home, 0)).is_empty());
    fault(&sandbox, subscribed_apps(&sandbox, 3), None, slow);
    let run = test(&home, 5);
    assert_eq!(bad(&run), [(3, "unreachable".to_owned())]);
}

#[test]
fn an_answer_that_is_broken_once_costs_nothing_and_a_broken_graph_few_calls() {
    let (sandbox, home) = many(60);
    let broken = Fault { body: Some("[null, {\"code\":".into()), ..Fault::default() };
    fault(&sandbox, "/", Some(1), broken.clone());
    assert!(bad(&test(&home, 0)).is_empty());
    let before = requests(&sandbox);
    fault(&sandbox, "/", None, broken);
    assert_eq!(bad(&test(&home, 5)).len(), 60);
    assert!(requests(&sandbox) - before <= 60, "{}", requests(&sandbox) - before);
}

#[test]
fn an_app_that_calls_too_often_stops_calling() {
    let (sandbox, home) = many(400);
    let limit = Fault { code: Some(4), status: Some(403), ..Fault::default() };
    for path in ["/me", "/*/subscribed_apps", "/debug_token"] {
        fault(&sandbox, path, None, limit.clone());
    }
    let run = test(&home, 5);
    assert_eq!(bad(&run).len(), 400);
    // 24 batches' worth of calls: four are on their way at the first word of a limit.
    assert!(requests(&sandbox) <= 6, "{}", requests(&sandbox));
}

#[test]
fn what_is_wrong_with_one_app_is_not_said_of_another() {
    let (sandbox, home) = many(3);
    let (id, secret) = world::app(&sandbox);
    set_app(&home, &id, Some(&secret));
    let path = home.accounts_file();
    // The first account names an app that Meta does not know.
    let text = std::fs::read_to_string(&path).unwrap().replacen(&id, "999999999999999", 1);
    std::fs::write(&path, text).unwrap();
    let run = home.run(&["webhook", "status", "--all", "--json"]).code(7);
    let results = run.json()["results"].clone();
    let code = |at: usize, level: usize| results[at]["levels"][level]["graph"]["code"].clone();
    assert_ne!(code(0, 0), Value::Null, "{results}");
    for at in 1..3 {
        assert_eq!((code(at, 0), code(at, 1)), (Value::Null, Value::Null), "{results}");
    }
}

#[test]
fn an_outage_is_not_taken_apart() {
    let (sandbox, home) = many(60);
    fault(&sandbox, "/", None, Fault { status: Some(502), ..Fault::default() });
    assert_eq!(bad(&test(&home, 5)).len(), 60);
    // Three batches, three tries each.
    assert!(requests(&sandbox) <= 9, "{}", requests(&sandbox));
}
