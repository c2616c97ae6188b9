//! Adds this run's flags for configuration, tenant and Graph to the msgrctl commands in a text,
//! since the commands would act elsewhere without them.

use std::borrow::Cow;

/// What ends a command within a sentence.
const ENDS: [&str; 19] = [
    "\n", "; ", ";\n", ", ", " (", ")", " && ", " || ", " | ", "  ", " > ", "\"", "`", " and ", " or ", " shows ",
    " names ", " has ", " sets ",
];

/// The words after `msgrctl` that begin a command on a configuration. Commands that ignore it
/// (`help`, `explain`, `demo`) are not listed.
pub const COMMANDS: [&str; 24] = [
    "account",
    "accounts",
    "apply",
    "chat-settings",
    "config",
    "doctor",
    "export",
    "log",
    "login",
    "message",
    "messages",
    "plan",
    "sandbox",
    "secret",
    "secrets",
    "state",
    "status",
    "tenant",
    "tenants",
    "test",
    "undo",
    "watch",
    "webhook",
    "webhooks",
];

/// The flags to add.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    flags: Vec<(&'static str, String)>,
}

impl Calls {
    /// `flags` with their values quoted for a shell.
    pub fn new(flags: Vec<(&'static str, String)>) -> Self {
        Self { flags }
    }

    /// The text with the flags added to each command that does not set them itself.
    pub fn complete<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.flags.is_empty() || !text.contains(NAME) {
            return Cow::Borrowed(text);
        }
        let mut completed = String::with_capacity(text.len() + 64);
        for (part, is_command) in parts(text, is_of_a_configuration) {
            if is_command { self.push(&mut completed, part) } else { completed.push_str(part) }
        }
        Cow::Owned(completed)
    }

    fn push(&self, to: &mut String, command: &str) {
        let (command, last) = command.split_once(" -- ").map_or((command, None), |(words, last)| (words, Some(last)));
        to.push_str(command);
        let words = || command.split([' ', '=', '\n']);
        if !words().any(|word| word == "--help") {
            // A tenant command takes the tenant as its argument.
            let names_it = command.starts_with("msgrctl tenant ");
            let is_named = |flag: &str| words().any(|word| word == flag) || names_it && flag == "--tenant";
            for (flag, value) in self.flags.iter().filter(|(flag, _)| !is_named(flag)) {
                to.extend([" ", flag, " ", value]);
            }
        }
        to.extend(last.iter().flat_map(|last| [" -- ", last]));
    }
}

const NAME: &str = "msgrctl ";

/// The words behind `msgrctl` that begin a command which works the same everywhere.
const ANYWHERE: [&str; 7] = ["completions", "demo", "explain", "help", "man", "schema", "version"];

/// A text in parts, and which of them are commands as `is_command` knows them.
fn parts(text: &str, is_command: impl Fn(&str) -> bool) -> Vec<(&str, bool)> {
    let (mut parts, mut done, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = text[at..].find(NAME).map(|found| at + found) {
        at = found + NAME.len();
        let before = &text[done..found];
        let begins = before.chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || "./-_".contains(c)));
        if begins && is_command(&text[at..]) {
            let end = found + end(&text[found..], before.ends_with('\''));
            parts.extend([(before, false), (&text[found..end], true)]);
            (done, at) = (end, end);
        }
    }
    parts.push((&text[done..], false));
    parts
}

/// The text with another character for each space of a command, so that lines are not broken
/// there: a command that is broken cannot be pasted.
pub fn with_spaces_of_commands(text: &str, space: &str) -> String {
    let part = |(part, is_command): (&str, bool)| if is_command { part.replace(' ', space) } else { part.into() };
    let any = |rest: &str| COMMANDS.contains(&word(rest)) || ANYWHERE.contains(&word(rest));
    parts(text, any).into_iter().map(part).collect()
}

/// The word that a text begins with.
fn word(rest: &str) -> &str {
    rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default()
}

fn is_of_a_configuration(rest: &str) -> bool {
    COMMANDS.contains(&word(rest)) && !rest.starts_with("sandbox start")
}

/// Where the command at the beginning of `text` ends; quoted parts belong to it.
fn end(text: &str, is_quoted: bool) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        let before = &text[..at];
        // A line that continues below, with the indentation there.
        let continues = c == '\n' && before.ends_with('\\')
            || before.rsplit_once('\n').is_some_and(|(_, line)| line.trim().is_empty());
        if quote.is_some() {
            quote = quote.filter(|open| *open != c);
        } else if c == '\'' && is_quoted {
            return at;
        } else if c == '\'' || c == '"' && before.ends_with([' ', '=']) {
            quote = Some(c);
        } else if !continues && ENDS.iter().any(|end| text[at..].starts_with(end)) {
            return at;
        }
    }
    text.trim_end_matches(['.', ';', ':', ',', '?']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> String {
        let flags = vec![("--tenant", "acme".to_owned()), ("--config-dir", "'a dir'".to_owned())];
        Calls::new(flags).complete(text).into_owned()
    }

    #[test]
    fn commands_carry_the_flags_of_the_run() {
        const FLAGS: &str = "--tenant acme --config-dir 'a dir'";
        for (text, expected) in [
            ("msgrctl doctor", "msgrctl doctor {}"),
            ("then: msgrctl account list; then try again", "then: msgrctl account list {}; then try again"),
            ("see it (msgrctl account list)", "see it (msgrctl account list {})"),
            ("with 'msgrctl account list' again", "with 'msgrctl account list {}' again"),
            ("msgrctl account add 'a; b' --yes\nand", "msgrctl account add 'a; b' --yes {}\nand"),
            ("msgrctl account add --yes -- -x", "msgrctl account add --yes {} -- -x"),
            ("msgrctl secret set a && msgrctl doctor", "msgrctl secret set a {} && msgrctl doctor {}"),
            ("printf x | msgrctl account add \\\n   --yes", "printf x | msgrctl account add \\\n   --yes {}"),
        ] {
            assert_eq!(completed(text), expected.replace("{}", FLAGS));
        }
        assert_eq!(
            completed("msgrctl account show a --tenant beta"),
            "msgrctl account show a --tenant beta --config-dir 'a dir'"
        );
    }

    #[test]
    fn what_a_command_names_itself_is_not_added() {
        assert_eq!(
            completed("msgrctl tenant add acmee --host HOST"),
            "msgrctl tenant add acmee --host HOST --config-dir 'a dir'"
        );
    }

    #[test]
    fn what_is_not_a_command_of_this_configuration_stays_as_it_is() {
        for text in [
            "another msgrctl is changing it",
            "use the newer msgrctl",
            "msgrctl 0.1.0, linux",
            "entry msgrctl / default",
            "~/.config/msgrctl account",
            "msgrctl help manifests",
            "msgrctl account edit a --help",
            "start one: msgrctl sandbox start",
        ] {
            assert_eq!(completed(text), text);
        }
        assert_eq!(Calls::default().complete("msgrctl doctor"), "msgrctl doctor");
    }
}
