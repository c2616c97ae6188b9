//! `msgrctl config`: the settings of this machine.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::envelope::Envelope;
use super::error::CliError;
use super::tables::show;
use crate::operations::Origin;
use crate::operations::config::{keys, set};
use crate::secrets::StoreName;
use crate::text::sentence;
use crate::ui::table::table;

#[derive(Debug, Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:\n  msgrctl config list\n  msgrctl config set store file"
)]
pub(super) enum ConfigCommand {
    /// List the settings in force, and where each one comes from
    #[command(visible_alias = "ls", after_help = "Examples:\n  msgrctl config list\n  msgrctl config list --json")]
    List,
    /// Print the setting in force
    #[command(after_help = "Examples:\n  msgrctl config get store")]
    Get(KeyArg),
    /// Write a setting into config.toml
    ///
    /// The rest of the file, with its comments, stays. Flags and variables still win. To undo:
    /// msgrctl undo.
    #[command(after_help = "Examples:\n  msgrctl config set store file\n  msgrctl config set tenant acme")]
    Set(SetArgs),
    /// Remove a setting from config.toml
    #[command(after_help = "Examples:\n  msgrctl config unset graph_url")]
    Unset(KeyArg),
}

#[derive(Debug, Args)]
pub(super) struct KeyArg {
    /// The setting
    #[arg(value_name = "KEY", value_parser = PossibleValuesParser::new(keys().map(|(key, _)| key)))]
    key: String,
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    #[command(flatten)]
    key: KeyArg,
    /// Its value
    #[arg(value_name = "VALUE")]
    value: String,
}

pub(super) fn run(command: &ConfigCommand, ctx: &Context) -> Result<u8, CliError> {
    match command {
        ConfigCommand::List => list(ctx),
        ConfigCommand::Get(KeyArg { key }) => get(ctx, key),
        ConfigCommand::Set(SetArgs { key: KeyArg { key }, value }) => change(ctx, key, Some(value)),
        ConfigCommand::Unset(KeyArg { key }) => change(ctx, key, None),
    }
}

fn list(ctx: &Context) -> Result<u8, CliError> {
    let settings = ctx.settings()?;
    let mut rows = settings.rows();
    // The defaults of Vault matter only where it is used.
    if settings.store.value != StoreName::Vault && !settings.vault.is_configured() {
        rows.retain(|(key, _, origin)| !key.starts_with("vault.") || **origin != Origin::BuiltIn);
    }
    if ctx.output.json {
        let rows = rows.iter().map(|(key, value, origin)| view(key, value, origin));
        ctx.output.json(&Envelope("settings", rows.collect::<Vec<_>>()));
        return Ok(0);
    }
    let shown = |value: &str| if value.is_empty() { "not set".to_owned() } else { value.to_owned() };
    let rows = rows.iter().map(|(key, value, origin)| vec![(*key).to_owned(), shown(value), origin.to_string()]);
    let laid = table(&["SETTING", "VALUE", "FROM"], rows.collect(), ctx.output.terminal.out());
    show(ctx, &laid, "--json has them");
    Ok(0)
}

fn view(key: &str, value: &str, origin: &Origin) -> Value {
    let from = match origin {
        Origin::Flag(_) => "flag",
        Origin::Variable(_) => "variable",
        Origin::File(..) => "file",
        Origin::BuiltIn => "default",
    };
    match value {
        "" => json!({"key": key, "from": from}),
        value => json!({"key": key, "value": value, "from": from}),
    }
}

fn get(ctx: &Context, key: &str) -> Result<u8, CliError> {
    let rows = ctx.settings()?.rows();
    let found = rows.iter().find(|(known, ..)| *known == key);
    let Some((key, value, origin)) = found.filter(|(_, value, _)| !value.is_empty()) else {
        return Err(
            CliError::failed(format!("{key} is not set")).hint(format!("to set it: msgrctl config set {key} VALUE"))
        );
    };
    if ctx.output.json {
        ctx.output.json(&Envelope("setting", view(key, value, origin)));
    } else {
        ctx.output.result(&sentence(value));
    }
    Ok(0)
}

fn change(ctx: &Context, key: &str, value: Option<&str>) -> Result<u8, CliError> {
    let changed = set(ctx, key, value)?;
    let path = ctx.settings()?.paths.config_file();
    if ctx.output.json {
        ctx.output.json(&json!({"schema_version": 1, "key": key, "value": value, "changed": changed}));
    } else if !changed {
        ctx.output.notice("nothing to change");
    } else if let Some(value) = value {
        ctx.output.result(&sentence(&format!("{key} is '{value}' in {}", path.display())));
    } else {
        ctx.output.result(&format!("removed {key} from {}", path.display()));
    }
    // The written value may not be the one in force.
    let rows = ctx.settings()?.rows();
    if let Some((_, wins, Origin::Flag(name) | Origin::Variable(name))) = rows.iter().find(|(known, ..)| *known == key)
    {
        ctx.output.warning(&format!("{name} is set to '{wins}' and overrides it"));
    }
    Ok(0)
}
