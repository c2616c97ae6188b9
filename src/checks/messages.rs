//! The group *messages*: whether the contact centre's own messages would be delivered. Makes no
//! calls.

use std::time::Duration;

use super::causes::{TEXT_TOO_LONG, WINDOW_EXCEEDED};
use super::check::Check;
use super::finding::{Finding, Group};
use super::ids;
use super::observe::Subject;
use crate::messages::{Event, LIMIT, resolve, undeliverable};

/// Every check of the group, in the documented order.
pub(super) fn findings(subject: &Subject) -> Vec<Finding> {
    vec![window(subject), length(subject)]
}

fn check(id: &'static str) -> Check {
    Check::new(id, Group::Messages, Duration::ZERO)
}

/// The text that is sent at an event.
fn text(subject: &Subject, event: Event) -> Option<String> {
    let state = subject.messages.state(event);
    resolve(event, &state, &subject.chat_settings).text.map(str::to_owned)
}

fn window(subject: &Subject) -> Finding {
    let timeouts = &subject.chat_settings.timeouts;
    let Some(timeout) = timeouts.messenger else {
        return check(ids::MESSAGES_WINDOW).skip("not checked: Chat Settings name no messenger timeout");
    };
    let late = undeliverable(timeouts).into_iter().filter(|window| text(subject, window.event).is_some());
    let late: Vec<String> = late.map(|window| format!("{} ({} after it)", window.event, window.after)).collect();
    if late.is_empty() {
        return check(ids::MESSAGES_WINDOW)
            .pass("every automated message falls within 24 hours of the customer's last one");
    }
    let summary = format!(
        "with a messenger timeout of {timeout} Meta would not take what is sent 24 hours or more after the customer's last message: {}",
        late.join(", ")
    );
    let hint = subject.then(&WINDOW_EXCEEDED.fix(), WINDOW_EXCEEDED.next);
    check(ids::MESSAGES_WINDOW).fail(&WINDOW_EXCEEDED, summary, hint)
}

fn length(subject: &Subject) -> Finding {
    let check = check(ids::MESSAGES_LENGTH);
    let long =
        Event::all().filter(|event| text(subject, *event).is_some_and(|text| text.encode_utf16().count() > LIMIT));
    let long: Vec<&str> = long.map(Event::id).collect();
    if long.is_empty() {
        return check.pass(format!("every text fits {LIMIT} characters"));
    }
    let summary = format!("if Meta counts UTF-16 units, these texts are longer than {LIMIT}: {}", long.join(", "));
    check.warn(&TEXT_TOO_LONG, summary, subject.then(&TEXT_TOO_LONG.fix(), TEXT_TOO_LONG.next))
}
