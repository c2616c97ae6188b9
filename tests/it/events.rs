//! Event bodies that were recorded (`tests/fixtures/webhooks.json`, from restfb and others
//! under the MIT licence), changed as they might arrive: none may be lost.

use msgrctl::webhook::signature::sign;
use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::listening::Listening;
use crate::support::world::{PAGE_ID, acme, app, sandbox};

/// How a body is changed.
#[derive(Clone, Copy, Debug)]
enum Change {
    Null,
    OtherType,
    Surrogate,
    HugeNumber,
    UnknownField,
}

const CHANGES: [Change; 5] =
    [Change::Null, Change::OtherType, Change::Surrogate, Change::HugeNumber, Change::UnknownField];

/// Stand for what no JSON value can hold, until the body is written.
const SURROGATE: &str = "@SURROGATE@";
const HUGE: &str = "@HUGE@";

/// What carries the event itself: without it there would be nothing to keep.
fn is_kept(key: &str) -> bool {
    matches!(key, "object" | "entry" | "messaging" | "standby" | "changes" | "value" | "message" | "postback" | "mid")
}

/// Every place of a value, with the key it stands under.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut below = |key: String, value: &Value| {
        path.push(key);
        found.push(path.clone());
        places(value, path, found);
        path.pop();
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| below(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(at.to_string(), value)),
        _ => {}
    }
}

fn at_mut<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
        value => &mut value[key.as_str()],
    })
}

/// A number that looks drawn by lot and is the same in each run.
fn draw(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % below
}

fn changed(body: &Value, change: Change, seed: &mut u64) -> Value {
    let mut body = body.clone();
    let mut all = Vec::new();
    places(&body, &mut Vec::new(), &mut all);
    let fits = |path: &Vec<String>| {
        let key = path.iter().rev().find(|key| key.parse::<usize>().is_err()).map(String::as_str).unwrap_or_default();
        let mut body = body.clone();
        let value = at_mut(&mut body, path);
        match change {
            Change::Null => !is_kept(key) && key != "text",
            Change::OtherType => !is_kept(key) && (value.is_string() || value.is_number() || value.is_array()),
            Change::Surrogate => value.is_string() && key != "object" && key != "id" && key != "field",
            Change::HugeNumber => value.is_number(),
            Change::UnknownField => value.is_object(),
        }
    };
    let fitting: Vec<Vec<String>> = all.into_iter().filter(fits).collect();
    let Some(path) = (!fitting.is_empty()).then(|| &fitting[draw(seed, fitting.len())]) else { return body };
    let value = at_mut(&mut body, path);
    *value = match (change, value.take()) {
        (Change::Null, _) => Value::Null,
        (Change::HugeNumber, _) => HUGE.into(),
        (Change::Surrogate, Value::String(text)) => format!("{text}{SURROGATE}").into(),
        (Change::OtherType, Value::String(text)) => text.parse::<i64>().map_or_else(|_| json!([text]), Value::from),
        (Change::OtherType, Value::Number(number)) => number.to_string().into(),
        (Change::OtherType, Value::Array(items)) => items.into_iter().next().unwrap_or_default(),
        (Change::UnknownField, Value::Object(mut fields)) => {
            fields.insert("brand_new".into(), json!({"mid": {"deep": [1, null, {"x": "y"}]}, "text": null}));
            Value::Object(fields)
        }
        (_, other) => other,
    };
    body
}

/// Gives each message and postback a name of its own, and the Page's id to every entry.
/// Returns the name and the text that have to come out.
fn named(body: &mut Value, name: &str) -> (Option<String>, Option<String>) {
    let mut found = (None, None);
    for entry in body["entry"].as_array_mut().into_iter().flatten() {
        entry["id"] = PAGE_ID.into();
        for key in ["messaging", "standby"] {
            for event in entry.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                for (key, text) in [("message", "text"), ("postback", "title")] {
                    let Some(part) = event.get_mut(key).filter(|part| part.is_object()) else { continue };
                    part["mid"] = name.into();
                    if found.0.is_none() {
                        found = (Some(name.to_owned()), part[text].as_str().map(str::to_owned));
                    }
                }
            }
        }
    }
    found
}

