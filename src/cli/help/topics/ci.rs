//! A manifest in CI: what each job may do, and complete files for two services.

use super::Topic;

pub(super) const CI: Topic = Topic {
    name: "ci",
    about: "CI: check a manifest in merge requests, plan and apply it on the main branch",
    before: "A merge request checks the manifest. On the protected main branch one job saves a plan, a person reads and approves it, and the next job applies exactly that plan, or refuses it when something has changed since. The records are in a state that the team shares, so a runner keeps nothing. The job of a merge request gets no secret and makes no call, because its file may come from a stranger. The file for GitHub Actions keeps them in a bucket and takes secrets from Vault or OpenBao; the one for GitLab keeps them in PostgreSQL and takes secrets from the CI's variables. GitHub can do as GitLab does here, and the other way round. The files below are complete but for SUM: they download one version of msgrctl, and end when its checksum is not SUM. 'curl -fsSL FOLDER/SHA256SUMS' prints it, where FOLDER is URL up to its last slash. Change URL where you keep a copy of your own.",
    list: &[
        (
            "merge requests",
            "never give that job a secret: not by pull_request_target, not by unprotected variables. Read every 'sends:' line of the plan before you merge: it says where each secret is read and who gets it",
        ),
        (
            "GitHub Actions",
            "limit the environments 'plan' and 'production' to the branch main, and give 'production' required reviewers. Commit msgrctl/config.toml. In the manifest name secrets as {vault: PATH#FIELD}. In Vault give the JWT login a role for sub 'repo:ORG/REPOSITORY:environment:plan' and ':environment:production' with what 'msgrctl doctor --print-policy vault' prints; in AWS give the role what --print-policy s3 prints",
        ),
        (
            "GitLab",
            "make ACME_APP_SECRET, ACME_VERIFY_TOKEN, ACME_SUPPORT_TOKEN, ACME_SALES_TOKEN and PGPASSWORD masked and protected variables of the project, and MSGRCTL_SECRET_DEFAULT_PLAN_KEY too: a random text of 32 characters or more (openssl rand -hex 32), which seals plans",
        ),
        (
            "command:",
            "references run a program only with --allow-commands. Never give that flag to the job of a merge request: its file could then run any program",
        ),
        (
            "verify tokens",
            "name them by reference. One that 'generate' makes is kept in the store of new secrets: that has to be Vault. Meta never shows a verify token, so no plan compares it",
        ),
        ("token rotation", "a token that changes in its variable needs no apply: it is read there each time"),
        (
            "the plan",
            "accounts.plan holds no secret, and can be applied for 24 hours. An approval that comes later, or after someone changed the records, is refused with exit code 1: run the pipeline again",
        ),
        (
            "records",
            "are in the state: see 'msgrctl help shared-state'. The job of a merge request does not see them: its plan adds every account",
        ),
        ("exit code 0", "done, or nothing to change"),
        ("exit code 3", "the manifest has mistakes"),
        ("exit code 4", "the state refused its credentials, or they are missing"),
        ("exit code 5", "Meta or the state could not be reached: run the job again"),
        ("exit code 6", "Vault refused or could not be reached"),
        (
            "exit code 8",
            "plan --exit-code found changes; in a scheduled job: accounts or webhooks were changed by hand",
        ),
        (
            "exit code 9",
            "from apply: a part failed; run the pipeline again, finished accounts are skipped. From plan: an account cannot be applied, or Meta did not answer for some: no plan is saved",
        ),
    ],
    groups: Vec::new,
    after: concat!(include_str!("github.yml"), "\n", include_str!("github.toml"), "\n", include_str!("gitlab.yml")),
};
