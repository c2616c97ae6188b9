//! An account as Meta is spoken to about it.

use crate::accounts::{Account, AppId};
use crate::graph::AppCredentials;
use crate::graph::endpoints::PageAccess;
use crate::operations::accounts::test;
use crate::operations::{Error, Workspace};
use crate::secrets::{Secret, SecretKind};

/// An account, and what it takes to ask about its webhook.
#[derive(Clone)]
pub struct Target {
    pub account: Account,
    pub token: Secret,
    /// The app with its secret, where that is known.
    pub app: Option<AppCredentials>,
}

impl Target {
    /// Reads what is needed of an account's secrets.
    pub fn of(workspace: &Workspace, account: Account) -> Result<Self, Error> {
        let kind = SecretKind::PageAccessToken;
        let token = workspace
            .secret(&account, kind)
            .map_err(|error| Error::from(error).context(format!("cannot read the {kind} of '{}'", account.name)))?;
        let token = token.ok_or_else(|| test::no_token(&account))?;
        let app = match &account.app_id {
            Some(id) => workspace
                .secret(&account, SecretKind::AppSecret)?
                .map(|secret| AppCredentials { id: id.to_string(), secret }),
            None => None,
        };
        Ok(Self { account, token, app })
    }

    /// The same of each account whose secrets can be read, and how many are skipped since
    /// theirs cannot; when it is the only one, that is the error.
    pub fn all(workspace: &Workspace, accounts: Vec<Account>) -> Result<(Vec<Self>, usize), Error> {
        let alone = accounts.len() == 1;
        let mut targets = Vec::new();
        let mut failed = 0;
        for account in accounts {
            let name = account.name.clone();
            match Self::of(workspace, account) {
                Ok(target) => targets.push(target),
                Err(error) if alone || error.is_interrupt() => return Err(error),
                Err(error) => {
                    workspace.warning(&format!("'{name}' was skipped: {}", error.message()));
                    failed += 1;
                }
            }
        }
        Ok((targets, failed))
    }

    /// The id of the app whose secret is known.
    pub fn known_app(&self) -> Option<&str> {
        self.app.as_ref().map(|app| app.id.as_str())
    }

    /// The id of its app, whose secret may not be known.
    pub fn app_id(&self) -> Option<&str> {
        self.account.app_id.as_ref().map(AppId::as_str)
    }

    /// The Page, as calls about it are made.
    pub fn page(&self) -> PageAccess<'_> {
        PageAccess { page_id: self.account.page_id.as_str(), token: &self.token, app: self.app.as_ref() }
    }

    /// Where its events should go.
    pub fn callback_url(&self) -> Option<String> {
        self.account.callback_url.as_ref().map(|url| url.as_str().to_owned())
    }
}
