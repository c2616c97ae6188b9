//! What asks the process to end, and what has to be given back then: nothing is dropped.

use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// Requests to end: Ctrl-C and SIGTERM; on Windows also Ctrl-Break, a console that closes, the end
/// of the session and of the machine, before which Windows waits for the process some seconds.
#[derive(Debug)]
pub struct Requests(signals::All);

impl Requests {
    /// From now on none ends the process by itself.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> io::Result<Self> {
        signals::All::new().map(Self)
    }

    /// As [`Requests::listen`], with SIGHUP: the terminal is gone.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen_at_terminal() -> io::Result<Self> {
        signals::All::with_hangup().map(Self)
    }

    /// Ready at the next one.
    pub async fn next(&mut self) {
        poll_fn(|context: &mut Context| if self.0.arrived(context) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// Ready when the process is asked to end; without signals never.
pub async fn stopped() {
    match Requests::listen() {
        Ok(mut requests) => requests.next().await,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(unix)]
mod signals {
    use std::io;
    use std::task::Context;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    #[derive(Debug)]
    pub struct All(Vec<Signal>);

    impl All {
        pub fn new() -> io::Result<Self> {
            Ok(Self(vec![signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
        }

        pub fn with_hangup() -> io::Result<Self> {
            let mut all = Self::new()?;
            all.0.push(signal(SignalKind::hangup())?);
            Ok(all)
        }

        pub fn arrived(&mut self, context: &mut Context) -> bool {
            self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready())
        }
    }
}

#[cfg(windows)]
mod signals {
    use std::io;
    use std::task::Context;

    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
        ctrl_shutdown,
    };

    #[derive(Debug)]
    pub struct All(CtrlC, CtrlBreak, CtrlClose, CtrlLogoff, CtrlShutdown);

    impl All {
        pub fn new() -> io::Result<Self> {
            Ok(Self(ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?))
        }

        pub fn with_hangup() -> io::Result<Self> {
            Self::new()
        }

        pub fn arrived(&mut self, context: &mut Context) -> bool {
            self.0.poll_recv(context).is_ready()
                || self.1.poll_recv(context).is_ready()
                || self.2.poll_recv(context).is_ready()
                || self.3.poll_recv(context).is_ready()
                || self.4.poll_recv(context).is_ready()
        }
    }
}

type Step = (u64, Box<dyn FnOnce() + Send>);

fn steps() -> MutexGuard<'static, (u64, Vec<Step>)> {
    static STEPS: Mutex<(u64, Vec<Step>)> = Mutex::new((0, Vec::new()));
    STEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A step that is carried out before the process ends, unless this is dropped before.
#[derive(Debug)]
pub struct AtEnd(u64);

/// Adds a step, which has to end soon by itself.
#[must_use]
pub fn before(step: impl FnOnce() + Send + 'static) -> AtEnd {
    let mut steps = steps();
    steps.0 += 1;
    let id = steps.0;
    steps.1.push((id, Box::new(step)));
    AtEnd(id)
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        steps().1.retain(|(id, _)| *id != self.0);
    }
}

/// Carries the steps out, the last first.
pub fn now() {
    let all = std::mem::take(&mut steps().1);
    all.into_iter().rev().for_each(|(_, step)| step());
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[test]
    fn a_step_is_carried_out_once_unless_it_is_dropped() {
        let done = Arc::new(AtomicU8::new(0));
        let adds = |by: u8| {
            let done = done.clone();
            before(move || {
                done.fetch_add(by, Ordering::Relaxed);
            })
        };
        let (_kept, dropped) = (adds(1), adds(10));
        drop(dropped);
        now();
        now();
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
