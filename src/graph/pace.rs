//! Decides how fast batches follow each other, from usage headers, limits and outages.
//!
//! Meta also counts the calls that it refuses for a limit. So a call that can only fail is not
//! sent: it gets the error of the calls before it.

use std::collections::HashMap;
use std::time::Duration;

use super::error::{GraphError, Unreachable};
use super::{Authority, GraphRequest};

/// How many batches are under way at the same time.
const ABREAST: usize = 4;
/// From this share of an app's calls, in per cent, batches are sent one at a time.
const HIGH_USAGE: u64 = 75;
/// The longest pause for usage.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this many batches in a row without an answer, or with only limits, stop.
const ENOUGH: u32 = 3;
/// After this many broken answers in a row, batches are no longer split.
const BROKEN: u32 = 24;

/// What this run has learned about Graph's limits.
#[derive(Default)]
pub(super) struct Pace {
    /// The share of each app's calls that is used up, in per cent; `None` stands for unknown
    /// apps.
    usage: HashMap<App, u64>,
    /// Batches in a row whose calls of unknown apps were all limited.
    limited: u32,
    /// Batches in a row without an answer.
    unanswered: u32,
    /// Broken answers in a row.
    broken: u32,
    /// Why no more calls are sent.
    stopped: Option<GraphError>,
    /// Apps that call too often; `None` stands for unknown apps.
    apps: HashMap<App, GraphError>,
}

/// The id of an app, where it is known.
type App = Option<String>;

impl Pace {
    /// How many batches may be under way: the app nearest to its limit may be in any of them.
    pub fn abreast(&self) -> usize {
        let highest = self.usage.values().max().copied().unwrap_or_default();
        if highest >= HIGH_USAGE || self.limited > 0 { 1 } else { ABREAST }
    }

    /// How long to wait before a batch of these calls.
    pub fn pause<'r>(&self, calls: impl Iterator<Item = &'r GraphRequest>) -> Duration {
        let usage =
            calls.filter_map(|call| self.usage.get(&app_of(&call.authority))).max().copied().unwrap_or_default();
        let of_usage = Duration::from_millis(150) * u32::try_from(usage.saturating_sub(HIGH_USAGE)).unwrap_or(99);
        let of_limits = Duration::from_secs(u64::from(self.limited));
        of_usage.min(LONGEST_PAUSE).max(of_limits)
    }

    /// Why a call is not sent; `None`: it may be sent.
    pub fn refusal(&self, request: &GraphRequest) -> Option<GraphError> {
        self.apps.get(&app_of(&request.authority)).or(self.stopped.as_ref()).cloned()
    }

    /// Records an answered batch: the usage in its headers, each of the app of one caller, and
    /// how each of its calls ended.
    pub fn answered<'r>(
        &mut self,
        usage: impl IntoIterator<Item = (&'r Authority, u64)>,
        calls: impl Iterator<Item = (&'r GraphRequest, Option<&'r GraphError>)>,
    ) {
        (self.unanswered, self.broken) = (0, 0);
        let mut now: HashMap<App, u64> = HashMap::new();
        for (caller, usage) in usage {
            // Several apps may be among the unknown ones: the highest usage counts.
            let highest = now.entry(app_of(caller)).or_default();
            *highest = usage.max(*highest);
        }
        self.usage.extend(now);
        let mut unknown = Vec::new();
        for (request, error) in calls {
            let error = error.filter(|error| is_limit_of_app(error));
            match (app_of(&request.authority), error) {
                (None, error) => unknown.push(error),
                (app, Some(error)) => drop(self.apps.insert(app, error.clone())),
                (Some(_), None) => {}
            }
        }
        // Several apps may be among these: when one is limited, calls of the others still
        // succeed.
        match unknown.iter().flatten().next() {
            Some(error) if unknown.iter().all(Option::is_some) => {
                self.limited += 1;
                if self.limited >= ENOUGH {
                    self.apps.insert(None, (*error).clone());
                    self.limited = 0;
                }
            }
            _ if unknown.is_empty() => {}
            _ => self.limited = 0,
        }
    }

    /// Records a batch without an answer.
    pub fn unanswered(&mut self, error: &GraphError) {
        self.unanswered += 1;
        if self.unanswered >= ENOUGH {
            self.stopped = Some(error.clone());
        }
    }

    /// Records a broken answer. Returns whether to split the batch to find the call that breaks
    /// it.
    pub fn broken(&mut self) -> bool {
        self.broken += 1;
        self.broken <= BROKEN
    }
}

/// The app of a caller, where it is known.
fn app_of(caller: &Authority) -> App {
    match caller {
        Authority::App(app) | Authority::Token { app: Some(app), .. } => Some(app.id.clone()),
        Authority::Token { app: None, .. } | Authority::InParameters => None,
    }
}

