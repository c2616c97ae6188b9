//! `GET /me/accounts`: a person's Pages, in pages of a list, each with its token.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::node::{EDGES, PAGE_FIELDS, name_of};
use super::{Answer, Answered, Call, Part, Refusal, Token, TokenKind, World, holder, nonexisting_field};
use crate::sandbox::tokens::{Origin, value_for};
use crate::sandbox::world::Page;

const HOUR: i64 = 3_600;
const DEFAULT: [&str; 6] = ["access_token", "category", "category_list", "name", "id", "tasks"];

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    let holder = holder(world, call, node)?;
    if holder.page().is_some() {
        return Err(nonexisting_field("accounts", "Page"));
    }
    let set = |ids: &'_ Option<Vec<String>>| ids.clone().map(HashSet::<String>::from_iter);
    let (targets, own) = (set(&holder.targets), world.user(&holder.user_id).and_then(|user| set(&user.pages)));
    let granted =
        |page: &&Page| [&targets, &own].iter().all(|ids| ids.as_ref().is_none_or(|ids| ids.contains(&page.id)));
    let shown = if world.rules.lists_pages && holder.may("pages_show_list") { world.pages.as_slice() } else { &[] };
    let total = shown.iter().filter(granted).count();
    let part = Part::of(call, total)?;
    let pages: Vec<Page> = shown.iter().filter(granted).skip(part.start).take(part.end - part.start).cloned().collect();
    let fields = call.fields(&DEFAULT);
    known(&fields)?;
    let data = pages.iter().map(|page| row(world, &holder, page, &fields)).collect();
    let mut body = part.body(call, &holder.value, &format!("{}/accounts", holder.user_id), data);
    if matches!(call.parameter("summary"), Some("1" | "true" | "total_count")) {
        body.insert("summary".into(), json!({ "total_count": total }));
    }
    Ok(Answer::ok(Value::Object(body)))
}

/// Refuses fields that a Page does not have.
pub(super) fn known(fields: &[String]) -> Result<(), Refusal> {
    let is_known = |field: &&String| PAGE_FIELDS.contains(&name_of(field)) || EDGES.contains(&name_of(field));
    match fields.iter().find(|field| !is_known(field)) {
        Some(field) => Err(nonexisting_field(name_of(field), "Page")),
        None => Ok(()),
    }
}

/// A Page in a list, with its token where the holder may act for it.
pub(super) fn row(world: &mut World, holder: &Token, page: &Page, fields: &[String]) -> Value {
    let mut row = Map::new();
    for field in fields {
        let value = match field.as_str() {
            "access_token" if world.tasks_of(holder, page).is_empty() || !world.reaches(holder, page) => None,
            "access_token" => Some(page_token(world, holder, page).into()),
            "id" => Some(page.id.clone().into()),
            "name" => Some(page.name.clone().into()),
            "username" => page.username.clone().map(Value::from),
            "category" => Some(page.category.clone().into()),
            "category_list" => Some(json!([{"id": "144982405562750", "name": page.category}])),
            "is_published" => Some(page.is_published.into()),
            "tasks" => Some(world.tasks_of(holder, page).into()),
            _ => None,
        };
        if let Some(value) = value {
            row.insert(field.clone(), value);
        }
    }
    row.insert("id".into(), page.id.clone().into());
    Value::Object(row)
}

/// A Page's token: from a person's long-lived token one that does not expire, otherwise one that
/// expires with the holder's. As at Meta, a person who logs in again gets the one they have while
/// it works, unless the world says otherwise.
pub(super) fn page_token(world: &mut World, holder: &Token, page: &Page) -> String {
    let now = world.clock.unix_seconds();
    let long_lived = holder.expires_at == 0 || holder.expires_at.saturating_sub(now) > 2 * HOUR;
    let standing = world.page_token(&page.id).filter(|standing| {
        let same = standing.app_id == holder.app_id && standing.user_id == holder.user_id;
        let works = standing.expires_at == 0 && standing.problem(now).is_none();
        let renewed = works && holder.kind == TokenKind::User && !world.rules.fresh_page_tokens;
        long_lived && same && (holder.origin == Origin::Given || renewed)
    });
    if let Some(standing) = standing {
        return standing.value.clone();
    }
    let state = world.page_token(&page.id).map(|standing| standing.state).filter(|state| state.outlives_login());
    let value = value_for(&format!("{} of {}", page.id, holder.value));
    if world.token(&value).is_none() {
        let never = long_lived && holder.kind == TokenKind::User;
        world.tokens.push(Token {
            value: value.clone(),
            kind: TokenKind::Page(page.id.clone()),
            targets: Some(vec![page.id.clone()]),
            issued_at: now,
            expires_at: if never { 0 } else { holder.expires_at },
            state: state.unwrap_or_default(),
            origin: Origin::From(holder.value.clone()),
            ..holder.clone()
        });
    }
    value
}
