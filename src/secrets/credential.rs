//! Recognises credentials, Meta's own and those of other systems, by how they begin, so that
//! none is sent, stored or shown where it does not belong.

use std::ops::Range;

/// The names of Meta's own credentials in [`FORMS`].
const META: &str = "a Meta access token";
const INSTAGRAM: &str = "an Instagram token";
const APP_TOKEN: &str = "a Meta app access token";

/// The shortest credential that is recognised within a text.
const SHORTEST: usize = 14;

/// How one system's credentials look.
struct Form {
    /// Its name in errors.
    what: &'static str,
    /// How it begins. Where only credentials begin like this, that is enough.
    begins: &'static [&'static str],
    /// The least number of characters that follow, when it is a whole value.
    whole: usize,
    /// The least number that follow within a longer text, where a word may begin alike.
    inside: usize,
}

const fn form(what: &'static str, begins: &'static [&'static str]) -> Form {
    Form { what, begins, whole: 0, inside: 14 }
}

/// A credential that begins with plain letters, so that its length counts too.
const fn long(what: &'static str, begins: &'static [&'static str], least: usize) -> Form {
    Form { what, begins, whole: least, inside: least }
}

/// A credential whose beginning may also begin a word or a name (`sk-bratislava-24`).
const fn word(what: &'static str, begins: &'static [&'static str]) -> Form {
    Form { what, begins, whole: 0, inside: 40 }
}

/// Prefixes as the systems document them and secret scanners use them.
const FORMS: [Form; 59] = [
    Form { what: META, begins: &["EAA"], whole: 0, inside: 17 },
    Form { what: INSTAGRAM, begins: &["IGAA", "IGQV"], whole: 0, inside: 16 },
    long("a Threads token", &["THAA"], 16),
    form("a GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
    form(
        "a GitLab token",
        &[
            "glpat-",
            "gldt-",
            "glrt-",
            "glrtr-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glsoat-",
            "glimt-",
            "glagent-",
            "glffct-",
            "gloas-",
            "glwt-",
            "GR1348941",
        ],
    ),
    long("an Atlassian token", &["ATATT3", "ATCTT3", "ATBB", "ATOA"], 16),
    long("an AWS access key id", &["AKIA", "ASIA", "ABIA", "ACCA"], 12),
    long("an AWS session token", &["IQoJb3JpZ2lu", "FwoGZXIvYXdz", "ABSK"], 16),
    long("a Google API key", &["AIza"], 16),
    form("a Google access token", &["ya29.", "ya29_"]),
    form("a Google client secret", &["GOCSPX-"]),
    form(
        "a Slack token",
        &["xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "xwfp-"],
    ),
    form("a Stripe key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_", "whsec_"]),
    Form { what: "an npm token", begins: &["npm_"], whole: 0, inside: 36 },
    word("a PyPI token", &["pypi-"]),
    form("a RubyGems key", &["rubygems_"]),
    long("a crates.io token", &["cio"], 32),
    long("a NuGet key", &["oy2"], 40),
    form("a Docker token", &["dckr_pat_", "dckr_oat_"]),
    word("an Anthropic key", &["sk-ant-"]),
    word("an OpenRouter key", &["sk-or-"]),
    word("an OpenAI key", &["sk-"]),
    form("a Groq key", &["gsk_"]),
    word("an xAI key", &["xai-"]),
    word("a Perplexity key", &["pplx-"]),
    long("a Hugging Face token", &["hf_"], 30),
    form("a Replicate token", &["r8_"]),
    form("a HashiCorp Vault token", &["hvs.", "hvb.", "hvr."]),
    // Within a text it may be an address: `s.example.com`.
    Form { what: "a HashiCorp Vault token", begins: &["s.", "b.", "r."], whole: 24, inside: usize::MAX },
    form("a DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"]),
    word("a SendGrid key", &["SG."]),
    form("a Brevo key", &["xkeysib-", "xsmtpsib-"]),
    form("a Shopify token", &["shpat_", "shpss_", "shpca_", "shppa_"]),
    form("a Square token", &["sq0atp-", "sq0csp-"]),
    form("a New Relic key", &["NRAK-", "NRJS-", "NRII-"]),
    form("a Grafana token", &["glsa_", "glc_"]),
    form("a Sentry token", &["sntrys_", "sntryu_"]),
    form("a Linear key", &["lin_api_", "lin_oauth_"]),
    long("a Notion token", &["ntn_", "secret_"], 40),
    form("a Figma token", &["figd_", "figo_"]),
    form("a Postman key", &["PMAK-", "PMAT-"]),
    long("a Databricks token", &["dapi", "dkea"], 32),
    form("a Doppler token", &["dp.pt.", "dp.st.", "dp.sa.", "dp.ct.", "dp.scim.", "dp.audit."]),
    form("a 1Password token", &["ops_eyJ"]),
    form("a Fly.io token", &["fo1_", "fm1_", "fm2_"]),
    form("a Netlify token", &["nfp_"]),
    form("a Heroku key", &["HRKU-"]),
    form("a PlanetScale credential", &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"]),
    form("a Supabase key", &["sbp_", "sb_secret_"]),
    long("a Pulumi token", &["pul-"], 40),
    form("a Terraform Cloud token", &["atlasv1."]),
    form("a CircleCI token", &["CCIPAT_", "CCIPRJ_"]),
    form("a Buildkite token", &["bkua_", "bkaj_"]),
    form("a SonarQube token", &["sqp_", "squ_", "sqa_"]),
    long("an Artifactory token", &["AKCp", "cmVmdGtuOj"], 16),
    form("an age key", &["AGE-SECRET-KEY-"]),
    form("a private key", &["-----BEGIN", "LS0tLS1CRUdJTi"]),
    Form { what: "a JSON Web Token", begins: &["eyJ"], whole: 7, inside: 20 },
    form("a PuTTY key", &["PuTTY-User-Key-File-"]),
];

/// Whether `text` has the form of Meta's app secrets: 32 hexadecimal digits.
pub(super) fn is_app_secret(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The kind of credential that a whole value is: `a GitHub token`; app secrets do not count. It
/// may be of any length where only credentials begin like this.
pub(super) fn of_system(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let starts = |form: &&Form| {
        form.begins.iter().any(|begin| value.strip_prefix(begin).is_some_and(|rest| rest.len() >= form.whole))
    };
    if let Some(form) = FORMS.iter().find(starts) {
        return Some(form.what);
    }
    if is_app_token(value) {
        return Some(APP_TOKEN);
    }
    of_parts(value)
}

/// Whether a kind of credential is Meta's own.
pub(super) fn is_of_meta(what: &str) -> bool {
    [META, INSTAGRAM, APP_TOKEN].contains(&what)
}

/// Recognises credentials without a fixed beginning.
fn of_parts(value: &str) -> Option<&'static str> {
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    if value.len() == 40 && value.bytes().all(base64) && value.contains(['+', '/']) {
        return Some("an AWS secret access key");
    }
    if value.contains(".atlasv1.") {
        return Some("a Terraform Cloud token");
    }
    if value.len() >= 34 && value.as_bytes()[4..].starts_with(b"Q~") {
        return Some("an Azure client secret");
    }
    let parts: Vec<&str> = value.split('.').collect();
    let signed = |part: &&str| part.len() >= 6 && part.bytes().all(is_part);
    if let [_, _, _] = parts[..]
        && value.len() >= 50
        && parts.iter().all(signed)
    {
        return Some("a signed token (three parts with dots)");
    }
    None
}

fn is_app_token(word: &str) -> bool {
    word.split_once('|')
        .is_some_and(|(id, secret)| id.len() >= 5 && id.bytes().all(|b| b.is_ascii_digit()) && secret.len() >= 8)
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The first credential in a text, as its place: a token or an app secret.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|');
    let mut from = 0;
    while let Some(start) = text[from..].find(word).map(|at| from + at) {
        let end = text[start..].find(|c| !word(c)).map_or(text.len(), |length| start + length);
        let found = &text[start..end];
        if found.len() < SHORTEST && !text[end..].starts_with('.') {
            from = end;
            continue;
        }
        let app = is_app_secret(found) || is_app_token(found);
        // Meta's tokens are also looked for within a word (`token_EAAB…`), the others are not.
        let meta = FORMS[..2].iter().any(|form| {
            form.begins
                .iter()
                .any(|begin| found.find(begin).is_some_and(|at| found.len() - at >= begin.len() + form.inside))
        });
        if app || meta {
            return Some(start..end);
        }
        // Some have a dot in their beginning. Most words are too short for any.
        let run = text[start..].bytes().take_while(|b| is_part(*b) || *b == b'.').count();
        if run >= SHORTEST
            && let Some(length) = FORMS[2..].iter().find_map(|form| length_of(form, &text[start..start + run]))
        {
            return Some(start..start + length);
        }
        from = end;
    }
    None
}

/// The length of a credential of this form at the beginning of `run`, if it is one.
fn length_of(form: &Form, run: &str) -> Option<usize> {
    let rest = form.begins.iter().find_map(|begin| run.strip_prefix(begin))?;
    // A word with hyphens may be long; only one with a digit counts as a credential.
    (rest.len() >= form.inside && run.bytes().any(|b| b.is_ascii_digit())).then_some(run.len())
}

/// Whether a text that is stored or sent in the clear contains something that looks like a token
/// or an app secret.
pub fn holds_credential(text: &str) -> bool {
    find(text).is_some()
}

/// Which of Meta's credentials a word of the command line is, bare or after `--flag=`: `a Meta
/// access token`; `None` for anything else.
pub fn credential_in(argument: &str) -> Option<&'static str> {
    let value = match argument.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => value,
        _ => argument,
    };
    if find(value)? != (0..value.len()) {
        return None;
    }
    if is_app_secret(value) { Some("a Meta app secret") } else { of_system(value).filter(|what| is_of_meta(what)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_of_a_value_is_told_by_how_it_begins() {
        for (value, what) in [
            ("EAA1", "Meta"),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "GitHub"),
            ("github_pat_11AB", "GitHub"),
            ("ghs_x", "GitHub"),
            ("glpat-x", "GitLab"),
            ("AKIAIOSFODNN7EXAMPLE", "AWS"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS"),
            ("xoxb-1-2", "Slack"),
            ("sk_live_1", "Stripe"),
            ("AIzaSyA1234567890abcdefg", "Google"),
            ("ya29.a0", "Google"),
            ("npm_1", "npm"),
            ("pypi-AgEI", "PyPI"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.x", "JSON Web Token"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
            ("sk-proj-1", "OpenAI"),
            ("sk-ant-api03-1", "Anthropic"),
            ("hvs.CAES", "Vault"),
            ("dop_v1_0", "DigitalOcean"),
            ("abc8Q~0123456789012345678901234567890a", "Azure"),
            ("123456789012345|abcdefgh", "app access token"),
            ("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "signed token"),
        ] {
            assert!(of_system(value).is_some_and(|found| found.contains(what)), "{value}: {:?}", of_system(value));
        }
        for value in
            ["s3cret", "my-verify-token", "verify0123456789", "7f9c0f4e-8a77-4b62-9d55-1f0f0d7a1c11", "cio", "AIza"]
        {
            assert_eq!(of_system(value), None, "{value}");
        }
    }

    #[test]
    fn texts_are_searched_and_words_are_no_credentials() {
        for text in [
            "your token: EAAB0123456789abcdefghij.",
            "https://x:ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com",
            "x 0123456789abcdef0123456789abcdef y",
            "123456789012345|0123456789abcdef",
            "log in with hvs.CAESIJ1234567890abcdef",
        ] {
            assert!(holds_credential(text), "{text}");
        }
        for text in [
            "The EAA (European Accessibility Act) helps: sk-scandinavian-kitchen-and-bath-2024, npm_config_registry_of_ours",
            "sk-bratislava-support-24",
            "see https://s.example-of-a-long-name24.com/",
            "Call 109876543210987 or write to key-account@example.com",
            "id 7f9c0f4e-8a77-4b62-9d55-1f0f0d7a1c11",
        ] {
            assert!(!holds_credential(text), "{text}");
        }
    }

    #[test]
    fn no_form_hides_another() {
        for (at, form) in FORMS.iter().enumerate() {
            for begin in form.begins {
                let value = format!("{begin}{}", "1".repeat(form.whole));
                assert!(of_system(&value).is_some(), "{value}");
                let hidden =
                    FORMS[..at].iter().any(|before| before.begins.iter().any(|first| begin.starts_with(first)));
                assert!(!hidden, "{begin} is never reached");
            }
        }
    }
}
