//! The handover page: what is typed elsewhere, and what is proved already.

use serde_json::Value;

use crate::support::receiver;
use crate::support::world::{acme, app, page_token, sandbox, scenario};

const VERIFY_TOKEN: &str = "verify0123456789";

fn steps_done(sheet: &Value) -> Vec<u64> {
    let steps = sheet["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 11);
    steps.iter().filter(|step| step["done"] == true).map(|step| step["number"].as_u64().unwrap()).collect()
}

#[test]
fn the_form_is_in_its_order_and_secrets_are_masked() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let token = page_token(&sandbox);
    let sheet = home.run(&["account", "handover", "acme", "--json"]).code(0).json();
    let form = sheet["form"].as_array().unwrap();
    assert_eq!(form[4]["value"], format!("********{}", &token[token.len() - 4..]));
    assert_eq!(form[5]["value"], "********6789");
    home.run(&["message", "set", "acme", "agent-left", "--text", "Bye | you"]).code(0);
    home.run(&["account", "handover", "acme", "--no-test"]).code(0).shows(&["Agent left", "Custom: Bye | you"]);
    let markdown = home.run(&["account", "handover", "acme", "--no-test", "--markdown"]).code(0);
    markdown.shows(&["| Agent left | Custom | `Bye \\| you` |"]);
    // In every form of the page.
    for form in [&["account", "handover", "acme"][..], &["account", "handover", "acme", "--markdown"]] {
        let page = home.run(form).code(0).stdout;
        assert!(!page.contains(&token[..20]) && !page.contains(VERIFY_TOKEN), "{page}");
        let revealed = home.run(&[form, &["--reveal"]].concat()).code(0).stdout;
        assert!(revealed.contains(&token) && revealed.contains(VERIFY_TOKEN), "{revealed}");
        assert!(!revealed.contains("--reveal"), "{revealed}");
    }
}

#[test]
fn only_what_a_test_proves_is_ticked() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let sheet = home.run(&["account", "handover", "acme", "--json"]).code(0).json();
    assert_eq!(steps_done(&sheet), [3]);

    let asked = sandbox.world().journal.entries().len();
    let sheet = home.run(&["account", "handover", "acme", "--json", "--no-test"]).code(0).json();
    assert!(steps_done(&sheet).is_empty());
    assert_eq!(sandbox.world().journal.entries().len(), asked, "it asked Graph");
    // Without Graph the page is printed all the same, and says so.
    let away = ["account", "handover", "acme", "--json", "--graph-url", "http://127.0.0.1:1"];
    let run = home.run(&away).code(0);
    assert!(steps_done(&run.json()).is_empty());
    assert!(run.json()["steps"][2]["detail"].as_str().unwrap().contains("could not be reached"), "{run:?}");
}

#[test]
fn a_dead_token_and_a_page_that_is_not_subscribed_are_not_ticked() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken_state = 'expired'\nsubscribed = []\n",
    );
    let home = acme(&sandbox, false);
    let sheet = home.run(&["account", "handover", "acme", "--json"]).code(0).json();
    assert!(steps_done(&sheet).is_empty());
    assert_eq!(sheet["steps"][2]["detail"], "the credentials do not pass");
    assert_eq!(sheet["steps"][2]["command"], "msgrctl account test acme");
}

#[test]
fn a_secret_that_is_not_there_is_masked_and_said() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    let (_, secret) = app(&sandbox);
    home.unset("MSGRCTL_SECRET_ACME_PAGE_ACCESS_TOKEN");
    let run = home.run(&["account", "handover", "acme", "--json"]).code(0).says(&["nothing is ticked"]);
    assert_eq!(run.json()["form"][4]["value"], "********");
    assert!(!run.stdout.contains(&secret));
}

#[test]
fn markdown_keeps_any_name_in_its_cell() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.run(&["account", "rename", "acme", "A | B *c* <d>"]).code(0);
    let page = home.run(&["account", "handover", "acme", "--markdown", "--no-test"]).code(0).stdout;
    assert!(page.contains("| Name | `A \\| B *c* <d>` |"), "{page}");
    home.run(&["account", "handover", "acme", "--markdown", "--json"]).code(2);
}

#[test]
fn each_fact_has_its_line_and_the_fields_are_listed_once() {
    let sandbox = sandbox();
    let home = acme(&sandbox, true);
    let callback = receiver::start(|asked| {
        let (status, body) = if asked.right { ("200 OK", asked.challenge.as_str()) } else { ("403 Forbidden", "") };
        receiver::answer(status, &[], body)
    });
    home.run(&["account", "edit", "acme", "--callback-url", &callback, "--no-test"]).code(0);
    let handover = |form: &[&str]| home.run(&[&["account", "handover", "acme"], form].concat()).code(0);
    let text = handover(&[]).stdout;
    assert!(text.contains("  [ ]  5 ") && text.contains("command: msgrctl webhook subscribe acme\n"), "{text}");

    home.run(&["webhook", "subscribe", "acme", "--yes"]).code(0);
    let sheet = handover(&["--json"]).json();
    assert_eq!(steps_done(&sheet), [3, 4, 5], "{sheet}");
    let text = handover(&[]).stdout;
    let facts = ["the app has the callback URL", "the callback answers Meta's handshake", "the app has the fields"];
    for fact in facts.iter().chain(&["the Page has the fields", "tested just now"]) {
        assert_eq!(text.lines().filter(|line| line.trim() == *fact).count(), 1, "{fact}: {text}");
    }
    for form in [&[][..], &["--markdown"]] {
        let page = handover(form).stdout;
        assert_eq!(page.matches("message_deliveries").count(), 1, "{page}");
        assert_eq!(page.matches("secret reveal acme page-access-token").count(), 1, "{page}");
        // What is not proved says where it is done; what is proved does not.
        assert!(page.contains("where: Contact Center Administrator > Services & Campaigns"), "{page}");
        assert!(
            !page.contains("where: Meta App Dashboard > your app > Use cases") && !page.contains("webhook subscribe")
        );
    }

    // What is wrong has its own command.
    let faulty = receiver::start(|asked| receiver::answer("200 OK", &[], &asked.challenge));
    home.run(&["account", "edit", "acme", "--callback-url", &faulty, "--no-test"]).code(0);
    home.run(&["webhook", "subscribe", "acme", "--yes"]);
    let sheet = handover(&["--json"]).json();
    assert_eq!(steps_done(&sheet), [3, 5], "{sheet}");
    assert_eq!(sheet["steps"][3]["command"], "msgrctl webhook verify acme", "{sheet}");
}

#[test]
fn the_page_replaces_no_file_of_msgrctl() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let own = home.accounts_file();
    let before = std::fs::read(&own).unwrap();
    home.run(&["account", "handover", "acme", "--no-test", "--html", own.to_str().unwrap()])
        .code(2)
        .says(&["that directory is for msgrctl's own files"]);
    assert_eq!(std::fs::read(&own).unwrap(), before);
    home.run(&["account", "handover", "acme", "--no-test", "--html", "-"])
        .code(2)
        .says(&["'-' is not a valid file name"]);
}
