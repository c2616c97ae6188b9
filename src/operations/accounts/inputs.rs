//! The given secrets, checked before anything else.

use std::collections::BTreeMap;
use std::path::Path;

use super::fields::of_secret;
use crate::accounts::Handle;
use crate::dashboard;
use crate::env::current_directory;
use crate::files;
use crate::operations::change::{Change, New, Target};
use crate::operations::{Error, Workspace};
use crate::secrets::{
    Giver, Secret, SecretKey, SecretKind, SecretRef, Shape, StoreName, Verdict, generate_verify_token, redact,
};

/// A token has at most a few hundred characters.
pub const LIMIT: u64 = 64 * 1024;

/// The secrets that a command was given.
#[derive(Clone, Debug, Default)]
pub struct SecretInputs {
    pub token: Option<Secret>,
    pub app_secret: Option<Secret>,
    pub verify_token: Option<Secret>,
    /// The person's or system user's token that the Page's token came from.
    pub user_token: Option<Secret>,
    /// Whether to keep that token, where a Page's own is taken from it.
    pub keep_user_token: bool,
    /// Whether the verify token was generated.
    pub generated: bool,
    /// The references of secrets given that way.
    pub references: BTreeMap<SecretKind, SecretRef>,
}

impl SecretInputs {
    /// A new verify token.
    pub fn generated() -> Self {
        Self { verify_token: Some(generate_verify_token()), generated: true, ..Self::default() }
    }

    /// The secrets of an account in the env store, which are already in variables.
    pub fn in_variables(workspace: &Workspace, handle: &Handle) -> Result<Self, Error> {
        let store = workspace.store(StoreName::Env);
        let key = |kind| variable_key(handle, kind);
        let read = |kind| store.get(&key(kind));
        let (token, verify_token) = (read(SecretKind::PageAccessToken)?, read(SecretKind::VerifyToken)?);
        let missing: Vec<String> = [(&token, SecretKind::PageAccessToken), (&verify_token, SecretKind::VerifyToken)]
            .into_iter()
            .filter(|(secret, _)| secret.is_none())
            .map(|(_, kind)| format!("{kind}: the variable {}", key(kind).variable()))
            .collect();
        if !missing.is_empty() {
            return Err(Error::usage(format!(
                "some secrets of '{handle}' are missing from the environment: {}",
                missing.join("; ")
            ))
            .hint("set what is missing, and run this command again"));
        }
        let inputs = Self {
            token,
            app_secret: read(SecretKind::AppSecret)?,
            verify_token,
            user_token: read(SecretKind::UserAccessToken)?,
            ..Self::default()
        };
        inputs.given().into_iter().try_for_each(|(kind, secret)| accept(workspace, kind, secret))?;
        Ok(inputs)
    }

    /// Reads the secret of a reference, which stays where it is.
    pub fn refer(&mut self, workspace: &Workspace, kind: SecretKind, text: &str) -> Result<(), Error> {
        let (reference, secret) = from_reference(workspace, kind, text)?;
        accept(workspace, kind, &secret)?;
        self.put(kind, Some(secret));
        self.references.insert(kind, reference);
        Ok(())
    }

    /// Replaces the secret of this kind, or removes it.
    pub fn put(&mut self, kind: SecretKind, secret: Option<Secret>) {
        self.references.remove(&kind);
        match kind {
            SecretKind::PageAccessToken => {
                // Another Page token came from another token.
                self.user_token = None;
                self.token = secret;
            }
            SecretKind::UserAccessToken => self.user_token = secret,
            SecretKind::AppSecret => self.app_secret = secret,
            SecretKind::VerifyToken | SecretKind::NextVerifyToken | SecretKind::PlanKey => {
                self.generated = false;
                self.verify_token = secret;
            }
        }
    }

    /// Takes the Page's own token in place of a person's or a system user's, and that one as the
    /// user token if it is to be kept.
    pub fn take_own(&mut self, own: Secret, parent: Secret) {
        self.put(SecretKind::PageAccessToken, Some(own));
        if self.keep_user_token {
            self.put(SecretKind::UserAccessToken, Some(parent));
        }
    }

    /// Says so if a user token was to be kept and the token was a Page's own.
    pub fn say_nothing_was_kept(&self, workspace: &Workspace) {
        if self.keep_user_token && self.token.is_some() && self.user_token.is_none() {
            workspace.warning(
                "--keep-user-token kept nothing: the token is the Page's own, not a person's or a system user's",
            );
        }
    }

