//! Who changes something: the system's user, or in CI the actor and the run.

use serde::{Deserialize, Serialize};

use crate::address;
use crate::env::Environment;
use crate::text::excerpt;

/// Who runs this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The system's name for the user.
    pub user: String,
    /// The run of a CI service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<CiRun>,
}

/// A run of a CI service, as its variables say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiRun {
    /// `github`, `gitlab`, `jenkins`, `circleci`, `azure`, or `ci` for any other.
    pub service: String,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// A service: the variable that marks it, its name, and the variables of the actor and of the
/// run's address.
const SERVICES: [(&str, &str, &str, &str); 5] = [
    ("GITHUB_ACTIONS", "github", "GITHUB_ACTOR", ""),
    ("GITLAB_CI", "gitlab", "GITLAB_USER_LOGIN", "CI_JOB_URL"),
    ("JENKINS_URL", "jenkins", "BUILD_USER_ID", "BUILD_URL"),
    ("CIRCLECI", "circleci", "CIRCLE_USERNAME", "CIRCLE_BUILD_URL"),
    ("TF_BUILD", "azure", "BUILD_REQUESTEDFOR", ""),
];

impl Who {
    /// From the variables of this process. They are text from outside: shortened, on one line.
    pub fn of(env: &Environment) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env.text(name));
        let user = user.map_or_else(who_without_a_name, |name| excerpt(name, 100));
        Self { user, ci: run_of(env) }
    }

    /// The actor of a CI run, or the user.
    pub fn name(&self) -> &str {
        self.ci.as_ref().and_then(|run| run.actor.as_deref()).unwrap_or(&self.user)
    }

    /// The address of the CI run.
    pub fn run(&self) -> Option<&str> {
        self.ci.as_ref()?.run.as_deref()
    }
}

fn run_of(env: &Environment) -> Option<CiRun> {
    let known = SERVICES.into_iter().find(|(marker, ..)| env.text(marker).is_some());
    let is_ci = || env.is_on("CI").then_some(("CI", "ci", "", "CI_JOB_URL"));
    let (_, service, actor, address) = known.or_else(is_ci)?;
    let text = |name: &str| env.text(name).map(|value| excerpt(value, 100)).filter(|value| !value.is_empty());
    let run = match service {
        "github" => of_parts(env, ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"], "actions/runs"),
        "azure" => {
            of_parts(env, ["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"], "_build/results?buildId=")
        }
        _ => env.text(address).map(str::to_owned),
    };
    // Nothing but an address, and no key in its query.
    let run = run.filter(|run| run.starts_with("https://") || run.starts_with("http://"));
    let run = run.map(|run| excerpt(&if service == "azure" { run } else { address::shown(&run) }, 300));
    Some(CiRun { service: service.to_owned(), actor: text(actor), run })
}

fn of_parts(env: &Environment, names: [&str; 3], between: &str) -> Option<String> {
    let [server, project, id] = names.map(|name| env.text(name));
    let id = id.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))?;
    let gap = if between.ends_with('=') { "" } else { "/" };
    Some(format!("{}/{}/{between}{gap}{id}", server?.trim_end_matches('/'), project?))
}

/// A container often has no variable for the user; the system knows the user's number.
#[cfg(unix)]
fn who_without_a_name() -> String {
    format!("uid {}", rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn who_without_a_name() -> String {
    "unknown".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> (String, Option<String>, Option<String>) {
        let env = variables.iter().fold(Environment::default(), |env, (name, value)| env.with(name, value));
        let who = Who::of(&env);
        (who.name().to_owned(), who.run().map(str::to_owned), who.ci.map(|run| run.service))
    }

    #[test]
    fn the_actor_and_the_address_of_a_run_are_known() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&[("USER", "ada")]), ("ada".into(), None, None));
        let github = [
            ("USER", "runner"),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "ada-l"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/pages"),
            ("GITHUB_RUN_ID", "123"),
        ];
        let run = some("https://github.com/acme/pages/actions/runs/123");
        assert_eq!(of(&github), ("ada-l".into(), run, some("github")));
        let job = "https://gitlab.example/acme/pages/-/jobs/9";
        let gitlab = [("CI", "true"), ("GITLAB_CI", "true"), ("GITLAB_USER_LOGIN", "ada"), ("CI_JOB_URL", job)];
        assert_eq!(of(&gitlab), ("ada".into(), some(job), some("gitlab")));
        let azure = [
            ("TF_BUILD", "True"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"),
            ("SYSTEM_TEAMPROJECT", "pages"),
            ("BUILD_BUILDID", "7"),
        ];
        assert_eq!(of(&azure).1, some("https://dev.azure.com/acme/pages/_build/results?buildId=7"));
        assert_eq!(of(&[("USER", "ci"), ("CI", "1")]), ("ci".into(), None, some("ci")));
        assert_eq!(of(&[("USER", "ci"), ("CI", "false")]).2, None);
    }

    #[test]
    fn variables_are_text_from_outside() {
        let (name, run, _) = of(&[
            ("CI", "true"),
            ("GITLAB_CI", "1"),
            ("GITLAB_USER_LOGIN", "a\u{1b}[31m\nb"),
            ("CI_JOB_URL", "https://x.example/?token=s3cret"),
        ]);
        assert_eq!((name.as_str(), run.as_deref()), ("a [31m b", Some("https://x.example/?token=********")));
        assert_eq!(of(&[("GITLAB_CI", "1"), ("CI_JOB_URL", "javascript:x")]).1, None);
    }
}
