//! Changes an account's fields and secrets.

use super::add::Saved;
use super::commands;
use super::fields::Fields;
use super::gate::Gate;
use super::inputs::SecretInputs;
use super::owner::{OwnToken, Question};
use super::rename::relabel;
use super::test::{self, Credentials, WARN_DAYS};
use crate::accounts::{self, Account, Name};
use crate::checks::{Report, Subject};
use crate::graph::{AppCredentials, Client};
use crate::operations::change::{self, Change, New, Target};
use crate::operations::health::SetUps;
use crate::operations::secrets::is_in_variables;
use crate::operations::{Error, Origin, Workspace, health, key, unstored};
use crate::secrets::{SecretKind, SecretRef, StoreError, StoreName};

/// The fields that can be cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// The app id and the app secret.
    App,
    CallbackUrl,
    /// The kept user access token.
    UserToken,
}

/// The changes of an account.
#[derive(Clone, Default)]
pub struct Edit {
    /// A new name.
    pub name: Option<Name>,
    pub given: Fields,
    pub inputs: SecretInputs,
    pub clear: Vec<Clear>,
    /// What the account must pass before it is saved.
    pub gate: Gate,
    /// The store for new secrets; overrides the settings.
    pub store: Option<StoreName>,
    /// How to save an account that fails the test.
    pub to_save: &'static str,
}

/// A change that may be carried out.
pub struct Prepared {
    edit: Edit,
    old: Account,
    new: Account,
    changes: Vec<Change>,
}

impl Prepared {
    /// The secrets that are removed (`removed`), or replaced.
    pub fn touched(&self, removed: bool) -> Vec<SecretKind> {
        let of_old = |change: &&Change| self.old.secrets.contains_key(&change.kind);
        let touched = self.changes.iter().filter(of_old).filter(|change| change.new.is_none() == removed);
        touched.map(|change| change.kind).collect()
    }
}

/// Prepares the change; `None` if nothing changes.
pub fn prepare(workspace: &Workspace, old: &Account, edit: Edit) -> Result<Option<Prepared>, Error> {
    let mut new = old.clone();
    apply(&mut new, &edit);
    let mut changes = changes(workspace, &edit, old)?;
    if edit.inputs.app_secret.is_none()
        && !edit.clear.contains(&Clear::App)
        && let Some(adopted) = adopted_app_secret(workspace, &new)?
    {
        // The test that follows already uses it.
        new.secrets.insert(adopted.kind, SecretRef::Stored(StoreName::Env));
        changes.push(adopted);
    }
    if edit.inputs.app_secret.is_some() && new.app_id.is_none() {
        return Err(Error::usage("an app secret needs its app id")
            .hint(format!("msgrctl account edit {} --app-id APP_ID --app-secret-stdin", old.handle)));
    }
    if new == *old && changes.is_empty() {
        return Ok(None);
    }
    let mut others = workspace.accounts()?.load()?;
    others.retain(|other| other.id != old.id);
    accounts::check_renamed(&others, old, &new)?;
    change::check_variables(workspace, &new, Some(old))?;
    if new.page_id != old.page_id {
        change::warn_of_twins(workspace, &new)?;
    }
    if new.callback_url != old.callback_url || new.app_id != old.app_id {
        change::warn_of_other_callbacks(workspace, &new)?;
    }
    Ok(Some(Prepared { edit, old: old.clone(), new, changes }))
}

