//! The handover as a page: its file, and what a real browser makes of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::screen::compare;
use crate::support::world::{PAGE_ID, acme, nowhere, page_token, sandbox};
use crate::support::{Browser, Home};

const VERIFY_TOKEN: &str = "verify0123456789";
/// What a page made of it without care would run.
const NAME: &str = "A <img src=x onerror=alert(1)> & \"B\" 'C'";
const MESSAGE: &str = "Bye </code><script>alert(2)</script>\n  second &amp; line";
const CALLBACK: &str = "https://acme.example.com/a/path/that/is/long/and/goes/on/and/on/facebook?key=hiddenkey0123456";

/// An account with text that is markup, and a callback URL with a key.
fn home(sandbox: &msgrctl::sandbox::InProcess) -> Home {
    let home = acme(sandbox, true);
    home.run(&["account", "edit", "acme", "--callback-url", CALLBACK, "--no-test"]).code(0);
    home.run(&["account", "rename", "acme", NAME]).code(0);
    home.run(&["message", "set", "acme", "agent-left", "--text", MESSAGE]).code(0);
    home
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_file_is_private_and_whole_and_a_link_is_refused() {
    let sandbox = sandbox();
    let home = home(&sandbox);
    let page = home.file("page.html", "old");
    fs::set_permissions(&page, fs::Permissions::from_mode(0o644)).unwrap();
    let command = ["account", "handover", "acme", "--no-test", "--html"];
    let run = home.run(&[&command[..], &["page.html"]].concat()).code(0).says(&["the page is in page.html"]);
    assert!(run.stdout.is_empty() && !run.stderr.contains("warning"), "{run:?}");
    assert_eq!(mode(&page), 0o600);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n"), "{text}");
    for secret in [&page_token(&sandbox)[..20], VERIFY_TOKEN, "hiddenkey"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("msgrctl secret reveal acme page-access-token"), "{text}");

    symlink(&page, home.path("link")).unwrap();
    symlink("/nonexistent/page", home.path("dangling")).unwrap();
    for (name, what) in [("link", "a link"), ("dangling", "a link"), ("config", "a directory")] {
        home.run(&[&command[..], &[name, "--reveal"]].concat()).code(3).says(&["cannot use", what]);
    }
    home.run(&[&command[..], &["missing/page.html"]].concat()).code(3).says(&["cannot write missing/page.html"]);
    assert_eq!(fs::read_to_string(&page).unwrap(), text);
    let left = fs::read_dir(home.root())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".new"));
    assert_eq!(left.count(), 0);
    for other in ["--json", "--markdown"] {
        home.run(&[&command[..], &["page.html", other]].concat()).code(2);
        home.run(&["account", "handover", "acme", "--open", other]).code(2);
    }
}

#[test]
fn a_page_with_secrets_says_so_and_names_the_file_to_delete() {
    let sandbox = sandbox();
    let home = home(&sandbox);
    let run = home.run(&["account", "handover", "acme", "--no-test", "--reveal", "--html", "page.html"]).code(0);
    run.says(&["warning: page.html holds secrets", "delete it"]);
    let text = fs::read_to_string(home.path("page.html")).unwrap();
    assert!(text.contains("This page holds secrets") && text.contains(&page_token(&sandbox)), "{text}");
    assert_eq!(mode(&home.path("page.html")), 0o600);
}

#[test]
fn open_takes_the_browser_there_is_and_prints_the_path_without_one() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, false);
    let root = home.root().to_string_lossy().into_owned();
    home.set("TMPDIR", &root);
    let open = ["account", "handover", "acme", "--no-test", "--open"];
    let run = home.run(&open).code(0).says(&["no browser can be opened from here"]);
    let path = Path::new(run.stdout.trim_end());
    assert!(path.is_absolute() && path.starts_with(home.root()), "{run:?}");
    assert_eq!(mode(path), 0o600);
    assert!(fs::read_to_string(path).unwrap().contains("<title>Handover of Acme</title>"));

    let named = home.run(&[&open[..], &["--html", "page.html"]].concat()).code(0);
    assert_eq!(named.stdout.trim_end(), home.path("page.html").to_string_lossy());
    let browser = home.file("browser", "#!/bin/sh\necho \"$@\" > opened\nenv > variables\n");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).unwrap();
    home.set("BROWSER", &format!("/nonexistent:{} --new %s", browser.display()));
    let run = home.run(&[&open[..], &["--html", "page.html"]].concat()).code(0).says(&["opened in the browser: /"]);
    assert_eq!(run.stdout, "");
    let opened = fs::read_to_string(home.path("opened")).unwrap();
    assert_eq!(opened.trim_end(), format!("--new {}", home.path("page.html").display()));
    let variables = fs::read_to_string(home.path("variables")).unwrap();
    assert!(variables.contains("HOME=") && !variables.contains("MSGRCTL_"), "{variables}");
}

