//! `msgrctl man`: the man page of a command, from the tree that parses the command line, or
//! of a help topic.

use std::io;

use clap::Args;
use clap_complete::ArgValueCandidates;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::context::Context;
use super::error::CliError;
use super::help;
use super::help::topics::{ENVIRONMENT, EXIT_CODES, FILES, TOPICS, Topic};
use crate::operations::explain::Page;
use crate::ui::pager;

/// When the pages last changed beyond wording; a constant, so that they are reproducible.
const DATE: &str = "2026-11-22";

/// Print the man page of a command or a topic
///
/// A terminal shows it through man(1); a pipe or file gets roff. Packages install all pages;
/// this is for an installation without a package.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  msgrctl man account add\n  msgrctl man causes\n  msgrctl man > ~/.local/share/man/man1/msgrctl.1"
)]
pub struct ManArgs {
    /// A command or a topic of 'msgrctl help' [default: the program itself]
    #[arg(value_name = "COMMAND or TOPIC", add = ArgValueCandidates::new(|| help::candidates("man")))]
    command: Vec<String>,
}

pub fn run(args: &ManArgs, ctx: &Context) -> Result<u8, CliError> {
    let unmade = |error: io::Error| CliError::failed("cannot generate the page").cause(error.to_string());
    if let [name] = args.command.as_slice()
        && let Some(topic) = TOPICS.iter().find(|topic| topic.name == *name)
    {
        print(ctx, &topic_page(topic).map_err(unmade)?, || help::text(topic, ctx.output.terminal.out()));
        return Ok(0);
    }
    let mut command = super::args::command();
    command.build();
    for word in &args.command {
        command = command.find_subcommand(word).cloned().ok_or_else(|| {
            CliError::usage(format!("unknown command or topic '{}'", args.command.join(" ")))
                .hint("msgrctl help shows all")
        })?;
    }
    let page = page(&command).map_err(unmade)?;
    print(ctx, &page, || command.render_long_help().to_string());
    Ok(0)
}

/// Prints a page: as roff for a program; for a person through man(1), else as text.
fn print(ctx: &Context, roff: &[u8], text: impl FnOnce() -> String) {
    if !ctx.output.terminal.stdout {
        return ctx.output.exact(roff);
    }
    let hidden = ctx.env.ours();
    if pager::man(roff, &hidden) {
        return;
    }
    let text = text();
    let pagers = ["MANPAGER", "PAGER"].into_iter().filter_map(|name| ctx.env.text(name));
    if !pagers.chain(["less"]).any(|command| pager::page(command, text.as_bytes(), &hidden)) {
        ctx.output.part(&text);
    }
}

/// The page of a command; its tree is built.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let top = command.get_display_name().is_none_or(|name| name == "msgrctl");
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // Only the page of msgrctl has the global options.
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
        roff.text([roman("For the global options see "), bold("msgrctl"), roman("(1).")]);
    }
    verbatim(&mut roff, "EXAMPLES", examples.trim_start_matches("Examples:\n"));
    list(&mut roff, "EXIT STATUS", &EXIT_CODES, |_| true);
    let help = local.clone().render_long_help().to_string();
    let named = |term: &str| help.contains(term.split(['<', ',']).next().unwrap_or(term));
    list(&mut roff, "ENVIRONMENT", &ENVIRONMENT, |term| top || named(term));
    if !top {
        roff.control("PP", []);
        roff.text([roman("For all variables see "), bold("msgrctl"), roman("(1).")]);
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

/// A section of unfilled text.
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

/// The parent command and the subcommands.
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
