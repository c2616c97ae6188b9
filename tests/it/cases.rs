//! Situations from public reports (`tests/fixtures/cases/graph.json`): what Graph or a
//! receiver answers, the command, and what has to come out; and others of the same kinds.

use serde_json::{Value, json};

use crate::support::graph::{APP, APP_SECRET, PAGE, PAGE_TOKEN, StandIn, USER_TOKEN};
use crate::support::receiver::answer;
use crate::support::{Home, Run, receiver};

const VERIFY_TOKEN: &str = "verifytokenverifytokenverifyto12";

/// A home for a case, with its account unless it has none.
fn home(case: &Value, graph: &str) -> Home {
    let token = if case["token"] == "user" { USER_TOKEN } else { PAGE_TOKEN };
    let mut home = Home::new().with("MSGRCTL_GRAPH_URL", graph);
    if case["no_account"] == true {
        // The encrypted file: a store that any machine has.
        home.set("MSGRCTL_STORE", "file");
        home.set("MSGRCTL_PASSPHRASE", "a passphrase of a test");
        return home;
    }
    home = home.with_secrets("acme-support", token);
    home.set("MSGRCTL_SECRET_ACME_SUPPORT_VERIFY_TOKEN", VERIFY_TOKEN);
    let mut words =
        vec!["account", "add", "Acme Support", "--page-username", "acme.support", "--page-id", PAGE, "--no-test"];
    if case["app"] == true {
        home.set("MSGRCTL_SECRET_ACME_SUPPORT_APP_SECRET", APP_SECRET);
        words.extend(["--app-id", APP]);
    }
    home.run(&words).code(0);
    home
}