#[test]
fn show_opens_the_page_at_meta_or_prints_its_address() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    let app = "https://developers.facebook.com/apps/123456789012345/dashboard/";
    let run = home.run(&["account", "show", "acme", "--open"]).code(0).says(&["no browser", "a sandbox account"]);
    assert_eq!(run.stdout.lines().last(), Some(app), "{run:?}");
    let run = home.run(&["account", "show", "acme", "--open", "--json"]).code(0).says(&[app]);
    assert_eq!(run.json()["address"], app);
    home.set("BROWSER", "true");
    let run = home.run(&["account", "show", "acme", "--open"]).code(0).says(&["opened in the browser: https://"]);
    assert!(!run.stdout.contains("https://developers"), "{run:?}");

    let home = acme(&sandbox, false);
    let run = home.run(&["account", "show", "acme", "--open"]).code(0);
    assert_eq!(run.stdout.lines().last(), Some("https://www.facebook.com/109876543210987/settings"), "{run:?}");
}

#[test]
fn test_opens_the_page_at_meta_that_the_fix_names() {
    let sandbox = sandbox();
    let mut home = acme(&sandbox, true);
    let place = "https://developers.facebook.com/apps/123456789012345/use_cases/";
    sandbox.world().page_token_mut(PAGE_ID).unwrap().state = msgrctl::sandbox::TokenState::Expired;
    let run = home.run(&["account", "test", "acme", "--open"]).code(7).says(&["no browser", "a sandbox account"]);
    assert_eq!(run.stdout.lines().last(), Some(place), "{run:?}");
    home.run(&["account", "test", "acme", "--open", "--format", "markdown"]).code(7).says(&[place]);
    // A document for a program stays whole.
    let run = home.run(&["account", "test", "acme", "--open", "--json"]).code(7).says(&[place]);
    assert_eq!(run.json()["results"][0]["outcome"], "fail");
    home.set("BROWSER", "true");
    home.run(&["account", "test", "acme", "--open"]).code(7).says(&["opened in the browser: ", place]);

    // What is wrong here is not at Meta.
    home.set("MSGRCTL_GRAPH_URL", &format!("http://{}", nowhere()));
    home.run(&["account", "test", "acme", "--open"]).code(5).says(&["no fix names a page at Meta"]);
}

/// All that is seen of the page.
const SEEN: &str = "document.body.innerText";

/// Texts that cannot be read on their ground: contrast below 4.5 (WCAG AA).
pub const FAINT: &str = r"(() => {
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = parse(getComputedStyle(element).backgroundColor);
            if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
    };
    const faint = [];
    let texts = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.tagName === 'SCRIPT') continue;
        texts += 1;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) faint.push(walker.currentNode.data + ': ' + contrast);
    }
    return { faint, texts, ground: ground(document.body) };
})()";

/// Presses every button in turn; what stands beside each, and what the clipboard had then.
const COPIED: &str = "(async () => {
    const copied = [];
    for (const button of document.querySelectorAll('button')) {
        button.click();
        await new Promise((done) => setTimeout(done, 20));
        const text = await navigator.clipboard.readText();
        copied.push([button.dataset.name, text, button.textContent]);
    }
    return copied;
})()";

