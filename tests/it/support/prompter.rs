//! The program that shows the keyring's dialogs, in the person of somebody who
//! closes each at once. Speaks the protocol of gnome-keyring's system prompter.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, Value};

use super::Bus;

/// On the bus until it is dropped.
pub struct Dismissing {
    _connection: Connection,
    /// How many dialogs were closed.
    pub closed: Arc<AtomicUsize>,
}

struct Prompter {
    closed: Arc<AtomicUsize>,
}

/// What begins an exchange of secrets; nobody here will read one.
const EXCHANGE: &str = "[sx-aes-1]\npublic=AAAA\n";

impl Prompter {
    /// Tells the keyring what the person did; from a thread of its own, since the
    /// keyring waits for the answer to its own call first.
    fn tell(connection: zbus::Connection, to: String, callback: OwnedObjectPath, reply: &'static str) {
        std::thread::spawn(move || {
            // A person is not that quick, and the keyring must have its answer first.
            std::thread::sleep(Duration::from_millis(100));
            let connection = Connection::from(connection);
            let properties: HashMap<String, Value<'_>> = HashMap::new();
            let interface = "org.gnome.keyring.internal.Prompter.Callback";
            let _ = connection.call_method(
                Some(to.as_str()),
                callback.as_str(),
                Some(interface),
                "PromptReady",
                &(reply, properties, EXCHANGE),
            );
        });
    }
}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "the shape that the bus asks for"
)]
#[zbus::interface(name = "org.gnome.keyring.internal.Prompter")]
impl Prompter {
    #[zbus(name = "BeginPrompting")]
    fn begin(
        &self,
        callback: OwnedObjectPath,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) {
        Self::tell(connection.clone(), header.sender().unwrap().to_string(), callback, "");
    }

    #[zbus(name = "PerformPrompt")]
    fn perform(
        &self,
        callback: OwnedObjectPath,
        kind: String,
        properties: HashMap<String, Value<'_>>,
        exchange: String,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) {
        // What the dialog would show is not looked at.
        drop((kind, properties, exchange));
        self.closed.fetch_add(1, Ordering::SeqCst);
        Self::tell(connection.clone(), header.sender().unwrap().to_string(), callback, "no");
    }

    #[zbus(name = "StopPrompting")]
    fn stop(&self, callback: OwnedObjectPath) {
        drop(callback);
    }
}

impl Dismissing {
    /// Takes the prompter's name on a bus.
    pub fn on(bus: &Bus) -> Self {
        let closed = Arc::new(AtomicUsize::new(0));
        let connection = zbus::blocking::connection::Builder::address(bus.address.as_str())
            .unwrap()
            .name("org.gnome.keyring.SystemPrompter")
            .unwrap()
            .serve_at("/org/gnome/keyring/Prompter", Prompter { closed: closed.clone() })
            .unwrap()
            .build()
            .unwrap();
        Self { _connection: connection, closed }
    }
}
