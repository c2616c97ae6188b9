//! The commands.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory as _, Parser, Subcommand};

use super::format::FormatArg;
use super::global::Global;
use super::{
    account, apply, chat_settings, completions, config, doctor, explain, export, help, log, login, man, message, plan,
    sandbox, schema, secret, state, status, tenant, undo, version, watch, webhook,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  msgrctl demo                          # the whole job, without an account at Meta
  msgrctl account add                   # asks for what it needs
  msgrctl account test acme-support     # Test Connection
  msgrctl account handover acme-support # what is left to do elsewhere
  msgrctl explain 190/463               # what a code, a cause or a check means
  msgrctl doctor                        # what is wrong with this machine";

/// Connects Facebook Pages to a contact centre.
///
/// Keeps the integration accounts of a contact centre, with their secrets in the operating
/// system's keyring, and tests each with Meta's Graph API: what is wrong, why, and how to
/// fix it.
#[derive(Debug, Parser)]
#[command(name = "msgrctl", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Integration accounts: add, list, show, edit, rename, remove, test, renew, handover, discover
    #[command(subcommand, visible_alias = "accounts")]
    Account(Box<account::AccountCommand>),
    /// Secrets of accounts: list, set, reveal, move, remove, passphrase
    #[command(subcommand, visible_alias = "secrets")]
    Secret(secret::SecretCommand),
    /// The messages that accounts send at chat events: list, show, set, default, disable, edit, send
    #[command(subcommand, visible_alias = "messages")]
    Message(message::MessageCommand),
    /// The tenant's defaults: texts and timeouts
    #[command(subcommand)]
    ChatSettings(chat_settings::ChatSettingsCommand),
    /// Webhooks: show, verify, subscribe, unsubscribe, status, rotate, listen
    #[command(subcommand, visible_alias = "webhooks")]
    Webhook(Box<webhook::WebhookCommand>),
    Login(Box<login::LoginArgs>),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Export(export::ExportArgs),
    /// Tenants: add, list, show, use, edit, remove
    #[command(subcommand, visible_alias = "tenants")]
    Tenant(tenant::TenantCommand),
    /// The built-in Graph API, to try things out and to test against
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    /// Run the whole job in seconds: add an account, subscribe it, answer a customer
    ///
    /// Runs the real commands against a Graph API inside this process, with a temporary
    /// configuration. Nothing is sent or kept.
    #[command(after_help = "Examples:\n  msgrctl demo")]
    Demo,
    Status(status::StatusArgs),
    Watch(watch::WatchArgs),
    /// The same as 'account test'
    Test(account::TestArgs),
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    /// Settings of this machine: list, get, set, unset
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Where the records are: show, move, unlock
    #[command(subcommand)]
    State(state::StateCommand),
    Log(log::LogArgs),
    Undo(undo::UndoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Schema(schema::SchemaArgs),
    Help(help::HelpArgs),
    Version(version::VersionArgs),
}

impl Command {
    /// The output format, for commands with that flag.
    pub(super) fn format(&self) -> FormatArg {
        match self {
            Self::Account(command) => command.format(),
            Self::Test(args) => args.format,
            Self::Webhook(command) => command.format(),
            Self::Doctor(args) => args.format,
            Self::Plan(args) => args.format(),
            _ => FormatArg::default(),
        }
    }
}

/// The tree of commands, with examples before options.
pub fn command() -> clap::Command {
    // Not the name of the file that was started: hints are to be typed, and that of Windows has an ending.
    examples_first(Cli::command().bin_name("msgrctl"))
}

fn examples_first(command: clap::Command) -> clap::Command {
    const TEMPLATE: &str = "{before-help}{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}";
    command.help_template(TEMPLATE).mut_subcommands(examples_first)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn usage_names_the_program_without_its_ending() {
        let refused = command().try_get_matches_from([r"C:\Tools\msgrctl.exe", "tenant", "ad"]).expect_err("refused");
        assert!(refused.to_string().contains("Usage: msgrctl tenant"), "{refused}");
    }

    /// A command in a hint carries the flags of its run.
    #[test]
    fn what_works_on_a_configuration_is_known_by_its_word() {
        const ANYWHERE: [&str; 7] = ["completions", "demo", "explain", "help", "man", "schema", "version"];
        let tree = Cli::command();
        let names =
            tree.get_subcommands().flat_map(|below| std::iter::once(below.get_name()).chain(below.get_all_aliases()));
        for name in names {
            assert_ne!(crate::text::COMMANDS.contains(&name), ANYWHERE.contains(&name), "{name}");
        }
    }

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }
}
