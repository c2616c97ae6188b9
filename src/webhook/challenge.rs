//! The handshake: Meta asks a callback to repeat a number, and sends the verify token
//! (webhook/FACTS.md, "The handshake").

use subtle::ConstantTimeEq as _;
use url::Url;

use crate::secrets::Secret;

/// Names of the three parameters.
const MODE: &str = "hub.mode";
const CHALLENGE: &str = "hub.challenge";
const VERIFY_TOKEN: &str = "hub.verify_token";

/// The longest challenge to repeat; Meta sends up to ten digits.
const LONGEST: usize = 200;

/// A handshake request.
#[derive(Debug, PartialEq)]
pub struct Handshake {
    /// To be repeated and nothing else.
    pub challenge: String,
    /// The token that it was sent with.
    pub verify_token: Secret,
}

/// Why a request is not a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NoHandshake {
    /// `hub.mode`, `hub.challenge` or `hub.verify_token` is missing.
    #[error("it lacks hub.mode, hub.challenge or hub.verify_token")]
    Incomplete,
    /// The mode is not `subscribe`.
    #[error("its hub.mode is not subscribe")]
    Mode,
    /// The challenge is not plain text.
    #[error("its hub.challenge is not plain text")]
    Challenge,
}

impl Handshake {
    /// Reads the query of a request.
    pub fn read(query: &str) -> Result<Self, NoHandshake> {
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let (Some(mode), Some(challenge), Some(token)) = (value(MODE), value(CHALLENGE), value(VERIFY_TOKEN)) else {
            return Err(NoHandshake::Incomplete);
        };
        if mode != "subscribe" {
            return Err(NoHandshake::Mode);
        }
        let plain = !challenge.is_empty() && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain || challenge.len() > LONGEST {
            return Err(NoHandshake::Challenge);
        }
        Ok(Self { challenge, verify_token: Secret::new(token) })
    }

    /// Whether it was sent with this token; compared in constant time.
    pub fn names(&self, verify_token: &Secret) -> bool {
        self.verify_token.expose().as_bytes().ct_eq(verify_token.expose().as_bytes()).into()
    }
}

/// How the parameters are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `hub.mode`, as Meta does.
    Dots,
    /// `hub_mode`, which some frameworks turn it into.
    Underscores,
}

/// The address that Meta requests, with this challenge and token. It holds the token.
pub fn handshake_address(callback: &Url, challenge: &str, verify_token: &Secret) -> Url {
    address(callback, challenge, verify_token, Spelling::Dots)
}

/// The address that Meta requests: the callback's own query stays, followed by the three
/// parameters. It holds the verify token: use it only for sending.
pub(super) fn address(callback: &Url, challenge: &str, verify_token: &Secret, spelling: Spelling) -> Url {
    let name = |name: &str| match spelling {
        Spelling::Dots => name.to_owned(),
        Spelling::Underscores => name.replace('.', "_"),
    };
    let mut url = callback.clone();
    url.set_fragment(None);
    url.query_pairs_mut()
        .append_pair(&name(MODE), "subscribe")
        .append_pair(&name(CHALLENGE), challenge)
        .append_pair(&name(VERIFY_TOKEN), verify_token.expose());
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_read_in_any_order() {
        let read = Handshake::read("a=b&hub.mode=subscribe&hub.verify_token=s3cret&hub.challenge=1158201444");
        let read = read.expect("a handshake");
        assert_eq!(read.challenge, "1158201444");
        assert!(read.names(&Secret::new("s3cret")));
        assert!(!read.names(&Secret::new("s3cre")) && !read.names(&Secret::new("S3cret")));
    }

    #[test]
    fn what_is_none_is_told() {
        for (query, why) in [
            ("", NoHandshake::Incomplete),
            ("hub_mode=subscribe&hub_challenge=1&hub_verify_token=x", NoHandshake::Incomplete),
            ("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=x", NoHandshake::Mode),
            ("hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=x", NoHandshake::Challenge),
            ("hub.mode=subscribe&hub.challenge=&hub.verify_token=x", NoHandshake::Challenge),
        ] {
            assert_eq!(Handshake::read(query), Err(why), "{query}");
        }
    }

    #[test]
    fn the_address_keeps_the_callbacks_own_query() {
        let callback = Url::parse("https://hooks.example.com/messenger?tenant=acme").expect("a URL");
        let asked = address(&callback, "42", &Secret::new("a+b/c"), Spelling::Dots);
        assert_eq!(
            asked.as_str(),
            "https://hooks.example.com/messenger?tenant=acme&hub.mode=subscribe&hub.challenge=42&hub.verify_token=a%2Bb%2Fc"
        );
        let read = Handshake::read(asked.query().expect("a query")).expect("a handshake");
        assert!(read.names(&Secret::new("a+b/c")));
    }
}
