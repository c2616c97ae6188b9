//! `msgrctl help`: the help of a command, or a topic common to all.

pub(super) mod topics;

use clap::Args;
use clap_complete::ArgValueCandidates;
use clap_complete::engine::CompletionCandidate;

use super::candidates::commands_below;
use super::context::Context;
use super::error::CliError;
use crate::document::nearest;
use crate::operations::explain::Page;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;
use topics::{TOPICS, Topic};

/// Help on a command or a topic: causes, ci, environment, exit-codes, files, manifests, meta-login, notices, scenarios, scripts, security, shared-state
///
/// The help of a command is the same as with --help.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl help account add\n  msgrctl help causes")]
pub struct HelpArgs {
    /// A command, or causes, ci, environment, exit-codes, files, manifests, meta-login, notices, scenarios, scripts, security, shared-state
    #[arg(value_name = "COMMAND or TOPIC", add = ArgValueCandidates::new(|| candidates("help")))]
    about: Vec<String>,
}

/// The commands below those already typed; at first topics too.
pub(super) fn candidates(noun: &str) -> Vec<CompletionCandidate> {
    let mut found = commands_below(noun, super::args::command());
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
    let error = CliError::usage(format!("unknown command or topic '{word}'"));
    Err(error.hint(format!("{}msgrctl help shows all", meant.unwrap_or_default())))
}

pub(super) fn text(topic: &Topic, screen: Screen) -> String {
    let about = wrap(topic.about, screen.width, 0);
    let mut lines = vec![paint(style::BOLD, &about, screen.color), String::new()];
    lines.push(wrap(topic.before, screen.width, 0));
    if !topic.list.is_empty() {
        lines.push(String::new());
    }
    // Wide terms get their own line.
    let wide = topic.list.iter().map(|(term, _)| term.len()).filter(|wide| *wide <= 24).max().unwrap_or_default();
    for (term, meaning) in topic.list {
        let meaning = wrap(meaning, screen.width, wide + 4);
        if term.len() > wide {
            lines.push(format!("  {term}\n{}{meaning}", " ".repeat(wide + 4)));
        } else {
            lines.push(format!("  {term:<wide$}  {meaning}"));
        }
    }
    for group in (topic.groups)() {
        lines.extend([String::new(), paint(style::BOLD, group.heading, screen.color)]);
        lines.extend(group.pages.iter().map(|page| entry(page, screen)));
    }
    if !topic.after.is_empty() {
        lines.push(String::new());
        lines.extend(topic.after.lines().map(|line| format!("  {line}").trim_end().to_owned()));
    }
    lines.join("\n")
}

/// A page as an entry of a topic.
fn entry(page: &Page, screen: Screen) -> String {
    let mut lines = vec![format!("  {}", page.id)];
    let mut under = |label: &str, text: &str| lines.push(format!("      {label}{text}"));
    under("", &wrap(&page.summary, screen.width, 6));
    under("fix: ", &wrap(&page.fix, screen.width, 11));
    // A command stays on one line, so that it can be pasted.
    if let Some(command) = &page.command {
        under("then: ", command);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_topic() {
        let names: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
        let tree = super::super::args::command();
        let help = tree.find_subcommand("help").and_then(clap::Command::get_about).map(ToString::to_string);
        assert_eq!(help, Some(format!("Help on a command or a topic: {}", names.join(", "))));
    }

    /// A topic is looked up before a command.
    #[test]
    fn no_topic_hides_a_command() {
        let tree = super::super::args::command();
        assert!(TOPICS.iter().all(|topic| tree.find_subcommand(topic.name).is_none()));
    }

    #[test]
    fn topics_are_wrapped_to_the_screen() {
        for topic in TOPICS {
            let screen = Screen { width: Some(60), color: false, unicode: true };
            let shown = text(topic, screen);
            let wide = shown.lines().filter(|line| line.chars().count() > 60 && line.trim().contains(' '));
            // Commands to paste are not wrapped.
            let wide = wide.filter(|line| !topic.after.contains(line.trim()) && !line.contains("then: "));
            assert_eq!(wide.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", topic.name);
        }
    }
}
