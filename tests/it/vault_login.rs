//! Logins to Vault: `AppRole` and JWT, and tokens that end while a command runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::Home;
use crate::support::vault::{Folder, made_up, record, write_records};
use crate::vault::{TOKEN, add};

/// Sets the keys of `[vault]` beside those of the folder.
fn with_settings(folder: &Folder, more: &str) -> Home {
    let mut home = folder.home();
    home.unset("VAULT_TOKEN");
    let path = home.path("config/msgrctl/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}{more}\n")).unwrap();
    home
}

/// The least policy of the folder under a name, for a role.
fn policy(folder: &Folder, name: &str) {
    let home = folder.home();
    let policy = home.run(&["doctor", "--print-policy", "vault"]).code(0).stdout;
    folder.bao.call("POST", &format!("sys/policies/acl/{name}"), &json!({"policy": policy}));
}

#[test]
fn an_approle_logs_in_with_ids_that_are_only_referred_to() {
    let Some(folder) = Folder::new() else { return };
    let (bao, name) = (folder.bao, format!("{}-approle", folder.path));
    bao.call("POST", &format!("sys/auth/{name}"), &json!({"type": "approle"}));
    policy(&folder, &name);
    let role = format!("auth/{name}/role/ci");
    let body =
        json!({"token_policies": name, "token_no_default_policy": true, "token_ttl": "10m", "secret_id_num_uses": 2});
    bao.call("POST", &role, &body);
    let role_id = bao.call("GET", &format!("{role}/role-id"), &Value::Null)["data"]["role_id"].clone();
    let secret_id = bao.call("POST", &format!("{role}/secret-id"), &json!({}))["data"]["secret_id"].clone();
    let (role_id, secret_id) = (role_id.as_str().unwrap(), secret_id.as_str().unwrap());
    let text = "auth = \"approle\"\nrole_id = \"env:ROLE_ID\"\nsecret_id = \"file:";
    let home = with_settings(&folder, "");
    let file = home.file("secret-id", format!("{secret_id}\n"));
    let text = format!("auth_mount = \"{name}\"\n{text}{}\"", file.display());
    let path = home.path("config/msgrctl/config.toml");
    std::fs::write(&path, format!("{}{text}\n", std::fs::read_to_string(&path).unwrap())).unwrap();
    let home = home.with("ROLE_ID", role_id);
    add(&home, "Acme").code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[TOKEN]);
    // It is used up.
    for json in [&[][..], &["--json"]] {
        let run = home.run(&[&["secret", "list", "-vvv"], json].concat()).code(6);
        assert!(run.stderr.contains("refused the login"), "{run:#?}");
        for secret in [role_id, secret_id] {
            assert!(!run.stderr.contains(secret) && !run.stdout.contains(secret), "{run:#?}");
        }
    }
}

#[test]
fn a_jwt_of_githubs_gitlabs_or_a_file_logs_in() {
    let Some(folder) = Folder::new() else { return };
    let login = folder.jwt_login();
    let name = &login.mount;
    let good = login.token("msgrctl", 300);
    let text = format!("auth = \"jwt\"\nrole = \"ci\"\nauth_mount = \"{name}\"\n");

    let gitlab = with_settings(&folder, &text).with("VAULT_ID_TOKEN", &good);
    add(&gitlab, "Acme").code(0);
    gitlab.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).shows(&[TOKEN]);

    let asked = Arc::new(std::sync::Mutex::new(String::new()));
    let (noted, given) = (asked.clone(), good.clone());
    let github = made_up(move |_, path| {
        path.clone_into(&mut noted.lock().unwrap());
        (200, String::new(), json!({"value": given}).to_string())
    });
    let home = with_settings(&folder, &format!("{text}audience = \"msgrctl\"\n"))
        .with("ACTIONS_ID_TOKEN_REQUEST_URL", &format!("{github}/token?api-version=2"))
        .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "requestmark0123456789");
    add(&home, "Acme").code(0);
    assert_eq!(*asked.lock().unwrap(), "/token?api-version=2&audience=msgrctl");

    let home = with_settings(&folder, "");
    let file = home.file("jwt", &good);
    let home = with_settings(&folder, &format!("{text}jwt = \"file:{}\"\n", file.display()));
    add(&home, "Acme").code(0);

    for (bad, why) in [(login.token("others", 300), "audience"), (login.token("msgrctl", -3600), "expired")] {
        let home = with_settings(&folder, &text).with("VAULT_ID_TOKEN", &bad);
        let run = add(&home, "Acme").code(6).says(&["refused the login", why]);
        assert!(!run.stderr.contains(&bad[..40]), "{run:#?}");
    }
}