/// Runs the command of a case.
fn run(case: &Value) -> Run {
    let graph = StandIn::start(case);
    let home = home(case, &graph.url);
    let token = if case["token"] == "user" { USER_TOKEN } else { PAGE_TOKEN };
    let token_file = home.file("token.txt", token).to_string_lossy().into_owned();
    let verify_token_file = home.file("verify.txt", VERIFY_TOKEN).to_string_lossy().into_owned();
    let receiver = case.get("receiver").map(|receiver| {
        let status = format!("{} X", receiver["status"]);
        let headers: Vec<String> = receiver["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap()))
            .collect();
        let body = receiver["body"].as_str().unwrap().to_owned();
        receiver::start(move |_| answer(&status, &headers.iter().map(String::as_str).collect::<Vec<_>>(), &body))
    });
    let words = case["run"].as_array().unwrap().iter().chain(case["flags"].as_array().into_iter().flatten());
    let words: Vec<String> = words
        .map(|word| match word.as_str().unwrap() {
            "{receiver}" => receiver.clone().unwrap(),
            "{token_file}" => token_file.clone(),
            "{verify_token_file}" => verify_token_file.clone(),
            word => word.to_owned(),
        })
        .collect();
    home.run(&words)
}

#[track_caller]
fn assert_case(case: &Value) {
    let id = &case["id"];
    let run = run(case);
    assert_eq!(i64::from(run.code), case["exit"].as_i64().unwrap(), "{id}: {run:#?}");
    for want in case["want"].as_array().into_iter().flatten() {
        let check = run.check(want["check"].as_str().unwrap());
        assert_eq!(check["outcome"], want["outcome"], "{id}: {check:#}");
        if let Some(mut cause) = want["cause"].as_str() {
            let ended = jiff::Timestamp::now().to_string().as_str() >= "2027-01-21";
            if cause == "version-ends-soon" && ended {
                // The case is of the last days of v21.0.
                cause = "version-expired";
            }
            assert_eq!(check["cause"], cause, "{id}: {check:#}");
        }
    }
    for (key, value) in case["top"].as_object().into_iter().flatten() {
        assert_eq!(&run.json()[key], value, "{id}: {run:#?}");
    }
    for (key, value) in case["error"].as_object().into_iter().flatten() {
        assert_eq!(&run.json_error()[key], value, "{id}: {run:#?}");
    }
    let all = format!("{}{}", run.stdout, run.stderr);
    let texts = |key: &str| -> Vec<String> {
        case[key].as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    for text in texts("says") {
        assert!(all.contains(&text), "{id} does not say {text:?}: {run:#?}");
    }
    let any = texts("says_any");
    assert!(any.is_empty() || any.iter().any(|text| all.contains(text)), "{id} says none of {any:?}: {run:#?}");
    for text in texts("never") {
        assert!(!all.contains(&text), "{id} says {text:?}: {run:#?}");
    }
    // Whatever is not as it should be has its cause, and what Graph refused is quoted.
    if case["run"][1] == "test" && run.json()["results"].is_array() {
        for check in run.json()["results"][0]["checks"].as_array().unwrap() {
            let is_bad = !["pass", "skip"].contains(&check["outcome"].as_str().unwrap());
            assert_eq!(check["cause"].is_string(), is_bad, "{id}: {check:#}");
            assert!(check["graph"]["code"].is_null() || check["graph"]["says"].is_string(), "{id}: {check:#}");
        }
    }
}

#[test]
fn the_situations_of_public_reports_come_out_as_they_should() {
    let text = include_str!("../fixtures/cases/graph.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), 21);
    std::thread::scope(|scope| {
        let runs: Vec<_> = cases.iter().map(|case| scope.spawn(|| assert_case(case))).collect();
        for run in runs {
            run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// A fault at every call whose path ends like this.
fn refused(path: &str, error: &Value) -> Value {
    json!({"match": format!("{path}$"), "times": 99, "status": 400, "body": {"error": error}})
}

fn error(code: i64, subcode: Option<i64>, message: &str) -> Value {
    let mut error =
        json!({"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AtraceExample01"});
    if let Some(subcode) = subcode {
        error["error_subcode"] = subcode.into();
    }
    error
}

fn test_of(more: &Value) -> Run {
    let mut case = json!({"id": "of a kind", "run": ["account", "test", "acme-support", "--json"]});
    case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    run(&case)
}

#[test]
fn a_refusal_in_any_language_is_judged_by_what_the_token_is() {
    let strange = error(190, None, "Ungültiges Zugriffstoken");
    let faults = json!([refused("/me", &strange), refused("/subscribed_apps", &strange)]);
    // The app can read it, and all is as it should be: a role or two-factor authentication.
    let run = test_of(&json!({"app": true, "faults": faults})).code(7);
    assert_eq!(run.check("token.valid")["cause"], "role-lost");
    assert_eq!(run.check("token.permissions")["outcome"], "pass");
    assert_eq!(run.check("token.expiry")["outcome"], "pass");
    assert_eq!(run.check("token.valid")["graph"]["says"], "Ungültiges Zugriffstoken");
    // It may not ask about itself, which says nothing against it.
    let run = test_of(&json!({"faults": faults})).code(7);
    assert_eq!(run.check("token.valid")["cause"], "token-not-accepted");
    // A batch is refused as a whole where its own token is: then it was not asked about.
    let case = json!({"faults": [refused("/me", &strange)], "batches_refused": strange});
    assert_eq!(test_of(&case).code(7).check("token.valid")["cause"], "token-not-accepted");
    // Nobody can read it.
    let faults =
        json!([refused("/me", &strange), refused("/subscribed_apps", &strange), refused("/debug_token", &strange)]);
    let run = test_of(&json!({"faults": faults})).code(7);
    assert_eq!(run.check("token.valid")["cause"], "token-damaged");
}

#[test]
fn what_only_the_header_of_an_answer_says_is_read() {
    let blocked = json!({
        "match": "GET .*", "times": 99, "status": 400,
        "headers": {"WWW-Authenticate": "OAuth \"Facebook Platform\" \"access_denied\" \"API access blocked.\""},
        "body": {"error": error(200, None, "API access blocked.")},
    });
    let run = test_of(&json!({"faults": [blocked]})).code(7);
    assert_eq!(run.check("token.valid")["cause"], "app-restricted");
    assert!(!run.stdout.contains("create a new token"), "{run:#?}");
}

#[test]
fn a_test_costs_no_request_more_than_it_did() {
    // Before: /me and /subscribed_apps, a request each; with an app /debug_token too.
    for (app, before, calls) in [(false, 2, 3), (true, 3, 3)] {
        let case = json!({"app": app, "self_inspection": true, "run": ["account", "test", "acme-support"]});
        let graph = StandIn::start(&case);
        let home = home(&case, &graph.url);
        home.run(&["account", "test", "acme-support"]).code(0);
        let (requests, made) = graph.seen();
        assert!(requests.len() <= before, "{requests:?}");
        assert_eq!(made.len(), calls, "{made:?}");
        assert!(requests.iter().all(|request| !request.contains(PAGE_TOKEN)), "a token in an address: {requests:?}");
    }
}

#[test]
fn a_persons_token_gives_the_pages_own_where_the_page_is_named() {
    let add = |case: Value, more: &[&str]| {
        let graph = StandIn::start(&case);
        let home = home(&case, &graph.url);
        let file = home.file("token.txt", USER_TOKEN).to_string_lossy().into_owned();
        let words = [&["account", "add", "--token-file", &file, "--yes", "--json"], more].concat();
        let run = home.run(&words);
        let stored = (run.code == 0)
            .then(|| home.run(&["secret", "reveal", "acme-support", "page-access-token"]).code(0).stdout);
        (run, stored)
    };
    let person = || json!({"no_account": true, "token": "user"});
    // Named: taken, with what Graph knows of it.
    let (run, stored) = add(person(), &["--page-id", PAGE]);
    let run = run.code(0).says(&["the Page's own token is stored"]);
    assert_eq!(stored.as_deref(), Some(format!("{PAGE_TOKEN}\n").as_str()), "{run:#?}");
    // Not named: the Pages are.
    let (run, _) = add(person(), &[]);
    assert_eq!(run.json_error()["cause"], "page-token-needed");
    assert!(run.json_error()["hint"].as_str().unwrap().contains(&format!("for Acme Support: --page-id {PAGE}")));
    // All that the form needs is given, so that nothing is asked before the test.
    let all = ["--page-id", PAGE, "--page-username", "acme.support", "Acme Support"];
    let (run, stored) = add(person(), &all);
    run.code(0);
    assert_eq!(stored.as_deref(), Some(format!("{PAGE_TOKEN}\n").as_str()));
    // The list is empty although a Page was ticked: it is found by its id.
    let hidden = || json!({"no_account": true, "token": "user", "lists_pages": false});
    let (run, stored) = add(hidden(), &["--page-id", PAGE]);
    run.code(0);
    assert!(stored.is_some());
    // … or in what was granted, where the token may ask about itself.
    let mut granted = hidden();
    granted["self_inspection"] = true.into();
    let (run, _) = add(granted, &[]);
    assert!(run.json_error()["hint"].as_str().unwrap().contains(&format!("--page-id {PAGE}")), "{run:#?}");
    // Nowhere: then none was ticked.
    let (run, _) = add(hidden(), &[]);
    assert_eq!((run.code, &run.json_error()["cause"]), (7, &"no-page-granted".into()));
    let (run, _) = add(person(), &["--page-id", "222222222222222"]);
    assert_eq!((run.code, &run.json_error()["cause"]), (7, &"no-page-granted".into()), "{run:#?}");
}

#[test]
fn a_persons_token_given_to_an_account_becomes_its_pages() {
    let case = json!({"no_account": true});
    let graph = StandIn::start(&case);
    let home = home(&case, &graph.url);
    let page = home.file("page.txt", PAGE_TOKEN).to_string_lossy().into_owned();
    let person = home.file("person.txt", USER_TOKEN).to_string_lossy().into_owned();
    home.run(&["account", "add", "--token-file", &page, "--yes"]).code(0);
    home.run(&["secret", "set", "acme-support", "page-access-token", "--file", &person, "--yes"]).code(0);
    let stored = home.run(&["secret", "reveal", "acme-support", "page-access-token"]).code(0).stdout;
    assert_eq!(stored.trim(), PAGE_TOKEN);
}

#[test]
fn a_page_that_lost_its_username_fails_the_check() {
    let run = test_of(&json!({"page": {"username": null}})).code(7);
    let check = run.check("page.username");
    assert_eq!((&check["outcome"], &check["cause"]), (&"fail".into(), &"page-without-username".into()));
}

#[test]
fn sending_tells_the_message_from_the_token() {
    let send = |fault: Value| {
        let words = ["message", "send", "acme-support", "--to", "7654321098765432", "hello", "--json"];
        let fault = refused("messages", &fault);
        run(&json!({"faults": [fault], "run": words}))
    };
    let of_message = [
        (100, Some(1_893_061), "tag-not-allowed"),
        (100, None, "message-refused"),
        (200, None, "not-live"),
        (200, Some(2_018_028), "not-live"),
        (10, Some(2_018_278), "outside-window"),
        (10, Some(4_242_424), "message-refused"),
        (551, Some(1_545_041), "blocked"),
        (200, Some(2_018_300), "other-app-has-thread"),
    ];
    for (code, subcode, cause) in of_message {
        let run = send(error(code, subcode, "(#0) In any language.")).code(1);
        let shown = run.json_error();
        assert_eq!((&shown["cause"], &shown["graph"]["says"]), (&cause.into(), &"(#0) In any language.".into()));
        assert!(!run.stderr.contains("create a new token"), "{run:#?}");
    }
    for (code, subcode, cause) in [(190, Some(460), "password-changed"), (10, None, "permission-missing")] {
        let run = send(error(code, subcode, "x")).code(4);
        assert_eq!(run.json_error()["cause"], cause);
    }
}

#[test]
fn versions_are_warned_of_before_they_end() {
    let of = |version: &str| {
        run(&json!({"flags": ["--graph-version", version], "run": ["account", "test", "acme-support", "--json"]}))
    };
    // No day is named for these.
    for version in ["v26.0", "v27.0"] {
        assert_eq!(of(version).code(0).check("graph.version")["outcome"], "pass");
    }
    let ended = of("v20.0").code(0).check("graph.version");
    assert_eq!((&ended["outcome"], &ended["cause"]), (&"warn".into(), &"version-expired".into()));
}

#[test]
fn the_versions_of_webhook_fields_are_warned_of_too() {
    let callback = "http://127.0.0.1:9/hook";
    let fields = json!([{"name": "messages", "version": "v21.0"}, {"name": "messaging_postbacks", "version": "v26.0"}]);
    let body = json!({"data": [{"object": "page", "callback_url": callback, "active": true, "fields": fields}]});
    let situation = json!({"app": true, "faults": [{"match": "GET .*/subscriptions$", "times": 99, "body": body}]});
    let graph = StandIn::start(&situation);
    let home = home(&situation, &graph.url);
    home.run(&["account", "edit", "acme-support", "--callback-url", callback, "--no-test"]).code(0);
    let check = home.run(&["account", "test", "acme-support", "--json"]).check("graph.version");
    let ended = jiff::Timestamp::now().to_string().as_str() >= "2027-01-21";
    let cause = if ended { "version-expired" } else { "version-ends-soon" };
    assert_eq!((&check["outcome"], &check["cause"]), (&"warn".into(), &cause.into()), "{check:#}");
    assert!(check["summary"].as_str().unwrap().contains("webhook fields"), "{check:#}");
}

#[test]
fn what_meta_writes_badly_is_still_an_answer() {
    // Half a character in the words of a dead token: it is dead, not unreachable.
    let broken = error(190, Some(463), "expired \u{1b}[2J \u{202e}EAAtrial\u{200b}pagetoken0001tail");
    let mut body = json!({"error": broken}).to_string();
    body = body.replace("expired ", "expired \\ud83d ");
    let fault = json!({"match": "/me$", "times": 99, "status": 400, "text": body});
    let run = test_of(&json!({"faults": [fault]})).code(7);
    let check = run.check("token.valid");
    assert_eq!(check["cause"], "expired", "{check:#}");
    let says = check["graph"]["says"].as_str().unwrap();
    assert!(!says.contains(['\u{1b}', '\u{202e}']) && !says.contains("EAAtrial"), "{says}");
    // A subcode of 0 is none, and 190.0 is 190.
    let zero =
        json!({"message": "Cannot parse access token", "type": "OAuthException", "code": 190.0, "error_subcode": 0});
    let run = test_of(&json!({"faults": [refused("/me", &zero), refused("/debug_token", &zero)]})).code(7);
    assert_eq!(run.check("token.valid")["cause"], "token-damaged", "{run:#?}");
    // A name with escapes moves no cursor.
    let name = json!({"id": PAGE, "name": "Ac\u{1b}]0;owned\u{7}me\u{202e}", "username": "acme.support", "is_published": true});
    let run = run_of_text(&json!({"match": "/me$", "times": 99, "body": name}));
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{run:#?}");
}

/// `account test` in text, with one fault.
fn run_of_text(fault: &Value) -> Run {
    run(&json!({"faults": [fault], "run": ["account", "test", "acme-support"]}))
}

#[test]
fn a_token_with_every_permission_is_not_to_be_replaced() {
    for (code, subcode) in [(230, None), (10, None), (200, None), (100, None)] {
        let faults = json!([refused("/subscribed_apps", &error(code, subcode, "(#0) In any language"))]);
        let run = test_of(&json!({"app": true, "faults": faults})).code(7);
        let check = run.check("page.subscription");
        assert!(check["summary"].as_str().unwrap().contains("every permission"), "{code}: {check:#}");
        assert!(!check["hint"].as_str().unwrap().contains("create a new token"), "{code}: {check:#}");
    }
}

#[test]
fn what_is_the_matter_with_a_message_is_not_tried_again_later() {
    let mut fault = error(551, Some(1_545_041), "This person isn't available right now.");
    fault["is_transient"] = true.into();
    let words = ["message", "send", "acme-support", "--to", "7654321098765432", "hello", "--json"];
    let sent = run(&json!({"faults": [refused("messages", &fault)], "run": words})).code(1);
    assert_eq!(sent.json_error()["cause"], "blocked");
    let over = error(10, Some(2_018_278), "outside");
    let words = ["message", "send", "acme-support", "--human-agent", "--to", "7654321098765432", "hello", "--json"];
    let sent = run(&json!({"faults": [refused("messages", &over)], "run": words})).code(1);
    assert_eq!(sent.json_error()["cause"], "outside-window");
    assert!(!sent.stderr.contains("--human-agent"), "{sent:#?}");
}
