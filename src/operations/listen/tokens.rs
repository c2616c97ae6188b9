//! Keeps the verify tokens for handshakes up to date with the stores. A thread reads them,
//! because a keyring or a program may be slow, and only when something may have changed,
//! because any stranger can ask for a handshake.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc as blocking;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::listened::Listened;
use crate::accounts::Account;
use crate::env::Environment;
use crate::operations::{Error, Given, Unseen, Workspace};
use crate::secrets::{KnownKey, MemoryStore, Secret, SecretKind, SecretRef};
use crate::webhook::VerifyTokens;

/// Sources without a file (keyring, program, variable) are read again after this time, when
/// an unknown token arrives.
const AGAIN: Duration = Duration::from_secs(300);

const KINDS: [SecretKind; 2] = [SecretKind::VerifyToken, SecretKind::NextVerifyToken];

/// The tokens, and warnings about those that could not be read.
type Read = (Vec<Secret>, Vec<String>);

/// Reads verify tokens in the background.
pub struct TokenReader<'a> {
    workspace: &'a Workspace,
    asks: blocking::Sender<Extent>,
    read: mpsc::UnboundedReceiver<Read>,
    files: Vec<PathBuf>,
    /// The state of the files at the last reading, and when that was.
    last: Option<(Vec<Stamp>, Instant)>,
    is_reading: bool,
    /// Whether an unknown token arrived during the reading.
    is_named: bool,
}

/// Detects that a file has changed.
type Stamp = Option<(SystemTime, u64, u64)>;

/// How much to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Our stores, and references that are new in a record.
    Changed,
    /// Also programs and other sources.
    All,
}

impl<'a> TokenReader<'a> {
    /// Starts the thread, which ends with the listener.
    pub fn start(workspace: &'a Workspace, listened: &[Listened]) -> Result<Self, Error> {
        let settings = workspace.settings()?;
        let tenant = settings.tenant.value.as_str();
        let mut files = vec![settings.paths.accounts_file(tenant), settings.paths.secrets_file(tenant)];
        let referred = listened.iter().flat_map(|listened| listened.account.secrets.values());
        files.extend(referred.filter_map(|reference| match reference {
            SecretRef::File(path) => Some(path.clone()),
            _ => None,
        }));
        let (asks, asked) = blocking::channel();
        let (tell, read) = mpsc::unbounded_channel();
        // The passphrase prompt comes now: the thread cannot ask.
        workspace.ask_stores(listened.iter().map(|listened| &listened.account), []);
        let seed = Seed::of(workspace);
        let accounts = listened.iter().map(|listened| listened.account.clone()).collect();
        std::thread::spawn(move || work(seed, accounts, &asked, &tell));
        Ok(Self { workspace, asks, read, files, last: None, is_reading: false, is_named: false })
    }

    /// Keeps `tokens` up to date; never ready.
    pub async fn keep(&mut self, tokens: &VerifyTokens, unknown: &mut mpsc::Receiver<()>) {
        self.ask_where_due(tokens);
        loop {
            tokio::select! {
                Some(()) = unknown.recv() => {
                    self.is_named = true;
                    self.ask_where_due(tokens);
                }
                read = self.read.recv() => {
                    let Some((read, doubts)) = read else { return std::future::pending().await };
                    tokens.are(read);
                    for doubt in doubts {
                        self.workspace.warning(&doubt);
                    }
                    self.is_reading = false;
                    if self.is_named {
                        self.ask_where_due(tokens);
                    }
                }
            }
        }
    }

    /// Starts a reading if something may have changed since the last one.
    fn ask_where_due(&mut self, tokens: &VerifyTokens) {
        if self.is_reading {
            return;
        }
        self.is_named = false;
        let stamps: Vec<Stamp> = self.files.iter().map(stamp).collect();
        let extent = match &self.last {
            Some((_, at)) if at.elapsed() < AGAIN => Extent::Changed,
            _ => Extent::All,
        };
        if extent == Extent::Changed && self.last.as_ref().is_some_and(|(last, _)| *last == stamps) {
            return;
        }
        let at = match (&self.last, extent) {
            (Some((_, at)), Extent::Changed) => *at,
            _ => Instant::now(),
        };
        self.last = Some((stamps, at));
        tokens.is_reading();
        // Without the thread the known tokens stay.
        self.is_reading = self.asks.send(extent).is_ok();
    }
}

fn stamp(path: &PathBuf) -> Stamp {
    let facts = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&facts);
    #[cfg(not(unix))]
    let inode = 0;
    Some((facts.modified().ok()?, facts.len(), inode))
}

/// What a workspace on another thread is made from.
struct Seed {
    env: Environment,
    given: Given,
    memory: Option<MemoryStore>,
    /// The key of the encrypted file, whose passphrase may have been typed.
    key: Option<KnownKey>,
}

impl Seed {
    fn of(workspace: &Workspace) -> Self {
        let (env, given, memory) = (workspace.env.clone(), workspace.given.clone(), workspace.memory.clone());
        Self { env, given, memory, key: workspace.opened_stores().and_then(|stores| stores.file().known_key()) }
    }

    /// The workspace. Store notices are for a person at a terminal, not for this thread.
    fn workspace(self) -> Workspace {
        let workspace = Workspace::new(self.env, self.given, Rc::new(Unseen), "").with_memory(self.memory);
        if let Some(key) = self.key {
            workspace.stores().file().know_key(key);
        }
        workspace
    }
}

/// The thread: reads on request until the channel closes.
fn work(
    seed: Seed,
    mut accounts: Vec<Account>,
    asked: &blocking::Receiver<Extent>,
    tell: &mpsc::UnboundedSender<Read>,
) {
    let workspace = seed.workspace();
    let mut known: BTreeMap<(String, SecretKind), (SecretRef, Option<Secret>)> = BTreeMap::new();
    while let Ok(extent) = asked.recv() {
        let mut doubts = Vec::new();
        workspace.stores().forget();
        workspace.stores().try_again();
        match workspace.accounts().and_then(|store| Ok(store.load()?)) {
            Ok(now) => {
                for account in &mut accounts {
                    // A removed account keeps its token: its events are still accepted.
                    if let Some(now) = now.iter().find(|now| now.id == account.id) {
                        *account = now.clone();
                    }
                }
            }
            Err(error) => doubts.push(format!("the accounts could not be read again: {}", error.message())),
        }
        let mut tokens = Vec::new();
        for (account, kind) in accounts.iter().flat_map(|account| KINDS.map(|kind| (account, kind))) {
            let key = (account.id.clone(), kind);
            let Some(reference) = account.secrets.get(&kind) else {
                known.remove(&key);
                continue;
            };
            let before = known.get(&key).filter(|(of, _)| of == reference);
            let is_ours = matches!(reference, SecretRef::Stored(_) | SecretRef::File(_));
            let token = match before {
                Some((_, token)) if extent == Extent::Changed && !is_ours => token.clone(),
                before => workspace.secret(account, kind).unwrap_or_else(|error| {
                    doubts.push(format!("the {kind} of '{}' could not be read: {error}", account.name));
                    // A store that does not answer removes no token.
                    before.and_then(|(_, token)| token.clone())
                }),
            };
            tokens.extend(token.clone());
            known.insert(key, (reference.clone(), token));
        }
        if tell.send((tokens, doubts)).is_err() {
            return;
        }
    }
}
