//! Contexts beside the one of this process: on another thread, of a step of the demo.

use std::io::Read;
use std::rc::Rc;

use super::{Context, Input};
use crate::cli::global::Global;
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

impl Context {
    /// A context for one step of the demo: other variables, other input, secrets
    /// in a memory that outlives the step.
    pub fn for_step(&self, env: Environment, global: &Global, stdin: Box<dyn Read>, memory: MemoryStore) -> Self {
        Self::of(env, self.output.clone(), global, self.command().into(), Some(memory), unasked(stdin))
    }

    /// What another thread needs to make a context like this one, which asks nothing.
    pub fn seed(&self) -> Seed {
        let key = self.opened_stores().and_then(|stores| stores.file().known_key());
        Seed { env: self.env.clone(), global: self.global.clone(), memory: self.memory().cloned(), key }
    }

    /// A context on another thread, with its own output and without a terminal.
    pub fn of_seed(seed: Seed, output: Output) -> Self {
        let input = unasked(Box::new(std::io::empty()));
        let context = Self::of(seed.env, Rc::new(output), &seed.global, String::new(), seed.memory, input);
        if let Some(key) = seed.key {
            context.stores().file().know_key(key);
        }
        context
    }
}

fn unasked(stdin: Box<dyn Read>) -> Input {
    let silent = Screen { width: None, color: false, unicode: false };
    Input { stdin, is_terminal: false, prompter: Rc::new(Person { screen: silent }) }
}
