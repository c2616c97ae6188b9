//! `msgrctl demo`: the whole job with the real commands, against a Graph API
//! inside this process.

use std::io::Cursor;

use clap::Parser as _;

use super::args::Cli;
use super::context::Context;
use super::error::CliError;
use crate::env::Environment;
use crate::sandbox::{InProcess, TokenState, World};
use crate::secrets::MemoryStore;
use crate::ui::style::{self, paint};

/// One command: as a person types it, as it is run, and how it should end.
struct Step<'a> {
    says: &'a str,
    typed: &'a str,
    arguments: &'a [&'a str],
    stdin: &'a str,
    ends: u8,
}

pub fn run(ctx: &Context) -> Result<u8, CliError> {
    if ctx.output.json {
        return Err(CliError::usage("the demo is for reading: leave --json out"));
    }
    let failed = |what: &str, error: &dyn std::fmt::Display| CliError::failed(what.to_owned()).cause(error.to_string());
    let home = tempfile::tempdir().map_err(|error| failed("the demo found no place for its files", &error))?;
    let sandbox = InProcess::start(World::new(ctx.clock.clone()))
        .map_err(|error| failed("the demo's Graph API did not start", &error))?;
    let (page, token, app) = {
        let world = sandbox.world();
        let page = world.pages[0].clone();
        let token = world.page_token(&page.id).map(|token| token.value.clone()).unwrap_or_default();
        (page, token, world.apps[0].clone())
    };
    let env = Environment::default()
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_CONFIG_DIR", &home.path().to_string_lossy())
        .with("MSGRCTL_STORE", "memory")
        .with("MSGRCTL_APP_SECRET", &app.secret);
    let demo = Demo { ctx, env, memory: MemoryStore::default() };

    demo.step(&Step {
        says: "An administrator has a page access token, and the id and secret of the Meta app. Graph knows the rest.",
        typed: &format!(
            "printf %s \"$TOKEN\" | MSGRCTL_APP_SECRET=\"$SECRET\" msgrctl account add --token-stdin --app-id {}",
            app.id
        ),
        arguments: &["account", "add", "--token-stdin", "--app-id", &app.id],
        stdin: &token,
        ends: 0,
    })?;
    demo.step(&Step {
        says: "The account is there. The list never touches a secret.",
        typed: "msgrctl account list",
        arguments: &["account", "list"],
        stdin: "",
        ends: 0,
    })?;
    if let Some(token) = sandbox.world().page_token_mut(&page.id) {
        token.state = TokenState::PasswordChanged;
    }
    demo.step(&Step {
        says: "Weeks later the person who made the token changes the Facebook password. Replies stop; why?",
        typed: "msgrctl account test acme-support",
        arguments: &["account", "test", "acme-support"],
        stdin: "",
        ends: 7,
    })?;
    demo.say("That command ended with exit code 7: a check found something. Nothing of the demo is kept; your own accounts begin with: msgrctl account add --help");
    Ok(0)
}

struct Demo<'a> {
    ctx: &'a Context,
    env: Environment,
    memory: MemoryStore,
}

impl Demo<'_> {
    fn say(&self, text: &str) {
        self.ctx.output.result(&style::wrap(text, self.ctx.output.terminal.out().width, 0));
    }

    fn step(&self, step: &Step<'_>) -> Result<(), CliError> {
        self.say(step.says);
        let prompt = paint(style::BOLD, &format!("$ {}", step.typed), self.ctx.output.terminal.stdout_color);
        self.ctx.output.result(&format!("\n{prompt}"));
        let words = std::iter::once("msgrctl").chain(step.arguments.iter().copied());
        let cli = Cli::try_parse_from(words)
            .map_err(|error| CliError::failed("a step of the demo is no command").cause(error.to_string()))?;
        let stdin = Box::new(Cursor::new(step.stdin.to_owned()));
        let inner = self.ctx.for_step(self.env.clone(), &cli.global, stdin, self.memory.clone());
        let code = match super::dispatch(cli.command, &inner) {
            Ok(code) => code,
            Err(error) => error.render(&inner.output),
        };
        self.ctx.output.result("");
        if code != step.ends {
            return Err(CliError::failed(format!("a step of the demo ended with {code} instead of {}", step.ends)));
        }
        Ok(())
    }
}
