//! The store `vault`, against a real OpenBao and with the least policy.

use serde_json::{Value, json};

use crate::support::vault::{Bao, Folder, made_up, record, write_records};
use crate::support::world::{PAGE_ID, app, page_token, sandbox};
use crate::support::{Home, Run};

pub const TOKEN: &str = "EAABvaultmark0123456789abcdefghijklm";
pub const VERIFY: &str = "verifyvaultmark0123456789abcdefgh";

pub fn add(home: &Home, name: &str) -> Run {
    let token = home.file("token", TOKEN);
    let verify = home.file("verify", VERIFY);
    home.run(&[
        "account",
        "add",
        name,
        "--page-username",
        "acme.support",
        "--page-id",
        PAGE_ID,
        "--token-file",
        &token.to_string_lossy(),
        "--verify-token-file",
        &verify.to_string_lossy(),
        "--no-test",
    ])
}

pub fn id(home: &Home, handle: &str) -> String {
    home.run(&["account", "show", handle, "--json"]).code(0).json()["account"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_account_keeps_its_secrets_in_one_entry_and_takes_it_along_when_it_goes() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let id = id(&home, "acme");
    assert_eq!(folder.entry(&id), Some(json!({"page_access_token": TOKEN, "verify_token": VERIFY})));
    home.run(&["secret", "list"]).code(0).shows(&["vault", "yes"]).says(&["new secrets go to the vault store"]);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[TOKEN]);
    let verify = "anotherverifymark0123456789abcdef";
    home.run_with(&["secret", "set", "acme", "verify-token", "--stdin", "--yes"], verify).code(0);
    assert_eq!(folder.entry(&id).unwrap()["verify_token"], verify);
    home.run(&["secret", "remove", "acme", "verify-token", "--yes"]).code(0);
    assert_eq!(folder.entry(&id).unwrap()["verify_token"], Value::Null);
    home.run(&["account", "edit", "acme", "--name", "Bravo", "--handle", "bravo", "--yes"]).code(0);
    home.run(&["secret", "reveal", "bravo", "page-access-token"]).code(0).shows(&[TOKEN]);
    home.run(&["account", "remove", "bravo", "--yes"]).code(0);
    assert!(folder.ids().is_empty(), "no version of it is left");
}

#[test]
fn fields_of_other_programs_stay_as_they_are() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let id = id(&home, "acme");
    let path = format!("secret/data/{}/default/{id}", folder.path);
    let mut fields = folder.entry(&id).unwrap();
    fields["owner"] = json!("team-chat");
    fields["rota"] = json!([1, 2.5, {"x": null}]);
    folder.bao.call("POST", &path, &json!({"data": fields}));
    home.run_with(&["secret", "set", "acme", "verify-token", "--stdin", "--yes"], "x".repeat(40)).code(0);
    let now = folder.entry(&id).unwrap();
    assert_eq!((&now["owner"], &now["rota"]), (&fields["owner"], &fields["rota"]));
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    assert_eq!(folder.entry(&id), Some(json!({"owner": "team-chat", "rota": [1, 2.5, {"x": null}]})));
}

#[test]
fn a_deleted_version_counts_as_missing_and_can_be_written_again() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let id = id(&home, "acme");
    folder.bao.call("DELETE", &format!("secret/data/{}/default/{id}", folder.path), &Value::Null);
    home.run(&["secret", "list"]).code(0).shows(&["missing"]);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(4);
    let verify = "y".repeat(40);
    home.run_with(&["secret", "set", "acme", "verify-token", "--stdin", "--yes"], &verify).code(0);
    assert_eq!(folder.entry(&id), Some(json!({"verify_token": verify})));
}

#[test]
fn a_reference_reads_any_field_below_the_mount_and_writes_none() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    let path = format!("{}/shared/meta", folder.path);
    folder.bao.call("POST", &format!("secret/data/{path}"), &json!({"data": {"page": TOKEN, "verify": VERIFY}}));
    let (token, verify) = (format!("vault:{path}#page"), format!("vault:{path}#verify"));
    let add = |name: &str, token: &str| {
        home.run(&[
            "account",
            "add",
            name,
            "--page-username",
            "acme.support",
            "--page-id",
            PAGE_ID,
            "--token-from",
            token,
            "--verify-token-from",
            &verify,
            "--no-test",
        ])
    };
    add("Acme", &token).code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[TOKEN]);
    home.run(&["account", "show", "acme"]).code(0).shows(&[&token]);
    let manifest = home.run(&["export"]).code(0).stdout;
    assert!(manifest.contains("vault:") && manifest.contains(&format!("{path}#page")), "{manifest}");
    let file = home.file("export.yaml", &manifest);
    home.run(&["plan", "--offline", "-f", &file.to_string_lossy()]).code(0).shows(&["nothing to change: 1 unchanged"]);
    add("Other", &format!("vault:{path}#absent")).code(4).says(&["there is no page access token at vault:"]);
    // One of msgrctl's own entries goes with its account.
    let own = format!("vault:{}/default/7f9c#page_access_token", folder.path);
    add("Other", &own).code(2).says(&["msgrctl's own entry"]);
    add("Other", "vault:no-field").code(2).says(&["vault: needs a path and a field"]);
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    assert!(folder.bao.entry(&path).is_some(), "what is behind a reference stays");
}

