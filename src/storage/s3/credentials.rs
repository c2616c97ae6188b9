//! Who asks: keys from the variables of AWS, or from a profile of its files.

use std::path::PathBuf;

use crate::env::Environment;
use crate::files;
use crate::secrets::Secret;

/// The keys of a request.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub key_id: String,
    pub key: Secret,
    /// For keys that last an hour or so.
    pub session: Option<Secret>,
}

impl Credentials {
    /// The keys of the variables, else those of the profile.
    ///
    /// # Errors
    ///
    /// Where they were looked for.
    pub fn find(env: &Environment) -> Result<Self, String> {
        let named = env.text("AWS_PROFILE");
        if named.is_none()
            && let (Some(key_id), Some(key)) = (env.text("AWS_ACCESS_KEY_ID"), env.text("AWS_SECRET_ACCESS_KEY"))
        {
            let session = env.text("AWS_SESSION_TOKEN").map(Secret::new);
            return Ok(Self { key_id: key_id.trim().into(), key: Secret::new(key.trim()), session });
        }
        let path = env
            .text("AWS_SHARED_CREDENTIALS_FILE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(env.home()?).join(".aws/credentials")));
        let profile = named.unwrap_or("default");
        let found = path.as_ref().and_then(|path| {
            let text = files::read_bytes(path, 1024 * 1024).ok()?;
            of_profile(std::str::from_utf8(&text).ok()?, profile)
        });
        found.ok_or_else(|| {
            let file = path.map_or_else(|| "~/.aws/credentials".into(), |path| path.display().to_string());
            let variables = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set";
            match named {
                Some(profile) => format!("AWS_PROFILE is '{profile}', and {file} has no keys for it"),
                None => format!("{variables}, and {file} has no keys for the profile 'default'"),
            }
        })
    }
}

fn of_profile(text: &str, profile: &str) -> Option<Credentials> {
    let (mut is_in, mut key_id, mut key, mut session) = (false, None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_in = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_in && !line.starts_with('#')) {
            match name.trim() {
                "aws_access_key_id" => key_id = Some(value.trim().to_owned()),
                "aws_secret_access_key" => key = Some(Secret::new(value.trim())),
                "aws_session_token" => session = Some(Secret::new(value.trim())),
                _ => {}
            }
        }
    }
    Some(Credentials { key_id: key_id?, key: key?, session })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_profile_wins_over_keys_in_variables() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("credentials");
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key = a\n# aws_session_token = no\n[team]\naws_access_key_id=B\naws_secret_access_key=b\naws_session_token=t\n";
        std::fs::write(&path, text).expect("written");
        let env = Environment::default().with("AWS_SHARED_CREDENTIALS_FILE", &path.display().to_string());
        let key = |env: &Environment| Credentials::find(env).map(|found| (found.key_id, found.session.is_some()));
        assert_eq!(key(&env), Ok(("A".into(), false)));
        assert_eq!(key(&env.clone().with("AWS_PROFILE", "team")), Ok(("B".into(), true)));
        let keys = env.with("AWS_ACCESS_KEY_ID", "C").with("AWS_SECRET_ACCESS_KEY", "c");
        assert_eq!(key(&keys), Ok(("C".into(), false)));
        assert_eq!(key(&keys.clone().with("AWS_PROFILE", "team")), Ok(("B".into(), true)));
        assert!(key(&keys.with("AWS_PROFILE", "none")).expect_err("none").contains("'none'"));
    }
}
