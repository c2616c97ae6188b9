//! The wizard on a real pseudo-terminal, with a real keyring and a real Graph on
//! loopback.

use std::time::{Duration, Instant};

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, TokenKind, World};

use crate::support::bus::SilentBus;
use crate::support::pty::Pty;
use crate::support::vault::Folder;
use crate::support::world::{PAGE_ID, acme, app, page_token, sandbox, scenario};
use crate::support::{Bus, Home};

pub const ENTER: &str = "\r";
pub const DOWN: &str = "\u{1b}[B";
const UP: &str = "\u{1b}[A";
pub const ESC: &str = "\u{1b}";
pub const CTRL_C: &str = "\u{3}";

/// The first question, answered so that a token can be pasted.
pub const PASTE: (&str, &str) = ("? How to get the token", "\u{1b}[B\r");

/// Waits for each text and then types what stands beside it. `? NAME` is the
/// question of that name, not a mention of it.
#[track_caller]
pub fn answer(pty: &mut Pty, dialogue: &[(&str, &str)]) {
    for (text, keys) in dialogue {
        question(pty, text);
        if !keys.is_empty() {
            pty.send(keys);
        }
    }
}

#[track_caller]
fn question(pty: &mut Pty, text: &str) {
    match text.strip_prefix("? ") {
        // Questions are bold, and nothing else at the beginning of a line is.
        Some(name) => pty.expect(&format!("\u{1b}[1m{name}\u{1b}[0m")),
        None => pty.expect(text),
    };
}

pub fn start(home: &Home, arguments: &[&str]) -> Pty {
    Pty::start(&home.msgrctl(arguments), 100)
}

fn home(sandbox: &InProcess, bus: &Bus) -> Home {
    Home::on(bus).with("MSGRCTL_GRAPH_URL", &sandbox.url())
}

fn user_token(sandbox: &InProcess) -> String {
    sandbox.world().user_token().unwrap().value.clone()
}

/// Every prompt of a page token's way, with the answers that take what is offered.
pub fn way_of_a_page_token(token: &str) -> Vec<(&'static str, String)> {
    [
        PASTE,
        ("? Page access token (not shown)", &*format!("{token}\r")),
        ("Skip them", ENTER),
        ("? Callback URL", "https://acme.example.com/messenger\r"),
        ("Leave without saving", ENTER),
    ]
    .map(|(text, keys)| (text, keys.to_owned()))
    .to_vec()
}

