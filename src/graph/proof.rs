//! Signing calls with the app secret: `appsecret_proof` (graph/FACTS.md, "Signed calls").

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::secrets::Secret;

/// A Meta app and its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct AppCredentials {
    /// The app's id.
    pub id: String,
    /// The app's secret.
    pub secret: Secret,
}

impl AppCredentials {
    /// `APPID|SECRET`: the app access token; making it needs no call.
    pub(super) fn app_token(&self) -> Secret {
        Secret::new(format!("{}|{}", self.id, self.secret.expose()))
    }

    /// The proof for a token without a time, which Meta accepts as long as the token lives: for the
    /// calls whose documentation asks for this form.
    pub(super) fn proof(&self, token: &Secret) -> Secret {
        let mut mac = keyed(&self.secret);
        mac.update(token.expose().as_bytes());
        Secret::new(hex::encode(mac.finalize().into_bytes()))
    }

    /// The time-stamped proof for a token: lower-case hex of HMAC-SHA256(app secret, `token|unix
    /// seconds`). Meta accepts it for 5 minutes.
    pub(super) fn timed_proof(&self, token: &Secret, unix_seconds: i64) -> String {
        let mut mac = keyed(&self.secret);
        mac.update(token.expose().as_bytes());
        mac.update(b"|");
        mac.update(unix_seconds.to_string().as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

fn keyed(secret: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.expose().as_bytes()).unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timed_proof_matches_its_vector() {
        let app =
            AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") };
        assert_eq!(
            app.timed_proof(&Secret::new("EAAEmulatorPageToken0001"), 1_790_000_000),
            "fd584409fd6f3ae595caa621ce0e53470480a63e0e3ffa627cc1bbe65c0035b0"
        );
    }

    #[test]
    fn plain_hmacs_match_the_published_vectors() {
        for (secret, token, proof) in [
            ("1WDVGY78", "1234567890", "4894f81b47c53ccf240a1130d119db2c69833eac9be09adeebc8e7226fb73e73"),
            ("foo_secret", "foo_token", "df4256903ba4e23636cc142117aa632133d75c642bd2a68955be1443bd14deb9"),
            ("test", "test", "88cd2108b5347d973cf39cdf9053d7dd42704876d8c9a9bd8e2d168259d3ddf7"),
        ] {
            let app = AppCredentials { id: String::new(), secret: Secret::new(secret) };
            assert_eq!(app.proof(&Secret::new(token)).expose(), proof);
        }
    }

    #[test]
    fn the_app_token_joins_both_and_is_a_secret() {
        let app = AppCredentials { id: "123".into(), secret: Secret::new("foo_secret") };
        assert_eq!(app.app_token().expose(), "123|foo_secret");
        assert!(!format!("{app:?}").contains("foo_secret"));
    }
}
