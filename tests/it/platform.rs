//! What has to work on every system that msgrctl is for: in its own folder, with its own store of
//! secrets, over its own sockets. Windows runs this under Wine too (`tests/wine/run`).

use msgrctl::webhook::signature::sign;
use serde_json::json;

use crate::sandbox::ask;
use crate::support::listening::Listening;
use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox};
use crate::support::{Fleet, Home};

/// Whether this runs on Windows: under Wine too.
const WINDOWS: bool = cfg!(windows);

#[test]
fn version_and_help_name_this_system() {
    let home = Home::new();
    let version = home.run(&["version", "--json"]).code(0).json();
    assert_eq!(version["platform"], format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    home.run(&["-V"]).code(0).shows(&["msgrctl "]);
    home.run(&["--help"]).code(0).shows(&["Usage: msgrctl", "account", "webhook"]);
    home.run(&["help", "security"]).code(0);
    home.run::<&str>(&[]).code(0).shows(&["msgrctl demo"]);
    let shell = if WINDOWS { "powershell" } else { "bash" };
    home.run(&["completions", shell]).code(0).shows(&["msgrctl"]);
}

/// Adds the Page's account with this store, uses it, and gives back its home.
fn used(home: Home, store: &str) -> Home {
    let sandbox = sandbox();
    let home = home.with("MSGRCTL_GRAPH_URL", &sandbox.url()).with("MSGRCTL_STORE", store);
    let token = page_token(&sandbox);
    home.run_with(&["account", "add", "Acme", "--token-stdin"], format!("{token}\r\n")).code(0);
    home.run(&["account", "list"]).code(0).shows(&["acme", store]);
    home.run(&["account", "test", "acme"]).code(0).shows(&["pass"]);
    assert_eq!(home.run(&["secret", "reveal", "acme", "page-access-token"]).code(0).stdout.trim_end(), token);
    home.run(&["account", "edit", "acme", "--name", "Acme Süd", "--no-test"]).code(0);
    home.run(&["undo", "--yes"]).code(0);
    home.run(&["account", "list"]).code(0).shows(&["Acme "]);
    home.run(&["log"]).code(0).shows(&["account add", "undo"]);
    home
}

#[test]
fn an_account_lives_in_the_encrypted_file() {
    let home = used(Home::new().with_key_file(), "file");
    assert!(home.path("config/msgrctl/tenants/default/secrets.enc").exists());
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    home.run(&["account", "list"]).code(0).says(&["no accounts"]);
}

#[cfg(windows)]
#[test]
fn an_account_lives_in_the_credential_manager() {
    let home = used(Home::new(), "keyring");
    let doctor = home.run(&["doctor", "--json"]).json();
    let store = doctor["checks"].as_array().unwrap().iter().find(|check| check["id"] == "store.keyring").unwrap();
    assert_eq!(store["outcome"], "pass", "{store}");
    home.run(&["account", "remove", "acme", "--yes"]).code(0);
    home.run(&["secret", "reveal", "acme", "page-access-token"]).code(1).says(&["no account 'acme'"]);
}

#[test]
fn doctor_looks_at_who_may_read_the_files() {
    let home = used(Home::new().with_key_file(), "file");
    let modes = |home: &Home| {
        let doctor = home.run(&["doctor", "--json"]).json();
        doctor["checks"].as_array().unwrap().iter().find(|check| check["id"] == "files.modes").unwrap().clone()
    };
    assert_eq!(modes(&home)["outcome"], "pass", "{:#}", modes(&home));
    let open_to_others = |name: &str| {
        let path = home.path(name);
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        #[cfg(windows)]
        {
            use windows_permissions::constants::{SeObjectType, SecurityInformation};
            use windows_permissions::{LocalBox, SecurityDescriptor, wrappers::SetNamedSecurityInfo};
            let everyone: LocalBox<SecurityDescriptor> = "D:P(A;OICI;FA;;;WD)".parse().unwrap();
            let (kind, part) = (SeObjectType::SE_FILE_OBJECT, SecurityInformation::Dacl);
            SetNamedSecurityInfo(&path, kind, part, None, None, everyone.dacl(), None).unwrap();
        }
    };
    open_to_others("config/msgrctl/tenants/default/accounts.toml");
    let (why, command) = if WINDOWS { ("Everyone", "icacls \"") } else { ("mode 0755", "chmod go= '") };
    let found = modes(&home);
    assert_eq!(found["outcome"], "warn", "{found:#}");
    assert!(found["summary"].as_str().unwrap().contains(why), "{found:#}");
    assert!(found["hint"].as_str().unwrap().starts_with(command), "{found:#}");
    // Each change writes a new file, which is private again.
    home.run(&["account", "edit", "acme", "--name", "Acme North", "--no-test"]).code(0);
    assert_eq!(modes(&home)["outcome"], "pass", "{:#}", modes(&home));
    open_to_others("config/msgrctl/tenants/default/secrets.enc");
    let shown = home.run(&["secret", "reveal", "acme", "page-access-token"]).code(6);
    assert!(shown.stderr.contains("others may read it") && shown.stderr.contains(command), "{shown:#?}");
}

#[test]
fn a_manifest_is_planned_applied_and_exported() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.plan(&[]).code(0).shows(&["Page 0"]);
    fleet.apply(&[]).code(0);
    assert_eq!(fleet.apply(&["--json"]).code(0).json()["summary"]["unchanged"], 2);
    let exported = fleet.home.run(&["export"]).code(0).stdout;
    // As an editor of Windows saves it.
    let saved = fleet.home.file("exported.yaml", format!("\u{feff}{}", exported.replace('\n', "\r\n")));
    fleet.home.run(&["plan", "-f", &saved.to_string_lossy()]).code(0);
}

#[test]
fn signed_events_are_received_and_others_refused() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let secret = app(&sandbox).1;
    let mut listening = Listening::start(&home, &["acme"]);
    let message = json!({"mid": "m_1", "text": "Grüße aus Köln"});
    let event = json!({
        "sender": {"id": "7654321098765432"}, "recipient": {"id": PAGE_ID}, "timestamp": 1_790_000_000_001_i64,
        "message": message,
    });
    let entry = json!({"id": PAGE_ID, "time": 1_790_000_000_123_i64, "messaging": [event]});
    let body = json!({"object": "page", "entry": [entry]}).to_string();
    let post = |secret: &str| {
        let (sha256, sha1) = sign(body.as_bytes(), secret.as_bytes());
        let headers = [("X-Hub-Signature-256", sha256.as_str()), ("X-Hub-Signature", sha1.as_str())];
        ask(&listening.base(), "POST", "/webhook", &headers, &body).0
    };
    assert_eq!((post(&secret), post("0123456789abcdef0123456789abcdef")), (200, 403));
    let shown = listening.wait_for("event");
    assert!(shown.to_string().contains("Grüße aus Köln"), "{shown}");
    listening.wait_for_refusal("signature");
}

#[test]
fn readers_never_stop_a_change_and_changes_wait_for_each_other() {
    const EACH: usize = 4;
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let home = &home;
                scope.spawn(move || {
                    for at in 0..EACH {
                        let name = format!("Acme {writer}{at}");
                        home.run(&["account", "edit", "acme", "--name", &name, "--no-test"]).code(0);
                    }
                })
            })
            .collect();
        // As a virus scanner or an editor holds the file open.
        let path = home.accounts_file();
        while !writers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(text.is_empty() || text.contains("[[accounts]]"), "half a file: {text}");
        }
    });
    let log = home.run(&["log", "--json"]).code(0);
    assert_eq!(log.stdout.matches("account edit").count(), 2 * EACH, "{log:#?}");
}
