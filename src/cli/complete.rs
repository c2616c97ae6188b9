//! What a shell offers at a TAB: accounts, tenants, events of this machine's files.
//! No network, no secret store; what cannot be read is not offered, without a word.

use std::ffi::OsString;
use std::path::PathBuf;

use clap_complete::engine::CompletionCandidate;

use super::args::Global;
use super::settings::Settings;
use crate::accounts::AccountStore;
use crate::env::{self, Environment};

/// The accounts of the tenant that the line names: handles, since they need no
/// quotes, each with the account's name.
pub(super) fn accounts() -> Vec<CompletionCandidate> {
    let Some(settings) = settings() else { return Vec::new() };
    let path = settings.paths.accounts_file(settings.tenant.value.as_str());
    let accounts = AccountStore::new(path, Box::new(|_| {})).load().unwrap_or_default();
    let offer = |account: crate::accounts::Account| {
        CompletionCandidate::new(account.handle.to_string()).help(Some(account.name.to_string().into()))
    };
    accounts.into_iter().map(offer).collect()
}

/// The tenants that have anything.
pub(super) fn tenants() -> Vec<CompletionCandidate> {
    let tenants = settings().map(|settings| settings.paths.tenants()).unwrap_or_default();
    tenants.into_iter().map(CompletionCandidate::new).collect()
}

/// The settings of the line that is being completed.
fn settings() -> Option<Settings> {
    let global = of_line(&env::arguments());
    Settings::resolve(&global, &Environment::of_process()).ok()
}

/// The flags on the line that say where to look. The line stands behind `--`.
fn of_line(arguments: &[OsString]) -> Global {
    let mut words = arguments.iter().skip_while(|word| *word != "--").skip(1).map(|word| word.to_string_lossy());
    let mut global = Global::default();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (word.into_owned(), None),
        };
        let field = match flag.as_str() {
            "--tenant" => &mut global.tenant,
            "--config-dir" => {
                global.config_dir = value.or_else(|| words.next().map(std::borrow::Cow::into_owned)).map(PathBuf::from);
                continue;
            }
            _ => continue,
        };
        // bash gives the '=' as a word of its own.
        *field = value.or_else(|| words.find(|word| *word != "=").map(std::borrow::Cow::into_owned));
    }
    global
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        of_line(&words).tenant
    }

    #[test]
    fn the_line_says_which_tenant() {
        assert_eq!(tenant("msgrctl -- msgrctl account show --tenant acme a"), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl --tenant=acme account show "), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl --tenant = acme account show "), Some("acme".into()));
        assert_eq!(tenant("msgrctl -- msgrctl account show "), None);
    }
}