pub fn walk(pty: &mut Pty, way: &[(&'static str, String)]) {
    for (text, keys) in way {
        question(pty, text);
        pty.send(keys);
    }
}

/// The offer to subscribe, once it is saved.
#[track_caller]
pub fn not_now(pty: &mut Pty) {
    pty.expect("Have Meta send the messages of");
    pty.send("n\r");
    pty.expect("later: msgrctl webhook subscribe");
}

/// What is said in its place where there is no callback URL yet.
#[track_caller]
fn no_callback(pty: &mut Pty) {
    pty.expect("give it the app and the callback URL first");
}

#[test]
fn after_saving_it_offers_to_subscribe() {
    let sandbox = sandbox();
    sandbox.world().pages[0].subscribed.clear();
    let home = plain_home(&sandbox);
    home.file("token", page_token(&sandbox));
    let mut pty = start(&home, &["account", "add", "Deaf", "--token-file", "token"]);
    answer(&mut pty, &[("Skip them", ENTER), ("? Callback URL", "http://127.0.0.1:9/hook\r"), ("Save it", ENTER)]);
    let (screen, code) = pty.end();
    assert!(code == 0 && screen.contains("msgrctl webhook subscribe deaf"), "{screen}");
    assert!(!screen.contains("Have Meta send"), "{screen}");

    let mut pty = start(&home, &["account", "add", "--token-file", "token"]);
    let dialogue = [
        ("Skip them", ENTER),
        ("? Callback URL", "https://acme.example.com/messenger\r"),
        ("Save it", ENTER),
        ("Have Meta send the messages of", "y\r"),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("set, and read back: the Page sends") && screen.contains("app id and the app secret"),
        "{screen}"
    );
    assert!(!sandbox.world().pages[0].subscribed.is_empty());
}

#[test]
fn seven_answers_connect_a_page() {
    let sandbox = sandbox();
    sandbox.world().pages[0].subscribed.clear();
    let (_, app_secret) = app(&sandbox);
    let home = plain_home(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    let pasted = [format!("{}\r", page_token(&sandbox)), format!("{app_secret}\r")];
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", &*pasted[0]),
        ("Skip them", &*format!("{UP}\r")),
        ("? App id", ENTER),
        ("? App secret (not shown)", &*pasted[1]),
        ("? Callback URL", "https://acme.example.com/messenger\r"),
        ("Save it", ENTER),
        ("saved 'Acme Support' (handle acme-support)", ""),
        ("Have Meta send the messages of", "y\r"),
    ];
    answer(&mut pty, &dialogue);
    let answers = dialogue.iter().filter(|(_, keys)| !pasted.contains(&(*keys).to_owned())).count();
    assert!(answers <= 7, "{answers}");
    pty.end();
    let account = home.run(&["account", "show", "acme-support", "--json"]).json()["account"].clone();
    assert_eq!(account["page_username"], "acme.support", "{account}");
    assert_eq!(account["secrets"].as_array().unwrap().len(), 3, "{account}");
}

#[test]
fn from_an_empty_home_to_a_tested_account() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = home(&sandbox, &bus);
    let token = page_token(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    let way = way_of_a_page_token(&token);
    walk(&mut pty, &way[..way.len() - 1]);
    let screen = pty.expect("What now?");
    assert!(screen.contains(&format!("********{}", &token[token.len() - 4..])), "{screen}");
    assert!(!screen.contains(&token[..20]), "{screen}");
    let same = screen.split("Equivalent command").nth(1).unwrap().split_once('\n').unwrap().1;
    // It may be broken into lines, with backslashes, and ends with an empty one.
    let same = same.replace('\r', "").split("\n\n").next().unwrap().to_owned();
    assert!(!home.accounts_file().exists(), "saved before the last question");
    pty.send(ENTER);
    not_now(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    assert!(bus.entries().contains(&token));
    let wizards = home.run(&["account", "show", "acme-support", "--json"]).code(0).json()["account"].clone();

    // The command does the same in a script.
    home.run(&["account", "remove", "acme-support", "--yes"]).code(0);
    let mut shell = home.program("sh");
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_msgrctl"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran = shell.args(["-c", &same]).env("PATH", path).env("MSGRCTL_PAGE_TOKEN", &token).output().unwrap();
    assert!(ran.status.success(), "{same}: {ran:?}");
    let scripts = home.run(&["account", "show", "acme-support", "--json"]).code(0).json()["account"].clone();
    for key in ["name", "handle", "page_username", "page_id", "callback_url", "secrets"] {
        assert_eq!(wizards[key], scripts[key], "{key}");
    }
}

/// 120 Pages, more than Graph lists at once; on two of them the person may not answer messages.
fn many_pages() -> InProcess {
    let mut world = World::with_pages(120, Clock::system());
    world.pages[3].tasks = vec!["ANALYZE".into()];
    world.pages[4].tasks.clear();
    InProcess::start(world).unwrap()
}

#[test]
fn a_user_token_shows_its_pages_and_gives_one_that_does_not_expire() {
    let sandbox = many_pages();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = home(&sandbox, &bus);
    let (app_id, app_secret) = app(&sandbox);
    let user = user_token(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[PASTE]);
    question(&mut pty, "? Page access token (not shown)");
    pty.send(&format!("{user}\r"));
    pty.expect("120 Pages behind it");
    answer(
        &mut pty,
        &[
            ("Skip them", ENTER),
            (&format!("({app_id})"), ENTER),
            ("? App secret (not shown)", "0123456789abcdef0123456789abcdef\r"),
            // A wrong one is asked for again, with the reason.
            ("do not belong together", ENTER),
            (&format!("({app_id})"), ENTER),
            ("? App secret (not shown)", &format!("{app_secret}\r")),
            ("exchanged for a long-lived one", ""),
            ("to search", "210990"),
            ("210990", ENTER),
            // The fourth Page lacks the task: the reason, and the list again.
            ("task MESSAGING", ""),
            ("? Page", "Support 42"),
            ("211028", ENTER),
            ("? Callback URL", ENTER),
            ("Leave without saving", ENTER),
        ],
    );
    no_callback(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let stored = home.run(&["secret", "reveal", "acme-support-42", "page-access-token"]).code(0).stdout;
    let world = sandbox.world();
    let token = world.tokens.iter().find(|token| token.value == stored.trim()).unwrap();
    assert_eq!((&token.kind, token.expires_at), (&TokenKind::Page("109876543211028".into()), 0));
    // The person's own token is kept nowhere.
    assert!(!bus.entries().contains(&user));
    // All Pages of the cursor were read: 100 at once.
    let calls = world.journal.entries().iter().filter(|entry| entry.path.ends_with("/me/accounts")).count();
    assert!(calls >= 4, "{calls}");
}

#[test]
fn a_short_lived_user_token_without_an_app_is_warned_of() {
    let mut world = World::with_pages(2, Clock::system());
    let now = Clock::system().unix_seconds();
    let user = world.tokens.iter_mut().find(|token| token.kind == TokenKind::User).unwrap();
    user.expires_at = now + 3600;
    let sandbox = InProcess::start(world).unwrap();
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[PASTE]);
    question(&mut pty, "? Page access token (not shown)");
    pty.send(&format!("{}\r", user_token(&sandbox)));
    let dialogue = [
        ("Skip them", &*format!("{DOWN}\r")),
        ("the Page's token expires with this person's token", ""),
        // Esc goes back to where the app can be given.
        ("to search", ESC),
        ("Skip them", &*format!("{DOWN}\r")),
        ("to search", ENTER),
        ("? Callback URL", CTRL_C),
    ];
    answer(&mut pty, &dialogue);
    assert_eq!(pty.end().1, 130);
}

#[test]
fn a_rejected_token_is_corrected_on_the_spot() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken = 'EAAdead0123456789012345'\ntoken_state = 'password_changed'\n[[pages]]\nid = '209876543210987'\nusername = 'other.page'\nname = 'Other'\ntoken = 'EAAgood0123456789012345'\n",
    );
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add", "--page-id", "109876543210987", "--page-username", "acme.support"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", "\r"),
        ("nothing was pasted", "EAA with a space\r"),
        ("has white space inside", "IGAAinstagram\r"),
        ("Instagram token", "EAAdead0123456789012345\r"),
        ("changed their password", "EAAgood0123456789012345\r"),
        ("The token is of the Page Other", ""),
        ("Skip them", ENTER),
        ("? Callback URL", "not a url\r"),
        ("is not a URL", "\r"),
        ("it is of page 209876543210987", ""),
        // It cannot be saved; the Page's values are changed instead.
        ("so it cannot be saved yet", ""),
        // The token is of another Page: it stands first there.
        ("Change one of the values", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{DOWN}{DOWN}{DOWN}\r")),
        ("? Page id", "209876543210987\r"),
        // The username is still the other Page's.
        ("so it cannot be saved yet", ""),
        ("Change one of the values", ENTER),
        ("Which one?", &*format!("{DOWN}{DOWN}\r")),
        ("? Page username", "@other.page\r"),
        ("Save it", ENTER),
    ];
    answer(&mut pty, &dialogue);
    // With neither app nor callback URL there is nothing to offer yet.
    pty.expect("account edit other --app-id APP_ID");
    pty.expect("msgrctl webhook subscribe other");
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    home.run(&["account", "test", "other"]).code(0);
}

