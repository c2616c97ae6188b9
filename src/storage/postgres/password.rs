//! The password: from `PGPASSWORD`, or from the file of passwords that psql reads too.

use std::path::{Path, PathBuf};

use crate::env::Environment;
use crate::files;
use crate::secrets::Secret;

/// What a password is asked for.
pub struct Asked<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// The password.
///
/// # Errors
///
/// Where it was looked for. Some servers need none.
pub fn find(env: &Environment, asked: &Asked<'_>) -> Result<Secret, String> {
    if let Some(password) = env.text("PGPASSWORD") {
        return Ok(Secret::new(password));
    }
    let path = env.text("PGPASSFILE").map(PathBuf::from);
    let path = path.or_else(|| of_psql(env));
    let Some(path) = path else { return Err("PGPASSWORD is not set".into()) };
    if files::exposure(&path).is_some() {
        return Err(format!(
            "PGPASSWORD is not set, and {} is not read, since other users may read it",
            path.display()
        ));
    }
    let text = files::read_bytes(&path, 1024 * 1024).ok();
    let found = text.as_ref().and_then(|text| of_file(std::str::from_utf8(text).ok()?, asked));
    found.ok_or_else(|| {
        let Asked { user, host, .. } = asked;
        format!("PGPASSWORD is not set, and {} has no password for {user} on {host}", path.display())
    })
}

/// Where psql keeps the file on this system.
fn of_psql(env: &Environment) -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(Path::new(env.text("APPDATA")?).join("postgresql").join("pgpass.conf"));
    }
    Some(Path::new(env.home()?).join(".pgpass"))
}

/// Lines are `host:port:database:user:password`; `*` fits all, and `\` is before a `:` or `\`.
fn of_file(text: &str, asked: &Asked<'_>) -> Option<Secret> {
    let port = asked.port.to_string();
    let wanted = [asked.host, &port, asked.database, asked.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [of_asked @ .., password] = fields.as_slice() else { return None };
        let fits = of_asked.len() == 4 && of_asked.iter().zip(wanted).all(|(is, wanted)| is == "*" || is == wanted);
        fits.then(|| Secret::new(password.clone()))
    })
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => {
                let c = if c == '\\' { characters.next().unwrap_or(c) } else { c };
                fields.iter_mut().last().into_iter().for_each(|field| field.push(c));
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# db:*:*:*:no\ndb:5433:*:ana:first\ndb:*:team:a\\:b:sec\\\\ond:x\n*:*:*:*:last\nshort:line\n";
        let of = |host, port, user| {
            let asked = Asked { host, port, database: "team", user };
            of_file(text, &asked).map(|found| found.expose().to_owned())
        };
        assert_eq!(of("db", 5433, "ana").as_deref(), Some("first"));
        assert_eq!(of("db", 5432, "a:b").as_deref(), Some("sec\\ond:x"));
        assert_eq!(of("db", 5432, "ana").as_deref(), Some("last"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:word\n").expect("written");
        let env = Environment::default().with("PGPASSFILE", &path.display().to_string());
        let asked = Asked { host: "db", port: 1, database: "team", user: "ana" };
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        mode(0o640);
        assert!(find(&env, &asked).expect_err("refused").contains("other users"));
        mode(0o600);
        assert_eq!(find(&env, &asked).expect("found").expose(), "word");
        assert_eq!(find(&env.with("PGPASSWORD", "other"), &asked).expect("found").expose(), "other");
    }
}
