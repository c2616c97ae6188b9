//! The thread that makes the calls. It keeps their connections, and it can be asked from inside
//! another runtime, where a future could not be waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::channel;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::client::Client;
use super::config::VaultConfig;
use super::error::{Trouble, VaultError};

type Job = Box<dyn FnOnce(Result<Arc<Client>, VaultError>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// A running thread; it ends when this is dropped.
pub struct Worker {
    jobs: UnboundedSender<Job>,
    address: String,
}

impl Worker {
    pub fn start(config: Arc<VaultConfig>) -> Self {
        let (jobs, mut todo) = unbounded_channel::<Job>();
        let address = config.address.to_string();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // Without it the jobs are dropped, which their callers see.
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async move {
                let client = Client::new(config).map(Arc::new);
                while let Some(job) = todo.recv().await {
                    job(client.clone()).await;
                }
            });
            runtime.shutdown_background();
        });
        Self { jobs, address }
    }

    /// Runs a job and waits for its end. Each of its calls has a time limit.
    pub fn run<T, J, F>(&self, job: J) -> Result<T, VaultError>
    where
        T: Send + 'static,
        J: FnOnce(Arc<Client>) -> F + Send + 'static,
        F: Future<Output = Result<T, VaultError>> + 'static,
    {
        let gone = || VaultError {
            trouble: Trouble::Unreachable,
            address: self.address.clone(),
            detail: "the thread that makes the calls ended".into(),
        };
        let (send, receive) = channel();
        let job = |client: Result<Arc<Client>, VaultError>| -> Pin<Box<dyn Future<Output = ()>>> {
            Box::pin(async move {
                let done = match client {
                    Ok(client) => job(client).await,
                    Err(error) => Err(error),
                };
                // The caller waits for it.
                let _ = send.send(done);
            })
        };
        self.jobs.send(Box::new(job)).map_err(|_| gone())?;
        receive.recv().map_err(|_| gone())?
    }
}
