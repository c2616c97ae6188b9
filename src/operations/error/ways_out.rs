//! Converts errors of domains, with their kind and way out.

use std::error::Error as _;
use std::io;
use std::path::Path;

use super::{Error, Kind};
use crate::accounts::{AccountError, FieldError, SchemaError};
use crate::checks::causes::{self, Cause, Place};
use crate::document::Mistake;
use crate::files::{self, FileError};
use crate::graph::GraphError;
use crate::http::SetupError;
use crate::messages::{TextError, UnknownEvent};
use crate::operations::Workspace;
use crate::operations::settings::Origin;
use crate::secrets::{KeyMeans, MAKE_OWN_KEY_FILE, OWN_KEY_FILE, StoreError, Trouble};
use crate::state::StateError;
use crate::text::for_shell;
use crate::touched;

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        let mut shown = Self::file(error.to_string());
        if let Some(source) = error.source() {
            shown = shown.cause(source.to_string());
        }
        match error {
            FileError::Busy { .. } => shown.hint("wait for the other msgrctl to end, then try again"),
            FileError::Write { path, source } if is_read_only(&source) => {
                shown.hint(unless_changed(&format!("to allow changes: {}", shell("chmod u+w", "attrib -r", &path))))
            }
            FileError::Write { path, source } => match path.parent().filter(|_| is_missing(&source)) {
                Some(parent) => {
                    shown.hint(unless_changed(&format!("make its directory: {}", shell("mkdir -p", "mkdir", parent))))
                }
                None => shown.hint(unless_changed(UNWRITTEN)),
            },
            FileError::Read { .. } => {
                shown.hint(unless_changed("check the file's permissions and that it is UTF-8 text"))
            }
            FileError::Dangling { link, .. } => shown.hint(dangling(&link)),
            FileError::Irregular { path, .. } => {
                let aside = for_shell(&format!("{}.old", path.display()));
                let command = format!("{} {aside}", shell("mv", "move", &path));
                shown.hint(unless_changed(&format!("move it away and run the command again: {command}")))
            }
        }
    }
}

/// A file that its owner protected, and not a directory that may not be written.
fn is_read_only(error: &io::Error) -> bool {
    error.get_ref().is_some() && error.kind() == io::ErrorKind::PermissionDenied
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// The hint for a file that cannot be written.
const UNWRITTEN: &str = "check the directory's permissions and the free space";

/// A command of this system's shell: on Unix, on Windows (cmd and PowerShell), and its path.
fn shell(unix: &str, windows: &str, path: &Path) -> String {
    format!("{} {}", if cfg!(windows) { windows } else { unix }, for_shell(&path.to_string_lossy()))
}

/// A hint, after "nothing was changed" if that is known.
fn unless_changed(hint: &str) -> String {
    if touched::anything() { hint.into() } else { format!("nothing was changed; {hint}") }
}

fn dangling(link: &Path) -> String {
    unless_changed(&format!(
        "bring back what the link points to (is its drive mounted?); or, to start without it, remove the link: {}",
        shell("rm", "del", link)
    ))
}

/// Adds the way out of a mistake in a settings file.
pub fn mistake(error: Error, mistake: &Mistake) -> Error {
    error.hint(mistake.hint.clone().unwrap_or_else(|| unless_changed("correct the line")))
}

impl From<AccountError> for Error {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        match error {
            AccountError::File(error) => error.into(),
            AccountError::Remote(error) => error.into(),
            AccountError::Schema(SchemaError::Broken { mistake: found, .. }) => mistake(Self::file(message), &found),
            AccountError::Schema(SchemaError::Newer { .. }) => {
                Self::file(message).hint(unless_changed("use the newer msgrctl"))
            }
            AccountError::Schema(SchemaError::SameId { .. }) => {
                Self::file(message).hint("keep one of the two in the file, and remove the other from it")
            }
            AccountError::Ambiguous { command, .. } => {
                Self::failed(message).hint(format!("use the id, or give one of them another name: {command}"))
            }
            AccountError::Unknown { near, .. } if near.is_empty() => Self::failed(message).hint("msgrctl account list"),
            AccountError::Unknown { near, .. } => {
                const FEW: usize = 5;
                let shown: Vec<String> = near.iter().take(FEW).map(|near| format!("'{near}'")).collect();
                let more = if near.len() > FEW { format!(" or {} more", near.len() - FEW) } else { String::new() };
                let shown = shown.join(" or ");
                Self::failed(message).hint(format!("did you mean {shown}{more}? (msgrctl account list shows all)"))
            }
            AccountError::NameTaken { handle, .. } => Self::failed(message)
                .hint(format!("choose another name, or change that account: msgrctl account edit {handle}")),
            AccountError::HandleTaken { .. } => Self::failed(message).hint("choose another with --handle"),
        }
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::File(error) => error.into(),
            StateError::Remote(error) => error.into(),
            StateError::Account(error) => error.into(),
            StateError::Conflict { .. } => {
                Self::failed(error.to_string()).hint("another program has changed it; check it, then try again")
            }
            StateError::Invalid { .. } => Self::file(error.to_string()).hint("msgrctl log shows the changes"),
        }
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<UnknownEvent> for Error {
    fn from(error: UnknownEvent) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::usage(error.to_string())
    }
}

