//! Every check: its public name and its description, as `explain` shows it.

use super::causes::Next;

/// The description of a check.
#[derive(Debug)]
pub struct CheckPage {
    /// Its public name: `token.valid`.
    pub id: &'static str,
    /// When it passes, in a sentence without a full stop.
    pub passes: &'static str,
    /// What to do if it fails.
    pub fix: &'static str,
    /// The next step.
    pub next: Next,
}

macro_rules! checks {
    ($($(#[$of:meta])+ $list:ident { $($name:ident $id:literal $next:ident $passes:literal $fix:literal)+ })+) => {
        /// The public names of the checks, each written once, so that a rename applies
        /// everywhere.
        pub mod ids {
            $($(#[doc = $passes] pub const $name: &str = $id;)+)+
        }

        $(
            $(#[$of])+
            pub static $list: &[CheckPage] =
                &[$(CheckPage { id: ids::$name, passes: $passes, fix: $fix, next: Next::$next }),+];
        )+
    };
}

checks! {
    /// The checks of `account test`, in its order.
    CHECKS {
        GRAPH_REACHABLE "graph.reachable" Doctor
            "passes when Graph answers"
            "check network, name server and HTTPS_PROXY"
        GRAPH_VERSION "graph.version" TestAgain
            "passes when Graph answers in the version asked for, and neither it nor a version that webhook fields are bound to ends within 90 days"
            "omit --graph-version (MSGRCTL_GRAPH_VERSION), or update msgrctl"
        TOKEN_VALID "token.valid" ReplaceToken
            "passes when Meta accepts the token"
            "do what the cause says; most causes need a new token"
        TOKEN_TYPE "token.type" ReplaceToken
            "passes when it is a Page access token"
            "use the Page's own token; a person's gives it with --page-id"
        TOKEN_PAGE "token.page" SetPageId
            "passes when the token belongs to the account's Page"
            "correct the page id, or create a token for this Page"
        PAGE_USERNAME "page.username" SetUsername
            "passes when the Page's username is the account's; without pages_read_engagement it cannot be read, and the check warns"
            "correct the page username, or have one created"
        TOKEN_APP "token.app" SetApp
            "passes when the token was issued by the account's app"
            "give the account the app that issued the token, or create a token with the account's app"
        TOKEN_PERMISSIONS "token.permissions" ReplaceToken
            "passes when pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement are granted for this Page; where only pages_read_engagement is missing, which reads the Page's username, it warns"
            "create the token again and grant all of them for this Page"
        TOKEN_RENEWAL "token.renewal" TestAgain
            "made by 'watch --renew' only where it fails: it warns that a token which ends soon could not be renewed"
            "see why, and renew it: msgrctl account renew NAME"
        TOKEN_EXPIRY "token.expiry" ReplaceToken
            "passes when the token does not expire within 14 days (--warn-days)"
            "create a Page access token from a long-lived user token: such a Page token does not expire"
        TOKEN_DATA_ACCESS "token.data_access" TestAgain
            "passes when the token's access to personal data does not end within 14 days; its end is a warning, since messages go on"
            "have the person who made the token log in to the app again"
        PAGE_PUBLISHED "page.published" TestAgain
            "passes when the public can see the Page"
            "publish the Page in its settings"
        PAGE_SUBSCRIPTION "page.subscription" Subscribe
            "passes when the Page sends the app messages and messaging_postbacks"
            "subscribe the Page"
        APP_SUBSCRIPTION "app.subscription" Subscribe
            "passes when the app's webhook is active and has the account's callback URL and fields"
            "set the app's webhook"
        CALLBACK_HANDSHAKE "callback.handshake" Verify
            "passes when the callback repeats the challenge for the account's verify token, and refuses a made-up one"
            "ask the callback as Meta does, and fix what that shows"
        MESSAGES_WINDOW "messages.window" SetTimeout
            "passes when no system message is sent 24 hours or more after the customer's last message"
            "shorten the messenger timeout, or disable these events"
        MESSAGES_LENGTH "messages.length" EditMessages
            "passes when every text fits 2000 characters"
            "shorten the text"
    }

    /// The additional checks of `doctor`.
    DOCTOR_CHECKS {
        MSGRCTL_VERSION "msgrctl.version" Nothing
            "always passes: it names the version and the platform"
            "nothing"
        CONFIG_FILE "config.file" Doctor
            "passes when config.toml can be read"
            "correct the line that is named"
        STATE "state" Doctor
            "passes when the records that a team shares can be read and written"
            "do what the error says"
        ACCOUNTS_FILE "accounts.file" Doctor
            "passes when accounts.toml can be read"
            "correct the line that is named"
        FILES_MODES "files.modes" Doctor
            "passes when only you can read msgrctl's files"
            "remove other users' access"
        STORE_KEYRING "store.keyring" Doctor
            "passes when the keyring keeps and returns a secret"
            "unlock the keyring, or choose --store file"
        STORE_FILE "store.file" Doctor
            "passes when the encrypted file can be opened"
            "give MSGRCTL_PASSPHRASE or MSGRCTL_KEY_FILE"
        STORE_VAULT "store.vault" Doctor
            "passes when Vault keeps and returns a secret, and the policy of the token is wide enough"
            "see what is named; the least policy is printed by: msgrctl doctor --print-policy vault"
        STORE_ENV "store.env" Doctor
            "passes: secrets are read from variables"
            "set the variables that are named"
        STORE_MEMORY "store.memory" Nothing
            "passes: the memory store is the demo's"
            "nothing"
        ACCOUNTS_NAMES "accounts.names" Doctor
            "passes when each name, handle and id is one account's"
            "give one of the accounts another name or handle"
        SECRETS_PRESENT "secrets.present" Doctor
            "passes when every secret is where its account's record says"
            "give the account the secret again"
        SECRETS_LEFT_BEHIND "secrets.left_behind" Doctor
            "passes when no secret belongs to an account that is gone"
            "remove them where no other configuration uses them"
        PROXY "proxy" Nothing
            "always passes: it names the proxy variables that are set"
            "nothing"
        TLS_CERTIFICATES "tls.certificates" Doctor
            "passes when there are certificates to trust"
            "install ca-certificates, or name some with --ca-bundle FILE"
        CLOCK "clock" Doctor
            "passes when this machine's clock is right within four minutes of Graph's"
            "set the clock"
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, ids};
    use crate::channel::Channel;
    use crate::checks::causes::PERMISSION_MISSING;

    /// The texts are constants: a new permission of the channel must be added to them.
    #[test]
    fn the_texts_name_every_permission() {
        let page = CHECKS.iter().find(|page| page.id == ids::TOKEN_PERMISSIONS).expect("a page");
        for text in [page.passes, &PERMISSION_MISSING.fix()] {
            for name in Channel::ALL.into_iter().flat_map(Channel::permissions) {
                assert!(text.contains(name), "{name}: {text}");
            }
        }
    }
}
