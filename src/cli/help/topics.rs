//! Topics common to all commands, shown by `msgrctl help TOPIC` and as the man page
//! `msgrctl-TOPIC(7)`.

mod causes;
mod ci;
mod meta_login;
mod notices;
mod security;
mod shared_state;

use crate::operations::explain::Page;

pub(in crate::cli) struct Topic {
    /// The word to ask for it.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// The text before the list.
    pub before: &'static str,
    /// Terms and their meanings.
    pub list: &'static [(&'static str, &'static str)],
    /// Pages generated from the program's tables, after the list.
    pub groups: fn() -> Vec<Group>,
    /// The last part, printed unchanged.
    pub after: &'static str,
}

pub(in crate::cli) struct Group {
    pub heading: &'static str,
    pub pages: Vec<Page>,
}

/// Sorted by name.
pub(in crate::cli) const TOPICS: &[Topic] = &[
    causes::CAUSES,
    ci::CI,
    ENVIRONMENT,
    EXIT_CODES,
    FILES,
    MANIFESTS,
    meta_login::META_LOGIN,
    notices::NOTICES,
    SCENARIOS,
    SCRIPTS,
    security::SECURITY,
    shared_state::SHARED_STATE,
];

pub(in crate::cli) const EXIT_CODES: Topic = Topic {
    name: "exit-codes",
    about: "How commands end",
    before: "With --json an error is one line of JSON on standard error, which names the code too.",
    list: &[
        ("0", "done, or nothing to change"),
        (
            "1",
            "failed, for a reason without a code of its own: no such account, already exists, not confirmed, refused by Meta",
        ),
        ("2", "usage: a bad flag, or a required value is missing and cannot be asked for (not a terminal)"),
        ("3", "a file is damaged, has mistakes or cannot be written: one of msgrctl's own, or a manifest"),
        ("4", "credentials: a secret is missing, or Meta refuses the token or its permissions"),
        ("5", "Graph could not be reached, or asks to try again later"),
        ("6", "the secret store is absent, locked, declined, or did not answer"),
        (
            "7",
            "a check found something: account test, doctor, webhook verify, webhook status, the test before an account is saved",
        ),
        ("8", "plan --exit-code: there are changes"),
        ("9", "a part of a run over several accounts failed or was skipped; the rest is done"),
        ("130", "interrupted by Ctrl-C"),
    ],
    groups: Vec::new,
    after: "",
};

