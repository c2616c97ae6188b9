//! Who owns a file.

use std::path::Path;

/// The user whose directory root is about to write to: the owner of `path`, or of its nearest
/// existing parent. `None` if root owns it, and for users other than root.
pub fn other_than_root(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let owner = path.ancestors().find_map(|path| path.metadata().ok())?.uid();
        (owner != 0).then(|| name(owner))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

#[cfg(unix)]
fn name(id: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_among(&users, id).unwrap_or_else(|| format!("user {id}"))
}

/// The name of the user with this id in the form of `/etc/passwd`.
#[cfg(unix)]
fn name_among(users: &str, id: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_by_their_numbers() {
        let users = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(name_among(users, 1000).as_deref(), Some("ada"));
        assert_eq!(name_among(users, 7), None);
    }
}
