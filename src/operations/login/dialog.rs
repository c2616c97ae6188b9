//! The address that opens Meta's login dialog
//! (<https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow>).

use subtle::ConstantTimeEq as _;

use crate::graph::AppCredentials;
use crate::http::Url;
use crate::secrets::{Secret, generate_verify_token};

/// The permissions that Test Connection looks for, and the one to read the Page itself.
pub const PERMISSIONS: [&str; 4] =
    ["pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement"];

/// Meta's own page for programs without one.
pub const META_PAGE: &str = "https://www.facebook.com/connect/login_success.html";

/// What the dialog asks the person for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Facebook Login: these permissions, each of which may be declined.
    Permissions(Vec<String>),
    /// Facebook Login for Business: the configuration with this id, granted as a whole.
    Configuration(String),
}

/// One login: only the answer with its state belongs to it.
pub struct Dialog {
    pub app: AppCredentials,
    /// Where the browser comes back to. The exchange repeats it letter by letter.
    pub redirect: String,
    /// The permissions that it asks for, or that its configuration should have.
    pub asked: Vec<String>,
    /// Where the browser begins.
    pub address: Url,
    state: Secret,
}

impl Dialog {
    /// A new login with a state of its own; `address` is the bare dialog's.
    pub fn new(mut address: Url, app: AppCredentials, wanted: &Wanted, redirect: String) -> Self {
        let state = generate_verify_token();
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("client_id", &app.id);
            query.append_pair("redirect_uri", &redirect);
            query.append_pair("state", state.expose());
            query.append_pair("response_type", "code");
            match wanted {
                Wanted::Permissions(permissions) => query.append_pair("scope", &permissions.join(",")),
                Wanted::Configuration(id) => {
                    query.append_pair("config_id", id).append_pair("override_default_response_type", "true")
                }
            };
            // Without it Meta silently reuses an earlier grant, and a new Page cannot be ticked.
            query.append_pair("auth_type", "rerequest");
        }
        let asked = match wanted {
            Wanted::Permissions(permissions) => permissions.clone(),
            Wanted::Configuration(_) => PERMISSIONS.map(str::to_owned).to_vec(),
        };
        Self { app, redirect, asked, address, state }
    }

    /// Whether an answer belongs to this login; compared in constant time.
    pub(super) fn has_state(&self, state: &str) -> bool {
        state.as_bytes().ct_eq(self.state.expose().as_bytes()).into()
    }
}

/// A login, and its state.
#[cfg(test)]
pub(super) fn trial() -> (Dialog, String) {
    use crate::graph::{BaseUrl, GraphVersion};
    let app = AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") };
    let wanted = Wanted::Configuration("77".into());
    let dialog = Dialog::new(
        BaseUrl::live().dialog(GraphVersion::DEFAULT),
        app,
        &wanted,
        "http://localhost:8080/callback".into(),
    );
    let state = dialog.state.expose().to_owned();
    (dialog, state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_metas_with_a_state_of_its_own() {
        let ((one, state), (other, _)) = (trial(), trial());
        assert!(one.has_state(&state) && !other.has_state(&state) && !one.has_state(""));
        assert!(state.len() >= 22);
        assert_eq!(one.address.host_str(), Some("www.facebook.com"));
        let asked: Vec<(String, String)> = one.address.query_pairs().into_owned().collect();
        let of = |name: &str| asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(of("redirect_uri"), Some("http://localhost:8080/callback"));
        assert_eq!((of("config_id"), of("override_default_response_type")), (Some("77"), Some("true")));
        assert_eq!((of("scope"), of("auth_type"), of("client_secret")), (None, Some("rerequest"), None));
    }
}
