//! The Pages behind a login: what is known of each, and which are connected.

use console::{Alignment, measure_text_width, pad_str};

use crate::accounts::Account;
use crate::channel::Channel;
use crate::checks::causes::{NO_PAGE_GRANTED, PERMISSION_MISSING};
use crate::checks::{Outcome, TokenLife};
use crate::cli::account::say;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::accounts::bulk;
use crate::operations::accounts::test::WARN_DAYS;
use crate::operations::login::connect::{Candidate, LoginApp};
use crate::operations::status::{self, Known};
use crate::text::count;

/// How many names a line lists.
const FEW: usize = 12;

/// The Pages to connect, and the ids that the login does not reach.
pub struct Chosen {
    pub candidates: Vec<Candidate>,
    pub not_reached: Vec<String>,
}

/// The accounts of the app, of every tenant, whose tokens a login may end: those of a system user
/// do not depend on a person.
fn of_app(ctx: &Context, app: &LoginApp) -> Result<Vec<Known>, CliError> {
    let realm = ctx.realm()?;
    let mut found = Vec::new();
    for (_, inside) in ctx.tenants()?.iter() {
        let is_its = |known: &Known| known.account.app_id.as_ref() == Some(&app.id) && known.account.graph == realm;
        let is_a_persons = |known: &Known| !known.token_life().is_some_and(TokenLife::is_of_system_user);
        found.extend(status::known(inside, &[])?.into_iter().filter(|known| is_its(known) && is_a_persons(known)));
    }
    Ok(found)
}

/// How an account is named in this tenant or another one.
fn named(ctx: &Context, known: &Known) -> Result<String, CliError> {
    let Known { account, tenant, .. } = known;
    let is_here = ctx.settings()?.tenant.value.as_str() == tenant;
    let handle = &account.handle;
    Ok(if is_here { format!("'{handle}'") } else { format!("'{handle}' of tenant '{tenant}'") })
}

