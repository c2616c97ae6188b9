//! What the tests stand on.

#[cfg(unix)]
pub mod backend;
#[cfg(unix)]
pub mod browser;
#[cfg(unix)]
pub mod bus;
pub mod dialog;
pub mod documented;
pub mod fleet;
pub mod graph;
pub mod home;
pub mod hook;
#[cfg(unix)]
pub mod kills;
pub mod listening;
pub mod many;
#[cfg(unix)]
pub mod postgres;
#[cfg(unix)]
pub mod prompter;
pub mod proxy;
#[cfg(unix)]
pub mod pty;
pub mod receiver;
pub mod run;
#[cfg(unix)]
pub mod screen;
#[cfg(unix)]
pub mod seaweed;
pub mod taint;
pub mod tap;

#[cfg(unix)]
pub mod vault;
pub mod world;
#[cfg(unix)]
pub mod writes;
pub mod xml;

#[cfg(unix)]
pub use backend::Backend;
#[cfg(unix)]
pub use browser::Browser;
#[cfg(unix)]
pub use bus::Bus;
pub use fleet::Fleet;
pub use home::Home;
pub use hook::Hook;
#[cfg(unix)]
pub use kills::Kills;
pub use run::Run;
#[cfg(unix)]
pub use writes::Writes;

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Whether a program can be run here. Without it a test names what it could not
/// prove and passes; where the parts must be there (`MSGRCTL_TEST_ALL=1`, set by
/// the script that installs them) it fails.
pub fn has(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        let text = format!("not run: it needs {program} (Debian package {package})");
        assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        // Past the capture of the test harness, so that it is seen.
        let _ = writeln!(std::io::stderr(), "{name}: {text}");
    }
    found
}
