//! What to do on a machine whose keyring does not answer: commands to be pasted.

use super::fields::FieldArgs;
use crate::address;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::secrets::StoreError;

/// A store that does not answer, with the ways out that need no keyring. Each
/// command stands on a line of its own, to be pasted.
pub fn ways_out(ctx: &Context, error: StoreError, name: Option<&str>, fields: &FieldArgs) -> CliError {
    let keyring = matches!(
        error,
        StoreError::Absent { .. } | StoreError::Locked | StoreError::Declined | StoreError::TimedOut { .. }
    );
    let shown = CliError::from(error);
    if !keyring {
        return shown;
    }
    let (command, variables) = by_reference(ctx, name, fields);
    let set = if variables.is_empty() { String::new() } else { format!("set {}, then ", variables.join(" and ")) };
    shown
        .hint(
            "or keep secrets in an encrypted file, opened by a key file; paste this, then run the command again:\n    \
             [ -e ~/.msgrctl.key ] || (umask 077; head -c 32 /dev/urandom > ~/.msgrctl.key); export MSGRCTL_STORE=file MSGRCTL_KEY_FILE=~/.msgrctl.key",
        )
        .hint(format!("or keep no copy, only where they are; {set}paste this:\n    {command}"))
}

/// The global flags of this run that the same command needs again.
pub(super) fn global_words(ctx: &Context) -> Vec<String> {
    let global = &ctx.global;
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    [
        ("--tenant", global.tenant.clone()),
        ("--config-dir", path(&global.config_dir)),
        ("--graph-url", global.graph_url.clone()),
        ("--graph-version", global.graph_version.clone()),
        ("--timeout", global.timeout.clone()),
        ("--ca-bundle", path(&global.ca_bundle)),
        ("--key-file", path(&global.key_file)),
    ]
    .into_iter()
    .filter_map(|(flag, value)| Some([flag.to_owned(), value?]))
    .flatten()
    .collect()
}

/// The same command with its secrets by reference, and the variables that it reads.
fn by_reference(ctx: &Context, name: Option<&str>, fields: &FieldArgs) -> (String, Vec<&'static str>) {
    let global = global_words(ctx);
    let callback_url = fields.callback_url.as_deref().map(address::with_placeholders);
    let mut words: Vec<&str> = vec!["msgrctl", "account", "add"];
    words.extend(name);
    words.extend(global.iter().map(String::as_str));
    for (flag, value) in [
        ("--page-username", &fields.page_username),
        ("--page-id", &fields.page_id),
        ("--app-id", &fields.app_id),
        ("--callback-url", &callback_url),
        ("--handle", &fields.handle),
    ] {
        if let Some(value) = value {
            words.extend([flag, value]);
        }
    }
    words.extend(fields.no_test.then_some("--no-test"));
    words.extend(fields.save_anyway.then_some("--save-anyway"));
    let app_secret = fields.app_secret_stdin || fields.app_secret_file.is_some();
    let mut variables = Vec::new();
    for (flag, from, needed, reference) in [
        ("--token-from", &fields.token_from, true, "env:MSGRCTL_PAGE_TOKEN"),
        (
            "--app-secret-from",
            &fields.app_secret_from,
            app_secret || ctx.env.text("MSGRCTL_APP_SECRET").is_some(),
            "env:MSGRCTL_APP_SECRET",
        ),
        ("--verify-token-from", &fields.verify_token_from, true, "env:MSGRCTL_VERIFY_TOKEN"),
    ] {
        match from {
            Some(from) => words.extend([flag, from]),
            None if needed => {
                words.extend([flag, reference]);
                variables.push(reference.trim_start_matches("env:"));
            }
            None => {}
        }
    }
    // Fails on a NUL only, which no command line can hold.
    (shlex::try_join(words).unwrap_or_default(), variables)
}
