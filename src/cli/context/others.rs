//! Contexts beside the one of this process: on another thread, of a step of the demo.

use std::io::Read;
use std::rc::Rc;

use super::{Context, Input};
use crate::cli::global::Global;
use crate::env::Environment;
use crate::secrets::MemoryStore;
use crate::ui::output::Output;
use crate::ui::prompt::Person;
use crate::ui::terminal::Screen;

impl Context {
    /// A context for one step of the demo: other variables, other input, secrets
    /// in a memory that outlives the step.
    pub fn for_step(&self, env: Environment, global: &Global, stdin: Box<dyn Read>, memory: MemoryStore) -> Self {
        Self::of(env, self.output.clone(), global, self.command.clone(), Some(memory), unasked(stdin))
    }

    /// A context of the demo on another thread, with its own output and without a terminal.
    pub fn on_thread(env: Environment, global: &Global, memory: MemoryStore, output: Output) -> Self {
        let input = unasked(Box::new(std::io::empty()));
        Self::of(env, Rc::new(output), global, String::new(), Some(memory), input)
    }
}

fn unasked(stdin: Box<dyn Read>) -> Input {
    let silent = Screen { width: None, color: false, unicode: false };
    Input { stdin, is_terminal: false, prompter: Rc::new(Person { screen: silent }) }
}
