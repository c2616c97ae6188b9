//! A stand-in of Graph for single situations: it answers one good, published Page, and
//! puts the faults of a case in front. It is not the sandbox, and shares nothing with it:
//! what both the client and the sandbox got wrong would not be seen between the two.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use regex_lite::Regex;
use serde_json::{Map, Value, json};

pub const PAGE: &str = "109876543210987";
pub const APP: &str = "123456789012345";
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const PAGE_TOKEN: &str = "EAAtrialpagetoken0001";
pub const USER_TOKEN: &str = "EAAtrialusertoken";

/// What is put in front of an answer.
struct Fault {
    matches: Regex,
    times: u64,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

struct World {
    username: Option<String>,
    expires_at: i64,
    self_inspection: bool,
    require_proof: bool,
    /// What `/me/accounts` shows a person: nothing, where it is off.
    lists_pages: bool,
    /// The error of every batch as a whole, as where its own token is dead.
    batches_refused: Option<Value>,
    faults: Vec<Fault>,
    requests: Vec<String>,
    calls: Vec<String>,
}

/// A stand-in that runs until the test ends.
pub struct StandIn {
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl StandIn {
    /// One for a case of `tests/fixtures/cases/graph.json`.
    pub fn start(case: &Value) -> Self {
        let page = &case["page"];
        let faults = case["faults"].as_array().cloned().unwrap_or_default().iter().map(fault).collect();
        let world = World {
            username: match page.get("username") {
                None => Some("acme.support".into()),
                Some(username) => username.as_str().map(str::to_owned),
            },
            expires_at: page["expires_in_s"].as_i64().map_or(0, |left| now() + left),
            self_inspection: case["self_inspection"] == true,
            require_proof: case["require_proof"] == true,
            lists_pages: case["lists_pages"] != false,
            batches_refused: case.get("batches_refused").cloned(),
            faults,
            requests: Vec::new(),
            calls: Vec::new(),
        };
        let world = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = world.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let world = shared.clone();
                std::thread::spawn(move || serve(stream, &world));
            }
        });
        Self { url, world }
    }

    /// Every request that came, and every call of theirs.
    pub fn seen(&self) -> (Vec<String>, Vec<String>) {
        let world = self.world.lock().unwrap();
        (world.requests.clone(), world.calls.clone())
    }
}

fn now() -> i64 {
    msgrctl::clock::Clock::system().unix_seconds()
}

fn fault(value: &Value) -> Fault {
    let headers = value["headers"].as_object().cloned().unwrap_or_default();
    Fault {
        matches: Regex::new(value["match"].as_str().unwrap()).unwrap(),
        times: value["times"].as_u64().unwrap_or(1),
        status: value["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(200),
        headers: headers.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().into())).collect(),
        body: value["text"].as_str().map_or_else(|| value["body"].to_string(), str::to_owned),
    }
}

type Parameters = HashMap<String, String>;

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

