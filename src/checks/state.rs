//! Whether Graph accepted the token, which all other checks depend on.

use super::causes::{self, Known, PAGE_TOKEN_NEEDED, Place};
use super::observe::{Observed, Subject};
use crate::channel::Channel;
use crate::graph::endpoints::token::TokenInfo;
use crate::graph::{ApiError, GraphError, Wording};

/// What the answers say about the token as a whole.
pub(super) enum TokenState<'a> {
    /// Graph accepted it.
    Accepted,
    /// Graph did not answer: nothing is known.
    Unknown,
    /// The version was refused before the token was checked.
    WrongVersion(&'a ApiError),
    /// The signature was refused before the token was checked.
    WrongSignature(&'a ApiError),
    /// Graph refused it.
    Refused(&'a ApiError),
}

impl<'a> TokenState<'a> {
    pub fn of(seen: &'a Observed) -> Self {
        let error = match &seen.page.result {
            Ok(_) => return Self::Accepted,
            Err(GraphError::Unreachable(_)) => return Self::Unknown,
            Err(GraphError::Refused(error)) => &**error,
        };
        // A person's or an app's token was read: its kind is the problem.
        if wants_page_token(seen).is_some() && !error.access_denied && error.code != Some(104) {
            return Self::Accepted;
        }
        match (error.code, error.wording) {
            (Some(2500), Some(Wording::UnknownPath)) => Self::WrongVersion(error),
            (Some(100), Some(Wording::Proof)) => Self::WrongSignature(error),
            (Some(100), _) if error.kind == "GraphMethodException" || error.subcode == Some(33) => Self::Refused(error),
            // A parameter or a permission was refused: the token itself was read.
            (Some(100 | 10 | 200..=299), _) if !error.access_denied => Self::Accepted,
            _ => Self::Refused(error),
        }
    }

    /// Why a check that needs an accepted token is skipped.
    pub fn why_skipped(&self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Unknown => Some("not checked: Graph did not answer"),
            Self::WrongVersion(_) => Some("not checked: Graph refused the version"),
            Self::WrongSignature(_) => Some("not checked: Graph refused the signature of the call"),
            Self::Refused(_) => Some("not checked: the token is not accepted"),
        }
    }
}

/// The refusal that asks for a Page's token, if there is one.
pub(super) fn wants_page_token(seen: &Observed) -> Option<&ApiError> {
    let of_page = |error: &&ApiError| causes::of(error, Place::Page.plain()).cause == PAGE_TOKEN_NEEDED.id;
    seen.subscribed.refusal().filter(of_page).or_else(|| seen.page.refusal().filter(of_page))
}

/// The answer of `debug_token`, if the token could be read.
pub(super) fn info(seen: &Observed) -> Option<&TokenInfo> {
    seen.token.value().filter(|info| info.is_readable())
}

/// The permissions that a token lacks, and those that it has only for other Pages. `None`: Meta
/// does not say, as for long-dead tokens.
pub(super) fn lacking(info: &TokenInfo, subject: &Subject) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    if !info.lives() && info.scopes.is_empty() {
        return None;
    }
    let needed = || subject.channel.permissions().iter().copied();
    let page_id = subject.page_id.as_deref();
    let elsewhere = |name: &&str| info.grants(name) && page_id.is_some_and(|id| !info.covers(name, id));
    Some((needed().filter(|name| !info.grants(name)).collect(), needed().filter(elsewhere).collect()))
}

/// Whether nothing works without this permission; the others are only for showing.
pub(super) fn is_vital(channel: Channel, name: &str) -> bool {
    !channel.permissions_to_read().contains(&name)
}

/// What is known of the token, to interpret a refusal.
pub(super) fn known(seen: &Observed, subject: &Subject) -> Known {
    let by_itself = subject.app.is_none();
    match &seen.token.result {
        Err(GraphError::Unreachable(_)) => Known::Nothing,
        Ok(answer) if !answer.value.is_readable() => Known::Unreadable,
        Ok(answer) => match (answer.value.kind.as_deref(), lacking(&answer.value, subject)) {
            (Some(kind), _) if kind != "PAGE" => Known::NotAPages,
            (_, None) => Known::Nothing,
            (_, Some((missing, elsewhere)))
                if !missing.iter().chain(&elsewhere).any(|name| is_vital(subject.channel, name)) =>
            {
                Known::Complete
            }
            _ => Known::Lacking,
        },
        // A token that cannot be read cannot inspect itself either.
        Err(GraphError::Refused(error)) => {
            let unread = matches!(error.wording, None | Some(Wording::Unreadable | Wording::Signature));
            if by_itself && error.code == Some(190) && error.subcode.is_none() && unread {
                Known::Unreadable
            } else {
                Known::Nothing
            }
        }
    }
}
