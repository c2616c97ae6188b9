//! Reads the secrets of a manifest's accounts, each once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use crate::accounts::Account;
use crate::operations::secrets::{absent, place};
use crate::operations::{Error, Workspace};
use crate::provision::draft::{Draft, NewSecret};
use crate::provision::kept::{SecretSeen, key_of};
use crate::provision::plan::Problem;
use crate::secrets::{Giver, Secret, SecretKind, SecretRef, StoreError, StoreName, Verdict};

/// Reads secrets from their places.
pub struct Places<'w> {
    workspace: &'w Workspace,
    allow_commands: bool,
    /// Values of references: thousands of accounts may share one.
    known: RefCell<HashMap<String, Result<Option<Secret>, StoreError>>>,
}

/// The secrets of one account.
#[derive(Default)]
pub struct Found {
    /// The planned page access token.
    pub token: Option<Secret>,
    pub app_secret: Option<Secret>,
    /// The secrets to copy, compared with the stored ones.
    pub copies: BTreeMap<SecretKind, SecretSeen>,
    /// Why the account's verify token may not be read.
    pub closed: Option<Problem>,
}

impl<'w> Places<'w> {
    /// Reads with the stores of `workspace`; runs programs only with `allow_commands`.
    pub fn new(workspace: &'w Workspace, allow_commands: bool) -> Self {
        Self { workspace, allow_commands, known: RefCell::default() }
    }

