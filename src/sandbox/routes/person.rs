//! `GET /{psid}`: who a person is, as far as a Page may know.

use serde_json::Map;

use super::parameter::bad_with;
use super::{Caller, nonexisting_field};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::people::Person;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::World;

/// The field and the permission that it needs.
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

/// The person, where the caller is a Page and the node one of its people.
pub(super) fn answer(world: &World, call: &Call, caller: &Caller, node: &str) -> Option<Result<Answer, Refusal>> {
    let Caller::Holder(token) = caller else { return None };
    let TokenKind::Page(page_id) = &token.kind else { return None };
    let person = world.person_by_psid(page_id, node)?;
    Some(shown(world, call, token, person))
}

fn shown(world: &World, call: &Call, token: &Token, person: &Person) -> Result<Answer, Refusal> {
    if !token.may("pages_messaging") {
        return Err(Refusal::oauth(230, "(#230) Requires pages_messaging permission to manage the object"));
    }
    if !world.rules.profile_access {
        return Err(bad_with(2_018_247, "Insufficient permission to access user profile."));
    }
    if person.blocked {
        return Err(bad_with(2_018_218, "No profile available for this user."));
    }
    let wanted = call.list("fields").unwrap_or_else(|| DEFAULT.map(str::to_owned).to_vec());
    let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
    let mut shown = Map::new();
    for field in &wanted {
        let Some((name, permission)) = FIELDS.iter().find(|(name, _)| name == field) else {
            return Err(nonexisting_field(field, "User"));
        };
        if !permission.is_empty() && !token.may(permission) {
            continue;
        }
        let value = match *name {
            "id" => person.psid.clone(),
            "name" => person.name.clone(),
            "first_name" => first.to_owned(),
            "last_name" => last.to_owned(),
            "profile_pic" => format!("https://example.com/profile/{}.jpg", person.psid),
            "locale" => "en_US".to_owned(),
            "timezone" => {
                shown.insert("timezone".into(), 0.into());
                continue;
            }
            "gender" => "female".to_owned(),
            _ => continue,
        };
        if !value.is_empty() {
            shown.insert((*name).to_owned(), value.into());
        }
    }
    shown.entry("id").or_insert_with(|| person.psid.clone().into());
    Ok(Answer::ok(shown.into()))
}
