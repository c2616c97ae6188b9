//! People's actions at a Page, for trying a callback: `sandbox say`.

mod act;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delivery;
use super::people::Person;
use super::shared::SharedWorld;
use super::world::World;

pub(super) use act::{INBOX_APP, read};

/// A person's action at a Page. Without any action it is a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Say {
    /// The Page's id or username. Default: the only Page, or the person's.
    pub page: Option<String>,
    /// A PSID or a name; an unknown name is a new person. Default: the first person of the Page.
    pub from: Option<String>,
    /// The text of the message, or the new text of an edited one.
    pub text: Option<String>,
    /// The payload of the chosen quick reply.
    pub quick_reply: Option<String>,
    /// The message that this one answers.
    pub reply_to: Option<String>,
    /// The attachments.
    pub attachments: Vec<Attachment>,
    /// The id of a sticker.
    pub sticker: Option<u64>,
    /// A place.
    pub location: Option<Location>,
    /// The payload of a pressed button.
    pub postback: Option<String>,
    /// The button's title.
    pub title: Option<String>,
    /// An emoji for the message `mid`; empty removes the reaction.
    pub reaction: Option<String>,
    /// The message that `reaction` is for. Default: the Page's last one.
    pub mid: Option<String>,
    /// The message to edit; its new text is `text`.
    pub edit: Option<String>,
    /// The message to delete.
    pub delete: Option<String>,
    /// The person reads everything.
    pub read: bool,
    /// The `ref` of a followed link.
    pub referral: Option<String>,
    /// The `ref` of a clicked plugin.
    pub optin: Option<String>,
    /// The code of a linked account; empty: it was unlinked.
    pub account_linking: Option<String>,
    /// Meta blocks the app on this Page.
    pub policy_enforcement: bool,
    /// `pass`, `take` or `request`: the thread changes hands.
    pub thread_control: Option<String>,
    /// Send the event as to an app that only listens.
    pub standby: bool,
    /// A literal object of `messaging`; sender, recipient and time are filled in.
    pub raw: Option<Value>,
}

/// An attachment of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its address.
    pub url: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub long: f64,
}

/// The result of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub schema_version: u8,
    /// The message concerned, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    pub psid: String,
    /// Whether a callback accepted it at the first try.
    pub delivered: bool,
    /// Where it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The callback's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default)]
    pub tried_again: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How long to wait for the end of the first try: longer than a callback may take, but not for
/// all the retries before it.
const PATIENCE: Duration = Duration::from_secs(8);

/// Makes the action, sends the event, and waits for the end of its first try.
pub(super) async fn say(world: &SharedWorld, say: &Say) -> Result<Said, String> {
    let (mut said, first_try) = {
        let mut held = world.lock();
        let page_id = page(&held, say.page.as_deref(), say.from.as_deref())?;
        let psid = person(&mut held, &page_id, say.from.as_deref())?;
        let (mid, mut event) = act::act(&mut held, &page_id, &psid, say)?;
        event.standby = say.standby;
        let said = Said { schema_version: 1, mid, psid, ..Said::default() };
        match delivery::parcels(&held, &event) {
            Ok(mut parcels) => {
                let first_try = parcels.first_mut().map(delivery::Parcel::watched);
                // Under the world's lock, so that events keep their order.
                world.dispatch(&mut held, parcels);
                (said, first_try)
            }
            Err(reason) => {
                delivery::note_unheard(&mut held, &event, &reason);
                (Said { reason: Some(reason), ..said }, None)
            }
        }
    };
    let Some(first_try) = first_try else { return Ok(said) };
    let Ok(first_try) = tokio::time::timeout(PATIENCE, first_try).await else {
        said.reason = Some("the events before it are not delivered yet".into());
        return Ok(said);
    };
    if let Ok(tried) = first_try {
        said.delivered = tried.result == Ok(200);
        said.callback_url = Some(tried.callback_url);
        said.tried_again = tried.sent && !said.delivered;
        match tried.result {
            Err(reason) if !tried.sent => said.reason = Some(reason),
            Ok(200) => said.status = Some(200),
            Ok(status) => {
                said.status = Some(status);
                said.reason = Some(format!("the callback answered {status} where 200 is expected"));
            }
            Err(fault) => said.reason = Some(format!("the callback cannot be reached: {fault}")),
        }
    }
    Ok(said)
}

/// The named Page, the only one, or the one that the named person writes to.
fn page(world: &World, named: Option<&str>, from: Option<&str>) -> Result<String, String> {
    if let Some(named) = named {
        let page = world.page(named.trim_start_matches('@'));
        return page.map(|page| page.id.clone()).ok_or_else(|| format!("there is no Page '{named}' here"));
    }
    if let [only] = world.pages.as_slice() {
        return Ok(only.id.clone());
    }
    let count = world.pages.len();
    let Some(from) = from.map(str::trim) else {
        return Err(format!("there are {count} Pages here: name one with --page, or one of its people with --from"));
    };
    let mut of = world.pages.iter().filter(|page| world.person(&page.id, from).is_some());
    match (of.next(), of.count()) {
        (Some(page), 0) => Ok(page.id.clone()),
        (Some(_), more) => {
            Err(format!("'{from}' writes to {} of the {count} Pages here: name one with --page", more + 1))
        }
        (None, _) => Err(format!("there are {count} Pages here, and '{from}' is new to all: name one with --page")),
    }
}

fn person(world: &mut World, page_id: &str, from: Option<&str>) -> Result<String, String> {
    let Some(from) = from.map(str::trim) else {
        if let Some(first) = world.people.iter().find(|person| person.page_id == page_id) {
            return Ok(first.psid.clone());
        }
        return Ok(newcomer(world, page_id, "Jane Doe"));
    };
    if let Some(known) = world.person(page_id, from) {
        return Ok(known.psid.clone());
    }
    if from.is_empty() || from.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("no person at this Page has the PSID '{from}'"));
    }
    Ok(newcomer(world, page_id, from))
}

fn newcomer(world: &mut World, page_id: &str, name: &str) -> String {
    let person = Person::new(page_id, name);
    let psid = person.psid.clone();
    world.people.push(person);
    psid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_person_of_one_page_says_which_page_is_meant() {
        let mut world = World::with_pages(3, Clock::system());
        let (id, psid) = (world.pages[1].id.clone(), world.people[1].psid.clone());
        for from in [&*psid, "Jane Doe 2", " jane doe 2 "] {
            assert_eq!(page(&world, None, Some(from)).as_deref(), Ok(&*id), "{from}");
        }
        let first = world.pages[0].id.clone();
        assert_eq!(page(&world, Some(&first), Some(&psid)), Ok(first.clone()), "a Page that is named counts");
        world.people.push(Person::new(&first, "Jane Doe 2"));
        for (from, says) in [(None, "3 Pages"), (Some("Jane Doe 2"), "2 of the 3"), (Some("Jim"), "is new to all")] {
            let error = page(&world, None, from).expect_err("which one?");
            assert!(error.contains(says) && error.contains("--page"), "{error}");
        }
    }

    #[test]
    fn newcomers_have_names_and_no_numbers() {
        let mut world = World::new(Clock::system());
        let page_id = world.pages[0].id.clone();
        let known = person(&mut world, &page_id, Some("jane doe")).expect("Jane");
        assert_eq!(known, world.people[0].psid);
        let new = person(&mut world, &page_id, Some("John Roe")).expect("John");
        assert_eq!((world.people.len(), &world.people[1].psid), (2, &new));
        assert!(person(&mut world, &page_id, Some("1234567890123456")).is_err());
    }
}
