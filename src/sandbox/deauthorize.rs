//! What an app is told when a person removes it: a POST with a `signed_request`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::callback;
use super::journal::Parameter;
use super::shared::SharedWorld;
use super::world::World;
use crate::http::{Body, Method, Request, Url, header};

/// Tells the app's callback, if it has one, without waiting for the answer. Needs the runtime.
pub(super) fn tell(world: &SharedWorld, held: &World, app_id: &str, user_id: &str) {
    let Some(app) = held.app(app_id) else { return };
    let Some(url) = app.deauthorize_url.as_ref().and_then(|url| Url::parse(url).ok()) else { return };
    let issued_at = held.clock.unix_seconds();
    let payload = json!({"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": issued_at}).to_string();
    let body = format!("signed_request={}", signed(&payload, app.secret.as_bytes()));
    let world = world.clone();
    tokio::spawn(async move {
        let form = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        let request = Request {
            method: Method::POST,
            url: url.clone(),
            authorization: None,
            headers: vec![(header::CONTENT_TYPE, form)],
            body: Body::Raw(body.into_bytes()),
        };
        let result = world.handshakes().send(request).await;
        let result = result.map(|answer| answer.status).map_err(|fault| fault.to_string());
        let told = Parameter { name: "signed_request".into(), value: "(hidden)".into() };
        let mut world = world.lock();
        let entry = callback::entry(&world, "POST", &url, "deauthorize", vec![told], result);
        world.journal.add(entry);
    });
}

/// Signature and payload, both in URL-safe base64. The signature is of the encoded payload.
fn signed(payload: &str, secret: &[u8]) -> String {
    let payload = URL_SAFE_NO_PAD.encode(payload);
    // A key of any length fits.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(payload.as_bytes());
    format!("{}.{payload}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed_as_meta_signs_them() {
        let secret = b"0123456789abcdef0123456789abcdef";
        let payload = r#"{"user_id":"10150000000000001","algorithm":"HMAC-SHA256","issued_at":1790000000}"#;
        assert_eq!(
            signed(payload, secret),
            "Pjs1ZzdcBStM2sSkaSoaHkfP-N7OMEApmtVHS2px2Ys.eyJ1c2VyX2lkIjoiMTAxNTAwMDAwMDAwMDAwMDEiLCJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTc5MDAwMDAwMH0"
        );
        // As recorded by the project facebook-signed-request (github.com/bk-rs).
        let recorded = r#"{"user_id":"0","algorithm":"HMAC-SHA256","issued_at":1624244156}"#;
        assert!(signed(recorded, b"key").starts_with("Mf_s6nTb38UYqioBmPqu0Ewm9souPZB9I2fIGwV729U.eyJ1c2VyX2lk"));
    }
}
