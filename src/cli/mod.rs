//! The command line. The path of a file is the command it runs:
//! `account/add.rs` is `msgrctl account add`.

mod account;
mod apply;
mod args;
mod browser;
mod candidates;
mod chat_settings;
mod complete;
mod completions;
mod config;
mod context;
mod demo;
mod doctor;
mod editor;
mod envelope;
mod error;
mod explain;
mod export;
mod format;
mod global;
mod help;
mod log;
mod login;
mod man;
mod manifest;
mod message;
mod outcome;
mod panic;
mod pick;
mod plan;
mod reporter;
mod sandbox;
mod schema;
mod secret;
mod state;
mod status;
mod tables;
mod tenant;
mod trace;
mod undo;
mod usage;
mod version;
mod watch;
mod webhook;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use crate::env::{self, Environment};
use crate::operations;
use crate::secrets::{keep_out_of_dumps, redact};
use crate::text::{first_unfit, sentence};
use crate::ui::interrupt;
use crate::ui::output::Output;
use crate::ui::style;
use crate::ui::terminal::{Color, Terminal};

use args::Command;
pub use args::{Cli, command};
use context::Context;
use error::CliError;
use format::{Format, nagios};

/// Shown for `msgrctl` without arguments.
const BEGIN: &str = "\
msgrctl connects Facebook Pages to a contact centre. Begin:
  msgrctl demo         # all of it, without an account at Meta
  msgrctl account add  # add a Page; asks for what it needs
  msgrctl doctor       # test this machine: keyring, network
  msgrctl help         # every command";

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    panic::install();
    let arguments = env::arguments();
    if complete::answer(&arguments) {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(run(&arguments, Environment::of_process()))
}

/// Runs `arguments`, which begin with the program's name, and returns the exit code.
fn run(arguments: &[OsString], env: Environment) -> u8 {
    if arguments.len() < 2 {
        let output = Output::of_process(Terminal::detect(&env, Color::Auto), false, false);
        output.result(BEGIN);
        return finish(Ok(0), &output);
    }
    let (mut cli, words) = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(error, arguments, &env),
    };
    if let Some(error) = usage::leaked(arguments) {
        return error::render(&error, &for_errors(arguments, &env));
    }
    keep_out_of_dumps();
    // A write past the file size limit is reported as an error.
    interrupt::say_faults();
    let format = cli.command.format();
    let settled = format.settle(&mut cli.global.json);
    let color = cli.global.take_variables(&env);
    let terminal = Terminal::detect(&env, *color.as_ref().unwrap_or(&Color::Auto));
    let output = Output::of_process(terminal, cli.global.json, cli.global.quiet);
    trace::start(cli.global.verbose);
    let context = Context::new(env, output, &cli.global, words);
    let done = settled.and(color.map(drop)).and_then(|()| dispatch(cli.command, &context));
    if done.is_ok() {
        context.warn_of_move();
    }
    let code = match done {
        Err(error) if format.format == Some(Format::Nagios) => as_plugin(&error, &context.output),
        done => finish(done, &context.output),
    };
    context.output.settle();
    code
}

/// The command line, and its command's words: `account edit`.
fn parse(arguments: &[OsString]) -> Result<(Cli, String), clap::Error> {
    let mut tree = command();
    let mut matches = tree.try_get_matches_from_mut(arguments)?;
    let mut words = Vec::new();
    let mut below = &matches;
    while let Some((word, matches)) = below.subcommand() {
        words.push(word.to_owned());
        below = matches;
    }
    let cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut tree))?;
    Ok((cli, words.join(" ")))
}

fn dispatch(command: Command, ctx: &Context) -> Result<u8, CliError> {
    if works_in_a_tenant(&command) {
        tenant::check_named(ctx)?;
    }
    match command {
        Command::Account(command) => account::run(*command, ctx),
        Command::Secret(command) => secret::run(command, ctx),
        Command::Sandbox(command) => sandbox::run(command, ctx),
        Command::Message(command) => message::run(command, ctx),
        Command::ChatSettings(command) => chat_settings::run(command, ctx),
        Command::Webhook(command) => webhook::run(*command, ctx),
        Command::Login(args) => login::run(&args, ctx),
        Command::Plan(args) => plan::run(&args, ctx),
        Command::Apply(args) => apply::run(&args, ctx),
        Command::Export(args) => export::run(&args, ctx),
        Command::Tenant(command) => tenant::run(command, ctx),
        Command::Status(args) => status::run(&args, ctx),
        Command::Watch(args) => watch::run(&args, ctx),
        Command::Test(args) => account::test(&args, ctx),
        Command::Config(command) => config::run(&command, ctx),
        Command::State(command) => state::run(command, ctx),
        Command::Log(args) => log::run(&args, ctx),
        Command::Undo(args) => undo::run(&args, ctx),
        Command::Demo => demo::run(ctx),
        Command::Doctor(args) => doctor::run(&args, ctx),
        Command::Explain(args) => explain::run(&args, ctx),
        Command::Completions(args) => completions::run(&args, ctx),
        Command::Man(args) => man::run(&args, ctx),
        Command::Schema(args) => Ok(schema::run(&args, ctx)),
        Command::Help(args) => help::run(&args, ctx),
        Command::Version(_) => Ok(version::run(ctx)),
    }
}

