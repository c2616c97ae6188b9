//! A system user of a business and its token, step by step.

use std::rc::Rc;

use msgrctl::clock::Clock;
use msgrctl::env::Environment;
use msgrctl::graph::AppCredentials;
use msgrctl::graph::endpoints::business::Business;
use msgrctl::operations::login::system_user::{
    Administrator, Life, NAME, Prepared, SCOPES, SystemUserRequest, SystemUserToken, TASKS,
};
use msgrctl::operations::{Error, Given, Kind, Unseen, Workspace};
use msgrctl::sandbox::{InProcess, TokenKind, World};
use msgrctl::secrets::Secret;
use serde_json::{Value, json};

use crate::support::Home;
use crate::support::graph::{APP, APP_SECRET, StandIn, USER_TOKEN};
use crate::support::world::app;

const BUSINESS: &str = "200000000000001";
const USER: &str = "100093887654321";
const PAGES: [&str; 2] = ["109876543210001", "109876543210002"];

/// An answer to a call, for as often as it comes.
fn on(call: &str, body: &Value) -> Value {
    let (method, path) = call.split_once(' ').unwrap();
    json!({"match": format!("^{method} /v[0-9.]+{path}$"), "times": 1000, "body": body})
}

fn refused(call: &str, error: &Value) -> Value {
    let mut answer = on(call, &json!({ "error": error }));
    answer["status"] = 400.into();
    answer
}

fn error(code: i64, message: &str) -> Value {
    json!({"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Atrace01"})
}

fn users(names: &[(&str, &str)]) -> Value {
    let all: Vec<Value> = names.iter().map(|(id, name)| json!({"id": id, "name": name, "role": "Employee"})).collect();
    on(&format!("GET /{BUSINESS}/system_users"), &json!({ "data": all }))
}

fn inspected(change: impl FnOnce(&mut Value)) -> Value {
    let granular: Vec<Value> = SCOPES.iter().map(|scope| json!({"scope": scope, "target_ids": PAGES})).collect();
    let mut data = json!({
        "app_id": APP, "type": "SYSTEM_USER", "is_valid": true, "expires_at": 1_900_000_000, "scopes": SCOPES,
        "granular_scopes": granular,
    });
    change(&mut data);
    on("GET /debug_token", &json!({ "data": data }))
}

/// The answers of a business where everything is allowed; those of `before` come first.
fn allowed(before: Vec<Value>) -> StandIn {
    let mut answers = before;
    let page = |id: &str| on(&format!("POST /{id}/assigned_users"), &json!({"success": true}));
    answers.extend([
        on("GET /me/businesses", &json!({"data": [{"id": BUSINESS, "name": "Acme Retail"}]})),
        on(&format!("GET /{BUSINESS}"), &json!({"id": BUSINESS, "name": "Acme Retail"})),
        users(&[]),
        on(&format!("POST /{BUSINESS}/system_users"), &json!({"id": USER})),
        on(&format!("GET /{USER}/assigned_pages"), &json!({"data": []})),
        on(&format!("POST /{USER}/applications"), &json!(true)),
        page(PAGES[0]),
        page(PAGES[1]),
        on(&format!("POST /{USER}/access_tokens"), &json!({"access_token": "EAAofthesystemuser0001"})),
        inspected(|_| ()),
    ]);
    StandIn::start(&json!({ "faults": answers }))
}

/// Looks, and then does it, as an administrator.
fn set_up(graph: &StandIn, life: Life) -> (Prepared, Result<SystemUserToken, Error>) {
    with_administrator(graph, |administrator| {
        let prepared = prepare(administrator, life).unwrap_or_else(|error| panic!("{error:?}"));
        let made = administrator.carry_out(&prepared);
        (prepared, made)
    })
}

fn prepare(administrator: &Administrator<'_>, life: Life) -> Result<Prepared, Error> {
    let business = Business { id: BUSINESS.into(), name: Some("Acme Retail".into()) };
    let pages = PAGES.map(str::to_owned);
    administrator.prepare(SystemUserRequest { business: &business, name: NAME, pages: &pages, life })
}

