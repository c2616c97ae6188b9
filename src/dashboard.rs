//! Where things are at Meta: the menu paths of the Meta App Dashboard as they are
//! today, in one place because Meta moves them.
//!
//! An app of the use case "Engage with customers on Messenger from Meta"; in older
//! apps Messenger stands in the menu itself, without "Use cases".

/// Page access tokens are generated here.
pub const TOKENS: &str = "Meta App Dashboard > your app > Use cases > Messenger > Customize > Messenger API Settings > Generate access tokens";

/// The app's callback URL and verify token, and the webhook fields of each Page.
pub const WEBHOOKS: &str =
    "Meta App Dashboard > your app > Use cases > Messenger > Customize > Messenger API Settings > Configure webhooks";

/// App id and app secret.
pub const APP: &str = "Meta App Dashboard > your app > App settings > Basic";