/// A command that needs the store, and how it fails: exit code 6 and this cause, with a page of
/// its own.
#[track_caller]
fn fails(home: &Home, more: &[&str], cause: &str) -> Run {
    let mut arguments = vec!["secret", "reveal", "acme", "page-access-token", "--json"];
    arguments.extend(more);
    let run = home.run(&arguments).code(6);
    assert_eq!(run.json_error()["cause"], cause, "{run:#?}");
    assert!(!run.json_error()["hint"].as_str().unwrap().is_empty());
    let run = home.run(&arguments[..4].iter().chain(more).copied().collect::<Vec<_>>()).code(6).says(&["hint: "]);
    Home::new().run(&["explain", cause]).code(0);
    run
}

/// A home with an account in the vault that this address and token lead to.
fn elsewhere(address: &str, token: &str, more: &str) -> Home {
    let home = Home::new().with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    home.file("config/msgrctl/config.toml", format!("store = \"vault\"\n[vault]\naddress = \"{address}\"\n{more}\n"));
    write_records(&home, [record("acme-id", "acme", ["acme.support", PAGE_ID], &["page_access_token"])]);
    if token.is_empty() { home } else { home.with("VAULT_TOKEN", token) }
}

#[test]
fn each_failure_of_the_server_has_its_own_cause() {
    let gone = elsewhere("http://127.0.0.1:1", "x", "");
    fails(&gone, &[], "vault-unreachable");
    let error = gone.run(&["account", "test", "acme", "--json"]).code(6).json_error();
    assert_eq!((&error["cause"], &error["retryable"]), (&json!("vault-unreachable"), &json!(true)));
    let error = gone.run(&["account", "remove", "acme", "--yes", "--json"]).code(6).json_error();
    assert_eq!(error["cause"], "vault-unreachable");
    gone.run(&["account", "remove", "acme", "--yes", "--leave-secrets"]).code(0).says(&["cannot be reached"]);
    // Accepted by the kernel's queue, never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = elsewhere(&format!("http://{}", silent.local_addr().unwrap()), "x", "");
    let run = fails(&silent, &["--timeout", "0.2"], "vault-slow");
    assert!(run.took.as_secs() < 5, "one time limit, not one for each secret: {run:#?}");
    let page = made_up(|_, _| (200, String::new(), "<html>".into()));
    fails(&elsewhere(&page, "x", ""), &[], "vault-unexpected");
    let moved = made_up(|_, _| (307, "http://localhost.example:9/v1/x".into(), String::new()));
    fails(&elsewhere(&moved, "x", ""), &[], "vault-unexpected").says(&["redirects to another server"]);
    let busy = made_up(|_, _| (429, String::new(), r#"{"errors":["rate limit quota exceeded"]}"#.into()));
    fails(&elsewhere(&busy, "x", ""), &[], "vault-slow");
    let broken = made_up(|_, path| match path {
        "/v1/sys/health" => (200, String::new(), r#"{"initialized":true,"sealed":false}"#.into()),
        _ => (500, String::new(), r#"{"errors":["internal error"]}"#.into()),
    });
    fails(&elsewhere(&broken, "x", ""), &[], "vault-unreachable").says(&["internal error (HTTP 500)"]);
}

#[test]
fn a_thousand_accounts_wait_for_a_silent_server_once() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = elsewhere(&format!("http://{}", silent.local_addr().unwrap()), "x", "");
    let one = |at| record(&format!("id-{at}"), &format!("a-{at}"), ["acme.support", PAGE_ID], &["page_access_token"]);
    write_records(&home, (0..1000).map(one));
    for command in [&["secret", "list"][..], &["account", "test", "--all"]] {
        let run = home.run(&[command, &["--timeout", "0.3"]].concat());
        assert!(run.code != 0 && run.took.as_secs() < 15, "{:?}: {}", run.took, run.stderr);
        assert!(run.stderr.contains("did not answer in time"), "{}", run.stderr);
    }
}

#[test]
fn each_wrong_setting_has_its_own_cause() {
    let nowhere = elsewhere("https://vault.invalid", "x", "");
    nowhere.file("config/msgrctl/config.toml", "store = \"vault\"\n");
    fails(&nowhere, &[], "vault-settings").says(&["needs the address", "vault.address"]);
    fails(&elsewhere("http://vault.example.com:8200", "x", ""), &[], "vault-settings").says(&["in clear"]);
    fails(&elsewhere("http://127.0.0.1:1", "x", "path = \"a/../b\""), &[], "vault-settings");
    fails(&elsewhere("http://127.0.0.1:1", "x", "auth = \"approle\""), &[], "vault-settings").says(&["role_id"]);
    fails(&elsewhere("http://127.0.0.1:1", "x", "auth = \"ldap\""), &[], "vault-settings");
    fails(&elsewhere("http://127.0.0.1:1", "", ""), &[], "vault-token-missing");
    let home = Home::new();
    let refused = |key: &str, value: &str| home.run(&["config", "set", key, value]).code(2);
    refused("vault.address", "http://vault.example.com").says(&["in clear"]);
    refused("vault.mount", "a/..");
    refused("vault.auth", "ldap").says(&["token, approle or jwt"]);
    let refused = refused("vault.secret_id", "5f0c0000-mark").says(&["env:NAME"]);
    assert!(!refused.stderr.contains("5f0c0000-mark"), "{refused:#?}");
    home.run(&["config", "set", "vault.secret_id", "env:SECRET_ID"]).code(0);
    home.run(&["config", "set", "vault.address", "https://vault.example.com"]).code(0);
    home.run(&["config", "get", "vault.address"]).code(0).shows(&["https://vault.example.com"]);
    home.run(&["config", "list"]).code(0).shows(&["vault.address", "vault.mount", "env:SECRET_ID"]);
    home.run(&["config", "unset", "vault.address"]).code(0);
    home.run(&["config", "unset", "vault.secret_id"]).code(0);
    let list = home.run(&["config", "list"]).code(0);
    assert!(!list.stdout.contains("vault."), "{list:#?}");
}

#[test]
fn each_refusal_has_its_own_cause() {
    let Some(folder) = Folder::new() else { return };
    let (bao, root) = (folder.bao, folder.bao.root.as_str());
    let at = |token: &str, more: &str| elsewhere(&bao.address, token, more);
    let gone = bao.token("path \"other/*\" { capabilities = [\"read\"] }", "1h");
    fails(&at(&gone, ""), &[], "vault-denied").says(&["may not read secret/data/msgrctl/default/acme-id"]);
    bao.call("POST", "auth/token/revoke", &json!({"token": gone}));
    fails(&at(&gone, ""), &[], "vault-token-expired");
    fails(&at("no-token", ""), &[], "vault-token-expired");
    fails(&at(root, "mount = \"nope\""), &[], "vault-mount-missing").says(&["no mount 'nope'"]);
    bao.call("POST", "sys/mounts/one", &json!({"type": "kv"}));
    fails(&at(root, "mount = \"one\""), &[], "vault-kv-version").says(&["KV version 1"]);
    fails(&at(root, "mount = \"cubbyhole\""), &[], "vault-kv-version");
    fails(&at(root, "namespace = \"nope\""), &[], "vault-namespace-missing");
    let text = "auth = \"approle\"\nrole_id = \"env:ROLE\"\nsecret_id = \"env:SECRET\"";
    let login = at("", text).with("ROLE", "role-mark").with("SECRET", "secret-mark");
    let run = fails(&login, &[], "vault-login-refused");
    assert!(!run.stderr.contains("secret-mark"), "{run:#?}");
    fails(&at("", text), &[], "vault-login-refused").says(&["vault.role_id (env:ROLE): there is nothing"]);
    // With this token it works, so that the others fail for the reasons that they name.
    at(root, "").run(&["secret", "reveal", "acme", "page-access-token"]).code(4);
}

#[test]
fn a_write_that_always_loses_its_race_gives_up_and_says_so() {
    let version = std::sync::atomic::AtomicU64::new(1);
    let rival = made_up(move |method, path| {
        let body = match (method, path) {
            (_, "/v1/auth/token/lookup-self") => json!({"data": {"ttl": 0, "renewable": false}}),
            ("GET", path) if path.starts_with("/v1/secret/data/") => {
                let version = version.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                json!({"data": {"data": {"page_access_token": "x"}, "metadata": {"version": version}}})
            }
            ("POST", _) => return (400, String::new(), r#"{"errors":["any text"]}"#.into()),
            _ => json!({"data": {"type": "kv", "options": {"version": "2"}}}),
        };
        (200, String::new(), body.to_string())
    });
    let home = elsewhere(&rival, "x", "");
    let arguments = ["secret", "set", "acme", "verify-token", "--stdin", "--yes", "--json"];
    let run = home.run_with(&arguments, "z".repeat(40)).code(6);
    assert_eq!(run.json_error()["cause"], "vault-conflict");
}

#[test]
fn a_sealed_vault_is_told_from_one_that_is_gone_and_works_once_it_is_unsealed() {
    let Some(mut bao) = Bao::uninitialised() else { return };
    let home = elsewhere(&bao.address, "x", "");
    fails(&home, &[], "vault-sealed").says(&["is not initialised"]);
    let made = bao.call("PUT", "sys/init", &json!({"secret_shares": 1, "secret_threshold": 1}));
    bao.root = made["root_token"].as_str().unwrap().to_owned();
    let home = home.with("VAULT_TOKEN", &bao.root);
    fails(&home, &[], "vault-sealed").says(&["is sealed", "unseal"]);
    home.run(&["doctor"]).code(7).shows(&["store.vault", "is sealed"]);
    let key = made["keys_base64"][0].clone();
    bao.call("PUT", "sys/unseal", &json!({"key": key}));
    // A call may come before the server has its mounts back.
    while bao.try_call("GET", "sys/health", &Value::Null).is_none_or(|(code, _)| code != 200) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fails(&home, &[], "vault-mount-missing");
    bao.call("POST", "sys/mounts/secret", &json!({"type": "kv", "options": {"version": "2"}}));
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(4);
}

#[test]
fn a_certificate_has_to_be_trusted() {
    let Some(bao) = Bao::with_tls() else { return };
    let home = elsewhere(&bao.address, &bao.root, "");
    fails(&home, &[], "vault-tls").says(&["certificate", "VAULT_CACERT"]);
    let plain = elsewhere(&bao.address.replace("https", "http"), &bao.root, "");
    fails(&plain, &[], "vault-tls").says(&["it speaks https"]);
    let ca = bao.dir.join("vault-ca.pem");
    let trusting = home.with("VAULT_CACERT", &ca.to_string_lossy());
    trusting.run_with(&["secret", "set", "acme", "verify-token", "--stdin", "--yes"], "w".repeat(40)).code(0);
    let written = format!("ca_bundle = \"{}\"", ca.display());
    let trusting = elsewhere(&bao.address, &bao.root, &written);
    trusting.run(&["secret", "reveal", "acme", "page-access-token"]).code(4);
}

#[test]
fn doctor_names_what_a_policy_lacks_and_passes_with_the_least_one() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    let run = home.run(&["doctor"]).code(7);
    assert!(
        run.stdout.lines().any(|line| line.contains("store.vault") && line.contains("the token is valid")),
        "{run:#?}"
    );
    let least = home.run(&["doctor", "--print-policy", "vault"]).code(0).stdout;
    let without = least.replace("capabilities = [\"delete\", \"list\"]", "capabilities = [\"list\"]");
    assert_ne!(least, without);
    let home = home.with("VAULT_TOKEN", &folder.bao.token(&without, "1h"));
    let lacks = format!("delete on secret/metadata/{}/default/x", folder.path);
    home.run(&["doctor"]).code(7).shows(&[&lacks, "doctor --print-policy vault"]);
}

#[test]
fn a_manifest_copies_into_vault_and_an_undo_and_a_tenant_take_their_entries_along() {
    let Some(folder) = Folder::new() else { return };
    let sandbox = sandbox();
    let (page, app) = (page_token(&sandbox), app(&sandbox));
    let home = folder.home().with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("TOKEN", &page);
    let manifest = format!(
        "version: 1\naccounts:\n  - name: Acme\n    page_username: acme.support\n    page_id: \"{PAGE_ID}\"\n    token: \
         {{env: TOKEN, store: vault}}\n    app: {{id: \"{}\", secret: {{vault: \"{}/app#secret\"}}}}\n",
        app.0, folder.path
    );
    let file = home.file("m.yaml", manifest).to_string_lossy().into_owned();
    home.run(&["apply", "-f", &file, "--yes"]).code(9).shows(&["Vault has no field secret"]);
    let shared = format!("secret/data/{}/app", folder.path);
    folder.bao.call("POST", &shared, &json!({"data": {"secret": app.1}}));
    home.run(&["apply", "-f", &file, "--yes"]).code(0);
    let acme = id(&home, "acme");
    assert_eq!(folder.entry(&acme), Some(json!({"page_access_token": page})));
    home.run(&["account", "test", "acme", "--json"]).check("token.valid");
    home.run(&["plan", "-f", &file]).code(0).shows(&["nothing to change"]);
    home.run(&["undo", "--yes"]).code(0);
    assert!(folder.ids().is_empty(), "the account that was undone left a secret");

    home.run(&["tenant", "add", "globex", "--host", "globex.brightpattern.com"]).code(0);
    home.file("token", TOKEN);
    let mut arguments = vec!["account", "add", "Globex", "--tenant", "globex", "--page-username", "acme.support"];
    arguments.extend(["--page-id", PAGE_ID, "--token-file", "token", "--no-test"]);
    home.run(&arguments).code(0);
    let of_tenant = format!("{}/globex", folder.path);
    assert_eq!(folder.bao.names(&of_tenant).len(), 1);
    home.run(&["tenant", "remove", "globex", "--yes", "--with-accounts"]).code(0);
    assert!(folder.bao.names(&of_tenant).is_empty());
}

#[test]
fn entries_that_no_account_names_are_found_and_removed_after_a_warning() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    let kept = id(&home, "acme");
    let path = format!("secret/data/{}/default/7f9c-gone", folder.path);
    folder.bao.call("POST", &path, &json!({"data": {"page_access_token": TOKEN, "note": "of another program"}}));
    home.run(&["doctor"]).code(7).shows(&["7f9c-gone: page access token, in Vault for tenant default"]);
    home.run(&["secret", "remove", "--left-behind"]).code(2).says(&["Vault is shared"]);
    home.run(&["secret", "remove", "--left-behind", "--store", "vault", "--yes"]).code(0);
    assert_eq!(folder.entry("7f9c-gone"), Some(json!({"note": "of another program"})));
    assert_eq!(folder.entry(&kept), Some(json!({"page_access_token": TOKEN, "verify_token": VERIFY})));
}

/// All files below a directory, as text.
fn files(dir: &std::path::Path, found: &mut String) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match std::fs::read(entry.path()) {
            Ok(bytes) => found.push_str(&String::from_utf8_lossy(&bytes)),
            Err(_) => files(&entry.path(), found),
        }
    }
}

