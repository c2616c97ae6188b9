//! What Meta sends to a callback: an envelope of entries, each with events
//! (webhook/FACTS.md, "Events").
//!
//! Meta adds fields and kinds without notice, and old ones vary in shape. So no field is
//! required: a known event gets its [`Kind`], an unknown one is kept as it came.

mod reading;

use serde_json::Value;

pub use reading::events;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The kind of object: `page`, `instagram`, `user`, `application`; empty where Meta does not
    /// say.
    pub object: String,
    /// `entry.id`: the id of the Page or other object.
    pub page_id: String,
    /// The sender: a customer's page-scoped id, or the Page's own in an echo.
    pub sender: Option<String>,
    pub recipient: Option<String>,
    /// In milliseconds since 1970; deliveries have the entry's time.
    pub timestamp: Option<i64>,
    /// The id of the message that it is about, wherever Meta puts it.
    pub mid: Option<String>,
    /// The message's text, its edited text, or the button's text.
    pub text: Option<String>,
    /// Another app has the conversation; this app only listens.
    pub standby: bool,
    /// Sent by the Test button of Meta's dashboard, not by a customer.
    pub is_test: bool,
    pub kind: Kind,
    /// As it came.
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A message from a customer, or in an echo from the Page.
    Message(Message),
    /// A tap on a button or the menu. The bot that offered it chose the payload.
    Postback { payload: Option<String> },
    /// The Page's messages arrived: all up to a time in milliseconds since 1970. The ids may be
    /// absent.
    Delivery { mids: Vec<String>, watermark: i64 },
    /// The customer has read everything up to a time in milliseconds since 1970.
    Read(i64),
    /// A reaction to a message (`react`), or its removal (`unreact`).
    Reaction { action: String, emoji: Option<String> },
    /// A message was edited.
    Edit,
    /// The customer agreed to receive messages.
    Optin(Value),
    /// The customer came from a link or an advertisement (`SHORTLINK`, `ADS`, …).
    Referral { reference: Option<String>, source: Option<String> },
    /// An account was `linked` or `unlinked`.
    AccountLinking(String),
    /// A measure of Meta against the Page: `block`, `warning`, `unblock`.
    PolicyEnforcement { action: String, reason: Option<String> },
    /// The conversation changed hands between apps: `pass_thread_control`,
    /// `take_thread_control`, `request_thread_control`, `app_roles`.
    Handover { what: &'static str, details: Value },
    /// Another event of a conversation, by key: `order`, `game_play`, `messaging_feedback`, …
    Other(String),
    /// An event outside conversations: `feed`, `leadgen`, `business_integration_uninstall`, …
    Change(String),
    /// An unknown event.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its id; the same in every delivery.
    pub mid: Option<String>,
    pub text: Option<String>,
    pub attachments: Vec<Attachment>,
    /// The payload of the quick reply that was tapped, which the bot that offered it chose.
    pub quick_reply: Option<String>,
    pub is_echo: bool,
    /// The customer deleted it.
    pub is_deleted: bool,
    /// Of a kind that Meta does not forward.
    pub is_unsupported: bool,
}

/// Content other than text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attachment {
    /// `image`, `video`, `audio`, `file`, `location`, `fallback`, `template`, `sticker`,
    /// `post`, `reel`, …; `image_grid` of a template of that kind.
    pub kind: String,
    /// The title of a link, a post or a template.
    pub title: Option<String>,
    /// Where to view it; for an image grid, the first image.
    pub url: Option<String>,
    pub sticker_id: Option<String>,
    /// The number of images in a grid.
    pub images: usize,
    /// Latitude and longitude of a location.
    pub coordinates: Option<(String, String)>,
}

impl Event {
    /// A name by which repeated deliveries are recognised: kind and message id. `None` for
    /// events without a message id, which cannot be told apart. Events of the Test button always
    /// have the same name.
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

    /// The customer: the sender, or the recipient of what the Page sent.
    pub fn customer(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message(message) if message.is_echo => self.recipient.as_deref(),
            _ => self.sender.as_deref(),
        }
    }

    /// Whether its object is a channel's, and not another product's of the same app.
    pub fn is_of(&self, object: &str) -> bool {
        self.object == object && !self.is_test
    }
}
