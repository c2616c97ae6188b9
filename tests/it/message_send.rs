//! `message send`.

use crate::support::world::{acme, sandbox, scenario};

const PAGE: &str = "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme Support'\n";

#[test]
fn a_message_is_sent_once_and_named() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let psid = sandbox.world().people[0].psid.clone();
    let send = |more: &[&str]| home.run(&[&["message", "send", "acme", "--to", &psid, "--json"], more].concat());
    let told = send(&["Your parcel is on its way."]).code(0).json();
    assert_eq!((&told["recipient_id"], &told["text"]), (&psid.as_str().into(), &"Your parcel is on its way.".into()));
    assert!(told["message_id"].as_str().unwrap().starts_with("m_"));
    // What the account says at an event, as it stands there.
    home.run(&["message", "set", "acme", "session-ended", "--text", "Bye!"]).code(0);
    let told = send(&["--event", "session-ended"]).code(0).json();
    assert_eq!((&told["text"], &told["event"]), (&"Bye!".into(), &"session-ended".into()));
    home.run(&["message", "disable", "acme", "agent-left"]).code(0);
    send(&["--event", "agent-left"]).code(1).says(&["says nothing at agent-left", "disabled (account)"]);
    let piped = ["message", "send", "acme", "--to", &psid, "-"];
    home.run_with(&piped, "from a pipe\n").code(0).shows(&["sent to"]);
    let sends = |sandbox: &msgrctl::sandbox::InProcess| {
        let world = sandbox.world();
        world.journal.entries().iter().filter(|entry| entry.path.ends_with("/messages")).count()
    };
    assert_eq!(sends(&sandbox), 3);
    // A break in the middle may have been a message that arrived: it is not sent again.
    sandbox.world().faults.push(msgrctl::sandbox::Fault {
        path: Some("/109876543210987/messages".into()),
        drop: true,
        ..Default::default()
    });
    home.run(&["message", "send", "acme", "--to", &psid, "hello"]).code(5);
    assert_eq!(sends(&sandbox), 4);
}

#[test]
fn what_can_be_wrong_with_a_message_is_told_before_it_is_sent() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let before = sandbox.world().journal.entries().len();
    home.run(&["message", "send", "acme", "--to", "jane", "hi"]).code(2).says(&["not a page-scoped id"]);
    home.run(&["message", "send", "acme", "--to", "1234", &"x".repeat(2001)]).code(2).says(&["2000"]);
    home.run(&["message", "send", "acme", "--to", "1234", " "]).code(2);
    home.run(&["message", "send", "acme", "--to", "1234"]).code(2).says(&["TEXT"]);
    home.run(&["message", "send", "acme", "hi"]).code(2).says(&["--to"]);
    assert_eq!(sandbox.world().journal.entries().len(), before);
}

#[test]
fn refusals_of_the_send_api_are_explained() {
    // graph/FACTS.md, "Refusals of the Send API".
    let cases = [
        ("wrote_ago = '25h'", 1, "outside of that window", "--human-agent", 2_018_278),
        ("blocked = true", 1, "cannot be reached", "has to write again", 1_545_041),
    ];
    for (person, code, summary, fix, subcode) in cases {
        let sandbox = scenario(&format!("{PAGE}[[people]]\nname = 'Jane Doe'\npsid = '7654321098765432'\n{person}\n"));
        let home = acme(&sandbox, true);
        let send = ["message", "send", "acme", "--to", "7654321098765432", "hello", "--json"];
        let error = home.run(&send).code(code).json_error();
        assert!(error["message"].as_str().unwrap().contains(summary), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(fix), "{error}");
        assert_eq!(error["graph"]["subcode"], subcode);
    }
    let sandbox =
        scenario(&format!("{PAGE}[[people]]\nname = 'Jane Doe'\npsid = '7654321098765432'\nwrote_ago = '25h'\n"));
    let home = acme(&sandbox, true);
    home.run(&["message", "send", "acme", "--to", "7654321098765432", "hello", "--human-agent"]).code(0);
    home.run(&["message", "send", "acme", "--to", "111", "hello"]).code(1).screen("message-send-recipient-unknown");
    let standard = format!("access = \"standard\"\n{}", "");
    let text = PAGE.replace("version = 1\n", &format!("version = 1\n{standard}"));
    let sandbox = scenario(&format!("{text}[[people]]\nname = 'Jane Doe'\npsid = '7654321098765432'\nrole = false\n"));
    let home = acme(&sandbox, true);
    let send = ["message", "send", "acme", "--to", "7654321098765432", "hello"];
    home.run(&send).code(1).screen("message-send-standard-access");
    let sandbox = scenario(&format!("{PAGE}token_state = 'password_changed'\n"));
    let home = acme(&sandbox, true);
    home.run(&send).code(4).screen("message-send-dead-token");
    drop(sandbox);
    home.run(&send).code(5);
}
