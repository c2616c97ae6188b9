//! What a command works with: a workspace and the terminal.

use std::cell::RefCell;
use std::io::Read;
use std::ops::Deref;
use std::rc::Rc;

use secrecy::zeroize::Zeroizing;

use super::error::CliError;
use super::global::Global;
use super::reporter::Terminal;
use crate::env::Environment;
use crate::files;
use crate::operations::{Given, Workspace, calls};
use crate::secrets::MemoryStore;
use crate::touched;
use crate::ui::interrupt;
use crate::ui::output::Output;
use crate::ui::prompt::{Person, Prompter};

/// Everything a command may need; dereferences to a [`Workspace`].
pub struct Context {
    workspace: Workspace,
    /// Where output goes.
    pub output: Rc<Output>,
    pub(super) global: Global,
    stdin: RefCell<Box<dyn Read>>,
    /// Whether a person types what is read from standard input.
    pub stdin_is_terminal: bool,
    /// Whether a prompt can be answered.
    pub someone_can_answer: bool,
    pub prompter: Rc<dyn Prompter>,
}

impl Deref for Context {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

impl Context {
    pub(super) fn new(env: Environment, output: Output, global: &Global, command: String) -> Self {
        Self::of(env, Rc::new(output), global, command, None)
    }

    /// One step of the demo: its own variables, input, and a memory store that outlives it.
    pub fn for_step(&self, env: Environment, global: &Global, stdin: Box<dyn Read>, memory: MemoryStore) -> Self {
        Self::of(env, self.output.clone(), global, self.command.clone(), Some((stdin, memory)))
    }

    /// The demo on another thread: its own output, no terminal.
    pub fn on_thread(env: Environment, global: &Global, memory: MemoryStore, output: Output) -> Self {
        Self::of(env, Rc::new(output), global, String::new(), Some((Box::new(std::io::empty()), memory)))
    }

    /// `demo`: the input and memory of a step of the demo, which never prompts.
    fn of(
        env: Environment,
        output: Rc<Output>,
        global: &Global,
        command: String,
        demo: Option<(Box<dyn Read>, MemoryStore)>,
    ) -> Self {
        let (stdin, stdin_is_terminal, memory): (Box<dyn Read>, _, _) = match demo {
            Some((stdin, memory)) => (stdin, false, Some(memory)),
            None => (Box::new(std::io::stdin()), output.terminal.stdin, None),
        };
        let prompter: Rc<dyn Prompter> =
            Rc::new(Person { screen: output.terminal.err(), can_move: output.terminal.can_move });
        let no_input = global.no_input || env.is_on("MSGRCTL_NO_INPUT");
        // A step of the demo has the terminal, but its own input.
        let someone_can_answer = stdin_is_terminal && output.terminal.someone_can_answer(no_input, &env);
        let reporter = Rc::new(Terminal::new(output.clone(), prompter.clone(), someone_can_answer, &env));
        // They name, check and move the state itself.
        let state_is_optional = matches!(command.split(' ').next(), Some("config" | "doctor" | "state"));
        let given = Given { state_is_optional, ..global.given() };
        let workspace = Workspace::new(env, given, reporter, command).with_memory(memory);
        let context = Self {
            workspace,
            output,
            global: global.clone(),
            stdin: RefCell::new(stdin),
            stdin_is_terminal,
            someone_can_answer,
            prompter,
        };
        context.say_how_to_call();
        context
    }

    /// From here on printed commands carry the flags of this run.
    pub fn say_how_to_call(&self) {
        self.output.set_calls(calls(&self.workspace.given));
    }

    /// The same run in another tenant.
    pub fn in_tenant(&self, tenant: &str) -> Self {
        Self {
            workspace: self.workspace.in_tenant(tenant),
            output: self.output.clone(),
            global: self.global.clone(),
            stdin: RefCell::new(Box::new(std::io::empty())),
            stdin_is_terminal: self.stdin_is_terminal,
            someone_can_answer: self.someone_can_answer,
            prompter: self.prompter.clone(),
        }
    }

    /// Standard input, at most `limit` + 1 bytes. It may be a secret: wiped when dropped.
    pub fn read_stdin(&self, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
        interrupt::install();
        files::fill(&mut **self.stdin.borrow_mut(), 0, limit)
    }

    /// Asks before a change that cannot be undone. Without a terminal --yes is needed; the hint
    /// shows `command` with it, or without a command if empty.
    pub fn confirm(&self, question: &str, command: &str) -> Result<(), CliError> {
        if self.global.yes {
            return Ok(());
        }
        if !self.someone_can_answer {
            return Err(CliError::usage(format!(
                "cannot prompt (not a terminal); {}{question}",
                if touched::anything() { "" } else { "nothing was changed: " }
            ))
            .hint(match command {
                "" => "to confirm in advance: the same command with --yes".into(),
                command => format!("to confirm in advance: {command} --yes"),
            }));
        }
        if self.prompter.confirm(question)? {
            return Ok(());
        }
        Err(CliError::left(if touched::anything() { "not confirmed" } else { "not confirmed; nothing was changed" }))
    }

    /// A typed line, trimmed; see [`Prompter::line`].
    pub fn ask_line(&self, question: &str, offered: &str) -> Result<Option<String>, CliError> {
        Ok(self.prompter.line(question, offered)?.map(|typed| typed.trim().to_owned()))
    }
}
