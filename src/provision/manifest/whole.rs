//! All files of a manifest together: checks that they agree.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::account::Draft;
use super::file::File;
use super::keys::TIMEOUTS;
use super::place::{At, shown};
use super::reader::{Reader, Spot};
use super::{Manifest, Wanted, WantedSettings};
use crate::accounts::{CallbackUrl, TenantName};
use crate::graph::endpoints::subscription::same_callback;
use crate::messages::{Timeout, Timeouts};

/// Joins the files and reports what does not fit together.
pub(super) fn join(reader: &mut Reader<'_>, files: Vec<File>) -> Manifest {
    let tenant = tenant(reader, &files);
    let mut timeouts: [Option<Spot<Timeout>>; 4] = Default::default();
    let mut texts = BTreeMap::new();
    let mut accounts = Vec::new();
    for file in files {
        for ((name, timeout), first) in TIMEOUTS.into_iter().zip(file.timeouts).zip(&mut timeouts) {
            if let Some(timeout) = timeout {
                agree(reader, name, first, timeout);
            }
        }
        for (event, text) in file.texts {
            let mut first = texts.remove(&event);
            agree(reader, event.id(), &mut first, text);
            texts.extend(first.map(|first| (event, first)));
        }
        accounts.extend(file.accounts);
    }
    check_names(reader, &accounts);
    check_callbacks(reader, &accounts);
    check_pages(reader, &accounts);
    let [messenger, web, agent_ramp_up, outbound] = timeouts.map(|spot| spot?.value);
    Manifest {
        tenant,
        chat_settings: WantedSettings {
            timeouts: Timeouts { messenger, web, agent_ramp_up, outbound },
            messages: texts.into_iter().filter_map(|(event, spot)| Some((event, spot.value?))).collect(),
        },
        accounts: accounts.into_iter().filter_map(|draft| wanted(reader, draft)).collect(),
        doubts: Vec::new(),
    }
}

fn wanted(reader: &Reader<'_>, draft: Draft) -> Option<Wanted> {
    let shared = draft.shared;
    Some(Wanted {
        place: reader.place(draft.at),
        name: draft.name?.value?,
        handle: draft.handle.and_then(|spot| spot.value),
        channel: shared.channel.and_then(|spot| spot.value).unwrap_or_default(),
        page_username: draft.page_username.and_then(|spot| spot.value),
        page_id: draft.page_id.and_then(|spot| spot.value),
        token: draft.token.and_then(|spot| spot.value),
        app_id: shared.app_id.and_then(|spot| spot.value),
        app_secret: shared.app_secret.and_then(|spot| spot.value),
        callback_url: shared.callback_url.and_then(|spot| spot.value),
        verify_token: shared.verify_token.and_then(|spot| spot.value),
        fields: shared.fields.and_then(|spot| spot.value),
        messages: shared.messages.into_iter().filter_map(|(event, spot)| Some((event, spot.value?))).collect(),
    })
}

fn tenant(reader: &mut Reader<'_>, files: &[File]) -> Option<TenantName> {
    let mut first: Option<(At, &TenantName)> = None;
    for spot in files.iter().filter_map(|file| file.tenant.as_ref()) {
        let Some(tenant) = &spot.value else { continue };
        match first {
            Some((at, known)) if known != tenant => {
                let place = reader.place(at);
                let message =
                    format!("the tenant is '{tenant}' here and '{known}' at {place}: a manifest is for one tenant");
                reader.wrong(spot.at, message);
            }
            Some(_) => {}
            None => first = Some((spot.at, tenant)),
        }
    }
    first.map(|(_, tenant)| tenant.clone())
}

/// Keeps the first value of a setting; a different one is a mistake.
fn agree<T: PartialEq>(reader: &mut Reader<'_>, what: &str, first: &mut Option<Spot<T>>, other: Spot<T>) {
    let Some(known) = first else {
        *first = Some(other);
        return;
    };
    if let (Some(value), Some(new)) = (&known.value, &other.value)
        && value != new
    {
        let place = reader.place(known.at);
        reader.wrong(other.at, format!("chat_settings set '{what}' differently at {place}"));
    }
}

/// The earlier value of this key; if there is none, adds this one.
fn earlier<K: Eq + Hash, V>(known: &mut HashMap<K, V>, key: K, value: V) -> Option<&V> {
    match known.entry(key) {
        Entry::Occupied(first) => Some(&*first.into_mut()),
        Entry::Vacant(place) => {
            place.insert(value);
            None
        }
    }
}

