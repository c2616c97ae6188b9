//! `webhook show`, `subscribe`, `status`, `unsubscribe`, `rotate`, against the sandbox
//! and a receiver of our own.

use msgrctl::sandbox::{Fault, InProcess};
use serde_json::Value;

use crate::support::listening::Listening;
use crate::support::receiver::{TOKEN, answer, start};
use crate::support::world::{PAGE_ID, acme, app, page_token, paths, sandbox, scenario};
use crate::support::{Home, Hook};

const ALL: &str = "messages,messaging_postbacks,messaging_optins,message_deliveries,message_reads,messaging_referrals";

/// An account whose events should go to a listener that runs.
fn connected(sandbox: &InProcess) -> (Home, Listening) {
    let home = acme(sandbox, true);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    (home, listening)
}

fn writes(sandbox: &InProcess) -> usize {
    let world = sandbox.world();
    // A batch is no write of its own: its operations are in the journal too.
    let is_batch = |entry: &msgrctl::sandbox::Entry| entry.path == "/v26.0/";
    let is_write =
        |entry: &&msgrctl::sandbox::Entry| entry.method != "GET" && !entry.path.starts_with("->") && !is_batch(entry);
    world.journal.entries().iter().filter(is_write).count()
}

fn level(run: &crate::support::Run, id: &str) -> Value {
    let value = run.json();
    let levels = value["results"][0]["levels"].as_array().unwrap().clone();
    levels.into_iter().find(|level| level["id"] == id).unwrap_or_else(|| panic!("no {id}: {value:#}"))
}

#[test]
fn show_says_what_goes_where_and_hides_the_token() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["webhook", "show", "acme"]).code(0);
    home.run(&["account", "edit", "acme", "--callback-url", "https://hooks.example.com/m"]).code(0);
    let run = home.run(&["webhook", "show", "acme"]).code(0);
    assert!(run.stdout.contains("https://hooks.example.com/m") && !run.stdout.contains(TOKEN), "{run:#?}");
    let shown = home.run(&["webhook", "show", "acme", "--json"]).code(0).json();
    assert_eq!(shown["fields"].as_array().unwrap().len(), 6);
    assert_eq!(shown["verify_token"], "********6789");
    let revealed = home.run(&["webhook", "show", "acme", "--json", "--reveal"]).code(0).json();
    assert_eq!(revealed["verify_token"], TOKEN);
}

#[test]
fn subscribe_sets_both_levels_once_and_reads_them_back() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    home.run(&["webhook", "status", "acme"]).code(7);
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(0);
    assert_eq!(run.json()["results"][0]["changed"], true);
    assert_eq!(level(&run, "app.subscription")["outcome"], "pass");
    let world_fields = sandbox.world().pages[0].subscribed.values().next().unwrap().join(",");
    assert_eq!(world_fields, ALL);
    assert_eq!(writes(&sandbox), 2);
    // All is as wished: two reads, that of the app in a request around it, and nothing else.
    let before = paths(&sandbox).len();
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(0);
    assert_eq!(run.json()["results"][0]["changed"], false);
    assert_eq!((writes(&sandbox), paths(&sandbox).len() - before), (2, 3));
    home.run(&["webhook", "status", "acme"]).code(0);
    let test = home.run(&["account", "test", "acme", "--json"]).code(0);
    for id in ["page.subscription", "app.subscription", "callback.handshake"] {
        assert_eq!(test.check(id)["outcome"], "pass", "{id}");
    }
}

#[test]
fn changes_at_meta_are_in_the_log_and_leave_undo_alone() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    home.run(&["webhook", "unsubscribe", "acme", "--yes"]).code(0);
    let log = home.run(&["log", "--json"]).code(0).json();
    let lines: Vec<(String, String)> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["command"].as_str().unwrap().to_owned(), entry["changes"][0]["fields"].to_string()))
        .filter(|(command, _)| command.starts_with("webhook"))
        .collect();
    let both = r#"["meta.app_subscription","meta.page_subscription"]"#;
    let page = r#"["meta.page_subscription"]"#;
    let expected = [("webhook subscribe", both), ("webhook unsubscribe", page)];
    assert_eq!(lines, expected.map(|(command, fields)| (command.to_owned(), fields.to_owned())));
    home.run(&["undo", "--yes"]).code(0).shows(&["undid 'account edit'"]);
}

