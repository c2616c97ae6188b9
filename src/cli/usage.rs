//! Errors of clap, printed like other errors: what is wrong and what to type instead.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::CliError;
use crate::document::nearest;
use crate::secrets::{credential_in, redact};
use crate::text::sentence;

/// Words that people type instead of existing commands: the noun, the words, the command.
const MEANT: &[(&str, &[&str], &str)] = &[
    ("", &["connect", "link", "init", "setup", "add", "create", "new"], "account add"),
    ("", &["auth", "authorize", "signin", "oauth"], "login"),
    ("", &["logout", "disconnect", "remove", "delete", "rm"], "account remove NAME"),
    ("", &["whoami", "list", "ls", "page", "pages", "who"], "account list"),
    ("", &["show", "get", "info", "describe"], "account show NAME"),
    ("", &["edit", "update", "change"], "account edit NAME"),
    ("", &["rename", "mv"], "account rename NAME NEW_NAME"),
    ("", &["handover"], "account handover NAME"),
    ("", &["token", "tokens", "password", "key", "keys", "credentials"], "secret list"),
    ("", &["reveal"], "secret reveal NAME verify-token"),
    ("", &["verify", "handshake"], "webhook verify NAME"),
    ("", &["subscribe", "register"], "webhook subscribe NAME"),
    ("", &["unsubscribe"], "webhook unsubscribe NAME"),
    ("", &["rotate"], "webhook rotate NAME"),
    ("", &["listen", "events", "tail", "console"], "webhook listen NAME"),
    ("", &["logs", "history", "audit", "changes"], "log"),
    ("", &["health", "check", "diagnose", "ping", "diag"], "doctor"),
    ("", &["rollback", "revert", "restore"], "undo"),
    ("", &["import", "sync", "deploy"], "apply -f FILE"),
    ("", &["validate", "lint"], "apply -f FILE --check"),
    ("", &["diff", "preview"], "plan -f FILE"),
    ("", &["backup", "dump"], "export"),
    ("", &["use", "switch"], "tenant use TENANT"),
    ("", &["settings", "timeouts", "timeout"], "chat-settings show"),
    ("", &["send", "say", "reply"], "message send NAME --to PSID TEXT"),
    ("", &["text", "texts", "greeting"], "message list NAME"),
    ("", &["start", "emulator", "mock", "server"], "sandbox start"),
    ("", &["tutorial", "quickstart", "example", "examples"], "demo"),
    ("", &["completion", "autocomplete"], "completions bash"),
    ("account", &["connect", "link", "register"], "account add"),
    ("account", &["login", "auth"], "login"),
    ("account", &["verify", "check", "ping", "status"], "account test NAME"),
    ("account", &["update", "change", "modify", "set", "token"], "account edit NAME"),
    ("account", &["mv", "name"], "account rename NAME NEW_NAME"),
    ("account", &["disconnect", "unlink"], "account remove NAME"),
    ("account", &["describe", "view"], "account show NAME"),
    ("secret", &["get", "show", "print", "cat", "read"], "secret reveal NAME verify-token"),
    (
        "secret",
        &["add", "create", "new", "put", "edit", "update", "replace"],
        "secret set NAME page-access-token --stdin",
    ),
    ("secret", &["rotate", "renew"], "webhook rotate NAME"),
    ("secret", &["migrate", "mv", "copy"], "secret move NAME --to file"),
    ("message", &["reset", "enable"], "message default NAME EVENT"),
    ("message", &["off", "remove", "delete", "rm", "clear"], "message disable NAME EVENT"),
    ("message", &["add", "update", "change", "create", "new"], "message set NAME EVENT --text TEXT"),
    ("message", &["preview", "view"], "message show NAME EVENT"),
    ("webhook", &["test", "check", "handshake", "ping"], "webhook verify NAME"),
    ("webhook", &["register", "set", "add", "create", "connect", "enable", "update"], "webhook subscribe NAME"),
    ("webhook", &["remove", "delete", "rm", "disable", "disconnect"], "webhook unsubscribe NAME"),
    ("webhook", &["events", "logs", "tail", "watch", "serve"], "webhook listen NAME"),
    ("webhook", &["list", "ls", "describe"], "webhook show NAME"),
    ("tenant", &["switch", "select", "change"], "tenant use TENANT"),
    ("tenant", &["update", "set", "rename"], "tenant edit TENANT"),
    ("chat-settings", &["get", "list", "ls"], "chat-settings show"),
    ("sandbox", &["run", "serve", "up"], "sandbox start"),
    ("sandbox", &["send", "message", "write"], "sandbox say TEXT"),
    ("sandbox", &["log", "logs", "requests"], "sandbox calls"),
];

