//! The questions of `account add` and `account edit` on a terminal.
//!
//! A value from a flag is not asked for. The token comes first: Graph then knows most of the
//! rest and offers it. Esc in a list goes a step back. Nothing is saved before the last screen.

mod app;
mod ask;
mod edit;
mod page;
mod review;
mod stores;
mod token;

use super::fields::FieldArgs;
use crate::accounts::{self, Account, AppId, CallbackUrl, Handle, Name, PageId, PageUsername};
use crate::checks::Report;
use crate::checks::causes::PAGE_WITHOUT_USERNAME;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::graph::Client;
use crate::graph::endpoints::page::same_username;
use crate::graph::endpoints::person::OwnPage;
use crate::operations::accounts::draft::Draft;
use crate::operations::accounts::fields::{self, Field};
use crate::operations::accounts::owner::Known;
use crate::secrets::{Secret, SecretKind, StoreName, generate_verify_token};

use ask::Callback;
pub use ask::{Pasted, again, introduce, say, secret as pasted};
pub use edit::edit;

/// Whether to ask: a person can answer, something is missing, and --yes was not given.
pub fn is_wanted(ctx: &Context, draft: &Draft) -> bool {
    let lacking = draft.inputs.token.is_none() || !draft.missing().is_empty();
    ctx.someone_can_answer && !ctx.global.yes && !ctx.output.json && draft.store != StoreName::Env && lacking
}

/// Asks for what is missing, tests, shows everything, saves.
pub fn add(ctx: &Context, draft: Draft, args: &FieldArgs) -> Result<u8, CliError> {
    let tenant = ctx.settings()?.tenant.value.as_str();
    say(
        ctx,
        &format!(
            "Adding a {} account to the tenant '{tenant}'. Enter takes what is offered, Esc goes a step back, Ctrl-C leaves. Nothing is saved until you confirm at the end.",
            draft.channel.words()
        ),
    );
    let mut wizard = Wizard::new(ctx, draft, args, None)?;
    if !stores::settle(ctx, &mut wizard.draft.store)? {
        return Err(stores::left());
    }
    let given = wizard.given();
    wizard.walk(&given)?;
    review::add(wizard)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Token,
    App,
    Page,
    PageUsername,
    PageId,
    VerifyToken,
    CallbackUrl,
    Name,
    Handle,
}

impl Step {
    /// In the order of the questions.
    const ALL: [Self; 9] = [
        Self::Token,
        Self::App,
        Self::Page,
        Self::PageUsername,
        Self::PageId,
        Self::VerifyToken,
        Self::CallbackUrl,
        Self::Name,
        Self::Handle,
    ];

    fn field(self) -> &'static Field {
        match self {
            // The Page is chosen for its token.
            Self::Token | Self::Page => &fields::TOKEN,
            Self::App => &fields::APP_ID,
            Self::PageUsername => &fields::PAGE_USERNAME,
            Self::PageId => &fields::PAGE_ID,
            Self::VerifyToken => &fields::VERIFY_TOKEN,
            Self::CallbackUrl => &fields::CALLBACK_URL,
            Self::Name => &fields::NAME,
            Self::Handle => &fields::HANDLE,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Answered,
    /// There was nothing to ask.
    Nothing,
    /// Esc.
    Back,
    /// The token is refused after all.
    AnotherToken,
}

/// What a step back restores.
type State = (Draft, Known, Option<(Secret, Vec<OwnPage>)>);

struct Wizard<'a> {
    ctx: &'a Context,
    /// `None` with `--no-test`.
    client: Option<Client>,
    draft: Draft,
    /// Set for `account edit`.
    old: Option<&'a Account>,
    known: Known,
    /// The person's token that was pasted, and the Pages behind it.
    person: Option<(Secret, Vec<OwnPage>)>,
    /// A flag or variable gave the token, and Graph has not been asked whose it is.
    token_is_given: bool,
    /// Flags or variables gave app id and app secret, not checked yet.
    app_is_given: bool,
    /// The app id from a flag, without a secret.
    app_id_given: Option<AppId>,
    /// The last test of the current draft.
    report: Option<Report>,
    save_anyway: bool,
}

impl<'a> Wizard<'a> {
    fn new(ctx: &'a Context, draft: Draft, args: &FieldArgs, old: Option<&'a Account>) -> Result<Self, CliError> {
        let client = if args.no_test { None } else { Some(ctx.graph()?) };
        Ok(Self {
            ctx,
            client,
            token_is_given: draft.inputs.token.is_some(),
            app_is_given: old.is_none() && draft.given.app_id.is_some() && draft.inputs.app_secret.is_some(),
            app_id_given: draft.given.app_id.clone().filter(|_| old.is_none() && draft.inputs.app_secret.is_none()),
            draft,
            old,
            known: Known::default(),
            person: None,
            report: None,
            save_anyway: args.save_anyway,
        })
    }

