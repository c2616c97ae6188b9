//! Scenario files, which describe a world in TOML.
//!
//! ```toml
//! version = 1
//! latency = "100ms"             # before every answer
//! require_app_secret = true     # "Require App Secret" is on
//!
//! [[pages]]
//! id = "109876543210987"
//! username = "acme.support"
//! name = "Acme Support"
//! token = "EAA…"                # generated if absent
//! token_state = "password_changed"
//!
//! [[people]]
//! name = "Jane Doe"
//! wrote_ago = "25h"             # so that her window is closed
//!
//! [[faults]]
//! path = "/me"
//! times = 2
//! code = 4
//! ```
//!
//! For businesses and system users see [`Business`](super::businesses::Business) and
//! `SystemUserEntry`. Logins (`/dialog/oauth`, `/oauth/access_token`):
//!
//! ```toml
//! version = 1
//! page_count = 5                 # made as --pages does
//! code_life = "10m"              # how long a code can be exchanged
//! login_life = "90m"             # of the token that it is exchanged for
//! fresh_page_tokens = true       # a login replaces Page tokens that still work
//! redirect_fragment = false      # no #_=_ at the end of a redirect
//! business_login_in_development = false
//!
//! [[apps]]                       # a key that is absent is the default app's
//! login = "business"             # Login for Business; by default "classic"
//! mode = "live"                  # by default app_mode, or "development"
//! redirect_uris = ["https://contact.example/back"]
//! enforce_https = false
//! domains = ["contact.example"]  # absent: not checked
//! permissions = ["pages_show_list", "pages_messaging"]
//! login_error = "feature_unavailable" # how each login ends: see LoginError
//!
//! [[configurations]]
//! id = "77"
//! token = "user"                 # or "system_user", "system_user_60_days"
//! permissions = ["pages_messaging"]
//!
//! [[users]]                      # without id and name: the first person
//! name = "Bob Example"
//! pages = ["109876543210987"]    # that he has tasks on
//! app_role = false
//!
//! [[grants]]                     # what an earlier login granted
//! person = "Bob Example"
//! declined = ["pages_messaging"]
//! pages = ["109876543210987"]    # absent: all, with those that come later
//! ```

mod entries;
mod login;

use std::path::{Path, PathBuf};

use super::Page;
use super::apps::{App, AppMode};
use super::call::version as graph_version;
use super::callback::is_callback;
use super::length::Length;
use super::people::Person;
use super::rules::{Access, Rules};
use super::tokens::{Token, TokenKind, value_for};
use super::world::{SCOPES, Subscription, TASKS, World};
use crate::clock::Clock;
use crate::document::{self, Mistake};
use crate::http::Url;

pub use entries::Scenario;
use entries::{PersonEntry, SubscriptionEntry};

/// Why a scenario was refused.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is not TOML, or has an unknown key or a value that is not valid.
    #[error("{}:{}:{}: {}", path.display(), mistake.line, mistake.column, mistake.message)]
    Broken { path: PathBuf, mistake: Mistake },
    /// It contradicts itself.
    #[error("{}: {what}", path.display())]
    Invalid { path: PathBuf, what: String },
}

