//! Ways out on a machine without a working keyring, as commands to paste.

use super::fields::FieldArgs;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::accounts::fields::of_secret;
use crate::operations::{Invocation, no_keyring};
use crate::secrets::{SecretKind, StoreError};

/// A store that does not answer, with the ways out that need no keyring.
pub fn ways_out(ctx: &Context, error: StoreError, name: Option<&str>, fields: &FieldArgs) -> CliError {
    if !error.is_keyring_away() {
        return error.into();
    }
    let (command, variables) = by_reference(ctx, name, fields);
    let set = if variables.is_empty() { String::new() } else { format!("set {}, then ", variables.join(" and ")) };
    no_keyring(
        Some(ctx),
        &error,
        &format!("or keep no copy and refer to the secrets where they are; {set}paste this:\n    {command}"),
    )
}

/// The same command with secrets by reference, and the variables that it reads.
fn by_reference(ctx: &Context, name: Option<&str>, fields: &FieldArgs) -> (Invocation, Vec<&'static str>) {
    let mut variables = Vec::new();
    let mut from = |kind, from: &Option<String>, is_needed: bool| {
        let variable = of_secret(kind).variable.filter(|_| from.is_none() && is_needed);
        variables.extend(variable);
        from.clone().or_else(|| variable.map(|variable| format!("env:{variable}")))
    };
    let app_secret = fields.app_secret_stdin || fields.app_secret_file.is_some();
    let app_secret = app_secret || ctx.env.text("MSGRCTL_APP_SECRET").is_some();
    let fields = FieldArgs {
        token_from: from(SecretKind::PageAccessToken, &fields.token_from, true),
        app_secret_from: from(SecretKind::AppSecret, &fields.app_secret_from, app_secret),
        verify_token_from: from(SecretKind::VerifyToken, &fields.verify_token_from, true),
        token_stdin: false,
        token_file: None,
        app_secret_stdin: false,
        app_secret_file: None,
        generate_verify_token: false,
        verify_token_stdin: false,
        verify_token_file: None,
        ..fields.clone()
    };
    let command = Invocation::of("account add");
    let command = name.into_iter().fold(command, Invocation::arg).global(&ctx.given);
    (fields.again(command), variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;
    use crate::operations::Given;

    /// What a shell and then clap parse from a command.
    fn parsed(command: &Invocation) -> clap::ArgMatches {
        let words = shlex::split(&command.to_string()).expect("words");
        let parsed = crate::cli::command().try_get_matches_from(&words);
        let (_, account) =
            parsed.unwrap_or_else(|error| panic!("{command}: {error}")).remove_subcommand().expect("a noun");
        account.subcommand().expect("a verb").1.clone()
    }

    #[test]
    fn the_same_command_is_read_as_it_was_given() {
        let text = |text: &str| Some(text.to_owned());
        let fields = FieldArgs {
            channel: Some(Channel::Facebook),
            page_username: text("acme support's"),
            page_id: text("-1"),
            handle: text("$HOME"),
            callback_url: text("https://example.com/a?key=mark&b='"),
            token_from: text("command:op read 'op://vault/acme/a token'"),
            app_secret_file: Some("a b.txt".into()),
            generate_verify_token: true,
            save_anyway: true,
            ..FieldArgs::default()
        };
        let given = Given { tenant: text("acme"), config_dir: Some("/a dir".into()), ..Given::default() };
        let command =
            Invocation::of("account add").arg("-x; rm -rf \"/\"").global(&given).with("--store", Some("file"));
        let command = fields.again(command);
        let read = parsed(&command);
        let one = |id: &str| read.get_raw(id).expect(id).next().expect(id).to_string_lossy().into_owned();
        assert_eq!(one("name"), "-x; rm -rf \"/\"");
        assert_eq!((one("tenant"), one("config_dir"), one("store")), ("acme".into(), "/a dir".into(), "file".into()));
        assert_eq!(one("page_username"), "acme support's");
        assert_eq!((one("page_id"), one("handle"), one("channel")), ("-1".into(), "$HOME".into(), "facebook".into()));
        assert_eq!(one("token_from"), "command:op read 'op://vault/acme/a token'");
        assert_eq!(one("app_secret_file"), "a b.txt");
        assert!(read.get_flag("generate_verify_token") && read.get_flag("save_anyway") && !read.get_flag("no_test"));
        assert!(!one("callback_url").contains("mark"), "{command}");
    }
}
