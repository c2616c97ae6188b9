//! What the browser comes back with: a code, or why there is none.

use super::dialog::Dialog;
use crate::checks::causes::{LOGIN_CANCELLED, LOGIN_REFUSED};
use crate::http::Url;
use crate::operations::Error;
use crate::secrets::{Secret, redact};
use crate::text::{excerpt, one_line};

/// The answer in the address that the browser ended at.
#[derive(Debug)]
pub enum Answer {
    /// The person consented.
    Code(Secret),
    /// Meta refused, or the person cancelled.
    Refused(Error),
    /// It is an answer, but not this login's.
    Foreign,
    /// A stray call, without an answer.
    Nothing,
}

/// The longest quotation of Meta's text.
const SAYS: usize = 300;

impl Dialog {
    /// Reads the query of an address.
    pub fn read(&self, query: &str) -> Answer {
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let code = value("code");
        let error = value("error").or_else(|| value("error_code"));
        if code.is_none() && error.is_none() {
            return Answer::Nothing;
        }
        if !self.has_state(&value("state").unwrap_or_default()) {
            return Answer::Foreign;
        }
        if error.is_none()
            && let Some(code) = code
        {
            return Answer::Code(Secret::new(code.trim_end_matches("#_=_")));
        }
        let is_denied = value("error").as_deref() == Some("access_denied");
        let cause = if is_denied { &LOGIN_CANCELLED } else { &LOGIN_REFUSED };
        let refused = Error::failed(cause.summary).reason(cause.id).hint(cause.fix());
        let says = value("error_description").or_else(|| value("error_message")).unwrap_or_default();
        let says = excerpt(&one_line(&redact(&says)), SAYS);
        // Its own words for a cancel say less than ours.
        Answer::Refused(if says.is_empty() || is_denied {
            refused
        } else {
            refused.cause(format!("meta says: {says}"))
        })
    }

    /// Reads an address, or its query, as a person pastes it.
    pub fn read_pasted(&self, text: &str) -> Answer {
        let text = text.trim().trim_matches(['"', '\'']);
        let Ok(url) = Url::parse(text) else {
            let query = text.split_once('?').map_or(text, |(_, query)| query);
            return self.read(query.split('#').next().unwrap_or_default());
        };
        match self.read(url.query().unwrap_or_default()) {
            // Meta's own page for programs has it behind the number sign.
            Answer::Nothing => self.read(url.fragment().unwrap_or_default()),
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialog::trial;
    use super::*;

    fn cause(answer: &Answer) -> Option<&'static str> {
        match answer {
            Answer::Refused(error) => error.why(),
            _ => None,
        }
    }

    #[test]
    fn only_the_answer_with_its_state_counts() {
        let (dialog, state) = trial();
        assert!(
            matches!(dialog.read(&format!("code=AQDx&state={state}")), Answer::Code(code) if code == Secret::new("AQDx"))
        );
        for query in
            ["code=AQDx", "code=AQDx&state=", "code=AQDx&state=other", "error=access_denied", "error_code=1&state=x"]
        {
            assert!(matches!(dialog.read(query), Answer::Foreign), "{query}");
        }
        for query in ["", "state=x", "favicon=1", "code=&state=x"] {
            assert!(matches!(dialog.read(query), Answer::Nothing), "{query}");
        }
        assert!(
            matches!(dialog.read(&format!("code=AQDx&state={state}&state=x")), Answer::Code(_)),
            "the first counts"
        );
    }

    #[test]
    fn a_cancel_and_both_kinds_of_refusal_are_read() {
        let (dialog, state) = trial();
        let cancelled = format!(
            "error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied&state={state}"
        );
        assert_eq!(cause(&dialog.read(&cancelled)), Some("login-cancelled"));
        let refused = dialog.read(&format!("error_code=1349126&error_message=Sorry%0A%1b%5B2J&state={state}"));
        assert_eq!(cause(&refused), Some("login-refused"));
        let Answer::Refused(error) = refused else { panic!("refused") };
        assert!(error.causes()[0].starts_with("meta says: Sorry"), "{:?}", error.causes());
        assert!(!error.causes()[0].contains('\u{1b}'));
        let both = dialog.read(&format!("code=AQDx&error=server_error&state={state}"));
        assert_eq!(cause(&both), Some("login-refused"));
    }

    #[test]
    fn an_address_is_read_as_it_is_pasted() {
        let (dialog, state) = trial();
        for text in [
            format!("https://www.facebook.com/connect/login_success.html?code=AQDx&state={state}#_=_"),
            format!("  'https://example.com/x?a=b&state={state}&code=AQDx'\n"),
            format!("https://www.facebook.com/connect/login_success.html#code=AQDx&state={state}"),
            format!("?code=AQDx&state={state}#_=_"),
            format!("code=AQDx&state={state}"),
        ] {
            assert!(matches!(dialog.read_pasted(&text), Answer::Code(code) if code == Secret::new("AQDx")), "{text}");
        }
        assert!(matches!(dialog.read_pasted("https://example.com/"), Answer::Nothing));
        assert!(matches!(dialog.read_pasted(""), Answer::Nothing));
    }
}
