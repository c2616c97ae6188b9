//! `msgrctl man`: the man page of a command, made from the tree that parses the command
//! line, or of a topic of `msgrctl help`.

use std::io;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::context::Context;
use super::error::CliError;
use super::help::topics::{ENVIRONMENT, EXIT_CODES, FILES, TOPICS, Topic};
use crate::operations::explain::Page;

/// When the pages last changed in more than wording. A constant, so that they can be
/// made again.
const DATE: &str = "2026-11-22";

/// Print the man page of a command or a topic
///
/// In roff, for man(1). Packages install all pages; this command prints them where msgrctl
/// was installed without a package.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl man account add | man -l -\n  msgrctl man causes | man -l -\n  msgrctl man > ~/.local/share/man/man1/msgrctl.1"
)]
pub struct ManArgs {
    /// A command, or a topic of 'msgrctl help' [default: msgrctl itself]
    #[arg(value_name = "COMMAND or TOPIC")]
    command: Vec<String>,
}

pub fn run(args: &ManArgs, ctx: &Context) -> Result<u8, CliError> {
    let unmade = |error: io::Error| CliError::failed("the page could not be made").cause(error.to_string());
    if let [name] = args.command.as_slice()
        && let Some(topic) = TOPICS.iter().find(|topic| topic.name == *name)
    {
        ctx.output.exact(&topic_page(topic).map_err(unmade)?);
        return Ok(0);
    }
    let mut command = super::args::command();
    command.build();
    for word in &args.command {
        command = command.find_subcommand(word).cloned().ok_or_else(|| {
            CliError::usage(format!("there is no command or topic '{}'", args.command.join(" ")))
                .hint("msgrctl help shows all")
        })?;
    }
    ctx.output.exact(&page(&command).map_err(unmade)?);
    Ok(0)
}

/// The page of a command of the built tree.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let top = command.get_display_name().is_none_or(|name| name == "msgrctl");
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // The global options stand only in the page of msgrctl.
    let local = command.clone().mut_args(|argument| {
        let hidden = argument.is_hide_set() || !top && argument.is_global_set();
        argument.hide(hidden)
    });
    let version = concat!("msgrctl ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(local.clone()).date(DATE).source(version).manual("msgrctl manual");
    let mut bytes = Vec::new();
    let mut roff = Roff::default();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    if local.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut bytes)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut bytes)?;
    }
    if !top {
        roff.control("SH", ["GLOBAL OPTIONS"]);
        roff.text([roman("Those of every command are described in "), bold("msgrctl"), roman("(1).")]);
    }
    verbatim(&mut roff, "EXAMPLES", examples.trim_start_matches("Examples:\n"));
    list(&mut roff, "EXIT STATUS", &EXIT_CODES, |_| true);
    let help = local.clone().render_long_help().to_string();
    let named = |term: &str| help.contains(term.split(['<', ',']).next().unwrap_or(term));
    list(&mut roff, "ENVIRONMENT", &ENVIRONMENT, |term| top || named(term));
    if !top {
        roff.control("PP", []);
        roff.text([roman("All variables are described in "), bold("msgrctl"), roman("(1).")]);
    }
    list(&mut roff, "FILES", &FILES, |_| true);
    see_also(&mut roff, command, top);
    roff.to_writer(&mut bytes)?;
    Ok(bytes)
}

/// The page of a topic, such as msgrctl-causes(7).
fn topic_page(topic: &Topic) -> io::Result<Vec<u8>> {
    let name = format!("msgrctl-{}", topic.name);
    let version = concat!("msgrctl ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::default();
    roff.control("TH", [name.as_str(), "7", DATE, version, "msgrctl manual"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", topic.about))]);
    list(&mut roff, "DESCRIPTION", topic, |_| true);
    for group in (topic.groups)() {
        roff.control("SH", [group.heading.to_uppercase().as_str()]);
        group.pages.iter().for_each(|page| entry(&mut roff, page));
    }
    verbatim(&mut roff, "EXAMPLE", topic.after);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("msgrctl"), roman("(1)")]);
    let mut bytes = Vec::new();
    roff.to_writer(&mut bytes)?;
    Ok(bytes)
}

fn entry(roff: &mut Roff, page: &Page) {
    roff.control("TP", []);
    roff.text([bold(page.id.as_str())]);
    roff.text([roman(page.summary.as_str())]);
    let command = page.command.iter().map(|command| format!("then: {command}"));
    for line in std::iter::once(format!("fix: {}", page.fix)).chain(command) {
        roff.control("br", []);
        roff.text([roman(line)]);
    }
}

fn list(roff: &mut Roff, heading: &str, topic: &Topic, shown: impl Fn(&str) -> bool) {
    roff.control("SH", [heading]);
    roff.text([roman(topic.before)]);
    for (term, meaning) in topic.list.iter().filter(|(term, _)| shown(term)) {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

/// Text that stays as it is.
fn verbatim(roff: &mut Roff, heading: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    roff.control("SH", [heading]);
    roff.control("nf", []);
    for line in text.lines() {
        roff.text([roman(if heading == "EXAMPLES" { line.strip_prefix("  ").unwrap_or(line) } else { line })]);
    }
    roff.control("fi", []);
}

/// The command above, and those below.
fn see_also(roff: &mut Roff, command: &clap::Command, top: bool) {
    let name = command.get_display_name().unwrap_or("msgrctl");
    let above = name.rsplit_once('-').map(|(above, _)| above.to_owned()).filter(|_| !top);
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    let below = below.filter_map(|below| below.get_display_name().map(str::to_owned));
    let scenarios = name == "msgrctl-sandbox-start";
    let manifests = matches!(name, "msgrctl-plan" | "msgrctl-apply" | "msgrctl-export");
    let topics = TOPICS.iter().map(|topic| topic.name);
    let topics = topics.filter(|topic| top || scenarios && *topic == "scenarios" || manifests && *topic == "manifests");
    let topics = topics.map(|topic| (format!("msgrctl-{topic}"), "(7)"));
    let pages: Vec<_> = above.into_iter().chain(below).map(|name| (name, "(1)")).chain(topics).collect();
    if pages.is_empty() {
        return;
    }
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (at, (name, section)) in pages.iter().enumerate() {
        line.push(bold(name.as_str()));
        line.push(roman(format!("{section}{}", if at + 1 < pages.len() { ", " } else { "" })));
    }
    roff.text(line);
}