#[test]
fn what_fails_here_holds_back_nothing_that_was_done_at_meta() {
    let sandbox = sandbox();
    let (mut home, _listening) = connected(&sandbox);
    // A verify token that cannot be read is the app's level alone.
    home.unset("MSGRCTL_SECRET_ACME_VERIFY_TOKEN");
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(1);
    let app = level(&run, "app.subscription");
    assert!(app["summary"].as_str().unwrap().contains("no verify token"), "{app}");
    assert!(app["hint"].as_str().unwrap().contains("msgrctl webhook rotate acme"), "{app}");
    assert_eq!(level(&run, "page.subscription")["outcome"], "pass");
    home.set("MSGRCTL_SECRET_ACME_VERIFY_TOKEN", TOKEN);
    // A log that cannot be written is said, and the result too.
    let log = home.path("config/msgrctl/log.jsonl");
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let run =
        home.run(&["webhook", "subscribe", "acme", "--json"]).code(0).says(&["the change at Meta is not in the log"]);
    assert_eq!(level(&run, "app.subscription")["outcome"], "pass");
}

#[test]
fn fields_that_are_there_stay_unless_it_is_exact() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    let fields = |sandbox: &InProcess| {
        let world = sandbox.world();
        (world.subscriptions[0].fields.clone(), world.pages[0].subscribed.values().next().unwrap().clone())
    };
    home.run(&["webhook", "subscribe", "acme", "--fields", "messages,feed"]).code(0);
    assert_eq!(fields(&sandbox).0, ["messages", "feed"]);
    assert_eq!(fields(&sandbox).1, ["messages", "messaging_postbacks", "feed"]);
    home.run(&["webhook", "subscribe", "acme", "--fields", "messages,messaging_optins"]).code(0);
    assert_eq!(fields(&sandbox).0, ["messages", "feed", "messaging_optins"]);
    let exact = ["webhook", "subscribe", "acme", "--fields", "messages,messages", "--exact"];
    home.run(&exact).code(2).screen("webhook-subscribe-exact-without-terminal");
    assert_eq!(fields(&sandbox).0, ["messages", "feed", "messaging_optins"]);
    home.run(&[&exact[..], &["--yes"]].concat()).code(0);
    let messages = vec!["messages".to_owned()];
    assert_eq!(fields(&sandbox), (messages.clone(), messages));
    home.run(&["webhook", "subscribe", "acme", "--fields", "messages, Mentions"]).code(2).says(&["'Mentions'"]);
    let unknown = home.run(&["webhook", "subscribe", "acme", "--fields", "mentions", "--json"]).code(1);
    let page = level(&unknown, "page.subscription");
    assert_eq!((&page["outcome"], &page["cause"]), (&"fail".into(), &"fields-refused".into()), "{page}");
    assert!(page["graph"]["says"].as_str().unwrap().contains("subscribed_fields"), "{page}");
}

#[test]
fn a_handshake_that_fails_at_meta_is_explained_from_here() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    for (url, code, what) in [
        (
            start(|_| answer("403 Forbidden", &[], "no")),
            2200,
            "refuses the request with the account's own verify token",
        ),
        (start(|asked| answer("200 OK", &[], &format!("\"{}\"", asked.challenge))), 2201, "in quotes"),
        ("http://127.0.0.1:1/hook".to_owned(), 2200, "nothing listens"),
    ] {
        home.run(&["account", "edit", "acme", "--callback-url", &url]).code(0);
        let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(1);
        let app = level(&run, "app.subscription");
        assert_eq!((&app["outcome"], &app["graph"]["code"]), (&"fail".into(), &code.into()), "{app}");
        assert!(app["summary"].as_str().unwrap().contains(what), "{app}");
        assert!(app["hint"].as_str().unwrap().contains("msgrctl webhook subscribe acme"), "{app}");
        // The Page's own level does not wait for it.
        assert_eq!(level(&run, "page.subscription")["outcome"], "pass");
    }
    assert!(sandbox.world().subscriptions.is_empty());
}

