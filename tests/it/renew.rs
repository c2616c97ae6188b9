//! `account renew`: new tokens from kept ones, with faults at each call and kills at any moment.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use msgrctl::sandbox::{Fault, InProcess, TokenKind, TokenState};

use crate::support::world::{app, paths, scenario};
use crate::support::{Home, Hook, Kills, Run};

const SYSTEM: &str = "EAABsystemuser0123456789abcdefghijklmno";
const NEVER: &str = "EAABneverending0123456789abcdefghijklm";
const PAGES: [&str; 3] = ["109876543210981", "109876543210982", "109876543210983"];
const APP: &str =
    "version = 1\n[[apps]]\nname = 'Acme'\nid = '123456789012345'\nsecret = '0123456789abcdef0123456789abcdef'\n";

/// Three Pages, and a system user whose token lasts so long.
fn world(days: u32) -> InProcess {
    let pages = PAGES
        .iter()
        .enumerate()
        .map(|(at, id)| format!("[[pages]]\nid = '{id}'\nname = 'Page {at}'\nusername = 'acme.page{at}'\n"));
    let users = format!(
        "[[users]]\ntoken = '{SYSTEM}'\nsystem = true\nexpires_in = '{days}d'\n[[users]]\ntoken = '{NEVER}'\nsystem = true\nexpires_in = '1000d'\n"
    );
    let sandbox = scenario(&format!("{APP}{}{users}", pages.collect::<String>()));
    {
        let mut world = sandbox.world();
        for token in &mut world.tokens {
            if token.value == NEVER {
                token.expires_at = 0;
            }
            if token.kind != TokenKind::User {
                token.data_access_expires_at = 0;
            }
        }
    }
    sandbox
}

fn home(sandbox: &InProcess) -> Home {
    Home::new().with("MSGRCTL_STORE", "file").with_key_file().with("MSGRCTL_GRAPH_URL", &sandbox.url())
}

/// Adds an account of the Page from a person's or system user's token.
fn add(home: &Home, sandbox: &InProcess, at: usize, token: &str, more: &[&str]) {
    let (app_id, app_secret) = app(sandbox);
    let secret = home.file("secret", &app_secret);
    let (name, handle) = (format!("Page {at}"), format!("page-{at}"));
    let mut arguments = vec!["account", "add", &name, "--handle", &handle, "--page-id", PAGES[at], "--token-stdin"];
    arguments.extend(["--app-id", &app_id, "--app-secret-file", secret.to_str().unwrap(), "--yes"]);
    arguments.extend(more);
    home.run_with(&arguments, token).code(0);
}

/// A home with an account for each Page, all from the same kept token.
fn three(sandbox: &InProcess) -> Home {
    let home = home(sandbox);
    (0..3).for_each(|at| add(&home, sandbox, at, SYSTEM, &["--keep-user-token"]));
    home
}

fn secret(home: &Home, at: usize, kind: &str) -> String {
    home.run(&["secret", "reveal", &format!("page-{at}"), kind]).code(0).stdout.trim().to_owned()
}

fn outcomes(run: &Run) -> Vec<String> {
    let results = run.json()["results"].clone();
    results.as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap().to_owned()).collect()
}

fn exchanges(sandbox: &InProcess) -> usize {
    paths(sandbox).iter().filter(|path| path.ends_with("/oauth/access_token")).count()
}

/// Whether the sandbox takes the account's Page token and its parent.
fn works(home: &Home, sandbox: &InProcess, at: usize) -> bool {
    let tokens = ["page-access-token", "user-access-token"].map(|kind| secret(home, at, kind));
    let world = sandbox.world();
    let now = jiff::Timestamp::now().as_second();
    tokens.iter().all(|value| world.tokens.iter().any(|token| token.value == *value && token.problem(now).is_none()))
}

