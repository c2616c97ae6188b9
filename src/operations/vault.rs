//! Which Vault is used, and how msgrctl logs in to it: `[vault]` in `config.toml`, and the
//! variables of Vault's and OpenBao's own programs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::origin::{Origin, Setting};
use crate::address::is_loopback;
use crate::env::Environment;
use crate::files;
use crate::http::Url;
use crate::secrets::{
    JwtSource, Secret, SecretRef, Trouble, VaultAddress, VaultConfig, VaultError, VaultLogin, check_vault_path,
};

/// The keys of `[vault]`: in `config.toml`, for `msgrctl config`, and what each means.
pub const VAULT_KEYS: [(&str, &str, &str); 12] = [
    ("address", "vault.address", "Where Vault or OpenBao is: https://HOST:PORT"),
    ("mount", "vault.mount", "The mount of the KV engine (version 2)"),
    ("path", "vault.path", "The folder of msgrctl's entries below the mount"),
    ("namespace", "vault.namespace", "The namespace"),
    ("ca_bundle", "vault.ca_bundle", "Certificates (PEM) to trust for Vault besides the system's"),
    ("auth", "vault.auth", "How to log in: token, approle or jwt"),
    ("auth_mount", "vault.auth_mount", "Where the method of the login is mounted, if not under its own name"),
    ("role", "vault.role", "The role of a login by JWT"),
    ("role_id", "vault.role_id", "Where the role id of AppRole is: env:NAME, file:PATH or command:PROGRAM ARG…"),
    ("secret_id", "vault.secret_id", "Where the secret id of AppRole is: env:NAME, file:PATH or command:PROGRAM ARG…"),
    (
        "jwt",
        "vault.jwt",
        "Where the JWT is: env:NAME, file:PATH or command:PROGRAM ARG… (absent: GitHub's or GitLab's)",
    ),
    ("audience", "vault.audience", "The audience to ask GitHub's ID token for"),
];

/// `[vault]` in `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultTable {
    address: Option<String>,
    mount: Option<String>,
    path: Option<String>,
    namespace: Option<String>,
    ca_bundle: Option<String>,
    auth: Option<String>,
    auth_mount: Option<String>,
    role: Option<String>,
    role_id: Option<String>,
    secret_id: Option<String>,
    jwt: Option<String>,
    audience: Option<String>,
}

/// The settings of Vault in the order of [`VAULT_KEYS`], as they are written: the variables belong
/// to other programs too, so a value is judged when Vault is used.
#[derive(Clone, Debug)]
pub struct VaultSettings([Option<Setting<String>>; VAULT_KEYS.len()]);

/// What a key has where nothing is set.
const BUILT_IN: [(&str, &str); 3] = [("mount", "secret"), ("path", "msgrctl"), ("auth", "token")];

/// The variables of a key. OpenBao's programs read both, their own first.
const VARIABLES: [(&str, [&str; 2]); 3] = [
    ("address", ["BAO_ADDR", "VAULT_ADDR"]),
    ("namespace", ["BAO_NAMESPACE", "VAULT_NAMESPACE"]),
    ("ca_bundle", ["BAO_CACERT", "VAULT_CACERT"]),
];

impl VaultSettings {
    pub(super) fn resolve(table: VaultTable, env: &Environment, path: &Path) -> Self {
        let VaultTable {
            address,
            mount,
            path: folder,
            namespace,
            ca_bundle,
            auth,
            auth_mount,
            role,
            role_id,
            secret_id,
            jwt,
            audience,
        } = table;
        let mut written =
            [address, mount, folder, namespace, ca_bundle, auth, auth_mount, role, role_id, secret_id, jwt, audience];
        Self(std::array::from_fn(|at| {
            let (key, name, _) = VAULT_KEYS[at];
            let variables = VARIABLES.iter().filter(|(of, _)| *of == key).flat_map(|(_, names)| names);
            let mut set = variables.filter_map(|name| Some((name, env.text(name)?)));
            if let Some((variable, value)) = set.next() {
                return Some(Setting { value: value.into(), origin: Origin::Variable(variable) });
            }
            if let Some(value) = written[at].take() {
                return Some(Setting { value, origin: Origin::File(name, path.into()) });
            }
            let built_in = BUILT_IN.iter().find(|(of, _)| *of == key);
            built_in.map(|(_, value)| Setting { value: (*value).into(), origin: Origin::BuiltIn })
        }))
    }

    fn of(&self, key: &str) -> Option<&Setting<String>> {
        VAULT_KEYS.iter().position(|(known, ..)| *known == key).and_then(|at| self.0[at].as_ref())
    }