/// Whether an error says that the whole app calls too often: 80001, 80006 and 32 concern only
/// one Page (graph/FACTS.md, "Call limits").
fn is_limit_of_app(error: &GraphError) -> bool {
    matches!(error, GraphError::Unreachable(Unreachable::Throttled(error)) if matches!(error.code, Some(4 | 17 | 341)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::AppCredentials;
    use crate::http::{Fault, Way};
    use crate::secrets::Secret;

    fn limited(code: i64) -> GraphError {
        let body = format!(r#"{{"error":{{"message":"limit","type":"OAuthException","code":{code}}}}}"#);
        let error: crate::graph::error::ErrorBody = serde_json::from_str(&body).expect("an error");
        crate::graph::retry::classify(error.into_error(400, None), false)
    }

    fn of_page() -> GraphRequest {
        GraphRequest::read("/me", &Secret::new("EAAx"), None)
    }

    fn of_app(id: &str) -> GraphRequest {
        let app = AppCredentials { id: id.into(), secret: Secret::new("s") };
        GraphRequest::read_as_app("/debug_token", &app)
    }

    /// Records a usage header for the app of this call.
    fn used(pacing: &mut Pace, call: &GraphRequest, usage: u64) {
        pacing.answered([(&call.authority, usage)], std::iter::empty());
    }

    #[test]
    fn usage_slows_down_and_less_of_it_speeds_up_again() {
        let page = of_page();
        let mut pacing = Pace::default();
        let pause = |pacing: &Pace| pacing.pause(std::iter::once(&page));
        assert_eq!((pacing.abreast(), pause(&pacing)), (4, Duration::ZERO));
        used(&mut pacing, &page, 85);
        assert_eq!((pacing.abreast(), pause(&pacing)), (1, Duration::from_millis(1500)));
        used(&mut pacing, &page, u64::MAX);
        assert_eq!(pause(&pacing), LONGEST_PAUSE);
        used(&mut pacing, &page, 10);
        assert_eq!((pacing.abreast(), pause(&pacing)), (4, Duration::ZERO));
    }

    #[test]
    fn the_usage_of_one_app_says_nothing_of_another() {
        let (near, far) = (of_app("1"), of_app("2"));
        let mut pacing = Pace::default();
        used(&mut pacing, &near, 95);
        used(&mut pacing, &far, 5);
        assert_eq!((pacing.abreast(), pacing.pause([&near, &far].into_iter())), (1, Duration::from_secs(3)));
        assert_eq!(pacing.pause([&far].into_iter()), Duration::ZERO, "a batch of its own does not wait");
        used(&mut pacing, &near, 20);
        assert_eq!((pacing.abreast(), pacing.pause([&near].into_iter())), (4, Duration::ZERO));
    }

    #[test]
    fn the_limit_of_one_page_stops_nobody_else() {
        let (page, error) = (of_page(), limited(80006));
        let mut pacing = Pace::default();
        for _ in 0..9 {
            pacing.answered([], [(&page, Some(&error)); 3].into_iter());
        }
        assert!(pacing.refusal(&page).is_none() && pacing.pause(std::iter::once(&page)).is_zero());
    }

    #[test]
    fn an_app_that_is_limited_is_left_alone_and_others_go_on() {
        let (page, app, other, error) = (of_page(), of_app("1"), of_app("2"), limited(4));
        let credentials = |id: &str| AppCredentials { id: id.into(), secret: Secret::new("s") };
        let signed = |id: &str| GraphRequest::read("/me", &Secret::new("EAAx"), Some(&credentials(id)));
        let mut pacing = Pace::default();
        pacing.answered([], [(&app, Some(&error)), (&page, None)].into_iter());
        assert!(pacing.refusal(&app).is_some());
        assert!(pacing.refusal(&other).is_none() && pacing.refusal(&page).is_none());
        for _ in 0..5 {
            pacing.answered([], [(&signed("3"), Some(&error)); 2].into_iter());
        }
        assert!(pacing.refusal(&signed("3")).is_some() && pacing.pause(std::iter::once(&page)).is_zero());
        assert!(pacing.refusal(&signed("2")).is_none() && pacing.refusal(&page).is_none());
    }

    #[test]
    fn nothing_but_limits_ends_it_and_one_that_gets_through_does_not() {
        let (page, error) = (of_page(), limited(4));
        let mut pacing = Pace::default();
        for _ in 0..2 {
            pacing.answered([], [(&page, Some(&error)); 2].into_iter());
        }
        assert_eq!((pacing.abreast(), pacing.pause(std::iter::once(&page))), (1, Duration::from_secs(2)));
        pacing.answered([], [(&page, Some(&error)), (&page, None)].into_iter());
        assert!(pacing.pause(std::iter::once(&page)).is_zero() && pacing.refusal(&page).is_none());
        for _ in 0..3 {
            pacing.answered([], [(&page, Some(&error)); 2].into_iter());
        }
        assert!(pacing.refusal(&page).is_some());
    }

    #[test]
    fn an_outage_is_not_called_into_for_ever() {
        let fault = GraphError::Unreachable(Unreachable::Fault { fault: Fault::Timeout, way: Way::Direct });
        let mut pacing = Pace::default();
        pacing.unanswered(&fault);
        pacing.unanswered(&fault);
        pacing.answered([], std::iter::empty());
        pacing.unanswered(&fault);
        assert!(pacing.refusal(&of_page()).is_none());
        pacing.unanswered(&fault);
        pacing.unanswered(&fault);
        assert!(pacing.refusal(&of_page()).is_some());
    }
}
