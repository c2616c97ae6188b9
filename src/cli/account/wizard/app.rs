//! The app that issued the token: its id and secret, checked with Graph.

use super::ask::{Pasted, again, capital, good, introduce_as, refuse, refuse_error, secret};
use super::{Asked, Wizard};
use crate::accounts::{Account, AppId};
use crate::cli::error::CliError;
use crate::graph::AppCredentials;
use crate::graph::endpoints::app;
use crate::operations::Workspace;
use crate::operations::accounts::fields;
use crate::operations::accounts::owner::{Fit, TokenOwner, fits};
use crate::secrets::{Secret, SecretKind};

impl Wizard<'_> {
    pub(super) fn signer(&self) -> Option<AppCredentials> {
        let id = self.draft.given.app_id.as_ref()?;
        let secret = self.draft.inputs.app_secret.clone().or_else(|| self.kept_app_secret())?;
        Some(AppCredentials { id: id.to_string(), secret })
    }

    /// The app secret that the edited account already has.
    fn kept_app_secret(&self) -> Option<Secret> {
        let old = self.old.filter(|old| self.client.is_some() && old.app_id == self.draft.given.app_id)?;
        // A store that does not answer is reported when something is saved.
        self.ctx.secret(old, SecretKind::AppSecret).ok().flatten()
    }

    /// Asks for app id and app secret, both optional, and checks them together.
    pub(super) fn ask_app(&mut self) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        let given = if std::mem::take(&mut self.app_is_given) { self.signer() } else { None };
        let asked = if let Some(given) = given
            && self.fits(&given)?
        {
            Asked::Nothing
        } else {
            introduce_as(ctx, "app id and app secret", fields::APP_SECRET.found, self.what_an_app_gives());
            if !self.ask_for_app()? {
                return Ok(Asked::Back);
            }
            Asked::Answered
        };
        // A signed call may tell more.
        if matches!(self.known.whose, TokenOwner::Unsigned)
            && self.signer().is_some()
            && let Some(token) = self.draft.inputs.token.clone()
            && !self.judge_token(&token)?
        {
            return Ok(Asked::AnotherToken);
        }
        Ok(asked)
    }

    /// What is lost without the app, for this token.
    fn what_an_app_gives(&self) -> &'static str {
        if self.known.inspects_itself && self.person.is_none() {
            " Both are optional: msgrctl can inspect this token without them, but not set up or check the app's webhook, or sign its calls."
        } else {
            " Both are optional. With them msgrctl sees the token's permissions and expiry, signs its calls, sets up the app's webhook, and turns a person's token into a Page token that does not expire."
        }
    }

    /// Asks until the two fit or are skipped; `false` for a step back. A pair that does not
    /// fit replaces nothing.
    fn ask_for_app(&mut self) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let issuer = self.issuer();
        let neighbour = self.neighbour(issuer.as_deref())?;
        let mut tried = false;
        loop {
            let (given, inputs) = (&self.draft.given, &self.draft.inputs);
            let secret_alone = inputs.app_secret.is_some() && given.app_id.is_none();
            let has = self.old.is_some_and(|old| old.app_id.is_some()) || inputs.app_secret.is_some() && !secret_alone;
            let ways: &[&str] = match (has, secret_alone, &self.app_id_given) {
                (true, ..) => &["Keep them", "Replace them", "Remove them"],
                (_, true, _) => &["Give the app id of the app secret", "Skip the app secret"],
                (.., Some(_)) => &["Give its app secret too", "Skip the app secret (it can be added later)"],
                _ => &["Give the app id and the app secret", "Skip them (they can be added later)"],
            };
            let mut items: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
            let neighbour = neighbour.as_ref().filter(|_| !has && !secret_alone);
            items.splice(..0, neighbour.map(|(account, id)| format!("Use those of '{}' (app {id})", account.name)));
            // A person's token can be exchanged for a long-lived one with the app.
            let is_enough = self.known.inspects_itself && self.person.is_none() && self.app_id_given.is_none();
            let skips = (has && self.old.is_some()) || (!has && !secret_alone && is_enough);
            let at = usize::from(skips && !tried && neighbour.is_none());
            let Some(way) = ctx.prompter.choose("App id and app secret", &items, at)? else { return Ok(false) };
            tried = true;
            let way = match neighbour {
                Some((account, id)) if way == 0 => {
                    if self.take_app_of(account, id)? {
                        return Ok(true);
                    }
                    continue;
                }
                Some(_) => way - 1,
                None => way,
            };
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
                    let is_its = |id: &AppId| match &issuer {
                        Some(issuer) if issuer != id.as_str() => {
                            Err(CliError::usage(format!("the token was issued by app {issuer}, not by app {id}")))
                        }
                        _ => Ok(()),
                    };
                    let Some(id) = again(ctx, &fields::APP_ID, &offered, is_its)? else { continue };
                    id
                }
            };
            let question = format!("{} (not shown)", capital(fields::APP_SECRET.name));
            let pasted = if secret_alone { Pasted::Nothing } else { secret(ctx, SecretKind::AppSecret, &question)? };
            let typed = match pasted {
                Pasted::Secret(secret) => Some(secret),
                Pasted::Nothing => None,
                Pasted::Back => continue,
            };
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
            // Either of the two may be wrong: ask for both next time.
            self.app_id_given = None;
            if secret_alone {
                self.draft.inputs.put(SecretKind::AppSecret, None);
            }
        }
    }

    /// An account of the tenant with the secret of the app that issued the token.
    fn neighbour(&self, issuer: Option<&str>) -> Result<Option<(Account, AppId)>, CliError> {
        let Some(issuer) = issuer else { return Ok(None) };
        let realm = self.ctx.realm()?;
        Ok(self.others()?.into_iter().find_map(|account| {
            let id = account.app_id.clone().filter(|id| id.as_str() == issuer && account.graph == realm)?;
            account.secrets.contains_key(&SecretKind::AppSecret).then_some((account, id))
        }))
    }

    /// Uses the app id and app secret of another account if the secret can be read and fits.
    fn take_app_of(&mut self, account: &Account, id: &AppId) -> Result<bool, CliError> {
        let secret = match self.ctx.secret(account, SecretKind::AppSecret) {
            Ok(Some(secret)) => secret,
            Ok(None) => {
                refuse(self.ctx, format!("the app secret of '{}' is missing from its store", account.name), None);
                return Ok(false);
            }
            Err(error) => return refuse_error(self.ctx, error.into()).map(|()| false),
        };
        if !self.fits(&AppCredentials { id: id.to_string(), secret: secret.clone() })? {
            return Ok(false);
        }
        self.draft.given.app_id = Some(id.clone());
        self.draft.inputs.put(SecretKind::AppSecret, Some(secret));
        Ok(true)
    }

    /// Keeps the edited account's app; without one, what was typed.
    fn keep_app(&mut self) {
        if let Some(old) = self.old.filter(|old| old.app_id.is_some()) {
            self.draft.given.app_id = old.app_id.clone();
            self.draft.inputs.put(SecretKind::AppSecret, None);
        }
    }

    /// Whether app id and secret fit each other and the token; prints why not. What cannot be
    /// checked now is left to the test.
    fn fits(&self, app: &AppCredentials) -> Result<bool, CliError> {
        let ctx = self.ctx;
        let Some(client) = &self.client else { return Ok(true) };
        let Some(token) = self.token_to_ask_with() else { return Ok(true) };
        let why = match fits(ctx, client, &token, app)? {
            Fit::Yes => {
                good(ctx, &format!("They fit: app {}.", app.id));
                return Ok(true);
            }
            Fit::No(why) => why,
            Fit::NotAsked(why) => {
                ctx.output.warning(&format!("not checked: {why}"));
                return Ok(true);
            }
        };
        refuse(ctx, why, Some(&format!("copy both from {}", fields::APP_SECRET.found)));
        Ok(false)
    }

    /// The pasted token (its Page's token may have replaced it), or the edited account's.
    fn token_to_ask_with(&self) -> Option<Secret> {
        let pasted = self.person.as_ref().map(|(token, _)| token.clone()).or_else(|| self.draft.inputs.token.clone());
        // A store that does not answer is reported when something is saved.
        pasted.or_else(|| self.ctx.secret(self.old?, SecretKind::PageAccessToken).ok().flatten())
    }

    /// The app that issued the token, if Graph says so.
    fn issuer(&self) -> Option<String> {
        if let Some(app) = &self.known.issuer {
            return Some(app.id.clone());
        }
        let (client, token) = (self.client.as_ref()?, self.old.and(self.token_to_ask_with())?);
        let _progress = self.ctx.reporter.waiting("asking Graph for the token's app …");
        let asked = Workspace::wait(app::of_token(client, &token, None)).ok()?;
        asked.ok().map(|answer| answer.value.id)
    }
}
