//! The last screen: every value, the result of Test Connection, the command that
//! does the same; then it is saved, changed, or left.

use super::stores::{another, in_words, left, settle};
use super::{Asked, Step, Wizard, ask};
use crate::accounts::Account;
use crate::checks::Outcome;
use crate::cli::account::add::say_saved;
use crate::cli::account::connection;
use crate::cli::account::draft::Draft;
use crate::cli::account::edit::{Clear, Edit};
use crate::cli::account::fields::{FieldArgs, Fields, of_secret};
use crate::cli::account::save;
use crate::cli::account::view::report_text;
use crate::cli::account::ways_out::global_words;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::secrets::SecretKind;
use crate::ui::style::{self, paint, wrap};

/// What is wanted of the last screen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Now {
    Save,
    Token,
    Change,
    Test,
    Leave,
}

/// Tests, shows, and saves what the questions brought together.
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
                    let handle = &account.handle;
                    let next = if wizard.report.is_none() { "test" } else { "handover" };
                    let what = if next == "test" {
                        "not tested yet; to test it"
                    } else {
                        "what is left to do at Meta and in the contact centre"
                    };
                    ctx.output.notice(&format!("{what}: msgrctl account {next} {handle}"));
                    return Ok(0);
                }
            }
            Now::Token => {
                wizard.forget_token();
                wizard.change(Step::Token)?;
            }
            Now::Change => wizard.change_one()?,
            Now::Test => wizard.report = None,
            Now::Leave => return Err(left()),
        }
    }
}

