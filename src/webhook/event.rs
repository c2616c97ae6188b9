//! What Meta sends to a callback: an envelope of entries, each with events
//! (webhook/FACTS.md, "Events").
//!
//! Meta adds fields and kinds without notice, and old ones come in other shapes. So
//! nothing is required of an event: what is understood gets its [`Kind`], what is
//! not is kept as it came.

mod reading;

use serde_json::Value;

pub use reading::events;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What Meta tells of: `page`, `instagram`, `user`, `application`; empty where it does
    /// not say.
    pub object: String,
    /// `entry.id`: the Page, or whatever the object is.
    pub page_id: String,
    /// Who did it: a customer's page-scoped id, or the Page's own in an echo.
    pub sender: Option<String>,
    pub recipient: Option<String>,
    /// When, in milliseconds since 1970; deliveries have the entry's time.
    pub timestamp: Option<i64>,
    /// The name of the message that it is about, wherever that stands.
    pub mid: Option<String>,
    /// What was said, what it was changed to, or what stood on the button.
    pub text: Option<String>,
    /// Another app has the conversation, and this one only listens.
    pub standby: bool,
    /// It is of the Test button of Meta's dashboard: no customer is behind it.
    pub is_test: bool,
    pub kind: Kind,
    /// As it came.
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A customer, or in an echo the Page, said something.
    Message(Message),
    /// A tap on a button or the menu: what the bot that offered it made of it.
    Postback { payload: Option<String> },
    /// The Page's messages arrived: all up to a moment, in milliseconds since 1970. Which may
    /// be left out.
    Delivery { mids: Vec<String>, watermark: i64 },
    /// The customer has read up to a moment, in milliseconds since 1970.
    Read(i64),
    /// A reaction to a message (`react`), or one taken back (`unreact`).
    Reaction { action: String, emoji: Option<String> },
    /// A message's text is another now.
    Edit,
    /// The customer agreed to be written to.
    Optin(Value),
    /// The customer came over a link or an advertisement (`SHORTLINK`, `ADS`, …).
    Referral { reference: Option<String>, source: Option<String> },
    /// An account was `linked` or `unlinked`.
    AccountLinking(String),
    /// What Meta does to the Page: `block`, `warning`, `unblock`.
    PolicyEnforcement { action: String, reason: Option<String> },
    /// The conversation changed hands between apps: `pass_thread_control`,
    /// `take_thread_control`, `request_thread_control`, `app_roles`.
    Handover { what: &'static str, details: Value },
    /// Something else of a conversation, by its key: `order`, `game_play`, `messaging_feedback`, …
    Other(String),
    /// Something outside of conversations: `feed`, `leadgen`, `business_integration_uninstall`, …
    Change(String),
    /// Nothing that is known.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its name; the same at every delivery.
    pub mid: Option<String>,
    pub text: Option<String>,
    pub attachments: Vec<Attachment>,
    /// The payload of the quick reply that was tapped: what the bot that offered it made
    /// of it.
    pub quick_reply: Option<String>,
    pub is_echo: bool,
    /// The customer has taken it back.
    pub is_deleted: bool,
    /// Of a kind that Meta does not pass on.
    pub is_unsupported: bool,
}

/// Something beside a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, `location`, `fallback`, `template`, `sticker`,
    /// `post`, `reel`, …; `image_grid` of a template of that kind.
    pub kind: String,
    /// A title, of a link, a post or a template.
    pub title: Option<String>,
    /// Where it can be looked at; of an image grid the first image.
    pub url: Option<String>,
    pub sticker_id: Option<String>,
    /// How many images are in a grid.
    pub images: usize,
    /// Latitude and longitude of a location.
    pub coordinates: Option<(String, String)>,
}

impl Event {
    /// What tells a delivery of the same event again: kind and message. Events
    /// without a message's name cannot be told apart; those of the Test button have the
    /// same name each time.
    pub fn name(&self) -> Option<String> {
        let (kind, mid) = match &self.kind {
            _ if self.is_test => return None,
            Kind::Message(message) if message.is_deleted => ("deleted", message.mid.as_deref()),
            Kind::Message(message) if message.is_echo => ("echo", message.mid.as_deref()),
            Kind::Message(message) => ("message", message.mid.as_deref()),
            Kind::Postback { .. } => ("postback", self.mid.as_deref()),
            _ => return None,
        };
        let sender = self.sender.as_deref().unwrap_or_default();
        mid.filter(|mid| !mid.is_empty()).map(|mid| format!("{kind} {mid} {sender} {}", self.page_id))
    }

    /// The customer in it: the sender, but the recipient of what the Page sent.
    pub fn customer(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message(message) if message.is_echo => self.recipient.as_deref(),
            _ => self.sender.as_deref(),
        }
    }

    /// Whether it is of a channel, by its object, and not of another product of the same app.
    pub fn is_of(&self, object: &str) -> bool {
        self.object == object && !self.is_test
    }
}
