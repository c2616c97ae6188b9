//! Reads bodies that a stranger may have sent, with limits on size and time and on all of them
//! together; past that, the most expensive is dropped.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, header};
use tokio::sync::Notify;

use super::Refusal;

/// The largest body: Meta puts up to 1,000 updates into one.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The most bytes of unfinished bodies.
const ALL_LIMIT: usize = 32 * 1024 * 1024;

/// The unfinished bodies.
pub(super) struct Bodies {
    arrivals: Mutex<Vec<Arrival>>,
    /// How long a body may take to arrive.
    patience: Duration,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { arrivals: Mutex::default(), patience: Duration::from_secs(10) }
    }
}

/// An unfinished body.
struct Arrival {
    begin: Instant,
    bytes: usize,
    given_up: Arc<Notify>,
}

impl Arrival {
    /// Its cost so far: its bytes, for as long as they have been kept.
    fn cost(&self) -> u128 {
        self.bytes as u128 * self.begin.elapsed().as_micros()
    }
}

/// A body being read, until dropped.
struct Reading<'b> {
    bodies: &'b Bodies,
    given_up: Arc<Notify>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.bodies.all().retain(|arrival| !Arc::ptr_eq(&arrival.given_up, &self.given_up));
    }
}

impl Reading<'_> {
    /// Counts what has arrived. Past the limit for all, the most expensive bodies are dropped,
    /// which may include this one. Meta sends an event at once; a body that fills memory and
    /// stays is an attack.
    fn arrived(&self, bytes: usize) {
        let mut all = self.bodies.all();
        if let Some(arrival) = all.iter_mut().find(|arrival| Arc::ptr_eq(&arrival.given_up, &self.given_up)) {
            arrival.bytes += bytes;
        }
        let mut sum: usize = all.iter().map(|arrival| arrival.bytes).sum();
        while sum > ALL_LIMIT
            && let Some(at) = (0..all.len()).max_by_key(|at| all[*at].cost())
        {
            let costly = all.swap_remove(at);
            costly.given_up.notify_one();
            sum -= costly.bytes;
        }
    }
}

impl Bodies {
    fn all(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a whole body.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
        let named = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if named.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Refusal::TooLarge);
        }
        let given_up = Arc::new(Notify::new());
        self.all().push(Arrival { begin: Instant::now(), bytes: 0, given_up: given_up.clone() });
        let reading = Reading { bodies: self, given_up: given_up.clone() };
        tokio::select! {
            biased;
            () = given_up.notified() => Err(Refusal::Busy),
            read = tokio::time::timeout(self.patience, collect(body, &reading)) => read.unwrap_or(Err(Refusal::TooSlow)),
        }
    }
}

async fn collect(body: Body, reading: &Reading<'_>) -> Result<Bytes, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::BrokenOff)?;
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > BODY_LIMIT {
            return Err(Refusal::TooLarge);
        }
        all.extend_from_slice(&data);
        reading.arrived(data.len());
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_does_not_arrive_is_given_up() {
        let bodies = Bodies { patience: Duration::from_millis(50), ..Bodies::default() };
        let never = Body::from_stream(futures_util::stream::pending::<std::io::Result<Bytes>>());
        let read = bodies.read(&HeaderMap::new(), never).await;
        assert_eq!(read, Err(Refusal::TooSlow));
        let told = format!("did not arrive within {} s", Bodies::default().patience.as_secs());
        assert!(Refusal::TooSlow.to_string().contains(&told));
        assert!(bodies.all().is_empty());
    }

    #[tokio::test]
    async fn the_costliest_is_given_up_when_all_are_too_much() {
        let bodies = Bodies::default();
        let begin = |ago: u64| {
            let given_up = Arc::new(Notify::new());
            let begin = Instant::now().checked_sub(Duration::from_secs(ago)).expect("a moment");
            bodies.all().push(Arrival { begin, bytes: 0, given_up: given_up.clone() });
            Reading { bodies: &bodies, given_up }
        };
        let (slow, slower, quick) = (begin(5), begin(9), begin(0));
        slow.arrived(BODY_LIMIT);
        slower.arrived(BODY_LIMIT);
        for _ in 0..6 {
            quick.arrived(BODY_LIMIT);
        }
        quick.arrived(1);
        assert_eq!(bodies.all().len(), 2);
        slower.given_up.notified().await;
        quick.arrived(BODY_LIMIT);
        slow.given_up.notified().await;
        drop(quick);
        assert!(bodies.all().is_empty());
    }
}
