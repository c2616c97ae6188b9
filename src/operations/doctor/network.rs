//! The connection to Graph: proxies, TLS, version, and the clock from its answer.

use std::time::Duration;

use jiff::Timestamp;

use crate::checks::Outcome;
use crate::checks::causes::{CERTIFICATES_MISSING, CLOCK_WRONG, NOT_GRAPH, UNREACHABLE, VERSION_EXPIRED};
use crate::checks::ids;
use crate::graph::{GraphError, Unreachable};
use crate::http::{Client, Request, Response, is_proxy};
use crate::operations::{Error, Found, Workspace};

/// Meta accepts a signature for five minutes; less the time of a call, this is how far the
/// clock may be off.
const CLOCK_MAY_BE_OFF: Duration = Duration::from_secs(240);

/// The problems of the connection to Graph.
pub fn look(workspace: &Workspace) -> Result<Vec<Found>, Error> {
    let _progress = workspace.reporter.waiting("looking for Graph …");
    let mut found = vec![proxy(workspace)];
    let settings = workspace.settings()?;
    let base = &settings.graph_url.value;
    let client = match workspace.http_settings().and_then(|settings| Ok(Client::new(&settings)?)) {
        Ok(client) => client,
        Err(error) => {
            found.push(Found::of_error(ids::TLS_CERTIFICATES, error, &CERTIFICATES_MISSING));
            return Ok(found);
        }
    };
    // Elsewhere the system judges each certificate as it comes.
    let trust =
        if cfg!(target_os = "linux") { "certificates to trust are there" } else { "the system judges certificates" };
    found.push(Found::pass(ids::TLS_CERTIFICATES, trust));
    // Without a token Graph refuses, which is an answer.
    let url = base.plain(&format!("/{}/me", settings.graph_version.value));
    let way = client.way(&url);
    let request = Request::get(url);
    match Workspace::wait(client.send(request))? {
        Ok(response) => found.extend(judge(workspace, &response)?),
        Err(fault) => {
            let error = GraphError::Unreachable(Unreachable::Fault { fault, way });
            let mut unreachable = Found::of_error(ids::GRAPH_REACHABLE, error, &UNREACHABLE);
            unreachable.outcome = Outcome::Unreachable;
            found.push(unreachable);
        }
    }
    Ok(found)
}

fn proxy(workspace: &Workspace) -> Found {
    let set: Vec<&str> = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"]
        .into_iter()
        .filter(|name| workspace.env.text(name).is_some())
        .collect();
    let wrong = |name: &&str| {
        !name.to_ascii_lowercase().starts_with("no_") && workspace.env.text(name).is_some_and(|value| !is_proxy(value))
    };
    if let Some(name) = set.iter().copied().find(wrong) {
        return Found::new(ids::PROXY, Outcome::Fail, format!("{name} is not a valid proxy address and is ignored"))
            .because(&UNREACHABLE)
            .hint("correct it: HTTPS_PROXY=http://HOST:PORT");
    }
    match set.as_slice() {
        [] => Found::pass(ids::PROXY, "no proxy is set"),
        // Their values can hold a password.
        names => Found::pass(ids::PROXY, format!("{} set", names.join(", "))),
    }
}

fn judge(workspace: &Workspace, response: &Response) -> Result<Vec<Found>, Error> {
    let settings = workspace.settings()?;
    let base = &settings.graph_url.value;
    let header = |name| response.headers.get(name).and_then(|value| value.to_str().ok());
    let Some(version) = header("facebook-api-version") else {
        return Ok(vec![
            Found::new(
                ids::GRAPH_REACHABLE,
                Outcome::Fail,
                format!("what answers at {base} (HTTP {}) is not Graph", response.status),
            )
            .because(&NOT_GRAPH)
            .hint("check where you point at: --graph-url (MSGRCTL_GRAPH_URL) and HTTPS_PROXY"),
        ]);
    };
    let mut found = vec![Found::pass(ids::GRAPH_REACHABLE, format!("Graph answers at {base}"))];
    let asked = settings.graph_version.value.to_string();
    found.push(if version == asked {
        Found::pass(ids::GRAPH_VERSION, format!("it answers in version {asked}"))
    } else {
        Found::new(ids::GRAPH_VERSION, Outcome::Warn, format!("it answers in version {version}, not in {asked}"))
            .because(&VERSION_EXPIRED)
            .hint(VERSION_EXPIRED.fix())
    });
    let date = header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    found.push(match date {
        Some(date) => clock(workspace, date.timestamp()),
        None => Found::new(ids::CLOCK, Outcome::Skip, "not known: the answer has no date"),
    });
    Ok(found)
}

fn clock(workspace: &Workspace, theirs: Timestamp) -> Found {
    let off = workspace.clock.now().duration_since(theirs);
    let seconds = off.as_secs();
    if off.unsigned_abs() < CLOCK_MAY_BE_OFF {
        return Found::pass(ids::CLOCK, "the clock is accurate enough for signatures");
    }
    let way = if seconds > 0 { "fast" } else { "slow" };
    Found::new(
        ids::CLOCK,
        Outcome::Fail,
        format!("the clock is {} s {way}: Meta would refuse signatures", seconds.abs()),
    )
    .because(&CLOCK_WRONG)
    .hint(CLOCK_WRONG.fix())
}
