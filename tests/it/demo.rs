//! `msgrctl demo`.

use std::time::Duration;

use crate::support::Home;

#[test]
fn the_demo_tells_the_whole_story() {
    let home = Home::new();
    let run = home.run(&["demo"]).code(0).shows(&[
        "$ printf %s \"$TOKEN\" | MSGRCTL_APP_SECRET=\"$SECRET\" msgrctl account add --token-stdin",
        "saved 'Acme Support'",
        "$ msgrctl webhook subscribe acme-support",
        "set, and read back: events go to http://127.0.0.1:",
        "$ msgrctl webhook verify acme-support",
        "refused with HTTP 403",
        "$ msgrctl sandbox say --from 'Jane Doe'",
        "Hello, where is my parcel?",
        "you to Jane Doe: It left our house this morning.",
        "session-ended to Jane Doe: ",
        "$ msgrctl account test acme-support",
        "changed their password",
        "code 190, subcode 460",
        "then: msgrctl account edit acme-support --token-stdin",
    ]);
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
    home.run(&["demo", "--json"]).code(2).says(&["leave --json out"]);
    // Nothing of it stays, and nothing of the person's own is read.
    assert!(!home.path("config").exists());
    let strange = Home::new().with("MSGRCTL_GRAPH_URL", "https://example.com").with("MSGRCTL_STORE", "paper");
    strange.run(&["demo"]).code(0);
}
