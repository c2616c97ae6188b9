//! What happens to an account's secrets: unchanged, referenced, copied or generated.

use super::draft::NewSecret;
use super::plan::{Change, Problem};
use crate::accounts::Account;
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName};

/// A secret that is ready to be stored.
#[derive(Debug)]
pub enum ReadySecret {
    Refer(SecretRef),
    Keep(Secret, StoreName),
    Generate(StoreName),
}

/// A secret that is copied into a store, and the store's current value.
pub enum SecretSeen {
    /// Both were read; `kept` is the store's value.
    Read {
        source: Secret,
        /// The store's value.
        kept: Option<Secret>,
    },
    /// The source does not have it.
    Gone {
        /// Why: `the variable ACME_TOKEN is not set`.
        why: String,
        /// Whether the store has a value already.
        kept: bool,
    },
}

/// The planned change of one secret.
pub(super) enum SecretDiff {
    /// It differs.
    As(Change, Option<ReadySecret>),
    /// It is unchanged; the note says what could not be compared.
    Same(Option<String>),
}

/// Compares one secret by its place, and by its value too where it is copied.
pub(super) fn compare(
    kind: SecretKind,
    new: NewSecret,
    before: Option<&Account>,
    seen: Option<&SecretSeen>,
) -> Result<SecretDiff, Problem> {
    let field = key_of(kind);
    let known = before.and_then(|before| before.secrets.get(&kind));
    let from = known.map(ToString::to_string);
    match new {
        NewSecret::Refer(place) if known == Some(&place) => Ok(SecretDiff::Same(None)),
        NewSecret::Refer(place) => {
            Ok(SecretDiff::As(Change::new(field, from, Some(place.to_string())), Some(ReadySecret::Refer(place))))
        }
        NewSecret::Generate(store) => Ok(SecretDiff::As(
            Change::new(field, from, Some(format!("generated, kept in the {store} store"))),
            Some(ReadySecret::Generate(store)),
        )),
        NewSecret::Copy { from: source, to } => {
            let here = known == Some(&SecretRef::Stored(to));
            let words = format!("copied from {source} into the {to} store");
            match seen {
                // Nothing was read: the stored value is assumed to be right.
                None if here => Ok(SecretDiff::Same(None)),
                None => Ok(SecretDiff::As(Change::new(field, from, Some(words)), None)),
                Some(SecretSeen::Gone { why, kept: true }) if here => {
                    Ok(SecretDiff::Same(Some(format!("{field} was not compared and stays unchanged: {why}"))))
                }
                Some(SecretSeen::Gone { why, .. }) => Err(Problem::new(
                    format!("{field}: {why}"),
                    format!("put it where {source} finds it, and run this again"),
                )),
                Some(SecretSeen::Read { source: value, kept }) => {
                    if here && kept.as_ref() == Some(value) {
                        return Ok(SecretDiff::Same(None));
                    }
                    let change = match (here, kept) {
                        (true, Some(kept)) => {
                            let marked = |secret: &Secret| {
                                let print = secret.fingerprint(kind).map(|print| format!(" (sha256 {print}…)"));
                                format!("{to}{}", print.unwrap_or_default())
                            };
                            Change::new(field, Some(marked(kept)), Some(format!("rotates: {}", marked(value))))
                        }
                        _ => Change::new(field, from, Some(words)),
                    };
                    Ok(SecretDiff::As(change, Some(ReadySecret::Keep(value.clone(), to))))
                }
            }
        }
    }
}

/// The key of a secret in a manifest.
pub fn key_of(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::PageAccessToken => "token",
        // No manifest names it; this is its key in the records.
        SecretKind::UserAccessToken => "user_access_token",
        SecretKind::AppSecret => "app.secret",
        SecretKind::VerifyToken | SecretKind::NextVerifyToken | SecretKind::PlanKey => "webhook.verify_token",
    }
}
