//! `msgrctl explain`: the meaning of causes, checks, exit codes and Meta's codes.

use std::collections::BTreeSet;

use clap::Args;
use clap_complete::ArgValueCandidates;
use clap_complete::engine::CompletionCandidate;

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::help::topics::EXIT_CODES;
use crate::checks::causes;
use crate::document::nearest;
use crate::operations::explain::{self, CAUSE, CHECK, CODE, Page, meanings, meta_code};
use crate::text::excerpt;
use crate::ui::style::{self, paint, wrap};
use crate::ui::terminal::Screen;

/// Explain a cause, a check, an exit code or one of Meta's codes: what it means, what to do
///
/// Takes what account test, webhook verify and errors name: a cause (password-changed), a
/// check (token.valid), Meta's code with or without subcode (190, 190/463), or 'exit' and
/// an exit code. Without an argument, or with a kind (causes, checks, codes, exits), it
/// lists them. Works offline and reads no file.
///
/// Exit codes: 0 explained, 1 an argument is not known.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl explain 190/463
  msgrctl explain password-changed token.permissions
  msgrctl explain exit 4
  msgrctl explain causes")]
pub struct ExplainArgs {
    /// CODE, CODE/SUBCODE, CAUSE, CHECK, exit N, or causes, checks, codes, exits
    #[arg(value_name = "WHAT", add = ArgValueCandidates::new(candidates))]
    what: Vec<String>,
}

const EXIT: &str = "exit";

/// The kinds that an argument can name, in the order of the list.
const KINDS: [(&str, &str, &str); 4] = [
    ("causes", CAUSE, "why a check failed, a message was refused, or a callback would not be taken"),
    ("checks", CHECK, "the checks of account test and doctor"),
    ("codes", CODE, "Meta's codes, with their subcodes"),
    ("exits", EXIT, "exit codes"),
];

pub fn run(args: &ExplainArgs, ctx: &Context) -> Result<u8, CliError> {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    // `exit 4` in quotes; and `code 190, subcode 460` as a test prints it.
    let what = args.what.join(" ").replace(", subcode ", "/");
    let mut words = what.split_whitespace().filter(|word| *word != CODE);
    while let Some(word) = words.next() {
        let pages = match word.to_lowercase().as_str() {
            EXIT => match words.next() {
                None => Vec::new(),
                Some(code) => {
                    let pages = exit(code);
                    if pages.is_empty() {
                        let error = CliError::failed(format!("the exit code {} does not exist", excerpt(code, 60)));
                        return Err(error.hint("all of them: msgrctl explain exits"));
                    }
                    pages
                }
            },
            word => look_up(word),
        };
        if pages.is_empty() {
            unknown.push(word);
        }
        found.extend(pages);
    }
    let lists = args.what.is_empty() || args.what.iter().all(|word| kind_of(&word.to_lowercase()).is_some());
    if args.what.is_empty() {
        found = all();
    }
    show(ctx, found, lists && !ctx.output.json);
    if unknown.is_empty() { Ok(0) } else { Err(not_known(&unknown)) }
}

fn kind_of(word: &str) -> Option<&'static str> {
    KINDS.iter().find(|(plural, ..)| *plural == word).map(|(_, kind, _)| *kind)
}

fn all() -> Vec<Page> {
    KINDS.iter().flat_map(|(_, kind, _)| of_kind(kind)).collect()
}

fn of_kind(kind: &str) -> Vec<Page> {
    match kind {
        EXIT => EXIT_CODES.list.iter().map(|(code, meaning)| of_exit(code, meaning)).collect(),
        kind => explain::of_kind(kind),
    }
}

fn look_up(word: &str) -> Vec<Page> {
    kind_of(word).map_or_else(|| explain::look_up(word), of_kind)
}

fn exit(code: &str) -> Vec<Page> {
    let found = EXIT_CODES.list.iter().filter(|(known, _)| *known == code);
    found.map(|(code, meaning)| of_exit(code, meaning)).collect()
}