#[test]
fn accounts_of_one_kept_token_are_renewed_together_with_one_exchange() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let before = secret(&home, 0, "page-access-token");
    home.run(&["account", "renew", "--all", "--within", "12h", "--json"]).code(0);
    assert_eq!((exchanges(&sandbox), secret(&home, 0, "page-access-token")), (0, before.clone()), "it ends later");
    let run = home.run(&["account", "renew", "--all", "--within", "30d", "--json"]).code(0);
    assert_eq!(outcomes(&run), ["renewed"; 3]);
    let value = run.json();
    let mut keys: Vec<&String> = value["results"][0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["account", "expires_at", "old_revoked", "outcome", "summary"]);
    assert_eq!(
        (&value["results"][0]["account"], &value["results"][0]["old_revoked"]),
        (&"page-0".into(), &false.into())
    );
    assert_eq!(exchanges(&sandbox), 1);
    let parents: Vec<String> = (0..3).map(|at| secret(&home, at, "user-access-token")).collect();
    assert!(parents.iter().all(|parent| *parent == parents[0] && parent != SYSTEM));
    assert_ne!(secret(&home, 0, "page-access-token"), before);
    assert!((0..3).all(|at| works(&home, &sandbox, at)));
    // It is kept with the results, and is not due any more.
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["accounts"][0]["token_life"], "page-of-system-user-60-days");
    let again = home.run(&["account", "renew", "--all", "--within", "30d", "--json"]).code(0);
    assert_eq!((outcomes(&again), exchanges(&sandbox)), (vec!["not-due".to_owned(); 3], 1));
    // Secrets are never in an address, and the log names the change.
    assert!(home.run(&["log", "--json"]).stdout.contains("secrets.user_access_token"));
    home.run(&["undo", "--yes"]).code(1).says(&["changed secrets and nothing else, which cannot be undone"]);
    assert_eq!(secret(&home, 0, "user-access-token"), parents[0], "an undo brings no old token back");
}

#[test]
fn what_does_not_end_is_left_and_what_needs_a_person_is_named() {
    let sandbox = world(20);
    let home = home(&sandbox);
    add(&home, &sandbox, 0, NEVER, &["--keep-user-token"]);
    add(&home, &sandbox, 1, SYSTEM, &[]);
    add(&home, &sandbox, 2, SYSTEM, &["--keep-user-token"]);
    sandbox.world().page_token_mut(PAGES[1]).unwrap().expires_at = jiff::Timestamp::now().as_second() + 86_400;
    let run = home.run(&["account", "renew", "page-0", "--json"]).code(0);
    assert_eq!(outcomes(&run), ["unchanged"]);
    assert!(run.stdout.contains("its token does not expire"), "{run:#?}");
    let run = home.run(&["account", "renew", "page-1", "--json"]).code(4);
    let one = run.json()["results"][0].clone();
    assert_eq!((&one["outcome"], &one["cause"]), (&"cannot-renew".into(), &"user-token-missing".into()));
    assert!(one["hint"].as_str().unwrap().contains("msgrctl login --system-user"), "{one}");
    home.run(&["account", "renew", "page-0", "page-1", "--json"]).code(9).screen("account-renew-json");
    home.run(&["account", "renew", "--all"]).code(9).shows(&[
        "page-0: its token does not expire",
        "page-1: the account keeps no user token",
        "page-2: renewed; the token ends on ",
    ]);
    // A kept token that has ended.
    let kept = secret(&home, 2, "user-access-token");
    {
        let mut world = sandbox.world();
        world.tokens.iter_mut().find(|token| token.value == kept).unwrap().state = TokenState::Expired;
    }
    let run = home.run(&["account", "renew", "page-2", "--json"]).code(4);
    let one = run.json()["results"][0].clone();
    assert_eq!((&one["outcome"], &one["cause"]), (&"cannot-renew".into(), &"expired".into()), "{one}");
    home.run(&["account", "renew"]).code(2);
}

#[test]
fn a_persons_kept_token_is_exchanged_while_it_lasts() {
    let sandbox = scenario(&format!(
        "{APP}[[pages]]\nid = '{}'\nname = 'Page 0'\nusername = 'acme.page0'\n[[users]]\ntoken = 'EAABpersons0123456789'\nexpires_in = '10d'\n",
        PAGES[0]
    ));
    let home = home(&sandbox);
    add(&home, &sandbox, 0, "EAABpersons0123456789", &["--keep-user-token"]);
    let before = exchanges(&sandbox);
    let run = home.run(&["account", "renew", "page-0", "--revoke-old", "--yes", "--json"]).code(0);
    assert_eq!(outcomes(&run), ["renewed"]);
    assert_eq!(exchanges(&sandbox), before + 1);
    assert_eq!(run.json()["results"][0]["old_revoked"], false, "only a system user's is revoked");
    assert!(works(&home, &sandbox, 0));
    // Months later only a login helps.
    for token in &mut sandbox.world().tokens {
        token.state = TokenState::PasswordChanged;
    }
    let run = home.run(&["account", "renew", "page-0", "--json"]).code(4);
    let one = run.json()["results"][0].clone();
    assert_eq!(one["outcome"], "cannot-renew");
    assert!(one["hint"].as_str().unwrap().contains(&format!("msgrctl login --page {}", PAGES[0])), "{one}");
}

