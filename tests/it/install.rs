//! `install.sh`, as it installs a release that a server on this machine holds.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use crate::support::{Home, Run, has};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A file of a release, and how many of its bytes arrive.
type Files = BTreeMap<String, (Vec<u8>, usize)>;

/// A release on a server of this machine; its program is a script.
struct Release {
    home: Home,
    files: Arc<Mutex<Files>>,
    asked: Arc<Mutex<Vec<String>>>,
}

/// The archive's name on this machine.
fn archive() -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("msgrctl-{VERSION}-{}-{system}.tar.gz", std::env::consts::ARCH)
}

impl Release {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/releases", listener.local_addr().unwrap());
        let release =
            Self { home: Home::new().with("MSGRCTL_RELEASES", &url), files: Arc::default(), asked: Arc::default() };
        let (files, asked) = (Arc::clone(&release.files), Arc::clone(&release.asked));
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let path = head.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
                head.take_while(|line| !line.is_empty()).for_each(drop);
                let name = path.strip_prefix(&format!("/releases/v{VERSION}/")).unwrap_or_default().to_owned();
                let file = files.lock().unwrap().get(&name).cloned();
                asked.lock().unwrap().push(name);
                let (status, (body, arrives)) =
                    file.map_or(("404 Not Found", (Vec::new(), 0)), |file| ("200 OK", file));
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), &body[..arrives]].concat());
            }
        });
        let name = archive();
        let folder = name.strip_suffix(".tar.gz").unwrap();
        let program = release.home.file(&format!("{folder}/msgrctl"), format!("#!/bin/sh\necho msgrctl {VERSION}\n"));
        std::fs::set_permissions(program, PermissionsExt::from_mode(0o755)).unwrap();
        for kind in ["man", "completions"] {
            let mut copy = release.home.program("cp");
            copy.arg("-r").arg(format!("{}/{kind}", env!("CARGO_MANIFEST_DIR"))).arg(folder);
            assert!(copy.status().unwrap().success());
        }
        assert!(release.home.program("tar").args(["-czf", &name, folder]).status().unwrap().success());
        release.serves(&name, std::fs::read(release.home.path(&name)).unwrap());
        release.sums();
        release
    }

    fn serves(&self, name: &str, content: Vec<u8>) {
        let arrives = content.len();
        self.files.lock().unwrap().insert(name.to_owned(), (content, arrives));
    }

    /// SHA256SUMS of what is served now.
    fn sums(&self) {
        let sum = |(name, (content, _)): (&String, &(Vec<u8>, usize))| {
            format!("{}  {name}\n", hex::encode(Sha256::digest(content)))
        };
        let sums: String = self.files.lock().unwrap().iter().map(sum).collect();
        self.serves("SHA256SUMS", sums.into());
    }

    fn install(&self, arguments: &[&str]) -> Run {
        let mut sh = self.home.program("sh");
        sh.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).args(arguments);
        Run::of(sh, b"")
    }

    /// The files below a folder of the home.
    fn below(&self, name: &str) -> Vec<String> {
        let found = self.home.program("find").args([name, "-type", "f"]).output().unwrap();
        let mut lines: Vec<String> = String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[track_caller]
    fn refuses(&self, run: &Run, why: &str) {
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains(why), "{run:?}");
        assert_eq!(self.below(".local"), Vec::<String>::new());
    }
}

#[test]
fn the_program_its_pages_and_completions_are_installed_and_removed() {
    let release = Release::new();
    let run = release.install(&[]).code(0);
    let bin = release.home.path(".local/bin/msgrctl");
    assert!(run.stdout.starts_with(&format!("installed msgrctl {VERSION} as {}", bin.display())), "{run:?}");
    let begin = format!("begin with: {} demo", bin.display());
    for says in ["checksum good", "not in PATH", "to remove it: sh install.sh --remove", &begin] {
        assert!(run.stdout.contains(says), "{run:?} does not say {says}");
    }
    let pages = std::fs::read_dir("man").unwrap().count();
    let found = release.below(".local");
    assert_eq!(found.len(), pages + 4, "{found:?}");
    for name in [
        "share/man/man1/msgrctl-account-add.1",
        "share/man/man7/msgrctl-causes.7",
        "share/bash-completion/completions/msgrctl",
        "share/zsh/site-functions/_msgrctl",
        "share/fish/vendor_completions.d/msgrctl.fish",
    ] {
        assert!(found.contains(&format!(".local/{name}")), "{name} is not in {found:?}");
    }
    // Again, over the one that is there, which runs.
    release.install(&[]).code(0);
    assert_eq!(release.below(".local"), found);
    assert!(release.install(&["--remove"]).code(0).stdout.contains("accounts and secrets stay"));
    assert_eq!(release.below(".local"), Vec::<String>::new());
    release.refuses(&release.install(&["--remove"]), "nothing to remove");
}