fn of_exit(code: &str, meaning: &str) -> Page {
    let (fix, command) = match code {
        "0" => ("nothing is to be done", None),
        "2" => ("correct the command; its help names every flag", Some("msgrctl help COMMAND")),
        "3" => ("correct the file that the error names", Some("msgrctl doctor")),
        "4" => ("find out what is wrong with the token", Some("msgrctl account test NAME")),
        "5" => ("try again; if it lasts, check the network", Some("msgrctl doctor")),
        "6" => ("unlock the store or choose another; the error names the ways out", Some("msgrctl doctor")),
        "7" => ("read the lines that do not pass, and look up their causes", Some("msgrctl explain CAUSE")),
        "8" => ("apply the manifest", Some("msgrctl apply -f FILE")),
        "9" => ("fix the failures and run the same command again; finished accounts are skipped", None),
        "130" => ("run the command again; what it had finished is kept", None),
        _ => ("read the error: its hint names the next command", None),
    };
    Page::new(EXIT, code, meaning.into(), fix.into(), command.map(str::to_owned))
}

fn not_known(unknown: &[&str]) -> CliError {
    let shown: Vec<String> = unknown.iter().map(|word| format!("'{}'", excerpt(word, 60))).collect();
    let error = CliError::failed(format!("{} is not known", shown.join(", ")));
    let all = all();
    let ids = || all.iter().filter(|entry| entry.kind != EXIT && entry.kind != CODE).map(|entry| entry.id.as_str());
    let near = |word: &&str| {
        nearest(&word.to_lowercase().replace('_', "-"), ids()).filter(|near| strsim::jaro_winkler(word, near) > 0.85)
    };
    if unknown.contains(&EXIT) {
        return error.hint("name the exit code: msgrctl explain exit 4; all of them: msgrctl explain exits");
    }
    if let Some(word) = unknown.first().filter(|word| !exit(word).is_empty()) {
        return error.hint(format!("as an exit code it is: msgrctl explain exit {word}"));
    }
    match unknown.first().map(|word| (meta_code(word), near(word))) {
        Some((Some((subcode, None)), _)) if !causes::codes_of_subcode(subcode).is_empty() => {
            let known: Vec<String> = causes::codes_of_subcode(subcode).into_iter().map(|code| code.id).collect();
            error.hint(format!("it is a subcode: msgrctl explain {}", known.join(" ")))
        }
        Some((Some((code, Some(_))), _)) if causes::code(code, None).is_some() => {
            error.hint(format!("the subcode is not known, but the code is: msgrctl explain {code}"))
        }
        Some((Some(_), _)) => {
            error.hint("look the code up in Meta's error reference; the known codes: msgrctl explain codes")
        }
        Some((None, Some(near))) => error.hint(format!("did you mean '{near}'? all of them: msgrctl explain")),
        _ => error.hint("all of them: msgrctl explain"),
    }
}

fn show(ctx: &Context, entries: Vec<Page>, as_list: bool) {
    if ctx.output.json {
        return ctx.output.json(&Envelope("entries", entries));
    }
    if entries.is_empty() {
        return;
    }
    let screen = ctx.output.terminal.out();
    ctx.output.result(&if as_list { list(&entries, screen) } else { pages(&entries, screen) });
}

fn pages(entries: &[Page], screen: Screen) -> String {
    let page = |entry: &Page| {
        let mut lines = vec![format!("{} ({})", paint(style::BOLD, &entry.id, screen.color), entry.kind)];
        let mut under = |label: &str, text: &str| {
            let wide = if label.is_empty() { 2 } else { 2 + label.len() + 1 };
            let label =
                if label.is_empty() { String::new() } else { format!("{} ", paint(style::HINT, label, screen.color)) };
            lines.push(format!("  {label}{}", wrap(text, screen.width, wide)));
        };
        if entry.causes.len() > 1 {
            under("", "one of these causes; a test shows which:");
            for meaning in
                meta_code(&entry.id).and_then(|(code, sub)| causes::code(code, sub)).iter().flat_map(meanings)
            {
                under("-", &meaning);
            }
        } else {
            under("", &entry.summary);
            under("fix:", &entry.fix);
        }
        // A command stays on one line, so that it can be pasted.
        lines.extend(
            entry.command.iter().map(|command| format!("  {} {command}", paint(style::HINT, "then:", screen.color))),
        );
        let of_code = (entry.kind == CODE).then(|| meta_code(&entry.id)).flatten();
        let subcodes = of_code.filter(|(_, sub)| sub.is_none()).map(|(code, _)| causes::subcodes_of(code));
        if let Some(subcodes) = subcodes.filter(|subcodes| !subcodes.is_empty()) {
            let text = format!("with a subcode it means something else: {}", subcodes.join(", "));
            lines.push(format!("  {}", wrap(&text, screen.width, 2)));
        }
        if let [cause] = entry.causes.as_slice() {
            lines.push(format!("  {} {cause}", paint(style::HINT, "cause:", screen.color)));
        }
        lines.join("\n")
    };
    entries.iter().map(page).collect::<Vec<_>>().join("\n\n")
}

