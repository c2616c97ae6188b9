//! How lines of the listener look on standard output: for a person, or as JSON Lines.

use serde_json::{Value, json};

use super::line::{clock, view, words};
use crate::clock::Clock;
use crate::json::without_nulls;
use crate::text::harmless;
use crate::ui::output::Output;
use crate::ui::style::{self, paint, wrap};
use crate::webhook::Event;

/// The width of the time and what parts it from the line.
const INDENT: usize = 10;

pub struct Screen<'a> {
    output: &'a Output,
    /// The one of everything that is shown, so that its times are in order.
    clock: Clock,
}

impl<'a> Screen<'a> {
    /// A screen for what this output shows; every line has the time of `clock`.
    pub fn new(output: &'a Output, clock: Clock) -> Self {
        Self { output, clock }
    }

    /// An event, as it came.
    pub fn event(&self, event: &Event, account: Option<&str>) {
        if self.output.json {
            self.output.json_line(&view(event, account, self.clock.now()));
            return self.output.flush();
        }
        let (kind, rest) = words(event);
        let who = match account {
            Some(account) => account.to_owned(),
            None if event.object.is_empty() => "unknown".to_owned(),
            None => format!("{} {}", event.object, event.page_id),
        };
        let customer = event.customer().unwrap_or("-");
        let standby = if event.standby { " (another app has the conversation)" } else { "" };
        self.line(&harmless(&format!("{who}  {customer}  {kind}{standby}: {rest}")));
    }

    /// Something else that happened, to a customer or to the listener itself: a line for a
    /// person, an object of this kind for a program.
    pub fn note(&self, kind: &str, psid: Option<&str>, line: &str, details: Value) {
        if !self.output.json {
            return self.line(line);
        }
        let mut object = json!({"schema_version": 1, "kind": kind, "at": self.clock.now(), "psid": psid});
        if let (Some(object), Value::Object(details)) = (object.as_object_mut(), details) {
            object.extend(details);
        }
        self.output.json_line(&without_nulls(object));
        self.output.flush();
    }

    /// A word to the person who types; nothing for a program.
    pub fn hint(&self, text: &str) {
        if self.output.json {
            return;
        }
        let text = paint(style::DIM, text, self.output.terminal.stdout_color);
        self.print(&text);
    }

    fn line(&self, line: &str) {
        let time = paint(style::DIM, &clock(self.clock.now()), self.output.terminal.stdout_color);
        // What follows the first line stands below it, beside the time.
        let line = wrap(line, self.output.terminal.out().width, INDENT);
        self.print(&format!("{time}  {line}"));
    }

    fn print(&self, text: &str) {
        self.output.result(text);
        self.output.flush();
    }
}
