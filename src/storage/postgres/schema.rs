//! The tables, and the least rights on them.

/// The schema, where the address does not name another.
pub const SCHEMA: &str = "msgrctl";

/// The tables of a schema. They are made by the first command that writes, if its user may; any
/// number of them at once.
#[cfg(feature = "postgres")]
pub fn creation(schema: &str) -> String {
    // The statements of one message are one transaction, which the lock lasts for. A schema that
    // is there is not made again, which would need the right to make one.
    format!(
        "SELECT pg_advisory_xact_lock(hashtextextended('msgrctl {schema}', 0));\n\
         DO $do$ BEGIN IF to_regnamespace('\"{schema}\"') IS NULL THEN CREATE SCHEMA \"{schema}\"; END IF; END $do$;\n\
         {}",
        tables(schema)
    )
}

fn tables(schema: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS \"{schema}\".document (\n    \
             key text COLLATE \"C\" PRIMARY KEY,\n    \
             version text NOT NULL,\n    \
             body text NOT NULL\n\
         );\n\
         CREATE TABLE IF NOT EXISTS \"{schema}\".log (\n    \
             name text COLLATE \"C\",\n    \
             seq bigint,\n    \
             line text NOT NULL,\n    \
             PRIMARY KEY (name, seq)\n\
         );\n"
    )
}

/// The statements that give the least rights, for psql: the tables belong to the one who runs
/// them, `writer` changes records and adds to logs, `reader` reads.
pub fn policy(address: Option<&str>) -> String {
    let named = address.and_then(|address| {
        let (_, query) = address.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("schema="))
    });
    let schema = named.unwrap_or(SCHEMA);
    format!(
        "-- Run it as the owner of the database, once:\n\
         --   psql DATABASE -v writer=ROLE -v reader=ROLE -f FILE\n\
         -- The logs are only added to. To replace them with 'state move --replace', run that as the owner.\n\
         CREATE SCHEMA IF NOT EXISTS \"{schema}\";\n\
         {}\
         GRANT USAGE ON SCHEMA \"{schema}\" TO :\"writer\", :\"reader\";\n\
         GRANT SELECT, INSERT, UPDATE, DELETE ON \"{schema}\".document TO :\"writer\";\n\
         GRANT SELECT, INSERT ON \"{schema}\".log TO :\"writer\";\n\
         GRANT SELECT ON \"{schema}\".document, \"{schema}\".log TO :\"reader\";",
        tables(schema)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_only_added_to() {
        let text = policy(Some("postgres://ana@db/team?lease=5&schema=ours"));
        assert!(text.contains("GRANT SELECT, INSERT ON \"ours\".log TO :\"writer\";"), "{text}");
        assert!(policy(None).contains("CREATE SCHEMA IF NOT EXISTS \"msgrctl\";"));
    }
}
