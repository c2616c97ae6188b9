//! Manifests: plan, apply, export, and the mistakes in them with their places.

use crate::support::world::{acme, sandbox};
use crate::support::{Fleet, Home};

#[test]
fn from_a_plan_to_an_export() {
    let fleet = Fleet::new(2);
    fleet.manifest(0..2);
    fleet.plan(&[]).screen("plan-new");
    fleet.plan(&["--json"]).screen("plan-json");
    fleet.plan(&["--offline"]).screen("plan-offline");
    fleet.home.run(&["apply", "-f", "accounts.yaml"]).screen("apply-without-terminal");
    fleet.apply(&[]).screen("apply-all");
    fleet.plan(&["--exit-code"]).screen("plan-nothing-to-change");
    fleet.apply(&["--json"]).screen("apply-nothing-to-change-json");
    let changed = fleet.head().replace(", message_reads", "");
    let renamed = fleet.account(1, "    handle: page-1\n").replace("name: Page 1", "name: Sales");
    fleet.write(&(changed + &renamed));
    fleet.plan(&[]).screen("plan-changes");
    fleet.plan(&["--prune"]).screen("plan-prune");
    fleet.apply(&["--prune"]).screen("apply-changes");
    fleet.home.run(&["export"]).screen("export-yaml");
}

#[test]
fn what_stands_in_the_way() {
    let mut fleet = Fleet::new(5);
    fleet.trouble();
    fleet.home.unset("TOKEN_2");
    fleet.manifest(0..5);
    fleet.plan(&[]).screen("plan-blocked");
    fleet.apply(&[]).screen("apply-partly-failed");
}

#[test]
fn exports() {
    Home::new().run(&["export"]).screen("export-empty");
    let home = acme(&sandbox(), true);
    home.run(&["export", "acme", "--json"]).screen("export-json");
}

#[test]
fn mistakes_have_their_places() {
    let home = Home::new();
    home.file(
        "accounts.yaml",
        "version: 1\naccounts:\n  - name: Acme\n    page_username: acme.support\n    page_id: 109876543210987\n    \
         tokn: {env: TOKEN}\n  - name: Acme\n    page_id: \"acme\"\n    token: EAAB0123456789abcdefgh\n    \
         webhook: {callback_url: nowhere, fields: [mesages]}\n",
    );
    home.run(&["plan", "-f", "accounts.yaml"]).screen("plan-mistakes");
    home.run(&["apply", "-f", "accounts.yaml", "--check", "--json"]).screen("apply-check-mistakes-json");
    home.file("broken.yaml", "version: 1\naccounts: [{name: Acme\n");
    home.run(&["plan", "-f", "broken.yaml"]).screen("plan-not-yaml");
    home.run(&["plan", "-f", "missing.yaml"]).screen("plan-file-missing");
}
