//! The world behind the emulator: apps, people, Pages, tokens, and settings where Meta's
//! behaviour varies.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::answer::{Answer, Trace};
use super::apps::{App, Configuration};
use super::businesses::{Business, SystemUser};
use super::call::Call;
use super::events::Event;
use super::fault::Fault;
use super::grants::{Code, Grant};
use super::journal::Journal;
use super::limits::Usage;
use super::people::{Message, Person, Persona, Thread, digits};
use super::places::Places;
use super::rules::{Access, Rules};
use super::tokens::{Origin, Token, TokenKind, TokenState, value_for};
use super::versions::Day;
use crate::clock::Clock;

/// The whole state of a sandbox.
#[derive(Default)]
pub struct World {
    /// The time in this world.
    pub clock: Clock,
    /// The settings.
    pub rules: Rules,
    /// The Meta apps; the first one's credentials are printed at the start.
    pub apps: Vec<App>,
    /// The saved configurations of apps with Login for Business.
    pub configurations: Vec<Configuration>,
    /// The people with Pages, who log in.
    pub users: Vec<User>,
    /// The businesses that own the Pages.
    pub businesses: Vec<Business>,
    /// Their system users.
    pub system_users: Vec<SystemUser>,
    /// What they have granted to the apps.
    pub grants: Vec<Grant>,
    /// The codes of their logins.
    pub(super) codes: Vec<Code>,
    /// The Pages.
    pub pages: Vec<Page>,
    /// Every issued token.
    pub tokens: Vec<Token>,
    /// The people who write to the Pages.
    pub people: Vec<Person>,
    /// The conversations.
    pub threads: Vec<Thread>,
    /// What people see before their first message, by Page.
    pub profiles: BTreeMap<String, Map<String, Value>>,
    /// Menus of single people, by Page and PSID.
    pub(super) menus: BTreeMap<(String, String), Value>,
    /// The names under which Pages write.
    pub personas: Vec<Persona>,
    pub(super) personas_made: usize,
    /// Files that can be sent by their id, with their Page.
    pub(super) attachments: Vec<(String, String)>,
    /// The callbacks of the apps.
    pub subscriptions: Vec<Subscription>,
    /// The apps that people have removed, with the people: their apps are not told yet.
    pub(super) farewells: Vec<(String, String)>,
    /// Events that are not sent to the callbacks yet.
    pub(super) outbox: Vec<Event>,
    /// The number of calls by each caller.
    pub(super) usage: Usage,
    /// Since when deliveries to an app fail for a Page.
    pub(super) failing_since: BTreeMap<(String, String), jiff::Timestamp>,
    /// Faults to inject.
    pub faults: Vec<Fault>,
    /// The requests so far.
    pub journal: Journal,
    pub(super) index: Index,
}

/// The positions of items in the long lists.
#[derive(Default)]
pub(super) struct Index {
    tokens: Places,
    page_tokens: Places,
    pages: Places,
    usernames: Places,
    pub people: Places,
    pub threads: Places,
}

/// Where an app receives its Pages' events (`/{app-id}/subscriptions`).
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The app.
    pub app_id: String,
    /// Usually `page`.
    pub object: String,
    /// The callback's address.
    pub callback_url: String,
    /// The token that the callback expects.
    pub verify_token: String,
    /// Whether events are sent there.
    pub active: bool,
    /// The fields.
    pub fields: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub name: String,
    /// Whether they have a role on the apps: only they can log in to one in Development mode.
    pub app_role: bool,
    /// The Pages that they have tasks on; `None`: all.
    pub pages: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
pub struct Page {
    pub id: String,
    /// The @username without `@`; not every Page has one.
    pub username: Option<String>,
    pub name: String,
    pub category: String,
    pub is_published: bool,
    /// The person's tasks on it.
    pub tasks: Vec<String>,
    /// Whether it has the new Pages experience: a person's token is then refused with another
    /// text.
    pub new_experience: bool,
    /// The fields of each subscribed app.
    pub subscribed: BTreeMap<String, Vec<String>>,
}

/// The permissions of every token here, unless a scenario says otherwise.
pub const SCOPES: [&str; 5] =
    ["pages_show_list", "pages_messaging", "pages_read_engagement", "pages_manage_metadata", "public_profile"];

/// A person's tasks on their own Page.
pub const TASKS: [&str; 6] = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"];

const DAY: i64 = 86_400;

impl World {
    /// The day, UTC.
    pub(super) fn today(&self) -> Date {
        self.clock.now().to_zoned(TimeZone::UTC).date()
    }