/// The error if an argument looks like one of Meta's tokens, wherever it is; `None` otherwise.
pub fn leaked(arguments: &[OsString]) -> Option<CliError> {
    let values = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
    let what = values.into_iter().find_map(|value| credential_in(&value))?;
    Some(
        CliError::usage(format!(
            "an argument looks like a secret ({what}): every user of this machine can see a command line, and the shell's history keeps it; nothing was done"
        ))
        .hint("give it with --token-stdin, or as --stdin of 'secret set': on a terminal both ask for it without showing it")
        .hint(format!("if that was a real {}, treat it as leaked and replace it at Meta", what.trim_start_matches("a ").trim_start_matches("an "))),
    )
}

/// The error for what clap refused.
pub fn of_clap(error: &clap::Error) -> CliError {
    let rendered = error.render().to_string();
    let path = path(&rendered);
    let texts = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    let help = format!("its arguments and flags: {} --help", path.join(" "));
    let says = |message: &str| CliError::usage(redact(&sentence(message)));
    let first = || says(&first_sentence(&rendered));
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(ContextKind::InvalidArg);
            let names: Vec<String> =
                missing.iter().map(|name| name.replace(['<', '>'], "").replace("...", "")).collect();
            says(&format!("missing: {}", names.join(", "))).hint(help)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            says(&format!("missing: what '{}' is to do", path.join(" ")))
                .hint(format!("its commands: {} --help", path.join(" ")))
        }
        ErrorKind::InvalidSubcommand => {
            let typed = texts(ContextKind::InvalidSubcommand).pop().unwrap_or_default();
            let shown = first();
            if let Some(command) = meant(&path, &typed) {
                return shown.hint(format!("did you mean: msgrctl {command}"));
            }
            let near = near_command(&path, &typed).map(|near| format!("did you mean '{near}'? "));
            shown.hint(format!("{}its commands: {} --help", near.unwrap_or_default(), path.join(" ")))
        }
        ErrorKind::UnknownArgument => {
            let typed = texts(ContextKind::InvalidArg).pop().unwrap_or_default();
            // A passphrase or a verify token has no recognizable form.
            if path.get(1).is_some_and(|noun| *noun == "secret") && !typed.starts_with('-') {
                return says("unexpected argument (not shown, because it may be a secret)")
                    .hint("secrets are read from standard input or a file, or asked for: --stdin, --file PATH")
                    .hint("if it was one, treat it as leaked: choose another");
            }
            let near: Vec<String> = near_flags(&path, &typed).iter().map(|flag| format!("'{flag}'")).collect();
            let shown = first();
            let shown =
                if near.is_empty() { shown } else { shown.hint(format!("did you mean {}?", near.join(" or "))) };
            shown.hint(help)
        }
        ErrorKind::InvalidValue => {
            let known = texts(ContextKind::ValidValue);
            let shown = match texts(ContextKind::SuggestedValue).last() {
                Some(near) => first().hint(format!("did you mean '{near}'?")),
                None => first(),
            };
            if known.is_empty() { shown.hint(help) } else { shown.hint(format!("it is one of: {}", known.join(", "))) }
        }
        _ => first().hint(help),
    }
}

/// clap's first sentence, on one line.
fn first_sentence(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let text = text.split("\n\n").next().unwrap_or_default();
    let text = text.split("\n  [possible values").next().unwrap_or_default();
    text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The words of the typed command, from its usage: `msgrctl account add`.
fn path(rendered: &str) -> Vec<&str> {
    let usage = rendered.split_once("Usage: ").map_or("msgrctl", |(_, usage)| usage);
    let word = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-');
    usage.split_whitespace().take_while(word).collect()
}

fn meant(path: &[&str], typed: &str) -> Option<&'static str> {
    let noun = path.get(1).copied().unwrap_or_default();
    let typed = typed.to_lowercase();
    MEANT
        .iter()
        .find(|(below, words, _)| *below == noun && words.contains(&typed.as_str()))
        .map(|(.., command)| *command)
}

