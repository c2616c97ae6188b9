//! `msgrctl demo`.

use std::time::Duration;

use crate::support::Home;

#[test]
fn the_demo_adds_tests_breaks_and_explains() {
    let home = Home::new();
    let run = home.run(&["demo"]).code(0).shows(&[
        "$ printf %s \"$TOKEN\" | MSGRCTL_APP_SECRET=\"$SECRET\" msgrctl account add --token-stdin",
        "saved 'Acme Support'",
        "$ msgrctl account list",
        "$ msgrctl account test acme-support",
        "changed the password",
        "code 190, subcode 460",
        "then: msgrctl account edit acme-support --token-stdin",
    ]);
    assert!(run.took < Duration::from_secs(3), "{:?}", run.took);
    home.run(&["demo", "--json"]).code(2).says(&["leave --json out"]);
    // Nothing of it stays, and nothing of the person's own is read.
    assert!(!home.path("config").exists());
    let strange = Home::new().with("MSGRCTL_GRAPH_URL", "https://example.com").with("MSGRCTL_STORE", "paper");
    strange.run(&["demo"]).code(0);
}