    /// Every secret of a planned account, or all problems at once.
    pub fn read(&self, draft: &Draft, after: &Account) -> Result<Found, Vec<Problem>> {
        let mut found = Found::default();
        let mut problems = Vec::new();
        for kind in SecretKind::IN_MANIFEST {
            match (kind, self.one(kind, draft, after, &mut found)) {
                (SecretKind::PageAccessToken, Ok(value)) => found.token = value,
                (SecretKind::AppSecret, Ok(value)) => found.app_secret = value,
                (_, Ok(_)) => {}
                (_, Err(problem)) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    fn one(
        &self,
        kind: SecretKind,
        draft: &Draft,
        after: &Account,
        found: &mut Found,
    ) -> Result<Option<Secret>, Problem> {
        let new = draft.secrets.iter().find(|(of, _)| *of == kind).map(|(_, new)| new);
        let value = match new {
            Some(NewSecret::Refer(place)) => Some(self.needed(kind, place, after)?),
            Some(NewSecret::Copy { from, to }) => {
                let (seen, value) = self.copy(kind, from, &SecretRef::Stored(*to), draft.before.as_ref())?;
                found.copies.insert(kind, seen);
                value
            }
            Some(NewSecret::Generate(store)) => {
                self.workspace.store(*store).probe().map_err(|error| stuck(kind, error))?;
                None
            }
            // An unchanged verify token is read only when an app's webhook is set.
            None if kind == SecretKind::VerifyToken => {
                let place = draft.before.as_ref().and_then(|before| before.secrets.get(&kind));
                found.closed = place.and_then(|place| self.allowed(kind, place).err());
                None
            }
            None => match &draft.before {
                // Variables of the env store follow the handle.
                Some(before) if before.secrets.get(&kind) == Some(&SecretRef::Stored(StoreName::Env)) => {
                    self.kept(kind, after)?
                }
                Some(before) => self.kept(kind, before)?,
                None => None,
            },
        };
        if let (Some(value), Some(_)) = (&value, new) {
            judge(kind, value)?;
        }
        Ok(value)
    }

    /// The secret of a reference.
    fn needed(&self, kind: SecretKind, place: &SecretRef, after: &Account) -> Result<Secret, Problem> {
        let value = match place {
            SecretRef::Stored(_) => self.workspace.secret(after, kind).map_err(|error| stuck(kind, error))?,
            place => self.referred(kind, place)?,
        };
        value.ok_or_else(|| gone(kind, after))
    }

    fn copy(
        &self,
        kind: SecretKind,
        from: &SecretRef,
        to: &SecretRef,
        before: Option<&Account>,
    ) -> Result<(SecretSeen, Option<Secret>), Problem> {
        let kept = match before {
            Some(before) if before.secrets.get(&kind) == Some(to) => {
                self.workspace.secret(before, kind).map_err(|error| stuck(kind, error))?
            }
            _ => None,
        };
        if let Some(store) = to.store() {
            self.workspace.store(store).probe().map_err(|error| stuck(kind, error))?;
        }
        Ok(match self.referred(kind, from)? {
            Some(source) => (SecretSeen::Read { source: source.clone(), kept }, Some(source)),
            None => (SecretSeen::Gone { why: absent(from, kind), kept: kept.is_some() }, kept),
        })
    }

    /// The stored secret; `None` if there never was one, except for the token, which every call
    /// needs.
    fn kept(&self, kind: SecretKind, before: &Account) -> Result<Option<Secret>, Problem> {
        let Some(place) = before.secrets.get(&kind) else {
            return match kind {
                SecretKind::PageAccessToken => Err(gone(kind, before)),
                _ => Ok(None),
            };
        };
        self.allowed(kind, place)?;
        let value = self.workspace.secret(before, kind).map_err(|error| stuck(kind, error))?;
        Ok(Some(value.ok_or_else(|| gone(kind, before))?))
    }

    fn referred(&self, kind: SecretKind, place: &SecretRef) -> Result<Option<Secret>, Problem> {
        self.allowed(kind, place)?;
        let name = place.to_string();
        if let Some(known) = self.known.borrow().get(&name) {
            return known.clone().map_err(|error| stuck(kind, error));
        }
        let found = self.workspace.referred(place);
        self.known.borrow_mut().insert(name, found.clone());
        found.map_err(|error| stuck(kind, error))
    }

    /// Refuses a command without `--allow-commands`: file and records may come from a stranger,
    /// since CI keeps both between runs.
    fn allowed(&self, kind: SecretKind, place: &SecretRef) -> Result<(), Problem> {
        if self.workspace.is_own_entry(place) {
            return Err(Problem::new(
                format!("{}: {place} is msgrctl's own entry and belongs to one of its accounts", key_of(kind)),
                "name an entry that another program keeps, or write {stored: true} for the secret that the account has",
            ));
        }
        if !matches!(place, SecretRef::Command(_)) || self.allow_commands {
            return Ok(());
        }
        Err(Problem::new(
            format!(
                "{} comes from a command ({place}), and commands run only with --allow-commands; neither it nor Meta was checked",
                key_of(kind)
            ),
            "review the command; then give --allow-commands",
        ))
    }
}

/// Refuses what is probably not a secret of this kind: a file that a stranger may have
/// changed could send it to Graph or to the callback.
fn judge(kind: SecretKind, secret: &Secret) -> Result<(), Problem> {
    match secret.judge(kind, Giver::File) {
        Verdict::Refused(_, why) => Err(Problem::new(
            format!("{}: the value there {why}", key_of(kind)),
            match kind {
                SecretKind::VerifyToken => {
                    "a verify token goes to the callback URL as it is: put letters and digits there, or name another place in the file"
                }
                _ => "put the right one there, or name another place in the file",
            },
        )),
        Verdict::Taken | Verdict::Odd(_) => Ok(()),
    }
}

fn gone(kind: SecretKind, account: &Account) -> Problem {
    let why = place(account, kind);
    let hint = match account.secrets.get(&kind).and_then(SecretRef::store) {
        Some(StoreName::Keyring | StoreName::File | StoreName::Vault) => {
            format!(
                "store it again: msgrctl secret set {} {} --stdin; then run this again",
                account.handle,
                kind.argument()
            )
        }
        _ => "put it there, or name another place in the file; then run this again".to_owned(),
    };
    Problem::new(format!("{}: {why}", key_of(kind)), hint)
}

fn stuck(kind: SecretKind, error: StoreError) -> Problem {
    let problem = Problem::from(Error::from(error));
    Problem { summary: format!("{}: {}", key_of(kind), problem.summary), ..problem }
}
