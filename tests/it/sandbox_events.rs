//! `sandbox say` and the events that callbacks get.

use msgrctl::sandbox::{Attachment, Entry, InProcess, Person, Say};
use msgrctl::webhook::signature::Signature;
use serde_json::json;

use crate::support::world::{EVENTS, PAGE_ID, app, nowhere, page_token, sandbox, scenario, subscribe};
use crate::support::{Home, Hook};

fn text(text: &str) -> Say {
    Say { text: Some(text.into()), ..Say::default() }
}

#[test]
fn among_many_pages_the_person_or_the_flag_says_which_is_meant() {
    let world = msgrctl::sandbox::World::with_pages(3, msgrctl::clock::Clock::system());
    let sandbox = msgrctl::sandbox::InProcess::start(world).unwrap();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &EVENTS);
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["sandbox", "say", "Hello"]).code(2).says(&["3 Pages", "--page", "--from"]);
    home.run(&["sandbox", "say", "--from", "Jim", "Hello"]).code(2).says(&["'Jim'", "--page"]);
    let (psid, page_id) = {
        let world = sandbox.world();
        (world.people[2].psid.clone(), world.people[2].page_id.clone())
    };
    for from in [&*psid, "Jane Doe 3"] {
        let said = home.run(&["sandbox", "say", "--from", from, "Hello", "--json"]).code(0).json();
        assert_eq!(said["psid"], psid);
    }
    let sent = hook.received();
    assert!(sent.iter().all(|sent| sent.json()["entry"][0]["id"] == page_id), "{sent:?}");
}

#[test]
fn an_event_is_signed_and_escaped_as_metas_are() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages"]);
    let said = sandbox.say(&text("äöå https://example.com/ 😀")).unwrap();
    assert!(said.delivered && said.status == Some(200) && said.reason.is_none(), "{said:?}");
    let received = hook.events(1)[0].clone();
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("user-agent"), Some("facebookexternalua"));
    let body = String::from_utf8(received.body.clone()).unwrap();
    assert!(body.contains(r#""text":"\u00e4\u00f6\u00e5 https:\/\/example.com\/ \ud83d\ude00""#), "{body}");
    let (_, secret) = app(&sandbox);
    for (new, old) in [(received.header("x-hub-signature-256"), None), (None, received.header("x-hub-signature"))] {
        let signature = Signature::read(new.map(str::as_bytes), old.map(str::as_bytes)).unwrap();
        signature.verify(&received.body, secret.as_bytes()).unwrap();
    }
    let value = received.json();
    assert_eq!(value["object"], "page");
    assert_eq!(value["entry"][0]["id"], PAGE_ID);
    assert!(value["entry"][0]["time"].as_i64().unwrap() > 1_700_000_000_000);
    let event = received.event();
    assert_eq!(event["sender"]["id"], said.psid.as_str());
    assert_eq!(event["message"]["mid"], said.mid.unwrap().as_str());
}

#[test]
fn both_levels_must_be_subscribed() {
    let sandbox = sandbox();
    let hook = Hook::start();
    let reason = || sandbox.say(&text("hi")).unwrap().reason.unwrap();
    assert!(reason().contains("has no callback"));
    subscribe(&sandbox, &hook.url, &["message_reads"]);
    assert!(reason().contains("app 123456789012345 is not subscribed to messages"));
    sandbox.world().subscriptions[0].fields.push("messages".into());
    assert!(reason().contains("the Page is not subscribed to messages"));
    sandbox.world().pages[0].subscribed.values_mut().for_each(|fields| fields.push("messages".into()));
    assert!(sandbox.say(&text("hi")).unwrap().delivered);
    sandbox.world().subscriptions[0].active = false;
    assert!(reason().contains("not active"));
    assert_eq!(hook.events(1).len(), 1);
}

#[test]
fn events_keep_their_order_and_are_tried_again() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages"]);
    hook.will_answer(500, "");
    hook.will_answer(500, "");
    let first = sandbox.say(&text("one")).unwrap();
    assert_eq!((first.delivered, first.status), (false, Some(500)));
    assert!(first.reason.unwrap().contains("answered 500"));
    assert!(sandbox.say(&text("two")).unwrap().delivered);
    let texts: Vec<_> = hook.events(4).iter().map(|one| one.event()["message"]["text"].clone()).collect();
    assert_eq!(texts, ["one", "one", "one", "two"]);
    let world = sandbox.world();
    let told: Vec<_> = world.journal.entries().iter().map(|entry| (entry.path.as_str(), entry.status)).collect();
    let path = format!("-> {} (messages)", hook.url);
    let expected: Vec<_> = [500, 500, 200, 200].map(|status| (path.as_str(), Some(status))).into();
    assert_eq!(told, expected);
}

