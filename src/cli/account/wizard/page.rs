//! The choice of a Page when the token is a person's.

use console::{Alignment, measure_text_width, pad_str};

use super::ask::{good, introduce, refuse, say};
use super::{Asked, Wizard};
use crate::accounts::{Account, PageId};
use crate::checks::causes::NO_PAGE_GRANTED;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::endpoints::page::Page;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::accounts::fields;
use crate::operations::accounts::owner::{Question, TokenOwner, unusable};
use crate::secrets::{Secret, SecretKind};

impl Wizard<'_> {
    /// Chooses the Page and replaces the person's token with that Page's own.
    pub(super) fn ask_page(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        let Some((token, listed)) = self.person.clone() else { return Ok(Asked::Nothing) };
        let (token, mut pages) = self.long_lived(&token)?.unwrap_or((token, listed));
        if pages.is_empty() {
            pages = self.of_typed_id(&token)?;
        }
        if pages.is_empty() {
            refuse(ctx, NO_PAGE_GRANTED.summary, Some(&NO_PAGE_GRANTED.fix()));
            return Ok(Asked::AnotherToken);
        }
        let Some(page) = choose_page(ctx, pages, self.old)? else { return Ok(Asked::Back) };
        let Some(own) = page.access_token else { return Ok(Asked::AnotherToken) };
        if self.draft.inputs.references.contains_key(&SecretKind::PageAccessToken) {
            say(ctx, "The Page's own token is stored, because the reference is to the person's token.");
        }
        self.draft.inputs.take_own(own, token);
        self.known.whose =
            TokenOwner::Page(Page { id: page.id, name: page.name, username: page.username, is_published: None });
        Ok(Asked::Answered)
    }

    /// Exchanges the token for a long-lived one if the app's secret allows it: the tokens of
    /// its Pages do not expire. Prints which kind it is.
    fn long_lived(&self, token: &Secret) -> Result<Option<(Secret, Vec<OwnPage>)>, CliError> {
        let (ctx, signer) = (self.ctx, self.signer());
        let Some(client) = &self.client else { return Ok(None) };
        let named = self.draft.given.page_id.as_ref();
        let question = Question { workspace: ctx, client, token, signer: signer.as_ref(), named };
        let Some(lasting) = question.lasting_pages("Esc goes back to give them")? else { return Ok(None) };
        match lasting.pages {
            Ok(pages) => {
                good(
                    ctx,
                    "The person's token was exchanged for a long-lived one, so the Page's token does not expire.",
                );
                Ok(Some((lasting.token, pages)))
            }
            Err(error) => {
                ctx.output.warning(&format!("the Pages of the long-lived token could not be listed ({error}), so the Page's token expires with the pasted one"));
                Ok(None)
            }
        }
    }

    /// The Page of a typed id: with some business logins Meta shows a Page only under its id.
    /// Empty if none is typed or the token does not reach it.
    fn of_typed_id(&self, token: &Secret) -> Result<Vec<OwnPage>, CliError> {
        let ctx = self.ctx;
        let Some(client) = &self.client else { return Ok(Vec::new()) };
        say(
            ctx,
            "\nMeta lists no Page behind this token. With some business logins Meta shows a Page only by its id: type the id, or press Enter to paste another token.",
        );
        introduce(ctx, &fields::PAGE_ID, "");
        loop {
            let typed = ctx.ask_line("Page id", "")?.unwrap_or_default();
            if typed.is_empty() {
                return Ok(Vec::new());
            }
            match typed.parse::<PageId>() {
                Ok(id) => {
                    ctx.prompter.show("Page id", id.as_str());
                    let (signer, named) = (self.signer(), Some(&id));
                    let question = Question { workspace: ctx, client, token, signer: signer.as_ref(), named };
                    return Ok(question.pages()??.unwrap_or_default());
                }
                Err(error) => refuse(ctx, error, None),
            }
        }
    }
}

/// Chooses one of the usable Pages; the others are listed last with the reason. `None` for
/// Esc. The edited account's own Page stands first.
fn choose_page(ctx: &Context, mut pages: Vec<OwnPage>, old: Option<&Account>) -> Result<Option<OwnPage>, CliError> {
    let mut connected = ctx.accounts()?.load()?;
    connected.retain(|account| old.is_none_or(|old| old.id != account.id));
    let is_own = |page: &OwnPage| old.is_some_and(|old| old.page_id.as_str() == page.id);
    let of_page = |page: &OwnPage| {
        connected.iter().filter(|account| account.page_id.as_str() == page.id).collect::<Vec<&Account>>()
    };
    pages.sort_by_key(|page| (unusable(page).is_some(), !is_own(page), !of_page(page).is_empty()));
    let name = |page: &OwnPage| page.name.clone().unwrap_or_else(|| "(no name)".into());
    let wide = pages.iter().map(|page| measure_text_width(&name(page))).max().unwrap_or_default().min(60);
    let item = |page: &OwnPage| {
        let name = pad_str(&name(page), wide, Alignment::Left, Some("…")).into_owned();
        let handles: Vec<&str> = of_page(page).iter().map(|account| account.handle.as_str()).collect();
        let state = match (unusable(page), handles.as_slice()) {
            (Some(why), _) => format!("  - cannot be used: {why}"),
            (None, []) => String::new(),
            (None, handles) => format!("  - already connected: {}", handles.join(", ")),
        };
        let username = page.username.as_ref().map(|name| format!("  @{name}")).unwrap_or_default();
        format!("{name}  {}{state}{username}", page.id)
    };
    let items: Vec<String> = pages.iter().map(item).collect();
    let count = match pages.len() {
        1 => "1 Page".to_owned(),
        count => format!("{count} Pages"),
    };
    say(ctx, &format!("\n{count}. Type a part of a name or id to search, arrows to move, Esc to go back."));
    loop {
        let Some(at) = ctx.prompter.search("Page", &items)? else { return Ok(None) };
        let page = &pages[at];
        if let Some(why) = unusable(page) {
            let fix = "choose another Page, or ask a person with full control of that Page for the role, then paste a new token";
            refuse(ctx, format!("{} cannot be used: {why}", name(page)), Some(fix));
            continue;
        }
        let handles: Vec<String> = of_page(page).iter().map(|account| format!("'{}'", account.handle)).collect();
        if !handles.is_empty() {
            let again = match old {
                Some(old) => format!("Move '{}' to it too?", old.name),
                None => "Connect it again, as another account?".into(),
            };
            let question = format!("{} is already connected, by {}. {again}", name(page), handles.join(" and "));
            if !ctx.prompter.confirm(&question)? {
                if old.is_none() {
                    say(ctx, "To give the account that has it a new token: msgrctl login");
                }
                continue;
            }
        }
        return Ok(Some(page.clone()));
    }
}