#[test]
fn without_the_app_secret_the_page_is_subscribed_and_the_rest_is_said() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme Support'\nsubscribed = []\n",
    );
    let home = acme(&sandbox, false);
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(0);
    let app = level(&run, "app.subscription");
    assert_eq!(app["outcome"], "warn");
    // With neither the app nor a callback URL: what is missing, with the command.
    let hint = app["hint"].as_str().unwrap();
    assert!(hint.contains("by hand") && hint.ends_with("--app-id APP_ID --callback-url URL"), "{app}");
    assert_eq!(level(&run, "page.subscription")["outcome"], "pass");
    home.run(&["account", "edit", "acme", "--callback-url", "https://hooks.example.com/m"]).code(0);
    let app = level(&home.run(&["webhook", "subscribe", "acme", "--json"]).code(0), "app.subscription");
    assert!(app["hint"].as_str().unwrap().ends_with("; then: msgrctl webhook show acme"), "{app}");
    home.run(&["account", "edit", "acme", "--clear", "callback-url", "--yes"]).code(0);
    home.run(&["webhook", "status", "acme"]).code(0).screen("webhook-status-without-app");
}

/// Two Pages of one app, each with an account.
fn two_of_one_app(sandbox: &InProcess) -> Home {
    let (app_id, app_secret) = app(sandbox);
    let mut home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    for (at, handle) in ["one", "two"].into_iter().enumerate() {
        let (page, token) = {
            let world = sandbox.world();
            let page = world.pages[at].clone();
            (page.clone(), world.page_token(&page.id).unwrap().value.clone())
        };
        home = home.with_secrets(handle, &token);
        home.set(&format!("MSGRCTL_SECRET_{}_APP_SECRET", handle.to_uppercase()), &app_secret);
        let username = page.username.unwrap();
        let add = [
            "account",
            "add",
            handle,
            "--page-username",
            &username,
            "--page-id",
            &page.id,
            "--app-id",
            &app_id,
            "--no-test",
        ];
        home.run(&add).code(0);
    }
    home
}

#[test]
fn an_apps_callback_is_not_moved_before_somebody_says_so() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(2, msgrctl::clock::Clock::system())).unwrap();
    let home = two_of_one_app(&sandbox);
    let (old, new) = (Hook::start(), Hook::start());
    for account in ["one", "two"] {
        home.run(&["account", "edit", account, "--callback-url", &old.url]).code(0);
    }
    home.run(&["webhook", "subscribe", "--all"]).code(0);
    // Each Page once, the app once.
    assert_eq!(writes(&sandbox), 3);
    home.run(&["account", "edit", "one", "--callback-url", &new.url]).code(0);
    home.run(&["webhook", "status", "one"]).code(7).screen("webhook-status-elsewhere").shows(&[&old.url]);
    home.run(&["webhook", "subscribe", "one"])
        .code(2)
        .screen("webhook-subscribe-moves-an-app")
        .says(&[&format!("would go to {}", new.url)]);
    assert_eq!(writes(&sandbox), 3);
    // Both at once cannot be served: refused before anything is written.
    home.run(&["webhook", "subscribe", "--all", "--yes"]).code(2).says(&["one callback URL for all of its Pages"]);
    home.run(&["webhook", "subscribe", "one", "--yes"]).code(0);
    assert_eq!(sandbox.world().subscriptions[0].callback_url, new.url);
    home.run(&["webhook", "status", "two"]).code(7);
}

#[test]
fn one_of_several_that_fails_holds_nobody_up() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(2, msgrctl::clock::Clock::system())).unwrap();
    let home = two_of_one_app(&sandbox);
    let second = sandbox.world().pages[1].id.clone();
    sandbox.world().page_token_mut(&second).unwrap().state = msgrctl::sandbox::TokenState::PasswordChanged;
    let run = home.run(&["webhook", "subscribe", "--all", "--json"]).code(9);
    let value = run.json();
    assert_eq!((&value["results"][0]["outcome"], &value["results"][1]["outcome"]), (&"warn".into(), &"fail".into()));
    home.run(&["webhook", "subscribe", "two"]).code(4).screen("webhook-subscribe-dead-token");
}