impl Scenario {
    /// Parses a scenario; `path` is only for errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let scenario: Self =
            document::parse(text).map_err(|mistake| ScenarioError::Broken { path: path.into(), mistake })?;
        let invalid = |what: String| ScenarioError::Invalid { path: path.into(), what };
        if scenario.version != 1 {
            return Err(invalid(format!("version {} is not known; this msgrctl knows 1", scenario.version)));
        }
        for version in [&scenario.oldest_version, &scenario.newest_version].into_iter().flatten() {
            if graph_version(version).is_none() {
                return Err(invalid(format!("'{version}' is not a Graph version: it looks like v26.0")));
            }
        }
        for fault in &scenario.faults {
            if !fault.does_something() {
                return Err(invalid("a fault does nothing: give it delay, drop, status, code or body".into()));
            }
            if fault.times == Some(0) {
                return Err(invalid("a fault happens 0 times: omit times for always".into()));
            }
            let versioned = |path: &str| path.split('/').nth(1).is_some_and(|first| graph_version(first).is_some());
            if let Some(path) = fault.path.as_deref().filter(|path| !path.starts_with('/') || versioned(path)) {
                return Err(invalid(format!(
                    "the path '{path}' matches no call: it must begin with / and have no version"
                )));
            }
        }
        let apps: Vec<&str> = scenario.apps.iter().map(|app| app.id.as_str()).collect();
        let named = scenario.pages.iter().filter_map(|page| page.app.as_deref());
        let named = named.chain(scenario.users.iter().filter_map(|user| user.app.as_deref()));
        let named = named.chain(scenario.configurations.iter().filter_map(|one| one.app.as_deref()));
        let named = named.chain(scenario.grants.iter().filter_map(|grant| grant.app.as_deref()));
        let named =
            named.chain(scenario.system_users.iter().flat_map(|user| user.apps.iter().flatten()).map(String::as_str));
        for app in named.chain(scenario.subscriptions.iter().filter_map(|one| one.app.as_deref())) {
            if !apps.contains(&app) {
                return Err(invalid(format!("app '{app}' is named, but not listed under apps")));
            }
        }
        if let Some(twice) = apps.iter().enumerate().find_map(|(at, id)| apps[..at].contains(id).then_some(id)) {
            return Err(invalid(format!("app '{twice}' is listed twice: give each app an id")));
        }
        scenario.check_logins().map_err(invalid)?;
        let farewells = scenario.apps.iter().filter_map(|app| app.deauthorize_url.as_ref());
        for url in scenario.subscriptions.iter().map(|one| &one.callback_url).chain(farewells) {
            if !Url::parse(url).is_ok_and(|url| is_callback(&url)) {
                return Err(invalid(format!("'{url}' is not a callback: https://…, or http://127.0.0.1…")));
            }
        }
        for psid in scenario.people.iter().filter_map(|person| person.psid.as_deref()) {
            if psid.is_empty() || !psid.bytes().all(|b| b.is_ascii_digit()) {
                return Err(invalid(format!("'{psid}' is not a PSID, which is digits only")));
            }
        }
        for page in scenario.people.iter().filter_map(|person| person.page.as_deref()) {
            if !scenario.pages.iter().any(|one| one.id == page || one.username.as_deref() == Some(page)) {
                return Err(invalid(format!("page '{page}' is named, but not listed under pages")));
            }
        }
        Ok(scenario)
    }

    /// Applies its settings; the others stay.
    fn set_rules(&self, rules: &mut Rules) {
        self.set_login_rules(rules);
        if let Some(latency) = self.latency.and_then(|latency| latency.0.try_into().ok()) {
            rules.latency = latency;
        }
        rules.require_app_secret = self.require_app_secret;
        rules.access = match self.app_mode {
            Some(AppMode::Development) => Access::Standard,
            _ => self.access.unwrap_or_default(),
        };
        rules.reads = self.reads.unwrap_or(true);
        rules.rate_limits = self.rate_limits;
        rules.profile_access = self.profile_access.unwrap_or(true);
        rules.subscribed_apps_mode = self.subscribed_apps_mode.unwrap_or_default();
        rules.header_token_wins = self.header_token_wins;
        rules.self_inspection = self.self_inspection.unwrap_or(true);
        rules.system_user_inspection = self.system_user_inspection;
        rules.lists_pages = self.lists_pages.unwrap_or(true);
        if let Some(patience) = self.batch_timeout.and_then(|length| length.0.try_into().ok()) {
            rules.batch_patience = patience;
        }
        rules.oldest_version = self.oldest_version.as_deref().and_then(graph_version);
        rules.newest_version = self.newest_version.as_deref().and_then(graph_version);
    }

    /// The world that it describes. Anything absent is as in the default world.
    pub fn into_world(self, clock: Clock) -> World {
        let clock = self.today.map_or(clock, Clock::at);
        let pages = self.page_count.unwrap_or_else(|| usize::from(self.pages.is_empty()));
        let mut apps = if self.apps.is_empty() { vec![App::default()] } else { self.apps.clone() };
        for app in &mut apps {
            app.mode = app.mode.or(self.app_mode);
        }
        let mut world = World::with_apps(apps, pages, clock);
        let now = world.clock.unix_seconds();
        self.set_rules(&mut world.rules);
        let after = |length: Length| now + length.0.as_secs();
        let scopes = |named: Option<Vec<String>>| named.unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec());
        let model = world.tokens[0].clone();
        for page in self.pages {
            let app_id = page.app.unwrap_or_else(|| world.apps[0].id.clone());
            let subscribed = page.subscribed.unwrap_or_else(|| vec!["messages".into(), "messaging_postbacks".into()]);
            world.tokens.push(Token {
                value: page.token.unwrap_or_else(|| value_for(&format!("page {}", page.id))),
                kind: TokenKind::Page(page.id.clone()),
                app_id: app_id.clone(),
                scopes: scopes(page.scopes),
                targets: Some(page.granted_for.unwrap_or_else(|| vec![page.id.clone()])),
                expires_at: page.expires_in.map_or(0, after),
                data_access_expires_at: page.data_access_expires_in.map_or(model.data_access_expires_at, after),
                state: page.token_state.unwrap_or_default(),
                app_role: page.app_role.unwrap_or(true),
                ..model.clone()
            });
            world.pages.push(Page {
                id: page.id,
                username: page.username,
                name: page.name,
                category: page.category.unwrap_or_else(|| "Pet Service".into()),
                is_published: page.published.unwrap_or(true),
                new_experience: page.new_experience,
                tasks: page.tasks.unwrap_or_else(|| TASKS.map(str::to_owned).to_vec()),
                subscribed: Some((app_id, subscribed)).filter(|(_, fields)| !fields.is_empty()).into_iter().collect(),
            });
        }
        if self.people.is_empty() {
            for at in pages..world.pages.len() {
                world.add_person(at);
            }
        }
        if !self.people.is_empty() {
            world.people.clear();
            world.threads.clear();
        }
        for person in self.people {
            add_person(&mut world, person);
        }
        for subscription in self.subscriptions {
            add_subscription(&mut world, subscription);
        }
        for user in self.users {
            login::add_user(&mut world, user, &model);
        }
        if !self.businesses.is_empty() {
            world.businesses = self.businesses;
        }
        for user in self.system_users {
            login::add_system_user(&mut world, user, &model);
        }
        world.configurations = self.configurations;
        for grant in self.grants {
            login::add_grant(&mut world, grant);
        }
        world.faults = self.faults;
        world
    }
}

