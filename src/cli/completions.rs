//! Prints the scripts that let a shell ask msgrctl for completions. They hold no list, so
//! they keep working after an upgrade.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::error::CliError;

/// Print the completion script of a shell
///
/// The shell then completes commands, flags, values, files, tenants and account handles. It
/// reads only files of this machine: no secret store, no network. Packages and install.sh
/// install the same scripts; bash reads them with its package bash-completion.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(msgrctl completions bash)      # a line for ~/.bashrc
  source <(msgrctl completions zsh)       # a line for ~/.zshrc, after compinit
  msgrctl completions fish | source       # a line for ~/.config/fish/config.fish
  msgrctl completions powershell | Out-String | Invoke-Expression  # a line for $PROFILE
  msgrctl completions elvish >> ~/.config/elvish/rc.elv
  msgrctl completions bash > msgrctl.bash # the script itself")]
pub struct CompletionsArgs {
    /// The shell: bash, zsh, fish, powershell, elvish
    #[arg(value_name = "SHELL")]
    shell: Option<Shell>,
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
    /// The script, which packages install too.
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
        return Err(CliError::usage("a script cannot be printed as JSON: omit --json"));
    }
    let Some(shell) = args.shell else { return Err(missing(ctx)) };
    ctx.output.exact(shell.script().as_bytes());
    Ok(0)
}

/// Names the running shell, if it is one of those.
fn missing(ctx: &Context) -> CliError {
    let runs = ctx.env.text("SHELL").and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let name = |shell: &Shell| shell.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let all: Vec<String> = Shell::value_variants().iter().map(name).collect();
    let this = all
        .iter()
        .find(|shell| *shell == runs)
        .map_or(if cfg!(windows) { "powershell" } else { "bash" }, String::as_str);
    CliError::usage(format!("missing: SHELL, which is {}", all.join(", ")))
        .hint(format!("for example: msgrctl completions {this}"))
        .hint("where each goes: msgrctl completions --help")
}
