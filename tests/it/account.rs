//! The accounts' commands: add, list, show, edit, rename, remove, test.

use msgrctl::sandbox::Fault;

#[cfg(unix)]
use crate::support::Bus;
use crate::support::Home;
use crate::support::world::{PAGE_ID, acme, app, page_token, paths, sandbox, scenario};

const USERNAME: &str = "acme.support";

fn add<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["account", "add", "Acme Support", "--page-username", USERNAME, "--page-id", PAGE_ID];
    arguments.extend(more);
    arguments
}

#[cfg(unix)]
#[test]
fn the_main_job_with_a_real_keyring() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);

    home.run_with(&add(&["--token-stdin"]), &token).code(0);
    let entries = bus.entries();
    assert!(entries.contains("label = msgrctl: Acme Support – page access token"), "{entries}");
    assert!(entries.contains("label = msgrctl: Acme Support – verify token"), "{entries}");
    assert!(entries.contains(&format!("secret = {token}")), "{entries}");

    home.run(&["account", "list"]).code(0);
    home.run(&["account", "show", "ACME SUPPORT"]).code(0).shows(&["page access token (keyring)", "sandbox"]);
    home.run(&["account", "test", "acme-support"]).code(0);

    let (app_id, secret) = app(&sandbox);
    let edit = ["account", "edit", "acme-support", "--app-id", &app_id, "--app-secret-stdin"];
    home.run_with(&edit, &secret).code(0);
    home.run(&["account", "rename", "acme-support", "Acme Care"]).code(0);
    assert!(bus.entries().contains("label = msgrctl: Acme Care – app secret"), "{}", bus.entries());

    home.run(&["account", "remove", "Acme Care"]).code(2);
    home.run(&["account", "remove", "Acme Care", "--yes"]).code(0);
    assert_eq!(bus.entries(), "");
    home.run(&["account", "show", "acme-support"]).code(1);
}

#[test]
fn graph_fills_in_what_was_not_given_and_says_so() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let home = Home::new().with_secrets("mine", &token).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let run = home.run(&["account", "add", "--handle", "mine", "--json"]).code(0);
    let account = &run.json()["account"];
    assert_eq!(account["name"], "Acme Support");
    assert_eq!(account["page_id"], PAGE_ID);
    assert_eq!(account["page_name"], "Acme Support");
    assert_eq!(account["graph"], "sandbox");
}

#[test]
fn everything_that_is_missing_is_named_at_once() {
    let home = Home::new();
    let run = home.run_with(&["account", "add", "--token-stdin", "--no-test", "--app-secret-file", "secret"], "EAAx");
    run.code(2).says(&["the app secret could not be read"]);
    home.file("secret", "0123456789abcdef0123456789abcdef");
    home.run_with(&["account", "add", "--token-stdin", "--no-test", "--app-secret-file", "secret"], "EAAx")
        .code(2)
        .says(&["missing: account name, page username, page id, app id", "--app-id"]);
    let empty = home.run(&["account", "add", "--json"]).code(2);
    assert_eq!(empty.json_error()["kind"], "usage");
}

#[test]
fn secrets_on_the_command_line_are_refused_with_the_reason() {
    let home = Home::new();
    for flag in ["--token", "--app-secret", "--verify-token"] {
        let run = home.run(&["account", "add", flag, "EAABmarked0123456789abcdefgh"]).code(2);
        assert!(!run.stderr.contains("marked") && run.stdout.is_empty(), "{run:?}");
        run.says(&[&format!("{flag} does not exist")]);
    }
    // A slip of the finger is not led there.
    let run = home.run(&["account", "add", "--tokn", "EAABmarked0123456789abcdefgh"]).code(2).says(&["--token-"]);
    assert!(!run.stderr.contains("'--token'") && !run.stderr.contains("marked"), "{run:?}");
    home.run(&["account", "add", "--token-stdin", "--app-secret-stdin"]).code(2).says(&["cannot be used with"]);
    home.run(&["account", "add", "--token-stdin", "--token-file", "x"]).code(2).says(&["cannot be used with"]);
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_asked() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);
    let cases: [(&[&str], &str, &str); 9] = [
        (&["--token-stdin"], "IGAAxyz", "Instagram"),
        (&["--token-stdin"], "123456|abcdef", "app access token"),
        (&["--token-stdin"], "EAA two words", "white space"),
        (&["--token-stdin"], "", "empty"),
        (&["--token-stdin"], "EAA\nEAA", "control character"),
        (&["--token-stdin", "--page-id", "acme"], &token, "digits only"),
        (&["--token-stdin", "--callback-url", "example.com"], &token, "not a URL"),
        (&["--token-stdin", "--handle", "Acme Support"], &token, "not a handle"),
        (&["--token-stdin", "--type", "telegram"], &token, "facebook"),
    ];
    for (more, stdin, says) in cases {
        let mut arguments = vec!["account", "add", "Acme", "--page-username", USERNAME];
        arguments.extend(more);
        home.run_with(&arguments, stdin).code(2).says(&[says]);
    }
    assert!(paths(&sandbox).is_empty());
    assert!(!home.accounts_file().exists());
}