fn with_administrator<T>(graph: &StandIn, act: impl FnOnce(&Administrator<'_>) -> T) -> T {
    let directory = tempfile::tempdir().unwrap();
    let given = Given {
        config_dir: Some(directory.path().to_owned()),
        graph_url: Some(graph.url.clone()),
        timeout: Some("1".into()),
        ..Given::default()
    };
    let workspace = Workspace::new(Environment::default(), given, Rc::new(Unseen), "login");
    let app = AppCredentials { id: APP.into(), secret: Secret::new(APP_SECRET) };
    act(&Administrator::new(&workspace, Secret::new(USER_TOKEN), app).unwrap())
}

/// The changes that were made at Meta, in order.
fn changes(graph: &StandIn) -> Vec<String> {
    let calls = graph.seen().1.into_iter().filter(|call| call.starts_with("POST ") && !call.ends_with("/v26.0/"));
    calls.map(|call| call.replace("/v26.0", "")).collect()
}

#[test]
fn a_system_user_is_created_and_its_token_made_and_inspected() {
    let graph = allowed(vec![]);
    let (prepared, made) = set_up(&graph, Life::SixtyDays);
    assert!(prepared.user().is_none() && prepared.to_assign() == PAGES);
    let steps = prepared.steps(APP);
    assert_eq!(steps.len(), 5, "{steps:?}");
    assert!(steps[0].contains("create the system user 'msgrctl' in the business 'Acme Retail'"), "{steps:?}");
    assert!(steps[0].contains("cannot be deleted later") && steps[4].contains("60 days"), "{steps:?}");
    let made = made.unwrap();
    assert_eq!((made.user.id.as_str(), &made.token), (USER, &Secret::new("EAAofthesystemuser0001")));
    assert!(made.info.is_of_system_user());
    let expected = [
        format!("POST /{BUSINESS}/system_users"),
        format!("POST /{USER}/applications"),
        format!("POST /{}/assigned_users", PAGES[0]),
        format!("POST /{}/assigned_users", PAGES[1]),
        format!("POST /{USER}/access_tokens"),
    ];
    assert_eq!(changes(&graph), expected);
    with_administrator(&graph, |administrator| {
        assert_eq!(administrator.businesses().unwrap()[0].id, BUSINESS);
        assert_eq!(administrator.business(BUSINESS).unwrap().name.as_deref(), Some("Acme Retail"));
    });
}

#[test]
fn what_is_there_already_is_used() {
    let tasks = ["MANAGE", "MODERATE", "MESSAGING", "ANALYZE"];
    let assigned = json!({"data": [{"id": PAGES[0], "tasks": tasks}, {"id": PAGES[1], "tasks": ["ANALYZE"]}]});
    let graph = allowed(vec![
        users(&[("100093887654399", "Other"), (USER, "msgrctl")]),
        on(&format!("GET /{USER}/assigned_pages"), &assigned),
        inspected(|data| data["expires_at"] = 0.into()),
    ]);
    let (prepared, made) = set_up(&graph, Life::Never);
    assert_eq!(prepared.user().map(|user| user.id.as_str()), Some(USER));
    let steps = prepared.steps(APP);
    assert!(steps[0].contains(&format!("use the system user 'msgrctl' ({USER})")), "{steps:?}");
    assert!(steps.last().unwrap().contains("without an end"), "{steps:?}");
    assert_eq!(prepared.to_assign(), &PAGES[1..], "one task of three is not enough");
    made.unwrap();
    assert!(!changes(&graph).iter().any(|call| call.ends_with("/system_users")));
}

#[test]
fn each_refusal_has_its_cause_its_way_out_and_what_was_done_before() {
    let two_factor = json!({
        "message": "Two factor authentication required.", "type": "OAuthException", "code": 415,
        "error_subcode": 2_859_009, "is_transient": false, "fbtrace_id": "Atrace01",
        "error_user_title": "Two-factor authentication required",
    });
    let proof = json!({
        "message": "Invalid appsecret_proof provided in the API argument", "type": "GraphMethodException", "code": 100,
    });
    let (invalid, permissions) = (error(100, "(#100) Invalid parameter"), error(200, "(#200) Permissions error"));
    let create = format!("POST /{BUSINESS}/system_users");
    let (install, make) = (format!("POST /{USER}/applications"), format!("POST /{USER}/access_tokens"));
    let assign = format!("POST /{}/assigned_users", PAGES[1]);
    let settings = format!("https://business.facebook.com/settings/system-users?business_id={BUSINESS}");
    let user = format!("the system user 'msgrctl' ({USER})");
    let cases: [(&str, &Value, &str, &str); 7] = [
        (&create, &permissions, "business-role-missing", "nothing was changed at Meta"),
        (&create, &invalid, "system-user-limit", "nothing was changed at Meta"),
        (&install, &invalid, "app-not-claimed", &user),
        (&make, &two_factor, "two-factor", "Page 109876543210002 is assigned"),
        (&make, &invalid, "app-not-installed", &user),
        (&make, &permissions, "business-role-missing", &user),
        (&make, &proof, "signature-wrong", "app 123456789012345 is installed"),
    ];
    for (call, answer, cause, done) in cases {
        let graph = allowed(vec![refused(call, answer)]);
        let error = set_up(&graph, Life::SixtyDays).1.expect_err(call);
        assert_eq!(error.why(), Some(cause), "{call}: {error:?}");
        assert!(error.message().contains(done), "{call}: {error:?}");
        let hints = error.hints().join("\n");
        assert!(hints.contains(&settings) && error.hints().len() > 1, "{call}: {hints}");
        assert!(error.trace().is_some() && !format!("{error:?}").contains(USER_TOKEN), "{error:?}");
        Home::new().run(&["explain", cause]).code(0);
    }
    // A Page that is refused holds no other up; where each is, it ends there.
    let first = format!("POST /{}/assigned_users", PAGES[0]);
    let graph = allowed(vec![refused(&assign, &invalid)]);
    set_up(&graph, Life::SixtyDays).1.expect("the other one is assigned");
    let graph = allowed(vec![refused(&first, &invalid), refused(&assign, &permissions)]);
    let error = set_up(&graph, Life::SixtyDays).1.expect_err("none is assigned");
    assert_eq!(error.why(), Some("business-role-missing"), "{error:?}");
    assert!(error.message().contains(&user), "{error:?}");
    // The installed app may also be one that Meta does not confirm.
    let graph = allowed(vec![on(&install, &json!({"success": false}))]);
    let error = set_up(&graph, Life::SixtyDays).1.expect_err("not confirmed");
    assert!(error.message().contains("did not confirm"), "{error:?}");
}

#[test]
fn an_answer_that_does_not_come_leaves_open_what_happened() {
    let mut lost = on(&format!("POST /{BUSINESS}/system_users"), &json!(null));
    (lost["status"], lost["text"]) = (502.into(), "<html>".into());
    let graph = allowed(vec![lost]);
    let error = set_up(&graph, Life::SixtyDays).1.expect_err("lost");
    assert_eq!(error.kind(), Kind::Remote);
    assert!(error.message().contains("whether Meta has done it is not known"), "{error:?}");
    assert_eq!(changes(&graph).len(), 1, "what may have happened is not repeated");
}

#[test]
fn a_caller_that_does_not_administer_the_business_changes_nothing() {
    let call = format!("GET /{BUSINESS}/system_users");
    let graph = allowed(vec![refused(&call, &error(200, "(#200) Permissions error"))]);
    let error = with_administrator(&graph, |administrator| prepare(administrator, Life::Never)).expect_err("refused");
    assert_eq!((error.kind(), error.why()), (Kind::Credentials, Some("business-role-missing")));
    assert!(changes(&graph).is_empty());
    let empty = allowed(vec![on("GET /me/businesses", &json!({"data": []}))]);
    let error =
        with_administrator(&empty, |administrator| administrator.businesses().map(|all| all.len())).expect_err("none");
    assert!(error.message().contains("not administer any business"), "{error:?}");
}

#[test]
fn a_token_that_is_not_what_was_asked_for_is_refused() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str, &str); 4] = [
        (|data| data["type"] = "USER".into(), "token-not-accepted", "not a system user's"),
        (|data| data["app_id"] = "999999999999999".into(), "other-app", "another app"),
        (|data| data["scopes"] = json!(SCOPES[..2]), "permission-missing", "lacks pages_manage_metadata"),
        (
            |data| data["granular_scopes"][1]["target_ids"] = json!([PAGES[0]]),
            "page-not-granted",
            "does not reach Page 109876543210002",
        ),
    ];
    for (change, cause, what) in cases {
        let graph = allowed(vec![inspected(change)]);
        let error = set_up(&graph, Life::SixtyDays).1.expect_err(cause);
        assert_eq!(error.why(), Some(cause), "{error:?}");
        assert!(error.message().contains(what) && error.message().contains("not stored"), "{error:?}");
        assert!(!format!("{error:?}").contains("EAA"), "{error:?}");
    }
}

