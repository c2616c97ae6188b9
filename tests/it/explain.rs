//! `msgrctl explain`: a page for everything that a run may name, offline.

use serde_json::Value;

use crate::support::Home;
use crate::support::world::{acme, nowhere, sandbox};

/// Every cause that scripts may rely on.
const CAUSES: [&str; 56] = [
    "expired",
    "password-changed",
    "logged-out",
    "app-removed",
    "checkpoint",
    "not-confirmed",
    "inactive",
    "two-factor",
    "role-lost",
    "token-damaged",
    "grant-replaced",
    "page-token-needed",
    "no-token-arrived",
    "permission-missing",
    "page-not-shown",
    "object-not-shown",
    "signature-wrong",
    "signature-required",
    "app-unknown",
    "app-secret-wrong",
    "app-restricted",
    "version-unknown",
    "version-expired",
    "version-ends-soon",
    "page-unpublished",
    "page-without-username",
    "username-differs",
    "other-page",
    "other-app",
    "expires-soon",
    "data-access-ends",
    "data-access-ended",
    "to-do",
    "not-subscribed",
    "fields-missing",
    "callback-differs",
    "callback-not-https",
    "callback-private",
    "throttled",
    "graph-trouble",
    "unreachable",
    "proxy-auth",
    "proxy-refused",
    "outside-window",
    "blocked",
    "not-live",
    "not-in-region",
    "tag-not-allowed",
    "recipient-unknown",
    "message-refused",
    "other-app-has-thread",
    "client-certificate-wanted",
    "gateway-key-wanted",
    "signature-wanted",
    "workflow-inactive",
    "tunnel-page",
];

fn entries(home: &Home, words: &[&str]) -> Vec<Value> {
    let run = home.run(&[&["explain", "--json"], words].concat()).code(0);
    run.json()["entries"].as_array().unwrap().clone()
}

#[test]
fn everything_that_a_run_names_has_its_page() {
    // Neither files nor a network nor a keyring are there.
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    assert_eq!(entries(&home, &CAUSES).len(), CAUSES.len());
    let sandbox = sandbox();
    let tested = acme(&sandbox, true);
    let checks = tested.run(&["account", "test", "acme", "--json"]).json()["results"][0]["checks"].clone();
    let of_doctor = tested.run(&["doctor", "--json"]).json()["checks"].clone();
    for check in checks.as_array().unwrap().iter().chain(of_doctor.as_array().unwrap()) {
        let id = check["id"].as_str().unwrap();
        let found = entries(&home, &[id]);
        assert_eq!((found.len(), &found[0]["kind"], &found[0]["id"]), (1, &"check".into(), &id.into()));
    }
    let exits = home.run(&["help", "exit-codes"]).code(0).stdout;
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "130"] {
        assert!(exits.contains(&format!("  {code} ")), "{exits}");
        assert_eq!(entries(&home, &["exit", code])[0]["kind"], "exit");
    }
    let code = &entries(&home, &["190/463"])[0];
    assert_eq!((&code["kind"], &code["causes"]), (&"code".into(), &serde_json::json!(["expired"])));
    assert_eq!(code["command"], "msgrctl account edit NAME --token-stdin --yes");
    assert!(!home.path("config").exists(), "nothing is written");
}

#[test]
fn a_list_has_every_page_and_every_page_is_found() {
    let home = Home::new();
    let all = entries(&home, &[]);
    assert!(all.len() > 200, "{}", all.len());
    let of = |kind: &str| all.iter().filter(|entry| entry["kind"] == kind).count();
    for (plural, kind) in [("causes", "cause"), ("checks", "check"), ("codes", "code"), ("exits", "exit")] {
        assert_eq!(entries(&home, &[plural]).len(), of(kind), "{plural}");
    }
    let codes: Vec<String> = all
        .iter()
        .filter(|entry| entry["kind"] == "code")
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect();
    let words: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert_eq!(entries(&home, &words).len(), codes.len());
    let text = home.run(&["explain"]).code(0);
    assert!(text.stderr.is_empty());
    home.run(&["explain", "190"]).code(0).screen("explain-code-with-subcodes");
}

#[test]
fn what_is_not_known_is_said_and_what_is_known_is_shown() {
    let home = Home::new();
    let run = home.run(&["explain", "expired", "nonsense"]).code(1);
    assert!(run.stdout.contains("the token has expired"), "{run:?}");
    home.run(&["explain", "36103"]).code(1).screen("explain-code-unknown");
    home.run(&["explain", "190/999"]).code(1).says(&["msgrctl explain 190"]);
    home.run(&["explain", "exit", "77"]).code(1);
    home.run(&["explain", "exit"]).code(1).says(&["msgrctl explain exits"]);
    // As the contract writes it, as a test prints it, and a subcode alone.
    assert_eq!(entries(&home, &["exit 4"])[0]["kind"], "exit");
    assert_eq!(entries(&home, &["code 190, subcode 460"])[0]["id"], "190/460");
    home.run(&["explain", "2018278"]).code(1).says(&["it is a subcode: msgrctl explain 10/2018278"]);
    // Where subcodes make no difference, any will do.
    assert_eq!(entries(&home, &["551/1545041"])[0]["causes"][0], "blocked");
    let far = home.run(&["explain", "nonsense"]).code(1);
    assert!(!far.stderr.contains("did you mean"), "{far:?}");
    // As Meta writes a code, and as `problem` has it.
    assert_eq!(entries(&home, &["(#190)", "token_refused"]).len(), 2);
    let raw = home.run(&["explain", "\u{1b}[2Jx"]).code(1);
    assert!(!raw.stderr.contains('\u{1b}'), "{raw:?}");
}