#[test]
fn usernames_are_taken_in_every_form() {
    let sandbox = sandbox();
    for (at, form) in
        ["@acme.support", "https://www.facebook.com/acme.support/?ref=x", "m.me/AcmeSupport"].iter().enumerate()
    {
        let name = format!("acme-{at}");
        let home = Home::new().with_secrets(&name, &page_token(&sandbox)).with("MSGRCTL_GRAPH_URL", &sandbox.url());
        let run = home.run(&["account", "add", &name, "--page-username", form, "--json"]).code(0);
        let kept = run.json()["account"]["page_username"].as_str().unwrap().replace('.', "").to_lowercase();
        assert_eq!(kept, "acmesupport");
    }
}

#[cfg(unix)]
#[test]
fn credentials_that_fail_save_nothing() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken = 'EAAdead'\ntoken_state = 'password_changed'\n",
    );
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let run = home.run_with(&add(&["--token-stdin", "--json"]), "EAAdead").code(7);
    assert_eq!(run.check("token.valid")["graph"]["subcode"], 460);
    assert_eq!(run.json_error()["kind"], "check");
    assert!(!home.accounts_file().exists());
    assert_eq!(bus.entries(), "");
    // The same when nothing but the token was given.
    home.run_with(&["account", "add", "--token-stdin"], "EAAdead").code(7);
    home.run_with(&add(&["--token-stdin", "--save-anyway"]), "EAAdead").code(0).screen("account-add-save-anyway");
    assert!(bus.entries().contains("secret = EAAdead"));
    home.run(&["account", "test", "acme-support"]).code(7);
}

#[test]
fn a_user_token_is_told_from_a_page_token() {
    let sandbox = sandbox();
    let token = sandbox.world().user_token().unwrap().value.clone();
    let home = Home::new().with_secrets("acme", &token).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["account", "add", "Acme"]).code(7).screen("account-add-token-of-a-person");
}

#[test]
fn a_name_or_handle_that_exists_is_refused() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "add", "ACME"]).code(1).screen("account-add-name-taken");
    let home = home.with_secrets("other", "EAAx");
    home.run(&["account", "add", "Other", "--handle", "acme"]).code(1).screen("account-add-handle-taken");
}

#[test]
fn edit_changes_fields_and_keeps_the_id() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let before = home.run(&["account", "show", "acme", "--json"]).json();
    home.run(&["account", "edit", "acme"]).code(2).screen("account-edit-nothing-given");
    let asked = paths(&sandbox).len();
    home.run(&["account", "edit", "acme", "--callback-url", "https://example.com/hook"]).code(0);
    assert_eq!(paths(&sandbox).len(), asked, "a callback URL needs no test");
    home.run(&["account", "edit", "acme", "--callback-url", "https://example.com/hook"]).code(0);
    // A page that the token is not of fails the test and changes nothing.
    home.run(&["account", "edit", "acme", "--page-id", "99999"]).code(7);
    home.run(&["account", "edit", "acme", "--page-id", "99999", "--no-test", "--handle", "other"]).code(0);
    let after = home.run(&["account", "show", "other", "--json"]).json();
    assert_eq!(after["account"]["id"], before["account"]["id"]);
    assert_eq!(after["account"]["callback_url"], "https://example.com/hook");
    assert_eq!(after["account"]["page_id"], "99999");
    home.run(&["account", "edit", "other", "--clear", "callback-url"]).code(0);
    let cleared = home.run(&["account", "show", "other", "--json"]).json();
    assert!(cleared["account"].get("callback_url").is_none());
    let both = ["account", "edit", "other", "--clear", "callback-url", "--callback-url", "https://example.com"];
    home.run(&both).code(2).says(&["conflicts with"]);
}