/// Whether the command reads or changes a tenant: a mistyped tenant must not look like one
/// without accounts. A manifest may name a new tenant, and undo knows its own.
fn works_in_a_tenant(command: &Command) -> bool {
    match command {
        Command::Account(_)
        | Command::Secret(_)
        | Command::Message(_)
        | Command::ChatSettings(_)
        | Command::Webhook(_)
        | Command::Export(_)
        | Command::Status(_)
        | Command::Test(_)
        | Command::Watch(_)
        | Command::Login(_)
        | Command::Log(_)
        | Command::Doctor(_) => true,
        Command::Sandbox(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Tenant(_)
        | Command::Undo(_)
        | Command::Config(_)
        | Command::State(_)
        | Command::Demo
        | Command::Explain(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Schema(_)
        | Command::Help(_)
        | Command::Version(_) => false,
    }
}

/// An error as Nagios reads it: it knows no other exit codes.
fn as_plugin(error: &CliError, output: &Output) -> u8 {
    let hint = error.first_hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    let text = format!("{}{hint}", error.message());
    output.result(&nagios::unknown(&redact(&output.calls().complete(&text))));
    nagios::UNKNOWN
}

/// Renders an error, and one that only writing the result brought up.
fn finish(result: Result<u8, CliError>, output: &Output) -> u8 {
    let code = match result {
        Ok(code) => code,
        Err(error) => error::render(&error, output),
    };
    match output.failure() {
        Some(kind) if code == 0 => error::render(&error::of_output(kind), output),
        _ => code,
    }
}

/// The output for errors before the command line is parsed.
fn for_errors(arguments: &[OsString], env: &Environment) -> Output {
    let json = arguments.iter().any(|argument| argument == "--json") || env.is_on("MSGRCTL_JSON");
    let output = Output::of_process(Terminal::detect(env, Color::Auto), json, false);
    output.set_calls(operations::calls(&candidates::given_in(arguments.iter())));
    output
}

/// Help and version are not errors; everything else that clap refuses is usage (2).
fn refuse(error: clap::Error, arguments: &[OsString], env: &Environment) -> u8 {
    let output = for_errors(arguments, env);
    let error = &cleaned(error);
    let is_nagios = |at: usize| arguments.get(at).is_some_and(|argument| argument == "nagios");
    let asks = |(at, argument): (usize, &OsString)| {
        argument == "--format=nagios" || argument == "--format" && is_nagios(at + 1)
    };
    if error.use_stderr() && arguments.iter().enumerate().any(asks) {
        return as_plugin(&usage::of_clap(error), &output);
    }
    let color = if error.use_stderr() { output.terminal.stderr_color } else { output.terminal.stdout_color };
    let text = if color { style::ours(&error.render().ansi().to_string()) } else { error.render().to_string() };
    if !error.use_stderr() {
        output.part(&text);
        return finish(Ok(0), &output);
    }
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && let Some(error) = account::refused_flag(flag)
    {
        return error::render(&error, &output);
    }
    if let Some(error) = usage::leaked(arguments) {
        return error::render(&error, &output);
    }
    // A bare noun prints its help, and is a usage error.
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand && !output.json {
        output.talk(redact(&text).trim_end());
        return error::USAGE;
    }
    error::render(&usage::of_clap(error), &output)
}

/// The error with its quoted arguments made printable on one line.
fn cleaned(mut error: clap::Error) -> clap::Error {
    let known: Vec<(ContextKind, ContextValue)> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in known {
        let styled = |text: StyledStr| StyledStr::from(sentence(&text.to_string()));
        let clean = match value {
            // The usage lines are clap's own.
            value if kind == ContextKind::Usage || first_unfit(&value.to_string()).is_none() => value,
            ContextValue::String(text) => ContextValue::String(sentence(&text)),
            ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(|text| sentence(text)).collect()),
            ContextValue::StyledStr(text) => ContextValue::StyledStr(styled(text)),
            ContextValue::StyledStrs(texts) => ContextValue::StyledStrs(texts.into_iter().map(styled).collect()),
            value => value,
        };
        error.insert(kind, clean);
    }
    error
}
