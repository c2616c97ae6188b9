//! Secrets that belong to no account, in every tenant.

use crate::checks::Outcome;
use crate::checks::causes::SECRETS_LEFT_BEHIND;
use crate::checks::ids;
use crate::operations::secrets::left_behind;
use crate::operations::{Found, Tenants, Workspace};
use crate::secrets::StoreName;

/// Our entries that no account of any tenant refers to.
pub fn look(workspace: &Workspace, tenants: &Tenants<'_>) -> Vec<Found> {
    const ID: &str = ids::SECRETS_LEFT_BEHIND;
    const SHOWN: usize = 20;
    let not_known = |place: String, why: String| Found::new(ID, Outcome::Skip, format!("{place}not known: {why}"));
    let looked = match left_behind::find(workspace, tenants, None) {
        Ok(looked) => looked,
        Err(error) => return vec![not_known(String::new(), error.message().to_owned())],
    };
    let mut found: Vec<Found> = looked
        .unknown
        .iter()
        .map(|(_, tenant, error)| {
            let place = tenant.as_ref().map(|tenant| format!("in tenant {tenant}: ")).unwrap_or_default();
            not_known(place, error.to_string())
        })
        .collect();
    if looked.entries.is_empty() {
        if found.is_empty() {
            found.push(if looked.no_keyring {
                Found::pass(ID, "no secret is left behind in an encrypted file; this machine has no keyring")
            } else {
                Found::pass(ID, "no secret is left behind")
            });
        }
        return found;
    }
    let mut lines = left_behind::in_words(&looked.entries);
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} more accounts")));
    let count = looked.entries.len();
    let summary = format!("secrets that belong to no account of this configuration: {count}; {}", lines.join("; "));
    let fix = if looked.entries.iter().any(|entry| entry.store == StoreName::Keyring) {
        "another configuration directory of yours shares the keyring, and its accounts would lose their secrets: remove them only if no other directory has these accounts; the command lists them and asks"
    } else if looked.entries.iter().any(|entry| entry.store == StoreName::Vault) {
        "other configurations, a colleague's too, may share the folder in Vault, and their accounts would lose their secrets: remove them only if no other configuration has these accounts; the command lists them and asks"
    } else {
        "if accounts.toml was lost or edited, restore it first: these may be the only copies; otherwise remove them: the command lists them and asks"
    };
    found.push(
        Found::new(ID, Outcome::Warn, summary)
            .because(&SECRETS_LEFT_BEHIND)
            .hint(format!("{fix}; then: msgrctl secret remove --left-behind")),
    );
    found
}