pub(in crate::cli) const ENVIRONMENT: Topic = Topic {
    name: "environment",
    about: "The variables that msgrctl reads",
    before: "A flag wins over its variable, a variable over config.toml. An empty variable counts as unset.",
    list: &[
        ("MSGRCTL_TENANT", "--tenant: the tenant to work in"),
        (
            "MSGRCTL_STORE",
            "--store: where new secrets go: keyring, file, vault, env; else the tenant's own store, else config.toml's",
        ),
        (
            "MSGRCTL_STATE",
            "where the records are: files (the default), s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE; see 'msgrctl help shared-state'",
        ),
        (
            "AWS_ACCESS_KEY_ID",
            "a key of a state in S3, with AWS_SECRET_ACCESS_KEY and, where it ends soon, AWS_SESSION_TOKEN",
        ),
        ("AWS_PROFILE", "a profile of ~/.aws/credentials, or of AWS_SHARED_CREDENTIALS_FILE, in place of it"),
        ("AWS_REGION", "the region, unless the address of the state says so; AWS_DEFAULT_REGION after it"),
        ("AWS_ENDPOINT_URL_S3", "the server, unless the address of the state says so; AWS_ENDPOINT_URL after it"),
        ("PGPASSWORD", "the password of a state in PostgreSQL; without it PGPASSFILE or ~/.pgpass"),
        ("PGUSER", "its user, unless the address of the state says so; USER after it"),
        ("MSGRCTL_KEY_FILE", "--key-file: the key file of the encrypted file"),
        ("MSGRCTL_PASSPHRASE", "the passphrase of the encrypted file; it has no flag"),
        ("MSGRCTL_JSON", "--json: results and errors as JSON"),
        ("MSGRCTL_NO_INPUT", "--no-input: never ask"),
        ("MSGRCTL_QUIET", "--quiet: only results, warnings and errors"),
        ("MSGRCTL_VERBOSE", "1, 2 or 3, as -v, -vv, -vvv"),
        ("MSGRCTL_COLOR", "--color: auto, always, never"),
        ("MSGRCTL_CONFIG_DIR", "--config-dir: keep everything in this directory"),
        ("MSGRCTL_GRAPH_URL", "--graph-url: Graph's URL: Meta's, or a sandbox on this machine"),
        ("MSGRCTL_GRAPH_VERSION", "--graph-version: v26.0 by default"),
        ("MSGRCTL_TIMEOUT", "--timeout: seconds that one call to Graph may take"),
        ("MSGRCTL_CA_BUNDLE", "--ca-bundle: certificates to trust besides the system's"),
        ("BAO_ADDR, VAULT_ADDR", "where Vault or OpenBao is, for the vault store and for references vault:PATH#FIELD"),
        (
            "BAO_TOKEN, VAULT_TOKEN",
            "the token to show it (vault.auth token); without them ~/.vault-token, which 'bao login' and 'vault login' write",
        ),
        ("BAO_NAMESPACE, VAULT_NAMESPACE", "its namespace"),
        ("BAO_CACERT, VAULT_CACERT", "certificates to trust for it besides the system's"),
        (
            "VAULT_ID_TOKEN",
            "the JWT of a login by jwt that names none, as GitLab sets it; on GitHub Actions its own is used",
        ),
        (
            "MSGRCTL_PAGE_TOKEN",
            "the page access token, or a person's token; 'account add' and 'account discover' read it, when no flag gives it",
        ),
        ("MSGRCTL_APP_SECRET", "the app secret; 'login', 'account add' and 'account discover' read it"),
        ("MSGRCTL_VERIFY_TOKEN", "the webhook verify token; only 'account add' reads it"),
        (
            "MSGRCTL_SECRET_<HANDLE>_<KIND>",
            "a secret of the env store: handle and kind in upper case, '-' and '.' as '_', as in MSGRCTL_SECRET_ACME_SUPPORT_PAGE_ACCESS_TOKEN",
        ),
        ("VISUAL, EDITOR", "the editor of message edit and chat-settings edit, with its arguments"),
        ("USER, LOGNAME", "the name that the log of changes records"),
        ("MSGRCTL_COMPLETE", "set by completion scripts; see 'msgrctl completions --help'"),
        ("CI", "set by most CI services: no question is asked"),
        ("NO_COLOR, CLICOLOR_FORCE, TERM", "no colour, colour everywhere, the terminal's abilities"),
        (
            "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
            "the proxy to reach Graph through; never used for addresses of this machine",
        ),
        ("XDG_CONFIG_HOME", "where the msgrctl directory is on Linux, ~/.config by default"),
    ],
    groups: Vec::new,
    after: "\
Windows PowerShell 5 reads what programs print in an encoding of its own. For names with accents, set before:
[Console]::OutputEncoding = [Text.Encoding]::UTF8",
};

pub(in crate::cli) const FILES: Topic = Topic {
    name: "files",
    about: "The files that msgrctl keeps",
    before: "In $XDG_CONFIG_HOME/msgrctl (on macOS and Windows the platform's own place), or where --config-dir says. Directories have mode 0700, files 0600. Only secrets.enc holds secrets.",
    list: &[
        (
            "config.toml",
            "settings: tenant, store, graph_url, graph_version, timeout, ca_bundle, key_file, state (see msgrctl config), [vault] with address, mount, path, namespace, ca_bundle, auth (token, approle or jwt), auth_mount, role, role_id, secret_id, jwt, audience, and the targets of notices (msgrctl help notices)",
        ),
        (
            "log.jsonl",
            "what was changed, a line of JSON each; result is done, partial (the command failed after a part) or interrupted (its process was killed). When the log cannot be written after a change was made, a warning says so and the exit code stays 0",
        ),
        ("lineage", "the id of this configuration, made with its first saved plan (msgrctl plan --out)"),
        ("log.end.json", "where log.jsonl ends, so that msgrctl log --verify finds lines that were cut off"),
        (
            "pending/<tenant>.json",
            "copies of the files from before a change that is running, or whose process was killed",
        ),
        ("tenants/<tenant>/tenant.toml", "a tenant's settings: host, version, template, messengers, store, app"),
        ("tenants/<tenant>/chat-settings.toml", "its texts and timeouts"),
        ("tenants/<tenant>/accounts.toml", "the accounts of a tenant, and where each secret is"),
        ("tenants/<tenant>/health.json", "what the last test of each account found; msgrctl status shows it"),
        (
            "tenants/<tenant>/notices.json",
            "what 'msgrctl watch' told of each account, and the notices that a target has not taken yet",
        ),
        (
            "health-log.jsonl",
            "changes of health that watch found, a line of JSON each; msgrctl log --health shows them",
        ),
        ("state-copies/", "a copy of a shared state; see msgrctl help shared-state"),
        ("tenants/<tenant>/secrets.enc", "the encrypted file of secrets, only with --store file"),
    ],
    groups: Vec::new,
    after: "",
};

