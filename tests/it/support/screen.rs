//! Whole outputs kept as files, so that a change is read as a person sees it.
//!
//! `run.screen("name")` compares the command line, the exit code and every line of both
//! streams with `tests/it/snapshots/name.snap`; `pty.screen("name")` compares what a
//! terminal shows at the end. What differs from run to run stands there as `[TIME]`,
//! `[HOME]`, `[PORT]` and the like ([`REDACTIONS`]), and JSON stands over several lines.
//!
//! To accept a change of wording, or a new snapshot (`screens`, or another module that
//! fails):
//!
//! ```sh
//! INSTA_UPDATE=always cargo test --locked --test it screens
//! git diff tests/it/snapshots
//! ```
//!
//! Read the difference as a person who gets this output would, then commit it with the
//! code. Without the variable nothing is written, and a snapshot that is missing or
//! differs fails its test (`.config/insta.yaml`). A name has a hyphen and is written once,
//! as a literal; `screens::every_snapshot_has_its_test` names the files that no test
//! compares any more: delete them.

use std::num::NonZero;
use std::sync::LazyLock;

use insta::{Settings, assert_snapshot};
use regex_lite::{NoExpand, Regex};
use serde_json::{Map, Value};

use super::pty::Pty;
use super::run::Run;

/// Where the snapshots are.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/snapshots");

/// Of a terminal from which nothing moves up out of sight.
const HEIGHT: NonZero<u16> = NonZero::new(1000).unwrap();

/// `(pattern, what stands in its place)`, in this order. What is replaced has the same
/// length in every run, so that columns and broken lines stay where they are.
const REDACTIONS: &[(&str, &str)] = &[
    (r"EAA[A-Za-z0-9]{8,}", "[TOKEN]"),
    // In an address, where a folder's name may be written otherwise.
    (r"unix:path=[^`]*no-bus", "unix:path=[HOME]/no-bus"),
    // Of a secret that is masked.
    (r"\*{8}[A-Za-z0-9]{4}\b", "********[END]"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[ID]"),
    // The id of a change.
    (r#""id": "[0-9a-f]{12}""#, r#""id": "[ID]""#),
    (r#""undoes": "[0-9a-f]{12}""#, r#""undoes": "[ID]""#),
    (r"\bundo [0-9a-f]{12}\b", "undo [ID]"),
    (r"\bundone by [0-9a-f]{12}\b", "undone by [ID]"),
    (r"\bafter [0-9a-f]{12}\b", "after [ID        ]"),
    (r"(?m)^[0-9a-f]{12}\b", "[ID        ]"),
    (r"\((\d+ (min|h|days) ago|just now)\)", "([AGO])"),
    (r"\bm_[A-Za-z0-9_-]{60,}", "[MESSAGE ID]"),
    (r"\btrace A[A-Za-z0-9]{22}\b", "trace [TRACE]"),
    (r#""fbtrace_id": "A[A-Za-z0-9]{22}""#, r#""fbtrace_id": "[TRACE]""#),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
    // As long as it was: it stands in a column.
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[TIME             ]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[TIME]"),
    (r"\b[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d UTC", "[TIME]"),
    (r"\b\d\d:\d\d:\d\d\b", "[TIME]"),
    (r"\b20\d\d-\d\d-\d\d\b", "[DATE]"),
    (r"\b\d+ ms\b", "[N] ms"),
    (r#""duration_ms": \d+"#, r#""duration_ms": [N]"#),
    (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[PORT]"),
];

/// What is replaced: the folders of the test, the version, and [`REDACTIONS`].
static REPLACED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let temporary = std::env::temp_dir();
    let temporary = regex_lite::escape(temporary.to_string_lossy().trim_end_matches('/'));
    let version = regex_lite::escape(concat!("msgrctl ", env!("CARGO_PKG_VERSION")));
    let machine = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let first = [
        (format!(r"(/private)?{temporary}/msgrctl-it-\w{{6}}"), "[HOME]"),
        (version, "msgrctl [VERSION]"),
        (machine, "[MACHINE]"),
    ];
    let rest = REDACTIONS.iter().map(|(pattern, instead)| ((*pattern).to_owned(), *instead));
    first.into_iter().chain(rest).map(|(pattern, instead)| (Regex::new(&pattern).unwrap(), instead)).collect()
});

/// Compares a text with the snapshot of that name.
#[track_caller]
pub fn compare(name: &str, text: &str) {
    let text = REPLACED
        .iter()
        .fold(text.to_owned(), |text, (pattern, instead)| pattern.replace_all(&text, NoExpand(instead)).into_owned());
    let mut settings = Settings::new();
    settings.set_snapshot_path(FOLDER);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, text));
}

/// Colours as text, and each line of JSON over as many lines as it has values: a
/// difference is then seen where it is.
fn readable(text: &str) -> String {
    text.replace('\u{1b}', "␛")
        .lines()
        .map(|line| match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(object) => serde_json::to_string_pretty(&object).unwrap() + "\n",
            Err(_) => format!("{line}\n"),
        })
        .collect()
}

impl Run {
    /// Compares all of it with the snapshot of that name.
    #[track_caller]
    pub fn screen(self, name: &str) -> Self {
        let (stdout, stderr) = (readable(&self.stdout), readable(&self.stderr));
        let text = format!(
            "$ {}\nexit code: {}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}",
            self.command, self.code
        );
        compare(name, &text);
        self
    }
}

impl Pty {
    /// Reads to the end, and compares what the terminal shows then, what has moved up out
    /// of it included, with the snapshot of that name.
    #[track_caller]
    pub fn screen(mut self, name: &str) {
        let (command, columns) = (std::mem::take(&mut self.command), self.columns);
        let (bytes, code) = self.all();
        let mut terminal = vt100::Parser::new(HEIGHT, NonZero::new(columns).unwrap(), 0);
        terminal.process(&bytes);
        let shown = terminal.screen().contents();
        let text = format!("$ {command}\nexit code: {code}\n----- {columns} columns -----\n{}", shown.trim_start());
        compare(name, &text);
    }
}