#[test]
fn another_apps_subscription_is_never_touched() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "edit", "acme", "--app-id", "999999999999999", "--no-test"]).code(0);
    let before = sandbox.world().pages[0].subscribed.clone();
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(1);
    let page = level(&run, "page.subscription");
    assert!(page["summary"].as_str().unwrap().contains("is of app 123456789012345"), "{page}");
    home.run(&["webhook", "status", "acme"]).code(7);
    home.run(&["webhook", "unsubscribe", "acme", "--yes"]).code(1).says(&["is of app 123456789012345"]);
    assert_eq!(sandbox.world().pages[0].subscribed, before);
    assert_eq!(writes(&sandbox), 0);
}

#[test]
fn a_callback_url_that_is_not_https_is_not_sent_whatever_realm() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    home.run(&["account", "edit", "acme", "--callback-url", "http://example.com/hook"]).code(0);
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(1);
    let app = level(&run, "app.subscription");
    let next = "; then: msgrctl account edit acme --callback-url https://example.com/hook";
    assert_eq!(app["cause"], "callback-not-https", "{app}");
    assert!(app["hint"].as_str().unwrap().ends_with(next), "{app}");
    let is_sent = |entry: &msgrctl::sandbox::Entry| entry.method == "POST" && entry.path.ends_with("/subscriptions");
    assert!(!sandbox.world().journal.entries().iter().any(is_sent), "Meta was asked");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert_eq!(run.check("callback.handshake")["cause"], "callback-not-https");
    assert!(run.check("callback.handshake")["hint"].as_str().unwrap().ends_with(next));
    // Meta would not take it: that comes before the webhook.
    assert_eq!(run.check("app.subscription")["outcome"], "skip");
}

#[test]
fn a_refused_value_that_is_no_field_is_not_called_one() {
    let body =
        r#"{"error":{"message":"(#100) Param callback_url is not good enough","type":"OAuthException","code":100}}"#;
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    sandbox.world().faults = vec![Fault {
        method: Some("POST".into()),
        path: Some("/*/subscriptions".into()),
        status: Some(400),
        body: Some(body.into()),
        ..Fault::default()
    }];
    let app = level(&home.run(&["webhook", "subscribe", "acme", "--json"]).code(1), "app.subscription");
    assert_eq!(app["cause"], "call-refused", "{app}");
    assert!(!app["hint"].as_str().unwrap().contains("--fields"), "{app}");
}

#[test]
fn what_follows_from_a_wrong_app_is_not_told_as_a_failure_of_its_own() {
    for (id, secret) in [("999999999999999", None), ("123456789012345", Some("00000000000000000000000000000000"))] {
        let sandbox = sandbox();
        let (mut home, _listening) = connected(&sandbox);
        home.run(&["account", "edit", "acme", "--app-id", id, "--no-test"]).code(0);
        if let Some(secret) = secret {
            home.set("MSGRCTL_SECRET_ACME_APP_SECRET", secret);
        }
        let before = sandbox.world().pages[0].subscribed.clone();
        let run = home.run(&["account", "test", "acme", "--json"]).code(7);
        let value = run.json();
        let checks = value["results"][0]["checks"].as_array().unwrap();
        let bad: Vec<&str> = checks
            .iter()
            .filter(|check| check["outcome"] == "fail" || check["outcome"] == "warn")
            .map(|check| check["id"].as_str().unwrap())
            .collect();
        assert_eq!(bad, ["token.app"], "{run:#?}");
        for command in ["subscribe", "status"] {
            let run = home.run(&["webhook", command, "acme", "--json"]);
            assert_ne!(run.code, 0);
            assert_eq!(level(&run, "app.subscription")["outcome"], "fail", "{command}");
            let page = level(&run, "page.subscription");
            assert_eq!(page["outcome"], "skip", "{command}: {page}");
            assert!(page["summary"].as_str().unwrap().contains("(app.subscription)"), "{page}");
        }
        assert_eq!(sandbox.world().pages[0].subscribed, before);
    }
}

#[test]
fn a_wrong_app_does_not_count_as_set_up_and_takes_nothing_away_from_what_was() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    home.run(&["account", "edit", "acme", "--app-id", "999999999999999", "--no-test"]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(4);
    home.run(&["account", "edit", "acme", "--app-id", "123456789012345", "--no-test"]).code(0);
    sandbox.world().subscriptions.clear();
    let check = home.run(&["account", "test", "acme", "--json"]).code(7).check("app.subscription");
    assert_eq!(check["cause"], "not-subscribed", "{check}");
}

