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
    // Nothing is wrong before the first step is taken, and what is shown is in order.
    assert_eq!(run.stdout.matches("✗ fail").count() + run.stdout.matches("x fail").count(), 3, "{run:#?}");
    let first = run.stdout.split("saved 'Acme Support'").next().unwrap();
    assert!(first.contains("! warn") && first.contains("not set up yet: "), "{first}");
    let of_the_listener = run.stdout.split("msgrctl webhook listen").nth(1).unwrap().split("stopped: ").next().unwrap();
    let is_time = |word: &&str| word.len() == 8 && word.matches(':').count() == 2;
    let times: Vec<&str> = of_the_listener.lines().filter_map(|line| line.split("  ").next().filter(is_time)).collect();
    assert!(times.len() > 10 && times.is_sorted(), "{times:?}");
    assert!(run.stdout.contains("2 refused (a handshake with a wrong verify token: 2)"), "{run:#?}");
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
    home.run(&["demo", "--json"]).code(2).says(&["omit --json"]);
    // Nothing of it stays, and nothing of the person's own is read.
    assert!(!home.path("config").exists());
    let strange = Home::new().with("MSGRCTL_GRAPH_URL", "https://example.com").with("MSGRCTL_STORE", "paper");
    strange.run(&["demo"]).code(0);
}
