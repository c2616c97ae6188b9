//! The logs of a database: a row for each line. A line that follows the one before it is added in
//! the statement that also writes where the log ends then.

use std::sync::Arc;

use tokio_postgres::types::Type;

use super::connection::{Answered, Database, Value};
use super::documents::{new_version, text};
use super::trouble::Failed;
use crate::storage::shared::objects::{Expected, Logs, REPEATS, Server};
use crate::storage::{Link, Linked, RemoteError, WholeLog, names};

/// The logs of a database.
#[derive(Debug)]
pub struct Rows {
    server: Server,
    database: Arc<Database>,
}

/// Where a log ends.
#[derive(Default)]
struct End {
    /// The version of the end that was written, and its text.
    written: Option<(String, String)>,
    last: Option<(i64, String)>,
}

impl Rows {
    pub fn new(server: Server, database: Arc<Database>) -> Self {
        Self { server, database }
    }

    /// Waits for work on the database; where it has no tables there is `T::default()`.
    fn wait<T, F>(&self, work: impl FnOnce(Arc<Database>) -> F) -> Result<T, RemoteError>
    where
        T: Default + Send + 'static,
        F: Future<Output = Result<T, Failed>> + Send + 'static,
    {
        let (database, work) = (self.database.clone(), work(self.database.clone()));
        self.server.wait(async move {
            match work.await {
                Err(Failed::NoTable) => Ok(T::default()),
                done => done.map_err(|failed| database.error(failed)),
            }
        })
    }

    fn contended(&self, log: &str) -> RemoteError {
        RemoteError::Contended { document: self.server.shown(log), tries: REPEATS }
    }
}

async fn end_of(database: Arc<Database>, log: String) -> Result<End, Failed> {
    let sql = format!(
        "SELECT version, body, seq, line FROM (SELECT) AS one LEFT JOIN {} ON key = $2 \
         LEFT JOIN LATERAL (SELECT seq, line FROM {} WHERE name = $1 ORDER BY seq DESC LIMIT 1) AS last ON true",
        database.document, database.log
    );
    let asked = database.ask(&sql, &[text(&log), text(&names::end_of(&log))]).await?;
    let Some(row) = asked.rows.first() else { return Ok(End::default()) };
    let of = |at| row.try_get::<_, Option<String>>(at).ok().flatten();
    let seq = row.try_get::<_, Option<i64>>(2).ok().flatten();
    Ok(End { written: of(0).zip(of(1)), last: seq.zip(of(3)) })
}

/// Adds lines from the number `first` on; `false` if others were faster.
async fn add(database: Arc<Database>, log: String, first: i64, lines: Vec<String>) -> Result<bool, Failed> {
    let sql = format!(
        "INSERT INTO {} (name, seq, line) \
         SELECT $1, $2 + at - 1, line FROM unnest($3::text[]) WITH ORDINALITY AS given (line, at)",
        database.log
    );
    let first: Value<'_> = (&first, Type::INT8);
    match database.ask(&sql, &[text(&log), first.clone(), (&lines, Type::TEXT_ARRAY)]).await {
        Ok(_) => Ok(true),
        Err(Failed::Taken { repeated: true }) => {
            let sql = format!("SELECT line FROM {} WHERE name = $1 AND seq >= $2 ORDER BY seq", database.log);
            let there = database.ask(&sql, &[text(&log), first]).await?.rows;
            let there: Vec<String> = there.iter().filter_map(|row| row.try_get(0).ok()).collect();
            Ok(there.starts_with(&lines))
        }
        Err(Failed::Taken { .. }) => Ok(false),
        Err(failed) => Err(failed),
    }
}

