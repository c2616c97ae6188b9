//! The last screen: every value, the test result, and the equivalent command; then save,
//! change or leave.

use super::stores::{another, in_words, left, settle};
use super::{Asked, Step, Wizard, ask};
use crate::accounts::{Account, CallbackUrl};
use crate::checks::{Finding, Outcome, ids};
use crate::cli::account::add::say_saved;
use crate::cli::account::fields::FieldArgs;
use crate::cli::account::view::report_text;
use crate::cli::error::{self, CliError};
use crate::cli::webhook::subscribe::offer;
use crate::operations::accounts::fields::of_secret;
use crate::operations::accounts::{commands, test};
use crate::operations::{Invocation, Kind, change, health};
use crate::secrets::SecretKind;
use crate::ui::style::{self, paint, wrap};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Now {
    Save,
    Token,
    Change,
    Test,
    Leave,
}

/// Tests, shows and saves the answers.
pub(super) fn add(mut wizard: Wizard<'_>) -> Result<u8, CliError> {
    let ctx = wizard.ctx;
    loop {
        let tested = wizard.report.is_none();
        if tested {
            wizard.test()?;
        }
        wizard.show(tested)?;
        match wizard.what_now()? {
            Now::Save => {
                if let Some(account) = wizard.save()? {
                    say_saved(ctx, &account);
                    if wizard.draft.store != ctx.settings()?.store.value {
                        ctx.output.notice(&format!(
                            "to keep new secrets there from now on: msgrctl config set store {}",
                            wizard.draft.store
                        ));
                    }
                    let handle = &account.handle;
                    let next = if wizard.is_untested() { "test" } else { "handover" };
                    let what = if next == "test" {
                        "not tested yet; to test it"
                    } else {
                        "what is left to do at Meta and in the contact centre"
                    };
                    let failed = |id| {
                        let is_it = |finding: &&Finding| finding.id == id && finding.outcome == Outcome::Fail;
                        wizard.report.as_ref().is_some_and(|report| report.findings.iter().any(|it| is_it(&it)))
                    };
                    if failed(ids::CALLBACK_HANDSHAKE) {
                        ctx.output.notice(&format!(
                            "Meta sends nothing to a callback URL that does not answer; once it does: msgrctl webhook subscribe {handle}"
                        ));
                    } else if next == "handover"
                        && let Err(error) = offer(ctx, &account)
                    {
                        // The account is saved; the failure has its own hint.
                        error::render(&error, &ctx.output);
                    }
                    ctx.output.notice(&format!("{what}: msgrctl account {next} {handle}"));
                    return Ok(0);
                }
            }
            Now::Token => wizard.change(Step::Token)?,
            Now::Change => wizard.change_one()?,
            Now::Test => wizard.report = None,
            Now::Leave => return Err(left()),
        }
    }
}

