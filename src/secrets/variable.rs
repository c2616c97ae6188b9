//! Recognises variables by name: msgrctl's own, and those in which CI systems, clouds and
//! package managers keep credentials. A verify token, which is sent to a callback URL, is not
//! read from one of them, whatever its value looks like.

use super::SecretKind;

/// The prefix of msgrctl's own variables.
const OURS: &str = "MSGRCTL_";

/// The variables of the read-only `env` store: `MSGRCTL_SECRET_ACME_SUPPORT_APP_SECRET`.
pub(super) fn of_store(handle: &str, kind: SecretKind) -> String {
    format!("{OURS}SECRET_{handle}_{}", kind.key()).to_uppercase().replace(['-', '.'], "_")
}

/// Owners of variables, and the names' patterns, between spaces: `*` stands for anything.
const KNOWN: [(&str, &str); 30] = [
    ("GitHub", "GITHUB_*TOKEN* GITHUB_PAT* GH_TOKEN* GH_PAT* GH_*_TOKEN ACTIONS_* RUNNER_* HOMEBREW_GITHUB_*"),
    ("GitLab", "CI_JOB_* CI_BUILD_TOKEN CI_REPOSITORY_URL CI_*_PASSWORD CI_*_TOKEN GITLAB_* GL_TOKEN"),
    ("the CI system", "CIRCLE_* BUILDKITE_* BITBUCKET_* TRAVIS_* JENKINS_* DRONE_* SYSTEM_ACCESSTOKEN TEAMCITY_*"),
    ("AWS", "AWS_*"),
    ("Azure", "AZURE_* ARM_*"),
    ("Google Cloud", "GOOGLE_* GCP_* GCLOUD_* CLOUDSDK_* GCS_*"),
    ("DigitalOcean", "DIGITALOCEAN_* DO_TOKEN SPACES_*"),
    ("Cloudflare", "CLOUDFLARE_* CF_API_*"),
    ("HashiCorp", "VAULT_* CONSUL_* NOMAD_* TFE_* TF_TOKEN* ATLAS_TOKEN"),
    ("npm", "NPM_* NODE_AUTH_TOKEN YARN_*TOKEN*"),
    ("a package registry", "PYPI_* TWINE_* UV_PUBLISH_* POETRY_* CARGO_*TOKEN* GEM_HOST_* RUBYGEMS_* NUGET_* MAVEN_*"),
    ("a package registry", "SONATYPE_* OSSRH_* ARTIFACTORY_*"),
    ("Docker", "DOCKER_* DOCKERHUB_* REGISTRY_* GHCR_* QUAY_*"),
    ("Kubernetes", "KUBE* K8S_* HELM_*"),
    ("SSH", "SSH_* *_SSH_KEY DEPLOY_KEY*"),
    ("a database", "DATABASE_URL* *_DATABASE_URL *_DSN DB_* PG* POSTGRES* MYSQL_* MARIADB_* MONGO* REDIS*"),
    ("a database", "*CONNECTION_STRING*"),
    ("Slack", "SLACK_*"),
    ("Stripe", "STRIPE_*"),
    ("an AI service", "OPENAI_* ANTHROPIC_* CLAUDE_* GEMINI_* MISTRAL_* HF_TOKEN HUGGING*"),
    ("Sentry", "SENTRY_*"),
    ("Datadog", "DD_* DATADOG_*"),
    ("a mail or text service", "SENDGRID_* MAILGUN_* TWILIO_* SMTP_*"),
    ("a hosting service", "HEROKU_* NETLIFY_* VERCEL_* FLY_* RENDER_* RAILWAY_*"),
    ("a keeper of secrets", "OP_* BW_* BWS_* DOPPLER_* INFISICAL_* SOPS_* AGE_* GPG_* ANSIBLE_*"),
    ("a code scanner", "SONAR_* SNYK_* CODECOV_*"),
    ("something else, as its name says", "*PASSWORD* *PASSWD* *PASSPHRASE* *PRIVATE_KEY* *SECRET_KEY* *ACCESS_KEY*"),
    ("something else, as its name says", "*API_KEY* *APIKEY* *API_TOKEN* *CREDENTIAL* *CLIENT_SECRET* *APP_SECRET*"),
    ("something else, as its name says", "*PAGE_TOKEN* *ACCESS_TOKEN* *ACCESSTOKEN* *REFRESH_TOKEN* *_PAT"),
    ("something else, as its name says", "*SIGNING_KEY* *ENCRYPTION_KEY*"),
];

