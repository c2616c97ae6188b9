//! The wizard's screens as they stand when it has ended: what it asked and was told, and
//! what came of it.

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};

use crate::support::Home;
use crate::support::world::{acme, app, page_token, sandbox, scenario};
use crate::wizard::{CTRL_C, DOWN, ENTER, ESC, PASTE, answer, not_now, start, walk, way_of_a_page_token};

fn home(sandbox: &InProcess) -> Home {
    Home::new().with("MSGRCTL_STORE", "file").with_key_file().with("MSGRCTL_GRAPH_URL", &sandbox.url())
}

#[test]
fn an_account_is_added() {
    let sandbox = sandbox();
    let home = home(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    walk(&mut pty, &way_of_a_page_token(&page_token(&sandbox)));
    not_now(&mut pty);
    pty.screen("wizard-add");
}

#[test]
fn a_page_is_chosen_from_those_of_a_person() {
    let sandbox = InProcess::start(World::with_pages(3, Clock::system())).unwrap();
    let home = home(&sandbox);
    let (app_id, app_secret) = app(&sandbox);
    let user = sandbox.world().user_token().unwrap().value.clone();
    let mut pty = start(&home, &["account", "add"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", &*format!("{user}\r")),
        ("Skip them", ENTER),
        (&format!("({app_id})"), ENTER),
        ("? App secret (not shown)", &format!("{app_secret}\r")),
        ("to search", &format!("{DOWN}\r")),
        ("? Callback URL", CTRL_C),
    ];
    answer(&mut pty, &dialogue);
    pty.screen("wizard-add-from-a-list");
}

#[test]
fn what_is_wrong_is_said_and_asked_again() {
    let sandbox = scenario(
        "version = 1\n[[pages]]\nid = '109876543210987'\nusername = 'acme.support'\nname = 'Acme'\n\
         token = 'EAAdead0123456789012345'\ntoken_state = 'password_changed'\n",
    );
    let home = home(&sandbox);
    let mut pty = start(&home, &["account", "add"]);
    let dialogue = [
        PASTE,
        ("? Page access token (not shown)", ENTER),
        ("nothing was pasted", "EAA with a space\r"),
        ("has white space inside", "EAAdead0123456789012345\r"),
        ("changed their password", CTRL_C),
    ];
    answer(&mut pty, &dialogue);
    pty.screen("wizard-add-refused-token");
}

#[test]
fn an_account_is_edited_and_left_alone() {
    let sandbox = sandbox();
    let home = home(&sandbox);
    home.file("token", page_token(&sandbox));
    home.run(&["account", "add", "--token-file", "token"]).code(0);
    let mut pty = start(&home, &["account", "edit", "acme-support"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(6))),
        ("? Callback URL", "https://acme.example.com/hook\r"),
        ("Test and save the changes", &*format!("{DOWN}\r")),
    ];
    answer(&mut pty, &dialogue);
    pty.screen("wizard-edit");
    let mut pty = start(&home, &["account", "edit", "acme-support"]);
    let dialogue = [
        ("what to change?", &*format!("{}\r", DOWN.repeat(5))),
        ("Generate one", ENTER),
        ("Test and save the changes", ESC),
        ("Leave without saving the changes?", "y\r"),
    ];
    answer(&mut pty, &dialogue);
    pty.screen("wizard-edit-left");
}

#[test]
fn questions_of_other_commands() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let mut pty = start(&home, &["account", "remove"]);
    answer(&mut pty, &[("Which account?", ENTER), ("Remove the account 'Acme' and its secrets?", ENTER)]);
    pty.screen("wizard-remove-declined");
    let mut pty = start(&home, &["undo"]);
    answer(&mut pty, &[("Undo 'account add'", "yes\r")]);
    pty.screen("wizard-undo");
}