#[test]
fn ctrl_c_at_every_prompt_leaves_nothing_behind() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let way = way_of_a_page_token(&page_token(&sandbox));
    std::thread::scope(|scope| {
        for stop in 0..way.len() {
            let (sandbox, bus, way) = (&sandbox, &bus, &way);
            scope.spawn(move || {
                let home = home(sandbox, bus);
                // A shell of its own sees the terminal after it.
                let mut shell = home.program("sh");
                let binary = env!("CARGO_BIN_EXE_msgrctl");
                shell.args([
                    "-c",
                    &format!("trap : INT; stty echo; '{binary}' account add; echo ended with $?; stty -a"),
                ]);
                let mut pty = Pty::start(&shell, 100);
                walk(&mut pty, &way[..stop]);
                question(&mut pty, way[stop].0);
                pty.send(CTRL_C);
                let before = pty.expect("ended with 130");
                let (settings, _) = pty.end();
                assert!(settings.contains(" echo ") && !settings.contains("-echo "), "{stop}: {settings}");
                let hidden = before.rfind("\u{1b}[?25l").unwrap_or_default();
                let shown = before.rfind("\u{1b}[?25h");
                assert!(hidden == 0 || shown.is_some_and(|shown| shown > hidden), "{stop}: {before:?}");
                assert!(!home.path("config/msgrctl/tenants/default/accounts.toml").exists(), "{stop}");
            });
        }
    });
    assert!(!bus.entries().contains("secret = "), "{}", bus.entries());
}