    /// The steps that flags and variables answered.
    fn given(&self) -> Vec<Step> {
        let (given, inputs) = (&self.draft.given, &self.draft.inputs);
        let answered = [
            (Step::PageUsername, given.page_username.is_some()),
            (Step::PageId, given.page_id.is_some()),
            (Step::VerifyToken, inputs.verify_token.is_some()),
            (Step::CallbackUrl, given.callback_url.is_some()),
            (Step::Name, self.draft.name.is_some()),
            (Step::Handle, given.handle.is_some()),
        ];
        answered.into_iter().filter(|(_, is)| *is).map(|(step, _)| step).collect()
    }

    /// Every question in order, except those already answered.
    fn walk(&mut self, given: &[Step]) -> Result<(), CliError> {
        let mut asked = Vec::new();
        let mut at = 0;
        while let Some(step) = Step::ALL.get(at) {
            if given.contains(step) {
                at += 1;
                continue;
            }
            if self.settle(*step)? {
                at += 1;
                continue;
            }
            match self.ask(*step)? {
                Asked::Answered => {
                    asked.push(at);
                    at += 1;
                }
                Asked::Nothing => at += 1,
                Asked::Back => match asked.pop() {
                    Some(before) => at = before,
                    None => say(self.ctx, "This is the first question; Ctrl-C leaves."),
                },
                Asked::AnotherToken => {
                    self.forget_token();
                    asked.clear();
                    at = 0;
                }
            }
        }
        Ok(())
    }

    /// Takes what Graph or the name supplies without asking; the last screen shows each and
    /// can change it.
    fn settle(&mut self, step: Step) -> Result<bool, CliError> {
        let given = &mut self.draft.given;
        match step {
            Step::PageUsername => {
                let known = self.known.username().and_then(|username| username.parse().ok());
                given.page_username = known.or(given.page_username.take());
                Ok(self.known.username().is_some() && given.page_username.is_some())
            }
            Step::PageId => {
                let known = self.known.page_id().and_then(|id| id.parse().ok());
                given.page_id = known.or(given.page_id.take());
                Ok(self.known.page_id().is_some() && given.page_id.is_some())
            }
            Step::VerifyToken => {
                self.draft.inputs.put(SecretKind::VerifyToken, Some(generate_verify_token()));
                self.draft.inputs.generated = true;
                Ok(true)
            }
            Step::Name => {
                let Some(name) = self.known.name() else { return Ok(false) };
                let free = accounts::free_name(&self.others()?, &name).and_then(|name| name.parse().ok());
                self.draft.name = free.or(self.draft.name.take());
                Ok(self.draft.name.is_some())
            }
            Step::Handle => Ok(self.draft.name.is_some()),
            Step::Token | Step::App | Step::Page | Step::CallbackUrl => Ok(false),
        }
    }

    fn forget_token(&mut self) {
        self.draft.inputs.put(SecretKind::PageAccessToken, None);
        self.draft.page_name = None;
        self.known = Known::default();
        self.person = None;
        self.report = None;
    }

    /// Asks one question. A step back restores the state before it.
    fn ask(&mut self, step: Step) -> Result<Asked, CliError> {
        let before = self.state();
        let asked = self.ask_now(step)?;
        if asked == Asked::Back {
            self.restore(before);
        }
        Ok(asked)
    }

    fn state(&self) -> State {
        (self.draft.clone(), self.known.clone(), self.person.clone())
    }

    fn restore(&mut self, (draft, known, person): State) {
        (self.draft, self.known, self.person) = (draft, known, person);
    }