/// Tests and saves. Fields that only another process changed in the meantime stay.
pub fn carry_out(workspace: &Workspace, mut prepared: Prepared) -> Result<Saved, Error> {
    // Fail now rather than at the end.
    let stores = prepared.changes.iter().filter_map(|change| change.new.as_ref()?.store());
    let probe = |store| workspace.store(store).probe().map_err(|error| unstored(workspace, error));
    stores.into_iter().try_for_each(probe)?;
    prepared.check_user_token(workspace)?;
    let report = if prepared.is_judged(workspace)? { Some(prepared.test(workspace)?) } else { None };
    let Prepared { edit, old, mut new, changes } = prepared;
    let page_name = report.as_ref().and_then(|report| report.page_name.clone());
    let now = workspace.now();
    let touched: Vec<SecretKind> = changes.iter().map(|change| change.kind).collect();
    let store = workspace.accounts()?;
    let account = change::save(workspace, &mut new, changes, |new| {
        store.update(&old.id, |current| {
            apply(current, &edit);
            for kind in touched {
                match new.secrets.get(&kind) {
                    Some(source) => current.secrets.insert(kind, source.clone()),
                    None => current.secrets.remove(&kind),
                };
            }
            current.page_name = page_name.or(current.page_name.take());
            current.updated_at = now;
        })
    })?;
    if account.name != old.name {
        relabel(workspace, &account);
    }
    health::keep_one(workspace, &account, report.as_ref());
    say_what_meta_has(workspace, &old, &account, edit.inputs.verify_token.is_some());
    if edit.inputs.token.is_some()
        && edit.inputs.user_token.is_none()
        && account.secrets.contains_key(&SecretKind::UserAccessToken)
    {
        workspace.notice(&format!(
            "the kept user access token is the one from before; if the new token came from another: msgrctl secret remove {} user-access-token --yes",
            account.handle
        ));
    }
    Ok(Saved { account, report, made_verify_token: edit.inputs.generated })
}

/// A change here does not reach Meta. Without an app nothing is subscribed there.
fn say_what_meta_has(workspace: &Workspace, old: &Account, new: &Account, new_verify_token: bool) {
    if old.app_id.is_none() && new.app_id.is_none() {
        return;
    }
    let handle = &new.handle;
    if old.callback_url.is_none() && new.callback_url.is_some() {
        workspace.notice(&format!(
            "Meta sends to the callback URL once it is subscribed: msgrctl webhook subscribe {handle}"
        ));
    } else if old.callback_url.is_some() && new.callback_url.is_none() {
        workspace.notice(&format!(
            "Meta still sends to the old callback URL; to stop that: msgrctl webhook unsubscribe {handle} --app"
        ));
    } else if new.callback_url != old.callback_url {
        workspace.notice(&format!(
            "what Meta has stays as it is; to have it send to the new callback URL: msgrctl webhook subscribe {handle}"
        ));
    }
    if new_verify_token && old.callback_url.is_some() && new.callback_url.is_some() {
        workspace.notice(&format!(
            "the contact centre's form and Meta still have the old verify token: type the new one into the form, then: msgrctl webhook subscribe {handle} --resend"
        ));
        workspace
            .notice(&format!("next time, use this to change it in the right order: msgrctl webhook rotate {handle}"));
    }
}

impl Prepared {
    /// Whether the change can affect Meta's answer, and Graph is asked.
    fn is_judged(&self, workspace: &Workspace) -> Result<bool, Error> {
        let Self { edit, old, new, .. } = self;
        if edit.gate == Gate::Untested || !needs_test(old, new, edit) {
            return Ok(false);
        }
        // The first of several lost secrets can only be given back untested; nothing that is
        // there, and nothing else, is replaced so.
        let may_wait = edit.gate == Gate::Anyway || self.gives_back_only(workspace)?;
        let untestable =
            may_wait && edit.inputs.token.is_none() && workspace.secret(old, SecretKind::PageAccessToken)?.is_none();
        if untestable {
            let give = commands::saved(old).replace_token;
            workspace.warning(&format!("not tested: the account has no page access token; to give it one: {give}"));
        }
        Ok(!untestable)
    }

    /// Whether the change is nothing but an app secret whose place is empty.
    fn gives_back_only(&self, workspace: &Workspace) -> Result<bool, Error> {
        let Self { edit, old, new, .. } = self;
        let same = (&old.page_id, &old.page_username, &old.app_id) == (&new.page_id, &new.page_username, &new.app_id);
        let is_lost = |kind| Ok::<_, Error>(old.secrets.contains_key(&kind) && workspace.secret(old, kind)?.is_none());
        let in_a_store_of_ours = |kind| {
            old.secrets.get(&kind).and_then(SecretRef::store).is_some_and(|store| StoreName::KEEPING.contains(&store))
        };
        let both = [SecretKind::AppSecret, SecretKind::PageAccessToken];
        Ok(same
            && edit.inputs.app_secret.is_some()
            && both.into_iter().all(in_a_store_of_ours)
            && is_lost(SecretKind::AppSecret)?
            && is_lost(SecretKind::PageAccessToken)?)
    }