#[test]
fn the_account_with_a_callback_url_speaks_for_its_app() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(2, msgrctl::clock::Clock::system())).unwrap();
    let home = two_of_one_app(&sandbox);
    let (old, new) = (Hook::start(), Hook::start());
    home.run(&["account", "edit", "two", "--callback-url", &old.url]).code(0);
    home.run(&["webhook", "subscribe", "two"]).code(0);
    home.run(&["account", "edit", "two", "--callback-url", &new.url]).code(0);
    home.run(&["webhook", "subscribe", "--all", "--yes"]).code(0);
    assert_eq!(sandbox.world().subscriptions[0].callback_url, new.url);
}

#[test]
fn a_page_is_not_sent_where_the_app_still_points() {
    let sandbox = InProcess::start(msgrctl::sandbox::World::with_pages(2, msgrctl::clock::Clock::system())).unwrap();
    let home = two_of_one_app(&sandbox);
    let old = Hook::start();
    home.run(&["account", "edit", "one", "--callback-url", &old.url]).code(0);
    home.run(&["webhook", "subscribe", "one"]).code(0);
    sandbox.world().pages[1].subscribed.clear();
    home.run(&["account", "edit", "two", "--callback-url", "http://127.0.0.1:1/hook"]).code(0);
    let run = home.run(&["webhook", "subscribe", "two", "--yes", "--json"]).code(1);
    assert_eq!(level(&run, "page.subscription")["outcome"], "skip");
    assert!(sandbox.world().pages[1].subscribed.is_empty());
}

