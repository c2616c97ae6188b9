//! `/me/messenger_profile`: what a person sees before the first message (graph/FACTS.md,
//! "Messenger Profile"), and `/me/custom_user_settings`, the same for one person.

use serde_json::{Map, Value, json};

use super::{Answer, Answered, Call, Refusal, World, of_page, recipient_of, unsupported, without_nulls};
use super::{at_most, bad, bad_with, is_url, list, need, need_value, one_of, required};

/// The readable properties, mostly in the order of Graph's own error.
const FIELDS: &[&str] = &[
    "get_started",
    "persistent_menu",
    "target_audience",
    "whitelisted_domains",
    "greeting",
    "account_linking_url",
    "payment_settings",
    "home_url",
    "ice_breakers",
    "commands",
    "description",
    "title",
    "subject_to_new_eu_privacy_rules",
    "platform",
];
/// The settable properties.
const PROPERTIES: &[&str] = FIELDS.split_at(12).0;

const GREETING: usize = 160;
const PAYLOAD: usize = 1_000;
const MENU_ITEMS: usize = 20;
const MENU_TITLE: usize = 30;
const QUESTIONS: usize = 4;
const DOMAINS: usize = 50;

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    let (_, page_id) = of_page(world, call, node)?;
    match call.method.as_str() {
        "GET" => {
            let set = world.profiles.get(&page_id);
            let wanted = fields(call)?.unwrap_or_else(|| PROPERTIES.iter().copied().map(str::to_owned).collect());
            let mut shown = Map::new();
            for name in &wanted {
                let value = match name.as_str() {
                    "subject_to_new_eu_privacy_rules" => Some(false.into()),
                    name => set.and_then(|set| set.get(name)).cloned(),
                };
                shown.extend(value.map(|value| (name.clone(), value)));
            }
            let data = if shown.is_empty() { json!([]) } else { json!([shown]) };
            Ok(Answer::ok(json!({ "data": data })))
        }
        "POST" => {
            let new: Vec<(&str, Value)> =
                PROPERTIES.iter().filter_map(|name| Some((*name, call.value(name)?))).collect();
            if new.is_empty() {
                return Err(bad(format!("Requires one of the params: {}", PROPERTIES[..8].join(","))));
            }
            let mut changed = world.profiles.get(&page_id).cloned().unwrap_or_default();
            for (name, value) in new {
                check(name, &value)?;
                changed.insert(name.into(), value);
            }
            consistent(&changed)?;
            world.profiles.insert(page_id, changed);
            Ok(success())
        }
        "DELETE" => {
            let fields = fields(call)?.ok_or_else(|| required("fields"))?;
            let mut changed = world.profiles.get(&page_id).cloned().unwrap_or_default();
            changed.retain(|name, _| !fields.contains(name));
            consistent(&changed)?;
            world.profiles.insert(page_id, changed);
            Ok(success())
        }
        method => Err(unsupported(method, node)),
    }
}

fn success() -> Answer {
    Answer::ok(json!({"result": "success"}))
}

/// Names in any case: Meta's own SDK writes them in upper case.
fn fields(call: &Call) -> Result<Option<Vec<String>>, Refusal> {
    let Some(fields) = call.list("fields") else { return Ok(None) };
    let fields: Vec<String> = fields.iter().map(|field| field.to_lowercase()).collect();
    for (at, field) in fields.iter().enumerate() {
        one_of(&format!("fields[{at}]"), field, FIELDS)?;
    }
    Ok(Some(fields))
}

fn consistent(profile: &Map<String, Value>) -> Result<(), Refusal> {
    if profile.contains_key("persistent_menu") && !profile.contains_key("get_started") {
        return Err(bad_with(2_018_145, "You must set a Get Started button if you also wish to use persistent menu."));
    }
    Ok(())
}