#[test]
fn a_prefix_is_taken_and_may_be_relative() {
    let release = Release::new();
    let run = release.install(&["--prefix", "a place"]).code(0);
    assert!(release.home.path("a place/bin/msgrctl").exists(), "{run:?}");
    assert!(run.stdout.contains("a place\" --remove"), "{run:?} has no command that removes it");
    assert_eq!(release.below(".local"), Vec::<String>::new());
    release.home.file("taken", "");
    release.refuses(&release.install(&["--prefix", "taken"]), "hint: sh install.sh --prefix DIR");
    release.home.file("in part/share/fish", "");
    release.refuses(&release.install(&["--prefix", "in part"]), "cannot write");
    release.install(&["--prefix", "in part", "--remove"]).code(0);
    assert_eq!(release.below("in part"), ["in part/share/fish"]);
    for (prefix, why) in [("~/x", "did not replace the ~"), ("", "needs a directory")] {
        release.refuses(&release.install(&[&format!("--prefix={prefix}")]), why);
    }
    for version in ["../0.1.0", "0.1.*", "a b", ""] {
        release.refuses(&release.install(&["--version", version]), "is not a version");
    }
}

#[test]
fn two_at_once_are_both_well_and_leave_nothing_behind() {
    let release = Release::new();
    let start = || {
        let mut sh = release.home.program("sh");
        sh.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).stdout(Stdio::null()).stderr(Stdio::piped());
        sh.spawn().unwrap()
    };
    for _ in 0..4 {
        for run in [start(), start()] {
            let run = run.wait_with_output().unwrap();
            assert!(run.status.success(), "{run:?}");
        }
        let pages = std::fs::read_dir("man").unwrap().count();
        assert_eq!(release.below(".local").len(), pages + 4);
        release.install(&["--remove"]).code(0);
        assert_eq!(release.below(".local"), Vec::<String>::new());
    }
}

#[test]
fn odd_folders_and_addresses_are_taken_as_they_are_meant() {
    let mut release = Release::new();
    release.home.file("bin/msgrctl.new/mine", "");
    std::fs::create_dir(release.home.path("temporary")).unwrap();
    let path = format!("{}:{}", release.home.path("a b/bin").display(), std::env::var("PATH").unwrap());
    release.home.set("PATH", &path);
    release.home.set("TMPDIR", "temporary");
    let run = release.install(&["--prefix", "./a b/"]).code(0);
    assert!(!run.stdout.contains("not in PATH") && run.stdout.contains("begin with: msgrctl demo"), "{run:?}");
    assert_eq!(release.below("temporary"), Vec::<String>::new());
    release.install(&["--prefix", "."]).code(0);
    assert!(release.home.path("bin/msgrctl.new/mine").exists());
    for prefix in ["/", "/usr", "/usr/../usr/"] {
        release.refuses(&release.install(&["--prefix", prefix]), "is the place of packages of the system");
    }
    release.home.set("MSGRCTL_RELEASES", "http://ada:s3cret@127.0.0.1:1/r");
    let run = release.install(&[]);
    release.refuses(&run, "http://127.0.0.1:1/r/v");
    assert!(!run.stderr.contains("s3cret"), "{run:?}");
}

#[test]
fn a_program_that_does_not_run_here_leaves_nothing() {
    let release = Release::new();
    let name = archive();
    let program = release.home.path(&format!("{}/msgrctl", name.strip_suffix(".tar.gz").unwrap()));
    std::fs::write(program, "#!/no/such/loader\n").unwrap();
    let folder = name.strip_suffix(".tar.gz").unwrap();
    assert!(release.home.program("tar").args(["-czf", &name, folder]).status().unwrap().success());
    release.serves(&name, std::fs::read(release.home.path(&name)).unwrap());
    release.sums();
    release.refuses(&release.install(&[]), "the program does not run here, or is not");
}

#[test]
fn another_program_of_this_name_that_path_finds_first_is_named() {
    let mut release = Release::new();
    let other = release.home.file("other/msgrctl", "#!/bin/sh\n");
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    let folders = [release.home.path("other"), release.home.path(".local/bin")].map(|path| path.display().to_string());
    release.home.set("PATH", &format!("{}:{}", folders.join(":"), std::env::var("PATH").unwrap()));
    let run = release.install(&[]).code(0);
    assert!(run.stdout.contains(&format!("finds another msgrctl first: {}", other.display())), "{run:?}");
}