    /// Refuses a user token, given alone, that does not reach the account's Page: it could not
    /// renew the Page's token.
    fn check_user_token(&self, workspace: &Workspace) -> Result<(), Error> {
        let Self { edit, new, .. } = self;
        let Some(token) = edit.inputs.user_token.as_ref().filter(|_| edit.inputs.token.is_none()) else {
            return Ok(());
        };
        workspace.check_realm(new)?;
        let client = workspace.graph()?;
        let app = match &new.app_id {
            Some(id) => workspace.secret(new, SecretKind::AppSecret)?.map(|secret| (id.to_string(), secret)),
            None => None,
        };
        let signer = app.map(|(id, secret)| AppCredentials { id, secret });
        let named = Some(&new.page_id);
        let question = Question { workspace, client: &client, token, signer: signer.as_ref(), named };
        match question.check_reaches() {
            Err(error) if edit.gate == Gate::Anyway && !error.is_interrupt() => {
                workspace.warning(error.message());
                Ok(())
            }
            result => result.map_err(|error| error.hint(edit.to_save)),
        }
    }

    /// Tests the changed account. A person's token that reaches the account's Page is replaced
    /// with that Page's own.
    fn test(&mut self, workspace: &Workspace) -> Result<Report, Error> {
        workspace.check_realm(&self.old)?;
        let client = workspace.graph()?;
        let name = self.new.name.clone();
        let subject = self.subject(workspace)?;
        let mut report = test::run(workspace, &client, name.as_str(), &subject)?;
        if test::lacks_page_token(&report) && self.take_own_token(workspace, &client, &subject)? {
            report = test::run(workspace, &client, name.as_str(), &self.subject(workspace)?)?;
        }
        let gives_app = self.edit.inputs.app_secret.is_some() || self.edit.given.app_id.is_some();
        if !gives_app && report.lacks_only_the_app_secret() {
            let give = commands::saved(&self.old).add_app;
            workspace.warning(&format!("saved, and the app secret is still missing; to give it: {give}"));
            return Ok(report);
        }
        self.edit.gate.judge(workspace, &report, name.as_str(), self.edit.to_save)?;
        self.edit.inputs.say_nothing_was_kept(workspace);
        Ok(report)
    }

    fn take_own_token(&mut self, workspace: &Workspace, client: &Client, subject: &Subject) -> Result<bool, Error> {
        let Some(token) = &self.edit.inputs.token else { return Ok(false) };
        let named = Some(&self.new.page_id);
        let OwnToken { token: own, parent, .. } =
            match (Question { workspace, client, token, signer: subject.app.as_ref(), named }).own_page() {
                Ok(Some(own)) => own,
                Ok(None) => return Ok(false),
                // The account may be saved even without the Page's own token.
                Err(error) if self.edit.gate == Gate::Anyway && !error.is_interrupt() => {
                    workspace.warning(error.message());
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
        let of_token =
            |change: &Change| [SecretKind::PageAccessToken, SecretKind::UserAccessToken].contains(&change.kind);
        self.edit.inputs.take_own(own, parent);
        let fresh = changes(workspace, &self.edit, &self.old)?.into_iter();
        self.changes.retain(|change| !of_token(change));
        self.changes.extend(fresh.filter(of_token));
        Ok(true)
    }

    fn subject(&self, workspace: &Workspace) -> Result<Subject, Error> {
        let Self { edit: Edit { inputs, .. }, old, new, .. } = self;
        let token = match &inputs.token {
            Some(token) => Some(token.clone()),
            None => workspace.secret(old, SecretKind::PageAccessToken)?,
        };
        let token = token.ok_or_else(|| {
            let both = format!("msgrctl account edit {} --token-file FILE --app-secret-file FILE --yes", old.handle);
            test::no_token(old).hint(format!("or both secrets at once: {both}"))
        })?;
        let app_secret = match &inputs.app_secret {
            Some(secret) => Some(secret.clone()),
            None if new.app_id.is_some() => workspace.secret(new, SecretKind::AppSecret)?,
            None => None,
        };
        let verify_token = match (&inputs.verify_token, &new.callback_url) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(_)) => workspace.secret(old, SecretKind::VerifyToken),
            (None, None) => Ok(None),
        };
        let user_token = match &inputs.user_token {
            // Another Page token may have come from another.
            None if inputs.token.is_none() => workspace.secret(old, SecretKind::UserAccessToken).ok().flatten(),
            given => given.clone(),
        };
        let credentials = Credentials { token, app_secret, verify_token, user_token };
        let subject = test::subject(new, workspace.chat_settings()?.load()?, credentials, WARN_DAYS, true);
        Ok(Subject { was_set_up: SetUps::of(workspace).levels(new), ..subject })
    }
}