impl Wizard<'_> {
    fn test(&mut self) -> Result<(), CliError> {
        let Some(client) = &self.client else { return Ok(()) };
        let account = self.draft.account(self.ctx)?;
        let report = connection::test(self.ctx, client, account.name.as_str(), &self.draft.subject(self.ctx)?)?;
        self.draft.page_name = report.page_name.clone().or(self.draft.page_name.take());
        self.report = Some(report);
        save::warn_of_twins(self.ctx, &account)
    }

    /// The screen; with the result list where it is new.
    fn show(&self, tested: bool) -> Result<(), CliError> {
        let ctx = self.ctx;
        let screen = ctx.output.terminal.err();
        let mut lines = vec![String::new()];
        if let Some(report) = self.report.as_ref().filter(|_| tested) {
            let name = self.draft.name.as_ref().map_or("the account", |name| name.as_str());
            lines.extend([report_text(name, report, screen), String::new()]);
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
        let same = format!("The same without questions{with}:");
        lines.extend([String::new(), wrap(&same, screen.width, 0), format!("  {command}"), String::new()]);
        ctx.output.talk(&lines.join("\n"));
        Ok(())
    }

    /// Every value, in the order of the questions; secrets masked.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let given = &self.draft.given;
        let text = |value: Option<String>| value.unwrap_or_else(|| "not set".into());
        let handle = self.draft.account(self.ctx).map(|account| account.handle.to_string());
        vec![
            ("Type", "Facebook Messenger".into()),
            ("Name", text(self.draft.name.as_ref().map(ToString::to_string))),
            ("Handle", handle.unwrap_or_default()),
            ("Page username", text(given.page_username.as_ref().map(|name| format!("@{name}")))),
            ("Page id", text(given.page_id.as_ref().map(ToString::to_string))),
            ("Page access token", self.secret(SecretKind::PageAccessToken)),
            ("App id", text(given.app_id.as_ref().map(ToString::to_string))),
            ("App secret", self.secret(SecretKind::AppSecret)),
            ("Verify token", self.secret(SecretKind::VerifyToken)),
            ("Callback URL", text(given.callback_url.as_ref().map(ToString::to_string))),
            ("Secrets go to", in_words(self.draft.store).into()),
        ]
    }

    /// A secret as it will be: masked, or where it stays.
    fn secret(&self, kind: SecretKind) -> String {
        let inputs = &self.draft.inputs;
        if let Some(reference) = inputs.references.get(&kind) {
            return format!("read from {reference} each time");
        }
        let new = inputs.given().into_iter().find(|(given, _)| *given == kind);
        let kept = self.old.and_then(|old| old.secrets.get(&kind));
        match (new, kept) {
            (Some(_), _) if kind == SecretKind::VerifyToken && inputs.generated => "a new one, made here".into(),
            (Some((_, secret)), Some(_)) => format!("a new one, {}", secret.masked()),
            (Some((_, secret)), None) => secret.masked(),
            (None, Some(_)) if kind == SecretKind::AppSecret && self.draft.given.app_id.is_none() => {
                "taken away".into()
            }
            (None, Some(place)) => format!("kept, in {place}"),
            (None, None) => "not set".into(),
        }
    }

    /// The command that does the same without asking, and the variables it reads.
    fn command(&self) -> Result<(String, Vec<&'static str>), CliError> {
        let (draft, ctx) = (&self.draft, self.ctx);
        let account = draft.account(ctx)?;
        let mut words: Vec<String> = ["msgrctl", "account", "add"].map(str::to_owned).to_vec();
        words.push(account.name.to_string());
        words.extend(global_words(ctx));
        if draft.store != ctx.settings()?.store.value || ctx.global.store.is_some() {
            words.extend(["--store".into(), draft.store.to_string()]);
        }
        let given = [
            ("--page-username", Some(account.page_username.to_string())),
            ("--page-id", Some(account.page_id.to_string())),
            ("--app-id", account.app_id.as_ref().map(ToString::to_string)),
            ("--callback-url", account.callback_url.as_ref().map(ToString::to_string)),
            ("--handle", draft.given.handle.as_ref().map(ToString::to_string)),
        ];
        for (flag, value) in given {
            words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        words.extend(self.client.is_none().then(|| "--no-test".to_owned()));
        words.extend(self.save_anyway.then(|| "--save-anyway".to_owned()));
        let mut variables = Vec::new();
        for (kind, _) in draft.inputs.given() {
            let flag = match kind {
                SecretKind::PageAccessToken => "--token-from",
                SecretKind::AppSecret => "--app-secret-from",
                SecretKind::VerifyToken => "--verify-token-from",
            };
            match draft.inputs.references.get(&kind) {
                Some(reference) => words.extend([flag.to_owned(), reference.to_string()]),
                // One that is made here is made there too.
                None if kind == SecretKind::VerifyToken && draft.inputs.generated => {}
                None => variables.extend(of_secret(kind).variable),
            }
        }
        // Fails on a NUL only, which no field can hold.
        Ok((shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default(), variables))
    }

    fn what_now(&self) -> Result<Now, CliError> {
        let credentials = self.report.as_ref().map(crate::checks::Report::credentials);
        let mut ways = match credentials {
            None => vec![("Save it, untested (--no-test)", Now::Save)],
            Some(Outcome::Fail) => {
                ask::refuse(
                    self.ctx,
                    "the credentials did not pass, so it cannot be saved yet; what failed says above how to mend it",
                    None,
                );
                vec![("Paste another token", Now::Token), ("Test again", Now::Test)]
            }
            Some(Outcome::Unreachable) => {
                vec![("Test again", Now::Test), ("Save it, untested (as --no-test does)", Now::Save)]
            }
            Some(_) => vec![("Save it", Now::Save)],
        };
        if self.save_anyway && credentials == Some(Outcome::Fail) {
            ways.push(("Save it all the same (--save-anyway)", Now::Save));
        }
        ways.extend([("Change one of the values", Now::Change), ("Leave without saving", Now::Leave)]);
        let items: Vec<String> = ways.iter().map(|(text, _)| (*text).to_owned()).collect();
        let chosen = self.ctx.choose("What now?", &items, 0)?;
        Ok(chosen.map_or(Now::Change, |at| ways[at].1))
    }

    /// Saves; `None` when that failed and something else is to be tried.
    fn save(&mut self) -> Result<Option<Account>, CliError> {
        loop {
            let error = match self.draft.save(self.ctx) {
                Ok(account) => return Ok(Some(account)),
                Err(error) if error.is_interrupt() => return Err(error),
                Err(error) => error,
            };
            if !error.is_of_a_store() {
                error.render(&self.ctx.output);
                return Ok(None);
            }
            if !another(self.ctx, &error, &mut self.draft.store)? {
                return Ok(None);
            }
            settle(self.ctx, &mut self.draft.store)?;
        }
    }

    /// Asks which value, then for the value; Esc goes back to the screen.
    fn change_one(&mut self) -> Result<(), CliError> {
        let mut steps: Vec<(Step, String)> = self.changeable();
        steps.retain(|(step, _)| *step != Step::Page || self.person.is_some());
        let items: Vec<String> = steps.iter().map(|(_, item)| item.clone()).collect();
        match self.ctx.choose("Which one?", &items, 0)? {
            Some(at) => self.change(steps[at].0),
            None => Ok(()),
        }
    }

    /// What can be changed, and what it is now.
    fn changeable(&self) -> Vec<(Step, String)> {
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
            None => "not set".into(),
        }
    }

    /// Asks for one value again, and for those that hang on it.
    fn change(&mut self, step: Step) -> Result<(), CliError> {
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
        if matches!(step, Step::Token | Step::App | Step::Page | Step::PageUsername | Step::PageId) {
            self.report = None;
        }
        let other = self
            .known
            .page_id()
            .filter(|found| self.draft.given.page_id.as_ref().is_some_and(|id| id.as_str() != found));
        if matches!(step, Step::Token | Step::Page) && other.is_some() {
            ask::say(self.ctx, "The token is of another Page than before, so its username and id come with it.");
            self.draft.given.page_username = None;
            self.draft.given.page_id = None;
            self.ask(Step::PageUsername)?;
            self.ask(Step::PageId)?;
        }
        Ok(())
    }
}

