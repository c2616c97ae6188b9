//! The fields of an account: name, flags, and where its value is found.

use crate::accounts::{AppId, CallbackUrl, Handle, PageId, PageUsername};
use crate::dashboard;
use crate::operations::Error;
use crate::secrets::SecretKind;

/// A field: its name, its flags, and where its value is found.
pub struct Field {
    /// As in `page id`.
    pub name: &'static str,
    /// The flags that give it.
    pub flags: &'static str,
    /// The variable that gives it, for a secret.
    pub variable: Option<&'static str>,
    /// Where its value is found.
    pub found: &'static str,
}

impl Field {
    /// A field without a variable.
    pub const fn new(name: &'static str, flags: &'static str, found: &'static str) -> Self {
        Self { name, flags, variable: None, found }
    }

    const fn or_variable(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }
}

pub const NAME: Field = Field::new("account name", "NAME", "any name that tells the account from the others");
pub const PAGE_USERNAME: Field = Field::new(
    "page username",
    "--page-username",
    "the @name below the Page's title, or the end of its facebook.com address",
);
pub const PAGE_ID: Field = Field::new("page id", "--page-id", "the Page's About section, under Page transparency");
pub const TOKEN: Field =
    Field::new("page access token", "--token-stdin, --token-file PATH or --token-from REF", dashboard::TOKENS)
        .or_variable("MSGRCTL_PAGE_TOKEN");
pub const APP_ID: Field = Field::new("app id", "--app-id", dashboard::APP);
pub const APP_SECRET: Field =
    Field::new("app secret", "--app-secret-stdin, --app-secret-file PATH or --app-secret-from REF", dashboard::APP)
        .or_variable("MSGRCTL_APP_SECRET");
pub const VERIFY_TOKEN: Field = Field::new(
    "verify token",
    "--generate-verify-token, --verify-token-stdin, --verify-token-file PATH or --verify-token-from REF",
    "generated; the same value goes into the Meta app's webhook settings",
)
.or_variable("MSGRCTL_VERIFY_TOKEN");
pub const CALLBACK_URL: Field = Field::new(
    "callback URL",
    "--callback-url",
    "the account's form in Contact Center Administrator shows it once the account is saved there",
);
pub const HANDLE: Field = Field::new("handle", "--handle", "made from the name; commands and completions use it");

pub fn of_secret(kind: SecretKind) -> &'static Field {
    match kind {
        SecretKind::PageAccessToken => &TOKEN,
        SecretKind::AppSecret => &APP_SECRET,
        SecretKind::VerifyToken | SecretKind::NextVerifyToken | SecretKind::PlanKey => &VERIFY_TOKEN,
        // No question asks for it and no manifest names it.
        SecretKind::UserAccessToken => &Field {
            name: "user access token",
            flags: "--keep-user-token",
            variable: None,
            found: "the token of the person or system user that the Page's token came from",
        },
    }
}

/// The error that names every missing field at once.
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

/// The given fields, except secrets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    pub page_username: Option<PageUsername>,
    pub page_id: Option<PageId>,
    pub app_id: Option<AppId>,
    pub callback_url: Option<CallbackUrl>,
    pub handle: Option<Handle>,
}

impl Fields {
    /// Whether no field was given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::manifest::schema;

    /// A manifest can give every field that the wizard asks for.
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
        let named = include_str!("fields.rs").matches(": Field =").count();
        // One of the matches is this line.
        assert_eq!(keys.len(), named - 1);
    }
}
