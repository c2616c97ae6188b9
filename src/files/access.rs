//! Who may use a file: only its owner. On Unix its mode says so (0600, 0700), on Windows an access
//! list: its owner, the system and administrators, and nothing inherited from the folder above.

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, OpenOptions};
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::{Path, PathBuf};

    /// Creates directories with mode 0700.
    pub fn directory_builder() -> DirBuilder {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder
    }

    /// A file that is created has mode 0600.
    pub fn of_new_file(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    /// What lets other users at a file or directory, for a sentence: `mode 0644`. `None` where
    /// nothing does, or nothing exists.
    pub fn exposure(path: &Path) -> Option<String> {
        let mode = path.metadata().ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| format!("mode {mode:04o}"))
    }

    /// The command that ends it, for a directory and all that is in it too, `exposed` among that.
    pub fn closing_command(path: &Path, _exposed: &[PathBuf]) -> String {
        let all = if path.is_dir() { "-R " } else { "" };
        format!("chmod {all}go= '{}'", path.display())
    }

    /// Nothing: the mode was given when the file was created.
    pub fn restrict(_path: &Path) {}
}

#[cfg(windows)]
mod windows {
    use std::fs::{DirBuilder, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::OnceLock;

    use windows_permissions::constants::{SeObjectType, SecurityInformation};
    use windows_permissions::utilities::current_process_sid;
    use windows_permissions::wrappers::{
        ConvertSecurityDescriptorToStringSecurityDescriptor, GetNamedSecurityInfo, SetNamedSecurityInfo,
    };
    use windows_permissions::{LocalBox, SecurityDescriptor};

    use super::{list_for, others};

    /// Nothing is said while a directory is created, see [`restrict`].
    pub fn directory_builder() -> DirBuilder {
        DirBuilder::new()
    }

    /// Nothing is said while a file is created, see [`restrict`].
    pub fn of_new_file(_options: &mut OpenOptions) {}

    /// The id of the user who runs this process: `S-1-5-21-…`.
    fn own_id() -> Option<&'static str> {
        static OWN: OnceLock<Option<String>> = OnceLock::new();
        OWN.get_or_init(|| current_process_sid().ok().map(|id| id.to_string())).as_deref()
    }

    /// The access list of a file or directory, as text.
    fn list_of(path: &Path) -> io::Result<String> {
        let found = GetNamedSecurityInfo(path, SeObjectType::SE_FILE_OBJECT, SecurityInformation::Dacl)?;
        let text = ConvertSecurityDescriptorToStringSecurityDescriptor(&found, SecurityInformation::Dacl)?;
        Ok(text.to_string_lossy().into_owned())
    }

    /// What lets other users at a file or directory, for a sentence: `access for Everyone`. `None`
    /// where nothing does, or nothing exists.
    pub fn exposure(path: &Path) -> Option<String> {
        if !path.exists() {
            return None;
        }
        let Some(own) = own_id() else { return Some("cannot tell which user runs msgrctl".into()) };
        let names = match list_of(path) {
            Ok(list) => others(&list, own).into_iter().map(|other| other.name).collect::<Vec<_>>(),
            Err(error) => return Some(format!("its access list cannot be read: {error}")),
        };
        (!names.is_empty()).then(|| format!("access for {}", names.join(", ")))
    }

    /// The command that ends it, for a directory and all that is in it too, `exposed` among that.
    pub fn closing_command(path: &Path, exposed: &[PathBuf]) -> String {
        let (all, inherited) = if path.is_dir() { (" /T", "(OI)(CI)") } else { ("", "") };
        let own = own_id().unwrap_or_default();
        let mut command = format!("icacls \"{}\" /inheritance:r /grant:r \"*{own}:{inherited}F\"", path.display());
        let mut ids: Vec<String> = Vec::new();
        for path in exposed.iter().map(PathBuf::as_path).chain([path]) {
            let others = list_of(path).map(|list| others(&list, own)).unwrap_or_default();
            ids.extend(others.into_iter().map(|other| other.id));
        }
        ids.sort();
        ids.dedup();
        ids.iter().for_each(|id| command.push_str(&format!(" /remove \"*{id}\"")));
        command + all
    }

    /// Gives a new file or directory the list that says what 0600 says; all that is created in the
    /// directory later inherits it. A drive without access lists keeps none: whether others may read
    /// a file is looked at where it matters.
    pub fn restrict(path: &Path) {
        let Some(own) = own_id() else { return };
        let set = || -> io::Result<()> {
            let list: LocalBox<SecurityDescriptor> = list_for(own, path.is_dir()).parse()?;
            let parts = SecurityInformation::Dacl | SecurityInformation::ProtectedDacl;
            SetNamedSecurityInfo(path, SeObjectType::SE_FILE_OBJECT, parts, None, None, list.dacl(), None)
        };
        let _ = set();
    }
}

/// The list that says what 0600 and 0700 say, in the language of security descriptors. In a
/// directory, all that is created later inherits it.
#[cfg(any(windows, test))]
fn list_for(own: &str, is_directory: bool) -> String {
    let flags = if is_directory { "OICI" } else { "" };
    let one = |who: &str| format!("(A;{flags};FA;;;{who})");
    format!("D:P{}{}{}", one("SY"), one("BA"), one(own))
}

/// Another user than the owner, the system and administrators.
#[cfg(any(windows, test))]
#[derive(Debug, PartialEq, Eq)]
struct Other {
    name: String,
    id: String,
}

