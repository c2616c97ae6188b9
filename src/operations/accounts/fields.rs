//! The fields of an account: what each is called, how it is given, where a person finds it.
//! Whatever is missing is named from this list.

use crate::accounts::{AppId, CallbackUrl, Handle, PageId, PageUsername};
use crate::dashboard;
use crate::operations::Error;
use crate::secrets::SecretKind;

/// One field: what it is called, how it is given, where a person finds it.
pub struct Field {
    /// In words: `page id`.
    pub name: &'static str,
    /// The flags that give it.
    pub flags: &'static str,
    /// The variable that gives it, for a secret.
    pub variable: Option<&'static str>,
    /// Where its value is found.
    pub found: &'static str,
}

/// The account's name.
pub const NAME: Field = Field {
    name: "account name",
    flags: "NAME",
    variable: None,
    found: "any name that tells the account from the others",
};
/// The Page's @username.
pub const PAGE_USERNAME: Field = Field {
    name: "page username",
    flags: "--page-username",
    variable: None,
    found: "the @name below the Page's title, or the end of its facebook.com address",
};
/// The Page's id.
pub const PAGE_ID: Field = Field {
    name: "page id",
    flags: "--page-id",
    variable: None,
    found: "the Page's About section, under Page transparency",
};
/// The Page access token.
pub const TOKEN: Field = Field {
    name: "page access token",
    flags: "--token-stdin, --token-file PATH or --token-from REF",
    variable: Some("MSGRCTL_PAGE_TOKEN"),
    found: dashboard::TOKENS,
};
/// The app's id.
pub const APP_ID: Field = Field { name: "app id", flags: "--app-id", variable: None, found: dashboard::APP };
/// The app's secret.
pub const APP_SECRET: Field = Field {
    name: "app secret",
    flags: "--app-secret-stdin, --app-secret-file PATH or --app-secret-from REF",
    variable: Some("MSGRCTL_APP_SECRET"),
    found: dashboard::APP,
};
/// The verify token.
pub const VERIFY_TOKEN: Field = Field {
    name: "verify token",
    flags: "--generate-verify-token, --verify-token-stdin, --verify-token-file PATH or --verify-token-from REF",
    variable: Some("MSGRCTL_VERIFY_TOKEN"),
    found: "generated; the same value goes into the Meta app's webhook settings",
};

/// The address that Meta sends events to.
pub const CALLBACK_URL: Field = Field {
    name: "callback URL",
    flags: "--callback-url",
    variable: None,
    found: "the account's form in Contact Center Administrator shows it once the account is saved there",
};
/// The short name for commands.
pub const HANDLE: Field = Field {
    name: "handle",
    flags: "--handle",
    variable: None,
    found: "made of the name; commands and completions use it",
};

/// The field of a secret.
pub fn of_secret(kind: SecretKind) -> &'static Field {
    match kind {
        SecretKind::PageAccessToken => &TOKEN,
        SecretKind::AppSecret => &APP_SECRET,
        SecretKind::VerifyToken | SecretKind::NextVerifyToken => &VERIFY_TOKEN,
    }
}

/// Names everything that is missing at once.
pub fn missing(fields: &[&Field], note: Option<&str>) -> Error {
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let mut error = Error::usage(format!("missing: {}", names.join(", ")));
    for field in fields {
        let variable = field.variable.map(|name| format!(", or the variable {name}")).unwrap_or_default();
        error = error.hint(format!("{}: {}{variable} ({})", field.name, field.flags, field.found));
    }
    match note {
        Some(note) => error.hint(note),
        None => error,
    }
}

/// The fields that were given and are not secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// `--page-username`
    pub page_username: Option<PageUsername>,
    /// `--page-id`
    pub page_id: Option<PageId>,
    /// `--app-id`
    pub app_id: Option<AppId>,
    /// `--callback-url`
    pub callback_url: Option<CallbackUrl>,
    /// `--handle`
    pub handle: Option<Handle>,
}

impl Fields {
    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::manifest::schema;

    /// Whatever the wizard asks for can be said in a manifest.
    #[test]
    fn every_field_has_a_key_in_a_manifest() {
        let keys = [
            (&NAME, "name"),
            (&PAGE_USERNAME, "page_username"),
            (&PAGE_ID, "page_id"),
            (&TOKEN, "token"),
            (&APP_ID, "app.id"),
            (&APP_SECRET, "app.secret"),
            (&VERIFY_TOKEN, "webhook.verify_token"),
            (&CALLBACK_URL, "webhook.callback_url"),
            (&HANDLE, "handle"),
        ];
        let schema: serde_json::Value = serde_json::from_str(schema()).expect("json");
        for (field, key) in keys {
            let place = match key.split_once('.') {
                Some((table, key)) => &schema["$defs"][table]["properties"][key],
                None => &schema["$defs"]["account"]["properties"][key],
            };
            assert!(place.is_object(), "{} has no key {key}", field.name);
        }
        let named = include_str!("fields.rs").matches(": Field = Field {").count();
        // This line names the form once more.
        assert_eq!(keys.len(), named - 1);
    }
}
