//! `msgrctl sandbox calls`: what a running sandbox was asked, and what it sent.

use clap::Args;
use serde::Serialize;

use super::ask;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::http::Request;
use crate::sandbox::{CALLS_PATH, Entry};

/// Show what a running sandbox was asked, and the events it delivered
///
/// Lines with an arrow (->) are what the sandbox itself sent to a callback. Finds the
/// sandbox through --graph-url (MSGRCTL_GRAPH_URL). Tokens are shown by what they are,
/// never by their value.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  MSGRCTL_GRAPH_URL=http://127.0.0.1:8090 msgrctl sandbox calls\n  msgrctl sandbox calls --graph-url http://127.0.0.1:8090 --json"
)]
pub struct CallsArgs {}

#[derive(Serialize)]
struct CallsView {
    schema_version: u8,
    calls: Vec<Entry>,
}

pub fn run(_args: &CallsArgs, ctx: &Context) -> Result<u8, CliError> {
    let calls: Vec<Entry> = ask(ctx, |base| Request::get(base.plain(CALLS_PATH)))?;
    if ctx.output.json {
        ctx.output.json(&CallsView { schema_version: 1, calls });
        return Ok(0);
    }
    if calls.is_empty() {
        ctx.output.notice("it was asked nothing yet");
    }
    for call in &calls {
        ctx.output.result(&line(call));
    }
    Ok(0)
}

fn line(call: &Entry) -> String {
    let parameters: Vec<String> =
        call.parameters.iter().map(|parameter| format!("{}={}", parameter.name, parameter.value)).collect();
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    let note = call.note.as_ref().map(|note| format!("  {note}")).unwrap_or_default();
    let answer = match (call.status, call.code, call.subcode) {
        (None, ..) if call.path.starts_with("->") => "no answer".into(),
        (None, ..) => "dropped".into(),
        (Some(status), None, _) => status.to_string(),
        (Some(status), Some(code), None) => format!("{status} (code {code})"),
        (Some(status), Some(code), Some(subcode)) => format!("{status} (code {code}, subcode {subcode})"),
    };
    let time = call.at.strftime("%H:%M:%S");
    format!("{time} {:<6} {}{query}  [{}]  {answer}{note}", call.method, call.path, call.token)
}
