//! What a command works with: a workspace, and the terminal.

mod others;

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
use crate::operations::Workspace;
use crate::secrets::MemoryStore;
use crate::touched;
use crate::ui::interrupt;
use crate::ui::output::Output;
use crate::ui::prompt::{Person, Prompter};

/// Everything a command may need; where an operation wants a [`Workspace`], it is one.
pub struct Context {
    workspace: Workspace,
    /// Where it prints.
    pub output: Rc<Output>,
    pub(super) global: Global,
    stdin: RefCell<Box<dyn Read>>,
    /// Whether a person types what is read from there.
    pub stdin_is_terminal: bool,
    /// Whether a question would be answered.
    pub someone_can_answer: bool,
    pub prompter: Rc<dyn Prompter>,
}

impl Deref for Context {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

/// Where a context reads what is typed.
struct Input {
    stdin: Box<dyn Read>,
    is_terminal: bool,
    prompter: Rc<dyn Prompter>,
}

impl Context {
    /// The context of this process.
    pub(super) fn new(env: Environment, output: Output, global: &Global, command: String) -> Self {
        let terminal = output.terminal;
        let prompter = Rc::new(Person { screen: terminal.err() });
        let input = Input { stdin: Box::new(std::io::stdin()), is_terminal: terminal.stdin, prompter };
        Self::of(env, Rc::new(output), global, command, None, input)
    }

    fn of(
        env: Environment,
        output: Rc<Output>,
        global: &Global,
        command: String,
        memory: Option<MemoryStore>,
        input: Input,
    ) -> Self {
        let Input { stdin, is_terminal, prompter } = input;
        let no_input = global.no_input || env.is_on("MSGRCTL_NO_INPUT");
        // A step of the demo has the terminal, and an input of its own.
        let someone_can_answer = is_terminal && output.terminal.someone_can_answer(no_input, &env);
        let reporter = Rc::new(Terminal::new(output.clone(), prompter.clone(), someone_can_answer, &env));
        let workspace = Workspace::new(env, global.given(), reporter, command).with_memory(memory);
        Self {
            workspace,
            output,
            global: global.clone(),
            stdin: RefCell::new(stdin),
            stdin_is_terminal: is_terminal,
            someone_can_answer,
            prompter,
        }
    }

    /// The same run in another tenant: its stores and files.
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

    /// Standard input to its end, or one byte more than `limit`. It may be a secret, and is
    /// wiped when dropped.
    pub fn read_stdin(&self, limit: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
        interrupt::install();
        files::fill(&mut **self.stdin.borrow_mut(), 0, limit)
    }

    /// Asks before something that cannot be undone. Without a terminal `--yes` is
    /// needed: the hint shows it with `command`, or where that is empty with none.
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
                "" => "to say yes beforehand: the same command with --yes".into(),
                command => format!("to say yes beforehand: {command} --yes"),
            }));
        }
        if self.prompter.confirm(question)? {
            return Ok(());
        }
        Err(CliError::left(if touched::anything() { "not confirmed" } else { "not confirmed; nothing was changed" }))
    }

    /// A line that somebody types; see [`Prompter::line`].
    pub fn ask_line(&self, question: &str, offered: &str) -> Result<String, CliError> {
        Ok(self.prompter.line(question, offered)?.trim().to_owned())
    }

    /// A secret that somebody types, unseen.
    pub fn ask_hidden(&self, question: &str) -> Result<String, CliError> {
        Ok(self.prompter.hidden(question)?)
    }
}