#[test]
fn a_keyring_that_locks_before_the_last_step_loses_nothing() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = home(&sandbox, &bus);
    let way = way_of_a_page_token(&page_token(&sandbox));
    let mut pty = start(&home, &["account", "add"]);
    walk(&mut pty, &way[..way.len() - 1]);
    pty.expect("What now?");
    bus.lock();
    pty.send(ENTER);
    let dialogue = [
        ("locked", ""),
        // Trying again says the same; the encrypted file takes them.
        ("Where should the secrets go?", ENTER),
        ("locked", ""),
        ("Where should the secrets go?", &*format!("{DOWN}\r")),
        ("A passphrase for the encrypted file", "correct horse battery\r"),
        ("Repeat the passphrase", "correct horse battery\r"),
    ];
    answer(&mut pty, &dialogue);
    not_now(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let home = home.with("MSGRCTL_PASSPHRASE", "correct horse battery");
    home.run(&["account", "test", "acme-support"]).code(0);
    let account = home.run(&["account", "show", "acme-support", "--json"]).json()["account"].clone();
    assert_eq!(account["secrets"][0]["source"], "file");
}

#[test]
fn a_keyring_that_never_answers_is_known_before_anything_is_typed() {
    let sandbox = sandbox();
    let bus = SilentBus::start();
    let home = Home::new()
        .with("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
        .with("MSGRCTL_PASSPHRASE", "correct horse battery");
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[("Where should the secrets go?", &format!("{DOWN}\r"))]);
    walk(&mut pty, &way_of_a_page_token(&page_token(&sandbox)));
    not_now(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    // Nobody is left to choose for: the third answer leaves.
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[("Where should the secrets go?", &format!("{DOWN}{DOWN}\r"))]);
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("nothing was saved"), "{screen}");
}

#[test]
fn where_the_settings_name_a_vault_it_is_offered_in_place_of_a_store_that_failed() {
    let Some(folder) = Folder::new() else { return };
    let sandbox = sandbox();
    let bus = SilentBus::start();
    let home = folder.use_in(Home::new().with("DBUS_SESSION_BUS_ADDRESS", &bus.address));
    let home = home.with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add", "--store", "keyring"]);
    answer(&mut pty, &[("Use Vault instead", &format!("{DOWN}{DOWN}\r"))]);
    walk(&mut pty, &way_of_a_page_token(&page_token(&sandbox)));
    not_now(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(folder.ids().len(), 1);

    // A Vault that fails offers the encrypted file, as the keyring does.
    let home = home.with("VAULT_TOKEN", "no-token");
    let mut pty = start(&home, &["account", "add"]);
    let dialogue = [("not valid", ""), ("Where should the secrets go?", &*format!("{DOWN}{DOWN}\r"))];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("Try Vault again") && screen.contains("nothing was saved"), "{screen}");
}

#[test]
fn esc_goes_a_step_back() {
    let sandbox = sandbox();
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add"]);
    let token = format!("{}\r", page_token(&sandbox));
    let dialogue = [
        // Esc while something is typed leaves nothing of it, and Ctrl-U clears the line.
        PASTE,
        ("? Page access token (not shown)", "EAAwrong\u{1b}"),
        ("? How to get the token", ESC),
        ("This is the first question", ""),
        PASTE,
        ("? Page access token (not shown)", &*format!("EAAwrong\u{15}  {token}")),
        ("Skip them", ESC),
        ("? Page access token (not shown)", &*token),
        ("Skip them", ENTER),
        ("? Callback URL", "https://wrong.example\u{1b}"),
        ("Skip them", ENTER),
        ("? Callback URL", "https://wrong.example\u{15}https://acme.example/hook\r"),
        ("https://acme.example/hook", ""),
        // From the last screen to the values, and back to the screen.
        ("What now?", ESC),
        ("Which one?", ESC),
        ("What now?", &*format!("{DOWN}{DOWN}\r")),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("left; nothing was saved"), "{screen}");
    assert!(!home.accounts_file().exists());
}