#[test]
fn a_change_that_meta_says_it_took_is_read_back() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme Support'\nsubscribed = []\n\
         [[faults]]\nmethod = 'POST'\npath = '/*/subscribed_apps'\nbody = '{\"success\":true}'\n",
    );
    let home = acme(&sandbox, false);
    let run = home.run(&["webhook", "subscribe", "acme", "--json"]).code(1);
    let page = level(&run, "page.subscription");
    assert!(page["summary"].as_str().unwrap().contains("when it was read back"), "{page}");
}

#[test]
fn unsubscribe_asks_and_ends_what_it_says() {
    let sandbox = sandbox();
    let (home, _listening) = connected(&sandbox);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    let before = writes(&sandbox);
    home.run(&["webhook", "unsubscribe", "acme"]).code(2);
    assert_eq!(writes(&sandbox), before);
    home.run(&["webhook", "unsubscribe", "acme", "--yes"]).code(0);
    assert!(sandbox.world().pages[0].subscribed.is_empty());
    assert_eq!(sandbox.world().subscriptions.len(), 1);
    home.run(&["webhook", "unsubscribe", "acme"]).code(0).shows(&["was not there"]);
    home.run(&["webhook", "unsubscribe", "acme", "--app", "--yes"]).code(0);
    assert!(sandbox.world().subscriptions.is_empty());
    let home = acme(&sandbox, false);
    home.run(&["webhook", "unsubscribe", "acme", "--app", "--yes"]).code(2).says(&["--app-secret-stdin"]);
}

/// The same account with its secrets in the encrypted file, so that they can change.
#[cfg(unix)]
pub fn in_a_file(sandbox: &InProcess) -> Home {
    use std::os::unix::fs::PermissionsExt as _;
    let mut home = Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let key = home.file("key", [b'k'; 32]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.set("MSGRCTL_KEY_FILE", &key.to_string_lossy());
    home.file("secret", app(sandbox).1);
    let (app_id, token) = (app(sandbox).0, page_token(sandbox));
    home.run_with(
        &["account", "add", "acme", "--token-stdin", "--app-id", &app_id, "--app-secret-file", "secret"],
        token,
    )
    .code(0);
    home
}

pub fn verify_token(home: &Home) -> String {
    home.run(&["secret", "reveal", "acme", "verify-token"]).code(0).stdout.trim().to_owned()
}

#[cfg(unix)]
#[test]
fn rotate_gives_meta_the_new_token_when_the_receiver_knows_it() {
    let sandbox = sandbox();
    let home = in_a_file(&sandbox);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    let old = verify_token(&home);
    home.run(&["webhook", "rotate", "acme"]).code(2).says(&["here and at Meta", "--yes"]);
    assert_eq!(verify_token(&home), old);
    // The listener reads the token when it is asked for one that it does not know.
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(0).screen("webhook-rotate");
    let new = verify_token(&home);
    assert_ne!(new, old);
    assert_eq!(sandbox.world().subscriptions[0].verify_token, new);
    home.run(&["webhook", "verify", "acme"]).code(0);
}

#[cfg(unix)]
#[test]
fn rotate_keeps_both_tokens_until_the_receiver_knows_the_new_one() {
    let sandbox = sandbox();
    let home = in_a_file(&sandbox);
    let old = verify_token(&home);
    let known = std::sync::Arc::new(std::sync::Mutex::new(old.clone()));
    let form = known.clone();
    let receiver = start(move |asked| {
        let right = asked.query.contains(&format!("hub.verify_token={}", known.lock().unwrap()));
        if right { answer("200 OK", &[], &asked.challenge) } else { answer("403 Forbidden", &[], "no") }
    });
    home.run(&["account", "edit", "acme", "--callback-url", &receiver]).code(0);
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    home.run(&["webhook", "rotate", "acme", "--cancel"]).code(2).says(&["no rotation", "was begun"]);
    let begun = home.run(&["webhook", "rotate", "acme", "--yes"]).code(7);
    begun.screen("webhook-rotate-begun");
    assert_eq!(verify_token(&home), old);
    assert_eq!(sandbox.world().subscriptions[0].verify_token, old);
    // Both can be seen, and what is run again goes on with the same one.
    let shown = home.run(&["webhook", "show", "acme", "--reveal", "--json"]).code(0).json();
    let next = shown["next_verify_token"].as_str().unwrap().to_owned();
    assert!(shown["verify_token"] == old && next != old, "{shown}");
    home.run(&["webhook", "show", "acme"]).code(0).screen("webhook-show-next-token");
    home.run_with(
        &["webhook", "rotate", "acme", "--verify-token-stdin", "--yes"],
        "another0123456789another0123456789",
    )
    .code(2)
    .screen("webhook-rotate-not-finished");
    home.run(&["undo", "--yes"]).code(1).screen("undo-rotation-not-finished");
    form.lock().unwrap().clone_from(&next);
    home.run(&["webhook", "rotate", "acme", "--cancel", "--yes"]).code(7).says(&["the new one is in use"]);
    home.run(&["webhook", "verify", "acme"]).code(7).says(&["to finish it: msgrctl webhook rotate acme"]);
    // Meta is given the one that the callback has.
    home.run(&["webhook", "subscribe", "acme", "--resend"]).code(0).shows(&["the rotation is not finished"]);
    assert_eq!(sandbox.world().subscriptions[0].verify_token, next);
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(0).shows(&["here and at Meta"]);
    assert_eq!((verify_token(&home), &sandbox.world().subscriptions[0].verify_token), (next.clone(), &next));
    let shown = home.run(&["webhook", "show", "acme", "--reveal", "--json"]).code(0).json();
    assert_eq!(shown["next_verify_token"], Value::Null);
    // One that is kept elsewhere and is not there any more is not replaced by another.
    let token = home.file("next-token", "elsewhere0123456789elsewhere0123456789");
    let from = format!("file:{}", token.display());
    home.run(&["webhook", "rotate", "acme", "--verify-token-from", &from, "--yes"]).code(7);
    std::fs::remove_file(&token).unwrap();
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(4).says(&["is not finished", "cannot be read", "--cancel"]);
    home.run(&["webhook", "rotate", "acme", "--cancel", "--yes"]).code(0);
    // One that is dropped leaves nothing behind.
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(7);
    home.run(&["webhook", "rotate", "acme", "--cancel"]).code(2).says(&["Drop the new verify token", "--yes"]);
    home.run(&["webhook", "rotate", "acme", "--cancel", "--yes"]).code(0).shows(&["the old one stays"]);
    assert_eq!(verify_token(&home), next);
    let listed = home.run(&["secret", "list"]).code(0);
    assert!(!listed.stdout.contains("next verify token"), "{listed:#?}");
    let stored = home.run(&["webhook", "rotate", "acme", "--here-only", "--yes"]).code(0);
    assert!(stored.stdout.contains("until then what Meta has stays as it is"), "{stored:#?}");
    assert_ne!(verify_token(&home), next);
}

#[cfg(unix)]
#[test]
fn rotate_says_what_is_so_at_meta() {
    let sandbox = sandbox();
    let home = in_a_file(&sandbox);
    let listening = Listening::start(&home, &["acme"]);
    home.run(&["account", "edit", "acme", "--callback-url", &listening.url]).code(0);
    // No webhook there yet: nothing is claimed.
    let run = home.run(&["webhook", "rotate", "acme", "--yes"]).code(0).says(&["no webhook of this app yet"]);
    assert!(!run.stdout.contains("at Meta, ") && run.stdout.contains("was replaced here\n"), "{run:#?}");
    home.run(&["webhook", "subscribe", "acme"]).code(0);
    let old = verify_token(&home);
    let when_it_is_set =
        |effect: Fault| Fault { method: Some("POST".into()), path: Some("/*/subscriptions".into()), ..effect };
    let says_no = Fault { body: Some("{\"success\":false}".into()), ..Fault::default() };
    sandbox.world().faults.push(when_it_is_set(says_no));
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(1).screen("webhook-rotate-refused");
    assert_eq!(verify_token(&home), old);
    // No answer, or one that is not Graph's: it may have arrived. Both are kept, and the next run finds out.
    for effect in [
        Fault { drop: true, ..Fault::default() },
        Fault { status: Some(502), body: Some("<html>Bad Gateway</html>".into()), ..Fault::default() },
    ] {
        sandbox.world().faults[0] = when_it_is_set(effect);
        let unknown = home.run(&["webhook", "rotate", "acme", "--yes"]).code(5);
        unknown.says(&[
            "it is not known whether Meta took",
            "both verify tokens are kept",
            "msgrctl webhook rotate acme",
        ]);
        assert_eq!(verify_token(&home), old);
    }
    sandbox.world().faults.clear();
    home.run(&["webhook", "rotate", "acme", "--yes"]).code(0).shows(&["here and at Meta"]);
    assert_ne!(verify_token(&home), old);
    assert_eq!(sandbox.world().subscriptions[0].verify_token, verify_token(&home));
}