#[test]
fn two_hundred_changed_bodies_lose_nothing() {
    let recorded: Vec<Value> = serde_json::from_str(include_str!("../fixtures/webhooks.json")).unwrap();
    let bodies: Vec<Value> = recorded
        .iter()
        .filter_map(|one| serde_json::from_str(one["body_raw"].as_str().unwrap()).ok())
        .filter(|body: &Value| body["entry"].is_array())
        .collect();
    assert!(bodies.len() > 60, "{}", bodies.len());
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let secret = app(&sandbox).1;
    let mut listening = Listening::start(&home, &["acme"]);
    let mut seed = 7;
    for number in 0..240 {
        let (change, name) = (CHANGES[number % CHANGES.len()], format!("m_{number}"));
        let mut original = bodies[number * 7 % bodies.len()].clone();
        let (mid, text) = named(&mut original, &name);
        let body = changed(&original, change, &mut seed).to_string();
        let body = body.replace(SURROGATE, "\\ud83d").replace(&format!("\"{HUGE}\""), "1e999");
        let (sha256, _) = sign(body.as_bytes(), secret.as_bytes());
        let (status, ..) = ask(&listening.base(), "POST", "/webhook", &[("X-Hub-Signature-256", &sha256)], &body);
        assert_eq!(status, 200, "{change:?}: {body}");
        let mut event = listening.wait_for("event");
        let Some(mid) = mid else { continue };
        let kept = |found: &Value, expected: &str| {
            let found = found.as_str().unwrap_or_default();
            found == expected || found.strip_suffix('\u{fffd}') == Some(expected)
        };
        // A body may hold several; one whose mid was lost would never come.
        while !kept(&event["mid"], &mid) {
            event = listening.wait_for("event");
        }
        if let Some(text) = text {
            assert!(kept(&event["text"], &text), "{change:?} lost the text: {body}\n{event:#}");
        }
    }
    #[cfg(unix)]
    {
        let (code, stopped) = listening.stop("-INT");
        assert_eq!((code, &stopped["refused"]), (Some(0), &0.into()));
    }
}

#[test]
fn what_is_signed_is_taken_whatever_it_holds() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let secret = app(&sandbox).1;
    let mut listening = Listening::start(&home, &["acme"]);
    let mut send = |body: &str| {
        let (sha256, _) = sign(body.as_bytes(), secret.as_bytes());
        let answer = ask(&listening.base(), "POST", "/webhook", &[("X-Hub-Signature-256", &sha256)], body);
        assert_eq!(answer.0, 200, "{body}");
        listening.wait_for("event")
    };
    let item = |rest: &str| {
        format!(
            r#"{{"object":"page","entry":[{{"id":"{PAGE_ID}","time":1,"messaging":[{{"sender":{{"id":"7"}},{rest}}}]}}]}}"#
        )
    };
    let event = send(&item(r#""message":{"mid":"m_1","text":"a\ud83d"},"timestamp":1e999"#));
    assert_eq!((&event["mid"], &event["text"]), (&"m_1".into(), &"a\u{fffd}".into()));
    let deep = format!(r#""message":{{"mid":"m_2","text":"t","x":{}{}}}"#, "[".repeat(3000), "]".repeat(3000));
    assert_eq!(send(&item(&deep))["text"], "t");
    // A kind that nobody knows yet still has its message's name and text.
    let event = send(&item(r#""brand_new":{"inner":{"mid":"m_3","text":"new"}}"#));
    assert_eq!((&event["event"], &event["mid"], &event["text"]), (&"other".into(), &"m_3".into(), &"new".into()));
    // Without a name nothing is taken for what came before; an echo has its message's name.
    for text in ["first", "second"] {
        assert_eq!(send(&item(&format!(r#""message":{{"mid":"","text":"{text}"}}"#)))["text"], text);
    }
    for echo in ["false", "true"] {
        let event = send(&item(&format!(r#""message":{{"mid":"m_4","text":"t","is_echo":{echo}}}"#)));
        assert_eq!(event["mid"], "m_4", "{event:#}");
    }
    // A mark of byte order before it, and more behind it.
    let marked = format!("\u{feff}{}\n{{}}", item(r#""message":{"mid":"m_5","text":"t"}"#));
    assert_eq!(send(&marked)["mid"], "m_5");
    // A change of a field of messages, in a shape of its own.
    let change = format!(
        r#"{{"object":"page","entry":[{{"id":"{PAGE_ID}","time":1,"changes":[{{"field":"messages","value":{{"from":{{"id":"7"}},"message":{{"mid":"m_6","text":"t"}}}}}}]}}]}}"#
    );
    let event = send(&change);
    assert_eq!((&event["mid"], &event["text"], &event["sender"]), (&"m_6".into(), &"t".into(), &"7".into()));
    assert_eq!(send("not JSON at all")["event"], "unknown");
    // Meta's test button, and other products of the same app, are named for what they are.
    let test = r#"{"object":"page","entry":[{"time":1681827428517,"id":"0","messaging":[{"sender":{"id":"12334"},"recipient":{"id":"23245"},"timestamp":"1527459824","message":{"mid":"test_message_id","text":"test_message"}}]}]}"#;
    assert_eq!(send(test)["event"], "test");
    assert_eq!(send(test)["event"], "test", "again, though its name is the same");
    let instagram = r#"{"object":"instagram","entry":[{"id":"17841400000000000","time":1,"messaging":[{"sender":{"id":"5"},"message":{"mid":"m_9","text":"hi"}}]}]}"#;
    assert_eq!(send(instagram)["object"], "instagram");
    assert!(!listening.shown.iter().any(|line| line["kind"] == "other_page"), "{:#?}", listening.shown);
}
