//! An account before it is saved: flags, Graph and the wizard fill it in.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::fields::{self, Field, Fields};
use super::gate::SAVE_ANYWAY;
use super::inputs::SecretInputs;
use super::test::{self, Credentials, WARN_DAYS};
use crate::accounts::{self, Account, CallbackUrl, Handle, Name};
use crate::channel::Channel;
use crate::checks::Subject;
use crate::graph::AppCredentials;
use crate::messages::AccountMessages;
use crate::operations::change::{self, Target};
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretRef, StoreName, generate_verify_token};

/// The known values.
#[derive(Clone)]
pub struct Draft {
    id: String,
    /// The channel.
    pub channel: Channel,
    /// The account's name.
    pub name: Option<Name>,
    /// The other fields, except secrets.
    pub given: Fields,
    /// The Page's name at Meta.
    pub page_name: Option<String>,
    /// The secrets.
    pub inputs: SecretInputs,
    /// The store for the secrets.
    pub store: StoreName,
    /// How to save an account that fails the test.
    pub to_save: &'static str,
}

impl Draft {
    /// A new account.
    pub fn new(channel: Channel, name: Option<Name>, given: Fields, inputs: SecretInputs, store: StoreName) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            channel,
            name,
            given,
            page_name: None,
            inputs,
            store,
            to_save: SAVE_ANYWAY,
        }
    }

    /// A new account from a Page's token: Graph is asked for the rest.
    pub fn of_token(workspace: &Workspace, token: Secret) -> Result<Self, Error> {
        let inputs = SecretInputs { token: Some(token), ..SecretInputs::default() };
        // With several channels the caller has to choose.
        let [channel] = Channel::ALL;
        Ok(Self::new(channel, None, Fields::default(), inputs, workspace.settings()?.store.value))
    }

    /// A draft of a saved account: its secrets stay unless others are given.
    pub fn of(account: &Account, store: StoreName) -> Self {
        Self {
            id: account.id.clone(),
            channel: account.channel,
            name: Some(account.name.clone()),
            given: Fields {
                page_username: Some(account.page_username.clone()),
                page_id: Some(account.page_id.clone()),
                app_id: account.app_id.clone(),
                callback_url: account.callback_url.clone(),
                handle: Some(account.handle.clone()),
            },
            page_name: account.page_name.clone(),
            inputs: SecretInputs::default(),
            store,
            to_save: SAVE_ANYWAY,
        }
    }

    /// The required fields that are missing, except the token.
    pub fn missing(&self) -> Vec<&'static Field> {
        let needed = match self.channel {
            Channel::Facebook => [
                (self.name.is_none(), &fields::NAME),
                (self.given.page_username.is_none(), &fields::PAGE_USERNAME),
                (self.given.page_id.is_none(), &fields::PAGE_ID),
                (self.inputs.app_secret.is_some() && self.given.app_id.is_none(), &fields::APP_ID),
            ],
        };
        needed.into_iter().filter_map(|(is_missing, field)| is_missing.then_some(field)).collect()
    }

    /// The app's id and secret, if both are given.
    pub fn signer(&self) -> Option<AppCredentials> {
        let id = self.given.app_id.as_ref()?.to_string();
        Some(AppCredentials { id, secret: self.inputs.app_secret.clone()? })
    }

    /// A taken name or handle ends the command before any work.
    pub fn check_free(&self, workspace: &Workspace) -> Result<(), Error> {
        let existing = workspace.accounts()?.load()?;
        if let Some(name) = &self.name {
            accounts::check_name(&existing, name)?;
        }
        if let Some(handle) = &self.given.handle {
            accounts::check_handle(&existing, handle)?;
        }
        Ok(())
    }

    /// The account as it would be saved, without secrets.
    pub fn account(&self, workspace: &Workspace) -> Result<Account, Error> {
        let (Some(name), Some(page_username), Some(page_id)) =
            (self.name.clone(), self.given.page_username.clone(), self.given.page_id.clone())
        else {
            return Err(fields::missing(&self.missing(), None));
        };
        let now = workspace.now();
        Ok(Account {
            id: self.id.clone(),
            handle: self.given.handle.clone().unwrap_or_else(|| Handle::slug(&name)),
            name,
            channel: self.channel,
            page_username,
            page_id,
            page_name: self.page_name.clone(),
            app_id: self.given.app_id.clone(),
            callback_url: self.given.callback_url.clone(),
            graph: workspace.realm()?,
            created_at: now,
            updated_at: now,
            messages: AccountMessages::default(),
            secrets: BTreeMap::new(),
        })
    }

    /// The callback URL from the tenant's template.
    pub fn callback_of_tenant(&self, workspace: &Workspace) -> Result<Option<CallbackUrl>, Error> {
        let tenant = workspace.tenant()?;
        if tenant.callback_template.is_none() {
            return Ok(None);
        }
        let name = self.name.clone().map_or_else(|| "account".parse().map_err(Error::from), Ok)?;
        let mut draft = Self { name: Some(name.clone()), ..self.clone() };
        let existing = workspace.accounts()?.load()?;
        draft.given.handle.get_or_insert_with(|| accounts::free_handle(&existing, &Handle::slug(&name)));
        let url = tenant.callback_url(&draft.account(workspace)?).transpose();
        url.map_err(|error| Error::from(error).context("the tenant's callback template"))
    }

    /// The subject of Test Connection.
    pub fn subject(&self, workspace: &Workspace) -> Result<Subject, Error> {
        let token = self.inputs.token.clone().ok_or_else(|| fields::missing(&[&fields::TOKEN], None))?;
        let credentials = Credentials {
            token,
            app_secret: self.inputs.app_secret.clone(),
            verify_token: Ok(self.inputs.verify_token.clone()),
            user_token: self.inputs.user_token.clone(),
        };
        Ok(test::subject(&self.account(workspace)?, workspace.chat_settings()?.load()?, credentials, WARN_DAYS, false))
    }

    /// Saves secrets and record; generates a verify token unless there is one.
    pub fn save(&mut self, workspace: &Workspace) -> Result<Account, Error> {
        let mut account = self.account(workspace)?;
        let store = self.store;
        let changes = if store == StoreName::Env {
            // They stay where they are; the record says so.
            let given = self.inputs.given().into_iter();
            account.secrets = given.map(|(kind, _)| (kind, SecretRef::Stored(store))).collect();
            Vec::new()
        } else {
            if self.inputs.verify_token.is_none() {
                self.inputs.verify_token = Some(generate_verify_token());
                self.inputs.generated = true;
            }
            let given = self.inputs.given().into_iter();
            given.map(|(kind, secret)| self.inputs.change(kind, secret, Target::Chosen(store))).collect()
        };
        change::check_variables(workspace, &account, None)?;
        let derived = self.given.handle.is_none() && store != StoreName::Env;
        let accounts = workspace.accounts()?;
        change::save(workspace, &mut account, changes, |account| accounts.add(account.clone(), derived))
    }
}
