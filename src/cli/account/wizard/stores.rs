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
    let other = match store {
        StoreName::File => StoreName::Keyring,
        _ => StoreName::File,
    };
    let ways = [
        format!("Try {} again", in_words(*store)),
        match other {
            StoreName::File => "Use an encrypted file instead".to_owned(),
            _ => format!("Use {} instead", in_words(other)),
        },
        "Neither".to_owned(),
    ];
    let way = ctx.prompter.choose("Where should the secrets go?", &ways, at)?;
    ctx.stores().try_again();
    match way {
        Some(0) => Ok(true),
        Some(1) => {
            *store = other;
            Ok(true)
        }
        _ => Ok(false),
    }
}

pub(super) fn in_words(store: StoreName) -> &'static str {
    match store {
        StoreName::Keyring => "the keyring",
        StoreName::File => "the encrypted file of this tenant",
        StoreName::Env => "variables",
        StoreName::Memory => "this process's memory",
    }
}

pub(super) fn left() -> CliError {
    CliError::left("left; nothing was saved")
}
