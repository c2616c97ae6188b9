//! A manifest in CI: what each job may do, and complete files for two services.

use super::Topic;

pub(super) const CI: Topic = Topic {
    name: "ci",
    about: "CI: check a manifest in merge requests, apply it on the main branch",
    before: "A merge request checks the manifest; the protected main branch applies it. The job of a merge request gets no secret and makes no call to Meta, because its file may come from a stranger. Secrets come from the CI's variables, under the names in the manifest. Both files below are complete but for SUM: they download one version of msgrctl, and end when its checksum is not the one that is written there. Take it from SHA256SUMS of the release, and change URL where you keep a copy of your own.",
    list: &[
        (
            "merge requests",
            "never give that job a secret: not by pull_request_target, not by unprotected variables. Read every 'sends:' line of the plan before you merge: it says where each secret is read and who gets it",
        ),
        ("GitHub Actions", "put the secrets into an environment 'production' that is limited to the branch main"),
        (
            "GitLab",
            "make ACME_APP_SECRET, ACME_VERIFY_TOKEN, ACME_SUPPORT_TOKEN and ACME_SALES_TOKEN masked and protected variables of the project",
        ),
        (
            "command:",
            "references run a program only with --allow-commands. Never give that flag to the job of a merge request: its file could then run any program",
        ),
        (
            "verify tokens",
            "name them by reference. One that 'generate' makes is kept on the runner and lost with it. Meta never shows a verify token, so no plan compares it",
        ),
        ("token rotation", "a token that changes in its variable needs no apply: it is read there each time"),
        (
            "records",
            "what a run keeps (MSGRCTL_CONFIG_DIR) holds no secret while the manifest names references. When the cache is lost, the next run makes the records again and changes nothing at Meta; --prune then has nothing to remove. The job of a merge request has no records: its plan adds every account",
        ),
        ("exit code 0", "done, or nothing to change"),
        ("exit code 3", "the manifest has mistakes"),
        ("exit code 5", "Meta could not be reached for any account: run the job again"),
        (
            "exit code 8",
            "plan --exit-code found changes; in a scheduled job: accounts or webhooks were changed by hand",
        ),
        (
            "exit code 9",
            "from apply: a part failed; run the job again, finished accounts are skipped. From plan: an account cannot be applied, or Meta did not answer for some; the job ends before apply. To apply the others anyway, end the line of plan with: || [ $? -eq 9 ]",
        ),
    ],
    groups: Vec::new,
    after: concat!(include_str!("github.yml"), "\n", include_str!("gitlab.yml")),
};
