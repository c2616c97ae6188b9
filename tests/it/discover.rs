//! The Pages that a token reaches, written as a manifest.

use serde_json::{Value, json};

use crate::support::graph::{APP, PAGE, PAGE_TOKEN, StandIn, USER_TOKEN};
use crate::support::{Home, Run};

const BUSINESS: &str = "200000000000001";
const OTHER: &str = "200000000000002";
const MESSAGING: [&str; 2] = ["MESSAGING", "MANAGE"];

/// An answer to every call that ends like this.
fn answer(path: &str, body: &Value) -> Value {
    json!({"match": format!("{path}$"), "times": 1000, "body": body})
}

fn refusal(path: &str, code: i64, message: &str) -> Value {
    let error =
        json!({"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Atrace01"}});
    json!({"match": format!("{path}$"), "times": 1000, "status": 403, "body": error})
}

fn page(id: &str, name: &str, username: Option<&str>, tasks: Option<&[&str]>, has_token: bool) -> Value {
    let mut page = json!({"id": id, "name": name});
    if let Some(username) = username {
        page["username"] = username.into();
    }
    if let Some(tasks) = tasks {
        page["tasks"] = json!(tasks);
    }
    if has_token {
        page["access_token"] = format!("EAAofpage{id}").into();
    }
    page
}

fn businesses(all: &[(&str, &str)]) -> Value {
    let all: Vec<Value> = all.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    answer("/me/businesses", &json!({ "data": all }))
}

fn list(path: &str, pages: &[Value]) -> Value {
    answer(path, &json!({ "data": pages }))
}

/// Answers of a Graph, the first that fits; the stand-in has the rest.
fn graph(answers: &[Value]) -> StandIn {
    StandIn::start(&json!({ "faults": answers }))
}

fn home(graph: &StandIn) -> Home {
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &graph.url).with("MSGRCTL_STORE", "file").with_key_file();
    home.file("token", USER_TOKEN);
    home
}

fn discover(home: &Home, more: &[&str]) -> Run {
    home.run(&[&["account", "discover", "--token-file", "token"], more].concat())
}

/// Adds an account of a Page, its token in a variable.
fn connect(home: &mut Home, name: &str, page_id: &str) {
    home.set("KNOWN_TOKEN", PAGE_TOKEN);
    let arguments = ["account", "add", name, "--page-username", "acme.known", "--page-id", page_id];
    home.run(&[&arguments[..], &["--token-from", "env:KNOWN_TOKEN", "--no-test"]].concat()).code(0);
}

/// Five Pages of roles, one of which a business owns, and two more of the business.
fn five() -> StandIn {
    graph(&[
        list(
            "/me/accounts",
            &[
                page("10001", "Acme: \"#1\" 😀", Some("acme.one"), Some(&MESSAGING), true),
                page("10002", "Bare", None, Some(&MESSAGING), true),
                page("10003", "Idle", Some("acme.three"), Some(&["ANALYZE"]), true),
                page("10004", "yes", Some("acme.four"), Some(&MESSAGING), true),
                page("10005", "123", Some("acme.five"), Some(&MESSAGING), true),
            ],
        ),
        businesses(&[(BUSINESS, "Acme Retail")]),
        list(
            &format!("{BUSINESS}/owned_pages"),
            &[
                page("10001", "Acme: \"#1\" 😀", Some("acme.one"), None, true),
                page("10006", "!!tag", Some("acme.six"), None, true),
            ],
        ),
        list(&format!("{BUSINESS}/client_pages"), &[page("10007", "Closed", Some("acme.seven"), None, false)]),
    ])
}

#[test]
fn a_manifest_of_what_a_token_reaches_is_one_that_plan_accepts() {
    let graph = five();
    let mut home = home(&graph);
    connect(&mut home, "Known", "10004");
    let run = discover(&home, &[]).code(0);
    let lines = [
        "tenant: default",
        "  # \"Acme: \\\"#1\\\" 😀\", page id \"10001\": owned by the business Acme Retail (\"200000000000001\"); tasks: MESSAGING, MANAGE",
        "  - name: \"Acme: \\\"#1\\\" 😀\"\n    handle: acme-1\n",
        "  - name: \"123\"\n    handle: \"123\"\n",
        "  - name: \"!!tag\"\n    handle: tag\n",
        "    page_id: \"10005\"\n",
        "    app:\n      id: \"123456789012345\"",
        "  # - name: Bare\n  #   handle: bare",
        "  # cannot be connected (page-without-username)",
        "  # Idle, page id \"10003\": reached by a role on it; tasks: ANALYZE\n  # cannot be connected (task-missing)",
        "  # Closed, page id \"10007\": shared with the business Acme Retail (\"200000000000001\")\n  # cannot be connected (page-not-granted)",
        "  # connected already",
        "  - name: Known\n    handle: known\n",
        "    token: {env: KNOWN_TOKEN}",
    ];
    let run = run.shows(&lines);
    assert!(!run.stdout.contains("EAA") && !run.stderr.contains("EAA"), "{run:#?}");
    // All of the businesses in the requests that the roles need: the app, two rounds.
    let requests = graph.seen().0;
    let of_discover = requests.iter().filter(|request| !request.contains("/nothing")).count();
    assert_eq!(of_discover, 3, "{requests:?}");
    home.file("accounts.yaml", &run.stdout);
    for variable in run.stdout.match_indices("{env: ").map(|(at, _)| run.stdout[at + 6..].split('}').next().unwrap()) {
        if variable.starts_with("MSGRCTL_SECRET_") {
            home.set(variable, "EAAfilledin0123456789");
        }
    }
    let plan = home.run(&["plan", "-f", "accounts.yaml", "--offline"]).code(0);
    let plan = plan.shows(&["3 to add, 0 to change, 0 to remove, 1 unchanged"]);
    assert!(!plan.stderr.contains("warning"), "{plan:#?}");
}

