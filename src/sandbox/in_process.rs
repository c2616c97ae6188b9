//! A sandbox inside this process, for the demo and for tests.

use std::io;
use std::net::SocketAddr;
use std::sync::MutexGuard;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::say::{self, Said, Say};
use super::world::World;
use super::{SharedWorld, router};

/// A sandbox on a thread of this process, until it is dropped.
pub struct InProcess {
    address: SocketAddr,
    world: SharedWorld,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Starts a sandbox on a free port of 127.0.0.1.
    pub fn start(world: World) -> io::Result<Self> {
        let world = SharedWorld::new(world);
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let router = router(world.clone());
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let stopped = async move {
                    // Dropped or sent: in both cases stop.
                    let _ = stopped.await;
                };
                // A client that keeps its connection open must not delay the stop.
                tokio::select! {
                    _ = crate::serve::until(listener, router, std::future::pending()) => {}
                    () = stopped => {}
                }
            });
            // Nor must a name lookup.
            runtime.shutdown_background();
        });
        Ok(Self { address, world, runtime: handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock()
    }

    /// Makes a person act, and waits for the event's first try. The error says why it failed.
    /// Not for use inside a runtime's thread.
    pub fn say(&self, say: &Say) -> Result<Said, String> {
        let (tell, told) = mpsc::channel();
        let (world, say) = (self.world.clone(), say.clone());
        self.runtime.spawn(async move {
            // The caller is waiting, or has panicked.
            let _ = tell.send(say::say(&world, &say).await);
        });
        told.recv().unwrap_or_else(|_| Err("the sandbox has stopped".into()))
    }

    /// A message from the first person to the first Page.
    pub fn write(&self, text: &str) -> Result<Said, String> {
        let page = self.world().pages.first().map(|page| page.id.clone());
        self.say(&Say { page, text: Some(text.into()), ..Say::default() })
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the sandbox has been printed already.
            let _ = thread.join();
        }
    }
}
