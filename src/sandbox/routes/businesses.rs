//! `GET /me/businesses` and a business's Pages, for people and system users with
//! `business_management`.

use serde_json::{Map, Value, json};

use super::accounts::row;
use super::{Answer, Answered, Call, Part, Refusal, Token, World, holder, nonexisting_field, unsupported};
use crate::sandbox::businesses::Business;
use crate::sandbox::world::Page;

/// A person or system user who may ask about businesses.
pub(super) fn manager(world: &World, call: &Call, node: &str) -> Result<Token, Refusal> {
    let token = holder(world, call, node)?;
    token.require(200, "business_management")?;
    if token.page().is_some() { Err(Token::lacks(200, "business_management")) } else { Ok(token) }
}

/// The requested part of a list; `edge` is `NODE/EDGE`.
pub(super) fn listing(call: &Call, holder: &Token, edge: &str, rows: &[Value]) -> Answered {
    let part = Part::of(call, rows.len())?;
    let data = rows[part.start..part.end].to_vec();
    Ok(Answer::ok(Value::Object(part.body(call, &holder.value, edge, data))))
}

/// The requested fields of an object that is small enough to be made whole.
pub(super) fn picked(fields: &[String], whole: &Value, node_type: &str) -> Result<Value, Refusal> {
    let mut picked = Map::new();
    for field in fields {
        let value = whole.get(field).ok_or_else(|| nonexisting_field(field, node_type))?;
        picked.insert(field.clone(), value.clone());
    }
    picked.entry("id").or_insert_with(|| whole["id"].clone());
    Ok(picked.into())
}

/// The refusal for a person who does not administer a business.
pub(super) fn no_permission() -> Refusal {
    Refusal::oauth(200, "(#200) Permissions error")
}

pub(super) fn of_person(world: &World, call: &Call) -> Answered {
    let manager = manager(world, call, "me")?;
    let is_own = |business: &&Business| {
        let member = world.system_user(&manager.user_id).is_some_and(|user| user.business_id == business.id);
        member || world.administers(&manager, business)
    };
    let fields = call.fields(&["id", "name"]);
    let whole = |business: &&Business| json!({"id": business.id, "name": business.name});
    let rows = world.businesses.iter().filter(is_own).map(|one| picked(&fields, &whole(&one), "Business"));
    let rows: Vec<Value> = rows.collect::<Result<_, _>>()?;
    listing(call, &manager, &format!("{}/businesses", manager.user_id), &rows)
}

pub(super) fn pages(world: &mut World, call: &Call, node: &str, edge: &str) -> Answered {
    let manager = manager(world, call, node)?;
    let business = world.business(node).cloned().ok_or_else(|| unsupported("get", node))?;
    let member = world.system_user(&manager.user_id).is_some_and(|user| user.business_id == business.id);
    if !member && !world.administers(&manager, &business) {
        return Err(no_permission());
    }
    let of_clients = edge == "client_pages";
    let ids = if of_clients { Some(&business.client_pages) } else { business.owned_pages.as_ref() };
    let pages: Vec<&Page> = match ids {
        Some(ids) => ids.iter().filter_map(|id| world.page(id)).collect(),
        None => world.pages.iter().filter(|page| !business.client_pages.contains(&page.id)).collect(),
    };
    let part = Part::of(call, pages.len())?;
    let pages: Vec<Page> = pages[part.start..part.end].iter().copied().cloned().collect();
    let mut fields = call.fields(&["id", "name"]);
    let permitted = fields.iter().position(|field| field == "permitted_tasks").filter(|_| of_clients);
    if let Some(at) = permitted {
        fields.remove(at);
    }
    super::accounts::known(&fields)?;
    let row = |page: &Page| {
        let mut row = row(world, &manager, page, &fields);
        if permitted.is_some() {
            row["permitted_tasks"] = business.permitted_tasks.clone().into();
        }
        row
    };
    let data = pages.iter().map(row).collect();
    Ok(Answer::ok(Value::Object(part.body(call, &manager.value, &format!("{node}/{edge}"), data))))
}