/// The same questions with today's values, one at a time.
pub fn edit(ctx: &Context, old: &Account, args: &FieldArgs) -> Result<u8, CliError> {
    let settings = ctx.settings()?;
    if !args.no_test {
        // Before a token of one Graph is pasted and sent to the other.
        ctx.check_realm(old)?;
    }
    let mut wizard = Wizard::new(ctx, Draft::of(old, settings.store.value), args, Some(old))?;
    ask::say(
        ctx,
        &format!(
            "Changing '{}'. Nothing is saved before you say so; Ctrl-C leaves. Its name changes with: msgrctl account rename {}",
            old.name, old.handle
        ),
    );
    let mut at = 0;
    loop {
        let mut steps = wizard.changeable();
        steps.retain(|(step, _)| !matches!(step, Step::Name | Step::Page));
        let changed = wizard.changes();
        let mut items: Vec<String> = steps.iter().map(|(_, item)| item.clone()).collect();
        if changed.is_some() {
            items.push(if args.no_test { "Save the changes".into() } else { "Test and save the changes".into() });
            at = steps.len();
        }
        items.push("Leave without changing anything".into());
        let Some(chosen) = ctx.choose(&format!("'{}': what to change?", old.name), &items, at)? else {
            return Err(left());
        };
        at = chosen;
        match (steps.get(chosen), changed) {
            (Some((step, _)), _) => wizard.change(*step)?,
            (None, Some((given, clear))) if chosen == steps.len() => {
                let edit = Edit {
                    given,
                    inputs: wizard.draft.inputs.clone(),
                    clear: &clear,
                    no_test: args.no_test,
                    save_anyway: args.save_anyway,
                    command: String::new(),
                    confirmed: true,
                    to_save: connection::SAVE_ANYWAY,
                };
                match edit.carry_out(ctx, old) {
                    Ok(code) => return Ok(code),
                    Err(error) if error.is_interrupt() => return Err(error),
                    Err(error) => {
                        error.render(&ctx.output);
                        ctx.stores().try_again();
                    }
                }
            }
            _ => return Err(left()),
        }
    }
}

impl Wizard<'_> {
    /// What is other than in the account, and what is taken away; `None` when all is
    /// as it was.
    fn changes(&self) -> Option<(Fields, Vec<Clear>)> {
        let (old, now) = (self.old?, &self.draft.given);
        let given = Fields {
            page_username: now.page_username.clone().filter(|new| *new != old.page_username),
            page_id: now.page_id.clone().filter(|new| *new != old.page_id),
            app_id: now.app_id.clone().filter(|new| old.app_id.as_ref() != Some(new)),
            callback_url: now.callback_url.clone().filter(|new| old.callback_url.as_ref() != Some(new)),
            handle: now.handle.clone().filter(|new| *new != old.handle),
        };
        let mut clear = Vec::new();
        clear.extend((now.app_id.is_none() && old.app_id.is_some()).then_some(Clear::App));
        clear.extend((now.callback_url.is_none() && old.callback_url.is_some()).then_some(Clear::CallbackUrl));
        let Fields { page_username, page_id, app_id, callback_url, handle } = &given;
        let any = page_username.is_some()
            || page_id.is_some()
            || app_id.is_some()
            || callback_url.is_some()
            || handle.is_some()
            || !clear.is_empty()
            || !self.draft.inputs.given().is_empty();
        any.then_some((given, clear))
    }
}
