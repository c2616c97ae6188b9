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
    let sends: [(&[(&str, &str)], String); 6] = [
        (&[json], format!(r#"{{"recipient":{{"id":"{psid}"}},"message":{{"text":"hi"}}}}"#)),
        (&[json], format!(r#"{{"recipient":{{"id":{psid}}},"message":"{{\"text\":\"hi\"}}","tag":null}}"#)),
        (&[form], format!("recipient=%7B%22id%22%3A+%22{psid}%22%7D&message=%7B%22text%22%3A+%22hi%22%7D")),
        (&[], format!("recipient%5Bid%5D={psid}&message%5Btext%5D=hi&messaging_type=RESPONSE")),
        (&[form], format!("recipient={{'id':'{psid}'}}&message={{'text':'hi'}}")),
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

/// A world before Meta took things out of every version, and one after.
const BEFORE: &str = "version = 1\ntoday = \"2026-10-26T12:00:00Z\"\n";
const AFTER: &str = "version = 1\ntoday = \"2026-10-27T12:00:00Z\"\n";

#[test]
fn debug_says_nothing_any_more() {
    let get = |world: &str, path: &str| -> Value {
        let sandbox = scenario(world);
        let path = format!("{path}access_token={}", page_token(&sandbox));
        serde_json::from_str(&ask(&sandbox.url(), "GET", &path, &[], "").2).unwrap()
    };
    for path in ["/me?debug=all&", "/v25.0/me?debug=warning&", "/v26.0/me?debug=all&pretty=1&metadata=1&"] {
        let answer = get(AFTER, path);
        assert_eq!((answer.get("__debug__"), &answer["id"]), (None, &PAGE_ID.into()), "{path}");
    }
    let warning = json!([{
        "message": "No API version was specified. This request defaulted to version v21.0.", "type": "warning",
        "link": "https://developers.facebook.com/docs/apps/versions/",
    }]);
    assert_eq!(get(BEFORE, "/me?debug=all&")["__debug__"]["messages"], warning);
    assert_eq!(get(BEFORE, "/v26.0/me?debug=all&").get("__debug__"), None);
}

#[test]
fn what_is_known_already_is_sent_again() {
    let get = |world: &str, version: &str| {
        let sandbox = scenario(world);
        let path = format!("/{version}/me?access_token={}", page_token(&sandbox));
        let (_, head, _) = ask(&sandbox.url(), "GET", &path, &[], "");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned);
        let known = tag.clone().unwrap_or_else(|| "\"0000\"".into());
        (tag.is_some(), ask(&sandbox.url(), "GET", &path, &[("If-None-Match", &known)], "").0)
    };
    assert_eq!(get(BEFORE, "v25.0"), (true, 304));
    assert_eq!(get(BEFORE, "v26.0"), (false, 200));
    assert_eq!(get(AFTER, "v25.0"), (false, 200));
}

#[test]
fn what_is_closed_to_new_apps_is_refused() {
    let page = "[[pages]]\nid = '12345'\nname = 'Page'\ntoken = 'EAAx'\n";
    let ask_as = |made: &str, method: &str, path: &str| {
        let apps = format!(
            "[[apps]]\nid = '999999'\nsecret = '00000000000000000000000000000000'\nname = 'Mine'\nmade = '{made}'\n"
        );
        let sandbox = scenario(&format!("version = 1\ntoday = \"2026-11-28T12:00:00Z\"\n{apps}{page}"));
        let (status, _, body) = ask(&sandbox.url(), method, &format!("{path}access_token=EAAx"), &[], "");
        (status, serde_json::from_str::<Value>(&body).unwrap()["error"]["code"].as_i64())
    };
    for (method, path) in [
        ("POST", "/v25.0/me/subscribed_apps?method=delete&"),
        ("GET", "/v25.0/me?fields=name.as(n)&"),
        ("GET", "/v25.0?ids=12345&"),
        ("GET", "/v25.0/me?date_format=U&"),
    ] {
        assert_eq!(ask_as("2026-11-10", method, path), (400, Some(100)), "{path}");
        assert_eq!(ask_as("2026-01-01", method, path).0, 200, "{path}");
    }
    for path in ["/v26.0?ids=12345&", "/v26.0/me?date_format=U&", "/v26.0/me?fields=parking&"] {
        assert_eq!(ask_as("2026-01-01", "GET", path), (400, Some(100)), "{path}");
    }
    assert_eq!(ask_as("2026-01-01", "GET", "/v25.0/me?fields=parking&").0, 200);
}

#[test]
fn a_token_asks_about_itself_where_its_person_has_a_role() {
    let page = "[[pages]]\nid = '12345'\nname = 'Page'\ntoken = 'EAAx'\n";
    let user = "[[users]]\ntoken = 'EAAu'\n";
    let debug = |more: &str, rules: &str, token: &str| -> (u16, Value) {
        let sandbox = scenario(&format!("version = 1\n{rules}{page}{more}"));
        let path = format!("/v26.0/debug_token?input_token={token}&access_token={token}");
        let (status, _, body) = ask(&sandbox.url(), "GET", &path, &[], "");
        (status, serde_json::from_str(&body).unwrap())
    };
    let (status, answer) = debug("", "", "EAAx");
    assert_eq!(
        (status, &answer["data"]["type"], &answer["data"]["profile_id"]),
        (200, &"PAGE".into(), &"12345".into())
    );
    assert_eq!(debug("app_role = false\n", "", "EAAx").1["error"]["code"], 100);
    assert_eq!(debug("", "self_inspection = false\n", "EAAx").1["error"]["code"], 100);
    assert_eq!(debug(user, "", "EAAu").1["data"]["type"], "USER");
    // Also one that is dead, which is told what became of it.
    let (status, answer) = debug("token_state = 'password_changed'\n", "", "EAAx");
    assert_eq!(
        (status, &answer["data"]["error"]["subcode"], &answer["data"]["is_valid"]),
        (200, &460.into(), &false.into())
    );
    let system = format!("{user}system = true\n");
    assert_eq!(debug(&system, "", "EAAu").1["error"]["code"], 100);
    assert_eq!(debug(&system, "system_user_inspection = true\n", "EAAu").1["data"]["type"], "SYSTEM_USER");
    assert_eq!(debug("", "", "EAAnobody").1["error"]["code"], 190);
}

#[test]
fn pages_are_found_where_the_list_of_a_person_is_empty() {
    let world = "version = 1\nlists_pages = false\n[[pages]]\nid = '12345'\nname = 'Page'\n[[users]]\ntoken = 'EAAu'\nscopes = ['pages_show_list', 'pages_read_engagement', 'business_management']\n";
    let sandbox = scenario(world);
    let get = |path: &str| -> Value {
        let path = format!("/v26.0{path}access_token=EAAu");
        serde_json::from_str(&ask(&sandbox.url(), "GET", &path, &[], "").2).unwrap()
    };
    assert_eq!(get("/me/accounts?")["data"], json!([]));
    assert!(get("/12345?fields=id,access_token,tasks&")["access_token"].is_string());
    let business = get("/me/businesses?")["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("/{business}/owned_pages?"))["data"][0]["id"], "12345");
    assert_eq!(get(&format!("/{business}/client_pages?"))["data"], json!([]));
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn no_request_is_nested_deep_enough_to_end_the_sandbox() {
    let sandbox = sandbox();
    let token = page_token(&sandbox);
    let nested = [
        ("POST", "/x".to_owned(), format!("batch={}", "[".repeat(500_000))),
        ("GET", format!("/x?recipient={}", "%5B".repeat(20_000)), String::new()),
        ("POST", "/x".to_owned(), format!("a{}=1", "[b]".repeat(300_000))),
        (
            "POST",
            format!("/me/conversations?method=get&access_token={token}"),
            format!("fields={}", "a{".repeat(30_000)),
        ),
    ];
    for (method, path, body) in nested {
        let start = std::time::Instant::now();
        assert!(ask(&sandbox.url(), method, &path, &[FORM], &body).0 >= 400);
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{method} {}", &path[..5]);
    }
    let many = (0..60_000).map(|at| format!("a{at}[b]=1")).collect::<Vec<_>>().join("&");
    let start = std::time::Instant::now();
    ask(&sandbox.url(), "POST", "/x", &[FORM], &many);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "each name is looked up once");
    assert_eq!(ask(&sandbox.url(), "GET", &format!("/me?access_token={token}"), &[], "").0, 200, "it still answers");
}

#[test]
fn a_body_is_json_where_it_says_so() {
    let sandbox = sandbox();
    let psid = sandbox.world().people[0].psid.clone();
    let body =
        json!({"recipient": {"id": psid}, "message": {"text": "hi"}, "tag": null, "persona_id": null}).to_string();
    let path = format!("/me/messages?access_token={}", page_token(&sandbox));
    let ask = |headers: &[(&str, &str)]| ask(&sandbox.url(), "POST", &path, headers, &body);
    assert_eq!(ask(&[("Content-Type", "application/json; charset=utf-8")]).0, 200, "what is null is not there");
    for headers in [[].as_slice(), &[FORM]] {
        let (status, _, answer) = ask(headers);
        assert!(status == 400 && answer.contains("(#100) The parameter recipient is required"), "{answer}");
    }
    let world = sandbox.world();
    let told = world.journal.entries().back().unwrap();
    assert!(told.parameters.iter().any(|one| one.name.contains("Content-Type: application/json")), "{told:?}");
}

#[test]
fn versions_that_never_were_are_not_named() {
    let sandbox = sandbox();
    sandbox.world().rules.newest_version = Some((26, 0));
    let get =
        |path: &str| ask(&sandbox.url(), "GET", &format!("{path}?access_token={}", page_token(&sandbox)), &[], "");
    let (status, head, _) = get("/v24.7/me");
    assert!(status == 200 && head.contains("facebook-api-version: v24.0"), "{head}");
    let (status, head, _) = get("/v26.7/me");
    assert!(status == 400 && head.contains("facebook-api-version: v26.0"), "{head}");
}

#[test]
fn several_nodes_are_fifty_at_most_and_gone_today() {
    let sandbox = sandbox();
    let get = |version: &str, count: usize| {
        let ids = vec![PAGE_ID; count].join(",");
        let path = format!("/{version}?ids={ids}&access_token={}", page_token(&sandbox));
        let (status, _, body) = ask(&sandbox.url(), "GET", &path, &[], "");
        (status, serde_json::from_str::<Value>(&body).unwrap()["error"]["code"].as_i64())
    };
    assert_eq!(get("v25.0", 50), (200, None));
    assert_eq!(get("v25.0", 51), (400, Some(100)));
    assert_eq!(get("v26.0", 1), (400, Some(100)));
}

#[test]
fn cursors_and_times_without_end_are_refused_or_empty() {
    let sandbox = sandbox();
    let user = sandbox.world().user_token().unwrap().value.clone();
    let cursor = hex::encode(format!("cursor:{}", usize::MAX));
    for which in ["after", "before"] {
        let path = format!("/me/accounts?access_token={user}&{which}={cursor}");
        assert_eq!(ask(&sandbox.url(), "GET", &path, &[], "").0, 200, "{which}");
    }
    let path = format!("/me?access_token={user}&appsecret_proof=00&appsecret_time={}", i64::MIN);
    assert_eq!(ask(&sandbox.url(), "GET", &path, &[], "").0, 400);
    let path = format!("/me/accounts?fields=foo&access_token={user}");
    let (status, _, body) = ask(&sandbox.url(), "GET", &path, &[], "");
    assert!(status == 400 && body.contains("nonexisting field (foo) on node type (Page)"), "{body}");
}

#[test]
fn no_secret_is_in_the_journal_wherever_it_was_written() {
    let sandbox = sandbox();
    let (token, (id, secret)) = (page_token(&sandbox), app(&sandbox));
    let foreign = format!("EAA_b-{}", "x".repeat(60));
    let text = format!("my token is {token}, my secret {secret}, yours {foreign}");
    let body = json!({"access_token": token, "recipient": {"id": "1"}, "message": {"text": text}}).to_string();
    let send = |headers: &[(&str, &str)], body: &str| ask(&sandbox.url(), "POST", "/me/messages", headers, body);
    send(&[JSON], &body);
    send(&[FORM], &body);
    send(&[FORM], &format!("{token}=1&x={id}|{secret}&y=_{token}"));
    send(&[FORM], &json!({"verify_token": "geheim=1", "access_token": token}).to_string());
    send(&[JSON], r#"{"recipient":{"one_time_notif_token":"geheim"}}"#);
    send(
        &[FORM],
        "recipient[notification_messages_token]=geheim&callback_url=http://geheim:geheim@x.example/?key=geheim",
    );
    for path in
        [format!("/v26.0/{token}"), format!("/{id}|{secret}/subscriptions"), format!("/{id}%7C{secret}/{foreign}")]
    {
        ask(&sandbox.url(), "GET", &path.replace('|', "%7C"), &[], "");
    }
    let journal = serde_json::to_string(sandbox.world().journal.entries()).unwrap();
    for secret in [&token, &secret, &foreign[7..], "geheim"] {
        assert!(!journal.contains(secret), "{secret}: {journal}");
    }
    assert!(journal.contains("my token is (page Acme Support)"), "{journal}");
    assert!(journal.contains("/v26.0/(page Acme Support)") && journal.contains("http://x.example/"), "{journal}");
}

#[test]
fn what_is_too_large_is_in_the_journal_too() {
    let sandbox = sandbox();
    let path = format!("/v26.0/me/messages?access_token={}", page_token(&sandbox));
    // It is answered before all of it was read.
    let mut stream = std::net::TcpStream::connect(sandbox.url().strip_prefix("http://").unwrap()).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    let body = vec![b'x'; 1_100_000];
    let _ = std::io::Write::write_all(&mut stream, &body);
    let mut start = [0; 12];
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 500");
    let world = sandbox.world();
    let told = world.journal.entries().back().unwrap();
    assert_eq!((told.path.as_str(), told.status, told.code), ("/v26.0/me/messages", Some(500), Some(1)));
    assert!(told.token.starts_with("page Acme Support"));
}

#[test]
fn the_last_calls_are_told_and_how_many_came_before() {
    let sandbox = sandbox();
    for _ in 0..5 {
        ask(&sandbox.url(), "GET", "/me", &[], "");
    }
    let told = |query: &str| -> Value {
        serde_json::from_str(&ask(&sandbox.url(), "GET", &format!("/_sandbox/calls{query}"), &[], "").2).unwrap()
    };
    assert_eq!((told("")["calls"].as_array().unwrap().len(), &told("")["left_out"]), (5, &json!(0)));
    assert_eq!((told("?last=2")["calls"].as_array().unwrap().len(), &told("?last=2")["left_out"]), (2, &json!(3)));
    let home = crate::support::Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let run = home.run(&["sandbox", "calls", "--last", "2"]).code(0);
    assert_eq!(run.stdout.lines().count(), 2);
    // Each is cut at 2,000 characters, all together at 4 MiB.
    for _ in 0..2_200 {
        ask(&sandbox.url(), "POST", "/me", &[FORM], &format!("x={}", "y".repeat(5_000)));
    }
    home.run(&["sandbox", "calls"]).code(0).says(&["older calls are not shown"]).shows(&["(3000 characters more)"]);
}
