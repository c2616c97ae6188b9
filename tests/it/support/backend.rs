//! The servers that keep a team's records, for tests that hold for each.

use msgrctl::env::Environment;
use msgrctl::http::Settings;
use msgrctl::storage::{Shared, Storage as _};
use std::time::Duration;

use super::Home;
use super::postgres::{PASSWORD, Postgres, postgres};
use super::seaweed::{KEY, KEY_ID, Seaweed, seaweed};

/// A server that keeps records.
#[derive(Clone, Copy)]
pub enum Backend {
    S3(&'static Seaweed),
    Postgres(&'static Postgres),
}

impl Backend {
    pub fn s3() -> Option<Self> {
        seaweed().map(Self::S3)
    }

    pub fn postgres() -> Option<Self> {
        postgres().map(Self::Postgres)
    }

    /// A prefix or schema that no other test has.
    pub fn place(self) -> String {
        match self {
            Self::S3(_) => Seaweed::prefix(),
            Self::Postgres(_) => Postgres::schema(),
        }
    }

    /// The address of a state; `more` begins with `&`.
    pub fn address(self, place: &str, more: &str) -> String {
        match self {
            Self::S3(server) => server.address(place, more),
            Self::Postgres(server) => server.address("team", place, more),
        }
    }

    /// Where the server listens.
    pub fn listens(self) -> String {
        match self {
            Self::S3(server) => server.url.trim_start_matches("http://").to_owned(),
            Self::Postgres(server) => format!("127.0.0.1:{}", server.port),
        }
    }

    /// The variables that say who asks.
    pub fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::S3(_) => &[("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", KEY)],
            Self::Postgres(_) => &[("PGPASSWORD", PASSWORD)],
        }
    }

    pub fn give(self, home: &mut Home) {
        self.variables().iter().for_each(|(name, value)| home.set(name, value));
    }

    /// A machine of its own whose records are there.
    pub fn home(self, place: &str, more: &str) -> Home {
        let mut home = Home::new().with("MSGRCTL_STATE", &self.address(place, more));
        self.give(&mut home);
        home
    }

    /// The documents there by their names, past all that guards them.
    pub fn raw<T>(self, place: &str, work: impl FnOnce(&Shared) -> T) -> T {
        let env = self.variables().iter().fold(Environment::default(), |env, (name, value)| env.with(name, value));
        let copies = tempfile::tempdir().unwrap();
        let settings = Settings { timeout: Duration::from_secs(5), ca_bundle: None, loopback: true };
        let open = match self {
            Self::S3(_) => Shared::s3,
            Self::Postgres(_) => Shared::postgres,
        };
        work(&open(&self.address(place, ""), &env, settings, copies.path().into()).unwrap())
    }

    /// Puts a lock there, as a command that is gone has left it.
    pub fn lock(self, place: &str, id: &str) {
        let lock = serde_json::json!({
            "id": id, "user": "ben", "host": "build-7", "pid": 1, "command": "apply",
            "since": "2026-11-29T10:00:00Z", "expires": "2099-01-01T00:00:00Z",
        });
        self.raw(place, |storage| storage.put("locks/default.json", &lock.to_string()).unwrap());
    }

    /// Puts one text for another in the lines of the log.
    pub fn edit_log(self, place: &str, from: &str, to: &str) {
        match self {
            Self::S3(_) => self.raw(place, |storage| {
                let part = "log/00000001.jsonl";
                let text = storage.read(part).unwrap().unwrap();
                assert!(text.contains(from));
                storage.put(part, &text.replace(from, to)).unwrap();
            }),
            Self::Postgres(server) => {
                let sql = format!("UPDATE {place}.log SET line = replace(line, '{from}', '{to}')");
                server.psql("team", &sql, &[]);
            }
        }
    }
}
