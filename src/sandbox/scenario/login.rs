//! The part of a scenario that is about logins: people, their grants and their tokens.

use super::Scenario;
use super::entries::{GrantEntry, UserEntry};
use crate::sandbox::grants::Grant;
use crate::sandbox::people::digits;
use crate::sandbox::rules::Rules;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::{SCOPES, User, World};

impl Scenario {
    /// Checks the names; the error says which one is unknown.
    pub(super) fn check_logins(&self) -> Result<(), String> {
        for person in self.grants.iter().filter_map(|grant| grant.person.as_ref()) {
            let is_one = |user: &UserEntry| [&user.id, &user.name].contains(&&Some(person.clone()));
            if !self.users.iter().any(is_one) {
                return Err(format!("person '{person}' is named, but not listed under users"));
            }
        }
        let of_users = self.users.iter().filter_map(|user| user.pages.as_ref());
        for page in self.grants.iter().filter_map(|grant| grant.pages.as_ref()).chain(of_users).flatten() {
            if self.page_count.is_none() && !self.pages.iter().any(|one| one.id == *page) {
                return Err(format!("page '{page}' is named, but not listed under pages"));
            }
        }
        for id in self.users.iter().filter_map(|user| user.id.as_ref()) {
            if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("'{id}' is not the id of a person, which is digits only"));
            }
        }
        Ok(())
    }

    pub(super) fn set_login_rules(&self, rules: &mut Rules) {
        if let Some(life) = self.code_life.and_then(|life| life.0.try_into().ok()) {
            rules.code_life = life;
        }
        if let Some(life) = self.login_life.and_then(|life| life.0.try_into().ok()) {
            rules.login_life = life;
        }
        rules.fresh_page_tokens = self.fresh_page_tokens;
        rules.redirect_fragment = self.redirect_fragment.unwrap_or(true);
        rules.business_login_in_development = self.business_login_in_development.unwrap_or(true);
    }
}

/// Adds a person, or changes the first one if the entry names no other, and their token if it has
/// one.
pub(super) fn add_user(world: &mut World, entry: UserEntry, model: &Token) {
    let named = |name: &String| digits(&format!("user {name}"), 17);
    let id = entry.id.or_else(|| entry.name.as_ref().map(named)).unwrap_or_else(|| model.user_id.clone());
    if !entry.system {
        if world.user(&id).is_none() {
            let name = entry.name.clone().unwrap_or_else(|| format!("Person {id}"));
            world.users.push(User { id: id.clone(), name, app_role: true, pages: None });
        }
        if let Some(user) = world.users.iter_mut().find(|user| user.id == id) {
            user.app_role = entry.app_role.unwrap_or(user.app_role);
            user.pages = entry.pages.or_else(|| user.pages.take());
            user.name = entry.name.unwrap_or_else(|| user.name.clone());
        }
    }
    let Some(value) = entry.token else { return };
    world.tokens.push(Token {
        value,
        kind: if entry.system { TokenKind::SystemUser } else { TokenKind::User },
        app_id: entry.app.unwrap_or_else(|| world.apps[0].id.clone()),
        user_id: id,
        scopes: entry.scopes.unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec()),
        expires_at: entry.expires_in.map_or(model.expires_at, |length| world.clock.unix_seconds() + length.0.as_secs()),
        targets: entry.granted_for,
        state: entry.state.unwrap_or_default(),
        app_role: entry.app_role.unwrap_or(true),
        ..model.clone()
    });
}

pub(super) fn add_grant(world: &mut World, entry: GrantEntry) {
    let user = match &entry.person {
        Some(person) => world.users.iter().find(|user| user.id == *person || user.name == *person),
        None => world.users.first(),
    };
    let Some(user_id) = user.map(|user| user.id.clone()) else { return };
    let app_id = entry.app.unwrap_or_else(|| world.apps[0].id.clone());
    let granted = entry.permissions.unwrap_or_else(|| {
        SCOPES.iter().filter(|one| !entry.declined.iter().any(|no| no == *one)).map(|one| (*one).to_owned()).collect()
    });
    world.replace_grant(Grant { app_id, user_id, granted, declined: entry.declined, pages: entry.pages }, false);
}
