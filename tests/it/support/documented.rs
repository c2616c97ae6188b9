//! The README as what it promises: its sections, their blocks, and the world in which
//! its file of accounts is true.

use granit_parser::{Event, Parser};
use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};
use serde_json::{Map, Value};

use super::Hook;

/// The callback of the README's file; nobody asks it in a test.
pub const CALLBACK_URL: &str = "https://acme.brightpattern.com/messenger";

const VERIFY_TOKEN: &str = "verify-0123456789-abcdef";

/// A section of the README.
#[track_caller]
pub fn section(heading: &str) -> String {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading:?}"));
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The blocks of that language in a section; there has to be one.
#[track_caller]
pub fn blocks(section: &str, language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    let all = section.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let all: Vec<String> = all.collect();
    assert!(!all.is_empty(), "no block of {language} in:\n{section}");
    all
}

/// A YAML text as a tree, every scalar as text: what the parser of manifests makes of it,
/// without a manifest's rules.
#[track_caller]
pub fn yaml(text: &str) -> Value {
    let events = Parser::new_from_str(text).map(|event| event.unwrap_or_else(|error| panic!("{error} in:\n{text}")).0);
    let mut events = events.skip_while(|event| !matches!(event, Event::DocumentStart(..))).skip(1);
    let first = events.next().unwrap();
    node(first, &mut events)
}

fn node<'t>(first: Event<'t>, events: &mut impl Iterator<Item = Event<'t>>) -> Value {
    match first {
        Event::Scalar(text, ..) => Value::from(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            loop {
                match events.next().unwrap() {
                    Event::SequenceEnd => return Value::from(list),
                    event => list.push(node(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match events.next().unwrap() {
                    Event::MappingEnd => return Value::from(map),
                    key => {
                        let key = node(key, events).as_str().unwrap().to_owned();
                        let value = events.next().unwrap();
                        assert!(map.insert(key.clone(), node(value, events)).is_none(), "{key} is there twice");
                    }
                }
            }
        }
        other => panic!("{other:?} has no place in a recipe"),
    }
}

/// A sandbox with the Pages of the README's file of accounts, which nobody has subscribed
/// yet, the file itself, and the secrets that it names.
pub struct Documented {
    pub sandbox: InProcess,
    pub hook: Hook,
    /// The file, with a callback that answers here.
    pub manifest: String,
    /// The variables that it refers to, and what they hold.
    pub secrets: Vec<(&'static str, String)>,
}

impl Documented {
    pub fn start() -> Self {
        let hook = Hook::start();
        let mut world = World::with_pages(2, Clock::system());
        world.pages[1].name = "Acme Sales".into();
        world.pages[1].username = Some("acme.sales".into());
        for page in &mut world.pages {
            page.subscribed.clear();
        }
        let token = |page: usize| world.page_token(&world.pages[page].id).unwrap().value.clone();
        let secrets = vec![
            ("ACME_APP_SECRET", world.apps[0].secret.clone()),
            ("ACME_VERIFY_TOKEN", VERIFY_TOKEN.to_owned()),
            ("ACME_SUPPORT_TOKEN", token(0)),
            ("ACME_SALES_TOKEN", token(1)),
        ];
        let file = blocks(&section("Plan and apply"), "yaml").swap_remove(0);
        assert!(file.contains(CALLBACK_URL), "{file}");
        for (name, _) in &secrets {
            assert!(file.contains(&format!("{{env: {name}}}")), "{name} is not referred to in:\n{file}");
        }
        let manifest = file.replace(CALLBACK_URL, &hook.url);
        Self { sandbox: InProcess::start(world).unwrap(), hook, manifest, secrets }
    }

    /// What was written at Meta so far, in the order in which it came.
    pub fn writes(&self) -> Vec<String> {
        let world = self.sandbox.world();
        // The envelope of a batch is itself posted; what is in it has entries of its own.
        let written = world.journal.entries().iter().filter(|call| call.method != "GET" && call.path != "/v26.0/");
        written.map(|call| format!("{} {}", call.method, call.path)).collect()
    }

    /// How many calls Meta had so far.
    pub fn calls(&self) -> usize {
        self.sandbox.world().journal.entries().len()
    }

    /// Asserts that a text has none of the secrets in it.
    #[track_caller]
    pub fn is_silent(&self, text: &str) {
        for (name, value) in &self.secrets {
            assert!(!text.contains(value.as_str()), "the value of {name} is in:\n{text}");
        }
    }
}
