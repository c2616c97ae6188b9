//! The token of a person or a system user that is kept beside a Page's, on request.

use msgrctl::sandbox::{InProcess, TokenKind};

use crate::support::world::{PAGE_ID, app, page_token, paths, sandbox, scenario};
use crate::support::{Home, Run};

const OF_SYSTEM: &str = "EAABsystemuser0123456789abcdefghijklmno";

/// A world whose token is a system user's.
fn of_system_user() -> InProcess {
    scenario(&format!(
        "version = 1\n[[apps]]\nname = 'Acme'\nid = '123456789012345'\nsecret = '0123456789abcdef0123456789abcdef'\n[[pages]]\nid = '{PAGE_ID}'\nname = 'Acme Support'\nusername = 'acme.support'\ntoken = 'EAABpageownpageown0123456789'\n[[users]]\ntoken = '{OF_SYSTEM}'\nsystem = true\nexpires_in = '60d'\n"
    ))
}

/// A home that keeps secrets in the encrypted file.
fn home(sandbox: &InProcess) -> Home {
    Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
}

fn token_of_person(sandbox: &InProcess) -> String {
    let world = sandbox.world();
    world.tokens.iter().find(|token| token.kind == TokenKind::User).unwrap().value.clone()
}

/// Adds the account `acme` from a person's or a system user's token.
fn add(home: &Home, sandbox: &InProcess, token: &str, more: &[&str]) -> Run {
    let (app_id, app_secret) = app(sandbox);
    let secret = home.file("secret", &app_secret);
    let mut arguments = vec!["account", "add", "Acme", "--page-id", PAGE_ID, "--handle", "acme", "--token-stdin"];
    arguments.extend(["--app-id", &app_id, "--app-secret-file", secret.to_str().unwrap()]);
    arguments.extend(more);
    home.run_with(&arguments, token).code(0)
}

fn reveal(home: &Home, kind: &str) -> String {
    home.run(&["secret", "reveal", "acme", kind]).code(0).stdout.trim().to_owned()
}

const REVEAL: [&str; 4] = ["secret", "reveal", "acme", "user-access-token"];

#[test]
fn the_long_lived_token_of_a_person_is_kept_only_where_a_flag_says_so() {
    let sandbox = sandbox();
    let home = home(&sandbox);
    let short = token_of_person(&sandbox);
    add(&home, &sandbox, &short, &[]);
    home.run(&REVEAL).code(4).says(&["the account has no user access token"]);
    home.run(&["account", "remove", "acme", "--yes"]).code(0);

    add(&home, &sandbox, &short, &["--keep-user-token"]);
    let kept = reveal(&home, "user-access-token");
    let long = {
        let world = sandbox.world();
        let long =
            world.tokens.iter().filter(|token| token.kind == TokenKind::User).max_by_key(|token| token.issued_at);
        long.unwrap().value.clone()
    };
    assert!(kept == long && kept != short, "the long-lived one");
    assert_ne!(reveal(&home, "page-access-token"), kept);
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0).json();
    let kinds: Vec<&str> =
        shown["account"]["secrets"].as_array().unwrap().iter().filter_map(|secret| secret["kind"].as_str()).collect();
    assert!(kinds.contains(&"user_access_token"), "{shown}");
    home.run(&["secret", "list", "acme"]).code(0).shows(&["user-access-token"]);

    // A Page's own token has no other behind it.
    home.run_with(&["account", "edit", "acme", "--token-stdin", "--keep-user-token", "--yes"], page_token(&sandbox))
        .code(0)
        .says(&["--keep-user-token kept nothing", "msgrctl secret remove acme user-access-token --yes"]);
    home.run(&["account", "edit", "acme", "--keep-user-token"]).code(2).says(&["--token-stdin"]);
    // A person's token in an edit.
    home.run(&["secret", "remove", "acme", "user-access-token", "--yes"]).code(0);
    home.run(&REVEAL).code(4);
    home.run_with(&["account", "edit", "acme", "--token-stdin", "--keep-user-token", "--yes"], &short).code(0);
    assert_eq!(reveal(&home, "user-access-token"), kept);
    // What an undo removes was never in the account before.
    let undone = home.run(&["undo", "--yes"]).code(0);
    assert!(undone.stderr.contains("the page access token of 'Acme' was replaced; the new one stays"), "{undone:#?}");
    home.run(&REVEAL).code(4);
}

#[test]
fn the_token_of_a_system_user_is_kept_as_it_is_and_not_exchanged() {
    let sandbox = of_system_user();
    let home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &["--keep-user-token"]);
    assert_eq!(reveal(&home, "user-access-token"), OF_SYSTEM);
    assert!(!paths(&sandbox).iter().any(|path| path.ends_with("/oauth/access_token")), "an exchange is for people");
}

#[test]
fn it_is_moved_renamed_and_removed_with_its_account() {
    let sandbox = of_system_user();
    let mut home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &["--keep-user-token"]);
    home.run(&["account", "rename", "acme", "Bravo", "--handle", "bravo"]).code(0);
    home.run(&["secret", "reveal", "bravo", "user-access-token"]).code(0).shows(&[OF_SYSTEM]);
    home.run(&["doctor", "--json"]).code(0);
    let removed = home.run(&["account", "remove", "bravo", "--yes"]).code(0);
    assert!(removed.stdout.contains("user access token"), "{removed:#?}");
    home.run(&["undo", "--yes"]).code(0).says(&["msgrctl secret set bravo user-access-token --stdin"]);
    // In the read-only store it is a variable like the others.
    home.set("MSGRCTL_STORE", "env");
    home.set("MSGRCTL_SECRET_ENVY_PAGE_ACCESS_TOKEN", &page_token(&sandbox));
    home.set("MSGRCTL_SECRET_ENVY_VERIFY_TOKEN", "verify0123456789");
    home.set("MSGRCTL_SECRET_ENVY_USER_ACCESS_TOKEN", OF_SYSTEM);
    let envy = ["account", "add", "Envy", "--page-username", "acme.support", "--page-id", PAGE_ID];
    home.run(&[&envy[..], &["--keep-user-token"]].concat()).code(2).says(&["MSGRCTL_SECRET_ENVY_USER_ACCESS_TOKEN"]);
    home.run(&envy).code(0);
    home.run(&["secret", "reveal", "envy", "user-access-token"]).code(0).shows(&[OF_SYSTEM]);
}