/// For an encrypted file that nothing opens any more.
const START_OVER: &str = "restore the key or the file from a backup; without one its secrets are lost: move secrets.enc away and set each secret again with msgrctl secret set";

/// For an encrypted file whose passphrase or key is lost.
const LOST: &str = "if it is lost, nothing can read the secrets in the file any more; the accounts stay. To begin again: msgrctl secret passphrase --begin-again";

/// For secrets of an existing account, or of one that is not named.
const WITHOUT_COPY: &str = "or keep no copy and refer to the secret, for example in a variable:\n    msgrctl secret set NAME page-access-token --from env:VARIABLE";

/// A secret that its store refused.
pub fn unstored(workspace: &Workspace, error: StoreError) -> Error {
    if error.is_keyring_away() { no_keyring(Some(workspace), &error, WITHOUT_COPY) } else { error.into() }
}

/// The three ways out without a keyring; the caller gives the last.
pub fn no_keyring(workspace: Option<&Workspace>, error: &StoreError, without_copy: &str) -> Error {
    Error::new(Kind::SecretStore, error.to_string()).hint(to_open(error)).hint(into_file(workspace)).hint(without_copy)
}

/// How to use the encrypted file instead, this tenant's if it has one.
fn into_file(workspace: Option<&Workspace>) -> String {
    let settings = workspace.and_then(|workspace| workspace.settings().ok());
    if let Some(settings) = settings
        && settings.paths.secrets_file(settings.tenant.value.as_str()).exists()
    {
        return "or use the encrypted file of this tenant: run the command again with --store file; for all new secrets: msgrctl config set store file".into();
    }
    // A flag or a variable wins over the configuration.
    let again = match settings.map(|settings| &settings.store.origin) {
        Some(Origin::Flag(_) | Origin::Variable(_)) => "run the command again with --store file",
        _ => "run the command again",
    };
    format!(
        "or keep secrets in an encrypted file, opened by a key file; paste this, then {again}:\n    \
         {MAKE_OWN_KEY_FILE}; msgrctl config set key_file {OWN_KEY_FILE}; msgrctl config set store file"
    )
}

/// How to get the keyring to answer.
fn to_open(error: &StoreError) -> &'static str {
    match error {
        StoreError::Absent(_) if cfg!(not(target_os = "linux")) => {
            "log in to the desktop as the user that runs msgrctl, and run the command there"
        }
        StoreError::Absent(_) => {
            "start a session with a keyring, which asks for a password of its own, and run the command there:\n    dbus-run-session -- sh -c 'stty -echo 2>/dev/null; printf \"Password for the keyring: \"; IFS= read -r p; stty echo 2>/dev/null; echo; printf %s \"$p\" | gnome-keyring-daemon --unlock --components=secrets >/dev/null; unset p; exec \"$SHELL\"'"
        }
        StoreError::Locked => {
            "unlock it (log in to the desktop, or open its program: seahorse, KeePassXC), then try again"
        }
        StoreError::Declined => "try again and unlock the keyring in its dialog",
        _ => "check for an open dialog of the keyring, or restart the keyring's program, then try again",
    }
}

