//! The handover as one HTML page that loads nothing and has a copy button for each value.
//!
//! A secret is in a closed `details` and can be copied without opening it. The page works
//! without the script; links are plain text.
//! Reading works without the script; links stand there as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::render::SANDBOX;
use super::sheet::{Entry, Kind, Message, Sheet};
use super::steps::StepState;
use crate::text::{harmless, in_markup};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn html(sheet: &Sheet<'_>) -> String {
    let mut page = Page::default();
    let title = format!("Handover of {}", in_markup(&harmless(sheet.account)));
    page.add(&format!("<h1>Handover of <bdi>{}</bdi></h1>", in_markup(&harmless(sheet.account))));
    if sheet.has_secrets() {
        page.add("<p class=\"alarm\">This page holds secrets: anyone who has the file can use them. Delete it once the values are entered.</p>");
    }
    if sheet.graph == "sandbox" {
        page.paragraph("alarm", SANDBOX);
    }

    page.heading("Before you begin");
    let prerequisites: Vec<String> =
        sheet.prerequisites.iter().map(|text| format!("<li>{}</li>", in_markup(text))).collect();
    page.add(&format!("<ul>{}</ul>", prerequisites.concat()));

    page.heading("Into the contact centre's form");
    page.paragraph("place", sheet.form_place);
    page.fields(&sheet.form);

    page.heading("Into the account's tab System Messages");
    page.paragraph("place", &format!("In {}", sheet.messages_place));
    page.messages(&sheet.messages);

    page.heading("Into the Meta app");
    page.paragraph("place", sheet.meta_app.place);
    let address = page.copied("Address at Meta", &sheet.meta_app.address);
    page.add(&format!("<dl><div><dt>Address at Meta</dt><dd>{address}</dd></div></dl>"));
    page.fields(&sheet.meta_app.form);

    page.heading("Until a customer reaches an agent");
    page.add("<ol>");
    sheet.steps.iter().for_each(|step| page.step(step));
    page.add("</ol>");
    page.end(sheet);
    framed(&title, &page.body)
}

