//! Configuration and accounts: can they be read, and only by the user.

use std::path::PathBuf;

use crate::accounts::{Account, Clash, clashes};
use crate::checks::Outcome;
use crate::checks::causes::{ACCOUNTS_ALIKE, FILE_DAMAGED, FILES_EXPOSED};
use crate::checks::ids;
use crate::files;
use crate::operations::{Error, Found, Workspace};

/// The problems of the files.
pub fn look(workspace: &Workspace) -> Result<Vec<Found>, Error> {
    let paths = &workspace.settings()?.paths;
    let mut found = vec![Found::pass(ids::CONFIG_FILE, "the configuration can be read")];
    let (mut count, mut broken, mut clashing) = (0, Vec::new(), Vec::new());
    let tenants = workspace.tenant_names().unwrap_or_else(|error| {
        broken.push(Found::of_error(ids::ACCOUNTS_FILE, error, &FILE_DAMAGED));
        Vec::new()
    });
    for tenant in &tenants {
        match workspace.accounts_of(tenant).and_then(|accounts| Ok(accounts.load()?)) {
            Ok(accounts) => {
                count += accounts.len();
                let flag = workspace.tenant_flag(tenant)?;
                clashing.extend(clashes(&accounts).iter().map(|clash| clash_in_words(&accounts, clash, &flag)));
            }
            Err(error) => broken.push(Found::of_error(ids::ACCOUNTS_FILE, error, &FILE_DAMAGED)),
        }
    }
    if broken.is_empty() {
        found.push(Found::pass(
            ids::ACCOUNTS_FILE,
            format!("accounts: {count}, tenants: {}; all can be read", tenants.len()),
        ));
    }
    found.extend(broken);
    if clashing.is_empty() {
        clashing.push(Found::pass(ids::ACCOUNTS_NAMES, "no two accounts answer to the same name, handle or id"));
    }
    found.append(&mut clashing);
    let mut ours: Vec<PathBuf> = vec![paths.root().into(), paths.config_file()];
    for tenant in &tenants {
        ours.extend([paths.tenant_dir(tenant), paths.accounts_file(tenant), paths.secrets_file(tenant)]);
    }
    let (open, why): (Vec<PathBuf>, Vec<String>) =
        ours.into_iter().filter_map(|path| files::exposure(&path).map(|why| (path, why))).unzip();
    found.push(match (open.as_slice(), why.as_slice()) {
        ([first, ..], [why, ..]) => {
            let summary = format!("others may read {} of the files ({why})", open.len());
            let all = if open.len() == 1 { first } else { paths.root() };
            Found::new(ids::FILES_MODES, Outcome::Warn, summary)
                .because(&FILES_EXPOSED)
                .hint(files::closing_command(all, &open))
        }
        _ => Found::pass(ids::FILES_MODES, "only you may read the files"),
    });
    Ok(found)
}

/// Accounts with the same name, handle or id: the file was edited or merged by hand.
fn clash_in_words(accounts: &[Account], clash: &Clash, flag: &str) -> Found {
    let called = |at: &usize| format!("{} (id {})", accounts[*at].handle, accounts[*at].id);
    let others = clash.with.iter().map(called).collect::<Vec<_>>().join(" and ");
    let summary = format!("{} answers to a name, handle or id of {others} too", called(&clash.at));
    Found::new(ids::ACCOUNTS_NAMES, Outcome::Fail, summary)
        .because(&ACCOUNTS_ALIKE)
        .hint(format!("give it another name, such as this one; then: {}{flag}", clash.command()))
}
