//! A home of its own for each test: nothing of the person who runs the tests is
//! read or written.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(unix)]
use super::Bus;
use super::Run;

pub struct Home {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Home {
    /// A home without a keyring: no D-Bus is found from it.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("msgrctl-it-").tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let env = vec![
            ("HOME".into(), path("")),
            ("XDG_CONFIG_HOME".into(), path("config")),
            ("XDG_RUNTIME_DIR".into(), path("runtime")),
            ("DBUS_SESSION_BUS_ADDRESS".into(), format!("unix:path={}", path("no-bus"))),
            ("LANG".into(), "C.UTF-8".into()),
            ("PATH".into(), std::env::var("PATH").unwrap()),
            ("USER".into(), "ada".into()),
            #[cfg(windows)]
            ("USERPROFILE".into(), path("")),
            #[cfg(windows)]
            ("APPDATA".into(), path("config")),
        ];
        // Sockets and programs of Windows need to know where it is.
        #[cfg(windows)]
        let env = {
            let system = ["SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP"];
            let given = system.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
            given.chain(env).collect()
        };
        Self { dir, env }
    }

    /// A home on a bus with a keyring.
    #[cfg(unix)]
    pub fn on(bus: &Bus) -> Self {
        Self::new().with("DBUS_SESSION_BUS_ADDRESS", &bus.address)
    }

    /// A home whose secrets come from variables, for tests that are not about the
    /// keyring: the account with this handle has these.
    pub fn with_secrets(self, handle: &str, token: &str) -> Self {
        let handle = handle.to_uppercase().replace(['-', '.'], "_");
        self.with("MSGRCTL_STORE", "env")
            .with(&format!("MSGRCTL_SECRET_{handle}_PAGE_ACCESS_TOKEN"), token)
            .with(&format!("MSGRCTL_SECRET_{handle}_VERIFY_TOKEN"), "verify0123456789")
    }

    /// The encrypted file is opened by a key file, which takes no time.
    pub fn with_key_file(self) -> Self {
        let key = self.file("key", [7; 64]);
        #[cfg(unix)]
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        self.with("MSGRCTL_KEY_FILE", &key.to_string_lossy())
    }

    /// Sets a variable for every run.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
    }

    pub fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    /// A place in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in the home, and returns where.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The accounts of the default tenant on disk.
    /// The only copy of the state of the default tenant.
    pub fn state_copy(&self) -> PathBuf {
        let states = std::fs::read_dir(self.path("config/msgrctl/state-copies")).unwrap();
        let copies = states.map(|state| state.unwrap().path().join("default.json")).filter(|copy| copy.exists());
        let copies: Vec<PathBuf> = copies.collect();
        assert_eq!(copies.len(), 1, "{copies:?}");
        copies.into_iter().next().unwrap()
    }

    pub fn accounts_file(&self) -> PathBuf {
        self.path("config/msgrctl/tenants/default/accounts.toml")
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Another program in this home.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.dir.path());
        command
    }

    /// The binary, not yet run.
    pub fn msgrctl<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_msgrctl"));
        command.args(arguments);
        command
    }

    /// Runs the binary with nothing on its standard input.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Run {
        self.run_with(arguments, b"")
    }

    /// Runs the binary with this on its standard input.
    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S], stdin: impl AsRef<[u8]>) -> Run {
        Run::of(self.msgrctl(arguments), stdin.as_ref())
    }
}
