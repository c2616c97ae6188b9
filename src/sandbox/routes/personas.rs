//! `/me/personas` and `/{persona-id}`: names and pictures under which a Page writes.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, Part, World, at_most, bad, is_url, need, of_page, success, unsupported};
use crate::sandbox::people::{Persona, digits};

const NAME: usize = 50;

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
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
            let name = need(call, "name")?;
            at_most("name", Some(name), NAME)?;
            let picture = need(call, "profile_picture_url")?;
            if !is_url(&picture.into(), &["https", "http"]) {
                return Err(bad("profile_picture_url is not a valid URL"));
            }
            world.personas_made += 1;
            let id = digits(&format!("persona {page_id} {}", world.personas_made), 16);
            let (name, profile_picture_url) = (name.to_owned(), picture.to_owned());
            world.personas.push(Persona { id: id.clone(), page_id, name, profile_picture_url });
            Ok(Answer::ok(json!({ "id": id })))
        }
        method => Err(unsupported(method, node)),
    }
}

/// Whether a node is a persona, of any Page.
pub(super) fn is_one(world: &World, node: &str) -> bool {
    world.personas.iter().any(|persona| persona.id == node)
}

/// A persona by its id, for its own Page.
pub(super) fn by_id(world: &mut World, call: &Call, id: &str) -> Answered {
    let (_, page_id) = of_page(world, call, "me")?;
    let at = world.personas.iter().position(|persona| persona.id == id && persona.page_id == page_id);
    match (at, call.method.as_str()) {
        (Some(at), "GET") => Ok(Answer::ok(shown(&world.personas[at]))),
        (Some(at), "DELETE") => {
            world.personas.remove(at);
            Ok(success())
        }
        (_, method) => Err(unsupported(method, id)),
    }
}

fn shown(persona: &Persona) -> Value {
    json!({"name": persona.name, "profile_picture_url": persona.profile_picture_url, "id": persona.id})
}