#[test]
fn neither_the_token_nor_a_secret_is_shown_or_written() {
    let Some(folder) = Folder::new() else { return };
    let home = folder.home();
    add(&home, "Acme").code(0);
    std::fs::remove_file(home.path("token")).unwrap();
    std::fs::remove_file(home.path("verify")).unwrap();
    // This one repeats what it was sent, as a debugging proxy does.
    let echo =
        |status| made_up(move |_, _| (status, String::new(), json!({"errors": [format!("no: {ECHOED}")]}).to_string()));
    let bad = [200, 400, 403, 404, 418, 500].map(|status| elsewhere(&echo(status), ECHOED, ""));
    let marks = [folder.token.as_str(), TOKEN, VERIFY, ECHOED];
    let commands = [
        "secret list",
        "secret reveal acme verify-token --json --no-input",
        "secret set acme verify-token --generate --yes",
        "secret move acme --to file --yes",
        "account show acme",
        "account test acme",
        "doctor",
        "config list",
        "export",
        "log",
        "account remove acme --yes",
    ];
    for home in [&home].into_iter().chain(&bad) {
        for command in commands {
            for more in ["-vvv", "--json"] {
                let words: Vec<&str> = command.split(' ').chain([more]).collect();
                let run = home.run(&words);
                let shown = format!("{}{}", run.stdout, run.stderr);
                let is_revealed = |mark: &str| command.contains("reveal") && mark == VERIFY;
                for mark in marks.iter().filter(|mark| !is_revealed(mark)) {
                    assert!(!shown.contains(mark), "{mark}: {run:#?}");
                }
            }
        }
        let mut written = String::new();
        files(home.root(), &mut written);
        assert!(marks.iter().all(|mark| !written.contains(mark)), "a secret is on disk");
    }
}

/// A token that a server repeats.
const ECHOED: &str = "hvs.echoedmark0123456789abcdef";
