//! `GET` or `POST /oauth/access_token`: a token for the code of a login, a long-lived token for a
//! short-lived one, 60 more days for a system user's, or an app's token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::caller::{unknown_app, unparsed};
use super::{Answer, Answered, Call, Refusal, Token, TokenKind, World, without_nulls};
use crate::sandbox::apps::App;
use crate::sandbox::grants::{Challenge, Code, new_token};
use crate::sandbox::tokens::{Origin, value_for};

/// The lifetime of a long-lived token in seconds, as Graph was seen to report it.
const LONG: i64 = 5_183_944;
/// The same of a system user's token.
const SIXTY_DAYS: i64 = 60 * 86_400;

pub(super) fn access_token(world: &mut World, call: &Call) -> Answered {
    let app = caller(world, call)?;
    match call.parameter("grant_type") {
        Some("client_credentials") => Ok(issued(&format!("{}|{}", app.id, app.secret), None)),
        Some("fb_exchange_token") => exchange(world, call, &app),
        None | Some("authorization_code") => redeem(world, call, &app),
        Some(_) => Err(bad_request(1, "Unsupported grant_type.")),
    }
}

/// The app that a call names with its secret.
pub(super) fn caller(world: &World, call: &Call) -> Result<App, Refusal> {
    let app = call.parameter("client_id").and_then(|id| world.app(id)).cloned().ok_or_else(unknown_app)?;
    if call.parameter("client_secret") != Some(app.secret.as_str()) {
        return Err(bad_request(1, "Error validating client secret."));
    }
    Ok(app)
}

/// Code 1 has status 400 here; only "an unknown error" with the same code has 500.
fn bad_request(code: i64, text: &str) -> Refusal {
    Refusal::oauth(code, text).with_status(400)
}

pub(super) fn issued(token: &str, expires_in: Option<i64>) -> Answer {
    let body: Value = json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in});
    Answer::ok(without_nulls(body))
}

/// A token that an app has issued.
pub(super) fn issued_by(world: &World, value: &str, app: &App) -> Result<Token, Refusal> {
    world.token(value).filter(|token| token.app_id == app.id).cloned().ok_or_else(unparsed)
}

/// A token for the code of a login, once.
fn redeem(world: &mut World, call: &Call, app: &App) -> Answered {
    let now = world.clock.unix_seconds();
    let life = i64::try_from(world.rules.code_life.as_secs()).unwrap_or(i64::MAX);
    let redirect_uri = call.given("redirect_uri").ok_or_else(|| bad_request(191, "Missing redirect_uri parameter."))?;
    let value = call.given("code").ok_or_else(|| bad_request(1, "Missing authorization code"))?;
    let code = world.code_mut(value).filter(|code| code.token.app_id == app.id);
    let code = code.ok_or_else(|| Refusal::oauth(100, "Invalid verification code format."))?;
    code.problem(call, redirect_uri, now, life).map_or(Ok(()), Err)?;
    code.used = true;
    let mut token = code.token.clone();
    if token.expires_at != 0 {
        token.expires_at += now - token.issued_at;
    }
    token.issued_at = now;
    let answer = issued(&token.value, (token.expires_at != 0).then_some(token.expires_at - now));
    world.tokens.retain(|one| one.value != token.value);
    world.tokens.push(token);
    Ok(answer)
}

impl Code {
    /// Why it is refused; `None` if it is not.
    fn problem(&self, call: &Call, redirect_uri: &str, now: i64, life: i64) -> Option<Refusal> {
        let refused = |subcode, text: &str| Some(Refusal::oauth(100, text).with_subcode(subcode));
        if self.used {
            return refused(36_009, "This authorization code has been used.");
        }
        if now - self.made_at >= life {
            return refused(36_007, "This authorization code has expired.");
        }
        if self.redirect_uri != redirect_uri {
            return refused(
                36_008,
                "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request",
            );
        }
        let wrong = self.challenge.as_ref().is_some_and(|one| !one.is_met(call.given("code_verifier")));
        // Meta's words were not recorded.
        wrong.then(|| {
            Refusal::oauth(
                100,
                "Error validating verification code. The code_verifier does not match the code_challenge",
            )
        })
    }
}

impl Challenge {
    /// Whether a verifier of 43 to 128 letters, digits and `-._~` belongs to it.
    fn is_met(&self, verifier: Option<&str>) -> bool {
        let Some(verifier) = verifier else { return false };
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let hashed = || URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let valid = (43..=128).contains(&verifier.len()) && verifier.bytes().all(fits);
        valid && self.value == if self.hashed { hashed() } else { verifier.to_owned() }
    }
}

/// A longer-lived token; the old one stays valid to its own end.
fn exchange(world: &mut World, call: &Call, app: &App) -> Answered {
    let old = call.parameter("fb_exchange_token");
    let old = old.ok_or_else(|| bad_request(1, "fb_exchange_token parameter not specified"))?;
    let now = world.clock.unix_seconds();
    let for_60_days = call.parameter("set_token_expires_in_60_days") == Some("true");
    let token = issued_by(world, old, app)?;
    let is_fit = match token.kind {
        TokenKind::User => true,
        TokenKind::SystemUser => for_60_days,
        TokenKind::Page(_) => false,
    };
    if !is_fit {
        return Err(unparsed());
    }
    if let Some(problem) = token.problem(now) {
        return Err(problem);
    }
    let (new, life) = match token.kind {
        TokenKind::SystemUser if token.expires_at == 0 => return Err(Refusal::oauth(100, "Invalid parameter")),
        TokenKind::SystemUser => (Token { value: new_token(), origin: Origin::Issued, ..token }, SIXTY_DAYS),
        _ => (Token { value: value_for(&format!("long {}", token.value)), ..token }, LONG),
    };
    let value = new.value.clone();
    world.tokens.retain(|token| token.value != value);
    world.tokens.push(Token { issued_at: now, expires_at: now + life, ..new });
    Ok(issued(&value, Some(life)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_belongs_to_its_challenge() {
        // From RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let hashed = Challenge { value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(), hashed: true };
        let plain = Challenge { value: verifier.into(), hashed: false };
        assert!(hashed.is_met(Some(verifier)) && plain.is_met(Some(verifier)));
        assert!(!hashed.is_met(None) && !hashed.is_met(Some(&hashed.value)) && !plain.is_met(Some("x")));
    }
}
