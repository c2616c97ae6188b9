//! What becomes of an account's secrets: kept as they are, referred to, copied, made.

use super::draft::NewSecret;
use super::plan::{Change, Problem};
use crate::accounts::Account;
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName};

/// A secret that is ready to be kept.
#[derive(Debug)]
pub enum ReadySecret {
    Refer(SecretRef),
    Keep(Secret, StoreName),
    Generate(StoreName),
}

/// A secret that is copied into a store, and what the store has.
pub enum SecretSeen {
    /// Both were read; `kept` is what the store has already.
    Read {
        source: Secret,
        /// What is in the store.
        kept: Option<Secret>,
    },
    /// The source has none, in words.
    Gone {
        /// What is missing: `the variable ACME_TOKEN is not set`.
        why: String,
        /// Whether the store has one already.
        kept: bool,
    },
}

/// What becomes of one secret.
pub(super) enum Kept {
    /// It differs.
    As(Change, Option<ReadySecret>),
    /// It is as it should be; the note says what could not be compared.
    Same(Option<String>),
}

/// Compares one secret: where it is, and where it is copied also what it is.
pub(super) fn compare(
    kind: SecretKind,
    new: NewSecret,
    before: Option<&Account>,
    seen: Option<&SecretSeen>,
) -> Result<Kept, Problem> {
    let field = key_of(kind);
    let known = before.and_then(|before| before.secrets.get(&kind));
    let from = known.map(ToString::to_string);
    match new {
        NewSecret::Refer(place) if known == Some(&place) => Ok(Kept::Same(None)),
        NewSecret::Refer(place) => {
            Ok(Kept::As(Change::new(field, from, Some(place.to_string())), Some(ReadySecret::Refer(place))))
        }
        NewSecret::Generate(store) => Ok(Kept::As(
            Change::new(field, from, Some(format!("generated, kept in the {store} store"))),
            Some(ReadySecret::Generate(store)),
        )),
        NewSecret::Copy { from: source, to } => {
            let here = known == Some(&SecretRef::Stored(to));
            let words = format!("copied from {source} into the {to} store");
            match seen {
                // Nobody has looked: what is there is taken to be right.
                None if here => Ok(Kept::Same(None)),
                None => Ok(Kept::As(Change::new(field, from, Some(words)), None)),
                Some(SecretSeen::Gone { why, kept: true }) if here => {
                    Ok(Kept::Same(Some(format!("{field} was not compared, and is kept as it is: {why}"))))
                }
                Some(SecretSeen::Gone { why, .. }) => Err(Problem::new(
                    format!("{field}: {why}"),
                    format!("put it where {source} finds it, and run this again"),
                )),
                Some(SecretSeen::Read { source: value, kept }) => {
                    if here && kept.as_ref() == Some(value) {
                        return Ok(Kept::Same(None));
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
                    Ok(Kept::As(change, Some(ReadySecret::Keep(value.clone(), to))))
                }
            }
        }
    }
}

/// The key of a secret in a manifest.
pub fn key_of(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::PageAccessToken => "token",
        SecretKind::AppSecret => "app.secret",
        SecretKind::VerifyToken | SecretKind::NextVerifyToken => "webhook.verify_token",
    }
}
