//! The questions for the page access token and the verify token.

use super::ask::{Pasted, good, introduce, refuse, refuse_error, say, secret};
use super::{Asked, Wizard};
use crate::checks::causes::{self, Place};
use crate::checks::of_unreachable;
use crate::cli::error::CliError;
use crate::cli::login;
use crate::graph::{GraphError, Wording};
use crate::operations::accounts::fields;
use crate::operations::accounts::owner::{Issuer, Question, TokenOwner};
use crate::secrets::{Secret, SecretKind, generate_verify_token};

const LOG_IN: &str = "Log in at Meta in the browser";
const PASTE: &str = "Paste a token";
const LOG_IN_ELSEWHERE: &str = "Log in at Meta elsewhere, and paste the address it ends at";

impl Wizard<'_> {
    /// Asks for the token until Graph accepts it; one from a flag only if Graph refuses it.
    pub(super) fn ask_token(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        if std::mem::take(&mut self.token_is_given)
            && let Some(token) = self.draft.inputs.token.clone()
            && self.judge_token(&token)?
        {
            return Ok(Asked::Nothing);
        }
        // An account that exists gets its new token by 'msgrctl login' itself.
        let offers = self.old.is_none() && self.client.is_some() && self.draft.inputs.token.is_none();
        if offers {
            say(
                ctx,
                "\nRecommended: a system user's token, which does not depend on a person (msgrctl login --system-user). A login here gives a person's Page token, which does not expire.",
            );
        }
        loop {
            let ways = [LOG_IN, PASTE, LOG_IN_ELSEWHERE].map(str::to_owned);
            match if offers { ctx.prompter.choose("How to get the token", &ways, 0)? } else { Some(1) } {
                None => return Ok(Asked::Back),
                Some(way @ (0 | 2)) => {
                    if self.log_in(way == 2)? {
                        return Ok(Asked::Answered);
                    }
                }
                Some(_) => match self.ask_for_token()? {
                    Asked::Back if offers => {}
                    asked => return Ok(asked),
                },
            }
        }
    }

    /// Logs in at Meta, in the browser here or in another one (`elsewhere`); `false` if that gave no
    /// token, with the reason printed.
    fn log_in(&mut self, elsewhere: bool) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let (id, secret) = (self.draft.given.app_id.clone(), self.draft.inputs.app_secret.clone());
        let (app, token) = match login::for_wizard(ctx, id, secret, elsewhere) {
            Ok(given) => given,
            Err(error) => return refuse_error(ctx, error).map(|()| false),
        };
        app.give(&mut self.draft.inputs);
        self.draft.given.app_id = Some(app.id);
        self.app_is_given = true;
        self.forget_token();
        if !self.judge_token(&token)? {
            return Ok(false);
        }
        self.draft.inputs.put(SecretKind::PageAccessToken, Some(token));
        Ok(true)
    }

    /// Asks for a pasted token until Graph accepts it.
    fn ask_for_token(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        let replaces = self.old.is_some() || self.draft.inputs.token.is_some();
        let more = " It begins with EAA. A person's (user) token works too: you then choose one of their Pages.";
        let more = match &self.draft.inputs.token {
            Some(token) => format!("{more} Enter keeps {}.", token.masked()),
            None if self.old.is_some() => format!("{more} Enter keeps the one that the account has."),
            None => more.to_owned(),
        };
        introduce(ctx, &fields::TOKEN, &more);
        loop {
            let question = "Page access token (not shown)";
            let token = match secret(ctx, SecretKind::PageAccessToken, question)? {
                Pasted::Secret(token) => token,
                Pasted::Back => return Ok(Asked::Back),
                Pasted::Nothing if replaces => {
                    if self.draft.inputs.token.is_none() {
                        self.forget_token();
                    }
                    say(ctx, "Nothing was pasted; the token stays.");
                    return Ok(Asked::Answered);
                }
                Pasted::Nothing => {
                    refuse(ctx, "nothing was pasted; the account needs a page access token", None);
                    continue;
                }
            };
            let before = self.state();
            self.forget_token();
            if self.judge_token(&token)? {
                self.draft.inputs.put(SecretKind::PageAccessToken, Some(token));
                return Ok(Asked::Answered);
            }
            // Enter keeps the token from before.
            self.restore(before);
        }
    }

    /// Whether Graph accepts a token; prints whose it is, or why not.
    pub(super) fn judge_token(&mut self, token: &Secret) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let mut signer = self.signer();
        let named = self.draft.given.page_id.clone();
        let found = loop {
            let Some(client) = &self.client else { return Ok(true) };
            let question = Question { workspace: ctx, client, token, signer: signer.as_ref(), named: named.as_ref() };
            match question.whose(Issuer::Wished)?.map_err(|unknown| unknown.error) {
                Ok(known) => break known,
                // The signature is the app's fault, not the token's: the app is asked for next.
                Err(GraphError::Refused(error)) if signer.is_some() && error.wording == Some(Wording::Proof) => {
                    signer = None;
                }
                Err(GraphError::Refused(error)) => {
                    let cause = causes::of(&error, Place::Me.signed(signer.is_some()));
                    refuse(ctx, format!("Meta refuses the token: {}", cause.summary), Some(&cause.fix));
                    if !error.says.is_empty() {
                        say(ctx, &format!("  meta says: {error}"));
                    }
                    return Ok(false);
                }
                Err(GraphError::Unreachable(why)) => {
                    let cause = of_unreachable(&why);
                    refuse(ctx, &cause.summary, Some(&cause.fix));
                    let ways = ["Ask Graph again", "Continue without Graph and type everything"].map(str::to_owned);
                    if ctx.prompter.choose("What now?", &ways, 0)? == Some(1) {
                        return Ok(true);
                    }
                }
            }
        };
        match &found.whose {
            TokenOwner::Page(page) => {
                let name = page.name.as_deref().unwrap_or("a Page without a name");
                let username = page.username.as_ref().map(|name| format!(", @{name}")).unwrap_or_default();
                good(ctx, &format!("The token is of the Page {name}{username} (page id {}).", page.id));
                let others = self.others()?.into_iter().filter(|account| account.page_id.as_str() == page.id);
                let twins: Vec<String> = others.map(|account| format!("'{}'", account.handle)).collect();
                if !twins.is_empty() {
                    ctx.output.warning(&format!("this Page is already connected, by {}", twins.join(" and ")));
                }
            }
            TokenOwner::Person(pages) if pages.is_empty() => {
                good(
                    ctx,
                    "This is a person's token, and Meta lists no Page behind it yet; the next question looks further.",
                );
            }
            TokenOwner::Person(pages) => {
                let count = if pages.len() == 1 { "1 Page".into() } else { format!("{} Pages", pages.len()) };
                good(ctx, &format!("This is a person's token, with {count} behind it; you choose one in a moment."));
            }
            TokenOwner::Unsigned => good(
                ctx,
                "Meta takes the token. Its app asks for signed calls (Require App Secret), so msgrctl needs the app secret to see whose it is.",
            ),
            TokenOwner::NotAsked => {}
        }
        self.person = match &found.whose {
            TokenOwner::Person(pages) => Some((token.clone(), pages.clone())),
            _ => None,
        };
        self.known = found;
        Ok(true)
    }

    /// The verify token: generated, or the operator's own.
    pub(super) fn ask_verify_token(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        introduce(ctx, &fields::VERIFY_TOKEN, " Meta repeats it when it first calls the callback URL.");
        let mut ways = vec!["Generate one (40 letters and digits)".to_owned(), "Paste one of your own".to_owned()];
        let keeps = self.old.is_some_and(|old| old.secrets.contains_key(&SecretKind::VerifyToken));
        if keeps {
            ways.insert(0, "Keep it".into());
        }
        let Some(way) = ctx.prompter.choose("Verify token", &ways, usize::from(keeps))? else { return Ok(Asked::Back) };
        let inputs = &mut self.draft.inputs;
        match (way, keeps) {
            (0, true) => inputs.put(SecretKind::VerifyToken, None),
            (0, false) | (1, true) => {
                inputs.put(SecretKind::VerifyToken, Some(generate_verify_token()));
                inputs.generated = true;
            }
            _ => match secret(ctx, SecretKind::VerifyToken, "Verify token (not shown)")? {
                Pasted::Nothing => {
                    refuse(ctx, "nothing was pasted", None);
                    return self.ask_verify_token();
                }
                Pasted::Back => return self.ask_verify_token(),
                Pasted::Secret(own) => inputs.put(SecretKind::VerifyToken, Some(own)),
            },
        }
        Ok(Asked::Answered)
    }
}
