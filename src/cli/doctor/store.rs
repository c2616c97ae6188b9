//! The store that new secrets go to: does it keep, give back and let go.

use super::Found;
use crate::checks::Outcome;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::secrets::{SecretKey, SecretKind, StoreError, StoreName, generate_verify_token};

pub(super) fn look(ctx: &Context) -> Result<Vec<Found>, CliError> {
    let store = &ctx.settings()?.store;
    let id = match store.value {
        StoreName::Keyring => "store.keyring",
        StoreName::File => "store.file",
        StoreName::Env => "store.env",
        StoreName::Memory => "store.memory",
    };
    let chosen = format!("chosen by {}", store.origin);
    Ok(vec![match store.value {
        StoreName::Env => Found::pass(id, format!("secrets are read from variables and kept nowhere ({chosen})")),
        _ => match round_trip(ctx, store.value) {
            Ok(true) => Found::pass(id, format!("it keeps, gives back and removes a secret ({chosen})")),
            Ok(false) => {
                Found::new(id, Outcome::Fail, format!("it gave back another secret than it was given ({chosen})"))
                    .hint("look into it with its own program, or choose another: --store keyring, file or env")
            }
            Err(error) => Found::of_error(id, error),
        },
    }])
}

/// Whether a throw-away secret comes back as it was. An encrypted file that does
/// not exist yet is not made for this: it is enough that it could be.
fn round_trip(ctx: &Context, name: StoreName) -> Result<bool, StoreError> {
    let store = ctx.store(name);
    store.probe()?;
    if name == StoreName::File && ctx.stores().file().entries()?.is_empty() {
        return Ok(true);
    }
    let key = SecretKey {
        account_id: format!("doctor-{}", uuid::Uuid::new_v4()),
        handle: "doctor".into(),
        account_name: "a test that removes itself".into(),
        kind: SecretKind::VerifyToken,
    };
    let secret = generate_verify_token();
    store.set(&key, &secret)?;
    let back = store.get(&key);
    let removed = store.remove(&key)?;
    let gone = store.get(&key)?.is_none();
    Ok(removed && gone && back? == Some(secret))
}
