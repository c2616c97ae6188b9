//! Worlds for the sandbox, as the tests need them.

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, Scenario, Subscription, World};

use super::Home;

/// The Page that every default world has.
pub const PAGE_ID: &str = "109876543210987";

/// A sandbox with the default world.
pub fn sandbox() -> InProcess {
    InProcess::start(World::new(Clock::system())).unwrap()
}

/// A sandbox with a scenario's world.
pub fn scenario(text: &str) -> InProcess {
    let scenario = Scenario::parse(text, std::path::Path::new("scenario.toml")).unwrap();
    InProcess::start(scenario.into_world(Clock::system())).unwrap()
}

/// The token of the first Page.
pub fn page_token(sandbox: &InProcess) -> String {
    let world = sandbox.world();
    world.page_token(&world.pages[0].id).unwrap().value.clone()
}

/// Id and secret of the first app.
pub fn app(sandbox: &InProcess) -> (String, String) {
    let world = sandbox.world();
    (world.apps[0].id.clone(), world.apps[0].secret.clone())
}

/// A home with the account `acme` of the first Page, saved untested, its secrets
/// in variables; with the app's id and secret where `with_app` says so.
pub fn acme(sandbox: &InProcess, with_app: bool) -> Home {
    let mut home = Home::new().with_secrets("acme", &page_token(sandbox)).with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let (app_id, app_secret) = app(sandbox);
    let page = sandbox.world().pages[0].clone();
    let username = page.username.unwrap();
    let mut arguments =
        vec!["account", "add", "Acme", "--page-username", &username, "--page-id", &page.id, "--no-test"];
    if with_app {
        home.set("MSGRCTL_SECRET_ACME_APP_SECRET", &app_secret);
        arguments.extend(["--app-id", &app_id]);
    }
    home.run(&arguments).code(0);
    home
}

/// An address on this machine where nobody listens.
pub fn nowhere() -> String {
    // One that was free a moment ago is perhaps another test's by now.
    "127.0.0.1:1".to_owned()
}

/// Paths of the calls that the sandbox got.
pub fn paths(sandbox: &InProcess) -> Vec<String> {
    sandbox.world().journal.entries().iter().map(|entry| entry.path.clone()).collect()
}

/// What a Page can tell its callback of.
pub const EVENTS: [&str; 13] = [
    "messages",
    "messaging_postbacks",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "message_reactions",
    "message_edits",
    "messaging_optins",
    "messaging_referrals",
    "messaging_account_linking",
    "messaging_policy_enforcement",
    "messaging_handovers",
    "standby",
];

/// Subscribes the first app and all its Pages to `fields` at a callback that is taken
/// as verified.
pub fn subscribe(sandbox: &InProcess, callback_url: &str, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let mut world = sandbox.world();
    let app_id = world.apps[0].id.clone();
    for page in &mut world.pages {
        page.subscribed.insert(app_id.clone(), fields.clone());
    }
    world.subscriptions.push(Subscription {
        app_id,
        object: "page".into(),
        callback_url: callback_url.into(),
        verify_token: "verify".into(),
        active: true,
        fields,
    });
}
