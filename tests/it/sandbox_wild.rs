//! What clients in the wild send, and what Graph adds when it is asked.

use serde_json::{Value, json};

use crate::sandbox::ask;
use crate::support::world::{PAGE_ID, app, page_token, sandbox, scenario};

#[test]
fn requests_of_all_kinds_are_understood() {
    let sandbox = sandbox();
    let (token, psid) = (page_token(&sandbox), sandbox.world().people[0].psid.clone());
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let json = ("Content-Type", "application/json");
    let multipart = ("Content-Type", "multipart/form-data; boundary=XX");
    let parts = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\n{{\"id\":\"{psid}\"}}\r\n--XX\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{{\"text\":\"hi\"}}\r\n--XX--\r\n"
    );
    let sends: [(&[(&str, &str)], String); 7] = [
        (&[json], format!(r#"{{"recipient":{{"id":"{psid}"}},"message":{{"text":"hi"}}}}"#)),
        (&[json], format!(r#"{{"recipient":{{"id":{psid}}},"message":"{{\"text\":\"hi\"}}"}}"#)),
        (&[form], format!("recipient=%7B%22id%22%3A+%22{psid}%22%7D&message=%7B%22text%22%3A+%22hi%22%7D")),
        (&[], format!("recipient%5Bid%5D={psid}&message%5Btext%5D=hi&messaging_type=RESPONSE")),
        (&[form], format!("recipient={{'id':'{psid}'}}&message={{'text':'hi'}}")),
        (&[], format!(r#"{{"recipient":{{"id":"{psid}"}},"message":{{"text":"hi"}}}}"#)),
        (&[multipart], parts),
    ];
    for (headers, body) in sends {
        let path = format!("/v2.6/me/messages/?access_token={token}");
        let (status, _, answer) = ask(&sandbox.url(), "POST", &path, headers, &body);
        assert_eq!(status, 200, "{body}: {answer}");
    }
    assert!(sandbox.world().threads[0].messages[1..].iter().all(|message| message.text == "hi"));
}

#[test]
fn paths_and_lists_of_all_kinds_are_understood() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let get = |path: &str| {
        let (status, _, body) = ask(&sandbox.url(), "GET", &format!("{path}access_token={token}"), &[], "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    };
    let expected = r#"{"id":"109876543210987","name":"Acme Support"}"#;
    for fields in ["fields=id,name", "fields=id%2C%20name", "fields[0]=id&fields[1]=name", "fields=[\"id\",\"name\"]"] {
        let fields = fields.replace('"', "%22");
        assert_eq!(get(&format!("/v26.0/{PAGE_ID}/?{fields}&")), expected);
    }
    assert_eq!(get("/v24.0?ids=109876543210987&fields=id,name&"), format!("{{\"109876543210987\":{expected}}}"));
    assert_eq!(get("//v2.12//me?fields=&"), r#"{"name":"Acme Support","id":"109876543210987"}"#);
    let (_, _, body) =
        ask(&sandbox.url(), "POST", &format!("/me/subscribed_apps?method=delete&access_token={token}"), &[], "a=b");
    assert_eq!(body, r#"{"success":true}"#);
    assert!(sandbox.world().pages[0].subscribed.is_empty());
}

#[test]
fn a_proof_beside_an_app_token_is_not_looked_at() {
    let sandbox = sandbox();
    sandbox.world().rules.require_app_secret = true;
    let (id, secret) = app(&sandbox);
    let path = format!("/v6.0/debug_token?appsecret_proof=00&input_token=x&access_token={id}%7C{secret}");
    assert_eq!(ask(&sandbox.url(), "GET", &path, &[], "").0, 200);
}

#[test]
fn which_token_counts_can_be_switched() {
    let ask = |rule: &str| {
        let sandbox = scenario(&format!("version = 1\n{rule}"));
        let bearer = format!("Bearer {}", page_token(&sandbox));
        ask(&sandbox.url(), "GET", "/me?access_token=EAAother", &[("Authorization", &bearer)], "").0
    };
    assert_eq!((ask(""), ask("header_token_wins = true")), (400, 200));
}

#[test]
fn debug_says_what_was_taken_for_granted() {
    let sandbox = sandbox();
    let get = |path: &str| -> Value {
        let path = format!("{path}access_token={}", page_token(&sandbox));
        serde_json::from_str(&ask(&sandbox.url(), "GET", &path, &[], "").2).unwrap()
    };
    let warning = json!([{
        "message": "No API version was specified. This request defaulted to version v21.0.", "type": "warning",
        "link": "https://developers.facebook.com/docs/apps/versions/",
    }]);
    assert_eq!(get("/me?debug=all&")["__debug__"]["messages"], warning);
    assert_eq!(get("/me?debug=warning&")["__debug__"]["messages"], warning);
    assert_eq!(get("/v26.0/me?debug=all&")["__debug__"]["messages"], json!([]));
    assert_eq!(get("/me?debug=no&").get("__debug__"), None);
}

#[test]
fn what_is_known_already_is_not_sent_again() {
    let sandbox = sandbox();
    let path = format!("/v26.0/me?access_token={}", page_token(&sandbox));
    let (_, head, _) = ask(&sandbox.url(), "GET", &path, &[], "");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let (status, head, body) = ask(&sandbox.url(), "GET", &path, &[("If-None-Match", &tag)], "");
    assert_eq!((status, body.as_str(), head.contains("etag")), (304, "", false));
    assert_eq!(ask(&sandbox.url(), "GET", &path, &[("If-None-Match", "\"other\"")], "").0, 200);
    let path = format!("/me/subscribed_apps?subscribed_fields=feed&access_token={}", page_token(&sandbox));
    assert!(!ask(&sandbox.url(), "POST", &path, &[], "").1.contains("etag"), "only reads have one");
}

#[test]
fn no_secret_is_in_the_journal_wherever_it_was_written() {
    let sandbox = sandbox();
    let (token, (_, secret)) = (page_token(&sandbox), app(&sandbox));
    let text = format!("my token is {token}, my secret {secret}, yours EAA{}", "x".repeat(60));
    let body = json!({"access_token": token, "recipient": {"id": "1"}, "message": {"text": text}}).to_string();
    ask(&sandbox.url(), "POST", "/me/messages", &[], &body);
    let journal = serde_json::to_string(sandbox.world().journal.entries()).unwrap();
    assert!(!journal.contains(&token) && !journal.contains(&secret) && !journal.contains("EAAxxx"), "{journal}");
    assert!(journal.contains("my token is (page Acme Support)"), "{journal}");
}