/// Flags of a command that start with the typed text, or the most similar one.
fn near_flags(path: &[&str], typed: &str) -> Vec<String> {
    let Some(typed) = typed.strip_prefix("--").filter(|typed| !typed.is_empty()) else { return Vec::new() };
    let command = command_of(path);
    let flags = || command.get_arguments().filter(|flag| !flag.is_hide_set()).filter_map(clap::Arg::get_long);
    let mut near: Vec<&str> = flags().filter(|flag| flag.starts_with(typed)).collect();
    if near.is_empty() {
        near.extend(alike(typed, flags()));
    }
    near.into_iter().map(|flag| format!("--{flag}")).collect()
}

/// The most similar command below a noun.
fn near_command(path: &[&str], typed: &str) -> Option<String> {
    let command = command_of(path);
    alike(typed, command.get_subcommands().map(clap::Command::get_name)).map(str::to_owned)
}

/// The most similar word, unless it is too different.
fn alike<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(typed, known).filter(|near| strsim::jaro_winkler(typed, near) > 0.8)
}

fn command_of(path: &[&str]) -> clap::Command {
    let mut command = super::args::command();
    // Gives commands the global flags too.
    command.build();
    for word in path.iter().skip(1) {
        match command.find_subcommand(word) {
            Some(below) => command = below.clone(),
            None => break,
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> CliError {
        let error = crate::cli::command().try_get_matches_from(line.split(' ')).expect_err("refused");
        of_clap(&error)
    }

    #[test]
    fn what_people_type_leads_to_a_command_that_there_is() {
        for (noun, words, command) in MEANT {
            let line = format!("msgrctl {command}");
            let line = line.replace("EVENT", "session-ended");
            let parsed = crate::cli::command().try_get_matches_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
            for word in *words {
                let typed = [&["msgrctl"][..], &[*noun, *word][usize::from(noun.is_empty())..]].concat().join(" ");
                let error = error(&typed);
                let hint = format!("did you mean: msgrctl {command}");
                assert_eq!(error.first_hint(), Some(hint.as_str()), "{typed}");
            }
        }
    }

    #[test]
    fn what_clap_refuses_is_said_as_ours_is() {
        for (line, message, hint) in [
            ("msgrctl account lst", "unrecognized subcommand 'lst'", "did you mean"),
            ("msgrctl account list --jsn", "unexpected argument '--jsn' found", "did you mean '--json'?"),
            (
                "msgrctl account add --all",
                "unexpected argument '--all' found",
                "its arguments and flags: msgrctl account add",
            ),
            ("msgrctl account add --tok", "unexpected argument '--tok' found", "did you mean '--token-stdin' or"),
            (
                "msgrctl account remove a --name x",
                "unexpected argument '--name' found",
                "its arguments and flags: msgrctl account remove --help",
            ),
            ("msgrctl config set store", "missing: VALUE", "its arguments and flags: msgrctl config set --help"),
            ("msgrctl completions fsh", "invalid value 'fsh' for", "did you mean 'fish'?"),
        ] {
            let error = error(line);
            assert!(error.message().starts_with(message), "{line}: {}", error.message());
            let first = error.first_hint().unwrap_or_default();
            assert!(first.starts_with(hint), "{line}: {first}");
        }
    }

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let leaked = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            leaked(&words)
        };
        for token in
            ["EAABsbCS1234567890abcdef", "--token=EAABsbCS1234567890abcdef", "123456789012345|abcdefghijklmnop"]
        {
            let error = leaked(&["msgrctl", "secret", "set", "acme", token]).expect(token);
            assert!(error.message().contains("looks like a secret") && !error.message().contains("abcdef"));
            assert!(error.hints().iter().any(|hint| hint.contains("treat it as leaked")), "{:?}", error.hints());
        }
        assert!(leaked(&["msgrctl", "message", "set", "acme", "--text", "EAA is how tokens begin"]).is_none());
        assert!(
            leaked(&["msgrctl", "account", "add", "--callback-url", "https://example.com/?key=0123456789"]).is_none()
        );
    }
}