#[test]
fn without_graph_everything_is_typed_and_saved_untested_only_when_asked_to() {
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", "http://127.0.0.1:1");
    let mut pty = start(&home, &["account", "add", "Acme"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", "EAAtoken01234567890123\r"),
        ("Graph did not answer", ""),
        ("Ask Graph again", ENTER),
        ("Graph did not answer", ""),
        ("Ask Graph again", &*format!("{DOWN}\r")),
        ("Skip them", &*format!("{DOWN}\r")),
        ("? Page username", "acme.support\r"),
        ("? Page id", "letters\r"),
        ("it has digits only", "109876543210987\r"),
        ("? Callback URL", ENTER),
        ("graph.reachable", ""),
        ("Save it, untested", &*format!("{DOWN}\r")),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    home.run(&["account", "show", "acme"]).code(0).shows(&["109876543210987"]);
}

#[test]
fn an_app_that_asks_for_signed_calls_is_told_from_a_dead_token() {
    let sandbox = scenario(
        "version = 1\nrequire_app_secret = true\n[[apps]]\nid = '123456789012345'\nsecret = '0123456789abcdef0123456789abcdef'\nname = 'A'\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\ntoken = 'EAAgood0123456789012345'\n",
    );
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", "EAAgood0123456789012345\r"),
        ("asks for signed calls", ""),
        ("Skip them", ENTER),
        ("? App id", "123456789012345\r"),
        ("? App secret (not shown)", "0123456789abcdef0123456789abcdef\r"),
        ("The token is of the Page Acme", ""),
        ("? Callback URL", CTRL_C),
    ];
    answer(&mut pty, &dialogue);
    assert_eq!(pty.end().1, 130);
}

#[test]
fn an_account_is_edited_value_by_value() {
    let sandbox = sandbox();
    let Some(bus) = Bus::with_keyring() else { return };
    let home = home(&sandbox, &bus);
    home.run_with(&["account", "add", "--token-stdin"], page_token(&sandbox)).code(0);
    let (app_id, app_secret) = app(&sandbox);
    let mut pty = start(&home, &["account", "edit"]);
    let dialogue = [
        ("Which account?", "support\r"),
        ("what to change?", &*format!("{}\r", DOWN.repeat(6))),
        ("? Callback URL", "https://acme.example.com/hook\r"),
        ("Test and save the changes", &*format!("{UP}{UP}\r")),
        ("Skip them", ENTER),
        (&*format!("({app_id})"), ENTER),
        ("? App secret (not shown)", &*format!("{app_secret}\r")),
        ("Test and save the changes", &*format!("{}\r", DOWN.repeat(3))),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let account = home.run(&["account", "show", "acme-support", "--json"]).json()["account"].clone();
    assert_eq!(account["callback_url"], "https://acme.example.com/hook");
    assert_eq!(account["app_id"], app_id.as_str());
    assert!(bus.entries().contains(&app_secret));

    // Enter keeps the token, and leaving changes nothing.
    let mut pty = start(&home, &["account", "edit", "acme-support"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(3))),
        ("? Page access token (not shown)", ENTER),
        ("what to change?", &*format!("{}\r", DOWN.repeat(4))),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert_eq!(home.run(&["account", "show", "acme-support", "--json"]).json()["account"], account);
}

#[test]
fn where_a_name_is_missing_it_is_picked_from_a_list() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for arguments in [&["account", "show"][..], &["account", "test"], &["secret", "reveal"]] {
        let mut pty = start(&home, arguments);
        answer(&mut pty, &[("Which account?", ENTER)]);
        if arguments[0] == "secret" {
            answer(&mut pty, &[("Which secret?", &format!("{DOWN}{DOWN}\r"))]);
        }
        let (screen, code) = pty.end();
        assert_eq!(code, 0, "{screen}");
        home.run(arguments).code(2).says(&["NAME"]);
        let mut pty = start(&home, arguments);
        answer(&mut pty, &[("Which account?", ESC)]);
        assert_eq!(pty.end().1, 1);
    }
    let mut pty = start(&home, &["account", "rename"]);
    answer(&mut pty, &[("Which account?", ENTER), ("? Account name", "Acme Care\r")]);
    assert_eq!(pty.end().1, 0);
    home.run(&["account", "show", "Acme Care"]).code(0);
}

#[test]
fn nobody_is_asked_where_nobody_answers() {
    let sandbox = sandbox();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let plain = home.msgrctl(&["account", "add", "--no-input"]);
    let mut ci = home.msgrctl(&["account", "add"]);
    ci.env("CI", "1");
    let mut variable = home.msgrctl(&["account", "add"]);
    variable.env("MSGRCTL_NO_INPUT", "1");
    // A terminal to read keys from, and standard input that is none.
    let mut piped = home.program("sh");
    piped.args(["-c", &format!("'{}' account add </dev/null", env!("CARGO_BIN_EXE_msgrctl"))]);
    for command in [plain, ci, variable, piped] {
        let start = Instant::now();
        let (screen, code) = Pty::start(&command, 100).end();
        assert_eq!(code, 2, "{screen}");
        assert!(start.elapsed() < Duration::from_secs(5), "it waited");
        for part in ["--token-stdin", "MSGRCTL_PAGE_TOKEN", "--page-id", "--page-username", "NAME"] {
            assert!(screen.contains(part), "{part}: {screen}");
        }
    }
}

#[test]
fn yes_takes_what_is_offered_and_says_so() {
    let sandbox = sandbox();
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_PAGE_TOKEN", &page_token(&sandbox))
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    start(&home, &["account", "add", "--yes"]).screen("wizard-yes");
}

#[test]
fn a_window_that_shrinks_keeps_the_questions_whole() {
    let sandbox = many_pages();
    let home = Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[PASTE]);
    question(&mut pty, "? Page access token (not shown)");
    pty.resize(40);
    pty.send(&format!("{}\r", user_token(&sandbox)));
    answer(&mut pty, &[("Skip them", &format!("{DOWN}\r"))]);
    let list = {
        pty.expect("arrows");
        pty.send(DOWN);
        pty.expect("Acme Support 2 ")
    };
    for line in list.lines() {
        let width = console::measure_text_width(line.trim_end());
        assert!(width <= 40, "{width}: {line:?}");
    }
    pty.send(CTRL_C);
    assert_eq!(pty.end().1, 130);
}

