//! `/me/personas` and `/{persona-id}`: names and faces under which a Page writes.

use serde_json::{Map, Value, json};

use super::page::of_page;
use super::paging::Part;
use super::parameter::{at_most, bad, is_url, required};
use super::unsupported;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::people::{Persona, digits};
use crate::sandbox::world::World;

const NAME: usize = 50;

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    let (token, page_id) = of_page(world, call, node)?;
    match call.method.as_str() {
        "GET" => {
            let own: Vec<&Persona> = world.personas.iter().filter(|persona| persona.page_id == page_id).collect();
            let part = Part::of(call, own.len())?;
            let data = own[part.start..part.end].iter().map(|persona| shown(persona)).collect();
            let body = part.body(call, &token.value, &format!("{page_id}/personas"), data);
            Ok(Answer::ok(body.into()))
        }
        "POST" => {
            let name = call.given("name").ok_or_else(|| required("name"))?;
            at_most("name", Some(name), NAME)?;
            let picture = call.given("profile_picture_url").ok_or_else(|| required("profile_picture_url"))?;
            if !is_url(&picture.into(), &["https", "http"]) {
                return Err(bad("profile_picture_url is not a valid URL"));
            }
            world.personas_made += 1;
            let id = digits(&format!("persona {page_id} {}", world.personas_made), 16);
            let (name, profile_picture_url) = (name.to_owned(), picture.to_owned());
            world.personas.push(Persona { id: id.clone(), page_id, name, profile_picture_url });
            Ok(Answer::ok(json!({ "id": id })))
        }
        method => Err(unsupported(&method.to_lowercase(), node)),
    }
}

/// A persona by its id, where there is one of the Page whose token it is.
pub(super) fn by_id(world: &mut World, call: &Call, id: &str) -> Option<Result<Answer, Refusal>> {
    world.personas.iter().find(|persona| persona.id == id)?;
    Some(one(world, call, id))
}

fn one(world: &mut World, call: &Call, id: &str) -> Result<Answer, Refusal> {
    let (_, page_id) = of_page(world, call, "me")?;
    let method = call.method.to_lowercase();
    let at = world.personas.iter().position(|persona| persona.id == id && persona.page_id == page_id);
    let at = at.ok_or_else(|| unsupported(&method, id))?;
    match call.method.as_str() {
        "GET" => Ok(Answer::ok(shown(&world.personas[at]))),
        "DELETE" => {
            world.personas.remove(at);
            Ok(Answer::ok(json!({"success": true})))
        }
        _ => Err(unsupported(&method, id)),
    }
}

fn shown(persona: &Persona) -> Value {
    let mut shown = Map::new();
    shown.insert("name".into(), persona.name.clone().into());
    shown.insert("profile_picture_url".into(), persona.profile_picture_url.clone().into());
    shown.insert("id".into(), persona.id.clone().into());
    shown.into()
}
