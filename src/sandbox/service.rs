//! Processes one call from its arrival to its answer: injected faults, routes, requests to
//! callbacks, and the journal. The world is never locked during a wait.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{self, Answer, Refusal, Trace, Wire};
use super::call::{self, Call};
use super::fault::Fault;
use super::routes::{self, Reply};
use super::shared::SharedWorld;
use super::{batch, control, deauthorize, delivery, handshake, limits};

/// Answers a request from the socket.
pub(super) async fn handle(State(world): State<SharedWorld>, request: Request) -> Response {
    if control::is_control(request.uri().path()) {
        return control::answer(&world, request).await;
    }
    let mut call = match call::read(request).await {
        Ok(call) => call,
        Err(refused) => {
            let (call, refusal) = *refused;
            return refuse(&world, &call, refusal).into_response();
        }
    };
    if let (Some(token), true) = (&call.header_token, world.lock().rules.header_token_wins) {
        call.token = Some((token.clone(), true));
    }
    match perform(&world, &call).await {
        Some((answer, trace)) => {
            let version = routes::served(&world.lock(), &call);
            answer.wire(&call, &trace, version).into_response()
        }
        None => answer::broken_off(),
    }
}

/// The answer to a call that cannot be processed.
pub(super) fn refuse(world: &SharedWorld, call: &Call, refusal: Refusal) -> Wire {
    let (answer, trace) = (Answer::from(refusal), Trace::new());
    let mut world = world.lock();
    world.note(call, Some(&answer), &trace);
    answer.wire(call, &trace, routes::served(&world, call))
}

/// Processes a call; `None`: no answer, the connection breaks off.
pub(super) async fn perform(world: &SharedWorld, call: &Call) -> Option<(Answer, Trace)> {
    let (latency, fault) = {
        let mut world = world.lock();
        (world.rules.latency, world.take_fault(call))
    };
    // A batch has waited once for all its operations.
    let latency = if call.in_batch { Duration::ZERO } else { latency };
    let delay = fault.as_ref().and_then(|fault| fault.delay).unwrap_or_default() + latency;
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
    let trace = Trace::new();
    if fault.as_ref().is_some_and(|fault| fault.drop) {
        world.lock().note(call, None, &trace);
        return None;
    }
    let counted = limits::count(&mut world.lock(), call);
    let reply = match (fault.as_ref().and_then(Fault::answer), counted.refusal) {
        (Some(answer), _) => Reply::Now(answer),
        (None, Some(refusal)) => routes::throttled(&world.lock(), call, refusal),
        (None, None) => routes::answer(&mut world.lock(), call),
    };
    let mut answer = match reply {
        Reply::Now(answer) => answer,
        Reply::Batch(batch) => batch::run(world, call, *batch).await,
        Reply::Verified(change) => {
            let verified = handshake::verify(world, &change.url, &change.subscription.verify_token).await;
            routes::finish(&mut world.lock(), *change, verified)
        }
    };
    if !answer.headers.iter().any(|(name, _)| *name == "x-business-use-case-usage") {
        answer.headers.extend(counted.headers);
    }
    let mut guard = world.lock();
    let held = &mut *guard;
    held.note(call, Some(&answer), &trace);
    for (app_id, user_id) in std::mem::take(&mut held.farewells) {
        deauthorize::tell(world, held, &app_id, &user_id);
    }
    let events = std::mem::take(&mut held.outbox);
    for event in events {
        // No app receives it: it is sent nowhere.
        if let Ok(parcels) = delivery::parcels(held, &event) {
            world.dispatch(held, parcels);
        }
    }
    Some((answer, trace))
}
