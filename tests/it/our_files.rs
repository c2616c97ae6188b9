//! The files of the configuration when they are not what they should be: links to nowhere,
//! pipes, a change that failed or was killed half-way.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::RngExt as _;

use crate::support::world::PAGE_ID;
use crate::support::{Home, Run};

/// A home with the account `acme`, its secrets in the encrypted file.
fn acme() -> Home {
    let home = Home::new().with("MSGRCTL_STORE", "file").with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let add = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", PAGE_ID, "--no-test"];
    home.run_with(&[&add[..], &["--token-stdin"]].concat(), "EAAx").code(0);
    home
}

fn ours(home: &Home, name: &str) -> PathBuf {
    home.path("config/msgrctl").join(name)
}

fn results(home: &Home) -> Vec<(String, String)> {
    let log = home.run(&["log", "--json", "-n", "1000"]).code(0).json();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    log["entries"].as_array().unwrap().iter().map(|entry| (text(entry, "command"), text(entry, "result"))).collect()
}

fn last(home: &Home) -> (String, String) {
    results(home).pop().unwrap()
}

fn pair(command: &str, result: &str) -> (String, String) {
    (command.into(), result.into())
}

/// Puts a directory where the lock of a file would be: the file cannot be changed.
fn block(path: &Path) -> PathBuf {
    let lock = path.with_file_name(format!(".{}.lock", path.file_name().unwrap().to_string_lossy()));
    let _ = fs::remove_file(&lock);
    fs::create_dir_all(&lock).unwrap();
    lock
}

#[test]
fn a_link_to_an_absent_place_is_an_error_and_stays() {
    for name in ["tenants/default/accounts.toml", "tenants/default", "tenants", "tenants/default/secrets.enc"] {
        let home = acme();
        let (path, drive) = (ours(&home, name), home.path("drive"));
        fs::create_dir(&drive).unwrap();
        fs::rename(&path, drive.join("it")).unwrap();
        symlink(drive.join("it"), &path).unwrap();
        let add = ["account", "add", "New", "--page-username", "a.page", "--page-id", "12345", "--no-test"];
        let add = || home.run_with(&[&add[..], &["--token-stdin"]].concat(), "EAAy");
        fs::rename(&drive, home.path("gone")).unwrap();
        let is_secrets = name.contains("secrets.enc");
        if !is_secrets {
            home.run(&["account", "list"]).code(3).says(&["which is missing", "drive", "rm /"]);
            assert_eq!(home.run(&["doctor"]).code(7).stdout.matches("secret remove").count(), 0, "{name}");
        }
        add().code(3).says(&["which is missing", "nothing was changed"]);
        home.run(&["secret", "reveal", "acme", "verify-token"]).code(3).says(&["which is missing"]);
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink(), "{name}");
        assert!(!drive.exists(), "{name}");
        fs::rename(home.path("gone"), &drive).unwrap();
        if !is_secrets {
            add().code(0);
            assert!(fs::symlink_metadata(&path).unwrap().is_symlink(), "{name}");
            home.run(&["account", "list"]).code(0).shows(&["acme", "new"]);
        }
    }
    let disable = ["message", "disable", "acme", "agent-left"];
    for name in ["config.toml", "log.jsonl", "tenants/default/tenant.toml", "tenants/default/chat-settings.toml"] {
        let home = acme();
        let _ = fs::remove_file(ours(&home, name));
        symlink(home.path("drive/it"), ours(&home, name)).unwrap();
        let before = fs::read(home.accounts_file()).unwrap();
        home.run(&disable).code(3).says(&["which is missing", "nothing was changed"]);
        assert_eq!(fs::read(home.accounts_file()).unwrap(), before, "{name}");
        assert!(fs::symlink_metadata(ours(&home, name)).unwrap().is_symlink(), "{name}");
    }
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let disable = ["message", "disable", "acme", "agent-left"];
    for name in [
        "config.toml",
        "log.jsonl",
        ".log.jsonl.lock",
        "tenants/default/accounts.toml",
        "tenants/default/.accounts.toml.lock",
        "tenants/default/.changes.lock",
    ] {
        let home = acme();
        let path = ours(&home, name);
        let _ = fs::remove_file(&path);
        assert!(home.program("mkfifo").arg(&path).status().unwrap().success());
        let run = home.run(&disable).code(3).says(&["a named pipe, not a regular file", "nothing was changed"]);
        assert!(run.took < Duration::from_secs(5), "{name}: {:?}", run.took);
        let mut complete = home.msgrctl(&["--", "msgrctl", "account", "show", ""]);
        complete.env("MSGRCTL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "3");
        let run = Run::of(complete, b"");
        assert!(run.stderr.is_empty() && run.took < Duration::from_secs(5), "{name}: {run:?}");
        fs::remove_file(&path).unwrap();
    }
    // What is given is read to a limit, and a pipe is read as before.
    let home = acme();
    let zero = ["sandbox", "start", "--scenario", "/dev/zero"];
    home.run(&zero).code(2).says(&["larger than"]);
    home.run(&["webhook", "listen", "acme", "--script", "/dev/zero"]);
    let mut shell = home.program("bash");
    shell.args(["-c", "\"$0\" message set acme agent-left --text-file <(echo Bye)", env!("CARGO_BIN_EXE_msgrctl")]);
    Run::of(shell, b"").code(0);
}