#[test]
fn a_callback_that_is_gone_for_an_hour_loses_its_page() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    subscribe(&sandbox, &format!("http://{}/", nowhere()), &["messages"]);
    for round in 1..=2 {
        let said = sandbox.say(&text("hi")).unwrap();
        assert!(said.tried_again && said.reason.unwrap().contains("cannot be reached"));
        wait_for(&sandbox, |entries| entries.iter().filter(|entry| entry.method == "POST").count() == 4 * round);
        sandbox.world().clock.advance(jiff::SignedDuration::from_mins(61));
    }
    let world = sandbox.world();
    assert!(world.pages[0].subscribed.is_empty());
    let told = world.journal.entries().back().unwrap();
    assert_eq!(told.method, "DELETE", "in one breath with the last try");
    assert!(told.note.as_ref().unwrap().contains("no longer subscribed"), "{told:?}");
}

/// Waits until the journal is so.
#[track_caller]
fn wait_for(sandbox: &InProcess, is: impl Fn(&[Entry]) -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let entries: Vec<Entry> = sandbox.world().journal.entries().iter().cloned().collect();
        if is(&entries) {
            return;
        }
        assert!(std::time::Instant::now() < end, "{entries:#?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_callback_elsewhere_is_told_once_and_does_not_fail() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    subscribe(&sandbox, "https://hooks.example.com/?key=geheim", &["messages"]);
    for _ in 0..2 {
        let said = sandbox.say(&text("hi")).unwrap();
        assert!(!said.tried_again && said.reason.unwrap().contains("nothing outside this machine"));
        sandbox.world().clock.advance(jiff::SignedDuration::from_hours(2));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let world = sandbox.world();
    assert_eq!(world.journal.entries().len(), 2);
    assert_eq!(world.journal.entries()[0].path, "-> https://hooks.example.com/ (messages)");
    assert!(!world.pages[0].subscribed.is_empty(), "it is not given up");
}

#[test]
fn an_app_that_has_left_is_not_sent_what_waited() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages"]);
    // It is tried again at once, then after 200 ms, then after a second.
    hook.will_answer(500, "");
    hook.will_answer(500, "");
    assert_eq!(sandbox.say(&text("one")).unwrap().status, Some(500));
    hook.events(2);
    sandbox.world().subscriptions.clear();
    let left = |entries: &[Entry]| {
        entries.iter().any(|entry| entry.note.as_ref().is_some_and(|note| note.contains("has no callback")))
    };
    wait_for(&sandbox, left);
    assert!(hook.events(2).len() <= 3);
}

#[test]
fn one_app_does_not_hold_another_up() {
    let sandbox = scenario(
        "version = 1\n[[apps]]\nid = '1'\nsecret = 'a'\nname = 'A'\n[[apps]]\nid = '2'\nsecret = 'b'\nname = 'B'\n",
    );
    let (slow, quick) = (Hook::start(), Hook::start());
    slow.will_not_answer();
    subscribe(&sandbox, &slow.url, &["message_echoes"]);
    {
        let mut world = sandbox.world();
        let mut second = world.subscriptions[0].clone();
        (second.app_id, second.callback_url) = ("2".into(), quick.url.clone());
        world.subscriptions.push(second);
        world.pages[0].subscribed.insert("2".into(), vec!["message_echoes".into()]);
    }
    let psid = sandbox.world().people[0].psid.clone();
    let body = json!({"recipient": {"id": psid}, "message": {"text": "x"}}).to_string();
    let path = format!("/me/messages?access_token={}", page_token(&sandbox));
    let json = [("Content-Type", "application/json")];
    assert_eq!(crate::sandbox::ask(&sandbox.url(), "POST", &path, &json, &body).0, 200);
    quick.events(1);
    slow.events(1);
    // The slow one has not been given up yet.
    let (world, given_up) = (sandbox.world(), format!("-> {}", slow.url));
    let entries = world.journal.entries();
    assert!(!entries.iter().any(|entry| entry.path.starts_with(&given_up)), "{entries:#?}");
}

#[test]
fn a_thousand_events_wait_at_most() {
    let sandbox = sandbox();
    let hook = Hook::start();
    hook.will_not_answer();
    subscribe(&sandbox, &hook.url, &["message_echoes"]);
    let psid = sandbox.world().people[0].psid.clone();
    let send = format!("recipient[id]={psid}&message[text]=x");
    let send: String = url::form_urlencoded::byte_serialize(send.as_bytes()).collect();
    let operations = vec![
        format!(
            r#"{{"method":"POST","relative_url":"me/messages","body":"{}"}}"#,
            send.replace("%3D", "=").replace("%26", "&")
        );
        50
    ];
    let batch: String =
        url::form_urlencoded::byte_serialize(format!("[{}]", operations.join(",")).as_bytes()).collect();
    let body = format!("access_token={}&batch={batch}", page_token(&sandbox));
    for _ in 0..21 {
        assert_eq!(crate::sandbox::ask(&sandbox.url(), "POST", "/", &[], &body).0, 200);
    }
    let world = sandbox.world();
    let dropped = world
        .journal
        .entries()
        .iter()
        .filter(|entry| entry.note.as_ref().is_some_and(|note| note.contains("1000 events wait")));
    assert!((48..=50).contains(&dropped.count()));
}

#[test]
fn the_inbox_takes_a_conversation_and_passes_it_back() {
    let sandbox = sandbox();
    let psid = sandbox.world().people[0].psid.clone();
    let body = json!({"recipient": {"id": psid}, "message": {"text": "x"}}).to_string();
    let path = format!("/me/messages?access_token={}", page_token(&sandbox));
    let send = || crate::sandbox::ask(&sandbox.url(), "POST", &path, &[("Content-Type", "application/json")], &body).0;
    let control = |how: &str| sandbox.say(&Say { thread_control: Some(how.into()), ..Say::default() }).unwrap();
    control("take");
    assert_eq!(send(), 400, "the inbox has it");
    control("request");
    assert_eq!(send(), 400);
    control("pass");
    assert_eq!(send(), 200);
}

#[test]
fn everything_a_person_can_do_arrives() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &EVENTS);
    let message = sandbox.say(&text("hi")).unwrap().mid.unwrap();
    let some = |text: &str| Some(text.to_owned());
    let image = Attachment { kind: "image".into(), url: "https://example.com/a.jpg".into() };
    let says = [
        (Say { postback: some("START"), title: some("Start"), ..Say::default() }, "postback"),
        (Say { reaction: some("❤️"), ..Say::default() }, "reaction"),
        (Say { edit: Some(message.clone()), text: some("ho"), ..Say::default() }, "message_edit"),
        (Say { delete: Some(message.clone()), ..Say::default() }, "message"),
        (Say { read: true, ..Say::default() }, "read"),
        (Say { referral: some("R"), ..Say::default() }, "referral"),
        (Say { optin: some("O"), ..Say::default() }, "optin"),
        (Say { account_linking: some("C"), ..Say::default() }, "account_linking"),
        (Say { policy_enforcement: true, ..Say::default() }, "policy_enforcement"),
        (Say { thread_control: some("pass"), ..Say::default() }, "pass_thread_control"),
        (Say { attachments: vec![image], ..Say::default() }, "message"),
        (Say { quick_reply: some("YES"), reply_to: Some(message.clone()), ..text("Yes") }, "message"),
        (Say { raw: Some(json!({"message": {"mid": "m_raw"}, "timestamp": 5})), ..Say::default() }, "message"),
    ];
    for (at, (say, key)) in says.iter().enumerate() {
        assert!(sandbox.say(say).unwrap().delivered, "{say:?}");
        let event = hook.events(at + 2).pop().unwrap().event();
        assert!(event.get(key).is_some(), "{event}");
    }
    let events = hook.events(14);
    assert_eq!(
        events[2].event()["reaction"],
        json!({"mid": message, "action": "react", "emoji": "❤️", "reaction": "love"})
    );
    assert_eq!(events[12].event()["message"]["quick_reply"]["payload"], "YES");
    assert_eq!(events[13].event()["timestamp"], 5);
    assert!(events[9].event().get("sender").is_none());
    assert!(sandbox.say(&Say { sticker: Some(369), ..Say::default() }).unwrap().delivered);
    let sticker = hook.events(15)[14].event()["message"]["attachments"].clone();
    assert_eq!((&sticker[0]["type"], &sticker[0]["payload"]["sticker_id"]), (&"sticker".into(), &369.into()));
    assert!(sandbox.say(&Say { standby: true, ..text("psst") }).unwrap().delivered);
    assert!(hook.events(16)[15].json()["entry"][0]["standby"].is_array());
}

