//! `account edit` on a terminal: shows the values, changes one at a time.

use super::stores::{another, left, settle};
use super::{Step, Wizard, ask};
use crate::accounts::Account;
use crate::cli::account::edit::change;
use crate::cli::account::fields::FieldArgs;
use crate::cli::context::Context;
use crate::cli::error::{self, CliError};
use crate::operations::Kind;
use crate::operations::accounts::draft::Draft;
use crate::operations::accounts::edit::{Clear, Edit};
use crate::operations::accounts::fields::Fields;
use crate::operations::accounts::gate::SAVE_ANYWAY;

pub fn edit(ctx: &Context, old: &Account, args: &FieldArgs) -> Result<u8, CliError> {
    let settings = ctx.settings()?;
    if !args.no_test {
        // Before a token of one Graph is sent to the other.
        ctx.check_realm(old)?;
    }
    let mut draft = Draft::of(old, settings.store.value);
    draft.inputs.keep_user_token = args.keep_user_token;
    let mut wizard = Wizard::new(ctx, draft, args, Some(old))?;
    ask::say(
        ctx,
        &format!(
            "Changing '{}'. Nothing is saved until you confirm; Ctrl-C leaves. To change its name: msgrctl account rename {}",
            old.name, old.handle
        ),
    );
    let mut at = 0;
    let mut store = None;
    loop {
        let mut steps = wizard.changeable();
        steps.retain(|(step, _)| !matches!(step, Step::Name | Step::Page));
        let changed = wizard.changes();
        let mut items: Vec<String> = steps.iter().map(|(_, item)| item.clone()).collect();
        if changed.is_some() {
            items.push(if args.no_test { "Save the changes".into() } else { "Test and save the changes".into() });
        }
        items.push("Leave without changing anything".into());
        let chosen = ctx.prompter.choose(&format!("'{}': what to change?", old.name), &items, at)?;
        let leaves = chosen.is_none_or(|chosen| chosen == items.len() - 1);
        if leaves {
            if changed.is_some() && !ctx.prompter.confirm("Leave without saving the changes?")? {
                continue;
            }
            return Err(left());
        }
        let chosen = chosen.unwrap_or_default();
        at = chosen;
        match (steps.get(chosen), changed) {
            (Some((step, _)), _) => wizard.change(*step)?,
            (None, Some((given, clear))) if chosen == steps.len() => {
                let edit = Edit {
                    name: None,
                    given,
                    inputs: wizard.draft.inputs.clone(),
                    clear,
                    gate: args.gate(),
                    store,
                    to_save: SAVE_ANYWAY,
                };
                match change(ctx, old, edit, "") {
                    Ok(code) => return Ok(code),
                    Err(error) if error.is_interrupt() => return Err(error),
                    // It is saved; something remains in another place.
                    Err(error) if ctx.accounts()?.get(&old.id)?.updated_at != old.updated_at => return Err(error),
                    Err(error) if error.kind() == Kind::SecretStore => {
                        let mut other = store.unwrap_or(wizard.draft.store);
                        if another(ctx, &error, &mut other, 0)? && settle(ctx, &mut other)? {
                            store = Some(other);
                        }
                    }
                    Err(error) => {
                        error::render(&error, &ctx.output);
                    }
                }
            }
            _ => return Err(left()),
        }
    }
}

impl Wizard<'_> {
    /// The fields that differ from the account, and those that are cleared; `None` when
    /// nothing differs.
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
        let any = !given.is_empty() || !clear.is_empty() || !self.draft.inputs.given().is_empty();
        any.then_some((given, clear))
    }
}