#[test]
fn a_secret_that_is_left_after_a_change_is_said_with_the_command_that_removes_it() {
    let home = acme();
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let lock = block(&ours(&home, "tenants/default/secrets.enc"));
    let remove = ["secret", "remove", "acme", "verify-token", "--yes"];
    let run = home.run(&remove).code(3).says(&["'Acme' was changed, but this could not be removed: verify token"]);
    assert!(!run.stderr.contains("nothing was changed"), "{run:#?}");
    let command = run.stderr.split(": msgrctl ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(last(&home), pair("secret remove", "partial"));
    fs::remove_dir(lock).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    home.run(&words).code(0).shows(&["removed from the file store: 1"]);
}

#[test]
fn a_remove_that_failed_is_no_change_and_the_older_one_can_still_be_undone() {
    let home = acme();
    let before = fs::read(home.accounts_file()).unwrap();
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let (accounts, log) = (home.accounts_file(), ours(&home, "log.jsonl"));
    let kept = [fs::read(&accounts).unwrap(), fs::read(&log).unwrap()];
    let lock = block(&ours(&home, "tenants/default/secrets.enc"));
    home.run(&["account", "remove", "acme", "--yes"]).code(3).says(&["the account is still there"]);
    assert_eq!([fs::read(&accounts).unwrap(), fs::read(&log).unwrap()], kept);
    fs::remove_dir(lock).unwrap();
    home.run(&["undo", "--yes"]).code(0).shows(&["message disable"]);
    assert_eq!(fs::read(&accounts).unwrap(), before);
}

#[test]
fn a_tenant_that_is_removed_in_part_is_said_logged_and_undone() {
    let home = acme();
    home.run(&["tenant", "add", "beta", "--host", "beta.example.com"]).code(0);
    home.run(&["tenant", "use", "beta"]).code(0);
    let tenant = ours(&home, "tenants/beta/tenant.toml");
    let before = fs::read(&tenant).unwrap();
    let lock = block(&ours(&home, "config.toml"));
    let run = home.run(&["tenant", "remove", "beta", "--yes"]).code(3);
    let run = run.screen("tenant-remove-in-part");
    assert!(!run.stderr.contains("nothing was changed") && !tenant.exists(), "{run:#?}");
    assert_eq!(last(&home), pair("tenant remove", "partial"));
    fs::remove_dir(lock).unwrap();
    home.run(&["undo", "--yes"]).code(0);
    assert_eq!(fs::read(&tenant).unwrap(), before);
}

#[test]
fn an_undo_that_stops_half_way_goes_on_when_it_is_run_again() {
    let home = acme();
    home.run(&["tenant", "add", "beta", "--host", "beta.example.com"]).code(0);
    home.run(&["tenant", "use", "beta"]).code(0);
    let (config, tenant) = (ours(&home, "config.toml"), ours(&home, "tenants/beta/tenant.toml"));
    let before = [fs::read(&config).unwrap(), fs::read(&tenant).unwrap()];
    home.run(&["tenant", "remove", "beta", "--yes"]).code(0);
    let removed = fs::read(&config).unwrap();
    for killed in [false, true] {
        let lock = block(&tenant);
        let run = home.run(&["undo", "--yes"]).code(3).says(&["undone in part: configuration", "msgrctl undo --yes"]);
        assert!(!run.stderr.contains("nothing was changed"), "{run:#?}");
        assert_eq!((fs::read(&config).unwrap(), tenant.exists()), (before[0].clone(), false));
        fs::remove_dir(lock).unwrap();
        if killed {
            // Reading the log settles nothing that can still go on.
            assert_eq!(last(&home), pair("undo", "partial"));
        }
        home.run(&["undo", "--yes"]).code(0);
        assert_eq!([fs::read(&config).unwrap(), fs::read(&tenant).unwrap()], before);
        assert_eq!(last(&home), pair("undo", "done"));
        // It is undone as one change, not only its second half.
        home.run(&["undo", "--yes"]).code(0);
        assert_eq!((fs::read(&config).unwrap(), tenant.exists()), (removed.clone(), false));
    }
}

#[test]
fn after_a_kill_log_and_undo_speak_of_what_happened() {
    let home = acme();
    home.run(&["tenant", "add", "beta", "--host", "beta.example.com"]).code(0);
    let config = ours(&home, "config.toml");
    let mut rng = rand::rng();
    let (mut cut_off, mut untouched) = (0, 0);
    for round in 0..40 {
        fs::write(&config, "timeout = 7\n").unwrap();
        home.run(&["message", "set", "acme", "agent-left", "--text", &format!("Round {round}")]).code(0);
        let mut child = home.msgrctl(&["tenant", "use", "beta"]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(rng.random_range(2000..30_000)));
        let _ = child.kill();
        child.wait().unwrap();
        let changed = fs::read_to_string(&config).unwrap() != "timeout = 7\n";
        let (command, result) = last(&home);
        let undone = home.run(&["undo", "--yes"]).code(0);
        assert_eq!(fs::read_to_string(&config).unwrap(), "timeout = 7\n", "{undone:#?}");
        if changed {
            assert_eq!(command, "tenant use");
            undone.shows(&["'tenant use'"]);
            cut_off += usize::from(result == "interrupted");
        } else {
            assert!(command.starts_with("message "), "{command}");
            undone.shows(&["'message "]);
            untouched += 1;
        }
    }
    assert!(cut_off + untouched > 0, "no kill came in time");
}

#[test]
fn a_change_whose_process_was_killed_is_written_down_by_the_next_command() {
    let home = acme();
    home.run(&["tenant", "add", "beta", "--host", "beta.example.com"]).code(0);
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let accounts = fs::read_to_string(home.accounts_file()).unwrap();
    // What a killed `tenant use` leaves: its file, and the files as they were.
    let pending = serde_json::json!({
        "entry": {"id": "1", "time": "2026-11-20T10:00:00Z", "user": "ada", "command": "tenant use", "tenant": "beta", "changes": [], "result": "done"},
        "before": {"configuration": null, "accounts": null, "chat_settings": null, "tenant": "schema_version = 1\nhost = \"beta.example.com\"\n"},
    });
    let file = home.file("config/msgrctl/pending/beta.json", pending.to_string());
    home.file("config/msgrctl/config.toml", "tenant = \"beta\"\n");
    home.run(&["log", "--tenant", "default"]).code(0).says(&["'tenant use' in tenant 'beta' was cut off"]);
    assert!(!file.exists());
    assert_eq!(last(&home), pair("tenant use", "interrupted"));
    home.run(&["undo", "--yes"]).code(0).shows(&["undid 'tenant use' in tenant 'beta'"]);
    assert!(!ours(&home, "config.toml").exists());
    assert_eq!(fs::read_to_string(home.accounts_file()).unwrap(), accounts);
    // One that was cut off itself says that nothing had begun.
    home.file("config/msgrctl/pending/beta.json", &pending.to_string()[..50]);
    let count = results(&home).len();
    home.run(&["tenant", "edit", "beta", "--host", "b.example.com"]).code(0);
    assert_eq!(results(&home).len(), count + 1);
}

#[test]
fn a_kill_before_the_line_of_the_log_is_noticed_beside_a_line_like_it() {
    let home = acme();
    home.run(&["tenant", "add", "beta", "--host", "beta.example.com"]).code(0);
    home.run(&["tenant", "use", "beta"]).code(0);
    // The log has another of the same second that reads the same, and not the change itself.
    let log = ours(&home, "log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let entry: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let id = entry["id"].as_str().unwrap();
    assert_eq!(id.len(), 12);
    fs::write(&log, text.replace(id, "0123456789ab")).unwrap();
    let before = results(&home).len();
    let tenant = fs::read_to_string(ours(&home, "tenants/beta/tenant.toml")).unwrap();
    let before_it =
        serde_json::json!({"configuration": null, "accounts": null, "chat_settings": null, "tenant": tenant});
    let pending = serde_json::json!({"entry": entry, "before": before_it});
    home.file("config/msgrctl/pending/beta.json", pending.to_string());
    assert_eq!(results(&home).len(), before + 1);
    assert_eq!(last(&home), pair("tenant use", "interrupted"));
}

#[test]
fn a_log_that_was_edited_makes_undo_write_nothing_but_records() {
    let home = acme();
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    let (log, text) = (ours(&home, "log.jsonl"), fs::read_to_string(ours(&home, "log.jsonl")).unwrap());
    let accounts = fs::read(home.accounts_file()).unwrap();
    for (is, becomes) in [
        ("\"tenant\":\"default\"", "\"tenant\":\"../..\""),
        ("\"after\":{", "\"before\":{\"name\":5},\"after\":{\"name\":\"Acme\","),
        ("{\"account\":", "{\"file\":"),
    ] {
        let (start, end) = text.rsplit_once(is).expect(is);
        fs::write(&log, format!("{start}{becomes}{end}")).unwrap();
        let run = home.run(&["undo", "--yes"]);
        assert_ne!(run.code, 0, "{run:#?}");
        assert!(!run.stderr.contains("panicked"), "{run:#?}");
        assert_eq!(fs::read(home.accounts_file()).unwrap(), accounts, "{becomes}");
    }
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_leaves_nothing_behind() {
    let home = acme();
    let before = fs::read(home.accounts_file()).unwrap();
    let mut shell = home.program("sh");
    shell.args(["-c", "ulimit -c 0; ulimit -f 0; exec \"$0\" message disable acme agent-left"]);
    shell.arg(env!("CARGO_BIN_EXE_msgrctl"));
    Run::of(shell, b"").code(3).says(&["cannot write", "accounts.toml", "too large"]);
    assert_eq!(fs::read(home.accounts_file()).unwrap(), before);
    let names = fs::read_dir(home.accounts_file().parent().unwrap()).unwrap();
    assert!(names.flatten().all(|entry| !entry.file_name().to_string_lossy().contains(".new")));
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
}

#[test]
fn root_in_another_users_configuration_is_told_so_once() {
    let home = acme();
    let owner = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    if !owner(home.program("chown").args(["54321"]).arg(home.path("config/msgrctl"))) {
        // Only root can give a directory away, and only root is warned.
        return;
    }
    let run = home.run(&["message", "disable", "acme", "agent-left"]).code(0).says(&["belongs to user 54321"]);
    assert_eq!(run.stderr.matches("54321").count(), 2, "{run:#?}");
    let mut own = home.msgrctl(&["account", "list"]);
    own.uid(0);
    assert!(!Run::of(own, b"").code(0).stderr.contains("54321"), "reading writes nothing");
}