/// Adds a line and writes where the log ends then, if both are as they were; returns whether.
async fn add_linked(database: Arc<Database>, log: String, end: End, linked: Linked) -> Result<bool, Failed> {
    let (key, version) = (names::end_of(&log), new_version());
    let (document, known) = (&database.document, end.written.as_ref().map(|(version, _)| version.as_str()));
    let moved = if known.is_some() {
        format!("UPDATE {document} SET version = $2, body = $3 WHERE key = $1 AND version = $4 RETURNING 1")
    } else {
        format!(
            "INSERT INTO {document} (key, version, body) SELECT $1, $2, $3 WHERE $4 IS NULL \
             ON CONFLICT (key) DO NOTHING RETURNING 1"
        )
    };
    let sql = format!(
        "WITH moved AS ({moved}) INSERT INTO {} (name, seq, line) SELECT $5, $6, $7 FROM moved RETURNING 1",
        database.log
    );
    let seq = end.last.map_or(0, |(seq, _)| seq) + 1;
    let values = [
        text(&key),
        text(&version),
        text(&linked.after),
        text(&known),
        text(&log),
        (&seq, Type::INT8),
        text(&linked.line),
    ];
    match database.ask(&sql, &values).await {
        Ok(Answered { rows, .. }) if !rows.is_empty() => Ok(true),
        Ok(Answered { repeated: true, .. }) | Err(Failed::Taken { repeated: true }) => {
            database.is_version(&key, &version).await
        }
        Ok(_) | Err(Failed::Taken { .. }) => Ok(false),
        Err(failed) => Err(failed),
    }
}

impl Logs for Rows {
    fn whole(&self, log: &str) -> Result<WholeLog, RemoteError> {
        let log = log.to_owned();
        self.wait(|database| async move {
            // One statement sees one moment.
            let sql = format!(
                "SELECT 0::bigint AS seq, body FROM {} WHERE key = $2 \
                 UNION ALL SELECT seq, line FROM {} WHERE name = $1 ORDER BY seq",
                database.document, database.log
            );
            let rows = database.ask(&sql, &[text(&log), text(&names::end_of(&log))]).await?.rows;
            let mut whole = WholeLog::default();
            for (seq, text) in
                rows.iter().filter_map(|row| Some((row.try_get::<_, i64>(0).ok()?, row.try_get(1).ok()?)))
            {
                if seq == 0 { whole.end = Some(text) } else { whole.lines.push(text) }
            }
            Ok(whole)
        })
    }

    fn append(&self, log: &str, lines: &str) -> Result<(), RemoteError> {
        let lines: Vec<String> = lines.split('\n').map(str::to_owned).collect();
        for tried in 1..=REPEATS {
            let (log, lines) = (log.to_owned(), lines.clone());
            let is_added = self.wait(|database| async move {
                let last = end_of(database.clone(), log.clone()).await?.last;
                add(database, log, last.map_or(0, |(seq, _)| seq) + 1, lines).await
            })?;
            if is_added {
                return Ok(());
            }
            self.server.pause(tried)?;
        }
        Err(self.contended(log))
    }

    fn link(&self, log: &str, next: &Link<'_>) -> Result<(), RemoteError> {
        for tried in 1..=REPEATS {
            let name = log.to_owned();
            let end = self.wait(|database| end_of(database, name))?;
            let last = end.last.as_ref().map(|(_, line)| (line.as_bytes(), 0));
            let linked = next(end.written.as_ref().map(|(_, text)| text.as_str()), last);
            let name = log.to_owned();
            if self.wait(|database| add_linked(database, name, end, linked))? {
                return Ok(());
            }
            self.server.pause(tried)?;
        }
        Err(self.contended(log))
    }

    fn set_end(&self, log: &str, end: &str) -> Result<(), RemoteError> {
        self.server.put(&names::end_of(log), end, Expected::Anything).map(drop)
    }

    fn remove(&self, log: &str) -> Result<(), RemoteError> {
        let log = log.to_owned();
        self.wait(|database| async move {
            let sql = format!(
                "WITH gone AS (DELETE FROM {} WHERE name = $1) DELETE FROM {} WHERE key = $2",
                database.log, database.document
            );
            database.ask(&sql, &[text(&log), text(&names::end_of(&log))]).await.map(drop)
        })
    }
}
