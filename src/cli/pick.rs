//! Chooses accounts and secrets: by name, or from a list on a terminal.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::candidates;
use super::context::Context;
use super::error::CliError;
use crate::accounts::Account;
use crate::operations::accounts::{find, named};
use crate::secrets::SecretKind;
use crate::text::count;

#[derive(Debug, Args)]
pub(super) struct AccountArg {
    /// The account's name, handle or id [on a terminal it is asked for]
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    pub account: Option<String>,
}

impl AccountArg {
    pub fn pick(&self, ctx: &Context) -> Result<Account, CliError> {
        match &self.account {
            Some(address) => Ok(find(ctx, address)?),
            None => pick(ctx),
        }
    }
}

/// The current tenant, or all.
#[derive(Debug, Args)]
pub(super) struct TenantsArg {
    /// Every tenant of this configuration
    #[arg(long, conflicts_with = "tenant")]
    pub all_tenants: bool,
}

impl TenantsArg {
    /// Runs `act` in each chosen tenant, the current one first. With several, a failure is a
    /// warning and the others still run; returns how many failed.
    pub fn each(
        &self,
        ctx: &Context,
        mut run: impl FnMut(&Context) -> Result<(), CliError>,
    ) -> Result<Vec<(String, CliError)>, CliError> {
        if !self.all_tenants {
            return run(ctx).map(|()| Vec::new());
        }
        let names: Vec<String> = ctx.tenants()?.iter().map(|(name, _)| name.to_owned()).collect();
        let mut skipped = Vec::new();
        for name in &names {
            let inside = ctx.in_tenant(name);
            inside.say_how_to_call();
            match run(&inside) {
                Ok(()) => {}
                Err(error) if error.is_interrupt() => return Err(error),
                Err(error) => {
                    ctx.output.warning(&format!("tenant '{name}' was skipped: {}", error.message()));
                    skipped.push((name.clone(), error));
                }
            }
        }
        ctx.say_how_to_call();
        Ok(skipped)
    }

    pub fn skipped(tenants: &[(String, CliError)]) -> Result<(), CliError> {
        match tenants.len() {
            0 => Ok(()),
            1 => Err(CliError::partial("1 tenant was skipped, for the reason above")),
            count => Err(CliError::partial(format!("{count} tenants were skipped, for the reasons above"))),
        }
    }
}

/// One account, several, or all.
#[derive(Debug, Args)]
pub(super) struct AccountsArg {
    /// Names, handles or ids of accounts
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(candidates::accounts))]
    pub accounts: Vec<String>,
    /// Every account of the tenant
    #[arg(long, alias = "all-accounts", conflicts_with = "accounts")]
    pub all: bool,
}

/// The chosen accounts, and how many `--all` skipped.
pub(super) struct Chosen {
    pub accounts: Vec<Account>,
    pub left_out: usize,
}

impl Chosen {
    /// All accounts of the tenant that belong to the Graph in the settings; names the others.
    pub fn all(ctx: &Context) -> Result<Self, CliError> {
        let realm = ctx.realm()?;
        let (accounts, others): (Vec<_>, Vec<_>) =
            ctx.accounts()?.load()?.into_iter().partition(|account| account.graph == realm);
        if !others.is_empty() {
            let graph_url = &ctx.settings()?.graph_url;
            ctx.output.warning(&format!(
                "{} {} account{} skipped: {} points to {}",
                count(others.len()),
                others[0].graph,
                if others.len() == 1 { "" } else { "s" },
                graph_url.origin,
                graph_url.value,
            ));
        }
        Ok(Self { left_out: others.len(), accounts })
    }
}

impl AccountsArg {
    /// The chosen accounts, all of the Graph in the settings.
    pub fn choose(&self, ctx: &Context) -> Result<Chosen, CliError> {
        let store = ctx.accounts()?;
        if self.all {
            let chosen = Chosen::all(ctx)?;
            if chosen.accounts.is_empty() && chosen.left_out > 0 {
                return Err(CliError::usage("there is nothing to do"));
            }
            return Ok(chosen);
        }
        if self.accounts.is_empty() {
            if ctx.someone_can_answer {
                let account = pick(ctx)?;
                ctx.check_realm(&account)?;
                return Ok(Chosen { accounts: vec![account], left_out: 0 });
            }
            let command = &ctx.command;
            return Err(CliError::usage("missing: NAME, the account's name, handle or id")
                .hint(format!("name one or several: msgrctl {command} NAME, or all: msgrctl {command} --all")));
        }
        let accounts = named(ctx, &store.load()?, &self.accounts)?;
        accounts.iter().try_for_each(|account| ctx.check_realm(account))?;
        Ok(Chosen { accounts, left_out: 0 })
    }
}

pub(super) fn pick(ctx: &Context) -> Result<Account, CliError> {
    // --yes does not answer which account is meant.
    if !ctx.someone_can_answer || ctx.global.yes {
        return Err(CliError::usage("missing: NAME, the account's name, handle or id")
            .hint("all accounts: msgrctl account list"));
    }
    let mut accounts = ctx.accounts()?.load()?;
    if accounts.is_empty() {
        let tenant = &ctx.settings()?.tenant.value;
        return Err(CliError::failed(format!("there are no accounts in tenant '{tenant}' yet"))
            .hint("to add one: msgrctl account add"));
    }
    let item = |account: &Account| format!("{}  {}  @{}", account.name, account.handle, account.page_username);
    let items: Vec<String> = accounts.iter().map(item).collect();
    match ctx.prompter.search("Which account?", &items)? {
        Some(at) => Ok(accounts.swap_remove(at)),
        None => Err(CliError::failed("no account was chosen")),
    }
}

impl ValueEnum for SecretKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.argument());
        Some(match self {
            Self::PageAccessToken => value.help("The Page's access token"),
            Self::AppSecret => value.help("The secret of the Meta app"),
            Self::VerifyToken => value.help("The token that Meta sends in the webhook handshake"),
            Self::UserAccessToken => value.help("The person's or system user's token that renews the Page's"),
            Self::NextVerifyToken | Self::PlanKey => return None,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct KindArg {
    /// Which secret [on a terminal it is asked for]
    #[arg(value_name = "KIND")]
    pub kind: Option<SecretKind>,
}

impl KindArg {
    pub fn pick(&self, ctx: &Context, account: &Account) -> Result<SecretKind, CliError> {
        let account = &account.handle;
        if let Some(kind) = self.kind {
            return Ok(kind);
        }
        let all = SecretKind::ALL.map(SecretKind::argument);
        if !ctx.someone_can_answer {
            return Err(CliError::usage(format!("missing: KIND, which is {}", all.join(", ")))
                .hint(format!("for example: msgrctl {} {account} {}", ctx.command, all[0])));
        }
        match ctx.prompter.choose("Which secret?", &all.map(str::to_owned), 0)? {
            Some(at) => Ok(SecretKind::ALL[at]),
            None => Err(CliError::failed("no secret was chosen")),
        }
    }
}
