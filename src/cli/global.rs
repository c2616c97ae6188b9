//! The flags that every command takes.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;

use super::candidates;
use super::error::CliError;
use crate::env::Environment;
use crate::operations::Given;
use crate::secrets::StoreName;
use crate::ui::terminal::Color;

/// Flags of every command, before or after it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The tenant to work in [env: MSGRCTL_TENANT] [default: default]
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCandidates::new(candidates::tenants))]
    pub tenant: Option<String>,
    /// Where new secrets go [env: MSGRCTL_STORE] [default: keyring]
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<StoreName>,
    /// The key file of the encrypted file [env: MSGRCTL_KEY_FILE; a passphrase: MSGRCTL_PASSPHRASE]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub key_file: Option<PathBuf>,
    /// Print the result as JSON, and errors as one line of JSON on standard error [env: MSGRCTL_JSON]
    #[arg(long, global = true)]
    pub json: bool,
    /// Never ask; fail and name what is missing [env: MSGRCTL_NO_INPUT]
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Answer yes to every question
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Print only results, warnings and errors [env: MSGRCTL_QUIET]
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print what is done; -vv and -vvv print more, never a secret [env: MSGRCTL_VERBOSE=1, 2, 3]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour [env: MSGRCTL_COLOR] [default: auto]
    #[arg(long, global = true, value_name = "WHEN", hide_short_help = true)]
    pub color: Option<Color>,
    /// Keep everything in this directory [env: MSGRCTL_CONFIG_DIR]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub config_dir: Option<PathBuf>,
    /// Graph's URL: https://graph.facebook.com or an address on this machine [env: MSGRCTL_GRAPH_URL]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub graph_url: Option<String>,
    /// The Graph version [env: MSGRCTL_GRAPH_VERSION] [default: v26.0]
    #[arg(long, global = true, value_name = "vN.M", hide_short_help = true)]
    pub graph_version: Option<String>,
    /// Seconds that one call to Graph may take [env: MSGRCTL_TIMEOUT] [default: 20]
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true)]
    pub timeout: Option<String>,
    /// Certificates (PEM) to trust besides the system's [env: MSGRCTL_CA_BUNDLE]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca_bundle: Option<PathBuf>,
}

impl Global {
    /// The flags that operations need.
    pub fn given(&self) -> Given {
        Given {
            config_dir: self.config_dir.clone(),
            tenant: self.tenant.clone(),
            store: self.store,
            key_file: self.key_file.clone(),
            graph_url: self.graph_url.clone(),
            graph_version: self.graph_version.clone(),
            timeout: self.timeout.clone(),
            ca_bundle: self.ca_bundle.clone(),
            ..Given::default()
        }
    }

    /// Fills in from the variables that are read before anything else; the settings read the
    /// others.
    pub fn take_variables(&mut self, env: &Environment) -> Result<Color, CliError> {
        self.json |= env.is_on("MSGRCTL_JSON");
        self.quiet |= env.is_on("MSGRCTL_QUIET");
        if let (0, Some(level)) = (self.verbose, env.text("MSGRCTL_VERBOSE")) {
            let wrong = || CliError::usage(format!("MSGRCTL_VERBOSE: '{level}' is not 0, 1, 2 or 3"));
            self.verbose = level.parse().map_err(|_| wrong())?;
        }
        match (self.color, env.text("MSGRCTL_COLOR")) {
            (Some(color), _) => Ok(color),
            (None, Some(text)) => Color::from_str(text, false)
                .map_err(|_| CliError::usage(format!("MSGRCTL_COLOR: '{text}' is not auto, always or never"))),
            (None, None) => Ok(Color::Auto),
        }
    }
}

impl ValueEnum for StoreName {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Keyring => "The operating system's keyring",
            Self::File => "An encrypted file of the tenant; its key is in the keyring, a key file or a passphrase",
            Self::Vault => "HashiCorp Vault or OpenBao (KV version 2); where it is: VAULT_ADDR or config.toml",
            Self::Env => "Variables MSGRCTL_SECRET_<HANDLE>_<KIND>, read only",
            Self::Memory => "This process's memory, for the demo",
        };
        Some(PossibleValue::new(self.as_str()).help(help).hide(*self == Self::Memory))
    }
}