#[test]
fn who_has_no_role_is_not_heard_in_standard_access() {
    let sandbox = scenario("version = 1\naccess = 'standard'\n");
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages"]);
    assert!(sandbox.say(&text("hi")).unwrap().delivered);
    let stranger = sandbox.say(&Say { from: Some("John Roe".into()), ..text("hi") }).unwrap();
    assert!(stranger.reason.unwrap().contains("John Roe has none"));
}

#[test]
fn a_reply_is_told_to_the_callback_and_read() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages", "message_echoes", "message_deliveries", "message_reads"]);
    let psid = sandbox.world().people[0].psid.clone();
    let body = json!({"recipient": {"id": psid}, "message": {"text": "Hello", "metadata": "M"}}).to_string();
    let path = format!("/v26.0/me/messages?access_token={}", page_token(&sandbox));
    let (status, _, answer) =
        crate::sandbox::ask(&sandbox.url(), "POST", &path, &[("Content-Type", "application/json")], &body);
    assert_eq!(status, 200, "{answer}");
    let mid = serde_json::from_str::<serde_json::Value>(&answer).unwrap()["message_id"].clone();
    let events = hook.events(3);
    let echo = events[0].event();
    assert_eq!(
        (&echo["sender"]["id"], &echo["message"]["is_echo"], &echo["message"]["mid"], &echo["message"]["metadata"]),
        (&json!(PAGE_ID), &json!(true), &mid, &json!("M"))
    );
    assert_eq!(echo["message"]["app_id"], 123_456_789_012_345_u64);
    assert_eq!(events[1].event()["delivery"]["mids"], json!([mid]));
    assert!(events[2].event()["read"]["watermark"].is_i64());
}

