//! The Page, where the token is a person's: one of those behind it.

use super::ask::{good, refuse, say};
use super::whose::Whose;
use super::{Asked, Wizard};
use crate::accounts::Account;
use crate::checks::{cause_of, of_unreachable};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::GraphError;
use crate::graph::endpoints::page::Page;
use crate::graph::endpoints::person::{self, OwnPage};
use crate::secrets::{Secret, SecretKind};
use crate::ui::progress::Progress;

impl Wizard<'_> {
    /// The Page, where the token is a person's: its own token takes the place of that.
    pub(super) fn ask_page(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        let Some((token, listed)) = self.person.clone() else { return Ok(Asked::Nothing) };
        let pages = match self.long_lived(&token)? {
            Some(pages) => pages,
            None => listed,
        };
        if pages.is_empty() {
            refuse(
                ctx,
                "there is no Page behind this token",
                Some(
                    "log in again and tick the Page in Meta's dialog; a Page that a business owns needs the permission business_management too",
                ),
            );
            return Ok(Asked::AnotherToken);
        }
        let Some(page) = choose_page(ctx, pages)? else { return Ok(Asked::Back) };
        let Some(own) = page.access_token else { return Ok(Asked::AnotherToken) };
        if self.draft.inputs.references.contains_key(&SecretKind::PageAccessToken) {
            say(ctx, "The Page's own token is stored; the reference was to the person's token.");
        }
        self.draft.inputs.put(SecretKind::PageAccessToken, Some(own));
        self.known.whose =
            Whose::Page(Page { id: page.id, name: page.name, username: page.username, is_published: None });
        Ok(Asked::Answered)
    }

    /// The Pages behind a longer life of the token, where the app's secret allows
    /// one: their tokens do not expire. Says which it is.
    fn long_lived(&self, token: &Secret) -> Result<Option<Vec<OwnPage>>, CliError> {
        let ctx = self.ctx;
        let (Some(client), Some(signer)) = (&self.client, self.signer()) else {
            ctx.output.warning(
                "without app id and app secret the Page's token ends when this person's token ends, which may be in an hour; Esc goes back to give them",
            );
            return Ok(None);
        };
        let asked = {
            let _progress = Progress::start(&ctx.output, "asking Graph for a token that lasts …");
            Context::wait(async {
                let long = person::exchange(client, token, &signer).await?.value;
                person::pages(client, &long.access_token, Some(&signer)).await
            })?
        };
        match asked {
            Ok(pages) => {
                good(
                    ctx,
                    "The person's token was exchanged for a long-lived one, so the Page's token does not expire.",
                );
                Ok(Some(pages))
            }
            Err(error) => {
                let why = match &error {
                    GraphError::Refused(error) => cause_of(error).summary,
                    GraphError::Unreachable(why) => of_unreachable(why).summary,
                };
                ctx.output.warning(&format!(
                    "the person's token could not be exchanged for a long-lived one ({why}), so the Page's token ends with it"
                ));
                Ok(None)
            }
        }
    }
}

/// One of the Pages that can be used; the others are shown last, with the reason.
/// `None` for Esc.
fn choose_page(ctx: &Context, mut pages: Vec<OwnPage>) -> Result<Option<OwnPage>, CliError> {
    pages.sort_by_key(|page| unusable(page).is_some());
    let connected = ctx.accounts()?.load()?;
    let items: Vec<String> = pages.iter().map(|page| item(page, &connected)).collect();
    say(ctx, &format!("\nYour Pages ({}): type a part of a name or id; the best match comes first.", pages.len()));
    loop {
        let Some(at) = ctx.search("Page", &items)? else { return Ok(None) };
        let page = &pages[at];
        let Some(why) = unusable(page) else { return Ok(Some(page.clone())) };
        let name = page.name.as_deref().unwrap_or(&page.id);
        refuse(
            ctx,
            format!("{name} cannot be used: {why}"),
            Some(
                "choose another Page, or have somebody with full control of that Page give the role, then paste a new token",
            ),
        );
    }
}

fn item(page: &OwnPage, connected: &[Account]) -> String {
    let name = page.name.as_deref().unwrap_or("(no name)");
    let username = page.username.as_ref().map(|name| format!("  @{name}")).unwrap_or_default();
    let reason = unusable(page).map(|why| format!("  - cannot be used: {why}")).unwrap_or_default();
    let twin = connected.iter().find(|account| account.page_id.as_str() == page.id);
    let twin = twin.map(|account| format!("  - connected already: {}", account.handle)).unwrap_or_default();
    format!("{name}{username}  {}{twin}{reason}", page.id)
}

/// Why a Page cannot be connected with this token.
fn unusable(page: &OwnPage) -> Option<&'static str> {
    if !page.may_message() {
        return Some("the person's role on it does not include messages (task MESSAGING)");
    }
    page.access_token.is_none().then_some("Graph gives no token for it to this person")
}