fn parameters(text: &str) -> Parameters {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn serve(mut stream: TcpStream, world: &Mutex<World>) {
    while let Some((head, body)) = read(&mut stream) {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut given = parameters(query);
        given.extend(parameters(&String::from_utf8_lossy(&body)));
        let bearer = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("authorization").then(|| value.strip_prefix("Bearer ").map(str::to_owned))?
        });
        if let Some(token) = bearer {
            given.entry("access_token".into()).or_insert(token);
        }
        world.lock().unwrap().requests.push(format!("{method} {target}"));
        let answer = match given.get("batch") {
            Some(_) if world.lock().unwrap().batches_refused.is_some() => {
                let error = world.lock().unwrap().batches_refused.clone();
                Answer { status: 400, headers: Vec::new(), body: json!({ "error": error }).to_string() }
            }
            Some(batch) => together(world, path, batch),
            None => one(world, method, path, &given),
        };
        let mut text = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        if stream.write_all(format!("{text}\r\n{}", answer.body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn together(world: &Mutex<World>, path: &str, batch: &str) -> Answer {
    let operations: Vec<Value> = serde_json::from_str(batch).unwrap();
    let version = path.trim_matches('/');
    let items = operations.iter().map(|operation| {
        let relative = operation["relative_url"].as_str().unwrap();
        let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
        let mut given = parameters(query);
        given.extend(parameters(operation["body"].as_str().unwrap_or_default()));
        let answer = one(world, operation["method"].as_str().unwrap(), &format!("/{version}/{path}"), &given);
        let headers: Vec<Value> =
            answer.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({"code": answer.status, "headers": headers, "body": answer.body})
    });
    let body = Value::Array(items.collect()).to_string();
    Answer { status: 200, headers: Vec::new(), body }
}

fn one(world: &Mutex<World>, method: &str, path: &str, given: &Parameters) -> Answer {
    let mut world = world.lock().unwrap();
    let call = format!("{method} {path}");
    world.calls.push(call.clone());
    let version = path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    if let Some(fault) = world.faults.iter_mut().find(|fault| fault.times > 0 && fault.matches.is_match(&call)) {
        fault.times -= 1;
        return Answer { status: fault.status, headers: fault.headers.clone(), body: fault.body.clone() };
    }
    let (status, body) = match answer(&world, method, path, given) {
        Ok(body) => (200, body),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    Answer { status, headers: vec![("facebook-api-version".into(), version)], body: body.to_string() }
}

type Refusal = (u16, Value);

fn refusal(code: i64, kind: &str, message: &str) -> Refusal {
    let status = if code == 210 || code == 200 { 403 } else { 400 };
    (status, json!({"message": message, "type": kind, "code": code, "fbtrace_id": "AtraceExample01"}))
}

fn answer(world: &World, method: &str, path: &str, given: &Parameters) -> Result<Value, Refusal> {
    let oauth = |code, message: &str| Err(refusal(code, "OAuthException", message));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).skip(1).collect();
    let Some(token) = given.get("access_token") else {
        return match parts.first() {
            Some(&"me") => {
                oauth(2500, "An active access token must be used to query information about the current user.")
            }
            _ => oauth(104, "An access token is required to request this resource."),
        };
    };
    let app = format!("{APP}|{APP_SECRET}");
    let (is_page, is_user, is_app) = (token == PAGE_TOKEN, token == USER_TOKEN, *token == app);
    if !is_page && !is_user && !is_app {
        return oauth(190, "Invalid OAuth access token - Cannot parse access token");
    }
    if world.require_proof && !is_app && !given.contains_key("appsecret_proof") {
        let text = "API calls from the server require an appsecret_proof argument";
        return Err(refusal(100, "GraphMethodException", text));
    }
    let page = |fields: &str| {
        let all = [
            ("id", Some(json!(PAGE))),
            ("name", Some(json!("Acme Support"))),
            ("username", world.username.as_ref().map(|name| json!(name))),
            ("is_published", Some(json!(true))),
            ("access_token", is_user.then(|| json!(PAGE_TOKEN))),
            ("tasks", is_user.then(|| json!(["MESSAGING", "MANAGE"]))),
        ];
        let wanted = all.into_iter().filter(|(name, _)| *name == "id" || fields.split(',').any(|field| field == *name));
        Value::Object(wanted.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>())
    };
    let fields = given.get("fields").map_or("id,name", String::as_str);
    match (method, parts.as_slice()) {
        ("GET", ["me"]) if is_page => Ok(page(fields)),
        ("GET", ["me"]) if is_user => match fields.split(',').find(|field| !["id", "name"].contains(field)) {
            Some(field) => {
                oauth(100, &format!("(#100) Tried accessing nonexisting field ({field}) on node type (User)"))
            }
            None => Ok(json!({"id": "10150000000000001", "name": "Ada Example"})),
        },
        ("GET", ["me"]) => {
            oauth(2500, "An active access token must be used to query information about the current user.")
        }
        ("GET", ["app"]) => Ok(json!({"id": APP, "name": "Example App"})),
        ("GET", ["me", "accounts"]) if is_user && !world.lists_pages => Ok(json!({"data": []})),
        ("GET", ["me", "accounts"]) if is_user => Ok(json!({"data": [page("id,name,username,access_token,tasks")]})),
        ("GET", ["me", "accounts"]) => {
            oauth(100, "(#100) Tried accessing nonexisting field (accounts) on node type (Page)")
        }
        ("GET", [PAGE]) => Ok(page(fields)),
        ("GET", [PAGE, "subscribed_apps"]) if is_page => Ok(json!({"data": [{
            "id": APP, "name": "Example App", "subscribed_fields": ["messages", "messaging_postbacks"],
        }]})),
        ("GET", [PAGE, "subscribed_apps"]) if is_user => {
            oauth(210, "(#210) A page access token is required to request this resource.")
        }
        ("GET", [PAGE, "subscribed_apps"]) => oauth(102, "A user access token is required to request this resource."),
        ("POST", [PAGE, "messages"]) if is_page => Ok(json!({"recipient_id": "7654321098765432", "message_id": "m_1"})),
        ("GET", ["debug_token"]) => {
            let input = given.get("input_token").map(String::as_str).unwrap_or_default();
            if !(is_app || world.self_inspection && input == token) {
                return oauth(
                    100,
                    "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app",
                );
            }
            Ok(json!({"data": inspected(world, input)}))
        }
        _ => Err((
            400,
            json!({
                "message": format!("Unsupported {} request. Object with ID '{}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", method.to_lowercase(), parts.join("/")),
                "type": "GraphMethodException", "code": 100, "error_subcode": 33, "fbtrace_id": "AtraceExample01",
            }),
        )),
    }
}

fn inspected(world: &World, input: &str) -> Value {
    let scopes = ["pages_messaging", "pages_manage_metadata", "pages_show_list", "pages_read_engagement"];
    let granular: Vec<Value> = scopes.iter().map(|scope| json!({"scope": scope, "target_ids": [PAGE]})).collect();
    let mut data = json!({
        "app_id": APP, "application": "Example App", "expires_at": world.expires_at, "data_access_expires_at": 0,
        "is_valid": true, "issued_at": 1_789_776_000, "scopes": scopes, "granular_scopes": granular, "user_id": "1",
    });
    match input {
        PAGE_TOKEN => {
            data["type"] = "PAGE".into();
            data["profile_id"] = PAGE.into();
        }
        USER_TOKEN => data["type"] = "USER".into(),
        _ => {
            data = json!({
                "error": {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"},
                "is_valid": false, "scopes": [],
            });
        }
    }
    data
}