#[test]
fn json_has_every_page_with_its_reason_and_its_account() {
    let graph = five();
    let mut home = home(&graph);
    connect(&mut home, "Known", "10004");
    let found = discover(&home, &["--json"]).code(0).json();
    let pages = found["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 7, "{found}");
    let of = |id: &str| pages.iter().find(|page| page["page_id"] == id).unwrap();
    assert_eq!(
        of("10001"),
        &json!({
            "page_id": "10001", "page_username": "acme.one", "page_name": "Acme: \"#1\" 😀", "tasks": MESSAGING,
            "business_id": BUSINESS, "reached_by": "owned", "usable": true, "reason": null, "cause": null, "account": null,
        })
    );
    assert_eq!((&of("10005")["reached_by"], &of("10005")["business_id"]), (&json!("role"), &Value::Null));
    assert_eq!((&of("10007")["reached_by"], &of("10007")["usable"]), (&json!("client"), &json!(false)));
    assert_eq!((&of("10004")["account"], &of("10004")["usable"]), (&json!("known"), &json!(true)));
    for (id, cause) in [("10002", "page-without-username"), ("10003", "task-missing"), ("10007", "page-not-granted")] {
        assert_eq!(of(id)["cause"], cause);
        assert!(of(id)["reason"].as_str().is_some_and(|reason| reason.len() > 30), "{found}");
        home.run(&["explain", cause]).code(0);
    }
    let of_business = discover(&home, &["--json", "--business", BUSINESS]).code(0).json();
    let ids: Vec<&str> =
        of_business["pages"].as_array().unwrap().iter().map(|page| page["page_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["10006", "10001", "10007"]);
    // What the person may do there is in the list of roles.
    assert_eq!(of_business["pages"][1]["tasks"], json!(MESSAGING));
}

/// The pages of a list of so many Pages, 100 each.
fn rounds(path: &str, pages: usize) -> Vec<Value> {
    let count = pages.div_ceil(100);
    (0..count)
        .map(|round| {
            let of = |at: usize| {
                let id = (10_000 + at).to_string();
                page(&id, "Acme", Some(&format!("acme.of.{at}")), None, true)
            };
            let data: Vec<Value> = (round * 100..pages.min(round * 100 + 100)).map(of).collect();
            let mut body = json!({"data": data, "paging": {"cursors": {"after": format!("C{round}")}}});
            if round + 1 < count {
                body["paging"]["next"] = "https://graph.facebook.com/next?access_token=EAAx".into();
            }
            json!({"match": format!("{path}$"), "times": 1, "body": body})
        })
        .collect()
}

#[test]
fn thousands_of_pages_take_few_requests() {
    let mut answers = rounds(&format!("{BUSINESS}/owned_pages"), 3000);
    answers.extend(rounds(&format!("{OTHER}/client_pages"), 2000));
    answers.extend([
        businesses(&[(BUSINESS, "One"), (OTHER, "Other")]),
        list("/owned_pages", &[]),
        list("/client_pages", &[]),
        list("/me/accounts", &[]),
    ]);
    let graph = graph(&answers);
    let home = home(&graph);
    let run = discover(&home, &[]).code(0);
    let requests = graph.seen().0.len();
    // The app; roles and businesses; 30 rounds of the longest list; what the token was granted for.
    assert!(requests <= 33, "{requests} requests");
    assert_eq!(run.stdout.matches("\n  - name: ").count(), 3000, "client Pages are the same ones here");
    home.file("accounts.yaml", &run.stdout);
    home.run(&["plan", "-f", "accounts.yaml", "--offline"]).code(0).shows(&["3000 to add"]);
}

#[test]
fn a_business_that_fails_is_named_and_the_others_are_written() {
    let graph = graph(&[
        list("/me/accounts", &[page("10001", "Acme", Some("acme.one"), Some(&MESSAGING), true)]),
        businesses(&[(BUSINESS, "Acme Retail"), (OTHER, "Limited")]),
        list(&format!("{BUSINESS}/owned_pages"), &[page("10002", "Second", Some("acme.two"), None, true)]),
        list(&format!("{BUSINESS}/client_pages"), &[]),
        refusal(&format!("{OTHER}/owned_pages"), 200, "(#200) Permissions error"),
        refusal(&format!("{OTHER}/client_pages"), 80002, "(#80002) There have been too many calls"),
    ]);
    let home = home(&graph);
    let run = discover(&home, &[]).code(9).shows(&["- name: Acme\n", "- name: Second\n"]);
    let run = run.says(&[
        "the own Pages of the business 'Limited' (200000000000002) were not all read: ",
        "does not administer the business",
        "the clients' Pages of the business 'Limited' (200000000000002) were not all read: Meta limits",
        "2 lists of Pages were not read to their end",
    ]);
    home.file("accounts.yaml", &run.stdout);
    home.run(&["plan", "-f", "accounts.yaml", "--offline"]).code(0);
    let error = discover(&home, &["--json"]).code(9);
    assert_eq!((error.json()["pages"].as_array().unwrap().len(), &error.json_error()["kind"]), (2, &json!("partial")));
    let named = discover(&home, &["--business", OTHER, "--json"]).code(4).json_error();
    assert_eq!(named["cause"], "business-role-missing");
    assert!(named["message"].as_str().unwrap().contains(OTHER), "{named}");
    let gone = discover(&home, &["--business", "99999999"]).code(4);
    gone.says(&["the business 99999999 cannot be read: Meta does not show this business", "business_management"]);
    discover(&home, &["--business", "Acme"]).code(2).says(&["not a valid id of a business"]);
}

#[test]
fn a_token_without_business_management_reaches_its_roles() {
    let graph = graph(&[refusal("/me/businesses", 200, "(#200) Requires business_management permission")]);
    let run = discover(&home(&graph), &[]).code(0);
    run.shows(&["- name: Acme Support\n"]).says(&["the token lacks business_management"]);
}

#[test]
fn a_token_whose_list_is_empty_reaches_what_it_was_granted_for() {
    let answers = json!({
        "lists_pages": false,
        "self_inspection": true,
        "faults": [refusal("/me/businesses", 200, "(#200) Requires business_management permission")],
    });
    let graph = StandIn::start(&answers);
    let found = discover(&home(&graph), &["--json"]).code(0).json();
    assert_eq!((&found["pages"][0]["page_id"], &found["pages"][0]["reached_by"]), (&json!(PAGE), &json!("granted")));
}

#[test]
fn tokens_that_reach_nothing_are_refused_with_the_way_out() {
    let empty = graph(&[list("/me/accounts", &[]), businesses(&[])]);
    let mut home = home(&empty);
    assert_eq!(discover(&home, &["--json"]).code(7).json_error()["cause"], "no-page-granted");
    let none = home.run(&["account", "discover"]).code(2);
    none.says(&[
        "missing: the token of a person or a system user",
        "--token-stdin",
        "MSGRCTL_PAGE_TOKEN",
        "--keep-user-token",
    ]);
    home.file("token", PAGE_TOKEN);
    let graph = StandIn::start(&json!({}));
    home.set("MSGRCTL_GRAPH_URL", &graph.url);
    let error = discover(&home, &["--json"]).code(4).json_error();
    assert_eq!(error["cause"], "user-token-needed", "{error}");
    home.file("token", "EAAnobodys0123456789");
    let dead = discover(&home, &[]).code(4);
    assert!(dead.stdout.is_empty(), "{dead:#?}");
    home.set("MSGRCTL_PAGE_TOKEN", USER_TOKEN);
    home.run(&["account", "discover"]).code(0).shows(&["- name: Acme Support\n"]).says(&["from MSGRCTL_PAGE_TOKEN"]);
}

#[test]
fn the_kept_token_of_an_account_is_used_and_an_app_that_asks_for_signatures_gets_them() {
    let graph = StandIn::start(&json!({"require_proof": true}));
    let home = home(&graph);
    home.file("secret", crate::support::graph::APP_SECRET);
    let unsigned = discover(&home, &["--json"]).code(4).json_error();
    assert_eq!(unsigned["cause"], "signature-required");
    assert!(unsigned["hint"].as_str().unwrap().contains("--app-secret-file"), "{unsigned}");
    discover(&home, &["--app-secret-file", "secret"]).code(0).shows(&["- name: Acme Support\n", APP]);
    let add = ["account", "add", "--token-file", "token", "--page-id", PAGE, "--app-id", APP];
    let kept = ["--app-secret-file", "secret", "--keep-user-token", "--save-anyway"];
    home.run(&[&add[..], &kept, &["Kept"]].concat()).code(0);
    let run = home.run(&["account", "discover"]).code(0);
    let run = run.shows(&["# connected already", "  - name: Kept\n    handle: kept\n", "{stored: true}"]);
    home.run_with(&["plan", "-f", "-", "--exit-code"], &run.stdout).code(0);
}