#[cfg(unix)]
#[test]
fn a_secret_is_replaced_only_when_told_so_and_tested_first() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let token = page_token(&sandbox);
    home.run_with(&add(&["--token-stdin"]), &token).code(0);
    let replace = ["account", "edit", "acme-support", "--token-stdin"];
    home.run_with(&replace, "EAAnew").code(2).screen("account-edit-secret-without-terminal");
    let replace = ["account", "edit", "acme-support", "--token-stdin", "--yes"];
    home.run_with(&replace, "EAAnew").code(7);
    assert!(bus.entries().contains(&token));
    home.run_with(&["account", "edit", "acme-support", "--token-stdin", "--yes", "--no-test"], "EAAnew").code(0);
    let entries = bus.entries();
    assert!(entries.contains("secret = EAAnew") && !entries.contains(&token), "{entries}");

    let (app_id, secret) = app(&sandbox);
    let with_app = ["account", "edit", "acme-support", "--app-id", &app_id, "--app-secret-stdin", "--no-test"];
    home.run_with(&with_app, &secret).code(0);
    home.run(&["account", "edit", "acme-support", "--clear", "app"]).code(2).says(&["Remove the app secret"]);
    home.run(&["account", "edit", "acme-support", "--clear", "app", "--yes"]).code(0);
    assert!(!bus.entries().contains("app secret"), "{}", bus.entries());
}

#[test]
fn tenants_are_kept_apart() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    // A typing mistake makes no tenant, and is not taken for one without accounts.
    home.run(&["account", "list", "--tenant", "other", "--json"]).code(1);
    home.run(&["account", "add", "Acme", "--tenant", "other"]).code(1);
    home.run(&["tenant", "add", "other", "--host", "other.example.com"]).code(0);
    home.run(&["chat-settings", "set", "agent-left", "--disable", "--tenant", "othr"]).code(1);
    let again = ["account", "add", "Acme", "--page-username", USERNAME, "--page-id", PAGE_ID, "--tenant", "other"];
    home.run(&again).code(0);
    assert!(home.path("config/msgrctl/tenants/other/accounts.toml").exists());
    let shown = home.run(&["account", "show", "acme", "--tenant", "other", "--json"]).json();
    assert_eq!(shown["account"]["tenant"], "other");
    home.run(&["account", "list", "--tenant", "../../etc"]).code(2).says(&["not a tenant's name"]);
}

#[test]
fn live_and_sandbox_are_kept_apart() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    // A sandbox account with nothing to point at a sandbox.
    let url = sandbox.url();
    home.unset("MSGRCTL_GRAPH_URL");
    home.run(&["account", "test", "acme"]).code(2).screen("account-test-sandbox-account-alone");
    home.run(&["account", "edit", "acme", "--page-id", "12345"]).code(2);
    // A live account with something that points elsewhere.
    let mut live = home.with_secrets("live", "EAAlive0123456789abcdef");
    let add = ["account", "add", "Live", "--page-username", "live.page", "--page-id", "54321", "--no-test"];
    live.run(&add).code(0);
    live.set("MSGRCTL_GRAPH_URL", &url);
    let asked = paths(&sandbox).len();
    live.run(&["account", "test", "live"]).code(2).screen("account-test-live-account-elsewhere");
    live.run(&["account", "test", "live", "--graph-url", &url]).code(2).says(&["--graph-url"]);
    assert_eq!(paths(&sandbox).len(), asked);
    live.run(&["account", "test", "--all", "-q"]).code(9).screen("account-test-all-but-live");
    live.run(&["account", "remove", "acme", "--yes"]).code(0);
    live.run(&["account", "test", "--all"]).code(2).screen("account-test-all-live");
    live.run(&["account", "test", "live", "--graph-url", "https://example.com"])
        .code(2)
        .says(&["tokens go nowhere else"]);
}

