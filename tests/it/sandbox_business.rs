//! Businesses and their system users, and the ends of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use msgrctl::sandbox::InProcess;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::sandbox_login::{choose, exchange, get, ids, json_of, token};
use crate::support::Hook;
use crate::support::world::{PAGE_ID, app, page_token, scenario};

const SECOND: &str = "109876543210988";
const BUSINESS: &str = "200000000000001";
const SCOPE: &str = "pages_show_list,pages_messaging,pages_manage_metadata,pages_read_engagement,business_management";
/// An administrator's token, and a proof of it.
const ADMIN: &str = "EAAEmulatorAdminToken0001";
const PROOF: &str = "86a5be7cf67a95dff44cd78a03ae002f7a9b3469b15fe8c622988b92e5c552d3";

/// A world with two Pages and that administrator; `more` comes after the app.
fn world(more: &str) -> InProcess {
    scenario(&format!(
        "version = 1\npage_count = 2\ntoday = '2026-11-28T12:00:00Z'\n[[apps]]\nsecret = '0123456789abcdef0123456789abcdef'\n{more}\n[[users]]\ntoken = '{ADMIN}'\nscopes = ['business_management', 'pages_show_list', 'pages_read_engagement']\n"
    ))
}

fn call(sandbox: &InProcess, method: &str, path: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    json_of(sandbox, method, &format!("/v26.0{path}?{query}"))
}

/// A call that has to succeed.
#[track_caller]
fn done(sandbox: &InProcess, method: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let (status, body) = call(sandbox, method, path, parameters);
    assert_eq!(status, 200, "{method} {path}: {body}");
    body
}

/// The error of a call: status, code, subcode.
fn refused(sandbox: &InProcess, method: &str, path: &str, parameters: &[(&str, &str)]) -> (u16, i64, i64) {
    let (status, body) = call(sandbox, method, path, parameters);
    let number = |name: &str| body["error"][name].as_i64().unwrap_or_default();
    (status, number("code"), number("error_subcode"))
}

/// The parameters that generate a token.
fn generated<'p>(app: &'p str, more: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
    let usual = [("business_app", app), ("scope", SCOPE), ("appsecret_proof", PROOF), ("access_token", ADMIN)];
    usual
        .into_iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name))
        .chain(more.iter().copied())
        .collect()
}

