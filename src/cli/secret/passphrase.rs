//! `msgrctl secret passphrase`: changes the passphrase or key of the encrypted file.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::account::inputs::passphrase_from;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::reporter::ask_passphrase;
use crate::operations::secrets::passphrase::{begin_again, change};
use crate::secrets::{Asking, NewKey, SecretKind};
use crate::text::for_shell;

/// Change what opens the encrypted file: its passphrase, a key file, or the keyring
///
/// Asks for the new passphrase twice, and encrypts every secret in the file again; an
/// interruption leaves the old file unchanged. The old passphrase (MSGRCTL_PASSPHRASE) or
/// key file (--key-file) opens the file as usual.
///
/// A forgotten passphrase cannot be recovered, and neither can the secrets behind it.
/// --begin-again sets the file aside (secrets.enc.old) and lists the secrets to set again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl secret passphrase
  msgrctl secret passphrase --new-key-file ~/.msgrctl.key
  msgrctl secret passphrase --keyring
  msgrctl secret passphrase --begin-again")]
pub struct PassphraseArgs {
    #[command(flatten)]
    new: NewArgs,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct NewArgs {
    /// Read the new passphrase from standard input
    #[arg(long)]
    stdin: bool,
    /// Read the new passphrase from a file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Open the file with this key file from now on; to make one:
    /// (umask 077; head -c 32 /dev/urandom > FILE)
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Open the file with a key in the keyring from now on
    #[arg(long)]
    keyring: bool,
    /// The passphrase or key is lost: set the file aside and begin with an empty one
    #[arg(long)]
    begin_again: bool,
}

pub fn run(args: &PassphraseArgs, ctx: &Context) -> Result<u8, CliError> {
    let NewArgs { stdin, file, new_key_file, keyring, begin_again: begins } = &args.new;
    if *begins {
        return again(ctx);
    }
    for path in [new_key_file, file].into_iter().flatten() {
        ctx.settings()?.refuse_own("a key or a passphrase", path)?;
    }
    let (new, what) = match new_key_file {
        Some(path) => (NewKey::KeyFile(path.clone()), format!("the key file {}", path.display())),
        None if *keyring => (NewKey::Keyring, "a key in the keyring".to_owned()),
        None => {
            let given = passphrase_from(ctx, *stdin, file.as_deref())?;
            let passphrase = match given {
                Some(given) => given,
                None if ctx.someone_can_answer => {
                    // The operator expects the prompt for the old one first.
                    ctx.stores().file().open_now()?;
                    ask_passphrase(&*ctx.prompter, &ctx.output, Asking::New)
                        .ok_or_else(|| CliError::left("nothing was changed"))?
                }
                None => {
                    return Err(CliError::usage("missing: the new passphrase")
                        .hint("give it on standard input: msgrctl secret passphrase --stdin"));
                }
            };
            (NewKey::Passphrase(passphrase), "the new passphrase".to_owned())
        }
    };
    let path = change(ctx, &new)?;
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "path": path}));
        return Ok(0);
    }
    ctx.output.result(&format!("{what} opens {} from now on", path.display()));
    match &new {
        NewKey::Passphrase(_) => ctx
            .output
            .notice("it cannot be recovered: keep it in a password manager; scripts read it from MSGRCTL_PASSPHRASE"),
        NewKey::KeyFile(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            ctx.output.notice(&format!(
                "keep a copy of it elsewhere; to use it without --key-file: msgrctl config set key_file {}",
                for_shell(&path.to_string_lossy())
            ));
        }
        NewKey::Keyring => {}
    }
    Ok(0)
}

fn again(ctx: &Context) -> Result<u8, CliError> {
    let question = "Set the encrypted file aside and begin with an empty one? You must set the secrets in it again";
    ctx.confirm(question, "msgrctl secret passphrase --begin-again")?;
    let begun = begin_again(ctx)?;
    if ctx.output.json {
        let missing = begun
            .missing
            .iter()
            .flat_map(|(handle, kinds)| kinds.iter().map(move |kind| json!({"account": handle, "kind": kind.key()})));
        let missing: Vec<_> = missing.collect();
        ctx.output.json(&json!({"schema_version": 1, "set_aside": begun.aside, "missing": missing}));
        return Ok(0);
    }
    ctx.output.result(&format!("set aside: {}", begun.aside.display()));
    let calls = ctx.output.calls();
    for (handle, kinds) in &begun.missing {
        // Together: the token is tested with the app secret.
        let flags = kinds.iter().filter_map(|kind| match kind {
            SecretKind::PageAccessToken => Some("--token-file FILE"),
            SecretKind::AppSecret => Some("--app-secret-file FILE"),
            SecretKind::VerifyToken => Some("--verify-token-file FILE"),
            // It is given alone, below.
            SecretKind::UserAccessToken | SecretKind::NextVerifyToken | SecretKind::PlanKey => None,
        });
        let flags = flags.collect::<Vec<_>>().join(" ");
        let edit = (!flags.is_empty()).then(|| format!("msgrctl account edit {handle} {flags} --yes"));
        let of_user = kinds.contains(&SecretKind::UserAccessToken);
        let set = of_user.then(|| format!("msgrctl secret set {handle} user-access-token --file FILE --yes"));
        for command in edit.into_iter().chain(set) {
            ctx.output.result(&format!("  set again: {}", calls.complete(&command)));
        }
    }
    Ok(0)
}