#[test]
fn an_account_without_its_secret_is_a_finding() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    let run = home.run(&["account", "test", "acme", "--json"]).code(7);
    let check = run.check("token.valid");
    assert_eq!(check["outcome"], "fail");
    assert!(check["summary"].as_str().unwrap().contains("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN"));
    home.run(&["account", "edit", "acme", "--page-id", "54321"]).code(4).says(&["no page access token"]);
}

#[cfg(unix)]
#[test]
fn files_variables_and_byte_order_marks_are_read() {
    let Some(bus) = Bus::with_keyring() else { return };
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let (app_id, secret) = app(&sandbox);
    let mut home = Home::on(&bus).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.file("token", format!("\u{feff}{token}\r\n"));
    home.file("verify", "Verify0123456789");
    home.set("MSGRCTL_APP_SECRET", &secret);
    // The variable counts for `add`, and the file wins over it.
    home.set("MSGRCTL_PAGE_TOKEN", "EAAwrong");
    let run =
        home.run(&add(&["--token-file", "token", "--app-id", &app_id, "--verify-token-file", "verify", "--json"]));
    let kinds: Vec<String> =
        run.code(0).says(&["reading the app secret from MSGRCTL_APP_SECRET"]).json()["account"]["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| secret["kind"].as_str().unwrap().to_owned())
            .collect();
    assert_eq!(kinds, ["page_access_token", "app_secret", "verify_token"]);
    let entries = bus.entries();
    for secret in [token.as_str(), &secret, "Verify0123456789"] {
        assert!(entries.contains(&format!("secret = {secret}\n")), "{entries}");
    }
    // Only `add` reads the variables.
    home.run(&["account", "edit", "acme-support"]).code(2).screen("account-edit-variable-not-read");
}

#[test]
fn an_app_secret_alone_finds_its_app() {
    let sandbox = sandbox();
    let (app_id, secret) = app(&sandbox);
    let home = Home::new()
        .with_secrets("acme", &page_token(&sandbox))
        .with("MSGRCTL_SECRET_ACME_APP_SECRET", &secret)
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let run = home.run(&["account", "add", "Acme", "--json"]).code(0);
    assert_eq!(run.json()["account"]["app_id"], app_id.as_str());
}

#[cfg(unix)]
#[test]
fn generated_verify_tokens_are_long_and_plain() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    let mut seen = Vec::new();
    for name in ["One", "Two"] {
        let add =
            ["account", "add", name, "--page-username", USERNAME, "--page-id", PAGE_ID, "--token-stdin", "--no-test"];
        home.run_with(&add, "EAAx").code(0);
        let label = format!("label = msgrctl: {name} – verify token");
        let entries = bus.entries();
        let after = entries.split(&label).nth(1).unwrap();
        let token = after.split("secret = ").nth(1).unwrap().lines().next().unwrap().to_owned();
        assert!(token.len() >= 32 && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert!(!seen.contains(&token));
        seen.push(token);
    }
}

#[test]
fn an_app_that_asks_for_signed_calls_is_asked_with_signed_calls_from_the_first_on() {
    let sandbox = sandbox();
    sandbox.world().rules.require_app_secret = true;
    let (_, secret) = app(&sandbox);
    let home = Home::new()
        .with_secrets("acme", &page_token(&sandbox))
        .with("MSGRCTL_SECRET_ACME_APP_SECRET", &secret)
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["account", "add", "Acme"]).code(0);
    for entry in sandbox.world().journal.entries() {
        assert_eq!(entry.status, Some(200), "{entry:?}");
    }
}

#[test]
fn an_app_id_that_cannot_be_asked_for_now_is_no_missing_value() {
    let sandbox = sandbox();
    let (_, secret) = app(&sandbox);
    let effect = Fault { code: Some(2), ..Fault::default() };
    sandbox.world().faults = vec![Fault { path: Some("/app".into()), ..effect }];
    let home = Home::new()
        .with_secrets("acme", &page_token(&sandbox))
        .with("MSGRCTL_SECRET_ACME_APP_SECRET", &secret)
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["account", "add", "Acme"]).code(5).screen("account-add-app-not-known");
}

