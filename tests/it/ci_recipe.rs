//! The recipes of `msgrctl help ci` for GitHub Actions and GitLab, run as a runner runs them: a
//! shell, an empty home, no terminal, no D-Bus, and the variables of the job alone.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::documented::{Documented, yaml};
use crate::support::{Home, Run};

/// What a job does, as far as it concerns msgrctl.
struct Job {
    /// All that the recipe says of it and of the jobs together.
    text: String,
    /// Each is a shell's.
    steps: Vec<Step>,
}

struct Step {
    script: String,
    variables: BTreeMap<String, String>,
}

/// Both jobs of one CI.
struct Recipe {
    merge_request: Job,
    main: Job,
    /// How each job installs msgrctl.
    install: Vec<Step>,
}

/// What a runner puts into the values of variables.
struct Given<'a> {
    workspace: &'a Path,
    secrets: &'a [(&'static str, String)],
}

const MSGRCTL: &str = "msgrctl ";

fn recipes() -> [Recipe; 2] {
    let topic = Home::new().run(&["help", "ci"]).code(0).stdout;
    let (text, files) = topic.split_once("\n  # .github/workflows/accounts.yml\n").expect("the file of GitHub");
    let (of_github, of_gitlab) = files.split_once("\n  # .gitlab-ci.yml\n").expect("the file of GitLab");
    [github(&yaml(of_github)), gitlab(&yaml(of_gitlab), text)]
}

