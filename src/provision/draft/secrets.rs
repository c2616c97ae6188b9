//! What to do with an account's secrets, judged only from the manifest and the record, without
//! reading any.

use super::House;
use crate::accounts::{Account, Handle};
use crate::provision::kept;
use crate::provision::manifest::{Manifest, Mistake, Source, Wanted};
use crate::provision::plan::Problem;
use crate::secrets::{SecretKind, SecretRef, StoreName, misplaced_variable};

/// The planned place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSecret {
    /// It stays in this place.
    Refer(SecretRef),
    /// Its value is copied from a place into one of msgrctl's stores.
    Copy { from: SecretRef, to: StoreName },
    /// A new one is generated into this store.
    Generate(StoreName),
}

/// The places that a manifest names for secrets.
pub(super) fn sources(wanted: &Wanted) -> Vec<(SecretKind, Source)> {
    let all = [
        (SecretKind::PageAccessToken, &wanted.token),
        (SecretKind::AppSecret, &wanted.app_secret),
        (SecretKind::VerifyToken, &wanted.verify_token),
    ];
    all.into_iter().filter_map(|(kind, source)| Some((kind, source.clone()?))).collect()
}

/// Why a secret must not come from the variable that the file names.
fn misplaced(kind: SecretKind, wanted: &Source, handle: &Handle) -> Option<String> {
    match wanted {
        Source::Reference(SecretRef::Variable(name)) | Source::Copy { from: SecretRef::Variable(name), .. } => {
            misplaced_variable(name, kind, handle.as_str())
        }
        _ => None,
    }
}

/// The mistakes that show without records or secrets: variables whose names say that they hold
/// something else.
pub fn mistakes(manifest: &Manifest) -> Vec<Mistake> {
    let of_account = |wanted: &Wanted| {
        let handle = wanted.handle.clone().unwrap_or_else(|| Handle::slug(&wanted.name));
        let found = sources(wanted).into_iter().filter_map(|(kind, source)| {
            let why = misplaced(kind, &source, &handle)?;
            let message = format!("{} of '{}': {why}", kept::key_of(kind), wanted.name);
            Some(Mistake { place: wanted.place.clone(), message, nearest: None })
        });
        found.collect::<Vec<_>>()
    };
    manifest.accounts.iter().flat_map(of_account).collect()
}

/// What to do with a secret; `None` if it stays as it is.
pub(super) fn new_secret(
    kind: SecretKind,
    wanted: Source,
    before: Option<&Account>,
    handle: &Handle,
    house: &House<'_>,
) -> Result<Option<NewSecret>, Problem> {
    if let Some(why) = misplaced(kind, &wanted, handle) {
        return Err(Problem::new(
            format!("{}: {why}", kept::key_of(kind)),
            "name another variable in the file, one that holds nothing else",
        ));
    }
    let has = before.is_some_and(|before| before.secrets.contains_key(&kind));
    Ok(match wanted {
        Source::Reference(place) => Some(NewSecret::Refer(place)),
        Source::Copy { from, to } => Some(NewSecret::Copy { from, to }),
        Source::Stored | Source::Generate if has => None,
        // The variables of the env store exist before the account does.
        Source::Stored | Source::Generate if house.store == StoreName::Env => {
            Some(NewSecret::Refer(SecretRef::Stored(StoreName::Env)))
        }
        Source::Generate => Some(NewSecret::Generate(house.store)),
        Source::Stored => {
            let key = kept::key_of(kind);
            let (what, hint) = match before {
                Some(before) => (
                    format!("{key} is said to be stored, and the account has none here"),
                    format!("store it: msgrctl secret set {} {} --stdin", before.handle, kind.argument()),
                ),
                None => (
                    format!("{key} is said to be stored, and the account is new here"),
                    format!(
                        "name where it is instead, as in {key}: {{env: NAME}}; if the account was renamed, add its handle, as shown by: msgrctl account list"
                    ),
                ),
            };
            return Err(Problem::new(what, hint));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::draft::tests::{drafted, house, record, wanted};

    #[test]
    fn a_verify_token_is_made_where_there_is_none() {
        let generate = Wanted { verify_token: Some(Source::Generate), ..wanted("Acme") };
        let (found, _) = drafted(generate.clone(), &[], &house());
        assert!(found[0].secrets.contains(&(SecretKind::VerifyToken, NewSecret::Generate(StoreName::File))));
        let mut known = record("Acme", "acme");
        known.secrets.insert(SecretKind::VerifyToken, SecretRef::Stored(StoreName::Keyring));
        let (found, _) = drafted(generate, &[known], &house());
        assert!(found[0].secrets.iter().all(|(kind, _)| *kind != SecretKind::VerifyToken));
    }
}