    fn ask_now(&mut self, step: Step) -> Result<Asked, CliError> {
        let ctx = self.ctx;
        match step {
            Step::Token => return self.ask_token(),
            Step::App => return self.ask_app(),
            Step::Page => return self.ask_page(),
            Step::VerifyToken => return self.ask_verify_token(),
            Step::PageUsername => {
                let known = self.known.username();
                let now = self.draft.given.page_username.as_ref().map(ToString::to_string);
                let offered = known.clone().or(now).unwrap_or_default();
                let is_its = |typed: &PageUsername| match &known {
                    Some(known) if !same_username(known, typed.as_str()) => {
                        Err(CliError::usage(format!("the token is of the Page @{known}, not of @{typed}"))
                            .hint("Enter takes what is offered; another Page needs its own token"))
                    }
                    _ => Ok(()),
                };
                // A Page that the token can read says whether it is published.
                if known.is_none() && self.known.page().is_some_and(|page| page.is_published.is_some()) {
                    ctx.output.warning(&format!("{}; {}", PAGE_WITHOUT_USERNAME.summary, PAGE_WITHOUT_USERNAME.fix()));
                }
                let username: Option<PageUsername> = ask::field(ctx, step.field(), &offered, is_its)?;
                let Some(username) = username else { return Ok(Asked::Back) };
                username.doubt().into_iter().for_each(|doubt| ctx.output.warning(&doubt));
                self.draft.given.page_username = Some(username);
            }
            Step::PageId => {
                let known = self.known.page_id();
                let now = self.draft.given.page_id.as_ref().map(ToString::to_string);
                let offered = known.clone().or(now).unwrap_or_default();
                let is_its = |typed: &PageId| match &known {
                    Some(known) if known != typed.as_str() => {
                        Err(CliError::usage(format!("the token is of page {known}, not of page {typed}"))
                            .hint("Enter takes what is offered; another Page needs its own token"))
                    }
                    _ => Ok(()),
                };
                let Some(id) = ask::field(ctx, step.field(), &offered, is_its)? else { return Ok(Asked::Back) };
                self.draft.given.page_id = Some(id);
            }
            Step::CallbackUrl => {
                let offered = match &self.draft.given.callback_url {
                    None if self.old.is_none() => self.draft.callback_of_tenant(ctx)?,
                    given => given.clone(),
                };
                let sure = |url: &CallbackUrl| match url.doubt() {
                    Some(doubt) if !ctx.prompter.confirm(&format!("{doubt}. Use it anyway?"))? => {
                        Err(CliError::usage(doubt))
                    }
                    _ => Ok(()),
                };
                self.draft.given.callback_url = match ask::callback_url(ctx, offered.as_ref(), sure)? {
                    Some(Callback::Url(url)) => Some(url),
                    Some(Callback::Skipped) => None,
                    None => return Ok(Asked::Back),
                };
            }
            Step::Name => {
                let others = self.others()?;
                let now = self.draft.name.as_ref().map(ToString::to_string);
                let offered = now.or_else(|| accounts::free_name(&others, &self.known.name()?)).unwrap_or_default();
                let free = |name: &Name| Ok(accounts::check_name(&others, name)?);
                let Some(name) = ask::field(ctx, step.field(), &offered, free)? else { return Ok(Asked::Back) };
                self.draft.name = Some(name);
            }
            Step::Handle => {
                let others = self.others()?;
                let derived = self.derived_handle()?;
                let offered = self.handle()?.map(|handle| handle.to_string()).unwrap_or_default();
                // The account may keep its own handle.
                let has = |handle: &Handle| self.old.is_some_and(|old| old.handle == *handle);
                let free = |handle: &Handle| {
                    if has(handle) { Ok(()) } else { Ok(accounts::check_handle(&others, handle)?) }
                };
                let handle: Option<Handle> = ask::field(ctx, step.field(), &offered, free)?;
                let Some(handle) = handle else { return Ok(Asked::Back) };
                // A handle that was not typed still gives way to one that another command takes first.
                self.draft.given.handle = (Some(&handle) != derived.as_ref()).then_some(handle);
            }
        }
        Ok(Asked::Answered)
    }

    fn handle(&self) -> Result<Option<Handle>, CliError> {
        match &self.draft.given.handle {
            Some(chosen) => Ok(Some(chosen.clone())),
            None => self.derived_handle(),
        }
    }

    /// The handle made from the name.
    fn derived_handle(&self) -> Result<Option<Handle>, CliError> {
        let Some(name) = &self.draft.name else { return Ok(None) };
        Ok(Some(accounts::free_handle(&self.others()?, &Handle::slug(name))))
    }

    /// The tenant's accounts, without the edited one.
    fn others(&self) -> Result<Vec<Account>, CliError> {
        let mut accounts = self.ctx.accounts()?.load()?;
        accounts.retain(|account| self.old.is_none_or(|old| old.id != account.id));
        Ok(accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_has_a_flag_and_says_where_its_value_is_found() {
        let mut tree = crate::cli::command();
        let add = tree.find_subcommand_mut("account").and_then(|account| account.find_subcommand_mut("add"));
        let add = add.expect("account add");
        for step in Step::ALL {
            let Field { flags, found, name, .. } = step.field();
            assert!(found.len() > 10, "{name}");
            let known = |flag: &str| {
                add.get_arguments().any(|argument| {
                    argument.get_long().is_some_and(|long| flag == format!("--{long}"))
                        || argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == flag))
                })
            };
            for flag in flags.split([' ', ',']).filter(|word| word.starts_with("--") || *word == "NAME") {
                assert!(known(flag), "{name}: {flag}");
            }
        }
    }
}