fn copied(values: &Value, name: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter().filter(|value| value[0] == name);
    values
        .map(|value| {
            assert_eq!(value[2], "Copied", "{value}");
            value[1].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_browser_shows_it_hides_secrets_and_copies() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = sandbox();
    let (home, token) = (home(&sandbox), page_token(&sandbox));
    home.run(&["account", "handover", "acme", "--reveal", "--html", "page.html"]).code(0);
    browser.width(360);
    browser.open(&home.path("page.html"));

    // Text from outside stands there as text; no secret is in title or address, none is seen.
    assert_eq!(browser.eval("document.querySelector('h1').textContent"), format!("Handover of {NAME}"));
    assert_eq!(browser.eval("document.title"), format!("Handover of {NAME}"));
    assert_eq!(browser.eval("document.querySelectorAll('img, a, link, iframe, [style]').length"), 0);
    let secrets = [token.as_str(), VERIFY_TOKEN, "hiddenkey"];
    let seen = browser.eval(&format!("{SEEN} + document.title + location.href"));
    assert!(secrets.iter().all(|secret| !seen.as_str().unwrap().contains(secret)), "{seen}");

    // The form's fields in its order.
    let labels = browser.eval("[...document.querySelector('dl').querySelectorAll('dt')].map((dt) => dt.textContent)");
    let form = [
        "Name",
        "Type",
        "Page Username",
        "Page ID",
        "Token",
        "Webhook Verify Token",
        "Callback URL",
        "Test Connection",
    ];
    assert_eq!(labels, json!(form));

    // Each button copies what it stands beside, secrets exactly and unseen.
    browser.ask("Browser.grantPermissions", &json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}));
    browser.ask("Page.bringToFront", &json!({}));
    let values = browser.eval(COPIED);
    let fields =
        "messages, messaging_postbacks, messaging_optins, message_deliveries, message_reads, messaging_referrals";
    for (name, value) in [
        ("Name", NAME),
        ("Page ID", "109876543210987"),
        ("Token", &token),
        ("Webhook Verify Token", VERIFY_TOKEN),
        ("Verify token", VERIFY_TOKEN),
        ("Agent left", MESSAGE),
        ("Webhook fields", fields),
        ("the command of step 5", "msgrctl webhook subscribe acme"),
    ] {
        assert_eq!(copied(&values, name), [value], "{values}");
    }
    assert_eq!(copied(&values, "Callback URL"), [CALLBACK; 2]);
    assert!(!browser.eval(SEEN).as_str().unwrap().contains(&token));

    // Printed as it is, it has none either.
    browser.media("light", "print");
    let paper = browser.eval(SEEN);
    assert_eq!(paper.as_str().unwrap().matches("not shown").count(), 5, "{paper}");
    assert!(secrets.iter().all(|secret| !paper.as_str().unwrap().contains(secret)), "{paper}");
    browser.media("light", "screen");

    // By keyboard alone: to the token's switch, and open it.
    browser.eval("document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)");
    browser.eval("document.querySelector('h1').setAttribute('tabindex', '-1'); document.querySelector('h1').focus()");
    let on_switch = "document.activeElement.tagName === 'SUMMARY'";
    for _ in 0..20 {
        browser.press("Tab", 9);
        if browser.eval(on_switch) == true {
            break;
        }
    }
    assert_eq!(browser.eval("document.activeElement.innerText.replace(/\\s+/g, ' ')"), "Show Token");
    assert_ne!(browser.eval("getComputedStyle(document.activeElement).outlineStyle"), "none");
    browser.press("Enter", 13);
    assert!(browser.eval(SEEN).as_str().unwrap().contains(&token));

    // With all open nothing is wider than the window, and all can be read, by day and by night.
    browser.eval("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    assert!(browser.eval("document.documentElement.scrollWidth").as_u64().unwrap() <= 360);
    let wide = "[...document.body.querySelectorAll('*')].filter((it) => it.checkVisibility() && \
        it.getBoundingClientRect().right > innerWidth).map((it) => it.outerHTML)";
    assert_eq!(browser.eval(wide), json!([]));
    let mut grounds = Vec::new();
    for (scheme, media) in [("light", "screen"), ("dark", "screen"), ("dark", "print")] {
        browser.media(scheme, media);
        let found = browser.eval(FAINT);
        assert_eq!(found["faint"], json!([]), "{scheme} {media}");
        assert!(found["texts"].as_u64().unwrap() > 60, "{found}");
        grounds.push(found["ground"].clone());
    }
    assert!(grounds[0] == json!([255, 255, 255]) && grounds[2] == grounds[0] && grounds[1][0].as_u64().unwrap() < 64);
    // On paper there are no buttons.
    let buttons = "[...document.querySelectorAll('button, summary')].filter((it) => it.checkVisibility()).length";
    assert_eq!(browser.eval(buttons), 0);

    assert_eq!(browser.requests(), [format!("file://{}", home.path("page.html").display())]);
    assert!(browser.console().is_empty(), "{:#?}", browser.console());
}

#[test]
fn a_browser_without_scripts_shows_all_and_no_button_that_does_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let sandbox = sandbox();
    let home = home(&sandbox);
    home.run(&["account", "handover", "acme", "--reveal", "--html", "page.html"]).code(0);
    browser.scripts(false);
    browser.open(&home.path("page.html"));
    assert_eq!(browser.eval("[...document.querySelectorAll('button')].filter((it) => it.checkVisibility()).length"), 0);
    let seen = browser.eval(SEEN);
    let seen = seen.as_str().unwrap();
    for text in [NAME, "109876543210987", "Into the Meta app", "Agent left", "second &amp; line", "Facebook is enabled"]
    {
        assert!(seen.contains(text), "{text}: {seen}");
    }
    assert!(!seen.contains(VERIFY_TOKEN), "{seen}");
    // The switch of a secret needs none.
    browser.eval("document.querySelectorAll('summary').forEach((summary) => summary.click())");
    assert!(browser.eval(SEEN).as_str().unwrap().contains(VERIFY_TOKEN));

    // What a person reads there.
    let account = acme(&sandbox, true);
    account.run(&["account", "handover", "acme", "--html", "page.html"]).code(0);
    browser.open(&account.path("page.html"));
    compare("account-handover-page", browser.eval(SEEN).as_str().unwrap());

    // A page where the clipboard is refused selects the text instead, and says so.
    browser.scripts(true);
    browser.open(&home.path("page.html"));
    let refused = "(async () => {
        Object.defineProperty(navigator, 'clipboard', { value: undefined });
        document.execCommand = () => false;
        const button = document.querySelector('button[data-name=Token]');
        button.click();
        await new Promise((done) => setTimeout(done, 20));
        return [button.textContent, getSelection().toString(), document.getElementById('status').textContent];
    })()";
    let told = browser.eval(refused);
    assert_eq!(told[0], "Not copied");
    assert_eq!(told[1], page_token(&sandbox));
    assert_eq!(told[2], "Not copied, the text is selected instead: Token");
    assert!(browser.console().is_empty(), "{:#?}", browser.console());
}
