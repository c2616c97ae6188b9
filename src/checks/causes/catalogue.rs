//! Every cause at Meta or in an account. The causes in a callback's answer are in
//! `webhook/problem.rs`, with names of the same kind.

use super::Cause;
use super::Matter::{Credentials, Delivery, Message, Other, Remote};
use super::Next::{
    AddApp, EditMessages, LogIn, Nothing, ReplaceToken, SetApp, SetCallback, SetPageId, SetTimeout, SetUsername,
    Subscribe, TestAgain, Verify,
};

causes! {
    AT_META
    TOKEN_MISSING "token-missing" Credentials ReplaceToken
        "the page access token is missing where the account keeps it"
        "create a Page access token ({tokens})"
    EXPIRED "expired" Credentials ReplaceToken
        "the token has expired"
        "create a new Page access token from a long-lived user token: such a Page token does not expire"
    EXPIRES_SOON "expires-soon" Credentials ReplaceToken
        "the token expires soon"
        "create a new Page access token from a long-lived user token: such a Page token does not expire"
    RENEWAL_FAILED "renewal-failed" Credentials TestAgain
        "the token could not be renewed; the old one works to its own end"
        "see why, and renew it: msgrctl account renew NAME"
    USER_TOKEN_MISSING "user-token-missing" Credentials ReplaceToken
        "the account keeps no user token to renew its token from"
        "give the person's or system user's token with --keep-user-token"
    PASSWORD_CHANGED "password-changed" Credentials ReplaceToken
        "the person who made the token changed their password, or Meta ended the session for security"
        "create a new Page access token; a system user's token does not end with a password"
    LOGGED_OUT "logged-out" Credentials ReplaceToken
        "the person who made the token logged out, or the token was revoked"
        "create a new Page access token ({tokens})"
    APP_REMOVED "app-removed" Credentials LogIn
        "the person who made the token removed the app, or never authorized it"
        "have that person log in to the app again, tick every Page and grant every permission"
    CHECKPOINT "checkpoint" Credentials TestAgain
        "Meta holds the account of the person who made the token at a security check"
        "have that person open facebook.com and pass the check; the same token may then work again"
    NOT_CONFIRMED "not-confirmed" Credentials ReplaceToken
        "the account of the person who made the token is not confirmed"
        "have that person confirm the account at facebook.com, then create a new token"
    INACTIVE "inactive" Credentials ReplaceToken
        "the person who made the token has not used the app for 90 days"
        "have that person log in to the app again, then create a new token; a system user's token does not end like this"
    TWO_FACTOR "two-factor" Credentials ReplaceToken
        "the Page's business requires two-factor authentication, which the person who made the token has not turned on"
        "have that person turn on two-factor authentication at facebook.com, then create a new token"
    ROLE_LOST "role-lost" Credentials TestAgain
        "the person who made the token has no role on the Page any more, or has not turned on the two-factor authentication that its business requires"
        "give that person full control of the Page or a task on it, and have them turn on two-factor authentication; the same token may then work again, otherwise create a new one"
    GRANT_REPLACED "grant-replaced" Credentials LogIn
        "the token is intact, but a later login with the same app did not grant this Page or its permissions"
        "have the same person log in to the app again, tick every Page and grant every permission"
    TOKEN_DAMAGED "token-damaged" Credentials ReplaceToken
        "Meta cannot read the token: it is cut off, altered, or not a token for Facebook"
        "copy the token again, whole and without quotes or spaces; a Page access token begins with EAA"
    TOKEN_NOT_ACCEPTED "token-not-accepted" Credentials ReplaceToken
        "Meta refuses the token, and its code does not say why"
        "read what Meta says; where that does not help, create a new Page access token ({tokens})"
    SESSION_ENDED "session-ended" Credentials ReplaceToken
        "the session behind the token has ended"
        "create a new Page access token ({tokens})"
    PAGE_TOKEN_NEEDED "page-token-needed" Credentials ReplaceToken
        "a person's, a system user's or an app's token was used where a Page access token is needed"
        "use the Page's own token, generated at {tokens}; a person's token gives it too: msgrctl account add --page-id PAGE_ID"
    NO_PAGE_GRANTED "no-page-granted" Credentials LogIn
        "the token reaches no Page: none was ticked at the login"
        "log in to the app again, tick the Page and grant every permission; a Page that a business owns needs business_management too"
    USER_TOKEN_NEEDED "user-token-needed" Credentials Nothing
        "a Page's own token was used where a person's or a system user's is needed"
        "use the token of a person who has a role on the Pages, or of a system user that they are assigned to ({system_users})"
    TASK_MISSING "task-missing" Credentials Nothing
        "the person, system user or business may not answer the Page's messages: the task MESSAGING is missing"
        "have a person with full control of the Page give them the task Messages in the Page's settings (Page access), or have the business that owns the Page share it with that task"
    PAGE_NOT_GRANTED "page-not-granted" Credentials Nothing
        "Meta gives this token no token of the Page: the Page was not ticked at the login, or is not assigned"
        "log in to the app again (msgrctl login) and tick the Page; for a system user, assign the Page and make a new token ({system_users})"
    BUSINESS_NOT_SHOWN "business-not-shown" Credentials Nothing
        "Meta does not show this business to the token: the id is wrong, or the token may not read it"
        "compare the id with the one at {business}; the token needs the permission business_management, and its person a role in the business"
    BUSINESS_ROLE_MISSING "business-role-missing" Credentials Nothing
        "the person behind the token does not administer the business, or the token lacks business_management"
        "log in as an administrator of the business, and grant business_management; {business} shows who administers it"
    APP_NOT_CLAIMED "app-not-claimed" Credentials Nothing
        "Meta does not install the app for the system user: the app does not belong to the same business"
        "add the app to the business first (Business settings: Accounts > Apps > Add)"
    APP_NOT_INSTALLED "app-not-installed" Credentials Nothing
        "Meta did not create a token for this app: it is not installed for the system user, belongs to another business, or lacks a permission"
        "install the app for the system user ({system_users}: Assign assets > Apps), and see that the app has every permission that was asked for"
    SYSTEM_USER_LIMIT "system-user-limit" Credentials Nothing
        "Meta does not create another system user in this business: their number is limited"
        "use one that exists ({system_users}); businesses with full API access may have more"
    NO_TOKEN_ARRIVED "no-token-arrived" Credentials TestAgain
        "Meta says that no token arrived with the call, although one was sent"
        "look for a proxy or gateway on the way that removes the Authorization header (HTTPS_PROXY), and exempt graph.facebook.com from it"
    PERMISSION_MISSING "permission-missing" Credentials ReplaceToken
        "the token lacks a permission"
        "create a new token and grant pages_messaging, pages_manage_metadata, pages_show_list and pages_read_engagement"
    PAGE_NOT_SHOWN "page-not-shown" Credentials SetPageId
        "Meta does not show this Page to the token: the page id is wrong, or the token belongs to another Page"
        "compare the page id with the one in the Page's About section, under Page transparency"
    OBJECT_NOT_SHOWN "object-not-shown" Credentials ReplaceToken
        "Meta does not show the token its own Page: a permission is missing, the app is not approved or not live, or the Page is gone"
        "check in the app's dashboard that the app is live, then create the token again and grant every permission"
    OTHER_PAGE "other-page" Credentials SetPageId
        "the token belongs to another Page"
        "create a token for the account's Page, or correct the page id"
    USERNAME_DIFFERS "username-differs" Credentials SetUsername
        "the Page has another username than the account"
        "correct the page username"
    PAGE_WITHOUT_USERNAME "page-without-username" Credentials SetUsername
        "the Page has no username, and the contact centre's form needs one"
        "have an administrator of the Page create a username (facebook.com/username, or the Page's settings under Name)"
    USERNAME_UNKNOWN "username-unknown" Credentials SetUsername
        "Meta knows no Page with this username"
        "correct the page username, or use the page id"
    SIGNATURE_WRONG "signature-wrong" Credentials SetApp
        "Meta rejects the signature (appsecret_proof) of the call"
        "check the app secret ({app}) and that this machine's clock is right"
    SIGNATURE_REQUIRED "signature-required" Credentials AddApp
        "the token's app requires signed calls (Require App Secret), and no app secret is known"
        "take the app secret from {app}"
    APP_TOKEN_NEEDED "app-token-needed" Credentials AddApp
        "this call needs the app's own credentials"
        "take the app id and the app secret from {app}"
    APP_UNKNOWN "app-unknown" Credentials SetApp
        "Meta knows no app with this app id"
        "copy the app id from the top of the app's dashboard"
    APP_SECRET_WRONG "app-secret-wrong" Credentials SetApp
        "the app id and the app secret do not belong together"
        "copy the app id and the app secret from {app}"
    APP_SECRET_MISSING "app-secret-missing" Credentials AddApp
        "the app secret is missing where the account keeps it"
        "take the app secret from {app}"
    OTHER_APP "other-app" Credentials SetApp
        "the token was issued by another app than the account's"
        "create the token with the account's app, or give the account the id and secret of the app that issued it"
    APP_RESTRICTED "app-restricted" Credentials TestAgain
        "Meta has blocked or restricted the app"
        "open the app's dashboard: its alerts name the reason and how to appeal"
    CAPABILITY_MISSING "capability-missing" Credentials TestAgain
        "the app lacks a capability for this call"
        "open the app's dashboard: it names what the app still needs"
    DATA_ACCESS_ENDS "data-access-ends" Credentials TestAgain
        "the token's access to personal data ends soon; messages and webhooks go on working"
        "have the person who made the token log in to the app again (auth_type=reauthorize), which renews it for 90 days"
    DATA_ACCESS_ENDED "data-access-ended" Credentials TestAgain
        "the token's access to personal data has ended; messages and webhooks go on working"
        "have the person who made the token log in to the app again (auth_type=reauthorize), which renews it for 90 days"
    LOGIN_CANCELLED "login-cancelled" Other Nothing
        "you cancelled at Meta, or the app is in Development mode and you have no role on it, or it may not ask for one of the permissions"
        "log in again; if you did not cancel: have the app's administrator give you a role or set the app live, and compare the permissions of the configuration with the app's (msgrctl help meta-login)"
    LOGIN_REFUSED "login-refused" Other Nothing
        "Meta refused the login"
        "read what Meta says, and begin the login again; Meta's error pages are explained by: msgrctl help meta-login"
    LOGIN_TIMED_OUT "login-timed-out" Other Nothing
        "the browser did not come back from Meta in time"
        "begin the login again; where Meta showed an error page instead: msgrctl help meta-login"
    LOGIN_FOREIGN "login-foreign" Other Nothing
        "the address belongs to another login: its state is not this one's"
        "paste the address that the browser ended at in this login, or begin again"
    CODE_USED "code-used" Other Nothing
        "the code of this login was used before: it works once"
        "begin the login again"
    CODE_EXPIRED "code-expired" Other Nothing
        "the code of this login has expired"
        "begin the login again, and finish it within a few minutes"
    REDIRECT_DIFFERS "redirect-differs" Other Nothing
        "Meta rejected the redirect URI, where the browser comes back to"
        "enter it, letter by letter, in the app ({redirects}); then begin the login again"
    VERSION_UNKNOWN "version-unknown" Other Nothing
        "Graph does not know this version"
        "omit --graph-version (MSGRCTL_GRAPH_VERSION), or name a version that exists, such as v26.0"
    VERSION_EXPIRED "version-expired" Other Nothing
        "the version has expired, and Graph answers in another one"
        "omit --graph-version (MSGRCTL_GRAPH_VERSION), or update msgrctl"
    VERSION_ENDS_SOON "version-ends-soon" Other Nothing
        "the version ends within 90 days; Graph then answers in another one"
        "omit --graph-version (MSGRCTL_GRAPH_VERSION); where webhook fields are bound to the version, have Meta bind them to a newer one: {webhooks}"
    NEW_PAGES_EXPERIENCE "new-pages-experience" Other Nothing
        "Meta does not offer this call for Pages with the new Pages experience, whatever the token"
        "set it by hand where Meta offers that: {webhooks}"
    TEMPORARILY_BLOCKED "temporarily-blocked" Other TestAgain
        "Meta has blocked this action for a while, for breaking a policy"
        "open the Page's Support Inbox and wait for the block to end"
    REFUSED "call-refused" Other TestAgain
        "Meta refused the call"
        "read what Meta says, and look its code up in Meta's error reference; Meta's support wants the trace id"
    PAGE_UNPUBLISHED "page-unpublished" Delivery TestAgain
        "the Page is not published: customers cannot find it"
        "publish it in the Page's settings (Privacy > Page visibility)"
    TO_DO "to-do" Delivery Subscribe
        "the webhook is not set up yet: no test has seen it, and 'webhook subscribe' was not run for this account"
        "subscribe the app and the Page"
    NOT_SUBSCRIBED "not-subscribed" Delivery Subscribe
        "the Page or the app sends no events: its webhook was there once, or 'webhook subscribe' was run"
        "subscribe the app and the Page"
    FIELDS_MISSING "fields-missing" Delivery Subscribe
        "the webhook lacks a field, so a kind of event does not arrive"
        "subscribe to the missing fields"
    FIELDS_REFUSED "fields-refused" Delivery Subscribe
        "Meta does not know one of the webhook fields"
        "name fields that Meta knows, such as messages,messaging_postbacks"
    WEBHOOK_INACTIVE "webhook-inactive" Delivery Subscribe
        "Meta has switched the app's webhook off, as it does after an hour of failures"
        "fix the receiver first, then subscribe again"
    CALLBACK_DIFFERS "callback-differs" Delivery Subscribe
        "the app's events go to another callback URL than the account's"
        "have Meta send them to the account's callback URL: an app has one for all of its Pages"
    CALLBACK_NOT_HTTPS "callback-not-https" Delivery SetCallback
        "the callback URL is not https, and Meta calls https addresses only"
        "serve the receiver over HTTPS, and give the account that address"
    CALLBACK_PRIVATE "callback-private" Delivery SetCallback
        "the callback URL is inside a private network or on this machine: Meta cannot reach it"
        "give the account the address that leads to the receiver from the internet"
    CALLBACK_MISSING "callback-missing" Delivery SetCallback
        "the account has no callback URL yet"
        "the contact centre's form shows it"
    VERIFY_TOKEN_MISSING "verify-token-missing" Delivery Subscribe
        "the verify token is missing where the account keeps it"
        "put it there again, or make a new one: msgrctl webhook rotate NAME"
    NOT_READ_BACK "not-read-back" Delivery Subscribe
        "Meta took the change, but shows the old state when it is read back"
        "wait a minute, since Meta may be late, and try again"
    HANDSHAKE_FAILED "handshake-failed" Delivery Verify
        "Meta asked the callback for the handshake, and it failed"
        "ask the callback as Meta does, and fix what that shows"
    WINDOW_EXCEEDED "window-exceeded" Message SetTimeout
        "a system message would be sent 24 hours or more after the customer's last message, and Meta would refuse it"
        "shorten the messenger timeout, or disable these events"
    TEXT_TOO_LONG "text-too-long" Message EditMessages
        "a system message may be longer than Meta takes"
        "shorten the text"
    OUTSIDE_WINDOW "outside-window" Message Nothing
        "the customer's last message is over 24 hours ago: outside of that window Meta refuses messages"
        "wait until the customer writes; a person's answer may be sent within 7 days with --human-agent"
    BLOCKED "blocked" Message Nothing
        "the customer cannot be reached: they blocked the Page, or closed their account"
        "nothing can be done from here; the customer has to write again"
    NOT_LIVE "not-live" Message Nothing
        "Meta does not let the app message this person: the app is in development mode or has Standard Access, or the person cannot be reached"
        "give the person a role on the app to test; for customers, get Advanced Access for pages_messaging and set the app live"
    NOT_IN_REGION "not-in-region" Message Nothing
        "Meta does not offer this kind of message for this person: privacy rules in Europe switch it off"
        "send plain text, or another kind of message; no permission is missing"
    TAG_NOT_ALLOWED "tag-not-allowed" Message Nothing
        "Meta does not allow this message tag"
        "within 24 hours of the customer's last message send it without a tag; --human-agent needs the approved feature Human Agent"
    RECIPIENT_UNKNOWN "recipient-unknown" Message Nothing
        "no customer with this id has written to this Page: a person has another id on each Page"
        "take the id from an event of this Page: msgrctl webhook listen"
    MESSAGE_REFUSED "message-refused" Message Nothing
        "Meta refuses the message or the recipient as it is"
        "check that the id belongs to a person who wrote to this Page (digits), and that the text has at most 2000 characters"
    OTHER_APP_HAS_THREAD "other-app-has-thread" Message Nothing
        "another app has the conversation now"
        "set this app as the default in the Page's settings (Advanced messaging > Conversation routing), or wait until the other app is done"
    PAGE_RESTRICTED "page-restricted" Message Nothing
        "Meta has restricted the Page's messages for a while"
        "open the Page's Support Inbox: it says why, and how to object"
    OPTED_OUT "opted-out" Message Nothing
        "the customer has stopped messages of this kind"
        "send no more until the customer allows it again"
    CONTACT_TERMS "contact-terms" Message Nothing
        "an administrator of the Page has not accepted Meta's terms for contacts"
        "have an administrator of the Page open its inbox and accept them"
    MESSAGES_OFF "messages-off" Message Nothing
        "messages are switched off for this Page"
        "switch them on in the Page's settings (Messaging)"
    UNREACHABLE "unreachable" Remote TestAgain
        "Graph did not answer"
        "check the network of this machine and HTTPS_PROXY, then try again"
    PROXY_AUTH "proxy-auth" Remote TestAgain
        "the proxy wants a user and a password (HTTP 407)"
        "put them into the proxy's address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT"
    PROXY_REFUSED "proxy-refused" Remote TestAgain
        "the proxy opens no connection to Meta"
        "have the proxy's administrator allow graph.facebook.com:443, or exempt it with NO_PROXY=graph.facebook.com"
    NOT_GRAPH "not-graph" Remote TestAgain
        "something answered in Graph's place: a proxy or a login page"
        "check which Graph is asked, --graph-url (MSGRCTL_GRAPH_URL), and HTTPS_PROXY"
    GRAPH_TROUBLE "graph-trouble" Remote TestAgain
        "Graph has trouble of its own"
        "try again in a few minutes; metastatus.com shows outages"
    THROTTLED "throttled" Remote TestAgain
        "Meta limits the number of calls of this app or Page, and the limit is reached"
        "wait a few minutes and try again; calls made in the meantime count too"
}
