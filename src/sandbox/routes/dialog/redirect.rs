//! The addresses that the dialog may lead back to, and what it adds to them.

use url::Url;
use url::form_urlencoded::Serializer;

use super::refusal::Refused;
use super::{Call, Code, Grant, World};
use crate::sandbox::apps::{App, LoginError};

/// Refuses an address that is not registered. In Development mode every port and path of
/// `localhost` is allowed; `127.0.0.1` is not.
pub(super) fn check(app: &App, call: &Call) -> Result<(), Refused> {
    let blocked = Err(Refused::Login(LoginError::UrlBlocked));
    let Some(text) = call.given("redirect_uri") else { return Err(Refused::NoRedirect) };
    let Ok(url) = Url::parse(text) else { return blocked };
    let host = url.host_str().unwrap_or_default();
    let is_http = url.scheme() == "http";
    if host.is_empty() || !(is_http || url.scheme() == "https") {
        return blocked;
    }
    if host == "localhost" && !app.is_live() {
        return Ok(());
    }
    if is_http && (app.enforce_https || host == "localhost") {
        return blocked;
    }
    let is_of = |domain: &String| host == domain || host.ends_with(&format!(".{domain}"));
    if app.domains.as_ref().is_some_and(|domains| !domains.iter().any(is_of)) {
        return Err(Refused::Login(LoginError::CannotLoadUrl));
    }
    let bare = without_state(text);
    if app.redirect_uris.iter().any(|known| known == text || *known == bare) { Ok(()) } else { blocked }
}

/// An address without `state` in its query, which is not compared.
fn without_state(text: &str) -> String {
    let Some((path, query)) = text.split_once('?') else { return text.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| pair.split('=').next() != Some("state")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Whether `response_type` names this; without one it is `code`.
pub(super) fn asks(call: &Call, what: &str) -> bool {
    let kinds = call.given("response_type").unwrap_or("code");
    kinds.split([',', ' ']).any(|kind| kind == what)
}

/// Back with a code, or with the token itself in the fragment.
pub(super) fn granted(world: &World, call: &Call, grant: &Grant, code: &Code) -> String {
    let mut added = Serializer::new(String::new());
    let in_fragment = asks(call, "token");
    if in_fragment {
        let now = world.clock.unix_seconds();
        added
            .append_pair("access_token", &code.token.value)
            .append_pair("data_access_expiration_time", &code.token.data_access_expires_at.to_string())
            .append_pair("expires_in", &(code.token.expires_at - now).to_string());
    }
    if asks(call, "code") || !in_fragment {
        added.append_pair("code", &code.value);
    }
    if asks(call, "granted_scopes") {
        added.append_pair("granted_scopes", &grant.granted.join(","));
        added.append_pair("denied_scopes", &grant.declined.join(","));
    }
    let target = target(call, added, in_fragment);
    if world.rules.redirect_fragment && !in_fragment { format!("{target}#_=_") } else { target }
}

/// Back as Meta leads a person back who cancelled.
pub(super) fn denied(call: &Call) -> String {
    let mut added = Serializer::new(String::new());
    added
        .append_pair("error", "access_denied")
        .append_pair("error_code", "200")
        .append_pair("error_description", "Permissions error")
        .append_pair("error_reason", "user_denied");
    target(call, added, asks(call, "token"))
}

/// Back with a fault of Meta's, which has other parameters.
pub(super) fn failed(call: &Call) -> String {
    let mut added = Serializer::new(String::new());
    added.append_pair("error_code", "2").append_pair("error_message", "Service temporarily unavailable");
    target(call, added, asks(call, "token"))
}

fn target(call: &Call, mut added: Serializer<'_, String>, in_fragment: bool) -> String {
    if let Some(state) = call.parameter("state") {
        added.append_pair("state", state);
    }
    let (added, redirect) = (added.finish(), call.given("redirect_uri").unwrap_or_default());
    // Checked before; a header takes only what the parser writes.
    let mut url = Url::parse(redirect).map(String::from).unwrap_or_default();
    url.truncate(url.find('#').unwrap_or(url.len()));
    let joint = match (in_fragment, url.contains('?')) {
        (true, _) => '#',
        (false, true) => '&',
        (false, false) => '?',
    };
    format!("{url}{joint}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::apps::AppMode;
    use crate::sandbox::call::Parts;

    fn call(redirect_uri: &str) -> Call {
        let query = Serializer::new(String::new()).append_pair("redirect_uri", redirect_uri).finish();
        Call::new(&Parts { method: "GET", path: "/dialog/oauth", query: &query, ..Parts::default() })
    }

    #[test]
    fn only_registered_addresses_are_led_back_to() {
        let app = App {
            redirect_uris: vec!["https://a.example/back?x=1".into(), "http://127.0.0.1:9/back".into()],
            ..App::default()
        };
        let live = App { mode: Some(AppMode::Live), ..app.clone() };
        let open = App { enforce_https: false, ..app.clone() };
        let ok = |app: &App, uri: &str| check(app, &call(uri)).is_ok();
        for uri in ["http://localhost:8080/x?y", "https://localhost/", "https://a.example/back?x=1"] {
            assert!(ok(&app, uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1:9/back",
            "https://a.example/back",
            "https://a.example/back?x=1&y=2",
            "https://a.example/back?x=1/",
            "https://A.example/Back?x=1",
            "http://a.example/back?x=1",
            "https://localhost.example/",
            "javascript:alert(1)",
            "/back",
        ] {
            assert!(!ok(&app, uri), "{uri}");
        }
        assert!(ok(&app, "https://a.example/back?x=1&state=s") && ok(&app, "https://a.example/back?state=s&x=1"));
        assert!(ok(&open, "http://127.0.0.1:9/back") && !ok(&live, "http://localhost:8080/"));
        let own = App { domains: Some(vec!["example.com".into()]), ..live };
        assert!(matches!(
            check(&own, &call("https://a.example/back?x=1")),
            Err(Refused::Login(LoginError::CannotLoadUrl))
        ));
    }

    #[test]
    fn answers_are_added_to_a_query_that_is_there() {
        let back = denied(&call("http://localhost:1/back?x=1#part"));
        assert!(back.starts_with("http://localhost:1/back?x=1&error=access_denied&error_code=200&"), "{back}");
        assert!(back.ends_with("error_description=Permissions+error&error_reason=user_denied"), "{back}");
    }
}
