//! A notice as a mail: three lines for a manager, then what an administrator types.

use lettre::message::header::{Header, HeaderName, HeaderValue};

use super::words;
use crate::state::Notice;
use crate::text::{count, one_line};

/// `Auto-Submitted: auto-generated`: no holiday notice answers it (RFC 3834).
#[derive(Clone)]
pub struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// The subject: one line, whatever names it has.
pub fn subject(notice: &Notice) -> String {
    const LONGEST: usize = 120;
    let title = one_line(&words::title(notice));
    let cut: String = title.chars().take(LONGEST).collect();
    format!("[msgrctl] {cut}{}", if cut.len() < title.len() { "…" } else { "" })
}

/// The text.
pub fn body(notice: &Notice) -> String {
    let mut lines = vec![format!("{}.", words::title(notice)), words::meaning(notice).to_owned()];
    let since = notice.accounts.iter().map(|concerned| concerned.since).min();
    lines.extend(since.map(|since| format!("Since {}.", words::moment(since))));
    for concerned in &notice.accounts {
        lines.push(String::new());
        let cause = concerned.cause.as_deref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        lines.push(format!("{}/{}, page {}:", concerned.tenant, concerned.account, concerned.page_id));
        lines.push(format!("  {}{cause}", one_line(&concerned.summary)));
        if let Some((fix, command)) = words::fix(concerned) {
            lines.push(format!("  what to do: {}", one_line(fix)));
            lines.extend(command.map(|command| format!("    {}", one_line(command))));
        }
    }
    if !notice.accounts.is_empty() {
        let all = count(notice.accounts.len());
        lines.extend([String::new(), format!("Accounts in this notice: {all}. All of them: msgrctl status")]);
    }
    lines.extend([String::new(), format!("notice {}, {}", notice.id, words::moment(notice.at))]);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::state::Event;

    #[test]
    fn three_lines_tell_a_manager_and_the_rest_an_administrator() {
        let text = body(&sample(Event::Failed));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "default/acme stopped working: the token has expired.");
        assert!(lines[1].starts_with("Messages that customers write"), "{text}");
        assert_eq!(lines[2], "Since 2026-11-29 09:00 UTC.");
        assert!(text.contains("\n    msgrctl account edit acme --token-stdin --yes\n"), "{text}");
    }

    #[test]
    fn a_name_adds_no_header() {
        let mut notice = sample(Event::Failed);
        notice.accounts[0].summary = "x\r\nBcc: all@example.com".into();
        assert!(!subject(&notice).contains(['\r', '\n']));
    }
}