fn variables(of: &[&Value]) -> BTreeMap<String, String> {
    let maps = of.iter().filter_map(|value| value.as_object());
    maps.flatten().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// Whether a script is one to run here; what it does else is known, and was looked at.
#[track_caller]
fn runs_msgrctl(script: &str) -> bool {
    let runs = script.lines().any(|line| line.starts_with(MSGRCTL));
    assert!(runs || script.contains("| sha256sum --check"), "what is this step? {script}");
    assert!(!runs || script.lines().all(|line| line.starts_with(MSGRCTL)), "no line may go untested: {script}");
    runs
}

fn github(file: &Value) -> Recipe {
    let on: Vec<&str> = file["on"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(on, ["pull_request", "push"]);
    assert_eq!(file["on"]["push"]["branches"].to_string(), r#"["main"]"#);
    assert_eq!(file["permissions"].to_string(), r#"{"contents":"read"}"#);
    assert_eq!(file["jobs"].as_object().unwrap().len(), 2);
    let jobs = file["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
    let installs = steps.filter_map(|step| Some((step, step["run"].as_str()?))).filter(|(_, run)| !runs_msgrctl(run));
    let install = installs.map(|(step, run)| Step { script: run.into(), variables: variables(&[&step["env"]]) });
    let install: Vec<Step> = install.collect();
    assert_eq!(install.len(), 2, "each job installs it");
    let job = |event: &str| {
        let condition = format!("github.event_name == '{event}'");
        let jobs = file["jobs"].as_object().unwrap();
        let job = jobs.values().find(|job| job["if"] == condition).unwrap_or_else(|| panic!("no job at {event}"));
        let scripts = job["steps"].as_array().unwrap().iter().filter_map(|step| Some((step, step["run"].as_str()?)));
        let steps = scripts.filter(|(_, script)| runs_msgrctl(script)).map(|(step, script)| Step {
            script: script.to_owned(),
            variables: variables(&[&file["env"], &job["env"], &step["env"]]),
        });
        Job { text: format!("{} {job}", file["env"]), steps: steps.collect() }
    };
    let main = job("push");
    assert!(main.text.contains(r#""environment":"production""#) && main.text.contains(r#""concurrency""#));
    Recipe { merge_request: job("pull_request"), main, install }
}

fn gitlab(file: &Value, text: &str) -> Recipe {
    let lines = |list: &Value| {
        list.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    };
    let before = lines(&file["default"]["before_script"]);
    assert!(!runs_msgrctl(&before));
    let job = |rule: &str| {
        let is_it = |job: &&Value| job["rules"][0]["if"] == rule;
        let job = file.as_object().unwrap().values().find(is_it).unwrap_or_else(|| panic!("no job at {rule}"));
        let script = lines(&job["script"]);
        assert!(runs_msgrctl(&script));
        let variables = variables(&[&file["variables"], &job["variables"]]);
        Job {
            text: format!("{} {} {job}", file["default"], file["variables"]),
            steps: vec![Step { script, variables }],
        }
    };
    let mut main = job("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH");
    assert!(main.text.contains(r#""resource_group":"production""#) && main.text.contains(r#""cache""#));
    // Protected variables stand in the settings of the project: the topic names them.
    for (name, _) in Documented::start().secrets {
        assert!(text.contains(name), "{name} is not said to be a variable of the project");
        main.steps[0].variables.insert(name.to_owned(), format!("${name}"));
    }
    let install = vec![Step { script: before, variables: BTreeMap::new() }];
    Recipe { merge_request: job(r#"$CI_PIPELINE_SOURCE == "merge_request_event""#), main, install }
}

/// What stands in a variable on the runner; a secret that the CI does not have is empty.
#[track_caller]
fn expanded(value: &str, given: &Given<'_>) -> String {
    let actions = value.strip_prefix("${{ secrets.").and_then(|rest| rest.strip_suffix(" }}"));
    if let Some(name) = actions.or_else(|| value.strip_prefix('$').filter(|name| name.starts_with("ACME_"))) {
        let secret = given.secrets.iter().find(|(known, _)| *known == name);
        return secret.map(|(_, value)| value.clone()).unwrap_or_default();
    }
    let workspace = given.workspace.to_str().unwrap();
    let text = value.replace("${{ github.workspace }}", workspace).replace("$CI_PROJECT_DIR", workspace);
    assert!(!text.contains('$'), "what is this on a runner? {text}");
    text
}

/// A runner: the checked-out files, which a cache keeps from run to run here.
struct Runner {
    dir: tempfile::TempDir,
    graph_url: String,
}

impl Runner {
    fn new(graph_url: &str, manifest: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("msgrctl-ci-").tempdir().unwrap();
        for name in ["bin", "workspace"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_msgrctl"), dir.path().join("bin/msgrctl")).unwrap();
        let runner = Self { dir, graph_url: graph_url.to_owned() };
        runner.checks_out(manifest);
        runner
    }

    fn checks_out(&self, manifest: &str) {
        std::fs::write(self.workspace().join("accounts.yaml"), manifest).unwrap();
    }

    fn workspace(&self) -> PathBuf {
        self.dir.path().join("workspace")
    }

    fn loses_the_cache(&self) {
        std::fs::remove_dir_all(self.workspace().join(".msgrctl")).unwrap();
    }

    /// Runs the steps until one fails, as a runner does; what all of them said.
    fn runs(&self, job: &Job, secrets: &[(&'static str, String)]) -> Run {
        assert!(!job.steps.is_empty());
        let home = self.dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let path = format!("{}:/usr/bin:/bin", self.dir.path().join("bin").display());
        let workspace = self.workspace();
        let given = Given { workspace: &workspace, secrets };
        let mut all: Option<Run> = None;
        for step in &job.steps {
            let mut shell = Command::new("sh");
            shell.args(["-e", "-c", &step.script]).current_dir(&workspace).env_clear();
            shell.envs([("CI", "true"), ("PATH", path.as_str()), ("MSGRCTL_GRAPH_URL", self.graph_url.as_str())]);
            shell.env("HOME", &home);
            shell.envs(step.variables.iter().map(|(name, value)| (name, expanded(value, &given))));
            let run = Run::of(shell, b"");
            all = Some(match all {
                None => run,
                Some(before) => Run {
                    stdout: before.stdout + &run.stdout,
                    stderr: before.stderr + &run.stderr,
                    took: before.took + run.took,
                    ..run
                },
            });
            if all.as_ref().is_some_and(|all| all.code != 0) {
                break;
            }
        }
        // Whatever is kept is where the recipe says: the home of a runner is thrown away.
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0, "something was kept in the home");
        std::fs::remove_dir(&home).unwrap();
        all.unwrap()
    }
}

/// An address where somebody would notice a call.
struct Unasked {
    listener: TcpListener,
}

impl Unasked {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener }
    }

    fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    #[track_caller]
    fn was_not_asked(&self) {
        let asked = self.listener.accept();
        assert!(asked.is_err(), "somebody called: {asked:?}");
    }
}

/// The file with a program in place of a token, which would leave a file behind.
fn with_command(manifest: &str, leaves: &Path) -> String {
    let text = manifest.replace("{env: ACME_SALES_TOKEN}", &format!("{{command: [touch, \"{}\"]}}", leaves.display()));
    assert_ne!(text, manifest);
    text
}

#[test]
fn merge_requests_need_no_secret_and_ask_nobody() {
    let acme = Documented::start();
    for recipe in recipes() {
        let job = &recipe.merge_request;
        for word in ["secrets.", "ACME_", "MSGRCTL_", "--allow-commands", "environment", "production"] {
            assert!(!job.text.contains(word), "{word} in the job of a merge request: {}", job.text);
        }
        assert!(job.steps.iter().all(|step| step.variables.is_empty()));
        let meta = Unasked::new();
        let run = Runner::new(&meta.url(), &acme.manifest).runs(job, &[]).code(0);
        meta.was_not_asked();
        assert_eq!(run.stderr, "");
        run.shows(&[
            "ok: 2 accounts in accounts.yaml",
            "+ Acme Sales (acme-sales)",
            "env:ACME_SALES_TOKEN",
            "plan: 2 to add, 0 to change, 0 to remove, 0 unchanged; secrets and Meta were not checked",
        ]);
    }
    assert!(acme.hook.received().is_empty());
}

#[test]
fn mistakes_end_either_job_before_anybody_is_asked() {
    let acme = Documented::start();
    let wrong =
        acme.manifest.replace("page_id: \"109876543210988\"", "page_id: acme").replace("messages: {", "mesages: {");
    for recipe in recipes() {
        for job in [&recipe.merge_request, &recipe.main] {
            let meta = Unasked::new();
            let run = Runner::new(&meta.url(), &wrong).runs(job, &acme.secrets).code(3);
            let run = run.says(&["accounts.yaml:12:14: 'acme' is not a page id", "did you mean 'messages'?"]);
            assert_eq!(run.stdout, "");
            acme.is_silent(&run.stderr);
            meta.was_not_asked();
        }
    }
}

#[test]
fn no_job_runs_the_programs_that_a_file_names() {
    for recipe in recipes() {
        assert!(!recipe.main.text.contains("--allow-commands"));
        let acme = Documented::start();
        let leaves = tempfile::tempdir().unwrap();
        let trace = leaves.path().join("ran");
        let manifest = with_command(&acme.manifest, &trace);
        let meta = Unasked::new();
        Runner::new(&meta.url(), &manifest).runs(&recipe.merge_request, &[]).code(0).shows(&["command:touch "]);
        meta.was_not_asked();
        let runner = Runner::new(&acme.sandbox.url(), &manifest);
        let run = runner.runs(&recipe.main, &acme.secrets).code(9);
        let run =
            run.shows(&["! Acme Sales (acme-sales), accounts.yaml:", "--allow-commands", "1 that cannot be applied"]);
        acme.is_silent(&format!("{}{}", run.stdout, run.stderr));
        // The plan failed, so nothing was applied: of the other account neither.
        assert_eq!(acme.writes(), Vec::<String>::new());
        assert!(!trace.exists(), "it was run");
    }
}

#[test]
fn the_main_branch_makes_it_so_once() {
    for recipe in recipes() {
        let acme = Documented::start();
        let runner = Runner::new(&acme.sandbox.url(), &acme.manifest);
        let mut said = String::new();
        let mut counts = |expected: &str| {
            let run = runner.runs(&recipe.main, &acme.secrets).code(0);
            let result: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
            assert_eq!(result["summary"].to_string(), expected, "{run:#?}");
            said.push_str(&run.stdout);
            said.push_str(&run.stderr);
            run
        };
        let added = r#"{"added":2,"changed":0,"removed":0,"unchanged":0,"failed":0,"left":0}"#;
        let unchanged = r#"{"added":0,"changed":0,"removed":0,"unchanged":2,"failed":0,"left":0}"#;
        counts(added).shows(&["~ app 123456789012345", "+ Acme Support (acme-support)", "plan: 2 to add"]);
        let written = acme.writes();
        let expected =
            ["123456789012345/subscriptions", "109876543210987/subscribed_apps", "109876543210988/subscribed_apps"];
        assert_eq!(written, expected.map(|path| format!("POST /v26.0/{path}")));
        let asked = acme.hook.received()[0].query("hub.verify_token");
        assert_eq!(asked.as_deref(), Some(acme.secrets[1].1.as_str()));
        {
            let world = acme.sandbox.world();
            assert_eq!(world.subscriptions[0].callback_url, acme.hook.url);
            assert!(
                world
                    .pages
                    .iter()
                    .all(|page| page.subscribed["123456789012345"] == ["messages", "messaging_postbacks"])
            );
        }
        let records = runner.workspace().join(".msgrctl/tenants/default/accounts.toml");
        acme.is_silent(&std::fs::read_to_string(&records).unwrap());
        counts(unchanged).shows(&["nothing to change: 2 unchanged"]);
        assert_eq!(acme.writes(), written);
        runner.loses_the_cache();
        counts(added).shows(&["plan: 2 to add"]);
        counts(unchanged);
        assert_eq!(acme.writes(), written);
        assert!(acme.calls() > 20);
        acme.is_silent(&said);
    }
}

#[test]
fn a_secret_that_the_ci_does_not_have_stops_the_job_before_anything_is_changed() {
    for recipe in recipes() {
        let acme = Documented::start();
        let runner = Runner::new(&acme.sandbox.url(), &acme.manifest);
        let run = runner.runs(&recipe.main, &acme.secrets[..3]).code(9);
        acme.is_silent(&format!("{}{}", run.stdout, run.stderr));
        run.shows(&["token: the variable ACME_SALES_TOKEN is not set"]);
        assert_eq!(acme.writes(), Vec::<String>::new());
        assert!(!runner.workspace().join(".msgrctl/tenants").exists());
    }
}

/// The script with its address and sum, which take effect in a folder of the test's.
fn install_here(step: &Step, url: &str, sum: &str, dir: &Path) -> Run {
    let here = dir.to_str().unwrap();
    let script = step.script.replace("/tmp/", &format!("{here}/")).replace("/usr/local/bin", here).replace("sudo ", "");
    let given = |(name, value): (&str, &str)| {
        let placed = step.variables.get(name).is_some_and(|placed| placed == value);
        placed || script.contains(&format!("{name}={value}\n"))
    };
    let released = format!(
        "{repository}/releases/download/v{version}/msgrctl-{version}-x86_64-unknown-linux-musl.tar.gz",
        repository = env!("CARGO_PKG_REPOSITORY"),
        version = env!("CARGO_PKG_VERSION"),
    );
    assert!(given(("URL", &released)) && (given(("SHA256", "SUM"))), "{script}");
    let script = script.replace(&released, url).replace("SHA256=SUM", &format!("SHA256={sum}"));
    let mut shell = Command::new("bash");
    shell.args(["-e", "-o", "pipefail", "-c", &script]).env("URL", url).env("SHA256", sum);
    Run::of(shell, b"")
}

#[test]
fn the_jobs_install_the_file_that_was_pinned_and_no_other() {
    // The runners of both recipes are Linux, and have its tar.
    if !cfg!(target_os = "linux") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "msgrctl-x";
    std::fs::create_dir(dir.path().join(name)).unwrap();
    std::fs::write(dir.path().join(name).join("msgrctl"), "#!/bin/sh\n").unwrap();
    let archive = dir.path().join("release.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(dir.path()).arg("-czf").arg(&archive).arg(name);
    Run::of(tar, b"").code(0);
    let sum = hex::encode(Sha256::digest(std::fs::read(&archive).unwrap()));
    let url = format!("file://{}", archive.display());
    for step in recipes().iter().flat_map(|recipe| &recipe.install) {
        let bin = tempfile::tempdir().unwrap();
        install_here(step, &url, &sum, bin.path()).code(0);
        assert!(bin.path().join("msgrctl").exists());
        let bin = tempfile::tempdir().unwrap();
        let run = install_here(step, &url, &"0".repeat(64), bin.path());
        assert!(run.code != 0 && !bin.path().join("msgrctl").exists(), "{run:?}");
    }
}
