//! A browser without a window: opens the sandbox's login dialog, fills its form in, and follows
//! the redirect no further than its address.

use std::fmt::Write as _;

use url::Url;
use url::form_urlencoded::Serializer;

use crate::sandbox::ask_literally;

/// What the dialog answers.
#[derive(Debug)]
pub enum Shown {
    Page { status: u16, html: String },
    Redirect(Url),
}

/// One step of the dialog at `origin` (`http://127.0.0.1:PORT`).
pub fn step(origin: &str, method: &str, path: &str, body: &str) -> Shown {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, head, html) = ask_literally(origin, method, path, &form, body);
    let location = head.lines().find_map(|line| line.strip_prefix("location: "));
    match location {
        Some(location) => Shown::Redirect(location.parse().unwrap()),
        None => Shown::Page { status, html },
    }
}

/// Opens the dialog with these parameters.
pub fn open(origin: &str, parameters: &[(&str, &str)]) -> Shown {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    step(origin, "GET", &format!("/v26.0/dialog/oauth?{query}"), "")
}

impl Shown {
    /// The page; panics at a redirect.
    #[track_caller]
    pub fn page(self) -> String {
        match self {
            Self::Page { html, .. } => html,
            Self::Redirect(url) => panic!("a redirect to {url}"),
        }
    }

    /// The redirect's parameters, of its query or its fragment.
    #[track_caller]
    pub fn answer(self) -> Vec<(String, String)> {
        let url = match self {
            Self::Redirect(url) => url,
            Self::Page { status, html } => panic!("{status}, a page: {html}"),
        };
        let fragment = url.fragment().filter(|fragment| *fragment != "_=_");
        let text = fragment.or(url.query()).unwrap_or_default();
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    /// One of them.
    #[track_caller]
    pub fn parameter(self, name: &str) -> String {
        let answer = self.answer();
        let found = answer.iter().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("no {name} in {answer:?}")).1.clone()
    }
}

/// The attributes of an element, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..start + tag[start..].find('"')?];
    let plain = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(plain.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The form's inputs: type, name, value, and whether it is ticked.
pub fn inputs(html: &str) -> Vec<(String, String, String, bool)> {
    let tags = html.split("<input").skip(1).map(|rest| &rest[..rest.find('>').unwrap()]);
    let read = |tag: &str| {
        let text = |name| attribute(tag, name).unwrap_or_default();
        (text("type"), text("name"), text("value"), tag.contains(" checked"))
    };
    tags.map(read).collect()
}

/// Sends the form of a page with its hidden fields, these choices, and a button. Without a choice
/// for a name, what is ticked on the page stays.
pub fn submit(origin: &str, html: &str, choices: &[(&str, &str)], action: &str) -> Shown {
    let path = attribute(&html[html.find("<form").expect("a form")..], "action").unwrap();
    let mut form = Serializer::new(String::new());
    for (kind, name, value, ticked) in inputs(html) {
        if kind == "hidden" || ticked && !choices.iter().any(|(chosen, _)| *chosen == name) {
            form.append_pair(&name, &value);
        }
    }
    form.extend_pairs(choices.iter().filter(|(_, value)| !value.is_empty()));
    let mut body = form.finish();
    write!(body, "&action={action}").unwrap();
    step(origin, "POST", &path, &body)
}
