//! Reports a fault in msgrctl itself, without secrets, and restores the terminal.

use std::panic::PanicHookInfo;

use crate::secrets::redact;
use crate::text::sentence;
use crate::ui::{interrupt, output};

/// Replaces the standard hook, which would print values as they are.
pub fn install() {
    std::panic::set_hook(Box::new(|info| {
        interrupt::restore_terminal();
        output::last_words(&report(info));
    }));
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let payload = info.payload();
    let said = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    format!(
        "error: a fault inside msgrctl{place}: {}\n\nhint: this should not happen; report it with this line and what you did",
        redact(&sentence(said.unwrap_or("no message")))
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_shows_no_token() {
        let said = Arc::new(Mutex::new(String::new()));
        let heard = said.clone();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if let Ok(mut heard) = heard.lock() {
                heard.push_str(&report(info));
            }
        }));
        let ended = std::panic::catch_unwind(|| panic!("bad token EAABleakmark0123456789abcdef here\u{1b}[2J\u{202e}"));
        std::panic::set_hook(before);
        assert!(ended.is_err());
        let said = said.lock().expect("heard");
        assert!(said.contains("bad token ******** here [2J\n") && said.contains("panic.rs:"), "{said}");
    }
}