#[test]
fn a_fault_at_any_call_leaves_tokens_that_work_and_says_what_to_do() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let old: Vec<String> = (0..3).map(|at| secret(&home, at, "page-access-token")).collect();
    let drop = |path: &str| Fault { path: Some(path.into()), drop: true, ..Fault::default() };
    let refuse = |path: &str, code| Fault { path: Some(path.into()), code: Some(code), ..Fault::default() };
    for (fault, code) in [
        (drop("/debug_token"), 5),
        (refuse("/debug_token", 190), 4),
        (drop("/oauth/access_token"), 5),
        (refuse("/oauth/access_token", 2), 5),
        (refuse("/oauth/access_token", 190), 4),
        (refuse("/oauth/access_token", 100), 1),
        (drop("/me"), 5),
        (refuse("/me", 190), 7),
        (refuse(&format!("/{}", PAGES[1]), 190), 9),
    ] {
        sandbox.world().faults = vec![fault.clone()];
        let run = home.run(&["account", "renew", "--all", "--json", "--timeout", "2"]).code(code);
        sandbox.world().faults.clear();
        for one in run.json()["results"].as_array().unwrap() {
            let failed = one["outcome"] == "failed";
            assert_eq!(failed, one["cause"].is_string(), "{fault:?}: {one}");
        }
        assert!((0..3).all(|at| works(&home, &sandbox, at)), "{fault:?}");
        if code != 9 {
            assert!((0..3).all(|at| secret(&home, at, "page-access-token") == old[at]), "{fault:?}");
        }
    }
    // The one that failed is renewed by the next run, from the old token.
    let page_1 = secret(&home, 1, "user-access-token");
    assert_eq!(page_1, SYSTEM);
    let run = home.run(&["account", "renew", "--all", "--within", "30d", "--json"]).code(0);
    assert_eq!(outcomes(&run), ["not-due", "renewed", "not-due"]);
}

#[test]
fn an_exchange_without_an_answer_is_not_repeated_and_is_said() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let path = Some("/oauth/access_token".to_owned());
    let dropped = Fault { path: path.clone(), drop: true, times: Some(1), ..Fault::default() };
    let slow = Fault { path, delay: Some(Duration::from_millis(900)), times: Some(1), ..Fault::default() };
    for fault in [dropped, slow] {
        // A second try would be answered, and each may make another token.
        sandbox.world().faults = vec![fault];
        let run = home.run(&["account", "renew", "page-0", "--json", "--timeout", "0.5"]).code(5);
        assert!(run.stdout.contains("trying again is safe"), "{run:#?}");
        assert_eq!(secret(&home, 0, "user-access-token"), SYSTEM);
    }
    home.run(&["account", "renew", "page-0"]).code(0);
}

#[test]
fn an_account_that_is_changed_in_the_meantime_is_left_untouched() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let slow =
        Fault { path: Some("/oauth/access_token".into()), delay: Some(Duration::from_millis(900)), ..Fault::default() };
    sandbox.world().faults = vec![slow];
    let child = home
        .msgrctl(&["account", "renew", "--all", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(400));
    home.run_with(&["secret", "set", "page-2", "user-access-token", "--stdin", "--yes"], NEVER).code(0);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["results"][2]["outcome"], "failed");
    assert!(value["results"][2]["summary"].as_str().unwrap().contains("another command changed the account"));
    assert_eq!(secret(&home, 2, "user-access-token"), NEVER);
}

