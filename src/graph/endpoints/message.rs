//! `POST /{page-id}/messages`: the Send API; and who writes
//! (graph/FACTS.md, "Sending a message" and "Conversations").

use serde::Deserialize;
use serde_json::json;

use super::PageAccess;
use crate::graph::{Answer, Client, GraphError, GraphRequest, Verb, lenient};

/// Why a message may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An answer within 24 hours of the customer's last message.
    Response,
    /// An answer of a person, within 7 days: the tag `HUMAN_AGENT`.
    HumanAgent,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sent {
    /// Whom it went to; absent for recipients that are no PSID.
    #[serde(default, deserialize_with = "lenient::text")]
    pub recipient_id: Option<String>,
    /// Its name in later events: `m_…`. Absent: it was taken all the same.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message_id: Option<String>,
}

/// Sends a text to the person with this page-scoped id. Meta refuses one outside of
/// the 24-hour window (10/2018278), to nobody of this Page's (100/2018001), and one
/// over 2000 characters (100).
pub async fn send_text(
    client: &Client,
    page: PageAccess<'_>,
    psid: &str,
    text: &str,
    reason: Reason,
) -> Result<Answer<Sent>, GraphError> {
    let mut request = page.read("messages").verb(Verb::Act).with("recipient", json!({ "id": psid }).to_string());
    request = match reason {
        Reason::Response => request.with("messaging_type", "RESPONSE"),
        Reason::HumanAgent => request.with("messaging_type", "MESSAGE_TAG").with("tag", "HUMAN_AGENT"),
    };
    client.call(&request.with("message", json!({ "text": text }).to_string())).await
}

/// A person who writes to a Page. What the app may not see is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Profile {
    /// The first name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub last_name: Option<String>,
}

impl Profile {
    /// Both names, or the one there is.
    pub fn name(&self) -> Option<String> {
        let names: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// Who the person with this page-scoped id is.
pub async fn profile(client: &Client, page: PageAccess<'_>, psid: &str) -> Result<Answer<Profile>, GraphError> {
    client.call(&GraphRequest::read(format!("/{psid}"), page.token, page.app).fields("first_name,last_name")).await
}