/// A login replaces what the same person granted before: Pages that are not ticked again lose
/// their tokens.
pub fn say_what_hangs_on_it(ctx: &Context, app: &LoginApp) -> Result<(), CliError> {
    let name = |known: Known| known.account.page_name.unwrap_or_else(|| known.account.name.to_string());
    let mut names: Vec<String> = of_app(ctx, app)?.into_iter().map(name).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    ctx.output.notice(&format!(
        "tick these Pages again at Meta, or their tokens stop working: {}{more}. If you leave here, close Meta's window too",
        names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}

/// What was asked for and declined. Without a permission that every account needs, none would pass.
///
/// # Errors
///
/// One of those is missing.
pub fn judge_lacking(ctx: &Context, lacking: &[String]) -> Result<(), CliError> {
    if lacking.is_empty() {
        return Ok(());
    }
    let all = lacking.join(", ");
    let [channel] = Channel::ALL;
    if lacking.iter().any(|name| channel.permissions().contains(&name.as_str())) {
        return Err(CliError::check(format!("the login did not grant {all}; no account was changed here"))
            .reason(PERMISSION_MISSING.id)
            .hint("log in again and allow every permission; with Facebook Login for Business, add what is missing to the configuration"));
    }
    ctx.output.warning(&format!("the login did not grant {all}"));
    Ok(())
}

/// Tests the accounts of the app whose Pages this login did not tick, and says which of them it
/// ended; their results are kept, as those of 'account test'.
pub fn say_what_it_ended(ctx: &Context, app: &LoginApp, pages: &[OwnPage]) -> Result<Vec<String>, CliError> {
    let is_ticked = |known: &Known| pages.iter().any(|page| page.id == known.account.page_id.as_str());
    let left: Vec<Known> = of_app(ctx, app)?.into_iter().filter(|known| !is_ticked(known)).collect();
    let mut ended = Vec::new();
    for (tenant, inside) in ctx.tenants()?.iter() {
        let accounts: Vec<Account> =
            left.iter().filter(|known| known.tenant == *tenant).map(|known| known.account.clone()).collect();
        if accounts.is_empty() {
            continue;
        }
        inside.ask_stores(&accounts, []);
        bulk::test_all(inside, accounts, WARN_DAYS, |account, report| {
            if report.is_ok_and(|report| report.credentials() == Outcome::Fail) {
                ended.push(account.id);
            }
        })?;
    }
    let mut handles = Vec::new();
    for known in left.iter().filter(|known| ended.contains(&known.account.id)) {
        let name = named(ctx, known)?;
        ctx.output.warning(&format!(
            "this login does not reach the Page of {name}, whose token does not work now; log in again and tick it too"
        ));
        handles.push(known.account.handle.to_string());
    }
    Ok(handles)
}

/// The named Pages, all of them, or those that the person picks.
pub fn choose(ctx: &Context, known: Vec<Candidate>, named: &[String], all: bool) -> Result<Chosen, CliError> {
    if known.is_empty() && named.is_empty() {
        return Err(no_page());
    }
    if all {
        return Ok(Chosen { candidates: known, not_reached: Vec::new() });
    }
    if !named.is_empty() {
        let (candidates, _): (Vec<_>, Vec<_>) = known.into_iter().partition(|one| named.contains(&one.page.id));
        let is_reached = |id: &&String| candidates.iter().any(|one| one.page.id == **id);
        let not_reached = named.iter().filter(|id| !is_reached(id)).cloned().collect();
        return Ok(Chosen { candidates, not_reached });
    }
    let wide = known.iter().map(|one| measure_text_width(one.name())).max().unwrap_or_default().min(40);
    let item = |one: &Candidate| {
        let name = pad_str(one.name(), wide, Alignment::Left, Some("…")).into_owned();
        let handles: Vec<&str> = one.accounts.iter().map(|account| account.handle.as_str()).collect();
        let state = match (one.obstacle(), handles.as_slice()) {
            (Some((_, why)), _) => format!("  - cannot be connected: {why}"),
            (None, []) => String::new(),
            (None, handles) => format!("  - connected: {}", handles.join(", ")),
        };
        let username = one.page.username.as_ref().filter(|_| state.is_empty());
        let username = username.map(|name| format!("  @{name}")).unwrap_or_default();
        format!("{name}  {}{state}{username}", one.page.id)
    };
    let items: Vec<String> = known.iter().map(item).collect();
    let pages = if known.len() == 1 { "1 Page".to_owned() } else { format!("{} Pages", count(known.len())) };
    say(
        ctx,
        &format!(
            "\n{pages}. Space ticks; Enter takes the ticked Pages, or the marked one; connected ones get a new token. Type a part of a name or id to search, Esc cancels. A Page that is missing was not ticked at Meta, or you have no role on it."
        ),
    );
    loop {
        let Some(chosen) = ctx.prompter.search_several("Pages to connect", &items)? else {
            return Err(CliError::left("no Page was chosen; no account was changed here"));
        };
        if let [at] = chosen.as_slice()
            && let Some((_, why)) = known[*at].obstacle()
        {
            ctx.output.warning(&format!("{} cannot be connected: {why}", known[*at].name()));
            continue;
        }
        let mut at = 0..known.len();
        let candidates = known.into_iter().filter(|_| at.next().is_some_and(|at| chosen.contains(&at))).collect();
        return Ok(Chosen { candidates, not_reached: Vec::new() });
    }
}

/// Replacing tokens cannot be undone.
pub fn confirm(ctx: &Context, chosen: &[Candidate]) -> Result<(), CliError> {
    let names: Vec<String> =
        chosen.iter().flat_map(|one| &one.accounts).map(|account| format!("'{}'", account.handle)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let more = names.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let few = names.iter().take(FEW).cloned().collect::<Vec<_>>().join(", ");
    ctx.confirm(&format!("Replace the page access token of {few}{more}?"), "")
}

fn no_page() -> CliError {
    CliError::failed("the login reaches no Page; no account was changed here")
        .reason(NO_PAGE_GRANTED.id)
        .hint(NO_PAGE_GRANTED.fix())
}
