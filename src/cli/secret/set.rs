//! `msgrctl secret set`: replaces one secret of an account.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::accounts::Account;
use crate::cli::account::edit::change;
use crate::cli::account::inputs::{self, Given};
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::pick::{AccountArg, KindArg};
use crate::operations::Invocation;
use crate::operations::accounts::edit::Edit;
use crate::operations::accounts::gate::Gate;
use crate::operations::accounts::inputs::SecretInputs;
use crate::secrets::SecretKind;

/// Replace a secret
///
/// A new page access token or app secret is first tested with Graph, together with the
/// account's other secrets: right page, right app, permissions; a user access token must reach
/// the account's Page. One that fails is refused
/// unless --force is given; the old one stays until the new one is stored. Asks first;
/// without a terminal it needs --yes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  printf %s \"$TOKEN\" | msgrctl secret set acme-support page-access-token --stdin --yes
  msgrctl secret set acme-support verify-token --generate
  msgrctl secret set acme-support page-access-token --yes \\
      --from 'command:op read op://vault/acme/token'")]
pub struct SetArgs {
    #[command(flatten)]
    account: AccountArg,
    #[command(flatten)]
    kind: KindArg,
    #[command(flatten)]
    value: ValueArgs,
    /// Save it even if it fails the test or Graph does not answer
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
struct ValueArgs {
    /// Read the secret from standard input
    #[arg(long)]
    stdin: bool,
    /// Read the secret from a file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Store a reference to it: env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references))]
    from: Option<String>,
    /// Generate a new verify token
    #[arg(long)]
    generate: bool,
}

impl ValueArgs {
    /// The given source, or on a terminal the one that the operator picks: paste it, or generate
    /// a verify token.
    fn or_asked(&self, ctx: &Context, account: &Account, kind: SecretKind) -> Result<Self, CliError> {
        if self.stdin || self.file.is_some() || self.from.is_some() || self.generate {
            return Ok(self.clone());
        }
        let pasted = Self { stdin: true, ..self.clone() };
        let generated = Self { generate: true, ..self.clone() };
        let can_be_made = kind == SecretKind::VerifyToken;
        if !ctx.someone_can_answer || ctx.global.yes {
            let usual = if can_be_made { &generated } else { &pasted };
            return Err(CliError::usage(format!("missing: the {kind}"))
                .hint(format!("--stdin, --file PATH or --from REF gives it: {}", usual.command(account, kind))));
        }
        if !can_be_made {
            return Ok(pasted);
        }
        let ways = ["Generate a new one", "Paste one"].map(str::to_owned);
        match ctx.prompter.choose("Verify token", &ways, 0)? {
            Some(0) => Ok(generated),
            Some(_) => Ok(pasted),
            None => Err(CliError::left("not confirmed; nothing was changed")),
        }
    }

    /// The same command, to paste.
    fn command(&self, account: &Account, kind: SecretKind) -> String {
        let file = self.file.as_ref().map(|path| path.to_string_lossy());
        let command = Invocation::of("secret set").arg(account.handle.as_str()).arg(kind.argument());
        let command = command.flag("--stdin", self.stdin).with("--file", file.as_deref());
        command.with("--from", self.from.as_deref()).flag("--generate", self.generate).to_string()
    }
}

pub fn run(args: &SetArgs, ctx: &Context) -> Result<u8, CliError> {
    let account = args.account.pick(ctx)?;
    let kind = args.kind.pick(ctx, &account)?;
    if args.value.generate && kind != SecretKind::VerifyToken {
        return Err(CliError::usage(format!("a {kind} cannot be generated: Meta issues it"))
            .hint("--generate is only for verify-token"));
    }
    let value = args.value.or_asked(ctx, &account, kind)?;
    let given = Given { stdin: value.stdin, file: value.file.as_deref(), from: value.from.as_deref() };
    let inputs = if value.generate { SecretInputs::generated() } else { inputs::of_one(kind, &given, ctx, false)? };
    let edit = Edit {
        inputs,
        gate: if args.force { Gate::Anyway } else { Gate::Passing },
        to_save: "--force saves it anyway",
        ..Edit::default()
    };
    change(ctx, &account, edit, &value.command(&account, kind))
}