/// A command to paste, broken before flags with a backslash.
fn in_lines(command: &Invocation, width: Option<u16>) -> String {
    let room = width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(4));
    let mut lines = vec![String::from(" ")];
    let mut is_value = false;
    for word in command.quoted() {
        let last = lines.last().map_or(0, |line| console::measure_text_width(line));
        let may_break = word.starts_with("--") || !is_value;
        is_value = word.starts_with("--");
        if may_break && last + word.len() + 24 > room {
            lines.push(String::from("     "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(&word);
        }
    }
    lines.join(" \\\n")
}

impl Wizard<'_> {
    fn test(&mut self) -> Result<(), CliError> {
        let Some(client) = &self.client else { return Ok(()) };
        let account = self.draft.account(self.ctx)?;
        let mut subject = self.draft.subject(self.ctx)?;
        subject.commands = commands::below();
        let report = test::run(self.ctx, client, account.name.as_str(), &subject)?;
        self.draft.page_name.clone_from(&report.page_name);
        self.report = Some(report);
        change::warn_of_twins(self.ctx, &account)?;
        change::warn_of_other_callbacks(self.ctx, &account)
    }

    /// Prints the screen, with the test result if it is new.
    fn show(&self, tested: bool) -> Result<(), CliError> {
        let ctx = self.ctx;
        let screen = ctx.output.terminal.err();
        let mut lines = vec![String::new()];
        if let Some(report) = self.report.as_ref().filter(|_| tested) {
            let name = self.draft.name.as_ref().map_or("the account", |name| name.as_str());
            lines.extend([report_text(ctx, name, report, screen), String::new()]);
        }
        let heading = format!("To be saved in tenant '{}'", ctx.settings()?.tenant.value);
        lines.push(paint(style::BOLD, &heading, screen.color));
        for (label, value) in self.rows() {
            lines.push(format!("  {label:<19}{}", wrap(&value, screen.width, 21)));
        }
        let (command, variables) = self.command()?;
        let with = if variables.is_empty() {
            String::new()
        } else {
            format!(", with the secrets in {}", variables.join(", "))
        };
        let same = format!("Equivalent command{with}:");
        lines.extend([String::new(), wrap(&same, screen.width, 0), command, String::new()]);
        ctx.output.talk(&lines.join("\n"));
        Ok(())
    }

    /// Every value, in question order; secrets masked.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let given = &self.draft.given;
        let text = |value: Option<String>| value.unwrap_or_else(|| "not set".into());
        let handle = self.handle().ok().flatten().map(|handle| handle.to_string());
        // Names the source of a value that was not asked for.
        let from = |value: Option<String>, known: Option<String>| match value {
            Some(value) if self.old.is_none() && known.as_ref() == Some(&value) => {
                Some(format!("{value} (from Graph)"))
            }
            value => value,
        };
        let username = from(given.page_username.as_ref().map(ToString::to_string), self.known.username());
        let is_derived = self.old.is_none() && given.handle.is_none();
        vec![
            ("Type", self.draft.channel.words().into()),
            ("Name", text(from(self.draft.name.as_ref().map(ToString::to_string), self.known.name()))),
            ("Handle", format!("{}{}", handle.unwrap_or_default(), if is_derived { " (from the name)" } else { "" })),
            ("Page username", text(username.map(|name| format!("@{name}")))),
            ("Page id", text(from(given.page_id.as_ref().map(ToString::to_string), self.known.page_id()))),
            ("Page access token", self.secret(SecretKind::PageAccessToken)),
            ("App id", text(given.app_id.as_ref().map(ToString::to_string))),
            ("App secret", self.secret(SecretKind::AppSecret)),
            ("Verify token", self.secret(SecretKind::VerifyToken)),
            ("Callback URL", text(given.callback_url.as_ref().map(CallbackUrl::shown))),
            ("Secrets go to", in_words(self.draft.store).into()),
        ]
    }

    /// A secret as it will be: masked, or where it stays.
    fn secret(&self, kind: SecretKind) -> String {
        let inputs = &self.draft.inputs;
        let new = inputs.given().into_iter().find(|(given, _)| *given == kind);
        let kept = self.old.and_then(|old| old.secrets.get(&kind));
        match (new, kept) {
            (Some(_), _) if inputs.references.contains_key(&kind) => {
                format!("read from {} each time", inputs.references[&kind])
            }
            (Some(_), _) if kind == SecretKind::VerifyToken && inputs.generated => "a new one, generated here".into(),
            (Some((_, secret)), Some(_)) => format!("a new one, {}", secret.masked()),
            (Some((_, secret)), None) => secret.masked(),
            (None, Some(_)) if kind == SecretKind::AppSecret && self.draft.given.app_id.is_none() => "removed".into(),
            (None, Some(place)) if self.is_without(kind) => format!("missing from {place}"),
            (None, Some(place)) => format!("kept, in {place}"),
            (None, None) => "not set".into(),
        }
    }

    /// Whether a secret of the edited account is not where its record says. A store that does not
    /// answer says nothing.
    fn is_without(&self, kind: SecretKind) -> bool {
        self.old.is_some_and(|old| matches!(self.ctx.secret(old, kind), Ok(None)))
    }

    /// The equivalent command without prompts, and the variables that it reads.
    fn command(&self) -> Result<(String, Vec<String>), CliError> {
        let (draft, ctx) = (&self.draft, self.ctx);
        let account = draft.account(ctx)?;
        let mut variables: Vec<String> = Vec::new();
        for (kind, _) in draft.inputs.given() {
            match kind {
                _ if draft.inputs.references.contains_key(&kind) => {}
                SecretKind::VerifyToken if draft.inputs.generated => {}
                SecretKind::PageAccessToken if draft.inputs.user_token.is_some() => {
                    variables.push("MSGRCTL_PAGE_TOKEN (the person's or system user's token)".into());
                }
                SecretKind::PageAccessToken if self.person.is_some() => {
                    variables.push("MSGRCTL_PAGE_TOKEN (the Page's own token)".into());
                }
                _ => variables.extend(of_secret(kind).variable.map(str::to_owned)),
            }
        }
        let from = |kind| draft.inputs.references.get(&kind).map(ToString::to_string);
        let fields = FieldArgs {
            page_username: Some(account.page_username.to_string()),
            page_id: Some(account.page_id.to_string()),
            app_id: account.app_id.as_ref().map(ToString::to_string),
            callback_url: account.callback_url.as_ref().map(|url| url.as_str().to_owned()),
            handle: draft.given.handle.as_ref().map(ToString::to_string),
            token_from: from(SecretKind::PageAccessToken),
            app_secret_from: from(SecretKind::AppSecret),
            verify_token_from: from(SecretKind::VerifyToken),
            keep_user_token: draft.inputs.user_token.is_some(),
            no_test: self.is_untested(),
            save_anyway: self.save_anyway,
            ..FieldArgs::default()
        };
        let is_chosen = draft.store != ctx.settings()?.store.value || ctx.given.store.is_some();
        let command =
            Invocation::of("account add").global(&ctx.given).with("--store", is_chosen.then_some(draft.store.as_str()));
        let command = fields.again(command).arg(account.name.as_str());
        Ok((in_lines(&command, ctx.output.terminal.err().width), variables))
    }

    /// Whether Graph has said nothing yet about these values.
    fn is_untested(&self) -> bool {
        self.report.as_ref().is_none_or(|report| report.credentials() == Outcome::Unreachable)
    }

    fn what_now(&self) -> Result<Now, CliError> {
        let credentials = self.report.as_ref().map(crate::checks::Report::credentials);
        let mut ways = match credentials {
            None => vec![("Save it, untested (--no-test)", Now::Save)],
            Some(Outcome::Fail) => {
                ask::refuse(
                    self.ctx,
                    "the credentials did not pass, so it cannot be saved yet; the fixes are above",
                    None,
                );
                let token = ("Paste another token", Now::Token);
                let change = ("Change one of the values", Now::Change);
                // The token first if it is what failed.
                let mut ways = if self.token_failed() { vec![token, change] } else { vec![change, token] };
                ways.push(("Test again", Now::Test));
                ways
            }
            Some(Outcome::Unreachable) => {
                vec![("Test again", Now::Test), ("Save it, untested (as --no-test does)", Now::Save)]
            }
            Some(_) => vec![("Save it", Now::Save)],
        };
        if self.save_anyway && credentials == Some(Outcome::Fail) {
            ways.push(("Save it anyway (--save-anyway)", Now::Save));
        }
        if credentials != Some(Outcome::Fail) {
            ways.push(("Change one of the values", Now::Change));
        }
        ways.push(("Leave without saving", Now::Leave));
        let items: Vec<String> = ways.iter().map(|(text, _)| (*text).to_owned()).collect();
        let chosen = self.ctx.prompter.choose("What now?", &items, 0)?;
        Ok(chosen.map_or(Now::Change, |at| ways[at].1))
    }

    fn token_failed(&self) -> bool {
        let failed = |finding: &Finding| finding.outcome == Outcome::Fail && finding.id.starts_with("token.");
        self.report.as_ref().is_some_and(|report| report.findings.iter().any(failed))
    }

    /// Saves; `None` if that failed and the operator tries something else.
    fn save(&mut self) -> Result<Option<Account>, CliError> {
        loop {
            let error = match self.draft.save(self.ctx) {
                Ok(account) => {
                    health::keep_one(self.ctx, &account, self.report.as_ref());
                    return Ok(Some(account));
                }
                Err(error) if error.is_interrupt() => return Err(error),
                Err(error) => error,
            };
            if error.kind() != Kind::SecretStore {
                error::render(&error, &self.ctx.output);
                return Ok(None);
            }
            if !another(self.ctx, &error, &mut self.draft.store, 0)? {
                return Ok(None);
            }
            // Asked for now, not while half is saved.
            if !settle(self.ctx, &mut self.draft.store)? {
                return Ok(None);
            }
        }
    }

    /// Asks which value to change, then for it; Esc returns to the screen.
    fn change_one(&mut self) -> Result<(), CliError> {
        let mut steps: Vec<(Step, String)> = self.changeable();
        steps.retain(|(step, _)| *step != Step::Page || self.person.is_some());
        let items: Vec<String> = steps.iter().map(|(_, item)| item.clone()).collect();
        match self.ctx.prompter.choose("Which one?", &items, 0)? {
            Some(at) => self.change(steps[at].0),
            None => Ok(()),
        }
    }

    /// What can be changed, with current values.
    pub(super) fn changeable(&self) -> Vec<(Step, String)> {
        let rows = self.rows();
        let now = |label: &str| {
            let value = rows.iter().find(|(row, _)| *row == label).map(|(_, value)| value.as_str());
            format!("{label:<19}{}", value.unwrap_or_default())
        };
        vec![
            (Step::Name, now("Name")),
            (Step::Handle, now("Handle")),
            (Step::PageUsername, now("Page username")),
            (Step::PageId, now("Page id")),
            (Step::Token, now("Page access token")),
            (Step::Page, "The Page, chosen again".into()),
            (Step::App, format!("App id and secret  {}", self.app_in_words())),
            (Step::VerifyToken, now("Verify token")),
            (Step::CallbackUrl, now("Callback URL")),
        ]
    }

    fn app_in_words(&self) -> String {
        match &self.draft.given.app_id {
            Some(id) => format!("app {id}, {}", self.secret(SecretKind::AppSecret)),
            None if self.old.is_some_and(|old| old.app_id.is_some()) => "removed".into(),
            None => "not set".into(),
        }
    }

    /// Asks for one value again, and for those that depend on it.
    pub(super) fn change(&mut self, step: Step) -> Result<(), CliError> {
        let before = self.state();
        let mut asked = self.ask(step)?;
        if matches!(step, Step::Token | Step::App) && asked != Asked::Back && self.person.is_some() {
            asked = self.ask(Step::Page)?;
        }
        while asked == Asked::AnotherToken {
            self.forget_token();
            asked = self.ask(Step::Token)?;
            if self.person.is_some() {
                asked = self.ask(Step::Page)?;
            }
        }
        if asked == Asked::Back {
            self.restore(before);
            return Ok(());
        }
        if matches!(step, Step::Token | Step::App | Step::Page | Step::PageUsername | Step::PageId) {
            self.report = None;
        }
        let other = self
            .known
            .page_id()
            .filter(|found| self.draft.given.page_id.as_ref().is_some_and(|id| id.as_str() != found));
        if matches!(step, Step::Token | Step::App | Step::Page) && other.is_some() {
            ask::say(self.ctx, "The token belongs to another Page than before.");
            if self.old.is_some() {
                let ways = ["Go back: it is the wrong token", "Move the account to that Page"].map(str::to_owned);
                if self.ctx.prompter.choose("Another Page", &ways, 0)? != Some(1) {
                    self.restore(before);
                    return Ok(());
                }
            }
            self.draft.given.page_username = None;
            self.draft.given.page_id = None;
            self.ask(Step::PageUsername)?;
            self.ask(Step::PageId)?;
        }
        Ok(())
    }
}