/// A line for each entry, by kind.
fn list(entries: &[Page], screen: Screen) -> String {
    let wide = entries.iter().map(|entry| entry.id.len()).max().unwrap_or_default();
    let mut parts = Vec::new();
    for (plural, kind, about) in KINDS {
        let of_kind: Vec<&Page> = entries.iter().filter(|entry| entry.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let mut lines = vec![format!("{}: {about}", paint(style::BOLD, plural, screen.color))];
        for entry in of_kind {
            let summary = match entry.causes.as_slice() {
                [_, _, ..] => {
                    let mut causes = entry.causes.clone();
                    let mut seen = BTreeSet::new();
                    causes.retain(|cause| seen.insert(*cause));
                    format!("one of: {}", causes.join(", "))
                }
                _ => entry.summary.clone(),
            };
            lines.push(format!("  {:<wide$}  {}", entry.id, wrap(&summary, screen.width, wide + 4)));
        }
        parts.push(lines.join("\n"));
    }
    parts.join("\n\n")
}

fn candidates() -> Vec<CompletionCandidate> {
    let pages = all().into_iter().filter(|entry| entry.kind != EXIT).map(|entry| (entry.id, entry.summary));
    let kinds = KINDS.iter().map(|(plural, _, about)| ((*plural).to_owned(), (*about).to_owned()));
    let exit = std::iter::once((EXIT.to_owned(), "an exit code: exit 4".to_owned()));
    let all = kinds.chain(exit).chain(pages);
    all.map(|(id, about)| CompletionCandidate::new(id).help(Some(about.into()))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::operations::accounts::commands;

    #[test]
    fn every_page_has_a_name_of_its_own_a_meaning_and_something_to_do() {
        let all = all();
        let mut seen = BTreeSet::new();
        for entry in &all {
            assert!(seen.insert((entry.kind, entry.id.clone())), "{entry:?} twice");
            assert!(entry.summary.len() > 8 && entry.fix.len() > 3, "{entry:?}");
            assert!(!entry.summary.ends_with('.') && !entry.fix.ends_with('.'), "{entry:?}");
            assert!(!entry.fix.contains('{'), "a place that was not filled in: {entry:?}");
            let found = if entry.kind == EXIT { exit(&entry.id) } else { look_up(&entry.id) };
            assert!(found.contains(entry), "{entry:?} is not found by its name");
        }
        assert!(all.len() > 200, "{}", all.len());
    }

    #[test]
    fn causes_are_kebab_case_and_told_from_codes() {
        for entry in of_kind(CAUSE) {
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(entry.id.chars().all(kebab), "{entry:?}");
        }
    }

    /// Every command in a text: from `msgrctl` to the end or a semicolon.
    fn commands_in(text: &str) -> impl Iterator<Item = &str> {
        text.match_indices("msgrctl ").map(|(at, _)| text[at..].split([';', ')']).next().unwrap_or_default().trim())
    }

    /// Whether a word is a placeholder that does not look like one.
    fn is_doubtful(word: &str) -> bool {
        word.contains(['<', '>', '…', '{', '}']) || word.contains("...")
    }

    #[test]
    fn every_command_that_a_page_names_can_be_typed() {
        let commands = commands::of("NAME");
        let steps = [
            commands.replace_token,
            commands.test_again,
            commands.set_app,
            commands.add_app,
            commands.subscribe,
            commands.verify,
            commands.edit_messages,
        ];
        let texts = all().into_iter().flat_map(|entry| {
            // A code with several causes has no text of its own.
            let own = if entry.causes.len() > 1 { String::new() } else { entry.summary };
            [own, entry.fix, entry.command.unwrap_or_default()]
        });
        let texts: Vec<String> = texts.chain(steps).collect();
        let mut seen = BTreeSet::new();
        for command in texts.iter().flat_map(|text| commands_in(text)) {
            let words = shlex::split(command).unwrap_or_else(|| panic!("{command}"));
            assert!(!words.iter().any(|word| is_doubtful(word)), "{command}");
            // Placeholders that take only certain words.
            let words = words.iter().map(|word| match word.as_str() {
                "EVENT" => "session-ended",
                word => word,
            });
            if let Err(error) = crate::cli::command().try_get_matches_from(words) {
                panic!("{command}: {error}");
            }
            seen.insert(command);
        }
        assert!(seen.len() > 15, "{seen:?}");
    }
}