/// What keeps the wizard from the keyring in tests that are not about it.
fn plain_home(sandbox: &InProcess) -> Home {
    Home::new()
        .with("MSGRCTL_STORE", "file")
        .with("MSGRCTL_PASSPHRASE", "correct horse battery")
        .with("MSGRCTL_GRAPH_URL", &sandbox.url())
}

#[test]
fn a_typed_secret_takes_the_place_of_a_reference() {
    let sandbox = sandbox();
    let (app_id, app_secret) = app(&sandbox);
    let home = plain_home(&sandbox)
        .with("WRONG", "0123456789abcdef0123456789abcdef")
        .with("MSGRCTL_PAGE_TOKEN", &page_token(&sandbox));
    let mut pty = start(&home, &["account", "add", "--app-secret-from", "env:WRONG", "--app-id", &app_id]);
    let dialogue = [
        // A wrong secret is no reason to refuse the token.
        ("The token is of the Page Acme Support", ""),
        ("do not belong together", ""),
        ("Keep them", &*format!("{DOWN}\r")),
        ("? App id", ENTER),
        ("? App secret (not shown)", &*format!("{app_secret}\r")),
        ("They fit", ""),
        ("? Callback URL", ENTER),
        ("Save it", ENTER),
    ];
    answer(&mut pty, &dialogue);
    no_callback(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let account = home.run(&["account", "show", "acme-support", "--json"]).json()["account"].clone();
    assert!(!account["secrets"].to_string().contains("env:"), "{account}");
    home.run(&["account", "test", "acme-support"]).code(0);
}

#[test]
fn keeping_what_was_taken_away_brings_it_back() {
    let sandbox = sandbox();
    let (app_id, app_secret) = app(&sandbox);
    let home = plain_home(&sandbox);
    home.file("token", page_token(&sandbox));
    home.file("secret", app_secret);
    let add = ["account", "add", "--token-file", "token", "--app-id", &app_id, "--app-secret-file", "secret"];
    home.run(&add).code(0);
    let before = home.run(&["account", "show", "acme-support", "--json"]).json();
    let mut pty = start(&home, &["account", "edit", "acme-support"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(4))),
        ("Remove them", &*format!("{DOWN}\r")),
        ("removed", ENTER),
        ("Keep them", &*format!("{UP}\r")),
        // Nothing is different any more, so there is nothing to save.
        ("what to change?", &*format!("{}\r", DOWN.repeat(3))),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert_eq!(code, 1, "{screen}");
    assert_eq!(home.run(&["account", "show", "acme-support", "--json"]).json(), before);

    // Replacing a secret asks once more, and no is the default.
    let mut pty = start(&home, &["account", "edit", "acme-support"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(5))),
        ("Generate one", ENTER),
        ("Test and save the changes", &*format!("{DOWN}{DOWN}\r")),
        ("Replace the verify token of 'Acme Support'?", ENTER),
        ("nothing was changed", ""),
        ("what to change?", ESC),
        ("Leave without saving the changes?", "y\r"),
    ];
    answer(&mut pty, &dialogue);
    assert_eq!(pty.end().1, 1);
    assert_eq!(home.run(&["account", "show", "acme-support", "--json"]).json(), before);
}

