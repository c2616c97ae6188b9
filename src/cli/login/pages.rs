//! The Pages behind a login: what is known of each, and which are connected.

use console::{Alignment, measure_text_width, pad_str};

use crate::cli::account::say;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::login::connect::{Candidate, OfApp};
use crate::text::count;

/// How many names a line lists.
const FEW: usize = 12;

/// The Pages to connect, and the ids that the login does not reach.
pub struct Chosen {
    pub candidates: Vec<Candidate>,
    pub not_reached: Vec<String>,
}

/// A login replaces what the same person granted before: Pages that are not ticked again lose
/// their tokens.
pub fn say_what_hangs_on_it(ctx: &Context, app: &OfApp) -> Result<(), CliError> {
    let realm = ctx.realm()?;
    let mut accounts = ctx.accounts()?.load()?;
    accounts.retain(|account| account.app_id.as_ref() == Some(&app.id) && account.graph == realm);
    if accounts.is_empty() {
        return Ok(());
    }
    let mut names: Vec<&str> =
        accounts.iter().map(|account| account.page_name.as_deref().unwrap_or(account.name.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(FEW);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    ctx.output.notice(&format!(
        "tick every connected Page again at Meta, or the tokens that this person gave for it stop working: {}{more}",
        names.iter().take(FEW).copied().collect::<Vec<_>>().join(", ")
    ));
    Ok(())
}

/// The accounts of the app whose Pages this login did not tick.
pub fn say_what_was_not_ticked(ctx: &Context, app: &OfApp, pages: &[OwnPage]) -> Result<(), CliError> {
    let realm = ctx.realm()?;
    for account in ctx.accounts()?.load()? {
        let is_its = account.app_id.as_ref() == Some(&app.id) && account.graph == realm;
        if is_its && !pages.iter().any(|page| page.id == account.page_id.as_str()) {
            let handle = &account.handle;
            ctx.output.warning(&format!(
                "this login does not reach the Page of '{handle}': if the same person gave its token, that has stopped working; to see: msgrctl account test {handle}"
            ));
        }
    }
    Ok(())
}

/// What was asked for and declined.
pub fn say_what_is_lacking(ctx: &Context, lacking: &[String]) {
    if !lacking.is_empty() {
        ctx.output.warning(&format!(
            "the login did not grant {}: log in again and allow it, or add it to the configuration",
            lacking.join(", ")
        ));
    }
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
        let state = match (one.why_not(), handles.as_slice()) {
            (Some(why), _) => format!("  - cannot be connected: {why}"),
            (None, []) => String::new(),
            (None, handles) => format!("  - connected, gets a new token: {}", handles.join(", ")),
        };
        let username = one.page.username.as_ref().map(|name| format!("  @{name}")).unwrap_or_default();
        format!("{name}  {}{state}{username}", one.page.id)
    };
    let items: Vec<String> = known.iter().map(item).collect();
    let pages = if known.len() == 1 { "1 Page".to_owned() } else { format!("{} Pages", count(known.len())) };
    say(
        ctx,
        &format!(
            "\n{pages}. Space ticks, Enter takes the ticked ones; type a part of a name or id to search, Esc leaves. A Page that is missing was not ticked at Meta, or you have no role on it."
        ),
    );
    loop {
        let Some(chosen) = ctx.prompter.search_several("Pages to connect", &items)? else {
            return Err(CliError::left("no Page was chosen; nothing was changed"));
        };
        if let [at] = chosen.as_slice()
            && let Some(why) = known[*at].why_not()
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
    use crate::checks::causes::NO_PAGE_GRANTED;
    CliError::failed("the login reaches no Page; nothing was changed")
        .reason(NO_PAGE_GRANTED.id)
        .hint("log in again and tick the Pages; a Page that a business owns may need business_management too")
}
