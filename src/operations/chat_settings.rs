//! Chat Settings: settings for every account of a tenant.

use super::tenants::check_known;
use super::{Error, Workspace};
use crate::accounts::{AccountError, SchemaError};
use crate::messages::{ChatSettings, ChatText, Event, Timeout, Timeouts, undeliverable};

/// Changes the current Chat Settings under the lock, and returns them. Warns of a timeout that
/// is too long.
pub fn change(
    workspace: &Workspace,
    change: impl FnOnce(&mut ChatSettings) -> Result<(), Error>,
) -> Result<ChatSettings, Error> {
    check_known(workspace, workspace.settings()?.tenant.value.as_str())?;
    let file = workspace.chat_settings()?;
    let held = workspace.hold_tenant()?;
    let old = file.load()?;
    let mut new = old.clone();
    change(&mut new)?;
    if new == old {
        workspace.notice("nothing to change");
        return Ok(new);
    }
    file.change(|known| *known = new.clone())?;
    drop(held);
    if new.timeouts != old.timeouts {
        warn_of_the_window(workspace, &new);
    }
    Ok(new)
}

/// New timeouts, in the order of [`Timeouts::all`]: `None` keeps one, `Some(None)` clears it.
pub type WantedTimeouts = [Option<Option<Timeout>>; 4];

/// Sets timeouts, and the text at an event: `None` is the built-in text.
pub fn set(
    workspace: &Workspace,
    timeouts: WantedTimeouts,
    text: Option<(Event, Option<ChatText>)>,
) -> Result<ChatSettings, Error> {
    change(workspace, |new| {
        for (now, wanted) in new.timeouts.all_mut().into_iter().zip(timeouts) {
            *now = wanted.unwrap_or(*now);
        }
        match text {
            Some((event, Some(text))) => drop(new.messages.insert(event, text)),
            Some((event, None)) => drop(new.messages.remove(&event)),
            None => {}
        }
        Ok(())
    })
}

/// Replaces the Chat Settings by those in `text`, in the file's format, and returns them.
/// `old`: the settings that were edited.
pub fn replace(workspace: &Workspace, old: &ChatSettings, text: &str) -> Result<ChatSettings, Error> {
    let settings = workspace.chat_settings()?.read(text).map_err(in_the_text)?;
    let Timeouts { messenger, web, outbound, .. } = &settings.timeouts;
    for (name, value) in [("messenger", messenger), ("web", web), ("outbound", outbound)] {
        if let Some(value) = value.filter(|value| !value.is_whole_minutes()) {
            return Err(Error::usage(format!("{name}: {value} is not whole minutes, the contact centre's unit")));
        }
    }
    change(workspace, |now| {
        if now != old {
            return Err(Error::failed(
                "another command has changed the Chat Settings in the meantime; nothing was saved",
            ));
        }
        *now = settings;
        Ok(())
    })
}

/// A mistake with its line in the edited text, not in the file.
fn in_the_text(error: AccountError) -> Error {
    match error {
        AccountError::Schema(SchemaError::Broken { mistake, .. }) => {
            let shown = Error::usage(mistake.to_string());
            match mistake.hint {
                Some(hint) => shown.hint(hint),
                None => shown,
            }
        }
        other => other.into(),
    }
}

fn warn_of_the_window(workspace: &Workspace, settings: &ChatSettings) {
    let timeouts = &settings.timeouts;
    let timeout = timeouts.messenger.unwrap_or(Timeouts::MESSENGER);
    let silent = |event| settings.messages.get(&event) == Some(&ChatText::Disabled);
    for window in undeliverable(timeouts).into_iter().filter(|window| !silent(window.event)) {
        workspace.warning(&format!(
            "with a messenger timeout of {timeout} the message {} would be sent {} after the customer's last one, but Meta accepts automated messages only within 24 hours: it can never be delivered",
            window.event, window.after
        ));
    }
}