#[test]
fn secrets_from_variables_are_judged_like_any_other() {
    for (token, says) in [("IGAAx0123", "Instagram"), ("123456|abcdef", "app access token"), ("EAA x", "white space")] {
        let home = Home::new().with_secrets("acme", token);
        let add = ["account", "add", "Acme", "--page-username", USERNAME, "--page-id", PAGE_ID, "--no-test"];
        home.run(&add).code(2).says(&[says]);
    }
}

#[test]
fn a_secret_where_a_name_belongs_is_neither_kept_nor_shown() {
    let home = Home::new().with_secrets("acme", "EAAx");
    let token = format!("EAAB{}", "marked0123".repeat(10));
    for arguments in [
        [
            "account",
            "add",
            token.as_str(),
            "--page-username",
            USERNAME,
            "--page-id",
            PAGE_ID,
            "--handle",
            "acme",
            "--no-test",
        ],
        ["account", "add", "Acme", "--page-username", &token, "--page-id", PAGE_ID, "--handle", "acme", "--no-test"],
    ] {
        let run = home.run(&arguments).code(2).says(&["looks like a secret"]);
        assert!(!run.stderr.contains("marked0123") && run.stdout.is_empty(), "{run:?}");
    }
}

#[test]
fn a_new_handle_says_what_its_variables_are_called() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "rename", "acme", "Acme", "--handle", "other"])
        .code(0)
        .says(&["now read from MSGRCTL_SECRET_OTHER_PAGE_ACCESS_TOKEN"]);
    // Two handles of which one set of variables would have to do for both.
    let home = home.with_secrets("one.more", "EAAx");
    let add = |handle: &'static str, name: &'static str| {
        ["account", "add", name, "--handle", handle, "--page-username", USERNAME, "--page-id", PAGE_ID, "--no-test"]
    };
    home.run(&add("one.more", "One")).code(0);
    home.run(&add("one-more", "Two")).code(1).screen("account-add-same-variables");
}

#[test]
fn an_app_secret_in_a_variable_is_taken_up_by_edit() {
    let sandbox = sandbox();
    let (app_id, secret) = app(&sandbox);
    let home = acme(&sandbox, false).with("MSGRCTL_SECRET_ACME_APP_SECRET", &secret);
    home.run(&["account", "edit", "acme", "--app-id", &app_id]).code(0);
    home.run(&["account", "show", "acme"]).code(0).shows(&["app secret (env)"]);
}

#[cfg(unix)]
#[test]
fn a_damaged_entry_is_replaced_by_what_its_error_says() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.run_with(&add(&["--token-stdin", "--no-test"]), "EAAx").code(0);
    let entries = bus.entries();
    let user = entries
        .lines()
        .find_map(|line| line.strip_prefix("attribute.username = ").filter(|user| user.ends_with("page-access-token")));
    let script = "printf 'two\\nlines' | secret-tool store --label=x service msgrctl username \"$0\"";
    assert!(bus.program("sh").args(["-c", script, user.unwrap()]).status().unwrap().success());
    home.run(&["account", "test", "acme-support"]).code(6).screen("account-test-damaged-entry");
    let replace = ["account", "edit", "acme-support", "--token-stdin", "--yes", "--no-test"];
    home.run_with(&replace, "EAAnew").code(0);
    assert!(bus.entries().contains("secret = EAAnew"));
}

#[cfg(unix)]
#[test]
fn a_removal_that_fails_half_way_keeps_a_true_record() {
    let Some(bus) = Bus::with_keyring() else { return };
    let home = Home::on(&bus);
    home.run_with(&add(&["--token-stdin", "--no-test"]), "EAAx").code(0);
    let entries = bus.entries();
    let user = entries
        .lines()
        .find_map(|line| line.strip_prefix("attribute.username = ").filter(|user| user.ends_with("verify-token")));
    let script = "printf other | secret-tool store --label=other service msgrctl username \"$0\" extra 1";
    assert!(bus.program("sh").args(["-c", script, user.unwrap()]).status().unwrap().success());
    home.run(&["account", "remove", "acme-support", "--yes"]).code(6).screen("account-remove-half-way");
    let shown = home.run(&["account", "show", "acme-support", "--json"]).json();
    assert_eq!(shown["account"]["secrets"], serde_json::json!([{"kind": "verify_token", "source": "keyring"}]));
}