#[test]
fn the_app_can_be_changed_on_the_last_screen_and_esc_leaves_it_as_it_was() {
    let sandbox = sandbox();
    let (_, app_secret) = app(&sandbox);
    let home = plain_home(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    let token = format!("{}\r", page_token(&sandbox));
    let secret = format!("{app_secret}\r");
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", &*token),
        ("Skip them", &*format!("{UP}\r")),
        ("? App id", ENTER),
        ("? App secret (not shown)", &*secret),
        // Meta calls https alone: that has to be meant.
        ("? Callback URL", "http://example.com/hook\r"),
        ("is not https", ""),
        ("(y/n)", ENTER),
        ("? Callback URL", ENTER),
        ("Save it", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{}\r", DOWN.repeat(5))),
        ("Keep them", &*format!("{DOWN}\r")),
        ("? App id", ENTER),
        ("? App secret (not shown)", "0123456789abcdef0123456789abcdef\r"),
        ("do not belong together", ESC),
        // Another Page than the token's is refused when it is given.
        ("What now?", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{}\r", DOWN.repeat(2))),
        ("? Page username", "other.page\r"),
        ("the token is of the Page @acme.support", ENTER),
        ("What now?", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{}\r", DOWN.repeat(3))),
        ("? Page id", "209876543210987\r"),
        ("the token is of page 109876543210987", ESC),
        ("What now?", ENTER),
    ];
    answer(&mut pty, &dialogue);
    no_callback(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    let stored = home.run(&["secret", "reveal", "acme-support", "app-secret"]).code(0).stdout;
    assert_eq!(stored.trim(), app_secret);

    // A second account of the same Page: said, and a free name offered.
    let mut pty = start(&home, &["account", "add"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", &*format!("  \"{}\"  \r", token.trim())),
        ("this Page is already connected, by 'acme-support'", ""),
        ("Skip them", ENTER),
        ("? Callback URL", ENTER),
        ("Name               Acme Support 2", ""),
        ("What now?", &*format!("{DOWN}\r")),
        ("Which one?", ENTER),
        ("(Acme Support 2)", "acme.support!\r"),
        ("Handle             acme.support", ""),
        ("Leave without saving", CTRL_C),
    ];
    answer(&mut pty, &dialogue);
    assert_eq!(pty.end().1, 130);
}

#[test]
fn a_secret_in_the_wrong_question_does_not_stay_on_the_screen() {
    let sandbox = sandbox();
    let home = plain_home(&sandbox);
    let token = page_token(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    answer(&mut pty, &[PASTE]);
    question(&mut pty, "? Page access token (not shown)");
    pty.send(&format!("{token}\r"));
    let dialogue = [
        ("Skip them", ENTER),
        ("? Callback URL", ENTER),
        ("What now?", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{}\r", DOWN.repeat(2))),
    ];
    answer(&mut pty, &dialogue);
    question(&mut pty, "? Page username");
    pty.send(&format!("{token}\r"));
    // What was typed is taken off the screen before the reason is given.
    let typed = pty.expect("looks like a secret");
    let cleared = typed.rfind("\u{1b}[2K").expect("the line is cleared");
    assert!(!typed[cleared..].contains(&token[..12]), "{typed:?}");
    pty.send(CTRL_C);
    assert_eq!(pty.end().1, 130);
}

#[test]
fn a_refused_token_on_the_last_screen_leaves_the_good_one() {
    let sandbox = sandbox();
    let home = plain_home(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    let way = way_of_a_page_token(&page_token(&sandbox));
    walk(&mut pty, &way[..way.len() - 1]);
    let dialogue = [
        ("What now?", &*format!("{DOWN}\r")),
        ("Which one?", &*format!("{}\r", DOWN.repeat(4))),
        ("? Page access token (not shown)", "EAAwrong0123456789012345\r"),
        ("Meta refuses the token", ENTER),
        ("the token stays", ""),
        ("What now?", ENTER),
    ];
    answer(&mut pty, &dialogue);
    not_now(&mut pty);
    let (screen, code) = pty.end();
    assert_eq!(code, 0, "{screen}");
    home.run(&["account", "test", "acme-support"]).code(0);
}

#[test]
fn a_person_whose_list_of_pages_is_empty_is_helped() {
    let started = |granted: Option<&str>, more: &[&str]| {
        let sandbox = sandbox();
        sandbox.world().rules.lists_pages = false;
        for token in sandbox.world().tokens.iter_mut().filter(|token| token.kind == TokenKind::User) {
            token.targets = granted.map(|id| vec![id.to_owned()]);
        }
        let home = plain_home(&sandbox);
        let mut pty = start(&home, &[&["account", "add"], more].concat());
        answer(&mut pty, &[PASTE]);
        question(&mut pty, "? Page access token (not shown)");
        pty.send(&format!("{}\r", user_token(&sandbox)));
        pty.expect("Skip them");
        pty.send(&format!("{DOWN}\r"));
        // The home and the sandbox end with the test.
        (sandbox, home, pty)
    };
    let is_offered = |pty: &mut Pty| {
        answer(pty, &[("to search", ENTER), ("? Callback URL", CTRL_C)]);
    };
    // What was granted names the Page.
    let (_sandbox, _home, mut pty) = started(Some(PAGE_ID), &[]);
    is_offered(&mut pty);
    assert_eq!(pty.end().1, 130);
    // The id that was given does.
    let (_sandbox, _home, mut pty) = started(None, &["--page-id", PAGE_ID]);
    is_offered(&mut pty);
    assert_eq!(pty.end().1, 130);
    // The id that is typed does, once it is one.
    let (_sandbox, _home, mut pty) = started(None, &[]);
    answer(&mut pty, &[("lists no Page", ""), ("? Page id", "acme\r"), ("Page id", &format!("{PAGE_ID}\r"))]);
    is_offered(&mut pty);
    assert_eq!(pty.end().1, 130);
    // None is typed, or one that the token does not reach: the reason, and the question again.
    for typed in [ENTER, "222222222222222\r"] {
        let (_sandbox, _home, mut pty) = started(None, &[]);
        let again = [("? Page id", typed), ("none was ticked", ""), ("? How to get the token", CTRL_C)];
        answer(&mut pty, &again);
        assert_eq!(pty.end().1, 130);
    }
}

/// Its own Page is not another account's, and a token that is pasted into a list goes nowhere.
#[test]
fn an_edited_account_takes_the_token_of_its_own_page() {
    let sandbox = many_pages();
    let home = plain_home(&sandbox);
    let page = sandbox.world().pages[7].id.clone();
    let token = sandbox.world().page_token(&page).unwrap().value.clone();
    home.run_with(&["account", "add", "Acme", "--token-stdin"], token).code(0);
    let mut pty = start(&home, &["account", "edit", "acme"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(3))),
        ("? Page access token (not shown)", &*format!("{}\r", user_token(&sandbox))),
        ("120 Pages", ENTER),
        ("Test and save the changes", &*format!("{}\r", DOWN.repeat(4))),
        ("Replace the page access token of 'Acme'?", "y\r"),
    ];
    answer(&mut pty, &dialogue);
    let (screen, code) = pty.end();
    assert!(code == 0 && !screen.contains("already connected, by"), "{code} {screen}");

    let mut pty = start(&home, &["account", "edit", "acme"]);
    pty.expect("what to change?");
    pty.send("EAAq0123456789EAAq0123456789\r");
    let (screen, code) = pty.end();
    assert!(code == 1 && screen.contains("left; nothing was saved"), "{code} {screen}");
}

/// A token that is pasted into a list to search is not shown, and Ctrl-C leaves nothing of a line.
#[test]
fn a_token_in_the_wrong_list_or_line_does_not_stay_on_the_screen() {
    let sandbox = many_pages();
    let home = plain_home(&sandbox);
    for at in 0..2 {
        let page = sandbox.world().pages[at].id.clone();
        let token = sandbox.world().page_token(&page).unwrap().value.clone();
        home.run_with(&["account", "add", &format!("Acme {at}"), "--token-stdin"], token).code(0);
    }
    let token = page_token(&sandbox);
    let mut pty = start(&home, &["account", "show"]);
    pty.expect("Which account?");
    pty.send(&token);
    pty.expect("nothing matches");
    pty.send("\u{1b}");
    let (screen, code) = pty.end();
    assert!(code == 1 && !screen.contains(&token[..12]), "{screen}");
    let mut pty = start(&home, &["account", "rename", "acme-0"]);
    pty.expect("name");
    pty.send(&token[..30]);
    pty.expect(&token[20..30]);
    pty.send("\u{3}");
    let (screen, code) = pty.end();
    assert!(code == 130 && screen.contains("\u{1b}[2K"), "{screen:?}");
}
