//! `msgrctl sandbox calls`: the calls to a running sandbox, and its own.

use clap::Args;

use super::ask;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::http::Request;
use crate::sandbox::{CALLS_PATH, CallLog, Entry};
use crate::text::sentence;

/// Show the calls to a running sandbox, and the events it delivered
///
/// A line with an arrow (->) is a call from the sandbox to a callback. Finds the sandbox
/// through --graph-url (MSGRCTL_GRAPH_URL). Tokens are shown by kind, never by value.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  MSGRCTL_GRAPH_URL=http://127.0.0.1:8090 msgrctl sandbox calls\n  msgrctl sandbox calls --graph-url http://127.0.0.1:8090 --last 20 --json"
)]
pub struct CallsArgs {
    /// Show only the last calls
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
}

pub fn run(args: &CallsArgs, ctx: &Context) -> Result<u8, CliError> {
    let told: CallLog = ask(ctx, |base| {
        let mut url = base.plain(CALLS_PATH);
        url.set_query(args.last.map(|last| format!("last={last}")).as_deref());
        Request::get(url)
    })?;
    if ctx.output.json {
        ctx.output.json(&told);
        return Ok(0);
    }
    if told.calls.is_empty() && told.left_out == 0 {
        ctx.output.notice("no calls yet");
    }
    for call in &told.calls {
        ctx.output.result(&sentence(&line(call)));
    }
    // With --last, fewer calls are expected.
    if told.left_out > 0 && args.last.is_none_or(|last| told.calls.len() < last as usize) {
        ctx.output.notice(&format!("{} older calls are not shown", told.left_out));
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
