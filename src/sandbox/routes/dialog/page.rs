//! The dialog's pages: plain HTML that loads nothing and runs nothing, one form each.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::refusal::Refused;
use super::{Answer, BASIC, Call, Dialog, User, World, pages_of};
use crate::sandbox::apps::LoginError;
use crate::text::in_markup;

const STYLE: &str = include_str!("page.css");

/// What the form hands on of the parameters that the dialog was opened with.
const HANDED_ON: [&str; 12] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "override_default_response_type",
    "config_id",
    "scope",
    "auth_type",
    "display",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

/// A page with a status.
pub(super) fn answer(status: u16, html: String) -> Answer {
    Answer { status, raw: Some(html), is_web: true, ..Answer::ok(serde_json::Value::Null) }
}

/// Back to the app.
pub(super) fn redirect(target: String) -> Answer {
    Answer { headers: vec![("location", target)], ..answer(302, String::new()) }
}

/// The page with the person, the Pages and the permissions. `user` is the one who logs in, if
/// that is known.
pub(super) fn form(world: &World, call: &Call, dialog: &Dialog, user: Option<&User>) -> String {
    let app = in_markup(&dialog.app.name);
    let mut body = format!("<h1>Log in to {app}</h1>\n{}", opening(call));
    match user {
        Some(user) => {
            let (id, name) = (in_markup(&user.id), in_markup(&user.name));
            let _ = writeln!(
                body,
                "<input type=\"hidden\" name=\"person\" value=\"{id}\">\n<p>Continue as <b>{name}</b></p>"
            );
        }
        None => {
            fieldset(&mut body, "Continue as", |body| {
                for (at, user) in world.users.iter().enumerate() {
                    choice(body, "radio", "person", &user.id, at == 0, &user.name, "");
                }
            });
        }
    }
    let grant = user.or(world.users.first()).and_then(|user| world.grant(&dialog.app.id, &dialog.holder(user)));
    if dialog.has_pages() {
        let all = grant.is_some_and(|grant| grant.pages.is_none());
        let ticked: HashSet<&str> =
            grant.and_then(|grant| grant.pages.as_ref()).into_iter().flatten().map(String::as_str).collect();
        fieldset(&mut body, &format!("Pages that {app} can use"), |body| {
            choice(body, "radio", "pages", "all", all, "Opt in to all current and future Pages", "");
            choice(body, "radio", "pages", "current", !all, "Opt in to current Pages only:", "");
            for page in user.map_or_else(|| every_page(world), |user| pages_of(world, user)) {
                choice(
                    body,
                    "checkbox",
                    "page",
                    &page.id,
                    all || ticked.contains(page.id.as_str()),
                    &page.name,
                    &page.id,
                );
            }
        });
    }
    fieldset(&mut body, &format!("What {app} can do"), |body| {
        if !dialog.is_classic() {
            body.push_str("<p>These permissions are granted together.</p>\n<ul>\n");
            for permission in &dialog.permissions {
                let _ = writeln!(body, "<li>{}</li>", in_markup(permission));
            }
            body.push_str("</ul>\n");
            return;
        }
        for permission in &dialog.permissions {
            if permission == BASIC {
                let _ = writeln!(body, "<p>{BASIC} <small>(required)</small></p>");
                continue;
            }
            let declined = grant.is_some_and(|grant| grant.declined.contains(permission));
            choice(body, "checkbox", "permission", permission, !declined, permission, "");
        }
    });
    let name = user.map(|user| format!(" as {}", in_markup(&user.name))).unwrap_or_default();
    let _ = writeln!(
        body,
        "<button class=\"main\" type=\"submit\" name=\"action\" value=\"continue\">Continue{name}</button>\n<button type=\"submit\" name=\"action\" value=\"cancel\">Cancel</button>\n</form>"
    );
    framed(&format!("Log in to {app}"), &body)
}

/// The Pages of all people; the chosen one gets those that are theirs.
fn every_page(world: &World) -> Vec<&super::Page> {
    world.pages.iter().filter(|page| !page.tasks.is_empty()).collect()
}

/// The page on which a dialog ends.
pub(super) fn refusal(call: &Call, refused: &Refused) -> String {
    let (title, text) = refused.words();
    let (title, text) = (in_markup(title), in_markup(&text));
    let mut body = format!("<h1>{title}</h1>\n<p>{text}</p>\n");
    if matches!(refused, Refused::Login(LoginError::SomethingWentWrong)) {
        body.push_str(&opening(call));
        body.push_str("<button class=\"main\" type=\"submit\" name=\"action\" value=\"continue\">Back to the app</button>\n</form>\n");
    }
    framed(&title, &body)
}

/// The form's beginning, with what it hands on.
fn opening(call: &Call) -> String {
    let version = call.version.map(|(major, minor)| format!("/v{major}.{minor}")).unwrap_or_default();
    let mut form = format!("<form method=\"post\" action=\"{version}/dialog/oauth\">\n");
    for name in HANDED_ON {
        if let Some(value) = call.parameter(name) {
            let _ = writeln!(form, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", in_markup(value));
        }
    }
    form
}

fn fieldset(body: &mut String, legend: &str, fill: impl FnOnce(&mut String)) {
    let _ = writeln!(body, "<fieldset>\n<legend>{legend}</legend>");
    fill(body);
    body.push_str("</fieldset>\n");
}

/// A radio button or checkbox; `more` follows its label in small letters.
fn choice(body: &mut String, kind: &str, name: &str, value: &str, ticked: bool, label: &str, more: &str) {
    let (value, label, more) = (in_markup(value), in_markup(label), in_markup(more));
    let ticked = if ticked { " checked" } else { "" };
    let more = if more.is_empty() { String::new() } else { format!(" <small>{more}</small>") };
    let _ = writeln!(
        body,
        "<label><input type=\"{kind}\" name=\"{name}\" value=\"{value}\"{ticked}> <bdi>{label}</bdi>{more}</label>"
    );
}

fn framed(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<p class=\"note\">This is the msgrctl sandbox on this machine, not Meta. No password is needed.</p>\n{body}</main>\n</body>\n</html>\n"
    )
}