pub(in crate::cli) const SCENARIOS: Topic = Topic {
    name: "scenarios",
    about: "Scenarios: which Pages, tokens and faults the sandbox has",
    before: "A scenario is a TOML file for 'sandbox start --scenario'; what it does not name works as at Meta. Paste the lines that 'sandbox start' prints into another terminal: every command then works there as at Meta, and an account that is added there stays a sandbox account. The secrets of a sandbox account are never sent to Meta, nor those of a live account to a sandbox.",
    list: &[
        (
            "token states",
            "valid, expired, password_changed, logged_out, revoked, not_authorized, checkpoint, lost_role, two_factor, unconfirmed, inactive, grant_replaced, cannot_impersonate, app_blocked",
        ),
        (
            "keys of a page",
            "id, username, name, category, published, tasks (of the person), subscribed (fields), app, token, token_state, scopes (permissions), granted_for (page ids), expires_in and data_access_expires_in (\"10d\"), app_role (of the person; without it the token may not ask about itself), new_experience",
        ),
        (
            "rules",
            "access = \"standard\" or app_mode = \"development\" (only people with a role), rate_limits, profile_access, reads (people read at once), header_token_wins, subscribed_apps_mode = \"add\", batch_timeout, self_inspection, system_user_inspection, lists_pages, page_count (that many Pages besides those that are listed), today (a clock that stands still; it decides which versions and features there are)",
        ),
        (
            "keys of an app",
            "id, secret, name, made (\"2026-11-10\": closed to new apps is what Meta closed on 4 November 2026), and for logins: login = \"business\", mode = \"live\" (by default app_mode, or development), redirect_uris, enforce_https, domains, permissions (that it can ask for), login_error, business (that has claimed it), deauthorize_url",
        ),
        (
            "login errors",
            "user_denied, server_error (redirects); invalid_scopes, no_supported_permission, feature_unavailable, app_not_active, url_blocked, cannot_load_url, something_went_wrong, app_missing (pages)",
        ),
        (
            "rules of logins",
            "code_life and login_life (\"10m\", \"90m\"), fresh_page_tokens (each token of a person has Page tokens of its own), redirect_fragment (#_=_), business_login_in_development",
        ),
        (
            "keys of a configuration",
            "id, app, token = \"user\", \"system_user\" or \"system_user_60_days\", permissions: for Login for Business",
        ),
        (
            "keys of a user",
            "id, name, pages (that the person has tasks on), app_role, and of a token of theirs: token, app, scopes, granted_for, state, expires_in; system = true for a system user; without id and name it is the first person",
        ),
        (
            "keys of a business",
            "id, name, owned_pages (by default all), client_pages, permitted_tasks (of those), admins (ids or names; by default all people), two_factor (people need it to make tokens), lasting_tokens = false (tokens for 60 days only), system_user_limit",
        ),
        (
            "keys of a system user",
            "id, name, business, admin, apps (installed), pages and tasks (assigned), and of a token of its own: token, scopes, state, expires_in (by default never)",
        ),
        (
            "keys of a grant",
            "person (id or name; by default the first one), app, permissions, declined, pages (by default all, with those that come later): what an earlier login granted",
        ),
        (
            "keys of a person",
            "name, page (id or username; by default the first one), psid, role (on the app), blocked, wrote_ago (\"25h\"; by default never)",
        ),
        (
            "keys of a subscription",
            "callback_url, fields, verify_token, active, app, object: a callback that is taken as verified",
        ),
        (
            "a fault meets",
            "a method and a path without its version ('*' is one part), by default any call; always, or 'times' times (failed reads are tried three times)",
        ),
        (
            "a fault does",
            "delay = \"3s\", drop = true, status = 502, body = \"text\", or an answer with code, subcode and regain_minutes",
        ),
    ],
    groups: Vec::new,
    after: "\
version = 1
latency = \"100ms\"             # before every answer
require_app_secret = false
[[pages]]
id = \"109876543210987\"
username = \"acme.support\"
name = \"Acme Support\"
token_state = \"password_changed\"
[[people]]
name = \"Jane Doe\"
wrote_ago = \"25h\"
[[faults]]
path = \"/*/subscribed_apps\"
code = 2",
};