/// The others whom an access list lets at a file in any way. `list` is in the language of security
/// descriptors: `D:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;BU)`.
#[cfg(any(windows, test))]
fn others(list: &str, own: &str) -> Vec<Other> {
    const KNOWN: [(&str, &str, &str); 10] = [
        ("WD", "S-1-1-0", "Everyone"),
        ("AU", "S-1-5-11", "Authenticated Users"),
        ("BU", "S-1-5-32-545", "Users"),
        ("BG", "S-1-5-32-546", "Guests"),
        ("PU", "S-1-5-32-547", "Power Users"),
        ("IU", "S-1-5-4", "Interactive"),
        ("NU", "S-1-5-2", "Network"),
        ("AN", "S-1-5-7", "Anonymous"),
        ("LS", "S-1-5-19", "Local Service"),
        ("NS", "S-1-5-20", "Network Service"),
    ];
    // These have full rights on the machine, as root has: the system, administrators (the group and
    // the built-in account), and the file's owner.
    const ALLOWED: [&str; 8] = ["SY", "S-1-5-18", "BA", "S-1-5-32-544", "LA", "OW", "S-1-3-4", "CO"];
    let other = |who: &str| {
        let known = KNOWN.iter().find(|(short, id, _)| [*short, *id].contains(&who));
        let (id, name) = known.map_or((who, who), |(_, id, name)| (id, name));
        Other { name: name.into(), id: id.into() }
    };
    let list = list.split_once("D:").map_or("", |(_, list)| list);
    // A file without a list, on a drive that has none, is everyone's.
    if list.is_empty() || list.contains("NO_ACCESS_CONTROL") {
        return vec![other("WD")];
    }
    let mut found: Vec<Other> = Vec::new();
    for entry in list.split('(').skip(1) {
        let fields: Vec<&str> = entry.trim_end_matches(')').split(';').collect();
        let [kind, flags, rights, _, _, who, ..] = fields.as_slice() else { continue };
        let is_for_this = !flags.as_bytes().chunks(2).any(|flag| flag == b"IO");
        let allows = matches!(*kind, "A" | "XA" | "OA" | "ZA") && !rights.is_empty();
        let other = other(who);
        if allows && is_for_this && other.id != own && !ALLOWED.contains(who) && !found.contains(&other) {
            found.push(other);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "S-1-5-21-1004336348-1177238915-682003330-1001";

    #[test]
    fn our_list_lets_nobody_else_in_and_others_are_named() {
        let names = |list: &str| others(list, ADA).into_iter().map(|other| other.name).collect::<Vec<_>>();
        for is_directory in [false, true] {
            assert!(names(&list_for(ADA, is_directory)).is_empty());
        }
        // A profile's folder; entries that only its children inherit; a refusal.
        let profile = format!("D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;FA;;;{ADA})");
        assert!(names(&profile).is_empty());
        assert!(names(&format!("D:P(A;OICIIO;FA;;;CO)(D;;FA;;;WD)(A;;FA;;;{ADA})")).is_empty());
        assert!(names("D:P").is_empty(), "an empty list admits no user");
        // A folder at the root of a drive.
        let root = "D:AI(A;ID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;OICIIOID;GA;;;AU)";
        assert_eq!(names(root), ["Users", "Authenticated Users"]);
        assert_eq!(names("D:(A;;FR;;;WD)(A;;FW;;;S-1-1-0)"), ["Everyone"]);
        assert_eq!(names("D:(A;;FA;;;S-1-5-21-1-2-3-1002)"), ["S-1-5-21-1-2-3-1002"]);
        // A service that runs as one of these is named by its letters.
        for (short, id, name) in [("LS", "S-1-5-19", "Local Service"), ("NS", "S-1-5-20", "Network Service")] {
            let list = format!("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{short})");
            assert!(others(&list, id).is_empty());
            assert_eq!(names(&list), [name]);
        }
        assert_eq!(others("D:(A;;FA;;;BU)", ADA)[0].id, "S-1-5-32-545");
        for none in ["", "D:NO_ACCESS_CONTROL"] {
            assert_eq!(names(none), ["Everyone"]);
        }
    }

    #[cfg(windows)]
    #[test]
    fn a_list_is_set_and_looked_at() {
        use windows_permissions::constants::{SeObjectType, SecurityInformation};
        use windows_permissions::{LocalBox, SecurityDescriptor, wrappers::SetNamedSecurityInfo};
        let dir = tempfile::tempdir().expect("a directory");
        restrict(dir.path());
        assert_eq!(exposure(dir.path()), None);
        let path = dir.path().join("token");
        std::fs::write(&path, "EAA").expect("written");
        assert_eq!(exposure(&dir.path().join("absent")), None);
        let open: LocalBox<SecurityDescriptor> = "D:P(A;;FA;;;WD)".parse().expect("a list");
        let (kind, part) = (SeObjectType::SE_FILE_OBJECT, SecurityInformation::Dacl);
        SetNamedSecurityInfo(&path, kind, part, None, None, open.dacl(), None).expect("set");
        assert_eq!(exposure(&path).as_deref(), Some("access for Everyone"));
        assert!(closing_command(&path, &[]).ends_with("F\" /remove \"*S-1-1-0\""), "{}", closing_command(&path, &[]));
        restrict(&path);
        assert_eq!((exposure(&path), std::fs::read(&path).expect("read")), (None, b"EAA".to_vec()));
    }
}