/// Copies the given values into the account.
fn apply(account: &mut Account, edit: &Edit) {
    let Fields { page_username, page_id, app_id, callback_url, handle } = edit.given.clone();
    if page_id.as_ref().is_some_and(|id| *id != account.page_id) {
        // The name belonged to the other Page.
        account.page_name = None;
    }
    account.name = edit.name.clone().unwrap_or(account.name.clone());
    account.page_id = page_id.unwrap_or(account.page_id.clone());
    account.page_username = page_username.unwrap_or(account.page_username.clone());
    account.handle = handle.unwrap_or(account.handle.clone());
    account.app_id = app_id.or(account.app_id.take());
    account.callback_url = callback_url.or(account.callback_url.take());
    for clear in &edit.clear {
        match clear {
            Clear::App => account.app_id = None,
            Clear::CallbackUrl => account.callback_url = None,
            // It is only a secret.
            Clear::UserToken => {}
        }
    }
}

/// The env store's app secret: once its variable and an app id are set, the record
/// names it.
fn adopted_app_secret(workspace: &Workspace, account: &Account) -> Result<Option<Change>, Error> {
    let kind = SecretKind::AppSecret;
    if !is_in_variables(account) || account.app_id.is_none() || account.secrets.contains_key(&kind) {
        return Ok(None);
    }
    let found = workspace.store(StoreName::Env).get(&key(account, kind))?;
    Ok(found.map(|_| Change { kind, new: Some(New::Reference(SecretRef::Stored(StoreName::Env))) }))
}

/// The change of each secret. `--store` says where a new one goes; without it a secret stays
/// in its store.
fn changes(workspace: &Workspace, edit: &Edit, old: &Account) -> Result<Vec<Change>, Error> {
    let Edit { inputs, clear, .. } = edit;
    let settings = workspace.settings()?;
    let mut changes = Vec::new();
    for (kind, secret) in inputs.given() {
        let here = old.secrets.get(&kind).and_then(SecretRef::store);
        let set = settings.store.origin != Origin::BuiltIn;
        let chosen = edit.store.or(set.then_some(settings.store.value));
        let store = chosen.or(here).unwrap_or(settings.store.value);
        if store == StoreName::Env && !inputs.references.contains_key(&kind) {
            let variable = key(old, kind).variable();
            return Err(StoreError::ReadOnly(variable).into());
        }
        let target = if chosen.is_some() { Target::Chosen(store) } else { Target::WhereItIs(store) };
        changes.push(inputs.change(kind, secret, target));
    }
    for (field, kind) in [(Clear::App, SecretKind::AppSecret), (Clear::UserToken, SecretKind::UserAccessToken)] {
        if clear.contains(&field) && old.secrets.contains_key(&kind) {
            changes.push(Change { kind, new: None });
        }
    }
    Ok(changes)
}

