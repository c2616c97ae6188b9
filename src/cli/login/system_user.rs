//! `login --system-user`: an administrator's login sets up a system user of the business, whose
//! token the accounts get.

use clap::Args;

use super::PERMISSIONS;
use crate::accounts::Name;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::dashboard;
use crate::graph::endpoints::business::Business;
use crate::operations::login::connect::LoginApp;
use crate::operations::login::dialog::Wanted;
use crate::operations::login::system_user::{Administrator, Life, NAME, SystemUserRequest, SystemUserToken};
use crate::secrets::Secret;
use crate::ui::style::wrap;

#[derive(Debug, Args)]
pub struct SystemUserArgs {
    /// Log in as an administrator of a business, and connect the Pages with the token of a
    /// system user of it, which does not depend on a person
    #[arg(long, help_heading = "System user")]
    pub system_user: bool,
    /// The business [default: the only one; on a terminal it is asked for]
    #[arg(long, value_name = "ID", requires = "system_user", help_heading = "System user")]
    business: Option<String>,
    /// The system user's name; one that exists is used
    #[arg(long, value_name = "NAME", default_value = NAME, requires = "system_user", help_heading = "System user")]
    system_user_name: String,
    /// Create a token that does not expire, instead of one of 60 days, which 'account renew' renews
    #[arg(long, requires = "system_user", help_heading = "System user")]
    never_expires: bool,
}

/// What the administrator is asked for with Facebook Login.
pub fn wanted() -> Wanted {
    let own = PERMISSIONS.into_iter().chain(["business_management"]);
    Wanted::Permissions(own.map(str::to_owned).collect())
}

impl SystemUserArgs {
    /// Refuses what cannot be right, before anything is asked or sent.
    pub fn check(&self) -> Result<(), CliError> {
        let is_id = |id: &String| !id.is_empty() && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
        if self.business.as_ref().is_some_and(|id| !is_id(id)) {
            return Err(CliError::usage("--business is not a valid business id: it is digits only")
                .hint(format!("where to find it: {}", dashboard::BUSINESS)));
        }
        self.system_user_name
            .parse::<Name>()
            .map(drop)
            .map_err(|error| CliError::from(error).context("--system-user-name"))
    }

    /// Whether its token is kept beside the Pages' own: one of 60 days has to be renewed.
    pub fn is_kept(&self) -> bool {
        self.system_user && !self.never_expires
    }

    /// Sets up the system user for these Pages, once the person agrees; its token.
    pub fn set_up(&self, ctx: &Context, app: &LoginApp, token: Secret, pages: &[String]) -> Result<Secret, CliError> {
        let administrator = Administrator::new(ctx, token, app.credentials())?;
        let business = self.business(ctx, &administrator)?;
        let life = if self.never_expires { Life::Never } else { Life::SixtyDays };
        let wish = SystemUserRequest { business: &business, name: &self.system_user_name, pages, life };
        let prepared = administrator.prepare(wish)?;
        let screen = ctx.output.terminal.err();
        let steps = prepared.steps(app.id.as_str());
        let lines: Vec<String> = steps.iter().map(|step| format!("  - {}", wrap(step, screen.width, 4))).collect();
        ctx.output.talk(&format!("\nAt Meta:\n{}\n", lines.join("\n")));
        ctx.confirm("Do this at Meta?", "")?;
        let SystemUserToken { user, token, .. } = administrator.carry_out(&prepared)?;
        ctx.output.notice(&format!("the system user '{}' ({}) has a new token", self.system_user_name, user.id));
        if self.is_kept() {
            ctx.output.notice("it ends in 60 days unless it is renewed: run 'msgrctl watch --renew', or put into a timer: msgrctl account renew --all --within 20d");
        }
        Ok(token)
    }

    /// The named business, the only one, or the one that the person chooses.
    fn business(&self, ctx: &Context, administrator: &Administrator<'_>) -> Result<Business, CliError> {
        if let Some(id) = &self.business {
            return administrator.business(id);
        }
        let mut all = administrator.businesses()?;
        let name = |business: &Business| format!("{}  {}", business.name.as_deref().unwrap_or_default(), business.id);
        let items: Vec<String> = all.iter().map(name).collect();
        let at = match items.len() {
            1 => 0,
            _ if ctx.someone_can_answer && !ctx.output.json => ctx
                .prompter
                .choose("The business that has the Pages", &items, 0)?
                .ok_or_else(|| CliError::left("no business was chosen; nothing was changed"))?,
            _ => {
                return Err(CliError::usage(format!("the token has several businesses: {}", items.join(", ")))
                    .hint("name the one that has the Pages: --business ID"));
            }
        };
        Ok(all.swap_remove(at))
    }
}
