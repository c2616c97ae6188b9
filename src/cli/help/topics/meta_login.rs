//! A login at Meta: the two kinds, the ways back, and Meta's error pages.

use super::Topic;

pub(super) const META_LOGIN: Topic = Topic {
    name: "meta-login",
    about: "A login at Meta: kinds, ways back to this machine, Meta's error pages, kinds of token",
    before: "'msgrctl login' opens Meta's dialog in the browser, exchanges the code that comes back for a long-lived token, and connects the Pages that you pick. A second login of the same person replaces what that person granted before: tick every connected Page and allow every permission again.",
    list: &[
        (
            "Facebook Login",
            "older apps: the dialog asks for single permissions, each of which can be declined (--scope names others than pages_show_list, pages_messaging, pages_manage_metadata, pages_read_engagement)",
        ),
        (
            "Facebook Login for Business",
            "new apps: the dialog asks for a configuration, granted as a whole. Create one with those permissions in the app's dashboard (Facebook Login for Business > Configurations), and give its id: --config-id ID",
        ),
        (
            "app in Development mode",
            "the way back to http://localhost works by itself; the person needs a role on the app (App roles), and must have accepted it",
        ),
        (
            "app in Live mode",
            "Meta refuses localhost. Enter https://www.facebook.com/connect/login_success.html under Valid OAuth Redirect URIs and use --paste; or enter an https address of yours: --redirect-uri URL --paste, or where it forwards to this machine --redirect-uri URL --listen localhost:PORT",
        ),
        (
            "no browser here (ssh)",
            "--paste --no-browser: open the printed address on another machine, and paste the address that its browser ends at",
        ),
        (
            "Invalid Scopes",
            "the app has Facebook Login for Business and got single permissions (use --config-id), or it lacks the use case \"Engage with customers on Messenger from Meta\"",
        ),
        (
            "This app needs at least one supported permission",
            "as Invalid Scopes; or the person has no role on an app whose permissions lack Advanced Access",
        ),
        (
            "Feature Unavailable",
            "the app's dashboard lists required actions that are not done, or lacks Advanced Access for public_profile",
        ),
        ("App not active", "the app is in Development mode and the person has no role on it"),
        (
            "URL Blocked, Can't Load URL",
            "the way back is not among the app's Valid OAuth Redirect URIs, letter by letter; see app in Live mode",
        ),
        (
            "Sorry, something went wrong",
            "the configuration's id is wrong, or one of its permissions or assets cannot be granted, or the app is in Development mode",
        ),
        (
            "no screen at all, old Pages",
            "Meta reuses what was granted before: remove the app at facebook.com > Settings > Business Integrations, then log in again",
        ),
        (
            "a Page is missing",
            "it was not ticked, its business was not chosen, or the person has no task on it. Log in again and choose \"Edit previous settings\"",
        ),
        ("Page token of a short login", "ends within hours: the app secret is needed to make it last"),
        (
            "Page token of a person",
            "does not expire; it stops working when the person changes the password, loses the role, removes the app, or does not tick the Page at a later login",
        ),
        (
            "Page token of a system user",
            "does not depend on a person. Of 60 days: 'msgrctl account renew' on a timer; one that does not expire: where no timer runs",
        ),
    ],
    groups: Vec::new,
    after: "For a script that plays the browser:

  msgrctl login --no-browser --page 109876543210987 --yes

The first line of standard output is the dialog's address; with --json it is on
standard error.",
};