fn framed(title: &str, body: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; \
         script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         <p id=\"status\" class=\"unseen\" role=\"status\"></p>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

#[derive(Default)]
struct Page {
    body: String,
    /// How many values can be copied so far.
    values: usize,
}

impl Page {
    fn add(&mut self, markup: &str) {
        self.body.push_str(markup);
        self.body.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.add(&format!("<h2>{}</h2>", in_markup(text)));
    }

    fn paragraph(&mut self, class: &str, text: &str) {
        self.add(&format!("<p class=\"{class}\">{}</p>", in_markup(&harmless(text))));
    }

    fn fields(&mut self, entries: &[Entry]) {
        self.add("<dl>");
        for entry in entries {
            let mut value = match entry.kind {
                Kind::Value => self.copied(entry.field, &entry.value),
                Kind::Secret => self.hidden(entry.field, &entry.value),
                Kind::Masked => format!("<code>{}</code>", in_markup(&harmless(&entry.value))),
                Kind::Words => format!("<span>{}</span>", in_markup(&entry.value)),
            };
            if let Some(text) = entry.note {
                value += &note(text);
            }
            if let Some(command) = &entry.reveal_with {
                value += &note("To copy it, run");
                value += &self.copied(&format!("the command that prints {}", entry.field), command);
            }
            self.add(&format!("<div><dt>{}</dt><dd>{value}</dd></div>", in_markup(entry.field)));
        }
        self.add("</dl>");
    }

    fn messages(&mut self, messages: &[Message]) {
        self.add("<dl>");
        for message in messages {
            let (label, when) = (in_markup(message.label), in_markup(message.when));
            let text = message.text.as_ref().map(|text| self.copied(message.label, text)).unwrap_or_default();
            self.add(&format!(
                "<div><dt>{label}</dt><dd><span>{}</span>{text}<p class=\"note\">Sent when {when}</p></dd></div>",
                in_markup(&message.choice())
            ));
        }
        self.add("</dl>");
    }

    fn step(&mut self, step: &StepState) {
        let (class, mark, state) =
            if step.done { ("step done", "\u{2611}", "proved") } else { ("step", "\u{2610}", "not proved") };
        self.add(&format!(
            "<li class=\"{class}\"><span class=\"mark\" aria-hidden=\"true\">{mark}</span>{}. {} <span class=\"state note\">({state})</span>",
            step.number,
            in_markup(step.text)
        ));
        step.found.iter().for_each(|fact| self.add(&note(&harmless(fact))));
        if !step.done {
            self.paragraph("place", &format!("Where: {}", step.place));
            if let Some(command) = &step.command {
                let command = self.copied(&format!("the command of step {}", step.number), command);
                self.add(&command);
            }
        }
        self.add("</li>");
    }

    fn end(&mut self, sheet: &Sheet<'_>) {
        let made = sheet.made_at.strftime("%Y-%m-%d %H:%M UTC");
        let reveal = sheet.reveal_with.as_ref();
        let masked = reveal.map(|command| format!(" Secrets are masked; {command} --html FILE shows them."));
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "Made by msgrctl {version} on {made}; what is proved was proved then.{}",
            masked.unwrap_or_default()
        );
        self.add(&format!("<footer><p>{}</p></footer>", in_markup(&text)));
    }

    fn copied(&mut self, name: &str, value: &str) -> String {
        let lines: Vec<String> = value.split('\n').map(harmless).collect();
        let id = self.next_id();
        format!(
            "<div class=\"copied\"><code id=\"{id}\">{}</code>{}</div>",
            in_markup(&lines.join("\n")),
            button(&id, name)
        )
    }

    /// A secret, unchanged, with its two buttons.
    fn hidden(&mut self, name: &str, value: &str) -> String {
        let (id, named) = (self.next_id(), in_markup(name));
        format!(
            "<div class=\"copied\"><details><summary><span class=\"closed\">Show</span><span class=\"open\">Hide</span>\
             <span class=\"unseen\"> {named}</span><span class=\"paper\">not shown</span></summary><code id=\"{id}\">{}</code></details>{}</div>",
            in_markup(value),
            button(&id, name)
        )
    }

    fn next_id(&mut self) -> String {
        self.values += 1;
        format!("value-{}", self.values)
    }
}

fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>", in_markup(text))
}

/// Copies the text of the element `id`; the script unhides the button.
fn button(id: &str, name: &str) -> String {
    let name = in_markup(name);
    format!(
        "<button type=\"button\" data-copy=\"{id}\" data-name=\"{name}\" aria-label=\"Copy {name}\" hidden>Copy</button>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_makes_no_markup() {
        let markup = "</code><script>alert('x')</script>&amp;\" onclick=\"x";
        let copied = Page::default().copied("a \"name\"", markup);
        assert!(!copied.contains("<script>") && !copied.contains("\" onclick"), "{copied}");
        assert!(copied.contains("&lt;/code&gt;&lt;script&gt;") && copied.contains("&amp;amp;&quot;"), "{copied}");
        assert!(copied.contains("data-name=\"a &quot;name&quot;\""), "{copied}");
        assert!(Page::default().copied("x", "a\u{202e}b\nc\u{1b}").contains(">ab\nc <"));
    }

    #[test]
    fn the_policy_lets_in_what_is_on_the_page_and_nothing_else() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"), "it would end its own element");
        for part in [STYLE, SCRIPT] {
            assert!(!part.contains("url(") && !part.contains("@import") && !part.contains("http"));
        }
        let page = framed("x", "");
        assert_eq!(page.matches("sha256-").count(), 2);
        assert!(page.contains("default-src 'none'") && !page.contains("unsafe-inline"));
    }
}
