//! The sandbox's own commands.

use crate::support::world::{EVENTS, nowhere, sandbox, subscribe};
use crate::support::{Home, Hook};

#[test]
fn what_was_asked_and_said() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    home.run(&["sandbox", "calls"]).screen("sandbox-calls-empty");
    home.run(&["sandbox", "say", "Hello"]).screen("sandbox-say-without-callback");
    let hook = Hook::start();
    subscribe(&sandbox, &hook.url, &EVENTS);
    home.run(&["sandbox", "say", "--from", "Jane Doe", "Hello"]).screen("sandbox-say");
    home.run(&["sandbox", "calls"]).screen("sandbox-calls");
    home.run(&["sandbox", "calls", "--json"]).screen("sandbox-calls-json");
    home.run(&["sandbox", "calls", "--graph-url", &format!("http://{}", nowhere())]).screen("sandbox-not-there");
}
