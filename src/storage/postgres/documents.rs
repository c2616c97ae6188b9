//! Documents of a database. Each write makes a version of a new name, so that its writer knows it
//! again after a connection that broke off.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::connection::{Answered, Database, Value};
use super::schema;
use super::trouble::Failed;
use crate::storage::RemoteError;
use crate::storage::shared::objects::{
    Answer, Expected, FORMAT, Got, Object, Objects, Written, check_format, format_text,
};

/// A text of a statement, or none.
pub fn text<T: ToSql + Sync>(text: &T) -> Value<'_> {
    (text, Type::TEXT)
}

/// The name of a new version.
pub fn new_version() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

impl Objects for Database {
    fn place(&self) -> String {
        self.address.to_string()
    }

    fn shown(&self, key: &str) -> String {
        format!("{}/{}/{key}", self.address, self.address.schema)
    }

    fn identity(&self) -> String {
        self.address.identity()
    }

    fn lease(&self) -> Duration {
        self.address.lease
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn check(&self) -> Result<(), RemoteError> {
        // Some servers know their users without a password.
        Ok(())
    }

    fn prepare(&self) -> Answer<'_, ()> {
        Box::pin(self.make_tables())
    }

    fn get<'a>(&'a self, key: &'a str, known: Option<&'a str>) -> Answer<'a, Got> {
        Box::pin(async move {
            match self.read(key, known).await {
                Err(Failed::NoTable) => Ok(Got::Absent),
                read => read.map_err(|failed| self.error(failed)),
            }
        })
    }

    fn put<'a>(&'a self, key: &'a str, body: &'a str, expected: &'a Expected) -> Answer<'a, Written> {
        Box::pin(async move { self.write(key, body, expected).await.map_err(|failed| self.error(failed)) })
    }

    fn delete<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> Answer<'a, bool> {
        Box::pin(async move {
            match self.remove(key, tag).await {
                Err(Failed::NoTable) => Ok(true),
                removed => removed.map_err(|failed| self.error(failed)),
            }
        })
    }

    fn list<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let sql = format!("SELECT key FROM {} WHERE starts_with(key, $1) ORDER BY key", self.document);
            match self.ask(&sql, &[text(&name)]).await {
                Ok(Answered { rows, .. }) => {
                    let keys = rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok());
                    Ok(keys.filter_map(|key| Some(key.strip_prefix(name)?.to_owned())).collect())
                }
                Err(Failed::NoTable) => Ok(Vec::new()),
                Err(failed) => Err(self.error(failed)),
            }
        })
    }
}

impl Database {
    /// Makes the tables, where they are not there, and says what is written in them.
    async fn make_tables(&self) -> Result<(), RemoteError> {
        let error = |failed| self.error(failed);
        if let Err(Failed::NoTable) = self.read(FORMAT, None).await {
            self.run(&schema::creation(&self.address.schema)).await.map_err(error)?;
        }
        // It is read in any case, which shows the server's clock.
        for _ in 0..2 {
            if let Got::Found(found) = self.read(FORMAT, None).await.map_err(error)? {
                return check_format(&found.text, self.shown(FORMAT));
            }
            self.write(FORMAT, &format_text(), &Expected::Absent).await.map_err(error)?;
        }
        Ok(())
    }

    async fn read(&self, key: &str, known: Option<&str>) -> Result<Got, Failed> {
        let sql = format!(
            "SELECT (extract(epoch FROM clock_timestamp()))::bigint, version, \
             CASE WHEN version = $2 THEN NULL ELSE body END \
             FROM (SELECT) AS one LEFT JOIN {} ON key = $1",
            self.document
        );
        let asked = self.ask(&sql, &[text(&key), text(&known)]).await?;
        let Some(row) = asked.rows.first() else { return Ok(Got::Absent) };
        if let Ok(Ok(there)) = row.try_get(0).map(Timestamp::from_second) {
            self.clock.see(there);
        }
        Ok(match (row.try_get(1), row.try_get(2)) {
            (Ok(Some(tag)), Ok(Some(text))) => Got::Found(Object { text, tag }),
            (Ok(Some::<String>(_)), Ok(None::<String>)) => Got::Same,
            _ => Got::Absent,
        })
    }

    async fn write(&self, key: &str, body: &str, expected: &Expected) -> Result<Written, Failed> {
        let version = new_version();
        let (document, new) = (&self.document, version.as_str());
        let mut values = vec![text(&key), text(&new), text(&body)];
        let tag;
        let sql = match expected {
            Expected::Tag(is) => {
                tag = is.as_str();
                values.push(text(&tag));
                format!("UPDATE {document} SET version = $2, body = $3 WHERE key = $1 AND version = $4 RETURNING 1")
            }
            Expected::Absent => format!(
                "INSERT INTO {document} (key, version, body) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING 1"
            ),
            Expected::Anything => format!(
                "INSERT INTO {document} (key, version, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (key) DO UPDATE SET version = $2, body = $3 RETURNING 1"
            ),
        };
        let Answered { rows, repeated } = self.ask(&sql, &values).await?;
        if !rows.is_empty() || repeated && self.is_version(key, new).await? {
            return Ok(Written::Done(version));
        }
        Ok(Written::Lost)
    }

    /// Whether the document has this version: an earlier try has written it.
    pub async fn is_version(&self, key: &str, version: &str) -> Result<bool, Failed> {
        Ok(matches!(self.read(key, Some(version)).await?, Got::Same))
    }

    async fn remove(&self, key: &str, tag: Option<&str>) -> Result<bool, Failed> {
        // The second part sees what was there before the first.
        let sql = format!(
            "WITH gone AS (DELETE FROM {0} WHERE key = $1 AND version = coalesce($2, version) RETURNING 1) \
             SELECT FROM {0} WHERE key = $1 AND NOT EXISTS (SELECT FROM gone)",
            self.document
        );
        Ok(self.ask(&sql, &[text(&key), text(&tag)]).await?.rows.is_empty())
    }
}
