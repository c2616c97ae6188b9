//! Meta's side of a login: the dialog, the code, the tokens, and what later logins do to earlier
//! ones.

use msgrctl::sandbox::InProcess;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::handover_page::FAINT;
use crate::sandbox::ask;
use crate::support::dialog::{Shown, inputs, open, submit};
use crate::support::world::{PAGE_ID, app, page_token, scenario};
use crate::support::{Browser, Home};

const BACK: &str = "http://localhost:8765/callback";
const SCOPE: &str = "pages_show_list,pages_messaging,pages_manage_metadata,pages_read_engagement";
const FIVE: &str = "version = 1\npage_count = 5\n";
const SECOND: &str = "109876543210988";

pub fn json_of(sandbox: &InProcess, method: &str, path: &str) -> (u16, Value) {
    let (status, _, body) = ask(&sandbox.url(), method, path, &[], "");
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

/// Opens the classic dialog; `more` wins over the usual parameters.
fn dialog(sandbox: &InProcess, more: &[(&str, &str)]) -> Shown {
    let id = app(sandbox).0;
    let usual = [("client_id", id.as_str()), ("redirect_uri", BACK), ("state", "S-1_x"), ("scope", SCOPE)];
    let kept = usual.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let all: Vec<(&str, &str)> = kept.chain(more.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    open(&sandbox.url(), &all)
}

pub fn choose(sandbox: &InProcess, more: &[(&str, &str)], choices: &[(&str, &str)]) -> Shown {
    submit(&sandbox.url(), &dialog(sandbox, more).page(), choices, "continue")
}

/// Exchanges a code; `more` wins over the usual parameters.
pub fn exchange(sandbox: &InProcess, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = app(sandbox);
    let usual = [("client_id", id.as_str()), ("client_secret", &secret), ("redirect_uri", BACK), ("code", code)];
    let kept = usual.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let all = kept.chain(more.iter().copied()).filter(|(_, value)| !value.is_empty());
    let query = Serializer::new(String::new()).extend_pairs(all).finish();
    json_of(sandbox, "GET", &format!("/v26.0/oauth/access_token?{query}"))
}

/// The token of a login with these choices.
pub fn token(sandbox: &InProcess, more: &[(&str, &str)], choices: &[(&str, &str)]) -> String {
    let code = choose(sandbox, more, choices).parameter("code");
    let (status, body) = exchange(sandbox, &code, &[]);
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

pub fn get(sandbox: &InProcess, path: &str, token: &str) -> Value {
    let joint = if path.contains('?') { '&' } else { '?' };
    json_of(sandbox, "GET", &format!("/v26.0{path}{joint}access_token={token}")).1
}

pub fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_person_picks_two_of_five_pages() {
    let sandbox = scenario(FIVE);
    let html = dialog(&sandbox, &[]).page();
    assert!(html.contains("<html lang=\"en\">") && html.contains("Ada Example") && !html.contains("<script"));
    let offered = inputs(&html).into_iter().filter(|(_, name, ..)| name == "page").count();
    assert_eq!((offered, html.matches("<form").count()), (5, 1));
    let back = submit(&sandbox.url(), &html, &[("page", PAGE_ID), ("page", SECOND)], "continue");
    let Shown::Redirect(url) = &back else { panic!("{back:?}") };
    assert!(
        url.as_str().starts_with(&format!("{BACK}?code=AQD")) && url.as_str().ends_with("&state=S-1_x#_=_"),
        "{url}"
    );
    let code = back.parameter("code");
    let (status, body) = exchange(&sandbox, &code, &[]);
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("bearer"), &json!(5_400)));
    let user = body["access_token"].as_str().unwrap();
    assert_eq!(get(&sandbox, "/me", user)["name"], "Ada Example");
    assert_eq!(ids(&get(&sandbox, "/me/accounts", user)), [PAGE_ID, SECOND]);
    assert_eq!(get(&sandbox, "/109876543210989?fields=name,access_token", user)["error"]["code"], 100, "not ticked");
    let inspected = get(&sandbox, &format!("/debug_token?input_token={user}"), user);
    assert_eq!(inspected["data"]["granular_scopes"][0]["target_ids"], json!([PAGE_ID, SECOND]));
    // A Page's token of a short token ends with it, of a long one never.
    let (id, secret) = app(&sandbox);
    let long = format!(
        "/oauth/access_token?grant_type=fb_exchange_token&client_id={id}&client_secret={secret}&fb_exchange_token={user}"
    );
    let long = json_of(&sandbox, "GET", &long).1["access_token"].as_str().unwrap().to_owned();
    for (user, ends) in [(user, true), (long.as_str(), false)] {
        let page = get(&sandbox, "/me/accounts", user)["data"][1]["access_token"].as_str().unwrap().to_owned();
        let found = get(&sandbox, &format!("/debug_token?input_token={page}"), &format!("{id}%7C{secret}"));
        assert_eq!((&found["data"]["type"], found["data"]["expires_at"] != 0), (&json!("PAGE"), ends), "{found}");
    }
}

#[test]
fn a_dialog_that_is_cancelled_says_so() {
    let sandbox = scenario(FIVE);
    let cancelled = submit(&sandbox.url(), &dialog(&sandbox, &[]).page(), &[], "cancel");
    let Shown::Redirect(url) = cancelled else { panic!("{cancelled:?}") };
    assert_eq!(
        url.as_str(),
        format!(
            "{BACK}?error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied&state=S-1_x"
        )
    );
    assert!(sandbox.world().grants.is_empty());
}

#[test]
fn each_faulty_exchange_has_its_error() {
    let sandbox = scenario("version = 1\ntoday = '2026-11-28T12:00:00Z'\n");
    let (_, secret) = app(&sandbox);
    let code = choose(&sandbox, &[], &[]).parameter("code");
    let refused = |code: &str, more: &[(&str, &str)]| {
        let (status, body) = exchange(&sandbox, code, more);
        let error = &body["error"];
        assert_eq!((status, &error["type"]), (400, &json!("OAuthException")), "{body}");
        (
            error["code"].as_i64().unwrap(),
            error["error_subcode"].as_i64().unwrap_or_default(),
            error["message"].as_str().unwrap().to_owned(),
        )
    };
    let differs = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request";
    for (code, more, expected) in [
        (code.as_str(), ("redirect_uri", "http://localhost:8765/callback/"), (100, 36_008, differs)),
        (&code, ("redirect_uri", ""), (191, 0, "Missing redirect_uri parameter.")),
        ("AQDnonsense", ("x", ""), (100, 0, "Invalid verification code format.")),
        (&code, ("client_secret", "wrong"), (1, 0, "Error validating client secret.")),
        (
            &code,
            ("client_id", "5"),
            (101, 0, "Error validating application. Cannot get application info due to a system error."),
        ),
    ] {
        let (number, subcode, text) = refused(code, &[more]);
        assert_eq!((number, subcode, text.as_str()), expected);
    }
    assert_eq!(exchange(&sandbox, &code, &[]).0, 200, "a refused exchange uses no code up");
    assert_eq!(refused(&code, &[]), (100, 36_009, "This authorization code has been used.".into()));
    let late = choose(&sandbox, &[("auth_type", "rerequest")], &[]).parameter("code");
    sandbox.world().clock.advance(jiff::SignedDuration::from_mins(10));
    assert_eq!(refused(&late, &[]), (100, 36_007, "This authorization code has expired.".into()));
    let (_, head, _) = ask(
        &sandbox.url(),
        "POST",
        "/oauth/access_token",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        &format!("client_id={}&client_secret={secret}&redirect_uri=x&code={late}", app(&sandbox).0),
    );
    assert!(head.contains("www-authenticate: oauth \"facebook platform\" \"invalid_code\""), "{head}");
}

#[test]
fn a_code_with_a_challenge_needs_its_verifier() {
    let sandbox = scenario(FIVE);
    let challenge =
        [("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256")];
    let code = choose(&sandbox, &challenge, &[]).parameter("code");
    assert_eq!(exchange(&sandbox, &code, &[]).0, 400);
    let verifier = ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(exchange(&sandbox, &code, &[verifier]).0, 200);
}

#[test]
fn declined_permissions_are_told_and_asked_for_again() {
    let sandbox = scenario(FIVE);
    let given = [("permission", "pages_show_list"), ("permission", "pages_read_engagement"), ("page", PAGE_ID)];
    let back = choose(&sandbox, &[("response_type", "code,granted_scopes")], &given).answer();
    let of = |name: &str| back.iter().find(|(key, _)| key == name).unwrap().1.as_str();
    assert_eq!(of("granted_scopes"), "pages_show_list,pages_read_engagement,public_profile");
    assert_eq!(of("denied_scopes"), "pages_messaging,pages_manage_metadata");
    let user = exchange(&sandbox, of("code"), &[]).1["access_token"].as_str().unwrap().to_owned();
    let rows = get(&sandbox, "/me/permissions", &user)["data"].clone();
    assert!(rows.as_array().unwrap().contains(&json!({"permission": "pages_messaging", "status": "declined"})));
    // Without being asked to, Meta asks nothing again.
    let silent = dialog(&sandbox, &[]).parameter("code");
    let same = exchange(&sandbox, &silent, &[]).1["access_token"].as_str().unwrap().to_owned();
    assert_ne!(same, user);
    assert_eq!(ids(&get(&sandbox, "/me/accounts", &same)), [PAGE_ID]);
    let html = dialog(&sandbox, &[("auth_type", "rerequest")]).page();
    let ticked: Vec<String> = inputs(&html)
        .into_iter()
        .filter(|(kind, _, _, ticked)| kind == "checkbox" && *ticked)
        .map(|one| one.2)
        .collect();
    assert_eq!(ticked, [PAGE_ID, "pages_show_list", "pages_read_engagement"]);
}

#[test]
fn a_login_with_other_pages_breaks_those_that_are_not_ticked() {
    let sandbox = scenario(FIVE);
    let first = page_token(&sandbox);
    let user = token(&sandbox, &[], &[("page", SECOND)]);
    let refused = get(&sandbox, "/me", &first);
    assert_eq!((&refused["error"]["code"], &refused["error"]["error_subcode"]), (&json!(190), &Value::Null));
    assert!(refused["error"]["message"].as_str().unwrap().contains("impersonating"), "{refused}");
    // With the Page ticked again its token works again.
    let again = token(&sandbox, &[("auth_type", "rerequest")], &[("page", PAGE_ID), ("page", SECOND)]);
    assert_eq!(get(&sandbox, "/me", &first)["id"], PAGE_ID);
    assert_eq!(ids(&get(&sandbox, "/me/accounts", &again)), ids(&get(&sandbox, "/me/accounts", &user)));
    // All Pages, and those that come later: no ids are named.
    let all = token(&sandbox, &[("auth_type", "rerequest")], &[("pages", "all")]);
    let inspected = get(&sandbox, &format!("/debug_token?input_token={all}"), &all);
    assert_eq!(inspected["data"]["granular_scopes"][0], json!({"scope": "pages_show_list"}));
}

#[test]
fn a_new_login_brings_tokens_where_the_old_ones_are_dead() {
    let dead = "version = 1\n[[pages]]\nid = '12345'\nname = 'A'\ntoken = 'EAAx'\ntoken_state = 'password_changed'\n";
    let sandbox = scenario(dead);
    let user = token(&sandbox, &[], &[("page", "12345")]);
    let page = get(&sandbox, "/me/accounts", &user)["data"][0]["access_token"].as_str().unwrap().to_owned();
    assert_eq!((page != "EAAx", get(&sandbox, "/me", &page)["id"].as_str()), (true, Some("12345")));
    let lost = scenario(&dead.replace("password_changed", "lost_role"));
    let user = token(&lost, &[], &[("page", "12345")]);
    let page = get(&lost, "/me/accounts", &user)["data"][0]["access_token"].as_str().unwrap().to_owned();
    assert_eq!(get(&lost, "/me", &page)["error"]["error_subcode"], 492, "a login gives no role");
}

#[test]
fn tokens_come_in_the_fragment_where_they_are_asked_for() {
    let sandbox = scenario(FIVE);
    let back = choose(&sandbox, &[("response_type", "token")], &[("page", PAGE_ID)]);
    let Shown::Redirect(url) = &back else { panic!("{back:?}") };
    assert_eq!(url.query(), None);
    let user = back.parameter("access_token");
    assert_eq!(ids(&get(&sandbox, "/me/accounts", &user)), [PAGE_ID]);
}

const BUSINESS: &str = "version = 1\npage_count = 2\n[[apps]]\nlogin = 'business'\n[[configurations]]\nid = '77'\n[[configurations]]\nid = '78'\ntoken = 'system_user'\n";

#[test]
fn a_business_login_asks_by_configuration() {
    let sandbox = scenario(BUSINESS);
    let by = |id: &'static str| [("scope", ""), ("config_id", id)];
    let html = dialog(&sandbox, &by("77")).page();
    assert!(!inputs(&html).iter().any(|(_, name, ..)| name == "permission"), "{html}");
    let user = token(&sandbox, &by("77"), &[("page", PAGE_ID)]);
    let permissions = get(&sandbox, "/me/permissions", &user).to_string();
    assert!(permissions.contains("pages_messaging") && !permissions.contains("declined"), "{permissions}");
    let more =
        [("scope", ""), ("config_id", "78"), ("override_default_response_type", "true"), ("response_type", "code")];
    let code = choose(&sandbox, &more, &[("page", PAGE_ID)]).parameter("code");
    let (_, body) = exchange(&sandbox, &code, &[]);
    assert_eq!(body.get("expires_in"), None, "it never ends");
    let system = body["access_token"].as_str().unwrap();
    let (id, secret) = app(&sandbox);
    let found = get(&sandbox, &format!("/debug_token?input_token={system}"), &format!("{id}%7C{secret}"));
    assert_eq!((&found["data"]["type"], &found["data"]["expires_at"]), (&json!("SYSTEM_USER"), &json!(0)));
    assert_eq!(ids(&get(&sandbox, "/me/accounts", system)), [PAGE_ID]);
    // What cannot be granted breaks, then looks as if it had been cancelled.
    for wrong in [&by("79")[..], &by("78")[..]] {
        let html = dialog(&sandbox, wrong).page();
        assert!(html.contains("Sorry, something went wrong"), "{html}");
        assert_eq!(submit(&sandbox.url(), &html, &[], "continue").parameter("error_reason"), "user_denied");
    }
}

#[test]
fn each_refusal_of_the_dialog_has_its_page() {
    let shows = |world: &str, more: &[(&str, &str)], words: &str| {
        let sandbox = scenario(&format!("version = 1\n{world}"));
        let shown = dialog(&sandbox, more);
        let Shown::Page { status, html } = shown else { panic!("{words}: {shown:?}") };
        assert!(status == 400 && html.contains(words), "{words}: {html}");
    };
    shows("", &[("client_id", "5")], "Invalid App ID");
    shows("", &[("redirect_uri", "")], "The parameter redirect_uri is required");
    shows("", &[("redirect_uri", "http://127.0.0.1:8765/callback")], "URL Blocked");
    shows("app_mode = 'live'\n", &[], "URL Blocked");
    shows("", &[("scope", "manage_pages,pages_messaging")], "Invalid Scopes: manage_pages.");
    shows(
        "[[apps]]\npermissions = ['pages_show_list']\n",
        &[("scope", "pages_messaging")],
        "Invalid Scopes: pages_messaging.",
    );
    shows("", &[("config_id", "77")], "Sorry, something went wrong");
    shows(BUSINESS.trim_start_matches("version = 1\n"), &[], "Invalid Scopes: pages_show_list, pages_messaging");
    let alone = &[("scope", "public_profile")];
    shows(BUSINESS.trim_start_matches("version = 1\n"), alone, "This app needs at least one supported permission.");
    shows("[[users]]\napp_role = false\n", &[], "App not active");
    let https = "redirect_uris = ['https://a.example/']\n";
    let elsewhere = &[("redirect_uri", "https://a.example/")];
    let standard = format!("access = 'standard'\n[[apps]]\nmode = 'live'\n{https}[[users]]\napp_role = false\n");
    shows(&standard, elsewhere, "This app needs at least one supported permission.");
    shows(&format!("[[apps]]\ndomains = ['b.example']\n{https}"), elsewhere, "Can&#39;t Load URL");
    shows(
        "business_login_in_development = false\n[[apps]]\nlogin = 'business'\n[[configurations]]\nid = '7'\n",
        &[("config_id", "7")],
        "Sorry, something went wrong",
    );
    for (error, words) in [
        ("feature_unavailable", "Feature Unavailable"),
        ("app_missing", "Invalid App ID"),
        ("something_went_wrong", "Sorry"),
    ] {
        shows(&format!("[[apps]]\nlogin_error = '{error}'\n"), &[], words);
    }
    for (error, name) in [("user_denied", "error_reason"), ("server_error", "error_message")] {
        let sandbox = scenario(&format!("version = 1\n[[apps]]\nlogin_error = '{error}'\n"));
        assert!(!choose(&sandbox, &[], &[("page", PAGE_ID)]).parameter(name).is_empty());
    }
}

#[test]
fn several_people_log_in_with_their_own_pages() {
    let world = "version = 1\npage_count = 3\n[[users]]\nname = 'Bob <script>'\nid = '55'\npages = ['109876543210988']\n[[users]]\nname = 'Eve'\napp_role = false\n";
    let sandbox = scenario(world);
    let html = dialog(&sandbox, &[]).page();
    assert!(html.contains("Bob &lt;script&gt;") && !html.contains("<script"), "{html}");
    let person = inputs(&html).into_iter().filter(|(kind, name, ..)| kind == "radio" && name == "person").count();
    assert_eq!(person, 3);
    let user = token(&sandbox, &[], &[("person", "55"), ("page", PAGE_ID), ("page", SECOND)]);
    assert_eq!(ids(&get(&sandbox, "/me/accounts", &user)), [SECOND]);
    assert_eq!(get(&sandbox, "/me", &page_token(&sandbox))["id"], PAGE_ID, "another person's grant");
    let eve = inputs(&html).into_iter().rfind(|(_, name, ..)| name == "person").unwrap().2;
    let refused = submit(&sandbox.url(), &html, &[("person", &eve)], "continue").page();
    assert!(refused.contains("App not active"), "{refused}");
}

#[test]
fn grants_of_a_scenario_are_those_of_an_earlier_login() {
    let world =
        format!("{FIVE}lists_pages = false\n[[grants]]\npages = ['{SECOND}']\ndeclined = ['pages_messaging']\n");
    let sandbox = scenario(&world);
    assert_eq!(get(&sandbox, "/me", &page_token(&sandbox))["error"]["code"], 190);
    let code = dialog(&sandbox, &[]).parameter("code");
    let user = exchange(&sandbox, &code, &[]).1["access_token"].as_str().unwrap().to_owned();
    assert_eq!(get(&sandbox, "/me/accounts", &user)["data"], json!([]));
    let inspected = get(&sandbox, &format!("/debug_token?input_token={user}"), &user);
    assert_eq!(inspected["data"]["granular_scopes"][0]["target_ids"], json!([SECOND]));
}

#[test]
fn the_journal_has_no_secret_of_a_login() {
    let sandbox = scenario(FIVE);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let more = [("code_challenge", verifier), ("state", "state-of-this-login-123")];
    let code = choose(&sandbox, &more, &[("page", PAGE_ID)]).parameter("code");
    let (_, body) = exchange(&sandbox, &code, &[("code_verifier", verifier)]);
    let user = body["access_token"].as_str().unwrap();
    let aside = format!("/x?note={code}&redirect_uri=http%3A%2F%2Flocalhost%2F%3Fcode%3Dhidden1");
    json_of(&sandbox, "GET", &aside);
    let told = serde_json::to_string(sandbox.world().journal.entries()).unwrap();
    let (_, secret) = app(&sandbox);
    for hidden in [code.as_str(), user, verifier, "state-of-this-login-123", &secret, "hidden1"] {
        assert!(!told.contains(hidden), "{hidden} in {told}");
    }
    assert!(told.contains("/v26.0/dialog/oauth") && told.contains("(a code)"), "{told}");
}

#[test]
fn the_dialog_fits_a_narrow_window_and_the_keyboard() {
    let Some(mut browser) = Browser::start() else { return };
    let long = "W".repeat(75);
    let world = format!(
        "version = 1\npage_count = 3\n[[pages]]\nid = '12345'\nname = '{long}'\n[[apps]]\nname = '{long}'\n[[users]]\nname = '{long}'\n"
    );
    let sandbox = scenario(&world);
    let home = Home::new();
    let refused = dialog(&sandbox, &[("scope", &"pages_of_nobody,".repeat(9))]).page();
    let pages = [dialog(&sandbox, &[]).page(), dialog(&sandbox, &[("person", "10150000000000001")]).page(), refused];
    browser.width(360);
    for html in &pages {
        let file = home.file("dialog.html", html);
        browser.open(&file);
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), 360);
        let nameless =
            "[...document.querySelectorAll('input:not([type=hidden])')].filter((it) => !it.labels.length).length";
        assert_eq!(browser.eval(nameless), 0);
        for scheme in ["light", "dark"] {
            browser.media(scheme, "screen");
            assert_eq!(browser.eval(FAINT)["faint"], json!([]), "{scheme}");
        }
        assert_eq!(browser.requests(), [format!("file://{}", file.display())], "it loads nothing");
        assert!(browser.console().is_empty(), "{:#?}", browser.console());
    }
    // From the first control to the last by Tab, and each shows that it has the focus.
    let file = home.file("dialog.html", &pages[1]);
    browser.open(&file);
    let mut reached = Vec::new();
    for _ in 0..20 {
        browser.press("Tab", 9);
        if browser.eval("document.activeElement === document.body") == true {
            break;
        }
        assert_ne!(browser.eval("getComputedStyle(document.activeElement).outlineStyle"), "none");
        reached.push(browser.eval("document.activeElement.name + '=' + document.activeElement.value"));
    }
    let (first, last) = (&reached[0], &reached[reached.len() - 1]);
    assert_eq!((first, last), (&json!("pages=current"), &json!("action=cancel")), "{reached:?}");
    assert!(
        reached.contains(&json!("page=12345")) && reached.contains(&json!("permission=pages_messaging")),
        "{reached:?}"
    );
}