/// The sandbox with an administrator's token; `change` its world first.
fn business(change: impl FnOnce(&mut World)) -> InProcess {
    let mut world = World::with_pages(2, Clock::system());
    for token in world.tokens.iter_mut().filter(|token| token.kind == TokenKind::User) {
        token.scopes.push("business_management".into());
    }
    change(&mut world);
    InProcess::start(world).unwrap()
}

/// An administrator of the sandbox's business does it, for both Pages.
fn in_the_sandbox(sandbox: &InProcess, life: Life) -> (Prepared, Result<SystemUserToken, Error>) {
    let directory = tempfile::tempdir().unwrap();
    let given =
        Given { config_dir: Some(directory.path().to_owned()), graph_url: Some(sandbox.url()), ..Given::default() };
    let workspace = Workspace::new(Environment::default(), given, Rc::new(Unseen), "login");
    let (id, secret) = app(sandbox);
    let (token, pages) = {
        let world = sandbox.world();
        let pages: Vec<String> = world.pages.iter().map(|page| page.id.clone()).collect();
        (world.user_token().unwrap().value.clone(), pages)
    };
    let app = AppCredentials { id, secret: Secret::new(secret) };
    let administrator = Administrator::new(&workspace, Secret::new(token), app).unwrap();
    let business = administrator.business(BUSINESS).unwrap();
    let prepared =
        administrator.prepare(SystemUserRequest { business: &business, name: NAME, pages: &pages, life }).unwrap();
    let made = administrator.carry_out(&prepared);
    (prepared, made)
}