    /// The day, and the settings for versions.
    pub(super) fn day(&self) -> Day<'_> {
        Day { today: self.today(), rules: &self.rules }
    }

    /// One app, one person, and `pages` Pages that the app is subscribed to, each with a token
    /// that does not expire and a person who has just written to it. The app has no callback
    /// yet.
    pub fn with_pages(pages: usize, clock: Clock) -> Self {
        Self::with_apps(vec![App::default()], pages, clock)
    }

    /// The same with these apps; the first one has the tokens. There must be one.
    pub(super) fn with_apps(apps: Vec<App>, pages: usize, clock: Clock) -> Self {
        let now = clock.unix_seconds();
        let user = User { id: "10150000000000001".into(), name: "Ada Example".into(), app_role: true, pages: None };
        let mut world = Self {
            clock,
            tokens: vec![Token {
                value: value_for("user"),
                kind: TokenKind::User,
                app_id: apps[0].id.clone(),
                user_id: user.id.clone(),
                scopes: SCOPES.map(str::to_owned).to_vec(),
                targets: None,
                issued_at: now,
                expires_at: now + 60 * DAY,
                data_access_expires_at: now + 90 * DAY,
                state: TokenState::Valid,
                app_role: true,
                origin: Origin::Given,
            }],
            apps,
            users: vec![user],
            businesses: vec![Business::default()],
            ..Self::default()
        };
        for number in 1..=pages {
            world.add_page(number);
        }
        world
    }

    /// The world of `sandbox start` and the demo.
    pub fn new(clock: Clock) -> Self {
        Self::with_pages(1, clock)
    }

    fn add_page(&mut self, number: usize) {
        let numbered =
            |text: &str, between: &str| if number == 1 { text.into() } else { format!("{text}{between}{number}") };
        let page = Page {
            id: (109_876_543_210_986 + number as u64).to_string(),
            username: Some(numbered("acme.support", ".")),
            name: numbered("Acme Support", " "),
            category: "Pet Service".into(),
            is_published: true,
            tasks: TASKS.map(str::to_owned).to_vec(),
            new_experience: false,
            subscribed: BTreeMap::from([(
                self.apps[0].id.clone(),
                vec!["messages".into(), "messaging_postbacks".into()],
            )]),
        };
        self.tokens.push(Token {
            value: value_for(&format!("page {}", page.id)),
            kind: TokenKind::Page(page.id.clone()),
            targets: Some(vec![page.id.clone()]),
            expires_at: 0,
            ..self.tokens[0].clone()
        });
        self.pages.push(page);
        self.add_person(number - 1);
    }

    /// Adds a person with a role on the app who has just written to a Page.
    pub(super) fn add_person(&mut self, page: usize) {
        let name = if page == 0 { "Jane Doe".to_owned() } else { format!("Jane Doe {}", page + 1) };
        let mut person = Person::new(&self.pages[page].id, &name);
        person.has_role = true;
        person.wrote_at = Some(self.clock.now());
        self.greet(person);
    }

    /// Adds a person, with their message if they wrote one.
    pub(super) fn greet(&mut self, person: Person) {
        if let Some(at) = person.wrote_at {
            self.thread_mut(&person.page_id, &person.psid).messages.push(Message::new(at, false, "Hello"));
        }
        self.people.push(person);
    }

    /// Saves an attachment for later; returns its id.
    pub(super) fn keep_attachment(&mut self, page_id: &str) -> String {
        let id = digits(&format!("attachment {page_id} {}", self.attachments.len()), 16);
        self.attachments.push((page_id.into(), id.clone()));
        id
    }

    /// Whether the app can message a person.
    pub(super) fn may_be_messaged(&self, person: &Person) -> bool {
        person.has_role || self.rules.access == Access::Advanced
    }

    /// A token by its value.
    pub(super) fn token(&self, value: &str) -> Option<&Token> {
        let at = self.index.tokens.find(&self.tokens, value, |token| Some(Cow::Borrowed(&token.value)))?;
        self.tokens.get(at)
    }

    /// The same, fast for unknown tokens: one that was changed in place is found only once it
    /// was used.
    pub(super) fn known_token(&self, value: &str) -> Option<&Token> {
        let at = self.index.tokens.known(&self.tokens, value, |token| Some(Cow::Borrowed(&token.value)))?;
        self.tokens.get(at)
    }

    /// The permanent token of a Page.
    pub fn page_token(&self, page_id: &str) -> Option<&Token> {
        self.tokens.get(self.place_of_page_token(page_id)?)
    }

    /// The same, to change it.
    pub fn page_token_mut(&mut self, page_id: &str) -> Option<&mut Token> {
        let at = self.place_of_page_token(page_id)?;
        self.tokens.get_mut(at)
    }

    fn place_of_page_token(&self, page_id: &str) -> Option<usize> {
        self.index.page_tokens.find(&self.tokens, page_id, |token| token.page().map(Cow::Borrowed))
    }

    /// The person's token.
    pub fn user_token(&self) -> Option<&Token> {
        self.tokens.iter().find(|token| token.kind == TokenKind::User)
    }

    /// A Page by id or username.
    pub fn page(&self, node: &str) -> Option<&Page> {
        let canonical = |text: &str| text.to_lowercase().replace('.', "");
        let at = self.place_of_page(node).or_else(|| {
            self.index.usernames.find(&self.pages, &canonical(node), |page| {
                page.username.as_ref().map(|name| Cow::Owned(canonical(name)))
            })
        })?;
        self.pages.get(at)
    }

    /// A Page by id, to change it.
    pub(super) fn page_mut(&mut self, id: &str) -> Option<&mut Page> {
        let at = self.place_of_page(id)?;
        self.pages.get_mut(at)
    }

    fn place_of_page(&self, id: &str) -> Option<usize> {
        self.index.pages.find(&self.pages, id, |page| Some(Cow::Borrowed(&page.id)))
    }

    /// A person by id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// An app by id.
    pub fn app(&self, id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// The fault for this call, if any; counts it down.
    pub(super) fn take_fault(&mut self, call: &Call) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| fault.meets(&call.method, &call.path()))?;
        let fault = self.faults[at].clone();
        match &mut self.faults[at].times {
            Some(1) => drop(self.faults.remove(at)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }

    /// Logs a call; tokens are described, not shown.
    pub(super) fn note(&mut self, call: &Call, answer: Option<&Answer>, trace: &Trace) {
        let entry = super::journal::entry(self, call, answer, &trace.id);
        self.journal.add(entry);
    }
}