fn check(name: &str, value: &Value) -> Result<(), Refusal> {
    match name {
        "get_started" => {
            let payload = value["payload"].as_str().filter(|payload| !payload.is_empty());
            at_most("get_started[payload]", payload, PAYLOAD)?;
            payload.map(drop).ok_or_else(|| required("get_started[payload]"))
        }
        "greeting" => {
            for (at, greeting) in localised(name, value)?.iter().enumerate() {
                at_most(&format!("greeting[{at}][text]"), greeting["text"].as_str(), GREETING)?;
            }
            Ok(())
        }
        "ice_breakers" => ice_breakers(value),
        "persistent_menu" => menu(value),
        "whitelisted_domains" => {
            let domains = list(name, value, DOMAINS)?;
            match domains.iter().find(|domain| !is_url(domain, &["https"])) {
                Some(domain) => Err(bad(format!("whitelisted_domains: {domain} is not a valid https URL"))),
                None => Ok(()),
            }
        }
        "account_linking_url" if !is_url(value, &["https"]) => Err(bad("account_linking_url should be an https URL")),
        "commands" => {
            for (at, locale) in list(name, value, usize::MAX)?.iter().enumerate() {
                let base = format!("commands[{at}][commands]");
                for command in list(&base, &locale["commands"], 100)? {
                    at_most(&format!("{base}[name]"), command["name"].as_str(), 32)?;
                    at_most(&format!("{base}[description]"), command["description"].as_str(), 64)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A list by locale, which must include `default`.
fn localised<'v>(name: &str, value: &'v Value) -> Result<&'v [Value], Refusal> {
    let items = list(name, value, usize::MAX)?;
    if items.iter().any(|item| item["locale"] == "default") {
        return Ok(items);
    }
    Err(bad(format!("Param {name} must have an entry with the locale default.")))
}

fn ice_breakers(value: &Value) -> Result<(), Refusal> {
    let items = list("ice_breakers", value, usize::MAX)?;
    // The older form is flat.
    if items.iter().all(|item| item.get("question").is_some()) {
        return list("ice_breakers", value, QUESTIONS).map(drop);
    }
    for (at, item) in localised("ice_breakers", value)?.iter().enumerate() {
        let name = format!("ice_breakers[{at}][call_to_actions]");
        for question in list(&name, &item["call_to_actions"], QUESTIONS)? {
            at_most(&format!("{name}[payload]"), question["payload"].as_str(), PAYLOAD)?;
        }
    }
    Ok(())
}

fn menu(value: &Value) -> Result<(), Refusal> {
    const KEYS: [&str; 4] = ["locale", "composer_input_disabled", "call_to_actions", "disabled_surfaces"];
    for (at, item) in list("persistent_menu", value, usize::MAX)?.iter().enumerate() {
        let odd: Vec<&str> = item
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
            .filter(|key| !KEYS.contains(key))
            .collect();
        if !odd.is_empty() {
            let odd = odd.join(", ");
            return Err(bad(format!("Invalid keys \"{odd}\" were found in param \"persistent_menu[{at}]\".")));
        }
        let name = format!("persistent_menu[{at}][call_to_actions]");
        for (number, action) in list(&name, &item["call_to_actions"], MENU_ITEMS)?.iter().enumerate() {
            at_most(&format!("{name}[{number}][title]"), action["title"].as_str(), MENU_TITLE)?;
            at_most(&format!("{name}[{number}][payload]"), action["payload"].as_str(), PAYLOAD)?;
        }
    }
    localised("persistent_menu", value).map(drop)
}

/// `/me/custom_user_settings`: the menu of one person.
pub(super) fn of_person(world: &mut World, call: &Call, node: &str) -> Answered {
    let (_, page_id) = of_page(world, call, node)?;
    let person = recipient_of(world, &page_id, &need(call, "psid")?.into())?;
    let key = (page_id.clone(), person.psid);
    match call.method.as_str() {
        "GET" => {
            let of_page = world.profiles.get(&page_id).and_then(|profile| profile.get("persistent_menu"));
            let menus = json!({
                "user_level_persistent_menu": world.menus.get(&key), "page_level_persistent_menu": of_page,
            });
            Ok(Answer::ok(json!({"data": [without_nulls(menus)]})))
        }
        "POST" => {
            let value = need_value(call, "persistent_menu")?;
            menu(&value)?;
            world.menus.insert(key, value);
            Ok(success())
        }
        "DELETE" => {
            world.menus.remove(&key);
            Ok(success())
        }
        method => Err(unsupported(method, node)),
    }
}