#[test]
fn the_sandbox_makes_a_system_user_whose_token_reaches_the_pages() {
    let sandbox = business(|_| ());
    let (prepared, made) = in_the_sandbox(&sandbox, Life::SixtyDays);
    let made = made.unwrap();
    assert!(prepared.user().is_none() && made.info.expires_at.is_some_and(|at| at > 0));
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("SYSTEM_USER", made.token.expose());
    let discover = ["account", "discover", "--token-from", "env:SYSTEM_USER", "--json"];
    let found = home.run(&discover).code(0).json();
    assert_eq!(found["pages"].as_array().unwrap().iter().filter(|page| page["usable"] == true).count(), 2, "{found}");
    assert_eq!(found["pages"][0]["tasks"], json!(TASKS));
    // Once more: the same user, with the Pages that it has.
    let (again, made_again) = in_the_sandbox(&sandbox, Life::Never);
    let made_again = made_again.unwrap();
    assert_eq!(again.user().map(|user| &user.id), Some(&made.user.id));
    assert!(again.to_assign().is_empty() && made_again.info.expires_at == Some(0));
    assert_ne!(made.token, made_again.token);
}

#[test]
fn the_sandbox_refuses_as_a_business_does() {
    type Change = fn(&mut World);
    let cases: [(Change, Life, &str); 4] = [
        (|world| world.businesses[0].two_factor = true, Life::SixtyDays, "two-factor"),
        (|world| world.businesses[0].system_user_limit = 0, Life::SixtyDays, "system-user-limit"),
        (|world| world.apps[0].business = Some("200000000000099".into()), Life::SixtyDays, "app-not-claimed"),
        (|world| world.businesses[0].lasting_tokens = false, Life::Never, "app-not-installed"),
    ];
    for (change, life, cause) in cases {
        let sandbox = business(change);
        let error = in_the_sandbox(&sandbox, life).1.expect_err(cause);
        assert_eq!(error.why(), Some(cause), "{error:?}");
        if life == Life::Never {
            assert!(error.hints().iter().any(|hint| hint.contains("--never-expires")), "{error:?}");
        }
    }
}
