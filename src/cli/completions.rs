//! `msgrctl completions`: the script that tells a shell to ask msgrctl what could
//! come next.
//!
//! The script holds no list of its own: it asks the program that is installed, so it
//! goes on working after an upgrade.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::error::CliError;

/// Print the completion script of a shell
///
/// The shell then completes commands, flags, values, files, tenants, and accounts by
/// their handles, each with its name. It reads files of this machine only: no secret
/// store and no network. Packages install the same scripts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl completions bash > ~/.local/share/bash-completion/completions/msgrctl
  msgrctl completions zsh > ~/.zfunc/_msgrctl        # with fpath+=~/.zfunc before compinit
  msgrctl completions fish > ~/.config/fish/completions/msgrctl.fish
  msgrctl completions powershell >> $PROFILE
  msgrctl completions elvish >> ~/.config/elvish/rc.elv")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
    Elvish,
}

impl Shell {
    /// The script, which is also a file of the package.
    fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../completions/msgrctl.bash"),
            Self::Zsh => include_str!("../../completions/_msgrctl"),
            Self::Fish => include_str!("../../completions/msgrctl.fish"),
            Self::Powershell => include_str!("../../completions/msgrctl.ps1"),
            Self::Elvish => include_str!("../../completions/msgrctl.elv"),
        }
    }
}

pub fn run(args: &CompletionsArgs, ctx: &Context) -> Result<u8, CliError> {
    if ctx.output.json {
        return Err(CliError::usage("a script has no JSON: leave --json out"));
    }
    ctx.output.exact(args.shell.script().as_bytes());
    Ok(0)
}