fn add_person(world: &mut World, entry: PersonEntry) {
    let page = entry.page.as_deref().map_or_else(|| world.pages.first(), |page| world.page(page));
    let Some(page_id) = page.map(|page| page.id.clone()) else { return };
    let mut person = Person::new(&page_id, &entry.name);
    if let Some(psid) = entry.psid {
        person.psid = psid;
    }
    person.has_role = entry.role;
    person.blocked = entry.blocked;
    person.wrote_at = entry.wrote_ago.and_then(|ago| world.clock.now().checked_sub(ago.0).ok());
    world.greet(person);
}

fn add_subscription(world: &mut World, entry: SubscriptionEntry) {
    world.subscriptions.push(Subscription {
        app_id: entry.app.unwrap_or_else(|| world.apps[0].id.clone()),
        object: entry.object.unwrap_or_else(|| "page".into()),
        callback_url: entry.callback_url,
        verify_token: entry.verify_token.unwrap_or_default(),
        active: entry.active.unwrap_or(true),
        fields: entry.fields,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tokens::TokenState;

    fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Scenario::parse(text, Path::new("scenario.toml"))
    }

    #[test]
    fn a_scenario_makes_its_world() {
        let scenario = parse(
            r#"
            version = 1
            latency = "100ms"
            today = "2026-11-22T00:00:00Z"
            newest_version = "v25.0"
            [[apps]]
            id = "999"
            secret = "0123456789abcdef0123456789abcdef"
            name = "Mine"
            [[pages]]
            id = "12345"
            name = "Page"
            token = "EAAmine"
            token_state = "logged_out"
            expires_in = "10d"
            subscribed = []
            [[users]]
            token = "EAAuser"
            system = true
            [[faults]]
            path = "/me"
            times = 2
            code = 4
            "#,
        );
        let world = scenario.expect("a scenario").into_world(Clock::system());
        assert_eq!(world.rules.latency.as_millis(), 100);
        assert_eq!(world.rules.newest_version, Some((25, 0)));
        let token = world.page_token("12345").expect("a token");
        assert_eq!(
            (token.value.as_str(), token.state, token.app_id.as_str()),
            ("EAAmine", TokenState::LoggedOut, "999")
        );
        assert_eq!(token.expires_at - world.clock.unix_seconds(), 864_000);
        assert!(world.page("12345").expect("a page").subscribed.is_empty());
        assert!(world.tokens.iter().any(|token| token.kind == TokenKind::SystemUser));
        assert_eq!(world.faults[0].times, Some(2));
    }

    #[test]
    fn people_and_rules_are_as_they_are_written() {
        let scenario = parse(
            r#"
            version = 1
            today = "2026-11-22T12:00:00Z"
            rate_limits = true
            app_mode = "development"
            profile_access = false
            header_token_wins = true
            reads = false
            batch_timeout = "2s"
            subscribed_apps_mode = "add"
            [[pages]]
            id = "1"
            name = "One"
            [[pages]]
            id = "2"
            name = "Two"
            username = "page.two"
            [[people]]
            name = "Ann"
            page = "page.two"
            psid = "7654321098765432"
            role = true
            wrote_ago = "25h"
            [[people]]
            name = "Bob"
            blocked = true
            [[subscriptions]]
            callback_url = "http://127.0.0.1:3000/"
            fields = ["messages"]
            active = false
            "#,
        );
        let world = scenario.expect("a scenario").into_world(Clock::system());
        let rules = &world.rules;
        assert!(rules.rate_limits && rules.header_token_wins && !rules.reads && !rules.profile_access);
        assert_eq!((rules.access, rules.batch_patience.as_secs()), (Access::Standard, 2));
        let [ann, bob] = world.people.as_slice() else { panic!("two people") };
        assert_eq!((ann.page_id.as_str(), ann.psid.as_str(), ann.has_role), ("2", "7654321098765432", true));
        assert_eq!(ann.wrote_at.map(|at| at.to_string()).as_deref(), Some("2026-11-21T11:00:00Z"));
        assert_eq!((bob.page_id.as_str(), bob.blocked, bob.wrote_at), ("1", true, None));
        assert_eq!((world.subscriptions[0].object.as_str(), world.subscriptions[0].active), ("page", false));
        let alone = parse("version = 1\n[[pages]]\nid = '1'\nname = 'One'\n").expect("a scenario");
        assert_eq!(alone.into_world(Clock::system()).people[0].name, "Jane Doe", "one where none is named");
    }

    #[test]
    fn mistakes_are_named() {
        let broken = parse("version = 1\n[[pages]]\nid = '1'\nname = 'x'\ntokn = 'y'\n");
        assert!(matches!(broken, Err(ScenarioError::Broken { mistake, .. }) if mistake.nearest == Some("token")));
        assert!(parse("version = 2").is_err());
        assert!(parse("version = 1\n[[people]]\nname = 'A'\npsid = 'x'\n").is_err());
        assert!(parse("version = 1\n[[people]]\nname = 'A'\npage = 'none'\n").is_err());
        assert!(parse("version = 1\n[[subscriptions]]\napp = '7'\ncallback_url = 'x'\nfields = []\n").is_err());
        assert!(parse("version = 1\naccess = 'none'\n").is_err());
        assert!(parse("version = 1\n[[faults]]\ncode = 2\ntimes = 0\n").is_err());
        for url in ["x", "http://hooks.example.com/", "ftp://127.0.0.1/"] {
            let text = format!("version = 1\n[[subscriptions]]\ncallback_url = '{url}'\nfields = []\n");
            assert!(matches!(parse(&text), Err(ScenarioError::Invalid { what, .. }) if what.contains(url)));
        }
        assert!(parse("version = 1\n[[faults]]\npath = '/me'\n").is_err());
        assert!(parse("version = 1\n[[faults]]\npath = '/v26.0/me'\ncode = 2\n").is_err());
        assert!(parse("version = 1\n[[pages]]\nid = '1'\nname = 'x'\napp = '7'\n").is_err());
    }
}
