//! `msgrctl sandbox say`: a person writes to a Page of a running sandbox.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::ask;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::files;
use crate::http::{Body, Method, Request, header};
use crate::sandbox::{Attachment, Location, SAY_PATH, Said, Say};
use crate::text::sentence;

/// Write to a Page of a running sandbox, as one of its people
///
/// The signed event goes to the app's callback if both the app
/// (/{app-id}/subscriptions) and the Page (/{page}/subscribed_apps) subscribe to it. Exits
/// with 0 if the callback accepted it, with 1 if it did not or there is none. Finds the
/// sandbox through --graph-url (MSGRCTL_GRAPH_URL).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl sandbox say 'Hello, where is my parcel?'
  msgrctl sandbox say --page acme.support --from 'Jane Doe' Hello --json
  msgrctl sandbox say --postback GET_STARTED --title 'Get started'
  msgrctl sandbox say --image https://example.com/cat.jpg 'Look at this'")]
pub struct SayArgs {
    /// The message; with --edit the new text
    text: Option<String>,
    /// The Page's id or username; not needed if there is only one or --from names it
    #[arg(long, value_name = "PAGE")]
    page: Option<String>,
    /// The sender's name or PSID; a new name is a new person
    #[arg(long, value_name = "PERSON")]
    from: Option<String>,
    #[command(flatten)]
    message: MessageArgs,
    #[command(flatten)]
    event: EventArgs,
    #[command(flatten)]
    details: EventDetails,
    /// Send it as Meta sends to an app that only listens (standby)
    #[arg(long)]
    standby: bool,
}

/// The parts of a message besides its text.
#[derive(Debug, Args)]
#[group(multiple = true)]
struct MessageArgs {
    /// Attach an image
    #[arg(long, value_name = "URL", conflicts_with = "EventArgs")]
    image: Vec<String>,
    /// Attach something else: video:URL, audio:URL, file:URL
    #[arg(long, value_name = "TYPE:URL", value_parser = attachment, conflicts_with = "EventArgs")]
    attachment: Vec<Attachment>,
    /// Send a sticker: its id
    #[arg(long, value_name = "ID", conflicts_with = "EventArgs")]
    sticker: Option<u64>,
    /// Attach a location
    #[arg(long, value_name = "LAT,LONG", value_parser = location, allow_hyphen_values = true, conflicts_with = "EventArgs")]
    location: Option<Location>,
    /// Choose a quick reply: its payload
    #[arg(long, value_name = "PAYLOAD", conflicts_with = "EventArgs")]
    quick_reply: Option<String>,
    /// Reply to this message
    #[arg(long, value_name = "MID", conflicts_with = "EventArgs")]
    reply_to: Option<String>,
}

/// Events that are not messages.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct EventArgs {
    /// Press a button: its payload
    #[arg(long, value_name = "PAYLOAD")]
    postback: Option<String>,
    /// React to a message with an emoji; '' removes the reaction
    #[arg(long, value_name = "EMOJI")]
    reaction: Option<String>,
    /// Edit a message
    #[arg(long, value_name = "MID", requires = "text")]
    edit: Option<String>,
    /// Unsend a message
    #[arg(long, value_name = "MID")]
    delete: Option<String>,
    /// Read the Page's messages
    #[arg(long)]
    read: bool,
    /// Follow a link to the Page: its ref
    #[arg(long, value_name = "REF")]
    referral: Option<String>,
    /// Click a plugin: its ref
    #[arg(long, value_name = "REF")]
    optin: Option<String>,
    /// Link an account: the authorization code; '' unlinks it
    #[arg(long, value_name = "CODE")]
    account_linking: Option<String>,
    /// Meta blocks the app on this Page
    #[arg(long)]
    policy_enforcement: bool,
    /// Pass (to the app), take (from it) or request the thread
    #[arg(long, value_name = "HOW", value_parser = ["pass", "take", "request"])]
    thread_control: Option<String>,
    /// Send your own event: an object as in the array messaging
    #[arg(long, value_name = "FILE")]
    raw: Option<PathBuf>,
}

impl EventArgs {
    fn takes_no_text(&self) -> bool {
        let texts = [
            &self.postback,
            &self.reaction,
            &self.delete,
            &self.referral,
            &self.optin,
            &self.account_linking,
            &self.thread_control,
        ];
        texts.iter().any(|given| given.is_some()) || self.read || self.policy_enforcement || self.raw.is_some()
    }
}

