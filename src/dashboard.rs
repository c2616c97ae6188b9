//! Where things are at Meta: today's menu paths of the Meta App Dashboard and the addresses of
//! its pages, in one place because Meta moves them.
//!
//! The paths are those of an app with the use case "Engage with customers on Messenger from
//! Meta"; in older apps Messenger is a menu entry of its own, without "Use cases".

/// Page access tokens are generated here.
pub const TOKENS: &str = "Meta App Dashboard > your app > Use cases > Messenger > Customize > Messenger API Settings > Generate access tokens";

/// The app's callback URL and verify token, and the webhook fields of each Page.
pub const WEBHOOKS: &str =
    "Meta App Dashboard > your app > Use cases > Messenger > Customize > Messenger API Settings > Configure webhooks";

/// The app id and the app secret.
pub const APP: &str = "Meta App Dashboard > your app > App settings > Basic";

/// Where Meta may send a browser back to after a login.
pub const REDIRECTS: &str = "Meta App Dashboard > your app > Facebook Login > Settings > Valid OAuth Redirect URIs";

/// What a login with Facebook Login for Business asks for.
pub const CONFIGURATIONS: &str = "Meta App Dashboard > your app > Facebook Login for Business > Configurations";

/// Access to permissions. The app is set live on its dashboard, not here.
pub const REVIEW: &str = "Meta App Dashboard > your app > App Review";

/// The system users of a business: their Pages, apps and tokens.
pub const SYSTEM_USERS: &str = "Meta Business settings > Users > System users";

/// A business's id, and who administers it.
pub const BUSINESS: &str = "Meta Business settings > Business info";

/// A Page's names, username and permissions; hints use this name.
const PAGE_SETTINGS: &str = "the Page's settings";

/// Each menu path, and where its menu opens below the app's address.
const OF_AN_APP: [(&str, &str); 3] = [(TOKENS, "use_cases/"), (WEBHOOKS, "use_cases/"), (APP, "settings/basic/")];

/// The address of an app's dashboard, or of the list of apps where the app is not known.
pub fn app(id: Option<&str>) -> String {
    of_app(id, "dashboard/")
}

/// The address of the app's use cases, where [`TOKENS`] and [`WEBHOOKS`] begin.
pub fn use_cases(id: Option<&str>) -> String {
    of_app(id, "use_cases/")
}

/// The address of [`APP`].
pub fn app_settings(id: Option<&str>) -> String {
    of_app(id, "settings/basic/")
}

/// The address of [`SYSTEM_USERS`] of a business.
pub fn system_users(business_id: &str) -> String {
    of_business(business_id, "system-users")
}

/// The address of the apps of a business.
pub fn business_apps(business_id: &str) -> String {
    of_business(business_id, "apps")
}

fn of_business(id: &str, below: &str) -> String {
    format!("https://business.facebook.com/settings/{below}?business_id={id}")
}

/// The address of a Page's settings.
pub fn page_settings(page_id: &str) -> String {
    format!("https://www.facebook.com/{page_id}/settings")
}

/// The address of the first place at Meta that a text names.
pub fn named_in(text: &str, app_id: Option<&str>, page_id: &str) -> Option<String> {
    let in_app = OF_AN_APP.iter().filter_map(|(path, below)| Some((text.find(path)?, of_app(app_id, below))));
    let in_page = text.find(PAGE_SETTINGS).map(|at| (at, page_settings(page_id)));
    in_app.chain(in_page).min_by_key(|(at, _)| *at).map(|(_, address)| address)
}

fn of_app(id: Option<&str>, below: &str) -> String {
    match id {
        Some(id) => format!("https://developers.facebook.com/apps/{id}/{below}"),
        None => "https://developers.facebook.com/apps/".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_a_text_names_has_an_address() {
        let of = |text: &str| named_in(text, Some("123"), "456");
        let at = |below: &str| Some(format!("https://developers.facebook.com/apps/123/{below}"));
        assert_eq!(of(&format!("create a new token ({TOKENS}); then: x")), at("use_cases/"));
        assert_eq!(of(&format!("look at {APP}, then at {WEBHOOKS}")), at("settings/basic/"));
        assert_eq!(of("under Name in the Page's settings"), Some("https://www.facebook.com/456/settings".into()));
        assert_eq!(of("wait a minute"), None);
        assert_eq!(named_in(APP, None, "456").as_deref(), Some("https://developers.facebook.com/apps/"));
    }
}