#[test]
fn the_command_says_what_came_of_it() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["sandbox", "say", "Hello"]).code(1);
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &EVENTS);
    home.run(&["sandbox", "say", "--page", "acme.support", "--from", "Jane Doe", "Hello"]).code(0);
    let run = home.run(&["sandbox", "say", "Hello", "--json"]).code(0);
    let value = run.json();
    assert_eq!((&value["delivered"], &value["status"]), (&json!(true), &json!(200)));
    let mid = value["mid"].as_str().unwrap().to_owned();
    home.run(&["sandbox", "say", "--edit", &mid, "Hello!"]).code(0);
    home.file("event.json", r#"{"postback":{"mid":"m_x","payload":"P","title":"T"}}"#);
    home.run(&["sandbox", "say", "--raw", "event.json"]).code(0);
    home.run(&["sandbox", "say", "--location", "-52.5,13.4"]).code(0);
    home.run(&["sandbox", "say", "--reaction", "👍"]).code(0);
    home.run(&["sandbox", "say"]).code(2).says(&["nothing to do"]);
    home.run(&["sandbox", "say", "--page", "nobody", "Hi"]).code(2).says(&["no Page 'nobody'"]);
    home.run(&["sandbox", "say", "--postback", "P", "--read"]).code(2);
    home.run(&["sandbox", "say", "--read", "Hi"]).code(2).says(&["a text is only for a message"]);
    home.run(&["sandbox", "say", "--postback", "P", "--image", "https://example.com/"]).code(2);
    let run = home.run(&["sandbox", "calls"]).code(0);
    run.shows(&["(messages)?from=Jane Doe&text=Hello", "POST   -> http://127.0.0.1"]);
    let psid = sandbox.world().people[0].psid.clone();
    let reply = format!("recipient[id]={psid}&message[text]=Hi&access_token={}", page_token(&sandbox));
    crate::sandbox::ask(&sandbox.url(), "POST", "/me/messages", &[], &reply);
    home.run(&["sandbox", "calls"]).code(0).shows(&["message={\"text\":\"Hi\"}", "200  to Jane Doe"]);
    hook.events(9);
    hook.will_answer(503, "");
    home.run(&["sandbox", "say", "Hello", "--json"]).code(1).shows(&["\"status\":503", "\"delivered\":false"]);
}

#[test]
fn people_are_told_apart() {
    let sandbox = sandbox();
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &["messages"]);
    let stranger = Say { from: Some("John Roe".into()), ..text("hi") };
    let (one, again) = (sandbox.say(&stranger).unwrap(), sandbox.say(&stranger).unwrap());
    assert_eq!(one.psid, again.psid);
    assert_eq!(one.psid, Person::new(PAGE_ID, "John Roe").psid);
    assert_ne!(one.psid, sandbox.write("hi").unwrap().psid);
    assert!(sandbox.say(&Say { from: Some("99".into()), ..text("hi") }).is_err());
    let path = format!("/_sandbox/conversation?psid={}", one.psid);
    let (status, _, body) = crate::sandbox::ask(&sandbox.url(), "GET", &path, &[], "");
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, value["messages"].as_array().unwrap().len(), &value["name"]), (200, 2, &json!("John Roe")));
}

#[test]
fn a_set_clock_is_moved_and_the_real_one_is_not() {
    let ask = |url: &str| crate::sandbox::ask(url, "POST", "/_sandbox/clock", &[], r#"{"advance":"25h"}"#);
    let set = scenario("version = 1\ntoday = '2026-11-22T12:00:00Z'\n");
    let (status, _, body) = ask(&set.url());
    assert_eq!((status, body.as_str()), (200, r#"{"schema_version":1,"now":"2026-11-23T13:00:00Z"}"#));
    let (status, _, body) = ask(&sandbox().url());
    assert_eq!(status, 400);
    assert!(body.contains("real time"), "{body}");
}