/// The cause of a failure of Vault.
fn of_vault(trouble: Trouble) -> &'static Cause {
    match trouble {
        Trouble::Settings => &causes::VAULT_SETTINGS,
        Trouble::Unreachable => &causes::VAULT_UNREACHABLE,
        Trouble::Slow => &causes::VAULT_SLOW,
        Trouble::Tls => &causes::VAULT_TLS,
        Trouble::Sealed => &causes::VAULT_SEALED,
        Trouble::NoToken => &causes::VAULT_TOKEN_MISSING,
        Trouble::TokenExpired => &causes::VAULT_TOKEN_EXPIRED,
        Trouble::LoginRefused => &causes::VAULT_LOGIN_REFUSED,
        Trouble::Denied => &causes::VAULT_DENIED,
        Trouble::MountMissing => &causes::VAULT_MOUNT_MISSING,
        Trouble::WrongEngine => &causes::VAULT_KV_VERSION,
        Trouble::NamespaceMissing => &causes::VAULT_NAMESPACE_MISSING,
        Trouble::Conflict => &causes::VAULT_CONFLICT,
        Trouble::Unexpected => &causes::VAULT_UNEXPECTED,
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Interrupted) {
            return Self::interrupted();
        }
        if let StoreError::ReadOnly(variable) = &error {
            return Self::usage(error.to_string()).hint(format!("set {variable} instead of giving the secret"));
        }
        if let StoreError::Vault(error) = &error {
            let cause = of_vault(error.trouble);
            let passes =
                matches!(error.trouble, Trouble::Unreachable | Trouble::Slow | Trouble::Sealed | Trouble::Conflict);
            let shown = Self::new(Kind::SecretStore, error.to_string()).reason(cause.id).hint(cause.fix());
            return shown.retryable(passes);
        }
        if let StoreError::Absent(_) = &error {
            return no_keyring(None, &error, WITHOUT_COPY);
        }
        let hint = match &error {
            StoreError::Ambiguous(_) => "remove the entries that do not belong to msgrctl in the keyring's program",
            StoreError::Damaged { .. } => "set the secret again: msgrctl account edit NAME --help",
            StoreError::BrokenFile { .. } => {
                return Self::file(error.to_string()).hint(START_OVER);
            }
            StoreError::Write(_) => {
                return Self::file(error.to_string()).hint(unless_changed(UNWRITTEN));
            }
            StoreError::Dangling { link, .. } => return Self::file(error.to_string()).hint(dangling(link)),
            StoreError::Exposed { path, .. } => {
                let hint = format!(
                    "it must be a regular file (not a symlink) that only you can read: {}",
                    files::closing_command(path, &[])
                );
                return Self::new(Kind::SecretStore, error.to_string()).hint(hint);
            }
            StoreError::NoKey(what) | StoreError::WrongKey(what) => {
                let first = match what {
                    KeyMeans::Passphrase => {
                        "set MSGRCTL_PASSPHRASE to the passphrase it was made with, or type it when it is asked for on a terminal"
                    }
                    KeyMeans::KeyFile => {
                        "name the key file it was made with: --key-file FILE (MSGRCTL_KEY_FILE), or msgrctl config set key_file FILE"
                    }
                    KeyMeans::Keyring => "restore the key into the keyring from a backup",
                };
                return Self::new(Kind::SecretStore, error.to_string()).hint(first).hint(LOST);
            }
            StoreError::Passphrase(_) => "set MSGRCTL_PASSPHRASE to one line of text",
            StoreError::NoNewKey(_) => {
                let name = if cfg!(windows) { "$env:MSGRCTL_KEY_FILE = " } else { "export MSGRCTL_KEY_FILE=" };
                let hint = format!(
                    "set MSGRCTL_PASSPHRASE, or make a key file; paste this, then run the command again:\n    {MAKE_OWN_KEY_FILE}; {name}{OWN_KEY_FILE}"
                );
                return Self::new(Kind::SecretStore, error.to_string()).hint(hint);
            }
            StoreError::KeyFile { .. } => "name another with --key-file FILE (MSGRCTL_KEY_FILE)",
            StoreError::File { .. } => "put only the secret into the file, and make it readable for you",
            StoreError::Command { .. } => "run the command by hand to see what it needs, then try again",
            StoreError::Locked | StoreError::Declined | StoreError::TimedOut(_) => to_open(&error),
            StoreError::Absent(_)
            | StoreError::ReadOnly(_)
            | StoreError::Interrupted
            | StoreError::Vault(_)
            | StoreError::Failed(_) => "try again; if it persists, check the keyring with its own program",
        };
        Self::new(Kind::SecretStore, error.to_string()).hint(hint)
    }
}

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        Self::of_graph(&error, Place::Page.plain())
    }
}

impl From<SetupError> for Error {
    fn from(error: SetupError) -> Self {
        let shown = Self::usage(error.to_string());
        match error {
            SetupError::CaBundle { .. } => shown.hint("name a file of certificates in PEM form with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)"),
            SetupError::Client { .. } => {
                shown.hint("install the system's certificates (ca-certificates), or name some with --ca-bundle FILE; check HTTPS_PROXY")
            }
        }
    }
}
