//! `POST /{page-id}/messages`, the Send API; and customers' names (graph/FACTS.md, "Sending a
//! message" and "Conversations").

use serde::Deserialize;
use serde_json::json;

use super::PageAccess;
use crate::graph::{Answer, Client, GraphError, GraphRequest, Verb, lenient};

/// Why a message may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An answer within 24 hours of the customer's last message.
    Response,
    /// A person's answer, within 7 days: the tag `HUMAN_AGENT`.
    HumanAgent,
}

/// A message that Meta accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Sent {
    /// The recipient; absent unless it was named by PSID.
    #[serde(default, deserialize_with = "lenient::text")]
    pub recipient_id: Option<String>,
    /// Its id in later events: `m_…`. Meta may accept a message without returning one.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message_id: Option<String>,
}

/// Sends a text to the person with this page-scoped id. Meta refuses it outside the 24-hour
/// window (10/2018278), for a person who is not this Page's (100/2018001), and over 2000
/// characters (100).
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

/// A person who writes to a Page. Fields that the app may not see are absent.
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
    /// First and last name, or the one that is known.
    pub fn name(&self) -> Option<String> {
        let names: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// Looks up the person with this page-scoped id.
pub async fn profile(client: &Client, page: PageAccess<'_>, psid: &str) -> Result<Answer<Profile>, GraphError> {
    client.call(&GraphRequest::read(format!("/{psid}"), page.token, page.app).fields("first_name,last_name")).await
}