/// Why a variable that a manifest names must not hold a secret of `kind` for the account with
/// this handle; judged only by the name, before it is read.
pub fn misplaced(name: &str, kind: SecretKind, handle: &str) -> Option<String> {
    let upper = name.to_uppercase();
    if upper.starts_with(OURS) {
        return (!is_of_kind(&upper, kind, handle))
            .then(|| format!("{name} is a variable of msgrctl's own, and not the {kind} of this account"));
    }
    // A name that says what it holds may begin like any of these.
    if kind != SecretKind::VerifyToken || upper.contains("VERIFY") {
        return None;
    }
    let (whose, _) = KNOWN.iter().find(|(_, names)| names.split(' ').any(|pattern| matches(pattern, &upper)))?;
    Some(format!("{name} is a credential of {whose}, and a verify token goes to the callback URL"))
}

/// Whether one of msgrctl's variables is for this kind of secret. A token or an app secret may
/// be another account's: it is sent only to Graph, and several accounts share an app.
fn is_of_kind(name: &str, kind: SecretKind, handle: &str) -> bool {
    let shared = match kind {
        SecretKind::PageAccessToken => Some("MSGRCTL_PAGE_TOKEN"),
        SecretKind::AppSecret => Some("MSGRCTL_APP_SECRET"),
        SecretKind::VerifyToken | SecretKind::NextVerifyToken => Some("MSGRCTL_VERIFY_TOKEN"),
        SecretKind::UserAccessToken | SecretKind::PlanKey => None,
    };
    let of_any = !kind.is_verify_token()
        && name.starts_with("MSGRCTL_SECRET_")
        && name.ends_with(&format!("_{}", kind.key().to_uppercase()));
    Some(name) == shared || name == of_store(handle, kind) || of_any
}

/// Whether a name matches a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name
            .strip_prefix(begin)
            .is_some_and(|name| rest.is_empty() || name.char_indices().any(|(at, _)| matches(rest, &name[at..]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_others_are_no_place_for_a_verify_token() {
        for name in [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "CI_JOB_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "VAULT_TOKEN",
            "NPM_TOKEN",
            "DATABASE_URL",
            "HEROKU_POSTGRESQL_DATABASE_URL",
            "SSH_PRIVATE_KEY",
            "KUBECONFIG",
            "PGPASSWORD",
            "OPENAI_API_KEY",
            "github_token",
            "ACME_APP_SECRET",
            "ACME_PAGE_TOKEN",
            "MSGRCTL_PASSPHRASE",
            "MSGRCTL_SECRET_ACC_0_PAGE_ACCESS_TOKEN",
            "MSGRCTL_SECRET_OTHER_VERIFY_TOKEN",
            "MSGRCTL_PAGE_TOKEN",
        ] {
            assert!(misplaced(name, SecretKind::VerifyToken, "acc-0").is_some(), "{name}");
        }
        for name in [
            "VERIFY",
            "ACME_VERIFY_TOKEN",
            "GITHUB_VERIFY_TOKEN",
            "HUB_TOKEN",
            "MSGRCTL_SECRET_ACC_0_VERIFY_TOKEN",
            "MSGRCTL_VERIFY_TOKEN",
        ] {
            assert_eq!(misplaced(name, SecretKind::VerifyToken, "acc-0"), None, "{name}");
        }
    }

    #[test]
    fn what_goes_to_graph_is_judged_by_its_value_but_our_own_are_of_one_kind() {
        let token = |name| misplaced(name, SecretKind::PageAccessToken, "acc-0");
        assert_eq!(token("FACEBOOK_ACCESS_TOKEN"), None);
        assert_eq!(token("MSGRCTL_SECRET_OTHER_PAGE_ACCESS_TOKEN"), None);
        assert!(token("MSGRCTL_SECRET_ACC_0_APP_SECRET").is_some() && token("MSGRCTL_PASSPHRASE").is_some());
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(matches("A*C", "ABC") && matches("A*C", "AC") && matches("*B*", "ABC"));
        assert!(matches("*_DSN", "MY_DSN") && !matches("*_DSN", "MY_DSN_X") && !matches("A", "AB"));
    }
}
