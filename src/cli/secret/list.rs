//! `msgrctl secret list`: the secrets, where they are, and which are missing.

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde::Serialize;
use serde_json::json;

use crate::accounts::Account;
use crate::cli::candidates;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::tables;
use crate::operations::accounts::find;
use crate::secrets::{SecretKind, SecretRef, StoreError};
use crate::ui::table::table;

/// List secrets: kind, place, and whether each is there
///
/// A fingerprint (the first 8 digits of the SHA-256) shows whether two places hold the same
/// value. It is shown only for values that cannot be guessed: page access tokens, app
/// secrets and generated verify tokens.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  msgrctl secret list\n  msgrctl secret list acme-support --json")]
pub struct ListArgs {
    /// Only this account: its name, handle or id
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    account: Option<String>,
}

/// Where new secrets go, and whether that store answers.
#[derive(Serialize)]
struct StoreView {
    name: &'static str,
    chosen_by: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A secret, without its value.
#[derive(Serialize)]
struct SecretView<'a> {
    account: &'a str,
    handle: &'a str,
    kind: &'static str,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub fn run(args: &ListArgs, ctx: &Context) -> Result<u8, CliError> {
    let store = ctx.accounts()?;
    let accounts = match &args.account {
        Some(address) => vec![find(ctx, address)?],
        None => store.load()?,
    };
    let settings = ctx.settings()?;
    // A list must not create the file, nor ask for its first passphrase.
    let not_made = ctx.store(settings.store.value).is_made()? == Some(false);
    let probed = if not_made { Ok(()) } else { ctx.store(settings.store.value).probe() };
    let chosen = StoreView {
        name: settings.store.value.as_str(),
        chosen_by: settings.store.origin.to_string(),
        ready: probed.is_ok(),
        problem: probed.err().map(|error| error.to_string()),
    };
    ctx.read_ahead(&accounts);
    let mut failed: Option<StoreError> = None;
    let mut secrets = Vec::new();
    for account in &accounts {
        for (kind, source) in &account.secrets {
            secrets.push(look(ctx, account, *kind, source, &mut failed));
        }
    }
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "store": chosen, "secrets": secrets}));
    } else {
        show(ctx, &chosen, &secrets);
    }
    match failed {
        Some(error) => Err(CliError::from(error).context("some places could not be read")),
        None => Ok(0),
    }
}

fn look<'a>(
    ctx: &Context,
    account: &'a Account,
    kind: SecretKind,
    source: &SecretRef,
    failed: &mut Option<StoreError>,
) -> SecretView<'a> {
    let mut view = SecretView {
        account: account.name.as_str(),
        handle: account.handle.as_str(),
        kind: kind.key(),
        source: source.to_string(),
        present: None,
        fingerprint: None,
        problem: None,
    };
    match ctx.secret(account, kind) {
        Ok(Some(secret)) => {
            view.present = Some(true);
            view.fingerprint = secret.fingerprint(kind);
        }
        Ok(None) => view.present = Some(false),
        Err(error) => {
            view.problem = Some(error.to_string());
            failed.get_or_insert(error);
        }
    }
    view
}

fn show(ctx: &Context, chosen: &StoreView, secrets: &[SecretView<'_>]) {
    let state = if chosen.ready { "it is ready" } else { "it does not answer" };
    ctx.output.notice(&format!("new secrets go to the {} store ({}); {state}", chosen.name, chosen.chosen_by));
    if secrets.is_empty() {
        ctx.output.notice("no secrets yet");
        return;
    }
    let row = |secret: &SecretView<'_>| {
        let present = match secret.present {
            Some(true) => "yes",
            Some(false) => "missing",
            None => "unknown",
        };
        vec![
            secret.handle.to_owned(),
            secret.kind.replace('_', "-"),
            present.to_owned(),
            secret.fingerprint.clone().unwrap_or_default(),
            secret.source.clone(),
        ]
    };
    let rows = secrets.iter().map(row).collect();
    let laid = table(&["ACCOUNT", "KIND", "PRESENT", "FINGERPRINT", "PLACE"], rows, ctx.output.terminal.out());
    tables::show(ctx, &laid, "--json has them");
}
