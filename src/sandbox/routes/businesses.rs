//! `GET /me/businesses` and the Pages of a business, for a person with
//! `business_management`: here all Pages are one business's own.

use serde_json::{Value, json};

use super::accounts::page_token;
use super::{Caller, caller, unsupported};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::{Page, World};

/// The only business there is.
const BUSINESS: &str = "200000000000001";

fn manager(world: &World, call: &Call, node: &str) -> Result<Token, Refusal> {
    match caller(world, call, node)? {
        Caller::Holder(token) if !matches!(token.kind, TokenKind::Page(_)) && token.may("business_management") => {
            Ok(*token)
        }
        Caller::Holder(_) => {
            Err(Refusal::oauth(200, "(#200) Requires business_management permission to manage the object"))
        }
        Caller::App(_) => Err(Refusal::oauth(102, "A user access token is required to request this resource.")),
    }
}

pub(super) fn of_person(world: &World, call: &Call) -> Result<Answer, Refusal> {
    manager(world, call, "me")?;
    Ok(Answer::ok(json!({"data": [{"id": BUSINESS, "name": "Example Business"}]})))
}

pub(super) fn pages(world: &mut World, call: &Call, node: &str, edge: &str) -> Result<Answer, Refusal> {
    let manager = manager(world, call, node)?;
    if node != BUSINESS {
        return Err(unsupported("get", node));
    }
    let pages: Vec<Page> = if edge == "owned_pages" { world.pages.clone() } else { Vec::new() };
    let mut data: Vec<Value> = Vec::new();
    for page in pages {
        let token = page_token(world, &manager, &page);
        data.push(json!({"id": page.id, "name": page.name, "access_token": token}));
    }
    Ok(Answer::ok(json!({ "data": data })))
}
