//! The pages on which the dialog ends without leading back to the app, in Meta's words where they
//! were recorded.

use crate::sandbox::apps::LoginError;

/// Why a dialog does not open.
#[derive(Debug)]
pub(super) enum Refused {
    Login(LoginError),
    /// Permissions that the app cannot ask for.
    Scopes(Vec<String>),
    NoRedirect,
    /// A version that does not exist yet.
    Version,
}

impl Refused {
    /// The heading and the text.
    pub fn words(&self) -> (&'static str, String) {
        let (title, text) = match self {
            Self::Login(error) => words(*error),
            Self::Scopes(scopes) => {
                return (
                    "Invalid Scopes",
                    format!(
                        "Invalid Scopes: {}. This message is only shown to developers. Users of your app will ignore these permissions if present. Please read the documentation for valid permissions at: https://developers.facebook.com/docs/permissions",
                        scopes.join(", ")
                    ),
                );
            }
            Self::NoRedirect => ("Invalid redirect", "The parameter redirect_uri is required"),
            Self::Version => ("Page not found", "This version of the dialog does not exist"),
        };
        (title, text.into())
    }
}

fn words(error: LoginError) -> (&'static str, &'static str) {
    use LoginError::{
        AppMissing, AppNotActive, CannotLoadUrl, FeatureUnavailable, InvalidScopes, NoSupportedPermission, ServerError,
        SomethingWentWrong, UrlBlocked, UserDenied,
    };
    match error {
        InvalidScopes | NoSupportedPermission => {
            ("It looks like this app isn't available", "This app needs at least one supported permission.")
        }
        FeatureUnavailable => (
            "Feature Unavailable",
            "Facebook Login is currently unavailable for this app, since we are updating additional details for this app. Please try again later.",
        ),
        AppNotActive => (
            "App not active",
            "This app is not accessible right now and the app developer is aware of the issue. You will be able to log in when the app is reactivated.",
        ),
        UrlBlocked => (
            "URL Blocked",
            "This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings. Make sure Client and Web OAuth Login are on and add all your app domains as Valid OAuth Redirect URIs.",
        ),
        CannotLoadUrl => (
            "Can't Load URL",
            "The domain of this URL isn't included in the app's domains. To be able to load this URL, add all domains and subdomains of your app to the App Domains field in your app settings.",
        ),
        AppMissing => ("Invalid App ID", "The provided app ID does not look like a valid app ID."),
        SomethingWentWrong | UserDenied | ServerError => {
            ("Sorry, something went wrong", "We're working on getting this fixed as soon as we can.")
        }
    }
}