/// A server whose first token ends after some calls, or soon.
fn ending(ttl: u64, renewable: bool, calls: usize) -> (String, Arc<[AtomicUsize; 3]>) {
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let noted = counts.clone();
    let served = AtomicUsize::new(0);
    let address = made_up(move |_, path| {
        let count = |at: usize| noted[at].fetch_add(1, Ordering::Relaxed);
        let refused = || (403, String::new(), r#"{"errors":["permission denied"]}"#.to_owned());
        let auth =
            |renewable: bool| json!({"auth": {"client_token": "s.x", "lease_duration": ttl, "renewable": renewable}});
        let body = match path {
            "/v1/auth/approle/login" => {
                count(0);
                served.store(0, Ordering::Relaxed);
                auth(renewable)
            }
            "/v1/auth/token/renew-self" => {
                count(1);
                auth(renewable)
            }
            "/v1/auth/token/lookup-self" if served.load(Ordering::Relaxed) > calls => return refused(),
            path if path.starts_with("/v1/secret/data/") => {
                count(2);
                if served.fetch_add(1, Ordering::Relaxed) >= calls {
                    return refused();
                }
                json!({"data": {"data": {"page_access_token": TOKEN}, "metadata": {"version": 1}}})
            }
            "/v1/auth/token/lookup-self" => json!({"data": {"ttl": ttl, "renewable": renewable}}),
            _ => json!({"data": {"type": "kv", "options": {"version": "2"}}}),
        };
        (200, String::new(), body.to_string())
    });
    (address, counts)
}

/// A home with so many accounts whose tokens are in this Vault, with a login by `AppRole`.
fn accounts(address: &str, count: usize) -> Home {
    let home = Home::new().with("ROLE", "r").with("SECRET", "s").with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    let text = "auth = \"approle\"\nrole_id = \"env:ROLE\"\nsecret_id = \"env:SECRET\"\n";
    home.file("config/msgrctl/config.toml", format!("[vault]\naddress = \"{address}\"\n{text}"));
    let one =
        |at| record(&format!("id-{at}"), &format!("page-{at}"), ["acme.support", "54321"], &["page_access_token"]);
    write_records(&home, (0..count).map(one));
    home
}

#[test]
fn a_token_that_ends_during_a_run_is_replaced_by_a_new_login() {
    let (address, counts) = ending(3600, false, 25);
    let run = accounts(&address, 40).run(&["secret", "list", "--json"]).code(0);
    assert_eq!(run.json()["secrets"].as_array().unwrap().len(), 40);
    let count = |at: usize| counts[at].load(Ordering::Relaxed);
    assert!(count(0) >= 2 && count(1) == 0, "logins {}, renewals {}", count(0), count(1));
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    // Seconds that are over at once: each call finds it due.
    let (address, counts) = ending(1, true, 1000);
    let home = accounts(&address, 1);
    let mut watch = home.msgrctl(&["watch", "--every", "1s", "-q"]).spawn().unwrap();
    let began = std::time::Instant::now();
    while counts[1].load(Ordering::Relaxed) == 0 && began.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(counts[1].load(Ordering::Relaxed) > 0, "it was never renewed");
    assert_eq!(counts[0].load(Ordering::Relaxed), 1, "one login is enough");
}
