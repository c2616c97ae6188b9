//! A manifest, and the records that are kept between runs, may be a stranger's: what they
//! name is sent only where it belongs, and no file beside them is read.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::{Fleet, Home, Run};

fn check(home: &Home, path: &str) -> Run {
    home.run(&["apply", "--check", "-f", path])
}

fn account<'v>(value: &'v Value, name: &str) -> &'v Value {
    let accounts = value["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["account"] == name).unwrap()
}

const GOOD: &str = "version: 1\naccounts: [{name: A}]\n";

#[test]
fn links_are_followed_inside_their_folder_and_never_out_of_it() {
    let home = Home::new();
    home.file("elsewhere/shadow", "root:$6$SECRETMARK:19000:0:99999:7:::\n");
    home.file("elsewhere/other.yaml", "SECRETMARK: 1\n");
    home.file("elsewhere/good.yaml", GOOD);
    home.file("mf/a.yaml", GOOD);
    for target in ["../elsewhere/shadow", "../elsewhere/other.yaml", "../elsewhere/good.yaml"] {
        symlink(target, home.path("mf/x.yaml")).unwrap();
        for path in ["mf", "mf/", "mf/x.yaml"] {
            let run = check(&home, path).code(3).says(&["mf/x.yaml is a link that leads out of its folder"]);
            assert!(!format!("{}{}", run.stdout, run.stderr).contains("SECRETMARK"), "{run:#?}");
        }
        std::fs::remove_file(home.path("mf/x.yaml")).unwrap();
    }
    // A folder that is a link, and one that is written with a slash.
    home.file("repository/readme", "");
    symlink("../elsewhere", home.path("repository/manifests")).unwrap();
    for path in ["repository/manifests", "repository/manifests/", "repository/manifests/."] {
        let run = check(&home, path).code(3).says(&["is a link that leads out of its folder"]);
        assert!(!run.stderr.contains("SECRETMARK"), "{run:#?}");
    }
    // A mounted volume of Kubernetes: links inside.
    home.file("volume/..2026_11/a.yaml", GOOD);
    symlink("..2026_11", home.path("volume/..data")).unwrap();
    symlink("..data/a.yaml", home.path("volume/a.yaml")).unwrap();
    check(&home, "volume").code(0).shows(&["ok: 1 account"]);
    symlink("nowhere.yaml", home.path("volume/b.yaml")).unwrap();
    check(&home, "volume").code(2).says(&["the file volume/b.yaml does not exist"]);
}

#[test]
fn names_of_files_are_shown_on_one_line() {
    let home = Home::new();
    home.file("mf/a\n::error::b\u{1b}]0;x.yaml", "version: 1\nx: 1\n");
    for flags in [&["-f", "mf"][..], &["-f", "mf", "--json"]] {
        let run = home.run(&[&["apply", "--check"], flags].concat()).code(3);
        assert!(run.stderr.contains("\\u{a}::error::b"), "{run:#?}");
        assert!(
            !run.stderr.lines().any(|line| line.starts_with("::error")) && !run.stderr.contains('\u{1b}'),
            "{run:#?}"
        );
    }
}

#[test]
fn pipes_in_a_folder_are_not_waited_for() {
    let home = Home::new();
    home.file("mf/a.yaml", GOOD);
    let made = home.program("mkfifo").arg("mf/b.yaml").status().unwrap();
    assert!(made.success());
    check(&home, "mf").code(3).says(&["mf/b.yaml is not a regular file"]);
}

/// Nothing has gone out: neither to Meta nor to the callback.
#[track_caller]
fn nothing_was_sent(fleet: &Fleet, run: &Run, value: &str) {
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(value), "{run:#?}");
    assert!(fleet.sandbox.world().journal.entries().is_empty(), "Meta was asked");
    assert!(fleet.hook.received().is_empty(), "the callback was asked");
}

