//! The operating system's keyring, with a deadline of our own.
//!
//! The keyring crates block, for ever if a D-Bus accepts and never answers. So a thread of its
//! own calls them, and the caller waits a limited time for the answer. A stuck thread does not
//! keep the process from ending. (A blocking task of the async runtime would: dropping the
//! runtime waits for it.)
//!
//! On Linux every call of the keyring crate unlocks with a dialog. So the crate underneath is
//! asked first whether there is a default collection and whether it is locked, and no dialog
//! opens where no user is present.
//!
//! macOS and Windows go through the same crates: the Credential Manager was tested under Wine, the
//! Keychain not yet.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use keyring_core::{CredentialStore, Error};

use super::{Secret, SecretKey, SecretStore, StoreError, StoreName};
use crate::touched;

/// The service name of every entry.
pub const SERVICE: &str = "msgrctl";

/// How long a call may take when no dialog can be answered.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a call may take once a dialog is open.
const PATIENCE_WITH_DIALOG: Duration = Duration::from_secs(60);

type Job = Box<dyn FnOnce(&Arc<CredentialStore>) -> Answer + Send>;

/// A message from the thread that calls the keyring.
enum Report {
    /// A dialog is about to open: wait longer.
    Dialog,
    Done(Answer),
}

type Answer = Result<Option<Secret>, StoreError>;

/// The keyring. The first call opens it; a failure to open, or a call that timed out, is the
/// answer to all later calls.
pub struct KeyringStore {
    someone_can_answer: bool,
    on_dialog: Box<dyn Fn()>,
    worker: RefCell<Option<Worker>>,
    failed: RefCell<Option<StoreError>>,
    /// How long calls wait; shortened in tests.
    patience: Cell<Duration>,
}

struct Worker {
    jobs: Sender<Job>,
    reports: Receiver<Report>,
}

impl KeyringStore {
    /// A keyring that may open its unlock dialog only if `someone_can_answer`. Then it calls
    /// `on_dialog` first, to say what it waits for.
    pub fn new(someone_can_answer: bool, on_dialog: Box<dyn Fn()>) -> Self {
        Self {
            someone_can_answer,
            on_dialog,
            worker: RefCell::default(),
            failed: RefCell::default(),
            patience: Cell::new(PATIENCE),
        }
    }

    /// The secret of any entry, msgrctl's or another program's.
    pub(super) fn foreign(&self, service: &str, user: &str) -> Result<Option<Secret>, StoreError> {
        let (service, user) = (service.to_owned(), user.to_owned());
        self.call(move |store| {
            let failed = |error: &Error| store_error(error, &user);
            let entry = store.build(&service, &user, None).map_err(|error| failed(&error))?;
            match entry.get_secret() {
                Ok(bytes) => Secret::from_input(&bytes).map(Some).map_err(|cause| StoreError::Damaged {
                    store: StoreName::Keyring,
                    entry: user.clone(),
                    cause: cause.to_string(),
                }),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(failed(&error)),
            }
        })
    }

    /// Forgets that the keyring did not answer: the user may have fixed the cause.
    pub(super) fn try_again(&self) {
        if self.failed.borrow_mut().take().is_some() {
            // The old thread may still hang; it ends with the process.
            *self.worker.borrow_mut() = None;
        }
    }

