//! A workspace for tests: files in a directory of its own, secrets in memory.
#![cfg(test)]

use std::rc::Rc;

use super::accounts::draft::Draft;
use super::accounts::fields::Fields;
use super::accounts::inputs::SecretInputs;
use super::{Given, Unseen, Workspace, key};
use crate::accounts::Account;
use crate::channel::Channel;
use crate::env::Environment;
use crate::secrets::{MemoryStore, Secret, SecretKind, SecretStore as _, StoreName};

/// The workspace, and what it uses.
pub struct Trial {
    pub workspace: Workspace,
    pub memory: MemoryStore,
    /// The configuration; removed on drop.
    pub directory: tempfile::TempDir,
}

impl Trial {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let memory = MemoryStore::default();
        let given = Given {
            config_dir: Some(directory.path().join("msgrctl")),
            store: Some(StoreName::Memory),
            key_file: Some(directory.path().join("key")),
            ..Given::default()
        };
        let workspace = Workspace::new(Environment::default(), given, Rc::new(Unseen), "trial");
        Self { workspace: workspace.with_memory(Some(memory.clone())), memory, directory }
    }

    /// Saves an account with a token and a verify token in memory.
    pub fn account(&self, name: &str) -> Account {
        let fields = Fields {
            page_username: Some("acme.support".parse().expect("a username")),
            page_id: Some("109876543210987".parse().expect("a page id")),
            ..Fields::default()
        };
        let inputs = SecretInputs { token: Some(Secret::new("EAABold")), ..SecretInputs::default() };
        let name = Some(name.parse().expect("a name"));
        Draft::new(Channel::Facebook, name, fields, inputs, StoreName::Memory).save(&self.workspace).expect("saved")
    }

    /// The current record.
    pub fn now(&self, account: &Account) -> Account {
        self.workspace.accounts().and_then(|accounts| Ok(accounts.get(&account.id)?)).expect("a record")
    }

    /// The account's secret in memory.
    pub fn secret(&self, account: &Account, kind: SecretKind) -> Option<Secret> {
        self.memory.get(&key(account, kind)).expect("memory answers")
    }
}