#[test]
fn what_is_not_of_its_kind_is_sent_nowhere() {
    let mut fleet = Fleet::new(1);
    let good = |fleet: &Fleet| fleet.head() + &fleet.account(0, "");
    for (value, says) in [
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "a GitHub token"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "an AWS secret access key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "a JSON Web Token"),
        ("0123456789abcdef0123456789abcdef", "app secret"),
        ("postgres://user:pw@db.internal/acme", "other than letters, digits"),
    ] {
        fleet.home.set("CHOSEN", value);
        fleet.write(&good(&fleet).replace("{env: VERIFY}", "{env: CHOSEN}"));
        for run in [fleet.plan(&["--json"]).code(9), fleet.apply(&[]).code(9)] {
            assert!(format!("{}{}", run.stdout, run.stderr).contains(says), "{value}: {run:#?}");
            assert_eq!(fleet.writes(), 0);
            assert!(fleet.hook.received().is_empty(), "the callback was asked with {value}");
            assert!(!format!("{}{}", run.stdout, run.stderr).contains(value), "{run:#?}");
        }
    }
    // The same by another way.
    fleet.home.file("credentials", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n");
    fleet.write(&good(&fleet).replace("{env: VERIFY}", "{file: credentials}"));
    fleet.plan(&[]).code(9).shows(&["an AWS secret access key"]);

    let fleet = &mut Fleet::new(1);
    for value in ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "hunter2hunter2", "EAAB/with+others"] {
        fleet.home.set("CHOSEN", value);
        fleet.write(&(fleet.head() + &fleet.account(0, "    token: {env: CHOSEN}\n")));
        for how in [&["--json"][..], &[]] {
            nothing_was_sent(fleet, &fleet.plan(how).code(9), value);
        }
        nothing_was_sent(fleet, &fleet.apply(&[]).code(9), value);
        fleet.write(&good(fleet).replace("{env: APP_SECRET}", "{env: CHOSEN}"));
        nothing_was_sent(fleet, &fleet.plan(&[]).code(9).shows(&["app.secret: the value there"]), value);
    }
}

#[test]
fn credentials_are_known_by_the_names_of_their_variables() {
    let fleet = Fleet::new(1);
    for name in [
        "GITHUB_TOKEN",
        "CI_JOB_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "AWS_SESSION_TOKEN",
        "DATABASE_URL",
        "KUBECONFIG",
        "MSGRCTL_PASSPHRASE",
        "MSGRCTL_SECRET_PAGE_0_PAGE_ACCESS_TOKEN",
        "MSGRCTL_SECRET_OTHER_VERIFY_TOKEN",
    ] {
        for store in ["", ", store: file"] {
            let named = format!("{{env: {name}{store}}}");
            fleet.write(&(fleet.head().replace("{env: VERIFY}", &named) + &fleet.account(0, "")));
            // Before it is read, so the job of a merge request sees it too.
            let run = fleet.plan(&["--offline"]).code(9);
            assert!(run.stdout.contains(&format!("webhook.verify_token: {name} is a ")), "{run:#?}");
            nothing_was_sent(&fleet, &fleet.plan(&[]).code(9), "\u{0}");
        }
    }
}

#[test]
fn the_variables_of_an_account_itself_are_of_their_kind() {
    let mut fleet = Fleet::new(1);
    fleet.home.set("MSGRCTL_SECRET_PAGE_0_VERIFY_TOKEN", "verify0123456789");
    let named = "{env: MSGRCTL_SECRET_PAGE_0_VERIFY_TOKEN}";
    fleet.write(&(fleet.head().replace("{env: VERIFY}", named) + &fleet.account(0, "")));
    fleet.apply(&[]).code(0);
    assert_eq!(fleet.hook.received()[0].query("hub.verify_token").as_deref(), Some("verify0123456789"));
}

#[test]
fn a_plan_says_where_each_secret_goes() {
    let fleet = Fleet::new(1);
    fleet.manifest(0..1);
    let host = fleet.hook.url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    for offline in [&["--offline"][..], &[]] {
        fleet.plan(offline).code(0).shows(&[
            "sends: env:TOKEN_0 to Graph",
            "sends: env:APP_SECRET to Graph",
            &format!("sends: env:VERIFY to Graph and {host}"),
        ]);
        let plan = fleet.plan(&[offline, &["--json"]].concat()).code(0).json();
        assert_eq!(
            account(&plan, "Page 0")["sends"],
            json!([
                {"secret": "token", "source": "env:TOKEN_0", "to": ["Graph"]},
                {"secret": "app.secret", "source": "env:APP_SECRET", "to": ["Graph"]},
                {"secret": "webhook.verify_token", "source": "env:VERIFY", "to": ["Graph", host]},
            ])
        );
    }
}