#[derive(Debug, Args)]
#[group(multiple = true)]
struct EventDetails {
    /// The title of the button
    #[arg(long, value_name = "TITLE", requires = "postback")]
    title: Option<String>,
    /// The message to react to [default: the last one of the Page]
    #[arg(long, value_name = "MID", requires = "reaction")]
    mid: Option<String>,
}

pub fn run(args: SayArgs, ctx: &Context) -> Result<u8, CliError> {
    let say = say(args)?;
    let bytes = serde_json::to_vec(&say).map_err(|error| CliError::failed(error.to_string()))?;
    let said: Said = ask(ctx, |base| Request {
        method: Method::POST,
        headers: vec![(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"))],
        body: Body::Raw(bytes),
        ..Request::get(base.plain(SAY_PATH))
    })?;
    if ctx.output.json {
        ctx.output.json(&said);
        return Ok(u8::from(!said.delivered));
    }
    match (&said.callback_url, said.status, &said.reason) {
        (Some(url), Some(status), None) => ctx.output.result(&sentence(&format!("delivered to {url} {status}"))),
        (Some(url), _, reason) => {
            let reason = reason.as_deref().unwrap_or("no answer");
            ctx.output.result(&sentence(&format!("not delivered to {url}: {reason}")));
            if said.tried_again {
                ctx.output.notice("the sandbox sends it three more times; to see the result: msgrctl sandbox calls");
            }
        }
        (None, _, reason) => {
            ctx.output.result(&sentence(&format!(
                "not delivered: {}",
                reason.as_deref().unwrap_or("no receiver is subscribed")
            )));
            ctx.output.notice("to subscribe the app and the Page: msgrctl webhook subscribe NAME (with --fields FIELD for one that is not a default)");
        }
    }
    if let Some(mid) = &said.mid {
        ctx.output.notice(&sentence(&format!("message {mid} of {}", said.psid)));
    }
    Ok(u8::from(!said.delivered))
}

fn say(args: SayArgs) -> Result<Say, CliError> {
    let SayArgs { text, page, from, message, event, details, standby } = args;
    if text.is_some() && event.takes_no_text() {
        return Err(CliError::usage("a text is only for a message, and this event is not one"));
    }
    let raw = event.raw.map(|path| raw(&path)).transpose()?;
    let images = message.image.into_iter().map(|url| Attachment { kind: "image".into(), url });
    Ok(Say {
        page,
        from,
        text,
        quick_reply: message.quick_reply,
        reply_to: message.reply_to,
        attachments: images.chain(message.attachment).collect(),
        sticker: message.sticker,
        location: message.location,
        postback: event.postback,
        title: details.title,
        reaction: event.reaction,
        mid: details.mid,
        edit: event.edit,
        delete: event.delete,
        read: event.read,
        referral: event.referral,
        optin: event.optin,
        account_linking: event.account_linking,
        policy_enforcement: event.policy_enforcement,
        thread_control: event.thread_control,
        standby,
        raw,
    })
}

fn raw(path: &std::path::Path) -> Result<Value, CliError> {
    const LIMIT: u64 = 4 * 1024 * 1024;
    let text = files::read_given_text(path, LIMIT).map_err(|error| CliError::of_given(&error))?;
    serde_json::from_str(&text).map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
}

fn attachment(text: &str) -> Result<Attachment, String> {
    let (kind, url) = text
        .split_once(':')
        .filter(|(kind, _)| ["image", "video", "audio", "file"].contains(kind))
        .ok_or("it must begin with its kind: video:https://example.com/a.mp4 (image, video, audio or file)")?;
    Ok(Attachment { kind: kind.into(), url: url.into() })
}

fn location(text: &str) -> Result<Location, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let read = || {
        let (lat, long) = text.split_once(',')?;
        Some(Location { lat: number(lat)?, long: number(long)? })
    };
    read().ok_or_else(|| "expected degrees north and east: 52.52,13.405".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_attachments_are_read() {
        assert!(location("52.52, -13.4").is_ok_and(|place| place.long < -13.0));
        assert!(location("here").is_err() && location("1,NaN").is_err());
        assert!(attachment("video:https://example.com/a.mp4").is_ok_and(|sent| sent.url.starts_with("https:")));
        assert!(attachment("https://example.com/a.mp4").is_err());
    }
}
