//! `msgrctl help`: on a command, or on what is the same for all of them.

pub(super) mod topics;

use clap::Args;
use clap_complete::ArgValueCandidates;
use clap_complete::engine::CompletionCandidate;

use super::candidates::commands_below;
use super::context::Context;
use super::error::CliError;
use crate::document::nearest;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;
use topics::{TOPICS, Topic};

/// Help on a command or a topic: exit-codes, environment, files, manifests, scenarios, scripts
///
/// The help of a command is the same as with --help.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl help account add\n  msgrctl help exit-codes")]
pub struct HelpArgs {
    /// A command, or exit-codes, environment, files, manifests, scenarios, scripts
    #[arg(value_name = "COMMAND or TOPIC", add = ArgValueCandidates::new(candidates))]
    about: Vec<String>,
}

/// The commands below those that are typed already; at first topics too.
fn candidates() -> Vec<CompletionCandidate> {
    let mut found = commands_below("help", super::args::command());
    if found.iter().any(|command| command.get_value() == "account") {
        let topic = |topic: &Topic| CompletionCandidate::new(topic.name).help(Some(topic.about.into()));
        found.extend(TOPICS.iter().map(topic));
    }
    found
}

pub fn run(args: &HelpArgs, ctx: &Context) -> Result<u8, CliError> {
    let screen = ctx.output.terminal.out();
    if let [name] = args.about.as_slice()
        && let Some(topic) = TOPICS.iter().find(|topic| topic.name == *name)
    {
        ctx.output.result(&text(topic, screen));
        return Ok(0);
    }
    let mut command = super::args::command();
    command.build();
    for word in &args.about {
        command = below(&command, word)?;
    }
    let help = command.render_long_help();
    let help = if screen.color { style::ours(&help.ansi().to_string()) } else { help.to_string() };
    ctx.output.part(&help);
    Ok(0)
}

fn below(command: &clap::Command, word: &str) -> Result<clap::Command, CliError> {
    if let Some(found) = command.find_subcommand(word) {
        return Ok(found.clone());
    }
    let commands = command.get_subcommands().map(clap::Command::get_name);
    let topics = TOPICS.iter().map(|topic| topic.name);
    let meant = nearest(word, commands.chain(topics)).map(|name| format!("did you mean '{name}'? "));
    let error = CliError::usage(format!("there is no command or topic '{word}'"));
    Err(error.hint(format!("{}msgrctl help shows all", meant.unwrap_or_default())))
}

fn text(topic: &Topic, screen: Screen) -> String {
    let mut lines = vec![paint(style::BOLD, topic.about, screen.color), String::new()];
    lines.extend([wrap(topic.before, screen.width, 0), String::new()]);
    // Terms that are wide stand on a line of their own.
    let wide = topic.list.iter().map(|(term, _)| term.len()).filter(|wide| *wide <= 24).max().unwrap_or_default();
    for (term, meaning) in topic.list {
        let meaning = wrap(meaning, screen.width, wide + 4);
        if term.len() > wide {
            lines.push(format!("  {term}\n{}{meaning}", " ".repeat(wide + 4)));
        } else {
            lines.push(format!("  {term:<wide$}  {meaning}"));
        }
    }
    if !topic.after.is_empty() {
        lines.push(String::new());
        lines.extend(topic.after.lines().map(|line| format!("  {line}").trim_end().to_owned()));
    }
    lines.join("\n")
}
