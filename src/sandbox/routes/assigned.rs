//! The Pages of system users: `/{page}/assigned_users` and `/{system-user}/assigned_pages`.

use serde_json::{Value, json};

use super::businesses::{listing, manager, no_permission, picked};
use super::{Answered, Call, Refusal, Token, TokenKind, World, need, one_of, required, success, unsupported};
use crate::sandbox::businesses::{Business, SystemUser};
use crate::sandbox::tokens::TokenState;

const KNOWN: [&str; 7] = ["MANAGE", "CREATE_CONTENT", "MODERATE", "MESSAGING", "ADVERTISE", "ANALYZE", "MANAGE_LEADS"];

pub(super) fn users(world: &mut World, call: &Call, node: &str) -> Answered {
    let page = world.page(node).cloned().ok_or_else(|| unsupported(&call.method, node))?;
    let token = manager(world, call, node)?;
    let may = |business: &&Business| business.has_page(&page.id) && world.administers(&token, business);
    let own: Vec<&Business> = world.businesses.iter().filter(may).collect();
    if own.is_empty() {
        return Err(no_permission());
    }
    if call.method == "GET" {
        let business = need(call, "business")?.to_owned();
        let users: Vec<&SystemUser> = world.system_users.iter().filter(|user| user.business_id == business).collect();
        let row = |user: &SystemUser| {
            let tasks = user.assigned.as_ref()?.get(&page.id)?;
            Some(json!({"id": user.id, "name": user.name, "tasks": tasks}))
        };
        let rows: Vec<Value> = users.into_iter().filter_map(row).collect();
        return listing(call, &token, &format!("{}/assigned_users", page.id), &rows);
    }
    let id = need(call, "user")?.to_owned();
    let is_own = |user: &SystemUser| own.iter().any(|business| business.id == user.business_id);
    if !world.system_user(&id).is_some_and(is_own) {
        return Err(Refusal::oauth(110, "(#110) Invalid user id"));
    }
    match call.method.as_str() {
        "POST" => {
            let tasks = call.list("tasks").filter(|tasks| !tasks.is_empty()).ok_or_else(|| required("tasks"))?;
            for (at, task) in tasks.iter().enumerate() {
                one_of(&format!("tasks[{at}]"), task.strip_prefix("PROFILE_PLUS_").unwrap_or(task), &KNOWN)?;
            }
            assign(world, &id, |assigned| drop(assigned.insert(page.id.clone(), tasks)));
            restore(world, &id, &page.id, TokenState::CannotImpersonate, TokenState::Valid);
        }
        "DELETE" => {
            assign(world, &id, |assigned| drop(assigned.remove(&page.id)));
            restore(world, &id, &page.id, TokenState::Valid, TokenState::CannotImpersonate);
        }
        method => return Err(unsupported(method, node)),
    }
    Ok(success())
}

type Assigned = std::collections::BTreeMap<String, Vec<String>>;

fn assign(world: &mut World, user: &str, change: impl FnOnce(&mut Assigned)) {
    if let Some(assigned) = world.system_user_mut(user).and_then(|user| user.assigned.as_mut()) {
        change(assigned);
    }
}

/// The tokens of a Page that a system user has follow the assignment.
fn restore(world: &mut World, user: &str, page: &str, from: TokenState, to: TokenState) {
    let is_one = |token: &&mut Token| token.user_id == user && token.page() == Some(page) && token.state == from;
    world.tokens.iter_mut().filter(is_one).for_each(|token| token.state = to);
}

pub(super) fn pages(world: &World, call: &Call, node: &str) -> Answered {
    let user = world.system_user(node).cloned().ok_or_else(|| unsupported("get", node))?;
    let token = manager(world, call, node)?;
    let itself = token.user_id == user.id && token.kind == TokenKind::SystemUser;
    let business = world.business(&user.business_id).ok_or_else(no_permission)?;
    if !itself && !world.administers(&token, business) {
        return Err(no_permission());
    }
    let fields = call.fields(&["id", "name", "tasks"]);
    let assigned: Vec<(String, Vec<String>)> = user.assigned.unwrap_or_default().into_iter().collect();
    let rows = assigned.iter().filter_map(|(id, tasks)| {
        let page = world.page(id)?;
        let permitted = if business.client_pages.contains(id) { &business.permitted_tasks } else { &page.tasks };
        let whole = json!({"id": page.id, "name": page.name, "username": page.username, "tasks": tasks, "permitted_tasks": permitted});
        Some(picked(&fields, &whole, "Page"))
    });
    let rows: Vec<Value> = rows.collect::<Result<_, _>>()?;
    listing(call, &token, &format!("{node}/assigned_pages"), &rows)
}
