//! Opens the stores of secrets for a command: who may unlock the keyring, and where
//! the passphrase of the encrypted file comes from.

use std::path::PathBuf;
use std::rc::Rc;

use super::context::Context;
use crate::secrets::{
    Ask, EnvironmentStore, FileStore, KeyAccess, KeyringStore, MemoryStore, Secret, StoreError, Stores,
};
use crate::ui::interrupt;
use crate::ui::prompt::Prompter;

/// Fewer characters are warned of.
const SHORT_PASSPHRASE: usize = 12;

/// The stores of one run, none of them read yet.
pub(super) fn open(ctx: &Context, memory: MemoryStore, prompter: Rc<dyn Prompter>) -> Stores {
    // A dialog needs a screen to open on, besides a person.
    let screen = cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| ctx.env.text(name).is_some());
    let output = ctx.output.clone();
    let on_dialog = move || output.notice("waiting for the keyring to be unlocked: see its dialog …");
    let keyring = ctx
        .keyring
        .get_or_init(|| Rc::new(KeyringStore::new(ctx.someone_can_answer() && screen, Box::new(on_dialog))))
        .clone();
    let passphrase = ctx.env.text("MSGRCTL_PASSPHRASE");
    let passphrase = passphrase.map(|text| Secret::from_input(text.as_bytes()));
    if passphrase.as_ref().is_some_and(|passphrase| {
        passphrase.as_ref().is_ok_and(|passphrase| passphrase.expose().chars().count() < SHORT_PASSPHRASE)
    }) {
        ctx.output.warning(&format!("MSGRCTL_PASSPHRASE has fewer than {SHORT_PASSPHRASE} characters"));
    }
    let key_file = ctx.global.key_file.clone().or_else(|| ctx.env.text("MSGRCTL_KEY_FILE").map(PathBuf::from));
    let access = KeyAccess { key_file, passphrase, ask: passphrase_prompt(ctx, prompter) };
    // Commands read the settings first; without them there is no tenant to open.
    let (path, tenant) = match ctx.settings() {
        Ok(settings) => {
            let tenant = settings.tenant.value.as_str();
            (settings.paths.secrets_file(tenant), tenant)
        }
        Err(_) => (PathBuf::new(), ""),
    };
    Stores::new(
        keyring.clone(),
        FileStore::new(path, tenant, access, keyring),
        EnvironmentStore::new(ctx.env.clone()),
        memory,
    )
}

/// Asks for the passphrase of the encrypted file, twice for a new one.
fn passphrase_prompt(ctx: &Context, prompter: Rc<dyn Prompter>) -> Option<Ask> {
    if !ctx.someone_can_answer() {
        return None;
    }
    let output = ctx.output.clone();
    let ask = move |question: &str| {
        interrupt::install();
        prompter.hidden(question).map_err(|_| StoreError::Interrupted)
    };
    Some(Box::new(move |new| {
        let question = if new { "A passphrase for the encrypted file" } else { "The passphrase of the encrypted file" };
        loop {
            let typed = match Secret::from_input(ask(question)?.as_bytes()) {
                Ok(typed) => typed,
                Err(error) => {
                    output.notice(&format!("this cannot be a passphrase: {error}"));
                    continue;
                }
            };
            if !new {
                return Ok(typed);
            }
            if typed.expose().chars().count() < SHORT_PASSPHRASE {
                output.warning(&format!("the passphrase has fewer than {SHORT_PASSPHRASE} characters"));
            }
            if ask("Once more")? == typed.expose() {
                return Ok(typed);
            }
            output.notice("the two differ");
        }
    }))
}
