//! The recipes of `msgrctl help ci` for GitHub Actions and GitLab, run as a runner runs them: a
//! shell, an empty home, no terminal, no D-Bus, and the variables of the job alone.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::documented::{Documented, yaml};
use crate::support::postgres::{PASSWORD, Postgres, postgres};
use crate::support::seaweed::{LEAST, Seaweed, seaweed};
use crate::support::vault::{Folder, made_up};
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

/// The jobs of one CI.
struct Recipe {
    merge_request: Job,
    /// On the main branch: saves a plan.
    plan: Job,
    /// After an approval: applies it.
    apply: Job,
    /// `config.toml`, where it is a part of the checked-out files; its secrets are in Vault.
    config: Option<String>,
    /// How each job installs msgrctl.
    install: Vec<Step>,
}

/// What a runner puts into the values of variables.
struct Given<'a> {
    workspace: &'a Path,
    secrets: &'a [(&'static str, String)],
    state: &'a str,
}

const MSGRCTL: &str = "msgrctl ";

fn recipes() -> [Recipe; 2] {
    let topic = Home::new().run(&["help", "ci"]).code(0).stdout;
    let (text, files) = topic.split_once("\n  # .github/workflows/accounts.yml\n").expect("the file of GitHub");
    let (of_github, files) = files.split_once("\n  # msgrctl/config.toml\n").expect("the settings");
    let (config, of_gitlab) = files.split_once("\n  # .gitlab-ci.yml\n").expect("the file of GitLab");
    [github(&yaml(of_github), config), gitlab(&yaml(of_gitlab), text)]
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

fn github(file: &Value, config: &str) -> Recipe {
    let on: Vec<&str> = file["on"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(on, ["pull_request", "push"]);
    assert_eq!(file["on"]["push"]["branches"].to_string(), r#"["main"]"#);
    assert_eq!(file["permissions"].to_string(), r#"{"contents":"read"}"#);
    assert_eq!(file["jobs"].as_object().unwrap().len(), 3);
    let jobs = file["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
    let installs = steps.filter_map(|step| Some((step, step["run"].as_str()?))).filter(|(_, run)| !runs_msgrctl(run));
    let install = installs.map(|(step, run)| Step { script: run.into(), variables: variables(&[&step["env"]]) });
    let install: Vec<Step> = install.collect();
    assert_eq!(install.len(), 3, "each job installs it");
    let job = |name: &str| {
        let job = &file["jobs"][name];
        let scripts = job["steps"].as_array().unwrap().iter().filter_map(|step| Some((step, step["run"].as_str()?)));
        let steps = scripts.filter(|(_, script)| runs_msgrctl(script)).map(|(step, script)| Step {
            script: script.to_owned(),
            variables: variables(&[&file["env"], &job["env"], &step["env"]]),
        });
        Job { text: format!("{} {job}", file["env"]), steps: steps.collect() }
    };
    let [check, plan, apply] = ["check", "plan", "apply"].map(&job);
    let jobs = &file["jobs"];
    assert_eq!(jobs["check"]["if"], "github.event_name == 'pull_request'");
    assert_eq!(jobs["plan"]["if"], "github.event_name == 'push'");
    assert_eq!(jobs["apply"]["needs"], "plan");
    assert!(apply.text.contains(r#""environment":"production""#) && apply.text.contains(r#""concurrency""#));
    for job in [&plan, &apply] {
        assert!(
            job.text.contains(r#""id-token":"write""#) && job.text.contains("aws-actions/configure-aws-credentials")
        );
    }
    let hands_on = [(&plan, "upload"), (&apply, "download")];
    assert!(hands_on.iter().all(|(job, way)| job.text.contains(&format!("actions/{way}-artifact"))));
    Recipe { merge_request: check, plan, apply, config: Some(config.to_owned()), install }
}

fn gitlab(file: &Value, text: &str) -> Recipe {
    let lines = |list: &Value| {
        list.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
    };
    let before = lines(&file["default"]["before_script"]);
    assert!(!runs_msgrctl(&before));
    let job = |name: &str| {
        let job = &file[name];
        let script = lines(&job["script"]);
        assert!(runs_msgrctl(&script));
        let variables = variables(&[&file["variables"], &job["variables"]]);
        Job {
            text: format!("{} {} {job}", file["default"], file["variables"]),
            steps: vec![Step { script, variables }],
        }
    };
    let [check, mut plan, mut apply] = ["check", "plan", "apply"].map(&job);
    assert_eq!(file["check"]["rules"][0]["if"], r#"$CI_PIPELINE_SOURCE == "merge_request_event""#);
    for (name, when) in [("plan", Value::Null), ("apply", "manual".into())] {
        let rule = &file[name]["rules"][0];
        assert_eq!((&rule["if"], &rule["when"]), (&"$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH".into(), &when));
    }
    assert!(apply.text.contains(r#""resource_group":"production""#) && apply.text.contains(r#""needs":["plan"]"#));
    assert!(plan.text.contains(r#""paths":["accounts.plan"]"#));
    // Protected variables stand in the settings of the project: the topic names them.
    for name in Documented::start().secrets.iter().map(|(name, _)| *name).chain(OF_PROJECT) {
        assert!(text.contains(name), "{name} is not said to be a variable of the project");
        for job in [&mut plan, &mut apply] {
            job.steps[0].variables.insert(name.to_owned(), format!("${name}"));
        }
    }
    let install = vec![Step { script: before, variables: BTreeMap::new() }];
    Recipe { merge_request: check, plan, apply, config: None, install }
}

/// More variables of a project at GitLab: the password of the state, and the key of plans.
const OF_PROJECT: [&str; 2] = ["PGPASSWORD", "MSGRCTL_SECRET_DEFAULT_PLAN_KEY"];

/// The addresses of the states in the recipes.
const BUCKET: &str = "s3://your-team/msgrctl";
const DATABASE: &str = "postgres://msgrctl@db.example.com/team";

/// What stands in a variable on the runner; a secret that the CI does not have is empty.
#[track_caller]
fn expanded(value: &str, given: &Given<'_>) -> String {
    if let Some(name) = value.strip_prefix('$').filter(|name| !name.starts_with("CI_") && !name.starts_with('{')) {
        let secret = given.secrets.iter().find(|(known, _)| *known == name);
        return secret.map(|(_, value)| value.clone()).unwrap_or_default();
    }
    let workspace = given.workspace.to_str().unwrap();
    let text = value.replace("${{ github.workspace }}", workspace).replace("$CI_PROJECT_DIR", workspace);
    assert!(!text.contains('$'), "what is this on a runner? {text}");
    text.replace(DATABASE, given.state)
}

/// A CI service with a repository: each job gets a runner of its own, which has the checked-out
/// files and nothing else.
struct Service<'a> {
    recipe: &'a Recipe,
    graph_url: String,
    /// The state that the team shares.
    state: String,
    /// The variables of each job, which the service and its actions set.
    variables: Vec<(&'static str, String)>,
    secrets: Vec<(&'static str, String)>,
    files: BTreeMap<&'static str, String>,
}

impl<'a> Service<'a> {
    /// One whose jobs of merge requests reach that Graph, and nothing that asks for a secret.
    fn bare(recipe: &'a Recipe, graph_url: &str, manifest: &str) -> Self {
        let nowhere = "s3://nowhere/x?endpoint=http://127.0.0.1:1".into();
        let mut files = BTreeMap::from([("accounts.yaml", manifest.to_owned())]);
        files.extend(recipe.config.clone().map(|config| ("msgrctl/config.toml", config)));
        let (variables, secrets) = (Vec::new(), Vec::new());
        Self { recipe, graph_url: graph_url.into(), state: nowhere, variables, secrets, files }
    }

    /// One with the state in a bucket, and `acme`'s secrets in its own variables or in Vault.
    fn start(
        recipe: &'a Recipe,
        acme: &Documented,
        manifest: &str,
        secrets: &[(&'static str, String)],
    ) -> Option<Self> {
        let mut this = Self::bare(recipe, &acme.sandbox.url(), manifest);
        let Some(config) = &recipe.config else {
            let (server, schema) = (postgres()?, Postgres::schema());
            // The rights that are printed, and no other.
            let admin = server.home("team", &schema).run(&["doctor", "--print-policy", "postgres"]).code(0).stdout;
            server.psql("team", &admin, &["writer=writer", "reader=reader"]);
            this.state = server.address("writer", &schema, "");
            this.secrets = secrets.to_vec();
            this.secrets.push(("PGPASSWORD", PASSWORD.into()));
            this.secrets.push(("MSGRCTL_SECRET_DEFAULT_PLAN_KEY", PLAN_KEY.into()));
            return Some(this);
        };
        let bucket = seaweed()?;
        let folder = Folder::new()?;
        this.state = bucket.address(&Seaweed::prefix(), "");
        let keys =
            [("AWS_ACCESS_KEY_ID", LEAST[0]), ("AWS_SECRET_ACCESS_KEY", LEAST[1]), ("AWS_REGION", "eu-central-1")];
        let keys = keys.map(|(name, value)| (name, value.to_owned()));
        // The action that takes the role sets the keys of the state.
        this.variables.extend(keys);
        let login = folder.jwt_login();
        let token = login.token("msgrctl", 300);
        let service = made_up(move |_, _| (200, String::new(), json!({"value": token}).to_string()));
        this.variables.push(("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{service}/token?x=1")));
        this.variables.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "requestmark0123456789".into()));
        let fields: Map<String, Value> =
            secrets.iter().map(|(name, value)| ((*name).into(), (*value).clone().into())).collect();
        let path = format!("{}/acme", folder.path);
        folder.bao.call("POST", &format!("secret/data/{path}"), &json!({"data": fields}));
        let mut text = manifest.to_owned();
        for (name, _) in &acme.secrets {
            text = text.replace(&format!("{{env: {name}}}"), &format!("{{vault: \"{path}#{name}\"}}"));
        }
        let role = "role = \"msgrctl\"";
        assert!(config.contains(BUCKET) && config.contains(role), "{config}");
        let config = config.replace(BUCKET, &this.state).replace("https://vault.example.com", &folder.bao.address);
        let own = format!("role = \"ci\"\nauth_mount = \"{}\"\npath = \"{}\"", login.mount, folder.path);
        this.files = BTreeMap::from([("accounts.yaml", text), ("msgrctl/config.toml", config.replace(role, &own))]);
        Some(this)
    }

    /// Runs a job on a runner of its own, and returns what it left: what its steps said, and its
    /// files.
    fn runs(&self, job: &Job, artifacts: &BTreeMap<&'static str, String>) -> (Run, BTreeMap<&'static str, String>) {
        let dir = tempfile::Builder::new().prefix("msgrctl-ci-").tempdir().unwrap();
        for name in ["bin", "home"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_msgrctl"), dir.path().join("bin/msgrctl")).unwrap();
        let workspace = dir.path().join("workspace");
        for (name, text) in self.files.iter().chain(artifacts) {
            let path = workspace.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let run = self.steps(job, dir.path());
        // The home of a runner is thrown away.
        assert_eq!(std::fs::read_dir(dir.path().join("home")).unwrap().count(), 0, "something was kept in the home");
        let read = |path: PathBuf| std::fs::read_to_string(path).ok();
        let left =
            [("accounts.plan", read(workspace.join("accounts.plan"))), ("summary", read(dir.path().join("summary")))];
        (run, left.into_iter().filter_map(|(name, text)| Some((name, text?))).collect())
    }

    /// Runs the steps until one fails, as a runner does; what all of them said.
    fn steps(&self, job: &Job, dir: &Path) -> Run {
        assert!(!job.steps.is_empty());
        let path = format!("{}:/usr/bin:/bin", dir.join("bin").display());
        let workspace = dir.join("workspace");
        let given = Given { workspace: &workspace, secrets: &self.secrets, state: &self.state };
        let mut all: Option<Run> = None;
        for step in &job.steps {
            let mut shell = Command::new("sh");
            shell.args(["-e", "-c", &step.script]).current_dir(&workspace).env_clear();
            shell.envs([("CI", "true"), ("PATH", path.as_str()), ("MSGRCTL_GRAPH_URL", self.graph_url.as_str())]);
            shell.env("HOME", dir.join("home")).env("GITHUB_STEP_SUMMARY", dir.join("summary"));
            shell.envs(self.variables.iter().cloned());
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
        all.unwrap()
    }

    /// What a push to the main branch plans: what the job said, and the plan where it saved one.
    fn plans(&self) -> (Run, BTreeMap<&'static str, String>) {
        let (run, mut left) = self.runs(&self.recipe.plan, &BTreeMap::new());
        let shown = left.remove("summary").unwrap_or_default();
        (Run { stdout: run.stdout + &shown, ..run }, left)
    }

    /// A push to the main branch, approved at once: what the plan showed, and what came of it.
    fn deploys(&self) -> (Run, Run) {
        let (shown, plan) = self.plans();
        let shown = shown.code(0);
        assert!(plan.contains_key("accounts.plan"), "{shown:#?}");
        (shown, self.runs(&self.recipe.apply, &plan).0)
    }
}

/// The key of plans in a variable of the project.
const PLAN_KEY: &str = "plankeymark0123456789abcdefghijklmnop";

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
        for word in ["secrets.", "ACME_", "MSGRCTL_", "--allow-commands", "environment", "production", "id-token"] {
            assert!(!job.text.contains(word), "{word} in the job of a merge request: {}", job.text);
        }
        assert!(job.steps.iter().all(|step| step.variables.is_empty()));
        let meta = Unasked::new();
        let (run, _) = Service::bare(&recipe, &meta.url(), &acme.manifest).runs(job, &BTreeMap::new());
        let run = run.code(0);
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
        for job in [&recipe.merge_request, &recipe.plan] {
            let meta = Unasked::new();
            let mut service = Service::bare(&recipe, &meta.url(), &wrong);
            service.secrets.clone_from(&acme.secrets);
            let (run, left) = service.runs(job, &BTreeMap::new());
            let run = run.code(3).says(&["accounts.yaml:12:14: 'acme' is not a page id", "did you mean 'messages'?"]);
            assert_eq!(run.stdout, "");
            assert!(!left.contains_key("accounts.plan"));
            acme.is_silent(&run.stderr);
            meta.was_not_asked();
        }
    }
}

#[test]
fn no_job_runs_the_programs_that_a_file_names() {
    for recipe in recipes() {
        assert!([&recipe.plan, &recipe.apply].iter().all(|job| !job.text.contains("--allow-commands")));
        let acme = Documented::start();
        let leaves = tempfile::tempdir().unwrap();
        let trace = leaves.path().join("ran");
        let manifest = with_command(&acme.manifest, &trace);
        let meta = Unasked::new();
        let bare = Service::bare(&recipe, &meta.url(), &manifest);
        bare.runs(&recipe.merge_request, &BTreeMap::new()).0.code(0).shows(&["command:touch "]);
        meta.was_not_asked();
        let Some(service) = Service::start(&recipe, &acme, &manifest, &acme.secrets) else { return };
        let (run, left) = service.plans();
        let run = run.code(9);
        assert!(run.stdout.contains("--allow-commands") && run.stdout.contains("Acme Sales"), "{run:#?}");
        acme.is_silent(&format!("{}{}", run.stdout, run.stderr));
        assert!(left.is_empty(), "such a plan is not saved");
        assert_eq!(acme.writes(), Vec::<String>::new());
        assert!(!trace.exists(), "it was run");
    }
}

#[test]
fn the_main_branch_makes_it_so_once() {
    for recipe in recipes() {
        let acme = Documented::start();
        let Some(service) = Service::start(&recipe, &acme, &acme.manifest, &acme.secrets) else { return };
        let mut said = String::new();
        let mut counts = |expected: &str| {
            let (shown, run) = service.deploys();
            let run = run.code(0);
            let result: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
            assert_eq!(result["summary"].to_string(), expected, "{run:#?}");
            said.extend([&shown.stdout, &shown.stderr, &run.stdout, &run.stderr].map(String::as_str));
            shown
        };
        let added = r#"{"added":2,"changed":0,"removed":0,"unchanged":0,"failed":0,"left":0}"#;
        let unchanged = r#"{"added":0,"changed":0,"removed":0,"unchanged":2,"failed":0,"left":0}"#;
        counts(added).shows(&["123456789012345", "Acme Support", "2 to add"]);
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
        // The next runner has nothing of the first, and the state has all.
        counts(unchanged).shows(&["2 unchanged"]);
        assert_eq!(acme.writes(), written);
        assert!(acme.calls() > 20);
        acme.is_silent(&said);
        assert!(!said.contains(PLAN_KEY) && !said.contains(LEAST[1]) && !said.contains(PASSWORD), "{said}");
    }
}

#[test]
fn a_plan_that_is_old_when_it_is_approved_changes_nothing() {
    for recipe in recipes() {
        let acme = Documented::start();
        let Some(service) = Service::start(&recipe, &acme, &acme.manifest, &acme.secrets) else { return };
        let (_, plan) = service.plans();
        for value in acme.secrets.iter().map(|(_, value)| value) {
            assert!(!plan["accounts.plan"].contains(value.as_str()), "a secret is in the plan");
        }
        // A push that was approved before it.
        service.deploys().1.code(0);
        let written = acme.writes();
        let (run, _) = service.runs(&recipe.apply, &plan);
        run.code(1).says(&["plan-stale", "were changed since it was made"]);
        assert_eq!(acme.writes(), written);
        // One that was edited on the way.
        let (_, mut plan) = service.plans();
        let edited = plan["accounts.plan"].replace("acme-sales", "acme-sale5");
        plan.insert("accounts.plan", edited);
        service.runs(&recipe.apply, &plan).0.code(1).says(&["plan-edited"]);
        assert_eq!(acme.writes(), written);
    }
}

#[test]
fn a_secret_that_the_ci_does_not_have_stops_the_job_before_anything_is_changed() {
    for recipe in recipes() {
        let acme = Documented::start();
        let Some(service) = Service::start(&recipe, &acme, &acme.manifest, &acme.secrets[..3]) else { return };
        let (run, left) = service.plans();
        let run = run.code(9);
        acme.is_silent(&format!("{}{}", run.stdout, run.stderr));
        let why = if recipe.config.is_some() {
            "Vault has no field ACME_SALES_TOKEN at "
        } else {
            "the variable ACME_SALES_TOKEN is not set"
        };
        assert!(run.stdout.contains(why), "{run:#?}");
        assert!(left.is_empty(), "such a plan is not saved");
        assert_eq!(acme.writes(), Vec::<String>::new());
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
