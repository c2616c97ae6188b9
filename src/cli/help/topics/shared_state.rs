//! Records that a team shares.

use super::Topic;

pub(super) const SHARED_STATE: Topic = Topic {
    name: "shared-state",
    about: "Records that a team and its CI share, in a bucket or a database",
    before: "Accounts, messages, settings, health and the log are files of this machine, unless MSGRCTL_STATE or 'state' in config.toml names a bucket, s3://BUCKET/PREFIX, or a PostgreSQL database, postgres://USER@HOST/DATABASE. Then every machine with that setting sees the same records. Secrets never go there: each machine needs them in a store of its own, or as references.",
    list: &[
        (
            "s3://BUCKET/PREFIX",
            "Amazon S3. ?endpoint=URL names another server, ?region=REGION a region, ?lease=SECONDS how long a lock lasts (120); several are joined by &. The server has to obey conditions of writes; one that does not is refused",
        ),
        (
            "keys",
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE and ~/.aws/credentials. 'msgrctl doctor --print-policy s3' prints the least rights",
        ),
        (
            "postgres://USER@HOST:PORT/DATABASE",
            "PostgreSQL 12 or newer; a pooler such as PgBouncer may stand before it. After the ? it takes schema=NAME (msgrctl), lease=SECONDS, host=DIRECTORY of a socket (or USER@%2FDIRECTORY before it), and sslrootcert=FILE, which is trusted besides the system's certificates. The connection needs TLS, but for this machine: sslmode=require and verify-ca check as much as verify-full does, and disable is for this machine only. The first command that writes makes schema and tables, if its user may",
        ),
        (
            "password",
            "PGPASSWORD, or ~/.pgpass (PGPASSFILE), which only you may read. MSGRCTL_STATE may hold it in the address; config.toml and command lines may not. 'msgrctl doctor --print-policy postgres' prints the statements that make the tables and give the least rights: records are changed, logs only added to",
        ),
        (
            "msgrctl state move --to STATE",
            "copies the records, compares them, then writes the setting. Until then the old place is in force: a move that is killed loses nothing. After it the old place takes no change, and names the new one",
        ),
        ("msgrctl state show", "where the records are; of each tenant the size, the serial and who holds the lock"),
        (
            "locks",
            "a command that changes a tenant holds its lock, 'apply' until it is done at Meta too. Others wait, and name its holder. Reading takes no lock. A lock is renewed while its holder runs, and ends with its lease if that is killed; 'msgrctl state unlock ID' breaks it before",
        ),
        (
            "serial",
            "grows with each change of a tenant's records. Each write names the version that it replaces, so a command that was paused for longer than its lock overwrites nothing. A state that goes back is refused: its server has lost changes",
        ),
        (
            "copies",
            "state-copies in the configuration directory, for completions and to read only what has changed; they hold no secret",
        ),
        ("watch", "one machine runs it: its lock is a file of that machine"),
    ],
    groups: Vec::new,
    after: "",
};