pub(in crate::cli) const MANIFESTS: Topic = Topic {
    name: "manifests",
    about: "Manifests: what a file of accounts may say (plan, apply, export)",
    before: "YAML, or JSON of the same shape. Accounts, fields and messages that it does not name stay as they are. 'msgrctl export' writes the accounts that are here as a manifest; 'msgrctl schema manifest' prints its JSON Schema for editors.",
    list: &[
        ("version", "1"),
        ("tenant", "the tenant it is for; --tenant and MSGRCTL_TENANT win"),
        (
            "chat_settings",
            "messenger_timeout, web_timeout, agent_ramp_up, outbound_timeout; messages: a text, disabled or built-in for each event",
        ),
        ("defaults", "type, app, webhook and messages of every account of the file that does not say otherwise"),
        (
            "accounts",
            "a list; each has a name; an account that is new here also needs page_username, page_id and token",
        ),
        (
            "handle",
            "finds the account when it is given; otherwise its name does. With a handle the name can be changed",
        ),
        (
            "token, app.secret",
            "where the secret is: {env: NAME}, {file: PATH}, {keyring: SERVICE/USER}, {vault: PATH#FIELD} or {command: [PROGRAM, ARGUMENT]}; never the secret. A command runs only with --allow-commands. A verify token goes to the callback: variables that hold other credentials, and values shaped like them, are refused",
        ),
        (
            "store: keyring, file, vault",
            "beside a place: its value is copied into that store, and copied again when it differs",
        ),
        ("{stored: true}", "the secret that the account has here already; 'export' writes it"),
        (
            "webhook",
            "callback_url; verify_token: generate (where there is none) or a place; fields: what the app and the Page are subscribed to, added to what is set at Meta; without fields the webhook is not touched",
        ),
        ("messages", "default, disabled or {state: custom, text: ...} for each event"),
        ("relative paths", "begin at the folder of the manifest; a link is followed only inside its folder"),
        (
            "--prune",
            "removes the accounts that the manifest does not name, with their secrets here. Their Pages stay subscribed at Meta: run webhook unsubscribe first",
        ),
        (
            "--check, plan --offline",
            "find mistakes, each with file, line and column; they need no secret and no network",
        ),
    ],
    groups: Vec::new,
    after: "\
version: 1
defaults:
  app: {id: \"123456789012345\", secret: {env: ACME_APP_SECRET}}
  webhook: {fields: [messages, messaging_postbacks]}
accounts:
  - name: Acme Support
    page_username: acme.support
    page_id: \"109876543210987\"
    token: {env: ACME_TOKEN}
    webhook: {callback_url: \"https://example.com/messenger\", verify_token: {env: ACME_VERIFY_TOKEN}}
    messages:
      session-ended: {state: custom, text: \"Thank you, and good-bye.\"}",
};

pub(in crate::cli) const SCRIPTS: Topic = Topic {
    name: "scripts",
    about: "Scripts of webhook listen --script",
    before: "One step a line; empty lines and lines that begin with # are skipped. The script starts when the listener is ready. Exit codes: 0 after the last line, 7 when something expected did not come, 1 or 4 when Meta refuses a message.",
    list: &[
        ("expect message [TEXT]", "wait for a customer's message, with this text in it"),
        ("take [WHO]", "take the customer who has waited longest, or the one with this name or id"),
        ("say TEXT", "answer the customer who was taken"),
        ("leave", "leave the conversation: agent-left"),
        ("end", "end the conversation: session-ended"),
        ("expect delivery", "wait until a message has arrived"),
        ("expect read", "wait until the customer has read"),
        ("expect sent EVENT", "this system message was sent"),
        ("expect not-sent EVENT", "this system message was not sent, for a reason that is shown"),
        ("expect closed", "the session was closed"),
        ("wait TIME", "move the console's clock forward, such as 5m, without waiting"),
        ("within TIME", "how long to wait for what follows [default: 30s]"),
    ],
    groups: Vec::new,
    after: "\
# conversation.txt
expect message hello
take
say Good morning, how can I help?
expect read
wait 5m
expect sent inactivity-warning
end
expect sent session-ended",
};