#[test]
fn a_broken_place_of_the_verify_token_holds_nothing_else_up() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    home.file("token", "verify0123456789");
    home.run(&["account", "edit", "acme", "--callback-url", "http://127.0.0.1:1/hook"]).code(0);
    home.run(&["secret", "set", "acme", "verify-token", "--from", "file:token", "--yes"]).code(0);
    std::fs::write(home.path("token"), "two\nlines").unwrap();
    home.set("MSGRCTL_TIMEOUT", "5");
    let run = home.run(&["account", "test", "acme", "--json"]).code(0);
    assert_eq!(run.check("callback.handshake")["outcome"], "skip");
    assert_eq!(run.check("token.valid")["outcome"], "pass");
    home.run(&["webhook", "status", "acme", "--json"]).code(7);
}

#[test]
fn delivery_checks_say_what_is_wrong_with_the_callback() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let skipped = home.run(&["account", "test", "acme", "--json"]).code(0);
    assert_eq!(skipped.check("app.subscription")["outcome"], "skip");
    assert_eq!(skipped.check("callback.handshake")["outcome"], "skip");
    let any = start(|asked| answer("200 OK", &[], &asked.challenge));
    home.run(&["account", "edit", "acme", "--callback-url", &any]).code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    let handshake = run.check("callback.handshake");
    assert_eq!(handshake["outcome"], "fail", "{handshake}");
    assert_eq!(run.check("app.subscription")["cause"], "to-do");
    // A sandbox's events stay here, so a callback elsewhere is not asked.
    home.run(&["account", "edit", "acme", "--callback-url", "https://hooks.example.com/m"]).code(0);
    let run = home.run(&["account", "test", "acme", "--json"]).code(0);
    assert_eq!(run.check("callback.handshake")["outcome"], "skip");
    home.run(&["account", "edit", "acme", "--callback-url", &any]).code(0);
    sandbox.world().apps[0].secret = "another".into();
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    assert!(run.check("app.subscription")["summary"].as_str().unwrap().contains("token.app"));
    assert_eq!(PAGE_ID, sandbox.world().pages[0].id);
}