    /// The change for a given secret: stored, or referred to.
    pub fn change(&self, kind: SecretKind, secret: &Secret, target: Target) -> Change {
        let new = match self.references.get(&kind) {
            Some(reference) => New::Reference(reference.clone()),
            None => New::Value(secret.clone(), target),
        };
        Change { kind, new: Some(new) }
    }

    /// Whether a store must keep something: a value, or a generated verify token.
    pub fn keeps_anything(&self) -> bool {
        let kept = |(kind, _): &(SecretKind, &Secret)| !self.references.contains_key(kind);
        self.verify_token.is_none() || self.given().iter().any(kept)
    }

    /// The given secrets, in the order in which they are stored.
    pub fn given(&self) -> Vec<(SecretKind, &Secret)> {
        let all = [
            (SecretKind::PageAccessToken, &self.token),
            (SecretKind::AppSecret, &self.app_secret),
            (SecretKind::VerifyToken, &self.verify_token),
            (SecretKind::UserAccessToken, &self.user_token),
        ];
        all.into_iter().filter_map(|(kind, secret)| Some((kind, secret.as_ref()?))).collect()
    }
}

/// The key in the env store, which uses the account's handle.
pub fn variable_key(handle: &Handle, kind: SecretKind) -> SecretKey {
    SecretKey { account_id: String::new(), handle: handle.to_string(), account_name: String::new(), kind }
}

fn from_reference(workspace: &Workspace, kind: SecretKind, text: &str) -> Result<(SecretRef, Secret), Error> {
    let reference = SecretRef::parse_reference(text).map_err(|error| {
        let shown = redact(text);
        Error::usage(format!("'{shown}' is not a valid reference to the {kind}: {error}"))
    })?;
    let reference = match current_directory() {
        Some(directory) => reference.absolute(&directory),
        None => reference,
    };
    if workspace.is_own_entry(&reference) {
        return Err(Error::usage(format!("{reference} is msgrctl's own entry and belongs to one of its accounts"))
            .hint("name an entry that another program keeps, or give the secret itself"));
    }
    let found = workspace.referred(&reference).map_err(|error| Error::from(error).context(format!("the {kind}")))?;
    let secret = found.ok_or_else(|| {
        Error::credentials(format!("there is no {kind} at {reference}")).hint("put it there, and run the command again")
    })?;
    Ok((reference, secret))
}

/// Reads one from a file.
pub fn from_file(kind: SecretKind, path: &Path) -> Result<Secret, Error> {
    let bytes = files::read_bytes(path, LIMIT).map_err(|error| {
        let shown = Error::usage(format!("the {kind} could not be read")).cause(error.to_string());
        match std::error::Error::source(&error) {
            Some(source) => shown.cause(source.to_string()),
            None => shown,
        }
    })?;
    clean(kind, &bytes, &path.display().to_string())
}

/// The secret in `bytes` from `place`, without the blanks and quotes of a copy.
pub fn clean(kind: SecretKind, bytes: &[u8], place: &str) -> Result<Secret, Error> {
    Secret::from_copy(bytes).map_err(|error| {
        Error::usage(format!("the {kind} from {place} cannot be used: {error}"))
            .hint(format!("where to find it: {}", of_secret(kind).found))
    })
}

/// Refuses what cannot be such a secret; warns of oddities.
pub fn accept(workspace: &Workspace, kind: SecretKind, secret: &Secret) -> Result<(), Error> {
    match secret.judge(kind, Giver::Person) {
        Verdict::Taken => Ok(()),
        Verdict::Odd(why) => {
            workspace.warning(&format!("the {kind} {why}"));
            Ok(())
        }
        Verdict::Refused(shape, why) => Err(Error::usage(format!("the {kind} {why}")).hint(match (kind, shape) {
            (_, Shape::WhiteSpace) => "copy it again, only the value and all of it".to_owned(),
            (SecretKind::UserAccessToken, _) => {
                format!("give the token of the person or system user: {}", of_secret(kind).found)
            }
            (SecretKind::PageAccessToken, _) => format!("create a Page access token (EAA…): {}", dashboard::TOKENS),
            (SecretKind::AppSecret, _) => format!("where to find it: {}", dashboard::APP),
            (SecretKind::VerifyToken | SecretKind::NextVerifyToken | SecretKind::PlanKey, _) => {
                "a verify token goes to the callback URL as it is: choose letters and digits, or have one made with --generate-verify-token".to_owned()
            }
        })),
    }
}