    /// Removes one of msgrctl's own keys. Returns whether it existed.
    pub(super) fn discard(&self, user: &str) -> Result<bool, StoreError> {
        touched::note();
        let user = user.to_owned();
        let removed = self.call(move |store| {
            let entry = store.build(SERVICE, &user, None).map_err(|error| store_error(&error, &user))?;
            match entry.delete_credential() {
                // An empty secret stands for "there was one".
                Ok(()) => Ok(Some(Secret::new(""))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(store_error(&error, &user)),
            }
        })?;
        Ok(removed.is_some())
    }

    /// Saves a key of msgrctl's own, which belongs to no account.
    pub(super) fn keep(&self, user: &str, label: &str, secret: &Secret) -> Result<(), StoreError> {
        touched::note();
        let (user, label, secret) = (user.to_owned(), label.to_owned(), secret.clone());
        self.call(move |store| {
            let failed = |error: &Error| store_error(error, &user);
            let entry = store.build(SERVICE, &user, Some(&labelled(&label))).map_err(|error| failed(&error))?;
            entry.set_secret(secret.expose().as_bytes()).map(|()| None).map_err(|error| failed(&error))
        })
        .map(|_| ())
    }

    fn call(&self, job: impl FnOnce(&Arc<CredentialStore>) -> Answer + Send + 'static) -> Answer {
        if let Some(error) = &*self.failed.borrow() {
            return Err(error.clone());
        }
        let answer = self.ask(Box::new(job));
        // An absent or stuck store does not recover within one command.
        if let Err(
            error @ (StoreError::Absent(_) | StoreError::Locked | StoreError::Declined | StoreError::TimedOut(_)),
        ) = &answer
        {
            *self.failed.borrow_mut() = Some(error.clone());
        }
        answer
    }

    fn ask(&self, job: Job) -> Answer {
        let gone = || StoreError::Failed("the thread that talks to it ended".into());
        let mut worker = self.worker.borrow_mut();
        let worker = worker.get_or_insert_with(|| Worker::start(self.someone_can_answer));
        worker.jobs.send(job).map_err(|_| gone())?;
        let mut patience = self.patience.get();
        loop {
            match worker.reports.recv_timeout(patience) {
                Ok(Report::Done(answer)) => return answer,
                Ok(Report::Dialog) => {
                    patience = PATIENCE_WITH_DIALOG;
                    (self.on_dialog)();
                }
                Err(RecvTimeoutError::Timeout) => return Err(StoreError::TimedOut(patience)),
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }
}

impl Worker {
    fn start(someone_can_answer: bool) -> Self {
        let (jobs, todo) = channel::<Job>();
        let (report, reports) = channel();
        std::thread::spawn(move || {
            let mut store: Option<Arc<CredentialStore>> = None;
            for job in todo {
                let opened = match &store {
                    Some(store) => Ok(store.clone()),
                    None => open(someone_can_answer, &report),
                };
                let answer = opened.and_then(|opened| job(store.insert(opened)));
                if report.send(Report::Done(answer)).is_err() {
                    return;
                }
            }
        });
        Self { jobs, reports }
    }
}

fn open(someone_can_answer: bool, report: &Sender<Report>) -> Result<Arc<CredentialStore>, StoreError> {
    platform::make_ready(someone_can_answer, &|| {
        // Failing to send means that the caller stopped waiting.
        let _ = report.send(Report::Dialog);
    })?;
    if let Err(error) = keyring::Entry::store_status() {
        return Err(StoreError::Absent(words(error)));
    }
    keyring_core::get_default_store().ok_or_else(|| StoreError::Absent("this platform has none".into()))
}

impl SecretStore for KeyringStore {
    fn probe(&self) -> Result<(), StoreError> {
        self.call(|_| Ok(None)).map(|_| ())
    }

    fn get(&self, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
        self.foreign(SERVICE, &key.entry())
    }

    fn set(&self, key: &SecretKey, secret: &Secret) -> Result<(), StoreError> {
        self.keep(&key.entry(), &key.label(), secret)
    }

    fn remove(&self, key: &SecretKey) -> Result<bool, StoreError> {
        self.discard(&key.entry())
    }

    fn entries(&self) -> Result<Vec<(String, String)>, StoreError> {
        let (send, receive) = channel();
        self.call(move |_| {
            // The receiver outlives the call.
            let _ = send.send(platform::entries()?);
            Ok(None)
        })?;
        Ok(receive.try_recv().unwrap_or_default())
    }

    fn relabel(&self, key: &SecretKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.call(move |_| platform::relabel(&key).map(|()| None)).map(|_| ())
    }
}

/// Only the Secret Service has labels.
fn labelled(label: &str) -> HashMap<&str, &str> {
    if cfg!(target_os = "linux") { HashMap::from([("label", label)]) } else { HashMap::new() }
}

fn store_error(error: &Error, entry: &str) -> StoreError {
    match error {
        Error::Ambiguous(_) => StoreError::Ambiguous(entry.into()),
        Error::NoStorageAccess(_) => StoreError::Locked,
        error => StoreError::Failed(words(error)),
    }
}

/// The keyring crates' error, without the values that some variants hold.
fn words(error: &Error) -> String {
    match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            "what it holds is damaged".into()
        }
        Error::TooLong(_, limit) => format!("a value may have {limit} characters at most"),
        Error::Ambiguous(_) => "several entries have this name".into(),
        _ => "it cannot be reached".into(),
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::collections::HashMap;

    use secret_service::blocking::SecretService;
    use secret_service::{EncryptionType, Error};

    use super::{SERVICE, SecretKey, StoreError};

    /// Finds out whether the Secret Service runs and is unlocked, and has it unlocked if its
    /// dialog can be answered. No secret passes here, so the session needs no key exchange.
    pub fn make_ready(someone_can_answer: bool, on_dialog: &dyn Fn()) -> Result<(), StoreError> {
        let service = SecretService::connect(EncryptionType::Plain).map_err(|error| absent(&error))?;
        let collection = match service.get_default_collection() {
            Ok(collection) => collection,
            Err(Error::NoResult) => {
                return Err(StoreError::Absent("the Secret Service runs, but has no default keyring yet".into()));
            }
            Err(error) => return Err(absent(&error)),
        };
        if !collection.is_locked().map_err(|error| absent(&error))? {
            return Ok(());
        }
        if !someone_can_answer {
            return Err(StoreError::Locked);
        }
        on_dialog();
        match collection.unlock() {
            Ok(()) => Ok(()),
            Err(Error::Prompt | Error::PromptDisconnected) => Err(StoreError::Declined),
            Err(error) => Err(StoreError::Failed(error.to_string())),
        }
    }

    /// An entry is not found by its label, so the label can follow the account's name.
    pub fn relabel(key: &SecretKey) -> Result<(), StoreError> {
        let failed = |error: Error| StoreError::Failed(error.to_string());
        let service = SecretService::connect(EncryptionType::Plain).map_err(failed)?;
        let name = key.entry();
        let found = service.search_items(HashMap::from([("service", SERVICE), ("username", &name)])).map_err(failed)?;
        found.unlocked.iter().try_for_each(|item| item.set_label(&key.label())).map_err(failed)
    }

    /// Reading attributes needs no unlocking.
    pub fn entries() -> Result<Vec<(String, String)>, StoreError> {
        let failed = |error: Error| StoreError::Failed(error.to_string());
        let service = SecretService::connect(EncryptionType::Plain).map_err(failed)?;
        let found = service.search_items(HashMap::from([("service", SERVICE)])).map_err(failed)?;
        let mut names = Vec::new();
        for item in found.unlocked.iter().chain(&found.locked) {
            if let Some(name) = item.get_attributes().map_err(failed)?.remove("username") {
                names.push((name, item.get_label().map_err(failed)?));
            }
        }
        Ok(names)
    }

    fn absent(error: &Error) -> StoreError {
        let cause = match error {
            Error::Unavailable => "there is no D-Bus session".into(),
            Error::Zbus(inner) => inner.to_string(),
            Error::ZbusFdo(inner) => inner.to_string(),
            other => other.to_string(),
        };
        StoreError::Absent(cause)
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{SecretKey, StoreError};

    pub fn make_ready(_someone_can_answer: bool, _on_dialog: &dyn Fn()) -> Result<(), StoreError> {
        Ok(())
    }

    pub fn relabel(_key: &SecretKey) -> Result<(), StoreError> {
        Ok(())
    }

    pub fn entries() -> Result<Vec<(String, String)>, StoreError> {
        Ok(Vec::new())
    }
}
