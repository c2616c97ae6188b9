//! Which failures are worth another try, and when.

use std::time::Duration;

use backon::ExponentialBuilder;

use super::error::{ApiError, GraphError, Unreachable};

/// Three tries in all, about 0.3 s and 0.6 s apart, with jitter: an administrator
/// waits, and Meta counts calls made while throttled.
pub(super) fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(300))
        .with_factor(2.0)
        .with_max_times(2)
        .with_jitter()
}

/// Whether trying again within this call can help.
/// `act` says that the call does something each time it arrives.
pub(super) fn is_worth_it(error: &GraphError, act: bool) -> bool {
    match error {
        GraphError::Refused(_) => false,
        // A certificate that is not trusted now will not be in a second; a time-out
        // has used up the time that was given; a proxy means what it says.
        GraphError::Unreachable(Unreachable::Fault { fault, .. }) => {
            use crate::http::Fault::{Broken, Connect, Dns, Refused};
            matches!(fault, Broken | Connect | Dns | Refused) && (!act || fault.never_arrived())
        }
        GraphError::Unreachable(Unreachable::NotGraph { status }) => !act && *status >= 500,
        GraphError::Unreachable(Unreachable::Trouble(_) | Unreachable::Unfinished) => !act,
        // Minutes to wait are told to the person, not slept through.
        GraphError::Unreachable(Unreachable::Throttled(error)) => error.regain_access.is_none(),
    }
}

/// The class of an answer that is an error (facts of Graph, sections 1.4 and 4.3).
///
/// `as_app` says that the app itself called: only then can code 1 mean that its
/// secret is wrong; elsewhere it is "an unknown error".
pub(super) fn classify(error: ApiError, as_app: bool) -> GraphError {
    let transient = error.is_transient == Some(true);
    let error = Box::new(error);
    match error.code {
        // 800xx: the business limits of one kind of object each.
        Some(4 | 17 | 32 | 341 | 613 | 80_000..=80_014) => GraphError::Unreachable(Unreachable::Throttled(error)),
        // What is the matter with a token, a message or its recipient does not pass by itself.
        Some(190 | 10 | 100 | 200..=299 | 368 | 551) => GraphError::Refused(error),
        Some(1) if as_app && !transient => GraphError::Refused(error),
        // Terms that nobody has accepted do not accept themselves.
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
    fn limits_and_trouble_are_tried_again() {
        for code in [4, 17, 32, 341, 613, 80001, 80002, 80005, 80006] {
            let error = classify(api(code, 403, None), false);
            assert!(matches!(error, GraphError::Unreachable(Unreachable::Throttled(_))), "{code}");
            assert!(is_worth_it(&error, false));
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
        assert!(is_worth_it(&fault(Fault::Broken), false));
        assert!(!is_worth_it(&fault(Fault::Timeout), false));
        assert!(!is_worth_it(&fault(Fault::Certificate(crate::http::CertificateProblem::Untrusted)), false));
    }
}