#[test]
fn a_kill_at_any_moment_leaves_each_account_with_a_token_that_works() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let mut kills = Kills::within(Duration::from_millis(300));
    for _ in 0..12 {
        let mut child =
            home.msgrctl(&["account", "renew", "--all"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        kills.kill(&mut child);
        assert!((0..3).all(|at| works(&home, &sandbox, at)));
    }
    assert!(kills.killed > 0);
    home.run(&["account", "renew", "--all"]).code(0);
    home.run(&["account", "test", "--all"]).code(0);
}

#[test]
fn an_old_token_is_revoked_only_when_asked_and_when_nothing_needs_it() {
    let sandbox = world(20);
    let home = three(&sandbox);
    let revoked = || paths(&sandbox).iter().filter(|path| path.ends_with("/oauth/revoke")).count();
    let renew = ["account", "renew", "page-0", "page-1", "--revoke-old", "--json"];
    home.run(&renew).code(2).says(&["--yes"]);
    assert_eq!(exchanges(&sandbox), 0, "nothing was begun");
    // The third account keeps the old one.
    let run = home.run(&[&renew[..], &["--yes"]].concat()).code(9);
    assert_eq!(outcomes(&run), ["renewed"; 2]);
    assert!(run.stdout.contains("'Page 2' in tenant 'default' keeps it too"), "{run:#?}");
    assert_eq!((&run.json()["results"][0]["old_revoked"], revoked()), (&false.into(), 0));
    // One that cannot be renewed keeps the old one of all.
    let all = ["account", "renew", "--all", "--revoke-old", "--yes", "--json"];
    for at in 0..3 {
        home.run_with(
            &["account", "edit", &format!("page-{at}"), "--token-stdin", "--keep-user-token", "--yes"],
            SYSTEM,
        )
        .code(0);
    }
    let refused = Fault { path: Some(format!("/{}", PAGES[1])), code: Some(100), ..Fault::default() };
    sandbox.world().faults = vec![refused];
    let run = home.run(&all).code(9);
    sandbox.world().faults.clear();
    assert_eq!((outcomes(&run), revoked()), (vec!["renewed".into(), "failed".into(), "renewed".into()], 0));
    // Meta does not take it: the tokens are renewed, and the old one ends by itself.
    let refused = Fault { path: Some("/oauth/revoke".into()), code: Some(100), ..Fault::default() };
    sandbox.world().faults = vec![refused];
    let run = home.run(&["account", "renew", "page-1", "--revoke-old", "--yes", "--json"]).code(9);
    assert!(run.stdout.contains("the old token was not revoked") && revoked() == 1, "{run:#?}");
    // Nothing needs it any more.
    sandbox.world().faults.clear();
    let old = secret(&home, 1, "user-access-token");
    let run = home.run(&["account", "renew", "page-1", "--revoke-old", "--yes", "--json"]).code(0);
    assert_eq!(run.json()["results"][0]["old_revoked"], true, "{run:#?}");
    let gone = {
        let world = sandbox.world();
        let now = jiff::Timestamp::now().as_second();
        world.tokens.iter().find(|token| token.value == old).is_none_or(|token| token.problem(now).is_some())
    };
    assert!(gone && revoked() == 2 && works(&home, &sandbox, 1));
}

/// What arrived at a hook: the event and the cause of its first account.
fn told(hook: &Hook) -> Vec<String> {
    let words = |body: serde_json::Value| {
        format!("{} {}", body["event"].as_str().unwrap(), body["accounts"][0]["cause"].as_str().unwrap_or("-"))
    };
    hook.received().iter().map(|received| words(received.json())).collect()
}

#[test]
fn a_watch_renews_before_a_round_and_tells_a_failure_once() {
    let (sandbox, hook) = (world(19), Hook::start());
    let home = three(&sandbox).with("HOOK_URL", &hook.url);
    home.file("config/msgrctl/config.toml", "[[notify]]\nkind = \"webhook\"\nurl = \"env:HOOK_URL\"\n");
    home.run(&["watch", "--once"]).code(0);
    assert_eq!((exchanges(&sandbox), told(&hook)), (0, Vec::new()));
    let refused = Fault { path: Some("/oauth/access_token".into()), code: Some(190), ..Fault::default() };
    sandbox.world().faults = vec![refused];
    for _ in 0..2 {
        home.run(&["watch", "--once", "--renew"]).code(0);
    }
    assert_eq!(told(&hook), ["warning renewal-failed"], "told once");
    home.run(&["status", "--json"]).code(0).shows(&["renewal-failed", "token.renewal"]);
    sandbox.world().faults.clear();
    home.run(&["watch", "--once", "--renew"]).code(0).says(&["page-0: renewed; the token ends on "]);
    home.run(&["watch", "--once", "--renew"]).code(0);
    assert_eq!(told(&hook), ["warning renewal-failed", "recovered -"]);
    assert!((0..3).all(|at| works(&home, &sandbox, at)));
}

#[test]
fn a_watch_tries_at_most_once_an_hour_and_goes_on() {
    let sandbox = world(19);
    let home = three(&sandbox);
    let refused = Fault { path: Some("/oauth/access_token".into()), code: Some(190), ..Fault::default() };
    sandbox.world().faults = vec![refused];
    let mut child = home
        .msgrctl(&["watch", "--renew", "--every", "1s", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let rounds = BufReader::new(child.stdout.take().unwrap()).lines().take(3).flatten().count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((rounds, exchanges(&sandbox)), (3, 1));
}