/// A system user with the app and the first Page.
fn employee(sandbox: &InProcess) -> String {
    let admin = ("access_token", ADMIN);
    let made = done(sandbox, "POST", &format!("/{BUSINESS}/system_users"), &[("name", "msgrctl"), admin]);
    let id = made["id"].as_str().unwrap().to_owned();
    let app = app(sandbox).0;
    done(sandbox, "POST", &format!("/{id}/applications"), &[("business_app", &app), admin]);
    let tasks = ("tasks", r#"["MESSAGING","MODERATE"]"#);
    done(sandbox, "POST", &format!("/{PAGE_ID}/assigned_users"), &[("user", &id), tasks, admin]);
    id
}

#[test]
fn a_system_user_is_made_step_by_step() {
    let sandbox = world("");
    let (app_id, _) = app(&sandbox);
    let id = employee(&sandbox);
    let admin = ("access_token", ADMIN);
    let list = done(&sandbox, "GET", &format!("/{BUSINESS}/system_users"), &[("fields", "id,name,role"), admin]);
    assert_eq!(list["data"], json!([{"id": id, "name": "msgrctl", "role": "EMPLOYEE"}]));
    let of_page = done(&sandbox, "GET", &format!("/{PAGE_ID}/assigned_users"), &[("business", BUSINESS), admin]);
    assert_eq!(of_page["data"], json!([{"id": id, "name": "msgrctl", "tasks": ["MESSAGING", "MODERATE"]}]));
    let of_user = done(&sandbox, "GET", &format!("/{id}/assigned_pages"), &[("fields", "id,tasks"), admin]);
    assert_eq!(of_user["data"], json!([{"id": PAGE_ID, "tasks": ["MESSAGING", "MODERATE"]}]));

    let body = done(&sandbox, "POST", &format!("/{id}/access_tokens"), &generated(&app_id, &[]));
    let system = body["access_token"].as_str().unwrap();
    let found = get(&sandbox, &format!("/debug_token?input_token={system}"), ADMIN)["data"].clone();
    assert_eq!(
        (&found["type"], &found["expires_at"], &found["data_access_expires_at"], &found["user_id"]),
        (&json!("SYSTEM_USER"), &json!(0), &json!(0), &json!(id))
    );
    // It is a snapshot: the second Page comes too late.
    let second = format!("/{SECOND}/assigned_users");
    done(&sandbox, "POST", &second, &[("user", &id), ("tasks", "['MANAGE']"), admin]);
    assert_eq!(get(&sandbox, &format!("/{SECOND}?fields=access_token"), system)["error"]["code"], 100);
    assert_eq!(ids(&get(&sandbox, "/me/accounts", system)), [PAGE_ID]);
    let page = get(&sandbox, &format!("/{PAGE_ID}?fields=access_token,tasks"), system);
    assert_eq!(page["tasks"], json!(["MESSAGING", "MODERATE"]));
    let page = page["access_token"].as_str().unwrap();
    assert_ne!(page, page_token(&sandbox), "a Page's token is its parent's");
    assert_eq!(get(&sandbox, "/me", page)["id"], PAGE_ID);
    // A system user acts with its own tasks.
    let newer = done(&sandbox, "POST", &format!("/{id}/access_tokens"), &generated(&app_id, &[]));
    let of_second = get(&sandbox, &format!("/{SECOND}?fields=access_token"), newer["access_token"].as_str().unwrap());
    let of_second = of_second["access_token"].as_str().unwrap();
    assert_eq!(get(&sandbox, "/me/conversations", of_second)["error"]["code"], 200, "no task for messages");
    // What is no longer assigned cannot be used.
    done(&sandbox, "DELETE", &format!("/{PAGE_ID}/assigned_users"), &[("user", &id), admin]);
    assert_eq!(get(&sandbox, "/me", page)["error"]["code"], 190);
}

#[test]
fn what_a_system_user_may_not_is_refused() {
    let sandbox = world("");
    let (app_id, _) = app(&sandbox);
    let id = employee(&sandbox);
    let tokens = format!("/{id}/access_tokens");
    let (page, user) = (page_token(&sandbox), sandbox.world().user_token().unwrap().value.clone());
    let business = format!("/{BUSINESS}/system_users");
    assert_eq!(
        refused(&sandbox, "GET", &business, &[("access_token", &user)]),
        (403, 200, 0),
        "no business_management"
    );
    assert_eq!(refused(&sandbox, "GET", &business, &[("access_token", &page)]), (403, 200, 0));
    for (change, expected) in [
        (("access_token", page.as_str()), (403, 200, 0)),
        (("appsecret_proof", ""), (400, 100, 0)),
        (("appsecret_proof", "bb977d51fff94a181f1c0558f795038b227754548081aeab7bd8a3e29dc358d2"), (400, 100, 0)),
        (("business_app", "5"), (400, 100, 0)),
        (("scope", ""), (400, 100, 0)),
        (("scope", "manage_pages"), (400, 100, 0)),
    ] {
        assert_eq!(refused(&sandbox, "POST", &tokens, &generated(&app_id, &[change])), expected, "{change:?}");
    }
    let admin = ("access_token", ADMIN);
    let assigned = format!("/{PAGE_ID}/assigned_users");
    let tasks = ("tasks", "['MESSAGING']");
    assert_eq!(refused(&sandbox, "POST", &assigned, &[("user", "5"), tasks, admin]), (400, 110, 0));
    assert_eq!(refused(&sandbox, "POST", &assigned, &[("user", &id), ("tasks", "['FLY']"), admin]).1, 100);
    assert_eq!(refused(&sandbox, "GET", &assigned, &[admin]).1, 100, "the business is required");
    let other = done(&sandbox, "POST", &business, &[("name", "other"), admin])["id"].as_str().unwrap().to_owned();
    let without_app = format!("/{other}/access_tokens");
    assert_eq!(refused(&sandbox, "POST", &without_app, &generated(&app_id, &[])), (400, 100, 0));
    let one = world(
        "[[businesses]]\nsystem_user_limit = 1\ntwo_factor = true\nlasting_tokens = false\nadmins = ['Ada Example']",
    );
    let id = employee(&one);
    assert_eq!(refused(&one, "POST", &business, &[("name", "two"), admin]).1, 100);
    assert_eq!(refused(&one, "POST", &format!("/{id}/access_tokens"), &generated(&app_id, &[])), (400, 415, 2_859_009));
    one.world().businesses[0].two_factor = false;
    assert_eq!(refused(&one, "POST", &format!("/{id}/access_tokens"), &generated(&app_id, &[])), (400, 100, 0));
    one.world().businesses[0].admins = Some(Vec::new());
    assert_eq!(refused(&one, "POST", &business, &[("name", "two"), admin]), (403, 200, 0));
}

#[test]
fn tokens_for_60_days_are_renewed_and_revoked() {
    let sandbox = world("");
    let (app_id, secret) = app(&sandbox);
    let id = employee(&sandbox);
    let for_60_days = ("set_token_expires_in_60_days", "true");
    let body = done(&sandbox, "POST", &format!("/{id}/access_tokens"), &generated(&app_id, &[for_60_days]));
    let old = body["access_token"].as_str().unwrap().to_owned();
    let ends = |token: &str| {
        get(&sandbox, &format!("/debug_token?input_token={token}"), ADMIN)["data"]["expires_at"].as_i64().unwrap()
    };
    let page = |token: &str| {
        let page = get(&sandbox, &format!("/{PAGE_ID}?fields=access_token"), token);
        page["access_token"].as_str().unwrap().to_owned()
    };
    let first = ends(&old);
    let page_of_old = page(&old);
    assert_eq!(ends(&page_of_old), first, "a Page's token ends with its parent");
    sandbox.world().clock.advance(jiff::SignedDuration::from_hours(24 * 40));
    let app = [("client_id", app_id.as_str()), ("client_secret", &secret)];
    let renewal = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", &old)];
    let plain = [&app[..], &renewal].concat();
    assert_eq!(refused(&sandbox, "GET", "/oauth/access_token", &plain).1, 190, "not without the flag");
    let renewed = done(&sandbox, "GET", "/oauth/access_token", &[&plain[..], &[for_60_days]].concat());
    assert_eq!((&renewed["token_type"], &renewed["expires_in"]), (&json!("bearer"), &json!(5_184_000)));
    let new = renewed["access_token"].as_str().unwrap().to_owned();
    assert_eq!((ends(&new) - first, ends(&old)), (40 * 86_400, first), "the old one lives on");
    let page_of_new = page(&new);
    let revoke = |old: &str, by: &str| {
        call(&sandbox, "GET", "/oauth/revoke", &[&app[..], &[("revoke_token", old), ("access_token", by)]].concat())
    };
    assert_eq!(revoke(&old, &old).0, 400, "it takes another token");
    let user = sandbox.world().user_token().unwrap().value.clone();
    assert_eq!(revoke(&user, &new).0, 400, "only system users'");
    assert_eq!(revoke(&old, &new), (200, json!({"success": true})));
    for dead in [&old, &page_of_old] {
        assert_eq!(get(&sandbox, "/me", dead)["error"]["error_subcode"], 466);
    }
    assert_eq!(get(&sandbox, "/me", &page_of_new)["id"], PAGE_ID);
    sandbox.world().clock.advance(jiff::SignedDuration::from_hours(24 * 60));
    let late = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", new.as_str()), for_60_days];
    assert_eq!(refused(&sandbox, "GET", "/oauth/access_token", &[&app[..], &late].concat()), (400, 190, 463));
}

#[test]
fn a_business_makes_and_finds_tokens_of_its_system_users() {
    let sandbox = world("");
    let id = employee(&sandbox);
    let path = format!("/{BUSINESS}/system_user_access_tokens");
    let usual =
        [("system_user_id", id.as_str()), ("scope", SCOPE), ("appsecret_proof", PROOF), ("access_token", ADMIN)];
    let fetch = [("system_user_id", id.as_str()), ("fetch_only", "true"), usual[2], usual[3]];
    assert_eq!(refused(&sandbox, "POST", &path, &fetch).1, 100, "none yet");
    assert_eq!(refused(&sandbox, "POST", &path, &[&usual[..], &[("asset", SECOND)]].concat()).1, 100, "not assigned");
    let made = done(&sandbox, "POST", &path, &[&usual[..], &[("asset", PAGE_ID)]].concat());
    assert_eq!(done(&sandbox, "POST", &path, &fetch)["access_token"], made["access_token"]);
    let all = [("appsecret_proof", PROOF), ("access_token", ADMIN)];
    done(&sandbox, "DELETE", &format!("/{id}/access_tokens"), &all);
    assert_eq!(get(&sandbox, "/me", made["access_token"].as_str().unwrap())["error"]["error_subcode"], 466);
}

#[test]
fn businesses_list_their_pages_by_cursors() {
    let clients = "[[businesses]]\nclient_pages = ['109876543210987']\npermitted_tasks = ['MESSAGING']\n[[businesses]]\nid = '300'\nname = 'Other'\nowned_pages = []\nadmins = []\n[[grants]]\npermissions = ['business_management', 'pages_show_list', 'pages_read_engagement']\npages = ['109876543210990', '109876543210987']\n";
    let sandbox = world(clients);
    let business = get(&sandbox, "/me/businesses?fields=id,name", ADMIN);
    assert_eq!(business["data"], json!([{"id": BUSINESS, "name": "Example Business"}]), "not a stranger's");
    assert_eq!(get(&sandbox, "/300/owned_pages", ADMIN)["error"]["code"], 200);
    let clients =
        get(&sandbox, &format!("/{BUSINESS}/client_pages?fields=id,name,access_token,permitted_tasks"), ADMIN);
    assert_eq!((ids(&clients), &clients["data"][0]["permitted_tasks"]), (vec![PAGE_ID], &json!(["MESSAGING"])));
    assert!(clients["data"][0]["access_token"].is_string());
    let many = scenario(
        "version = 1\npage_count = 3000\n[[users]]\ntoken = 'EAAm'\nscopes = ['business_management', 'pages_show_list', 'pages_read_engagement']\ngranted_for = ['109876543210988']\n",
    );
    let (mut after, mut seen, mut acts) = (String::new(), 0, 0);
    loop {
        let path = format!("/{BUSINESS}/owned_pages?fields=id,name,access_token&limit=1000{after}");
        let list = get(&many, &path, "EAAm");
        let rows = list["data"].as_array().unwrap();
        seen += rows.len();
        acts += rows.iter().filter(|row| row["access_token"].is_string()).count();
        if list["paging"]["next"].is_null() {
            break;
        }
        after = format!("&after={}", list["paging"]["cursors"]["after"].as_str().unwrap());
    }
    assert_eq!((seen, acts), (3_000, 1), "a Page that was not granted has no token");
}

#[test]
fn a_person_removes_a_permission_or_the_app() {
    let sandbox = scenario("version = 1\npage_count = 2\n");
    let user = token(&sandbox, &[], &[("page", PAGE_ID)]);
    let page = page_token(&sandbox);
    done(&sandbox, "DELETE", "/me/permissions/pages_show_list", &[("access_token", &user)]);
    assert!(!get(&sandbox, "/me/permissions", &user).to_string().contains("pages_show_list"));
    assert_eq!(get(&sandbox, "/me/accounts", &user)["data"], json!([]));
    assert_eq!(get(&sandbox, "/me", &page)["id"], PAGE_ID, "its token has other permissions");
    assert_eq!(refused(&sandbox, "DELETE", "/me/permissions/email", &[("access_token", &user)]).1, 100);
    assert_eq!(refused(&sandbox, "DELETE", "/me/permissions", &[("access_token", &page)]).1, 100);
    assert_eq!(done(&sandbox, "DELETE", "/me/permissions", &[("access_token", &user)]), json!({"success": true}));
    for dead in [&user, &page] {
        let error = get(&sandbox, "/me", dead)["error"].clone();
        assert_eq!((&error["code"], &error["error_subcode"]), (&json!(190), &json!(458)), "{error}");
    }
    // The next login is as the first: it asks, and the Page gets another token.
    let user = token(&sandbox, &[], &[("page", PAGE_ID)]);
    let again = get(&sandbox, "/me/accounts", &user)["data"][0]["access_token"].as_str().unwrap().to_owned();
    assert_ne!(again, page);
    let (id, secret) = app(&sandbox);
    let person = sandbox.world().users[0].id.clone();
    done(&sandbox, "DELETE", &format!("/{person}/permissions"), &[("access_token", &format!("{id}|{secret}"))]);
    assert_eq!(get(&sandbox, "/me", &again)["error"]["error_subcode"], 458);
}

#[test]
fn an_app_is_told_that_a_person_has_removed_it() {
    let hook = Hook::start();
    let sandbox = scenario(&format!("version = 1\n[[apps]]\ndeauthorize_url = '{}'\n", hook.url));
    let user = sandbox.world().user_token().unwrap().value.clone();
    done(&sandbox, "DELETE", "/me/permissions", &[("access_token", &user)]);
    let told = hook.events(1).remove(0);
    assert_eq!(told.header("content-type"), Some("application/x-www-form-urlencoded"));
    let body = String::from_utf8(told.body).unwrap();
    let (signature, payload) = body.strip_prefix("signed_request=").unwrap().split_once('.').unwrap();
    assert_eq!(signature.len(), 43, "32 bytes in URL-safe base64");
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&payload["user_id"], &payload["algorithm"]), (&json!("10150000000000001"), &json!("HMAC-SHA256")));
}

#[test]
fn a_business_integration_knows_its_business() {
    let sandbox = scenario(
        "version = 1\n[[apps]]\nlogin = 'business'\n[[configurations]]\nid = '78'\ntoken = 'system_user_60_days'\npermissions = ['pages_show_list', 'business_management']\n",
    );
    let by =
        [("scope", ""), ("config_id", "78"), ("override_default_response_type", "true"), ("response_type", "code")];
    let code = choose(&sandbox, &by, &[("page", PAGE_ID)]).parameter("code");
    let (_, body) = exchange(&sandbox, &code, &[]);
    assert_eq!(body["expires_in"], 5_184_000);
    let system = body["access_token"].as_str().unwrap();
    let me = get(&sandbox, "/me?fields=client_business_id,name", system);
    assert_eq!((&me["client_business_id"], &me["name"]), (&json!(BUSINESS), &json!("Example App")));
    let list = get(&sandbox, &format!("/{BUSINESS}/owned_pages?fields=id,access_token"), system);
    assert!(list["data"][0]["access_token"].is_string(), "{list}");
}
