//! `GET /{psid}`: a person's profile, as far as a Page may see it.

use serde_json::{Map, Value};

use super::{Answer, Answered, Call, Caller, Person, Token, World, bad_with, nonexisting_field};

/// Each field, and the permission that it needs.
const FIELDS: [(&str, &str); 9] = [
    ("id", ""),
    ("name", ""),
    ("first_name", ""),
    ("middle_name", ""),
    ("last_name", ""),
    ("profile_pic", ""),
    ("locale", "pages_user_locale"),
    ("timezone", "pages_user_timezone"),
    ("gender", "pages_user_gender"),
];
const DEFAULT: [&str; 3] = ["first_name", "last_name", "profile_pic"];

/// The person, if the caller is a Page and the node is one of its people.
pub(super) fn answer(world: &World, call: &Call, caller: &Caller, node: &str) -> Option<Answered> {
    let Caller::Holder(token) = caller else { return None };
    let person = world.person_by_psid(token.page()?, node)?;
    Some(shown(world, call, token, person))
}

fn shown(world: &World, call: &Call, token: &Token, person: &Person) -> Answered {
    token.require(230, "pages_messaging")?;
    if !world.rules.profile_access {
        return Err(bad_with(2_018_247, "Insufficient permission to access user profile."));
    }
    if person.blocked {
        return Err(bad_with(2_018_218, "No profile available for this user."));
    }
    let wanted = call.fields(&DEFAULT);
    let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    let mut shown = Map::new();
    for field in &wanted {
        let Some((name, permission)) = FIELDS.iter().find(|(name, _)| name == field) else {
            return Err(nonexisting_field(field, "User"));
        };
        if !permission.is_empty() && !token.may(permission) {
            continue;
        }
        let value: Value = match *name {
            "id" => person.psid.as_str().into(),
            "name" => person.name.as_str().into(),
            "first_name" => first.into(),
            "last_name" => last.into(),
            "profile_pic" => format!("https://example.com/profile/{}.jpg", person.psid).into(),
            "locale" => "en_US".into(),
            "timezone" => 0.into(),
            "gender" => "female".into(),
            _ => continue,
        };
        if value != "" {
            shown.insert((*name).to_owned(), value);
        }
    }
    shown.entry("id").or_insert_with(|| person.psid.clone().into());
    Ok(Answer::ok(shown.into()))
}