#[test]
fn records_run_no_program_either() {
    let fleet = Fleet::new(1);
    let program = |name: &str, prints: &str| {
        let text = format!("#!/bin/sh\necho {name} >> \"$(dirname \"$0\")/runs\"\necho {prints}\n");
        let path = fleet.home.file(name, text);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    };
    program("token", &crate::support::fleet::token(&fleet.sandbox, 0));
    program("verify", "verify0123456789");
    let runs = || std::fs::read_to_string(fleet.home.path("runs")).unwrap_or_default();
    let head = fleet.head().replace("{env: VERIFY}", "{command: [./verify]}");
    fleet.write(&(head + &fleet.account(0, "    token: {command: [./token]}\n")));
    fleet.apply(&["--allow-commands"]).code(0);
    // Neither named nor said to be stored: the records say where they are.
    let kept = fleet.head().replace("{env: VERIFY}", "{stored: true}");
    for token in ["    token: {stored: true}\n", ""] {
        fleet.write(&(kept.clone() + &fleet.account(0, token).replace("    token: {env: TOKEN_0}\n", "")));
        let (before, calls) = (runs(), fleet.sandbox.world().journal.entries().len());
        fleet.plan(&[]).code(9).shows(&["token comes from a command", "--allow-commands"]);
        fleet.apply(&[]).code(9);
        fleet.plan(&["--offline"]).code(0).shows(&["runs only with --allow-commands"]);
        assert_eq!((runs(), fleet.sandbox.world().journal.entries().len()), (before, calls));
        fleet.plan(&["--allow-commands"]).code(0).shows(&["nothing to change"]);
    }
    let before = runs();
    // A verify token is read only where a webhook is set.
    let named = kept + &fleet.account(0, "");
    fleet.write(&named);
    fleet.plan(&[]).code(0);
    fleet.write(&named.replace(&fleet.hook.url, "http://127.0.0.1:9/moved"));
    fleet.plan(&[]).code(9).shows(&["webhook.verify_token comes from a command"]);
    fleet.apply(&[]).code(9);
    assert_eq!(runs(), before);
    // Nor is the next verify token of a rotation read, when a webhook is set.
    program("next", "next0123456789");
    let next = format!("next_verify_token = \"command:{}\"\n", fleet.home.path("next").display());
    let records = std::fs::read_to_string(fleet.home.accounts_file()).unwrap();
    let lines = records.lines().map(|line| match line {
        line if line.starts_with("verify_token") => format!("{next}verify_token = \"env:VERIFY\"\n"),
        line if line.starts_with("page_access_token") => "page_access_token = \"env:TOKEN_0\"\n".to_owned(),
        line => format!("{line}\n"),
    });
    std::fs::write(fleet.home.accounts_file(), lines.collect::<String>()).unwrap();
    fleet.write(&named);
    fleet.sandbox.world().subscriptions.clear();
    fleet.apply(&[]).code(0);
    assert_eq!((runs(), fleet.sandbox.world().subscriptions.len()), (before, 1));
}

#[test]
fn a_check_of_a_strangers_file_names_variables_that_hold_something_else() {
    let fleet = Fleet::new(1);
    for name in ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MSGRCTL_SECRET_PAGE_0_PAGE_ACCESS_TOKEN"] {
        fleet.write(&(fleet.head().replace("{env: VERIFY}", &format!("{{env: {name}}}")) + &fleet.account(0, "")));
        fleet.apply(&["--check"]).code(3).says(&["webhook.verify_token of", name]);
    }
}

#[test]
fn a_secret_is_no_text_for_customers() {
    let fleet = Fleet::new(1);
    fleet.manifest(0..1);
    fleet.apply(&[]).code(0);
    for secret in ["EAABwzLixnjYBO0123456789abcdefghij", "0123456789abcdef0123456789abcdef"] {
        let text = format!("Bye {secret}");
        for words in [
            &["message", "set", "page-0", "session-ended", "--text", &text][..],
            &["chat-settings", "set", "session-ended", "--text", &text],
            &["message", "send", "page-0", "--to", "7654321098765432", &text],
        ] {
            let run = fleet.home.run(words);
            assert_eq!(run.code, 2, "{words:?}: {run:#?}");
            assert!(run.stderr.contains("looks like a token or an app secret"), "{run:#?}");
            assert!(!run.stderr.contains(secret), "{run:#?}");
        }
        let message = format!("    messages: {{session-ended: {{state: custom, text: \"{text}\"}}}}\n");
        fleet.write(&(fleet.head() + &fleet.account(0, &message)));
        let run = fleet.plan(&[]).code(3).says(&["accounts.yaml:", "looks like a token or an app secret"]);
        assert!(!run.stderr.contains(secret), "{run:#?}");
    }
}
