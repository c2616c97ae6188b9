//! What is here, written down so that nothing differs from it.

use crate::support::{Fleet, world};

#[test]
fn an_export_has_an_empty_plan() {
    let fleet = Fleet::new(3);
    let more = "    messages:\n      agent-left: disabled\n      agent-joined: {state: custom, text: \"Hi: #1 – 日本\\nsecond line \\\"quoted\\\"\"}\n";
    let copied = "    token: {env: TOKEN_2, store: file}\n    webhook: {verify_token: {env: VERIFY, store: file}}\n";
    fleet.write(&(fleet.head() + &fleet.account(0, more) + &fleet.account(1, "") + &fleet.account(2, copied)));
    fleet.apply(&[]).code(0);
    fleet.home.run(&["chat-settings", "set", "session-ended", "--text", "yes"]).code(0);
    fleet.home.run(&["chat-settings", "set", "--messenger-timeout", "15m"]).code(0);
    let yaml = fleet.home.run(&["export"]).code(0);
    for secret in [world::page_token(&fleet.sandbox), world::app(&fleet.sandbox).1, "s3cret".into()] {
        assert!(!yaml.stdout.contains(&secret));
    }
    fleet.write(&yaml.stdout);
    fleet.plan(&["--exit-code"]).code(0);
    let json = fleet.home.run(&["export", "--json"]).code(0);
    fleet.home.run_with(&["plan", "-f", "-", "--exit-code"], &json.stdout).code(0);
    let one = fleet.home.run(&["export", "page-1"]).code(0);
    assert!(one.stdout.contains("Page 1") && !one.stdout.contains("Page 0"));
    // On another machine nothing is stored: each says so at its place.
    let other = Fleet::new(3);
    other.write(&yaml.stdout);
    other.plan(&["--offline"]).code(9).screen("plan-of-an-export-elsewhere");
}

#[test]
fn accounts_whose_secrets_are_variables_move_with_their_file() {
    let sandbox = world::sandbox();
    let home = world::acme(&sandbox, true);
    let yaml = home.run(&["export"]).code(0).shows(&["MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN"]);
    home.run_with(&["plan", "-f", "-", "--exit-code"], &yaml.stdout).code(0);
    let elsewhere = home.path("elsewhere").display().to_string();
    let with = |arguments: &[&str]| home.run_with(&[arguments, &["--config-dir", &elsewhere]].concat(), &yaml.stdout);
    with(&["apply", "-f", "-", "--yes"]).code(0);
    with(&["plan", "-f", "-", "--exit-code"]).code(0);
}
