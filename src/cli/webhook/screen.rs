//! Output of the listener: lines for a person, or JSON Lines.

use serde_json::{Value, json};

use super::line::{clock, view, words};
use crate::clock::Clock;
use crate::json::without_nulls;
use crate::text::harmless;
use crate::ui::output::Output;
use crate::ui::style::{self, paint, wrap};
use crate::webhook::Event;

/// The width of the time and the gap after it.
const INDENT: usize = 10;

pub struct Screen<'a> {
    output: &'a Output,
    /// Shared with everything printed, so that times are in order.
    clock: Clock,
}

impl<'a> Screen<'a> {
    pub fn new(output: &'a Output, clock: Clock) -> Self {
        Self { output, clock }
    }

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

    /// Another event, about a customer or the listener: a line, or a JSON object of this kind.
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

    /// A hint to the operator who types; not printed as JSON.
    pub fn hint(&self, text: &str) {
        if self.output.json {
            return;
        }
        let text = paint(style::DIM, text, self.output.terminal.stdout_color);
        self.print(&text);
    }

    fn line(&self, line: &str) {
        let time = paint(style::DIM, &clock(self.clock.now()), self.output.terminal.stdout_color);
        // Continuation lines are indented past the time.
        let line = wrap(line, self.output.terminal.out().width, INDENT);
        self.print(&format!("{time}  {line}"));
    }

    fn print(&self, text: &str) {
        self.output.result(text);
        self.output.flush();
    }
}