/// Whether the change can affect Meta's answer.
fn needs_test(old: &Account, new: &Account, edit: &Edit) -> bool {
    let clears_app = edit.clear.contains(&Clear::App);
    old.page_id != new.page_id
        || old.page_username != new.page_username
        || old.app_id != new.app_id && !clears_app
        || edit.inputs.token.is_some()
        || edit.inputs.app_secret.is_some()
        || old.secrets.get(&SecretKind::AppSecret) != new.secrets.get(&SecretKind::AppSecret) && !clears_app
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::trial::Trial;
    use crate::secrets::Secret;

    const TOKEN: SecretKind = SecretKind::PageAccessToken;

    fn prepared(trial: &Trial, old: &Account, edit: Edit) -> Prepared {
        let edit = Edit { gate: Gate::Untested, ..edit };
        prepare(&trial.workspace, old, edit).expect("possible").expect("a change")
    }

    fn new_token() -> Edit {
        let mut edit = Edit::default();
        edit.inputs.put(TOKEN, Some(Secret::new("EAABnew")));
        edit
    }

    fn callback(url: &str) -> Edit {
        Edit {
            given: Fields { callback_url: Some(url.parse().expect("a URL")), ..Fields::default() },
            ..Edit::default()
        }
    }

    #[test]
    fn a_secret_is_replaced_where_it_is_and_only_when_it_is_carried_out() {
        let trial = Trial::new();
        let old = trial.account("Acme");
        let prepared = prepared(&trial, &old, new_token());
        assert_eq!((prepared.touched(false), prepared.touched(true)), (vec![TOKEN], Vec::new()));
        assert_eq!(trial.secret(&old, TOKEN), Some(Secret::new("EAABold")));
        carry_out(&trial.workspace, prepared).expect("saved");
        assert_eq!(trial.secret(&old, TOKEN), Some(Secret::new("EAABnew")));
    }

    #[test]
    fn a_secret_is_rolled_back_where_the_account_is_gone_meanwhile() {
        let trial = Trial::new();
        let old = trial.account("Acme");
        let prepared = prepared(&trial, &old, new_token());
        trial.workspace.accounts().expect("accounts").remove_all(&[&old.id]).expect("removed");
        let error = carry_out(&trial.workspace, prepared).err().expect("gone");
        assert!(error.message().ends_with("the secrets were rolled back"), "{}", error.message());
        assert_eq!(trial.secret(&old, TOKEN), Some(Secret::new("EAABold")));
    }

    #[test]
    fn what_another_command_changes_meanwhile_stays() {
        let trial = Trial::new();
        let old = trial.account("Acme");
        let first = prepared(&trial, &old, callback("https://example.com/a"));
        let second = prepared(&trial, &old, new_token());
        carry_out(&trial.workspace, second).expect("saved");
        let saved = carry_out(&trial.workspace, first).expect("saved").account;
        assert_eq!(saved.callback_url.map(|url| url.as_str().to_owned()).as_deref(), Some("https://example.com/a"));
        assert_eq!(trial.secret(&old, TOKEN), Some(Secret::new("EAABnew")));
    }

    #[test]
    fn what_is_taken_away_goes_with_its_secret_and_the_same_again_is_no_change() {
        let trial = Trial::new();
        let old = trial.account("Acme");
        let mut edit = Edit::default();
        edit.given.app_id = Some("123456789012345".parse().expect("an app id"));
        edit.inputs.put(SecretKind::AppSecret, Some(Secret::new("0123456789abcdef0123456789abcdef")));
        let with_app = carry_out(&trial.workspace, prepared(&trial, &old, edit)).expect("saved").account;
        assert!(trial.secret(&old, SecretKind::AppSecret).is_some());
        let clear = || Edit { clear: vec![Clear::App], ..Edit::default() };
        let removal = prepared(&trial, &with_app, clear());
        assert_eq!(removal.touched(true), [SecretKind::AppSecret]);
        let without = carry_out(&trial.workspace, removal).expect("saved").account;
        assert_eq!((&without.app_id, trial.secret(&old, SecretKind::AppSecret)), (&None, None));
        assert!(prepare(&trial.workspace, &without, clear()).expect("possible").is_none());
        let mut alone = Edit::default();
        alone.inputs.put(SecretKind::AppSecret, Some(Secret::new("0123456789abcdef0123456789abcdef")));
        assert!(prepare(&trial.workspace, &without, alone).is_err(), "an app secret needs its app id");
    }
}