#[test]
fn a_manifest_does_not_name_it_and_leaves_it_as_it_is() {
    let sandbox = of_system_user();
    let home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &["--keep-user-token"]);
    let manifest = home.run(&["export"]).code(0).stdout;
    assert!(!manifest.contains("user_access_token") && !manifest.contains("user-access-token"), "{manifest}");
    let changed = manifest.replace("name: Acme", "name: Acme Two");
    assert_ne!(changed, manifest);
    let file = home.file("accounts.yaml", changed);
    home.run(&["apply", "-f", file.to_str().unwrap(), "--yes"]).code(0);
    assert_eq!(reveal(&home, "user-access-token"), OF_SYSTEM);
    home.file("token", page_token(&sandbox));
    let referred = manifest.replace("name: Acme", "name: Acme Two").replacen("stored: true", "file: token", 1);
    let file = home.file("accounts.yaml", referred);
    home.run(&["apply", "-f", file.to_str().unwrap(), "--yes"]).code(0);
    assert_eq!(reveal(&home, "user-access-token"), OF_SYSTEM);
}

#[test]
fn one_that_does_not_reach_the_page_is_refused() {
    let sandbox = of_system_user();
    let home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &[]);
    let set = ["secret", "set", "acme", "user-access-token", "--stdin", "--yes"];
    home.run_with(&set, page_token(&sandbox)).code(7).says(&["the token is a Page's own", "--force saves it anyway"]);
    home.run_with(&set, "EAABnobodysTokenAtAll").code(4).says(&["--force saves it anyway"]);
    home.run(&REVEAL).code(4);
    home.run_with(&set, OF_SYSTEM).code(0);
    assert_eq!(reveal(&home, "user-access-token"), OF_SYSTEM);
    home.run_with(&[&set[..], &["--force"]].concat(), page_token(&sandbox)).code(0);
}

#[test]
fn what_the_token_is_is_known_offline_after_a_test() {
    let sandbox = of_system_user();
    let home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &["--keep-user-token"]);
    sandbox.world().page_token_mut(PAGE_ID).unwrap().data_access_expires_at = 0;
    let tested = home.run(&["account", "test", "acme", "--json"]).code(0).json();
    assert_eq!(tested["results"][0]["token_life"], "page-of-system-user-60-days");
    // Meta names no end of the Page's token: it ends with the system user's.
    let end = tested["results"][0]["expires_at"].as_str().unwrap().to_owned();
    home.run(&["account", "test", "acme", "-v"]).code(0).shows(&[
        "token: a Page's token from a system user's token of 60 days; ends in ",
        "renewed by: msgrctl account renew acme",
    ]);
    let calls = paths(&sandbox).len();
    let shown = home.run(&["account", "show", "acme", "--json"]).code(0).json();
    assert_eq!(
        (&shown["token_life"], &shown["expires_at"]),
        (&"page-of-system-user-60-days".into(), &end.clone().into())
    );
    home.run(&["account", "show", "acme"])
        .code(0)
        .shows(&["a system user's token of 60", "msgrctl account renew acme"]);
    let status = home.run(&["status", "--json"]).code(0).json();
    let account = &status["accounts"][0];
    assert_eq!((&account["token_life"], &account["expires_at"]), (&"page-of-system-user-60-days".into(), &end.into()));
    home.run(&["status"]).code(0).shows(&["(system user, 60 days)"]);
    assert_eq!(paths(&sandbox).len(), calls, "nobody was asked");
}

#[test]
fn a_pages_token_from_a_short_lived_one_is_told_at_once() {
    let text = format!(
        "version = 1\n[[pages]]\nid = '{PAGE_ID}'\nname = 'A'\nusername = 'acme.support'\ntoken = 'EAAx'\nexpires_in = '2h'\n"
    );
    let sandbox = scenario(&text);
    let home = crate::support::world::acme(&sandbox, true);
    for days in ["14", "0"] {
        let tested = home.run(&["account", "test", "acme", "--warn-days", days, "--json"]).code(0);
        let expiry = tested.check("token.expiry");
        assert_eq!((expiry["outcome"].as_str(), expiry["cause"].as_str()), (Some("warn"), Some("expires-soon")));
        assert_eq!(expiry["summary"], "it expires in 2 hours: it came from a short-lived user token");
        assert!(expiry["hint"].as_str().unwrap().contains("msgrctl login"), "{expiry}");
        assert_eq!(tested.json()["results"][0]["token_life"], "page-of-short-user");
    }
}

#[test]
fn after_a_lost_passphrase_it_is_named_among_what_is_to_be_set_again() {
    let sandbox = of_system_user();
    let mut home = home(&sandbox);
    add(&home, &sandbox, OF_SYSTEM, &["--keep-user-token"]);
    home.set("MSGRCTL_PASSPHRASE", "another one altogether");
    home.run(&["secret", "passphrase", "--begin-again", "--yes"])
        .code(0)
        .shows(&["set again: msgrctl secret set acme user-access-token --file FILE --yes"]);
}
