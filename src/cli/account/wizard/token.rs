//! The token and what hangs on it: whose it is, the app that issued it, and the
//! Page, where it is a person's token.

use super::ask::{again, capital, good, introduce, introduce_as, refuse, say, secret};
use super::whose::{Whose, identify};
use super::{Asked, Wizard};
use crate::accounts::{Account, AppId};
use crate::checks::{cause_of, of_unreachable};
use crate::cli::account::fields;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::endpoints::app;
use crate::graph::endpoints::page::Page;
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::endpoints::token;
use crate::graph::{AppCredentials, GraphError};
use crate::secrets::{Secret, SecretKind, generate_verify_token};
use crate::ui::progress::Progress;

impl Wizard<'_> {
    /// The app's id and secret, where both are known.
    pub(super) fn signer(&self) -> Option<AppCredentials> {
        let id = self.draft.given.app_id.as_ref()?;
        let secret = self.draft.inputs.app_secret.clone().or_else(|| self.kept_app_secret())?;
        Some(AppCredentials { id: id.to_string(), secret })
    }

    /// The app secret that the edited account has and keeps.
    fn kept_app_secret(&self) -> Option<Secret> {
        let old = self.old.filter(|old| self.client.is_some() && old.app_id == self.draft.given.app_id)?;
        // A store that does not answer is dealt with when something is saved.
        self.ctx.secret(old, SecretKind::AppSecret).ok().flatten()
    }

    /// The token: asked for until Graph takes it. One that came with a flag is asked
    /// for only when Graph does not.
    pub(super) fn ask_token(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        if std::mem::take(&mut self.token_is_given)
            && let Some(token) = self.draft.inputs.token.clone()
            && self.judge_token(&token)?
        {
            return Ok(Asked::Nothing);
        }
        if self.old.is_some() {
            let ways = ["Keep it", "Replace it"].map(str::to_owned);
            match ctx.choose("Page access token", &ways, 1)? {
                Some(1) => {}
                Some(_) => {
                    self.forget_token();
                    return Ok(Asked::Nothing);
                }
                None => return Ok(Asked::Back),
            }
        }
        let replaces = self.old.is_some() || self.draft.inputs.token.is_some();
        let more = " It begins with EAA. A person's (user) token will do too: it shows the Pages to choose from.";
        let more = match &self.draft.inputs.token {
            Some(token) => format!("{more} Enter alone keeps {}.", token.masked()),
            None => more.to_owned(),
        };
        introduce(ctx, &fields::TOKEN, &more);
        loop {
            let question = "Page access token (not shown)";
            let Some(token) = secret(ctx, SecretKind::PageAccessToken, question)? else {
                if replaces {
                    say(ctx, "Nothing was pasted, so it stays as it was.");
                    return Ok(Asked::Answered);
                }
                refuse(ctx, "nothing was pasted: without a page access token there is nothing to connect", None);
                continue;
            };
            let before = self.state();
            self.forget_token();
            if self.judge_token(&token)? {
                self.draft.inputs.put(SecretKind::PageAccessToken, Some(token));
                return Ok(Asked::Answered);
            }
            // What was there before is what Enter alone keeps.
            self.restore(before);
        }
    }

    /// Whether Graph takes a token; says why not, or whose it is.
    fn judge_token(&mut self, token: &Secret) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let mut signer = self.signer();
        let found = loop {
            let Some(client) = &self.client else { return Ok(true) };
            let asked = {
                let _progress = Progress::start(&ctx.output, "asking Graph whose the token is …");
                Context::wait(identify(client, token, signer.as_ref()))?
            };
            match asked {
                Ok(known) => break known,
                // The signature is the app's fault, not the token's: the question of the
                // app comes next.
                Err(GraphError::Refused(error)) if signer.is_some() && error.kind == "GraphMethodException" => {
                    signer = None;
                }
                Err(GraphError::Refused(error)) => {
                    let cause = cause_of(&error);
                    refuse(ctx, format!("Meta refuses the token: {}", cause.summary), Some(&cause.fix));
                    return Ok(false);
                }
                Err(GraphError::Unreachable(why)) => {
                    let cause = of_unreachable(&why);
                    refuse(ctx, &cause.summary, Some(&cause.fix));
                    let ways = ["Ask Graph again", "Go on without Graph, and type everything"].map(str::to_owned);
                    if ctx.choose("What now?", &ways, 0)? == Some(1) {
                        return Ok(true);
                    }
                }
            }
        };
        match &found.whose {
            Whose::Page(page) => {
                let name = page.name.as_deref().unwrap_or("a Page without a name");
                let username = page.username.as_ref().map(|name| format!(", @{name}")).unwrap_or_default();
                good(ctx, &format!("The token is of the Page {name}{username} (page id {}).", page.id));
                let twin = self.others()?.into_iter().find(|account| account.page_id.as_str() == page.id);
                if let Some(twin) = twin {
                    ctx.output.warning(&format!("the account '{}' is connected to this Page already", twin.name));
                }
            }
            Whose::Person(pages) => {
                let count = if pages.len() == 1 { "1 Page".into() } else { format!("{} Pages", pages.len()) };
                good(ctx, &format!("This is a person's token, with {count} behind it; you choose one in a moment."));
            }
            Whose::Unsigned => good(
                ctx,
                "Meta takes the token. Its app asks for signed calls (Require App Secret), so the app secret is needed to see whose it is.",
            ),
            Whose::NotAsked => {}
        }
        self.person = match &found.whose {
            Whose::Person(pages) => Some((token.clone(), pages.clone())),
            _ => None,
        };
        self.known = found;
        Ok(true)
    }

    /// App id and app secret, which are optional, checked together.
    pub(super) fn ask_app(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        let given = if std::mem::take(&mut self.app_is_given) { self.signer() } else { None };
        let asked = if let Some(given) = given
            && self.fits(&given)?
        {
            Asked::Nothing
        } else {
            introduce_as(
                ctx,
                "app id and app secret",
                fields::APP_SECRET.found,
                " Both are optional. With them msgrctl sees the token's permissions and when it ends, signs its calls, and makes a Page token of a person's token that does not expire.",
            );
            if !self.ask_for_app()? {
                return Ok(Asked::Back);
            }
            Asked::Answered
        };
        // Signed, Graph may say what it did not before.
        if matches!(self.known.whose, Whose::Unsigned)
            && self.signer().is_some()
            && let Some(token) = self.draft.inputs.token.clone()
            && !self.judge_token(&token)?
        {
            return Ok(Asked::AnotherToken);
        }
        Ok(asked)
    }

    /// Asks until the two fit, or are left out; `false` for a step back. What does not
    /// fit takes the place of nothing.
    fn ask_for_app(&mut self) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let issuer = self.issuer();
        loop {
            let (given, inputs) = (&self.draft.given, &self.draft.inputs);
            let secret_alone = inputs.app_secret.is_some() && given.app_id.is_none();
            let has = self.old.is_some_and(|old| old.app_id.is_some()) || inputs.app_secret.is_some() && !secret_alone;
            let ways: &[&str] = match (has, secret_alone, &self.app_id_given) {
                (true, ..) => &["Keep them", "Replace them", "Leave them out"],
                (_, true, _) => &["Give the app id of the app secret", "Leave the app secret out"],
                (.., Some(_)) => &["Give its app secret too", "Leave the app secret out (it can be added later)"],
                _ => &["Give the app id and the app secret", "Leave them out (they can be added later)"],
            };
            let items: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
            let at = usize::from(has && self.old.is_some());
            let Some(way) = ctx.choose("App id and app secret", &items, at)? else { return Ok(false) };
            if has && way == 0 {
                self.keep_app();
                return Ok(true);
            }
            if way == ways.len() - 1 {
                self.draft.given.app_id = self.app_id_given.clone();
                self.draft.inputs.put(SecretKind::AppSecret, None);
                return Ok(true);
            }
            let id: AppId = match &self.app_id_given {
                Some(id) if !has => id.clone(),
                _ => {
                    let now = self.draft.given.app_id.as_ref().map(ToString::to_string);
                    let offered = issuer.clone().or(now).unwrap_or_default();
                    again(ctx, &fields::APP_ID, &offered, |_| Ok(()))?
                }
            };
            let question = format!("{} (not shown)", capital(fields::APP_SECRET.name));
            let typed = if secret_alone { None } else { secret(ctx, SecretKind::AppSecret, &question)? };
            let Some(app_secret) = typed.clone().or(self.draft.inputs.app_secret.clone().filter(|_| secret_alone))
            else {
                refuse(ctx, "nothing was pasted, so there is no app secret", None);
                continue;
            };
            if self.fits(&AppCredentials { id: id.to_string(), secret: app_secret })? {
                self.draft.given.app_id = Some(id);
                if typed.is_some() {
                    self.draft.inputs.put(SecretKind::AppSecret, typed);
                }
                return Ok(true);
            }
            // Either of the two may be the wrong one: the next time both are asked for.
            self.app_id_given = None;
            if secret_alone {
                self.draft.inputs.put(SecretKind::AppSecret, None);
            }
        }
    }

    /// As the edited account has them; as they were typed, where there is none.
    fn keep_app(&mut self) {
        if let Some(old) = self.old.filter(|old| old.app_id.is_some()) {
            self.draft.given.app_id = old.app_id.clone();
            self.draft.inputs.put(SecretKind::AppSecret, None);
        }
    }

    /// Whether app id and app secret fit together and fit the token; says why not.
    /// What cannot be found out now, the test will say.
    fn fits(&self, app: &AppCredentials) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let Some(client) = &self.client else { return Ok(true) };
        let Some(token) = self.token_to_ask_with() else { return Ok(true) };
        let asked = {
            let _progress = Progress::start(&ctx.output, "asking Graph whether they fit …");
            Context::wait(token::debug(client, &token, app))?
        };
        let why = match asked {
            Ok(answer) if answer.value.app_id.as_ref().is_none_or(|found| *found == app.id) => {
                good(ctx, &format!("They are right: app {}.", app.id));
                return Ok(true);
            }
            Ok(_) => "the token was issued by another app".to_owned(),
            Err(GraphError::Refused(error)) if error.code == Some(190) => {
                format!("the app id {} and the app secret do not belong together", app.id)
            }
            Err(GraphError::Refused(error)) if error.code == Some(100) => {
                format!("the token was not issued by app {}, but by another app", app.id)
            }
            Err(GraphError::Refused(error)) => cause_of(&error).summary,
            Err(GraphError::Unreachable(why)) => {
                ctx.output.warning(&format!("not checked: {}", of_unreachable(&why).summary));
                return Ok(true);
            }
        };
        refuse(ctx, why, Some(&format!("copy both from {}", fields::APP_SECRET.found)));
        Ok(false)
    }

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

    /// The token that was pasted (the Page's may have been found behind it), or the
    /// one that the edited account has.
    fn token_to_ask_with(&self) -> Option<Secret> {
        let pasted = self.person.as_ref().map(|(token, _)| token.clone()).or_else(|| self.draft.inputs.token.clone());
        // A store that does not answer is dealt with when something is saved.
        pasted.or_else(|| self.ctx.secret(self.old?, SecretKind::PageAccessToken).ok().flatten())
    }

    /// The app that issued the token, where Graph says so.
    fn issuer(&self) -> Option<String> {
        if let Some(app) = &self.known.issuer {
            return Some(app.id.clone());
        }
        let (client, token) = (self.client.as_ref()?, self.old.and(self.token_to_ask_with())?);
        let _progress = Progress::start(&self.ctx.output, "asking Graph for the token's app …");
        let asked = Context::wait(app::of_token(client, &token, None)).ok()?;
        asked.ok().map(|answer| answer.value.id)
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

    /// The verify token: made here, or somebody's own.
    pub(super) fn ask_verify_token(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        introduce(ctx, &fields::VERIFY_TOKEN, " Meta repeats it when it first calls the callback URL.");
        let mut ways = vec!["Make one (40 letters and digits)".to_owned(), "Paste one of your own".to_owned()];
        let keeps = self.old.is_some_and(|old| old.secrets.contains_key(&SecretKind::VerifyToken));
        if keeps {
            ways.insert(0, "Keep it".into());
        }
        let Some(way) = ctx.choose("Verify token", &ways, usize::from(keeps))? else { return Ok(Asked::Back) };
        let inputs = &mut self.draft.inputs;
        match (way, keeps) {
            (0, true) => inputs.put(SecretKind::VerifyToken, None),
            (0, false) | (1, true) => {
                inputs.put(SecretKind::VerifyToken, Some(generate_verify_token()));
                inputs.generated = true;
            }
            _ => match secret(ctx, SecretKind::VerifyToken, "Verify token (not shown)")? {
                None => {
                    refuse(ctx, "nothing was pasted", None);
                    return self.ask_verify_token();
                }
                own => inputs.put(SecretKind::VerifyToken, own),
            },
        }
        Ok(Asked::Answered)
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
