//! Decides which failures to retry, and when.

use std::cell::Cell;
use std::time::Duration;

use backon::ExponentialBuilder;

use super::error::{ApiError, GraphError, Unreachable};

/// The pause after a limit that names no wait: limits that count by the second (two reads of
/// conversations, 300 messages) have passed by then.
const AFTER_LIMIT: Duration = Duration::from_secs(1);

/// Three tries in all, about 0.3 s and 0.6 s apart, with jitter: an administrator is waiting.
pub(super) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(300))
        .with_factor(2.0)
        .with_max_times(2)
        .with_jitter()
}

/// The pauses of one call. Meta counts calls made while it limits them, so a limited call is
/// retried once, after a second.
#[derive(Default)]
pub(super) struct Pauses {
    was_limited: Cell<bool>,
}

impl Pauses {
    /// How long to wait before the next try; `None`: no more tries. `delay` is what the back-off
    /// says.
    pub fn before_next(&self, error: &GraphError, delay: Option<Duration>) -> Option<Duration> {
        match error {
            GraphError::Unreachable(Unreachable::Throttled(_)) if self.was_limited.replace(true) => None,
            GraphError::Unreachable(Unreachable::Throttled(_)) => delay.map(|_| AFTER_LIMIT),
            _ => delay,
        }
    }
}

/// Whether retrying within this call can help.
/// `act` says that the call does something each time it arrives.
pub(super) fn is_worth_it(error: &GraphError, act: bool) -> bool {
    match error {
        GraphError::Refused(_) | GraphError::Unreachable(Unreachable::HeldBack(_)) => false,
        // A certificate that is not trusted now will not be in a second; a time-out has used up
        // the time allowed; a proxy's refusal is final.
        GraphError::Unreachable(Unreachable::Fault { fault, .. }) => {
            use crate::http::Fault::{Broken, Connect, Dns, Refused};
            matches!(fault, Broken | Connect | Dns | Refused) && (!act || fault.never_arrived())
        }
        GraphError::Unreachable(Unreachable::NotGraph { status }) => !act && *status >= 500,
        GraphError::Unreachable(Unreachable::Trouble(_) | Unreachable::Unfinished) => !act,
        // A wait of minutes is reported, not slept through.
        GraphError::Unreachable(Unreachable::Throttled(error)) => !act && error.regain_access.is_none(),
    }
}

/// Sorts an error answer into its class (graph/FACTS.md, "Call limits" and "Errors of tokens and
/// of the platform").
///
/// `as_app` says that the app itself called: only then can code 1 mean that its
/// secret is wrong; elsewhere it is "an unknown error".
pub(super) fn classify(error: ApiError, as_app: bool) -> GraphError {
    let transient = error.is_transient == Some(true);
    let error = Box::new(error);
    match error.code {
        // 800xx: the business limits, one code for each kind of object.
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) => GraphError::Unreachable(Unreachable::Throttled(error)),
        // Problems with a token, a message or its recipient do not pass by themselves.
        Some(190 | 10 | 100 | 200..=299 | 368 | 551) => GraphError::Refused(error),
        Some(1) if as_app && !transient => GraphError::Refused(error),
        // The Page has to accept terms: retrying does not help.
        Some(2) if error.subcode == Some(2_018_344) => GraphError::Refused(error),
        // 1200: "Temporary send message failure".
        Some(1 | 2 | 1200) => GraphError::Unreachable(Unreachable::Trouble(error)),
        _ if transient => GraphError::Unreachable(Unreachable::Trouble(error)),
        _ => GraphError::Refused(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Fault;

    fn api(code: i64, status: u16, is_transient: Option<bool>) -> ApiError {
        ApiError { kind: "OAuthException".into(), code: Some(code), is_transient, status, ..ApiError::default() }
    }

    #[test]
    fn a_dead_token_is_never_tried_again() {
        for transient in [None, Some(true), Some(false)] {
            let error = classify(api(190, 500, transient), false);
            assert!(matches!(error, GraphError::Refused(_)));
            assert!(!is_worth_it(&error, false));
        }
    }

    #[test]
    fn a_limit_is_left_alone_for_a_while_and_tried_once_more() {
        let (limit, trouble) = (classify(api(4, 403, None), false), classify(api(2, 500, None), false));
        let pauses = Pauses::default();
        let short = Some(Duration::from_millis(300));
        assert_eq!(pauses.before_next(&trouble, short), short);
        assert_eq!(pauses.before_next(&limit, short), Some(AFTER_LIMIT));
        assert_eq!(pauses.before_next(&limit, short), None);
        assert_eq!(Pauses::default().before_next(&limit, None), None, "there was no try left");
    }

    #[test]
    fn limits_and_trouble_are_tried_again() {
        for code in [4, 17, 32, 341, 613, 80001, 80002, 80005, 80006] {
            let error = classify(api(code, 403, None), false);
            assert!(matches!(error, GraphError::Unreachable(Unreachable::Throttled(_))), "{code}");
            assert!(is_worth_it(&error, false));
            assert!(!is_worth_it(&error, true), "what acts is not sent into a limit again");
        }
        for (code, status, transient) in [(2, 500, None), (2, 400, None), (1, 500, None), (1, 400, None)] {
            let error = classify(api(code, status, transient), false);
            assert!(matches!(error, GraphError::Unreachable(Unreachable::Trouble(_))), "{code}");
            assert!(is_worth_it(&error, false));
            assert!(!is_worth_it(&error, true));
        }
        assert!(matches!(classify(api(1, 400, None), true), GraphError::Refused(_)));
        assert!(matches!(classify(api(100, 400, None), false), GraphError::Refused(_)));
        assert!(matches!(classify(api(200, 403, Some(false)), false), GraphError::Refused(_)));
    }

    #[test]
    fn a_stated_wait_is_not_slept_through() {
        let mut error = api(80006, 400, None);
        error.regain_access = Some(Duration::from_secs(19 * 60));
        assert!(!is_worth_it(&classify(error, false), false));
    }

    #[test]
    fn a_write_is_repeated_only_when_it_did_not_arrive() {
        let fault = |fault| GraphError::Unreachable(Unreachable::Fault { fault, way: crate::http::Way::Direct });
        assert!(is_worth_it(&fault(Fault::Refused), true));
        assert!(!is_worth_it(&fault(Fault::Broken), true));
        assert!(!is_worth_it(&fault(Fault::Timeout), true));
        assert!(!is_worth_it(&fault(Fault::ConnectTimeout), true), "that has taken 10 s already");
        assert!(!is_worth_it(&fault(Fault::Certificate(crate::http::CertificateProblem::Untrusted)), true));
        assert!(is_worth_it(&fault(Fault::Broken), false));
        assert!(!is_worth_it(&fault(Fault::Timeout), false));
        assert!(!is_worth_it(&fault(Fault::Certificate(crate::http::CertificateProblem::Untrusted)), false));
    }
}
