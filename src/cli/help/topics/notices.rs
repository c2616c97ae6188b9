//! Watching: what is told, to whom, and how.

use super::Topic;

pub(super) const NOTICES: Topic = Topic {
    name: "notices",
    about: "Watching: what is told and measured, to whom, and how",
    before: "'msgrctl watch' tests the accounts in rounds, keeps the results, and tells what changed. Each target is a [[notify]] table of config.toml; its address and passwords are references (env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…), never the secret itself. 'msgrctl watch --notify-test' sends one notice to every target.",
    list: &[
        (
            "failed",
            "an account stopped working: told at once when Meta says so, after two rounds when only the callback does not answer",
        ),
        ("warning", "an account works, and something needs attention"),
        ("recovered", "it works again, after two good rounds"),
        ("expires", "a token or the access to personal data ends: told 14, 7 and 1 days before"),
        (
            "--renew",
            "before each round, renews tokens that end within 20 days from kept user tokens; a failure is a warning with the cause renewal-failed, told once",
        ),
        (
            "unreachable",
            "accounts could not be tested for three rounds; where none could, one notice says so. It changes no account's state",
        ),
        ("unstable", "more than 4 changes in 24 hours: told once, then nothing until 6 hours are quiet"),
        ("digest", "what still fails, as often as --remind says"),
        (
            "once",
            "each change is told once, across restarts too; accounts with the same cause share a notice. Every notice has an id; only a kill between sending and noting repeats one, with the same id",
        ),
        (
            "a target that fails",
            "is tried three times in a round; then the notice waits in notices.json, and the next round tries again. One notice that is refused for good holds no other up",
        ),
        (
            "keys of every target",
            "kind, name (needed where there are several: what waits is kept under it), on (\"fail\": failed, unreachable, unstable and digest; \"warn\": warning and expires; \"recovered\"; all by default), timeout (seconds, 10 by default)",
        ),
        (
            "kind = \"webhook\"",
            "url (https; http only to this machine or to Alertmanager); secret (signs each request: X-Msgrctl-Signature, sha256=HMAC of the body); format = \"json\", \"slack\" or \"alertmanager\" (the address of /api/v2/alerts). The header Idempotency-Key is the notice's id",
        ),
        (
            "kind = \"email\"",
            "from, to (a list), smtp = \"HOST:PORT\" with tls = \"starttls\" (587), \"tls\" (465) or \"none\" (this machine only), user, password; or sendmail = \"/usr/sbin/sendmail\"",
        ),
        (
            "kind = \"command\"",
            "command: a program with its arguments, run without a shell; it gets the notice as JSON on standard input",
        ),
        (
            "metrics",
            "msgrctl_account_up (1, or 0 where a check failed), msgrctl_check_outcome (1 warning, 2 failure, 3 not answered), msgrctl_token_expiry_timestamp_seconds, msgrctl_data_access_expiry_timestamp_seconds, msgrctl_last_check_timestamp_seconds, msgrctl_account_info, msgrctl_round_duration_seconds, msgrctl_graph_requests_total, msgrctl_notices_pending, msgrctl_build_info",
        ),
        ("/healthz", "200 while rounds end in time, else 503"),
        (
            "/webhook",
            "with --listen: takes Meta's signed events about the app (object application) for the accounts of the tenant, and tests them at once; other events are refused, so that Meta sends them again. Let the proxy in front pass on /webhook only: /metrics names every account",
        ),
    ],
    groups: Vec::new,
    after: "  [[notify]]
  name = \"chat\"
  kind = \"webhook\"
  url = \"env:SLACK_HOOK_URL\"
  format = \"slack\"

  [[notify]]
  name = \"mail\"
  kind = \"email\"
  smtp = \"mail.example.com:587\"
  user = \"msgrctl\"
  password = \"file:/etc/msgrctl/mail-password\"
  from = \"msgrctl@example.com\"
  to = [\"ops@example.com\"]
  on = [\"fail\", \"recovered\"]

What a webhook and a command get:

  {
    \"schema_version\": 1, \"id\": \"7f9c24e8-…\", \"event\": \"failed\", \"at\": \"2026-11-29T10:00:00Z\",
    \"accounts\": [{
      \"tenant\": \"default\", \"account\": \"acme-support\", \"page_id\": \"109876543210987\",
      \"check\": \"token.valid\", \"cause\": \"expired\", \"summary\": \"the token has expired\",
      \"hint\": \"…; then: msgrctl account edit …\", \"since\": \"2026-11-29T09:55:00Z\"
    }]
  }
",
};
