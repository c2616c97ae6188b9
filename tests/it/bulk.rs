//! Many accounts at once.

use msgrctl::sandbox::{Fault, InProcess, TokenState, World};

use crate::support::Home;

/// A home with an account for each Page of a world, secrets in variables.
fn accounts(pages: usize) -> (InProcess, Home) {
    let sandbox = InProcess::start(World::with_pages(pages, msgrctl::clock::Clock::system())).unwrap();
    let mut home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let known: Vec<_> = {
        let world = sandbox.world();
        world.pages.iter().map(|page| (page.id.clone(), world.page_token(&page.id).unwrap().value.clone())).collect()
    };
    for (at, (id, token)) in known.iter().enumerate() {
        let name = format!("page-{at}");
        home = home.with_secrets(&name, token);
        let username = if at == 0 { "acme.support".to_owned() } else { format!("acme.support.{}", at + 1) };
        home.run(&["account", "add", &name, "--page-username", &username, "--page-id", id, "--no-test"]).code(0);
    }
    (sandbox, home)
}

#[test]
fn all_are_tested_in_their_order_and_counted() {
    let (sandbox, home) = accounts(12);
    home.run(&["account", "test", "--all"]).code(0).shows(&["12 accounts: 12 pass"]);
    sandbox.world().tokens[3].state = TokenState::LoggedOut;
    let run = home.run(&["account", "test", "--all", "--json"]).code(7);
    let value = run.json();
    let results = value["results"].as_array().unwrap();
    let names: Vec<&str> = results.iter().map(|result| result["account"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..12).map(|at| format!("page-{at}")).collect();
    assert_eq!(names, expected);
    assert_eq!(results.iter().filter(|result| result["outcome"] == "fail").count(), 1);
    home.run(&["account", "test", "page-0", "page-1"]).code(0).shows(&["2 accounts: 2 pass"]);
    home.run(&["account", "test", "page-0", "nobody"]).code(1).says(&["there is no account 'nobody'"]);
    home.run(&["account", "test", "page-0", "--all"]).code(2);
}

#[test]
fn a_failure_outranks_what_could_not_be_reached() {
    let (sandbox, home) = accounts(2);
    let slow = Fault { path: Some("/109876543210988/subscribed_apps".into()), code: Some(2), ..Fault::default() };
    sandbox.world().faults = vec![slow];
    home.run(&["account", "test", "--all"]).code(5).shows(&["1 pass, 1 unreachable"]);
    sandbox.world().tokens[1].state = TokenState::LoggedOut;
    home.run(&["account", "test", "--all"]).code(7).shows(&["1 fail, 1 unreachable"]);
}

#[test]
fn a_store_that_does_not_answer_for_some_fails_in_part() {
    let (_sandbox, mut home) = accounts(2);
    home.set("MSGRCTL_SECRET_PAGE_1_PAGE_ACCESS_TOKEN", "two\nlines");
    let run = home.run(&["account", "test", "--all", "--json"]).code(9).says(&["'page-1' was not tested"]);
    assert_eq!(run.json()["results"].as_array().unwrap().len(), 1);
}