/// Names and handles must be unique, and no name may be another account's handle: it would be
/// unclear which account is meant.
fn check_names(reader: &mut Reader<'_>, accounts: &[Draft]) {
    let mut names: HashMap<String, At> = HashMap::new();
    let mut handles: HashMap<&str, (usize, At)> = HashMap::new();
    for (number, draft) in accounts.iter().enumerate() {
        if let Some(Spot { at, value: Some(handle) }) = &draft.handle
            && let Some((_, first)) = earlier(&mut handles, handle.as_str(), (number, *at))
        {
            let place = reader.place(*first);
            reader.wrong(*at, format!("another account has the handle '{handle}' too, at {place}"));
        }
        if let Some(Spot { at, value: Some(name) }) = &draft.name
            && let Some(first) = earlier(&mut names, name.as_str().to_lowercase(), *at)
        {
            let (place, shown) = (reader.place(*first), shown(name.as_str()));
            reader.wrong(*at, format!("another account has the name {shown} too, at {place}"));
        }
    }
    for (number, draft) in accounts.iter().enumerate() {
        let Some(Spot { at, value: Some(name) }) = &draft.name else { continue };
        let Some((other, handle)) = handles.get(name.as_str().to_lowercase().as_str()) else { continue };
        if *other != number {
            let (place, shown) = (reader.place(*handle), shown(name.as_str()));
            reader.wrong(*at, format!("the name {shown} is the handle of another account, at {place}"));
        }
    }
}

/// An app has one callback for all of its Pages.
fn check_callbacks(reader: &mut Reader<'_>, accounts: &[Draft]) {
    let mut apps: HashMap<&str, (&CallbackUrl, At)> = HashMap::new();
    for draft in accounts {
        let (Some(app_id), Some(spot)) = (&draft.shared.app_id, &draft.shared.callback_url) else { continue };
        let (Some(app_id), Some(url)) = (&app_id.value, &spot.value) else { continue };
        if let Some((known, at)) = earlier(&mut apps, app_id.as_str(), (url, spot.at))
            && !same_callback(known.as_str(), url.as_str())
        {
            let place = reader.place(*at);
            let message =
                format!("app {app_id} has another callback URL at {place}: an app has one for all of its Pages");
            reader.wrong(spot.at, message);
        }
    }
}

/// Two accounts of one Page are allowed, but odd.
fn check_pages(reader: &mut Reader<'_>, accounts: &[Draft]) {
    let mut pages: HashMap<&str, At> = HashMap::new();
    for draft in accounts {
        let Some(Spot { at, value: Some(page_id) }) = &draft.page_id else { continue };
        if let Some(first) = earlier(&mut pages, page_id.as_str(), *at) {
            let place = reader.place(*first);
            reader.doubt(*at, &format!("another account has the Page {page_id} too, at {place}"), "");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::tests::good;
    use super::super::{Text, read};

    fn of_two(first: &str, second: &str) -> Vec<String> {
        let text = |file, text| Text { file, directory: Path::new("/"), text };
        let (first, second) = (format!("version: 1\n{first}"), format!("version: 1\n{second}"));
        let found = read(&[text("a.yaml", &first), text("b.yaml", &second)]);
        found.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accounts_are_told_apart_by_names_and_handles() {
        let found = of_two("accounts: [{name: Acme, handle: acme-1}]", "accounts: [{name: aCME}]");
        assert_eq!(found, ["b.yaml:2:19: another account has the name 'aCME' too, at a.yaml:2:19"]);
        let found = of_two("accounts: [{name: A, handle: a}]", "accounts: [{name: B, handle: a}]");
        assert_eq!(found, ["b.yaml:2:30: another account has the handle 'a' too, at a.yaml:2:30"]);
        let found = of_two("accounts: [{name: A-1}]", "accounts: [{name: B, handle: a-1}]");
        assert_eq!(found, ["a.yaml:2:19: the name 'A-1' is the handle of another account, at b.yaml:2:30"]);
        assert_eq!(of_two("accounts: [{name: a-1, handle: a-1}]", ""), [""; 0]);
    }

    #[test]
    fn an_app_has_one_callback() {
        let account = |name: &str, url: &str| {
            format!("accounts: [{{name: {name}, app: {{id: '12345'}}, webhook: {{callback_url: '{url}'}}}}]")
        };
        let found = of_two(&account("A", "https://a.example.com"), &account("B", "https://b.example.com"));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("app 12345 has another callback URL at a.yaml:2:"), "{found:?}");
        assert!(of_two(&account("A", "https://a.example.com"), &account("B", "https://a.example.com/")).is_empty());
    }

    #[test]
    fn files_agree_on_the_tenant_and_its_settings() {
        assert!(of_two("tenant: acme", "tenant: acme").is_empty());
        assert!(of_two("tenant: acme", "tenant: other")[0].contains("'other' here and 'acme' at a.yaml:2:9"));
        let settings = |text: &str| format!("chat_settings: {{{text}}}");
        assert!(of_two(&settings("web_timeout: 60m"), &settings("web_timeout: 1h")).is_empty());
        let found = of_two(&settings("web_timeout: 60m"), &settings("web_timeout: 2h"));
        assert_eq!(found, ["b.yaml:2:30: chat_settings set 'web_timeout' differently at a.yaml:2:30"]);
        let said = |text: &str| settings(&format!("messages: {{session-ended: {text}}}"));
        assert_eq!(of_two(&said("Bye"), &said("disabled")).len(), 1);
    }

    #[test]
    fn two_accounts_of_one_page_are_odd() {
        let text = "version: 1\naccounts: [{name: A, page_id: '12345'}, {name: B, page_id: '12345'}]\n";
        let doubts = good(text).doubts;
        assert!(doubts[0].to_string().contains("another account has the Page 12345 too, at a.yaml:2:31"), "{doubts:?}");
    }
}
