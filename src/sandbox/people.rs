//! The people who write to the Pages, and their conversations.

use std::borrow::Cow;

use jiff::Timestamp;
use rand::Rng as _;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::world::World;

/// A person who writes to a Page. The same human has another PSID at another Page.
#[derive(Clone, Debug)]
pub struct Person {
    /// 16 digits, valid only at this Page.
    pub psid: String,
    /// The Page.
    pub page_id: String,
    /// First and last name.
    pub name: String,
    /// Whether the person is an admin, developer or tester of the app.
    pub has_role: bool,
    /// When the person last did something that opens the 24-hour window.
    pub wrote_at: Option<Timestamp>,
    /// Whether the person has blocked the Page.
    pub blocked: bool,
}

/// The conversation between a Page and a person.
#[derive(Clone, Debug)]
pub struct Thread {
    /// `t_` and digits.
    pub id: String,
    pub page_id: String,
    pub psid: String,
    /// The app that has the thread; `None`: every app may write.
    pub owner: Option<String>,
    /// Oldest first.
    pub messages: Vec<Message>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// `m_` and 80 characters.
    pub mid: String,
    pub at: Timestamp,
    /// Whether the Page sent it, not the person.
    pub from_page: bool,
    /// Its text; empty where it has none.
    pub text: String,
    /// Attachments in the form of events: `{"type", "payload"}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Value>,
    pub edits: u32,
    /// Whether its sender deleted it.
    pub deleted: bool,
    /// Whether the other side has seen it.
    pub read: bool,
}

/// A name and a picture under which a Page writes.
#[derive(Clone, Debug)]
pub struct Persona {
    pub id: String,
    pub page_id: String,
    pub name: String,
    pub profile_picture_url: String,
}

impl Person {
    /// A person of a Page; the same name always has the same PSID.
    pub fn new(page_id: &str, name: &str) -> Self {
        Self {
            psid: digits(&format!("person {page_id} {name}"), 16),
            page_id: page_id.into(),
            name: name.into(),
            has_role: false,
            wrote_at: None,
            blocked: false,
        }
    }
}

impl Message {
    pub(super) fn new(at: Timestamp, from_page: bool, text: &str) -> Self {
        Self {
            mid: new_mid(),
            at,
            from_page,
            text: text.into(),
            attachments: Vec::new(),
            edits: 0,
            deleted: false,
            read: false,
        }
    }

    /// Its text, if it has one.
    pub(super) fn given_text(&self) -> Option<&str> {
        Some(self.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Its attachments, if it has any.
    pub(super) fn given_attachments(&self) -> Option<&[Value]> {
        Some(self.attachments.as_slice()).filter(|attachments| !attachments.is_empty())
    }
}

/// A message id: 80 letters of URL-safe base64.
pub(super) fn new_mid() -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 80];
    rand::rng().fill_bytes(&mut bytes);
    let mut mid = String::from("m_");
    mid.extend(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])));
    mid
}

/// `length` digits from a text's hash, the first one not 0.
pub(super) fn digits(of: &str, length: usize) -> String {
    let hash = Sha256::digest(of.as_bytes());
    let digit = |(at, byte): (usize, u8)| char::from(b'0' + if at == 0 { 1 + byte % 9 } else { byte % 10 });
    hash.into_iter().enumerate().map(digit).take(length).collect()
}

impl World {
    /// A person of a Page by PSID or name.
    pub fn person(&self, page_id: &str, from: &str) -> Option<&Person> {
        let mut own = self.people.iter().filter(|person| person.page_id == page_id);
        self.person_by_psid(page_id, from).or_else(|| own.find(|person| same_name(&person.name, from)))
    }

    /// A person of a Page by PSID.
    pub(super) fn person_by_psid(&self, page_id: &str, psid: &str) -> Option<&Person> {
        self.people.get(self.place_of_person(page_id, psid)?)
    }

    fn place_of_person(&self, page_id: &str, psid: &str) -> Option<usize> {
        let key = pair(page_id, psid);
        self.index.people.known(&self.people, &key, |one| Some(Cow::Owned(pair(&one.page_id, &one.psid))))
    }

    /// The same, to change it.
    pub fn person_mut(&mut self, page_id: &str, from: &str) -> Option<&mut Person> {
        let psid = self.person(page_id, from)?.psid.clone();
        let at = self.place_of_person(page_id, &psid)?;
        self.people.get_mut(at)
    }

    /// The conversation between a Page and a person, if there is one.
    pub fn thread(&self, page_id: &str, psid: &str) -> Option<&Thread> {
        self.threads.get(self.place_of_thread(page_id, psid)?)
    }

    fn place_of_thread(&self, page_id: &str, psid: &str) -> Option<usize> {
        let key = pair(page_id, psid);
        self.index.threads.known(&self.threads, &key, |one| Some(Cow::Owned(pair(&one.page_id, &one.psid))))
    }

    /// The same, created if needed.
    pub(super) fn thread_mut(&mut self, page_id: &str, psid: &str) -> &mut Thread {
        let at = self.place_of_thread(page_id, psid).unwrap_or_else(|| {
            let id = format!("t_{}", digits(&format!("thread {page_id} {psid}"), 17));
            let (page_id, psid) = (page_id.into(), psid.into());
            self.threads.push(Thread { id, page_id, psid, owner: None, messages: Vec::new() });
            self.threads.len() - 1
        });
        &mut self.threads[at]
    }
}

/// The key of a person or a thread.
fn pair(page_id: &str, psid: &str) -> String {
    format!("{page_id} {psid}")
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_another_psid_at_each_page() {
        let (one, again, other) = (Person::new("1", "Jane"), Person::new("1", "Jane"), Person::new("2", "Jane"));
        assert_eq!(one.psid, again.psid);
        assert_ne!(one.psid, other.psid);
        assert!(one.psid.len() == 16 && one.psid.bytes().all(|b| b.is_ascii_digit()) && !one.psid.starts_with('0'));
    }

    #[test]
    fn messages_are_named_as_metas_are() {
        assert_eq!(new_mid().len(), 82);
        assert!(new_mid().starts_with("m_"));
        assert_ne!(new_mid(), new_mid());
    }
}
