//! What people do at a Page, for whoever tries a callback: `sandbox say`.

mod act;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delivery;
use super::people::Person;
use super::shared::SharedWorld;
use super::world::World;

pub(super) use act::{INBOX_APP, read};

/// Something that a person does at a Page. Where it names nothing, it is a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Say {
    /// The Page's id or username; where there is one Page, it may be left out.
    pub page: Option<String>,
    /// A PSID or a name; a name that is not known is a new person. Left out: the
    /// first one of the Page.
    pub from: Option<String>,
    /// The text of the message, or what an edited one says now.
    pub text: Option<String>,
    /// The payload of the quick reply that was chosen.
    pub quick_reply: Option<String>,
    /// The message that this one answers.
    pub reply_to: Option<String>,
    /// What is sent along.
    pub attachments: Vec<Attachment>,
    /// The id of a sticker.
    pub sticker: Option<u64>,
    /// A place.
    pub location: Option<Location>,
    /// A button was pressed: its payload.
    pub postback: Option<String>,
    /// The button's title.
    pub title: Option<String>,
    /// An emoji on the message `mid`; empty: the reaction is taken back.
    pub reaction: Option<String>,
    /// The message that is meant by `reaction`; left out: the last one of the Page.
    pub mid: Option<String>,
    /// The message that now says `text`.
    pub edit: Option<String>,
    /// The message that is taken back.
    pub delete: Option<String>,
    /// Everything was read.
    pub read: bool,
    /// The `ref` of a link that was followed.
    pub referral: Option<String>,
    /// The `ref` of a plugin that was clicked.
    pub optin: Option<String>,
    /// The code of an account that was linked; empty: it was unlinked.
    pub account_linking: Option<String>,
    /// Meta blocks the app on this Page.
    pub policy_enforcement: bool,
    /// `pass`, `take` or `request`: who has the thread.
    pub thread_control: Option<String>,
    /// As an app hears of it that only listens.
    pub standby: bool,
    /// An object of `messaging`, as it stands; sender, recipient and time are filled in.
    pub raw: Option<Value>,
}

/// What is sent along with a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub url: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub long: f64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub schema_version: u8,
    /// The message, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    pub psid: String,
    /// Whether a callback took it at the first try.
    pub delivered: bool,
    /// Where it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// What the callback answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default)]
    pub tried_again: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How long the end of the first try is waited for: longer than a callback has, but
/// not for all that is tried again before it.
const PATIENCE: Duration = Duration::from_secs(8);

/// Carries it out, sends the event, and waits for the end of its first try.
pub(super) async fn say(world: &SharedWorld, say: &Say) -> Result<Said, String> {
    let (mut said, first_try) = {
        let mut held = world.lock();
        let page_id = page(&held, say.page.as_deref())?;
        let psid = person(&mut held, &page_id, say.from.as_deref())?;
        let (mid, mut event) = act::act(&mut held, &page_id, &psid, say)?;
        event.standby = say.standby;
        let said = Said { schema_version: 1, mid, psid, ..Said::default() };
        match delivery::parcels(&held, &event) {
            Ok(mut parcels) => {
                let first_try = parcels.first_mut().map(delivery::Parcel::watched);
                // Under the world's lock, so that what is said first goes first.
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

fn page(world: &World, named: Option<&str>) -> Result<String, String> {
    match (named, world.pages.as_slice()) {
        (Some(named), _) => world
            .page(named.trim_start_matches('@'))
            .map(|page| page.id.clone())
            .ok_or_else(|| format!("there is no Page '{named}' here")),
        (None, [only]) => Ok(only.id.clone()),
        (None, pages) => Err(format!("there are {} Pages here: say which one is meant", pages.len())),
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
