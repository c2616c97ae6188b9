//! Chooses another store if the chosen one does not answer, so that no answer is lost.

use crate::cli::context::Context;
use crate::cli::error::{self, CliError};
use crate::operations::no_keyring;
use crate::secrets::{StoreError, StoreName};

const BY_REFERENCE: &str =
    "or keep no copy, only where it is, such as a variable:\n    msgrctl account add NAME --token-from env:VARIABLE";

/// Finds a store that answers; `false` if the operator leaves.
pub(super) fn settle(ctx: &Context, store: &mut StoreName) -> Result<bool, CliError> {
    while let Err(error) = ctx.store(*store).probe() {
        // Asking a missing store again does not help.
        let at = usize::from(matches!(error, StoreError::Absent(_)));
        let is_away = error.is_keyring_away();
        let error = if is_away { no_keyring(Some(ctx), &error, BY_REFERENCE) } else { error.into() };
        if error.is_interrupt() {
            return Err(error);
        }
        if !another(ctx, &error, store, at)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Shows why a store failed and asks for another, or for the same again; `false` if the
/// operator leaves. `at` is the answer marked first.
pub(super) fn another(ctx: &Context, error: &CliError, store: &mut StoreName, at: usize) -> Result<bool, CliError> {
    error::render(error, &ctx.output);
    let others = others(*store, ctx.searches(StoreName::Vault));
    let mut ways = vec![format!("Try {} again", in_words(*store))];
    ways.extend(others.iter().map(|other| match other {
        StoreName::File => "Use an encrypted file instead".to_owned(),
        other => format!("Use {} instead", in_words(*other)),
    }));
    ways.push(if others.len() == 1 { "Neither" } else { "Stop here" }.to_owned());
    let way = ctx.prompter.choose("Where should the secrets go?", &ways, at)?;
    ctx.stores().try_again();
    match way {
        Some(0) => Ok(true),
        Some(at) if at <= others.len() => {
            *store = others[at - 1];
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The stores to offer in place of one that failed. The encrypted file always works, the keyring
/// often; Vault only where the settings say which.
fn others(failed: StoreName, has_vault: bool) -> Vec<StoreName> {
    let mut others = vec![if failed == StoreName::File { StoreName::Keyring } else { StoreName::File }];
    others.extend((has_vault && failed != StoreName::Vault).then_some(StoreName::Vault));
    others
}

pub(super) fn in_words(store: StoreName) -> &'static str {
    match store {
        StoreName::Keyring => "the keyring",
        StoreName::File => "the encrypted file of this tenant",
        StoreName::Vault => "Vault",
        StoreName::Env => "variables",
        StoreName::Memory => "this process's memory",
    }
}

pub(super) fn left() -> CliError {
    CliError::left("left; nothing was saved")
}