    /// Each key with its value and source, for `msgrctl config`.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, String, &Origin)> {
        VAULT_KEYS.iter().zip(&self.0).map(|((_, name, _), setting)| match setting {
            Some(setting) => (*name, setting.value.clone(), &setting.origin),
            None => (*name, String::new(), &Origin::BuiltIn),
        })
    }

    /// Whether `config.toml` says where Vault is; a variable may be for other programs.
    pub fn is_configured(&self) -> bool {
        self.of("address").is_some_and(|address| matches!(address.origin, Origin::File(..)))
    }

    /// The mount and the path.
    pub fn place(&self) -> Result<(String, String), VaultError> {
        Ok((self.path_of("mount")?, self.path_of("path")?))
    }

    fn path_of(&self, key: &'static str) -> Result<String, VaultError> {
        let Some(Setting { value, origin }) = self.of(key) else { return Err(wrong(&format!("{key} is not set"))) };
        match check_vault_path(value) {
            Ok(()) => Ok(value.trim_matches('/').to_owned()),
            Err(why) => Err(wrong(&format!("{origin}: '{value}' is not a valid path in Vault: {why}"))),
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        Some(self.of(key)?.value.clone())
    }

    /// The settings, checked. `ca_bundle` is for a Vault that has none of its own.
    ///
    /// # Errors
    ///
    /// A setting is missing or not valid.
    pub fn config(
        &self,
        env: &Environment,
        timeout: Duration,
        ca_bundle: Option<&Setting<PathBuf>>,
    ) -> Result<VaultConfig, VaultError> {
        let Some(Setting { value, origin }) = self.of("address") else {
            return Err(wrong("the vault store needs the address of Vault or OpenBao"));
        };
        let address: VaultAddress = value.parse().map_err(|why| wrong(&format!("{origin}: {why}")))?;
        let (mount, path) = self.place()?;
        let own = self.of("ca_bundle").map(|own| (PathBuf::from(&own.value), &own.origin));
        let named = own.or_else(|| ca_bundle.map(|all| (all.value.clone(), &all.origin)));
        let read = |(path, origin): (PathBuf, &Origin)| {
            const LARGEST: u64 = 4 * 1024 * 1024;
            let pem = files::read_bytes(&path, LARGEST).map_err(|error| wrong(&format!("{origin}: {error}")))?;
            Ok((path, pem.to_vec()))
        };
        let ca_bundle = named.map(read).transpose()?;
        let login = self.login(env)?;
        let namespace = self.text("namespace");
        Ok(VaultConfig { address, mount, path, namespace, ca_bundle, timeout, login, env: env.clone() })
    }

    fn login(&self, env: &Environment) -> Result<VaultLogin, VaultError> {
        let method = self.text("auth").unwrap_or_default();
        let mount = match self.of("auth_mount") {
            Some(_) => self.path_of("auth_mount")?,
            None => method.clone(),
        };
        match method.as_str() {
            "token" => Ok(VaultLogin::Token(token(env)?)),
            "approle" => Ok(VaultLogin::AppRole {
                mount,
                role_id: self.needed("role_id", "approle")?,
                secret_id: self.needed("secret_id", "approle")?,
            }),
            "jwt" => {
                let needs = || wrong("a login by jwt needs the name of its role (vault.role)");
                Ok(VaultLogin::Jwt { mount, role: self.text("role").ok_or_else(needs)?, jwt: self.jwt(env)? })
            }
            other => {
                Err(wrong(&format!("vault.auth: '{other}' is not a way to log in: expected token, approle or jwt")))
            }
        }
    }

    /// The JWT that is named; without one GitHub's, or GitLab's.
    fn jwt(&self, env: &Environment) -> Result<JwtSource, VaultError> {
        if self.of("jwt").is_some() {
            return Ok(JwtSource::Reference(self.needed("jwt", "jwt")?));
        }
        let github = env.text("ACTIONS_ID_TOKEN_REQUEST_URL").zip(env.text("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
        if let Some((url, bearer)) = github {
            let url = Url::parse(url).ok().filter(|url| url.scheme() == "https" || is_loopback(url));
            let url = url.ok_or_else(|| wrong("ACTIONS_ID_TOKEN_REQUEST_URL is not a valid address"))?;
            return Ok(JwtSource::GitHub { url, bearer: Secret::new(bearer), audience: self.text("audience") });
        }
        Ok(JwtSource::Reference(SecretRef::Variable("VAULT_ID_TOKEN".into())))
    }

    fn needed(&self, key: &'static str, method: &str) -> Result<SecretRef, VaultError> {
        let Some(Setting { value, .. }) = self.of(key) else {
            return Err(wrong(&format!("a login by {method} needs vault.{key}")));
        };
        reference(key, value).map_err(|why| wrong(&why))
    }
}

/// Checks a value for `config.toml`.
///
/// # Errors
///
/// In a sentence, what is wrong with it.
pub fn check_vault_value(key: &'static str, value: &str) -> Result<(), String> {
    match key {
        "address" => value.parse::<VaultAddress>().map(drop).map_err(|why| format!("vault.address: {why}")),
        "mount" | "path" | "auth_mount" => check_vault_path(value).map_err(|why| format!("vault.{key}: {why}")),
        "auth" if matches!(value, "token" | "approle" | "jwt") => Ok(()),
        "auth" => Err(format!("vault.auth: '{value}' is not a way to log in: expected token, approle or jwt")),
        "role_id" | "secret_id" | "jwt" => reference(key, value).map(drop),
        _ => Ok(()),
    }
}

/// A reference in the settings. The value itself is not shown: it may be the secret.
fn reference(key: &str, text: &str) -> Result<SecretRef, String> {
    match SecretRef::parse_reference(text) {
        Ok(found @ (SecretRef::Variable(_) | SecretRef::File(_) | SecretRef::Command(_))) => Ok(found),
        _ => Err(format!("vault.{key} must say where the value is: env:NAME, file:PATH or command:PROGRAM ARG…")),
    }
}

/// The token in a variable, or else in the file that Vault's and OpenBao's own `login` writes.
fn token(env: &Environment) -> Result<Option<Secret>, VaultError> {
    const LARGEST: u64 = 64 * 1024;
    let clean = |bytes: &[u8], place: &str| {
        Secret::from_copy(bytes).map(Some).map_err(|error| wrong(&format!("the token for Vault in {place}: {error}")))
    };
    for name in ["BAO_TOKEN", "VAULT_TOKEN"] {
        if let Some(text) = env.text(name) {
            return clean(text.as_bytes(), name);
        }
    }
    let Some(home) = env.home() else { return Ok(None) };
    match files::read_bytes(&Path::new(home).join(".vault-token"), LARGEST) {
        Ok(bytes) => clean(&bytes, "~/.vault-token"),
        Err(files::FileError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

fn wrong(what: &str) -> VaultError {
    VaultError { trouble: Trouble::Settings, address: String::new(), detail: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(toml: &str, env: &Environment) -> VaultSettings {
        let table: VaultTable = toml::from_str(toml).expect("a table");
        VaultSettings::resolve(table, env, Path::new("/config.toml"))
    }

    fn config(toml: &str, env: &Environment) -> Result<VaultConfig, VaultError> {
        settings(toml, env).config(env, Duration::from_secs(1), None)
    }

    #[test]
    fn variables_win_and_openbaos_own_come_first() {
        let env = Environment::default().with("VAULT_ADDR", "https://vault:1").with("VAULT_TOKEN", "of-vault");
        let found = config("address = 'https://written'", &env).expect("settings");
        assert_eq!(found.address.to_string(), "https://vault:1");
        assert_eq!((found.mount.as_str(), found.path.as_str()), ("secret", "msgrctl"));
        let env = env.with("BAO_ADDR", "https://bao:1").with("BAO_TOKEN", "of-bao");
        let found = config("", &env).expect("settings");
        assert_eq!(found.address.to_string(), "https://bao:1");
        assert!(matches!(found.login, VaultLogin::Token(Some(token)) if token.expose() == "of-bao"));
    }

    #[test]
    fn secrets_are_referred_to_and_never_shown() {
        let env = Environment::default();
        let text = "address = 'https://x'\nauth = 'approle'\nrole_id = 'env:R'\nsecret_id = ";
        assert!(config(&format!("{text}'file:/run/s'"), &env).is_ok());
        let error = config(&format!("{text}'5f0c-secret'"), &env).err().expect("refused");
        assert!(error.detail.contains("secret_id") && !error.to_string().contains("5f0c"), "{error}");
        assert!(check_vault_value("jwt", "eyJhbGciOi").is_err_and(|why| !why.contains("eyJ")));
    }

    #[test]
    fn a_jwt_is_githubs_or_gitlabs_where_none_is_named() {
        let text = "address = 'https://x'\nauth = 'jwt'\nrole = 'ci'";
        let login = |env: &Environment, more: &str| match config(&format!("{text}\n{more}"), env) {
            Ok(VaultConfig { login: VaultLogin::Jwt { jwt, .. }, .. }) => jwt,
            _ => panic!("no login by JWT"),
        };
        let env = Environment::default();
        let gitlab = login(&env, "");
        assert!(matches!(gitlab, JwtSource::Reference(SecretRef::Variable(name)) if name == "VAULT_ID_TOKEN"));
        let env = env
            .with("ACTIONS_ID_TOKEN_REQUEST_URL", "https://actions.example.com/token?api-version=2")
            .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t");
        assert!(matches!(login(&env, ""), JwtSource::GitHub { .. }));
        assert!(matches!(login(&env, "jwt = 'file:/run/jwt'"), JwtSource::Reference(SecretRef::File(_))));
        let env = env.with("ACTIONS_ID_TOKEN_REQUEST_URL", "http://actions.example.com/token");
        assert!(config(text, &env).is_err(), "its token would go over http");
    }
}