/// A redirect does not lead from https to what anyone on the way can change.
#[test]
fn from_https_only_https_is_asked() {
    let mut release = Release::new();
    let curl = release.home.file("other/curl", "#!/bin/sh\necho curl \"$@\" >&2; exit 7\n");
    std::fs::set_permissions(curl, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", release.home.path("other").display(), std::env::var("PATH").unwrap());
    release.home.set("PATH", &path);
    for (url, schemes) in
        [("https://example.org/r", "--proto =https "), ("http://example.org/r", "--proto =http,https ")]
    {
        release.home.set("MSGRCTL_RELEASES", url);
        let run = release.install(&[]);
        release.refuses(&run, "cannot download");
        assert!(run.stderr.contains(schemes), "{run:?}");
    }
}

#[test]
fn a_file_that_was_changed_or_cut_is_refused() {
    let release = Release::new();
    let whole = release.files.lock().unwrap()[&archive()].0.clone();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    release.serves(&archive(), changed);
    release.refuses(&release.install(&[]), "checksum mismatch");
    release.serves(&archive(), whole[..whole.len() / 2].to_vec());
    release.refuses(&release.install(&[]), "checksum mismatch");
    // The connection ends before the length that was announced.
    release.files.lock().unwrap().insert(archive(), (whole.clone(), whole.len() / 2));
    release.refuses(&release.install(&[]), "cannot download");
    // The sums are cut, or do not name the archive.
    release.serves(&archive(), whole);
    let sums = release.files.lock().unwrap()["SHA256SUMS"].0.clone();
    release.serves("SHA256SUMS", sums[..sums.len() / 2].to_vec());
    release.refuses(&release.install(&[]), "SHA256SUMS is not a list of checksums");
    release.serves("SHA256SUMS", b"<html>Log in</html>".to_vec());
    release.refuses(&release.install(&[]), "a login page may have answered");
    release.serves("SHA256SUMS", String::from_utf8(sums).unwrap().replace("msgrctl-", "other-").into());
    release.refuses(&release.install(&[]), &format!("the release {VERSION} has no {}", archive()));
    release.files.lock().unwrap().clear();
    release.refuses(&release.install(&[]), "is there a version");
}

#[test]
fn an_unknown_platform_is_refused_before_anything_is_asked() {
    let mut release = Release::new();
    let uname = release.home.file("other/uname", "#!/bin/sh\ncase $1 in -s) echo SunOS;; *) echo sun4v;; esac\n");
    std::fs::set_permissions(uname, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", release.home.path("other").display(), std::env::var("PATH").unwrap());
    release.home.set("PATH", &path);
    release.refuses(&release.install(&[]), "no archive for SunOS on sun4v");
    assert_eq!(*release.asked.lock().unwrap(), Vec::<String>::new());
}

/// `curl … | sh` runs what arrives, line by line.
#[test]
fn a_part_of_the_script_does_nothing() {
    let release = Release::new();
    let script = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")).unwrap();
    let end = script.trim_ascii_end().len();
    for cut in (0..end).step_by(97).chain(end - 40..end) {
        Run::of(release.home.program("sh"), &script[..cut]);
    }
    assert_eq!(*release.asked.lock().unwrap(), Vec::<String>::new());
    assert_eq!(release.below(".local"), Vec::<String>::new());
    assert_eq!(Run::of(release.home.program("sh"), &script).code, 0);
    assert_eq!(release.below(".local/bin"), [".local/bin/msgrctl"]);
}

#[test]
fn a_signature_is_checked_where_minisign_is_installed() {
    if Command::new("minisign").arg("-v").output().is_err() && !has("minisign", "minisign") {
        return;
    }
    let mut release = Release::new();
    let sign = |release: &Release, name: &str| {
        let sums = release.files.lock().unwrap()["SHA256SUMS"].0.clone();
        release.home.file("SHA256SUMS", sums);
        let keys = ["-p".to_owned(), format!("{name}.pub"), "-s".to_owned(), format!("{name}.key")];
        let made = release.home.program("minisign").args(["-G", "-W"]).args(&keys).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let signed =
            release.home.program("minisign").args(["-S", "-m", "SHA256SUMS"]).args(&keys[2..]).output().unwrap();
        assert!(signed.status.success(), "{signed:?}");
        release.serves("SHA256SUMS.minisig", std::fs::read(release.home.path("SHA256SUMS.minisig")).unwrap());
        let key = std::fs::read_to_string(release.home.path(&format!("{name}.pub"))).unwrap();
        key.lines().nth(1).unwrap().to_owned()
    };
    let stranger = sign(&release, "stranger");
    let key = sign(&release, "release");
    release.home.set("MSGRCTL_RELEASE_KEY", &stranger);
    release.refuses(&release.install(&[]), "is not signed with the release key");
    release.home.set("MSGRCTL_RELEASE_KEY", &key);
    assert!(release.install(&[]).code(0).stdout.contains("the signature is good"));
    release.install(&["--remove"]).code(0);
    release.files.lock().unwrap().remove("SHA256SUMS.minisig");
    release.refuses(&release.install(&[]), "SHA256SUMS.minisig");
    // Without minisign it says so: the checksum alone was checked.
    let tools = release.home.path("tools");
    std::fs::create_dir(&tools).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for tool in "sh awk cat chmod cp curl cut grep gzip mkdir mktemp mv rm sed sha256sum tar uname".split(' ') {
        let found = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.exists());
        if let Some(found) = found {
            std::os::unix::fs::symlink(found, tools.join(tool)).unwrap();
        }
    }
    release.home.set("PATH", tools.to_str().unwrap());
    assert!(release.install(&[]).code(0).stdout.contains("not checked: minisign is not installed"));
}
