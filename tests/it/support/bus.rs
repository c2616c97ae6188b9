//! Real D-Bus sessions: with gnome-keyring, without any keyring, and one that
//! accepts connections and never answers.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::has;

/// A bus that lives as long as this value. `dbus-run-session` ends it, and all
/// that runs on it, when its script ends, which is when our end of its standard
/// input closes: even a killed test leaves nothing running.
pub struct Bus {
    pub address: String,
    dir: tempfile::TempDir,
    session: Option<(Child, ChildStdin)>,
}

impl Bus {
    /// With an unlocked gnome-keyring; `None` where one is not installed.
    pub fn with_keyring() -> Option<Self> {
        // It is there when it owns its name on the bus, which is a little later than
        // the command returns.
        let unlock = "printf '\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; \
                      tries=0; until [ $tries -gt 250 ] || dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
                      org.freedesktop.DBus.GetNameOwner string:org.freedesktop.secrets >/dev/null 2>&1; do sleep 0.02; tries=$((tries + 1)); done";
        let parts = [
            ("gnome-keyring-daemon", "gnome-keyring"),
            ("dbus-run-session", "dbus"),
            ("dbus-send", "dbus-bin"),
            ("secret-tool", "libsecret-tools"),
        ];
        parts.into_iter().all(|(program, package)| has(program, package)).then(|| Self::start(unlock))
    }

    /// Without a keyring, and without a way to start one.
    pub fn without_keyring() -> Option<Self> {
        has("dbus-run-session", "dbus").then(|| Self::start("true"))
    }

    fn start(script: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("msgrctl-bus-").tempdir().unwrap();
        let config = dir.path().join("bus.conf");
        // No service directories: nothing is started that was not started here.
        std::fs::write(
            &config,
            format!(
                r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={}</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#,
                dir.path().display()
            ),
        )
        .unwrap();
        let script = format!("{script}; printf '%s\\n' \"$DBUS_SESSION_BUS_ADDRESS\"; cat >/dev/null");
        let mut child = Command::new("dbus-run-session")
            .arg(format!("--config-file={}", config.display()))
            .args(["--", "sh", "-c", &script])
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", dir.path())
            .env("XDG_RUNTIME_DIR", dir.path())
            .env("XDG_DATA_HOME", dir.path().join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().into(), dir, session: Some((child, stdin)) }
    }

    /// A program on this bus.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("LANG", "C.UTF-8")
            .env("HOME", self.dir.path())
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// What `secret-tool search` shows of msgrctl's entries, secrets included.
    pub fn entries(&self) -> String {
        let found = self.program("secret-tool").args(["search", "--all", "service", "msgrctl"]).output().unwrap();
        // It prints the attributes to standard error.
        let text = String::from_utf8([found.stdout, found.stderr].concat()).unwrap();
        // gnome-keyring adds a schema to an entry when it gets round to it.
        text.lines().filter(|line| !line.starts_with("schema = ")).fold(String::new(), |all, line| all + line + "\n")
    }

    /// Locks the default collection.
    pub fn lock(&self) {
        let locked = self
            .program("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"])
            .args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/aliases/default"])
            .output()
            .unwrap();
        assert!(locked.status.success(), "{locked:?}");
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.session.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }
}

/// A bus that takes every connection and never says a word.
pub struct SilentBus {
    pub address: String,
    path: PathBuf,
}

impl SilentBus {
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("msgrctl-silent-").tempdir().unwrap().keep();
        let path = dir.join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                held.push(stream);
            }
        });
        Self { address: format!("unix:path={}", path.display()), path }
    }
}

impl Drop for SilentBus {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.path.parent().unwrap());
    }
}
