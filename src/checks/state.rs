//! Whether Graph took the token: everything else depends on it.

use super::observe::Observed;
use crate::graph::{ApiError, GraphError};

/// What the answers say of the token as a whole: everything else depends on it.
pub(super) enum TokenState<'a> {
    /// Graph took it.
    Accepted,
    /// Graph did not answer: nothing is known.
    Unknown,
    /// The version was refused before the token was looked at.
    WrongVersion(&'a ApiError),
    /// The signature was refused before the token was looked at.
    WrongSignature(&'a ApiError),
    /// Graph refused it.
    Refused(&'a ApiError),
}

impl<'a> TokenState<'a> {
    pub fn of(seen: &'a Observed) -> Self {
        match &seen.page.result {
            Ok(_) => Self::Accepted,
            Err(GraphError::Unreachable(_)) => Self::Unknown,
            Err(GraphError::Refused(error)) => match (error.code, error.kind.as_str()) {
                // With an app's token 2500 says that there is no current user; the other
                // call tells the two apart.
                (Some(2500), _) if seen.subscribed.refusal().is_some_and(|other| other.code == Some(2500)) => {
                    Self::WrongVersion(error)
                }
                (Some(100), "GraphMethodException") if error.subcode.is_none() => Self::WrongSignature(error),
                // A parameter or a permission was refused: the token itself was read.
                (Some(100 | 10 | 210 | 230 | 283 | 2500), _) => Self::Accepted,
                _ => Self::Refused(error),
            },
        }
    }

    /// Why a check that needs an accepted token is not made.
    pub fn why_skipped(&self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Unknown => Some("not checked: Graph gave no answer to go by"),
            Self::WrongVersion(_) => Some("not checked: Graph refused the version"),
            Self::WrongSignature(_) => Some("not checked: Graph refused the signature of the call"),
            Self::Refused(_) => Some("not checked: the token is not accepted"),
        }
    }
}
