//! Which account, which secret: named, or picked from a list where somebody can.

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;

use super::complete;
use super::context::Context;
use super::error::CliError;
use crate::accounts::Account;
use crate::secrets::SecretKind;
use crate::ui::interrupt;

/// An account.
#[derive(Debug, Args)]
pub(super) struct AccountArg {
    /// The account's name, handle or id [on a terminal it is asked for]
    #[arg(value_name = "NAME", add = ArgValueCandidates::new(complete::accounts))]
    pub account: Option<String>,
}

impl AccountArg {
    /// The account that is meant.
    pub fn pick(&self, ctx: &Context) -> Result<Account, CliError> {
        match &self.account {
            Some(address) => Ok(ctx.accounts()?.find(address)?),
            None => pick(ctx),
        }
    }
}

/// An account from the list of all.
pub(super) fn pick(ctx: &Context) -> Result<Account, CliError> {
    // Which account is no question that --yes answers.
    if !ctx.someone_can_answer() || ctx.says_yes() {
        return Err(CliError::usage("missing: NAME, the account's name, handle or id")
            .hint("msgrctl account list shows the accounts there are"));
    }
    let mut accounts = ctx.accounts()?.load()?;
    if accounts.is_empty() {
        let tenant = &ctx.settings()?.tenant.value;
        return Err(CliError::failed(format!("there are no accounts in tenant '{tenant}' yet"))
            .hint("to add one: msgrctl account add"));
    }
    let item = |account: &Account| format!("{}  {}  @{}", account.name, account.handle, account.page_username);
    let items: Vec<String> = accounts.iter().map(item).collect();
    interrupt::install();
    match ctx.search("Which account?", &items)? {
        Some(at) => Ok(accounts.swap_remove(at)),
        None => Err(CliError::failed("no account was chosen")),
    }
}

/// A kind of secret, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KindArg {
    /// The token that speaks for the Page
    PageAccessToken,
    /// The secret of the Meta app
    AppSecret,
    /// What Meta repeats in the webhook handshake
    VerifyToken,
}

impl From<KindArg> for SecretKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::PageAccessToken => Self::PageAccessToken,
            KindArg::AppSecret => Self::AppSecret,
            KindArg::VerifyToken => Self::VerifyToken,
        }
    }
}

impl KindArg {
    /// The kind that is meant.
    pub fn pick(kind: Option<Self>, ctx: &Context) -> Result<SecretKind, CliError> {
        if let Some(kind) = kind {
            return Ok(kind.into());
        }
        let all = SecretKind::ALL.map(SecretKind::argument);
        if !ctx.someone_can_answer() {
            return Err(CliError::usage(format!("missing: KIND, which is {}", all.join(", "))));
        }
        interrupt::install();
        match ctx.choose("Which secret?", &all.map(str::to_owned), 0)? {
            Some(at) => Ok(SecretKind::ALL[at]),
            None => Err(CliError::failed("no secret was chosen")),
        }
    }
}
