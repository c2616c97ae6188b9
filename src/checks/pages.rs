//! What each check asks, as `explain` shows it.

use super::causes::Next;
use super::ids;

/// A check as it is looked up by its id.
#[derive(Debug)]
pub struct CheckPage {
    /// Its public name: `token.valid`.
    pub id: &'static str,
    /// When it passes, in a sentence without a full stop.
    pub passes: &'static str,
    /// What to do where it does not.
    pub fix: &'static str,
    /// The step that follows.
    pub next: Next,
}

const fn page(id: &'static str, passes: &'static str, fix: &'static str, next: Next) -> CheckPage {
    CheckPage { id, passes, fix, next }
}

/// The checks of `account test`, in its order.
pub static CHECKS: &[CheckPage] = &[
    page(ids::GRAPH_REACHABLE, "passes when Graph answers", "check network, name server and HTTPS_PROXY", Next::Doctor),
    page(
        ids::GRAPH_VERSION,
        "passes when Graph answers in the version asked for, and neither it nor a version that webhook fields are bound to ends within 90 days",
        "omit --graph-version (MSGRCTL_GRAPH_VERSION), or update msgrctl",
        Next::TestAgain,
    ),
    page(
        ids::TOKEN_VALID,
        "passes when Meta accepts the token",
        "do what the cause says; most of them end with a new token",
        Next::ReplaceToken,
    ),
    page(
        ids::TOKEN_TYPE,
        "passes when it is a Page access token",
        "use the Page's own token; a person's gives it with --page-id",
        Next::ReplaceToken,
    ),
    page(
        ids::TOKEN_PAGE,
        "passes when the token belongs to the account's Page",
        "correct the page id, or create a token for this Page",
        Next::SetPageId,
    ),
    page(
        ids::PAGE_USERNAME,
        "passes when the Page's username is the account's",
        "correct the page username, or have one created",
        Next::SetUsername,
    ),
    page(
        ids::TOKEN_APP,
        "passes when the token was issued by the account's app",
        "give the account the app that issued the token, or create a token with the account's app",
        Next::SetApp,
    ),
    page(
        ids::TOKEN_PERMISSIONS,
        "passes when pages_messaging, pages_manage_metadata and pages_show_list are granted for this Page",
        "create the token again and grant all of them for this Page",
        Next::ReplaceToken,
    ),
    page(
        ids::TOKEN_EXPIRY,
        "passes when the token does not expire within 14 days (--warn-days)",
        "create a Page access token from a long-lived user token: such a Page token does not expire",
        Next::ReplaceToken,
    ),
    page(
        ids::TOKEN_DATA_ACCESS,
        "passes when the token's access to personal data does not end within 14 days; its end is a warning, since messages go on",
        "have the person who made the token log in to the app again",
        Next::TestAgain,
    ),
    page(
        ids::PAGE_PUBLISHED,
        "passes when the public can see the Page",
        "publish the Page in its settings",
        Next::TestAgain,
    ),
    page(
        ids::PAGE_SUBSCRIPTION,
        "passes when the Page sends the app messages and messaging_postbacks",
        "subscribe the Page",
        Next::Subscribe,
    ),
    page(
        ids::APP_SUBSCRIPTION,
        "passes when the app's webhook is active and has the account's callback URL and fields",
        "set the app's webhook",
        Next::Subscribe,
    ),
    page(
        ids::CALLBACK_HANDSHAKE,
        "passes when the callback repeats the challenge for the account's verify token, and refuses a made-up one",
        "ask the callback as Meta does, and fix what that shows",
        Next::Verify,
    ),
    page(
        ids::MESSAGES_WINDOW,
        "passes when no system message is sent 24 hours or more after the customer's last message",
        "shorten the messenger timeout, or disable these events",
        Next::SetTimeout,
    ),
    page(ids::MESSAGES_LENGTH, "passes when every text fits 2000 characters", "shorten the text", Next::EditMessages),
];

/// The further checks of `doctor`.
pub static DOCTOR_CHECKS: &[CheckPage] = &[
    page(ids::MSGRCTL_VERSION, "always passes: it names the version and the platform", "nothing", Next::Nothing),
    page(ids::CONFIG_FILE, "passes when config.toml can be read", "correct the line that is named", Next::Doctor),
    page(ids::ACCOUNTS_FILE, "passes when accounts.toml can be read", "correct the line that is named", Next::Doctor),
    page(
        ids::FILES_MODES,
        "passes when only you can read msgrctl's files",
        "take the rights of others away",
        Next::Doctor,
    ),
    page(
        ids::STORE_KEYRING,
        "passes when the keyring keeps and returns a secret",
        "unlock the keyring, or choose --store file",
        Next::Doctor,
    ),
    page(
        ids::STORE_FILE,
        "passes when the encrypted file can be opened",
        "give MSGRCTL_PASSPHRASE or MSGRCTL_KEY_FILE",
        Next::Doctor,
    ),
    page(ids::STORE_ENV, "passes: secrets are read from variables", "set the variables that are named", Next::Doctor),
    page(ids::STORE_MEMORY, "passes: the memory store is the demo's", "nothing", Next::Nothing),
    page(
        ids::ACCOUNTS_NAMES,
        "passes when each name, handle and id is one account's",
        "give one of the accounts another name or handle",
        Next::Doctor,
    ),
    page(
        ids::SECRETS_PRESENT,
        "passes when every secret is where its account's record says",
        "give the account the secret again",
        Next::Doctor,
    ),
    page(
        ids::SECRETS_LEFT_BEHIND,
        "passes when no secret belongs to an account that is gone",
        "remove them where no other configuration uses them",
        Next::Doctor,
    ),
    page(ids::PROXY, "always passes: it names the proxy variables that are set", "nothing", Next::Nothing),
    page(
        ids::TLS_CERTIFICATES,
        "passes when there are certificates to trust",
        "install ca-certificates, or name some with --ca-bundle FILE",
        Next::Doctor,
    ),
    page(
        ids::CLOCK,
        "passes when this machine's clock is right within four minutes of Graph's",
        "set the clock",
        Next::Doctor,
    ),
];
