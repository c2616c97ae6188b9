//! Contexts beside the one of this process: of another tenant, on another thread, of a
//! step of the demo.

use std::cell::{OnceCell, RefCell};
use std::io::Read;
use std::rc::Rc;

use super::Context;
use crate::accounts::TenantName;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::env::Environment;
use crate::secrets::{KnownKey, MemoryStore};
use crate::ui::output::Output;
use crate::ui::prompt::Person;
use crate::ui::terminal::Screen;

/// What a context on another thread is made of.
pub struct Seed {
    pub env: Environment,
    pub global: Global,
    /// The demo's memory of secrets.
    pub memory: Option<MemoryStore>,
    /// The key of the encrypted file, whose passphrase may have been typed.
    pub key: Option<KnownKey>,
}

/// Every tenant that has anything, and the one that is worked in; each with a context for
/// its files and stores.
pub struct Tenants<'c> {
    worked_in: (String, &'c Context),
    others: Vec<(String, Context)>,
}

impl Tenants<'_> {
    /// In the order of their names, but for the first: that one is worked in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Context)> {
        let (name, ctx) = &self.worked_in;
        std::iter::once((name.as_str(), *ctx)).chain(self.others.iter().map(|(name, ctx)| (name.as_str(), ctx)))
    }
}

impl Context {
    /// A context for one step of the demo: other variables, other input, secrets
    /// in a memory that outlives the step.
    pub fn for_step(&self, env: Environment, global: &Global, stdin: Box<dyn Read>, memory: MemoryStore) -> Self {
        Self {
            env,
            output: self.output.clone(),
            clock: self.clock.clone(),
            global: global.clone(),
            command: self.command.clone(),
            stdin: RefCell::new(stdin),
            stdin_is_terminal: false,
            memory: Some(memory),
            settings: OnceCell::new(),
            stores: OnceCell::new(),
            keyring: Rc::default(),
            prompter: Rc::new(Person { screen: Screen { width: None, color: false, unicode: false } }),
        }
    }

    /// What another thread needs to make a context like this one, which asks nothing.
    pub fn seed(&self) -> Seed {
        let key = self.stores.get().and_then(|stores| stores.file().known_key());
        Seed { env: self.env.clone(), global: self.global.clone(), memory: self.memory.clone(), key }
    }

    /// A context on another thread, with its own output and without a terminal.
    pub fn of_seed(seed: Seed, output: Output) -> Self {
        let silent = Screen { width: None, color: false, unicode: false };
        let context = Self {
            stdin: RefCell::new(Box::new(std::io::empty())),
            stdin_is_terminal: false,
            memory: seed.memory,
            prompter: Rc::new(Person { screen: silent }),
            ..Self::new(seed.env, output, &seed.global, String::new())
        };
        if let Some(key) = seed.key {
            context.stores().file().know_key(key);
        }
        context
    }

    /// The same run in another tenant: its stores and files.
    pub fn in_tenant(&self, tenant: &str) -> Self {
        let global = Global { tenant: Some(tenant.into()), ..self.global.clone() };
        Self {
            env: self.env.clone(),
            output: self.output.clone(),
            clock: self.clock.clone(),
            global,
            command: self.command.clone(),
            stdin: RefCell::new(Box::new(std::io::empty())),
            stdin_is_terminal: self.stdin_is_terminal,
            memory: self.memory.clone(),
            settings: OnceCell::new(),
            stores: OnceCell::new(),
            keyring: self.keyring.clone(),
            prompter: self.prompter.clone(),
        }
    }

    /// All tenants.
    pub fn tenants(&self) -> Result<Tenants<'_>, CliError> {
        let settings = self.settings()?;
        let name = settings.tenant.value.to_string();
        // Other directories are not of ours.
        let others = self.tenant_names()?.into_iter().filter(|other| *other != name);
        let others = others.filter(|other| other.parse::<TenantName>().is_ok());
        let others = others.map(|other| (other.clone(), self.in_tenant(&other))).collect();
        Ok(Tenants { worked_in: (name, self), others })
    }
}
