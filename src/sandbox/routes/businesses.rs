//! `GET /me/businesses` and a business's Pages, for a person with `business_management`: here
//! one business owns all Pages.

use serde_json::{Value, json};

use super::accounts::page_token;
use super::{Answer, Answered, Call, Refusal, Token, World, holder, unsupported};

/// The only business there is.
const BUSINESS: &str = "200000000000001";

fn manager(world: &World, call: &Call, node: &str) -> Result<Token, Refusal> {
    let token = holder(world, call, node)?;
    token.require(200, "business_management")?;
    if token.page().is_some() { Err(Token::lacks(200, "business_management")) } else { Ok(token) }
}

pub(super) fn of_person(world: &World, call: &Call) -> Answered {
    manager(world, call, "me")?;
    Ok(Answer::ok(json!({"data": [{"id": BUSINESS, "name": "Example Business"}]})))
}

pub(super) fn pages(world: &mut World, call: &Call, node: &str, edge: &str) -> Answered {
    let manager = manager(world, call, node)?;
    if node != BUSINESS {
        return Err(unsupported("get", node));
    }
    let pages = if edge == "owned_pages" { world.pages.clone() } else { Vec::new() };
    let data: Vec<Value> = pages
        .iter()
        .map(|page| json!({"id": page.id, "name": page.name, "access_token": page_token(world, &manager, page)}))
        .collect();
    Ok(Answer::ok(json!({ "data": data })))
}
