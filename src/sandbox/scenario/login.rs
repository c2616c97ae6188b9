//! The part of a scenario that is about logins: people, their grants and their tokens.

use super::Scenario;
use super::entries::{GrantEntry, SystemUserEntry, UserEntry};
use crate::sandbox::businesses::SystemUser;
use crate::sandbox::grants::Grant;
use crate::sandbox::people::digits;
use crate::sandbox::rules::Rules;
use crate::sandbox::tokens::{Token, TokenKind};
use crate::sandbox::world::{SCOPES, TASKS, User, World};

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
        let of_businesses =
            self.businesses.iter().flat_map(|one| one.owned_pages.iter().flatten().chain(&one.client_pages));
        let of_system_users = self.system_users.iter().flat_map(|user| &user.pages);
        let named = of_businesses.chain(of_system_users);
        for page in named.chain(self.grants.iter().filter_map(|grant| grant.pages.as_ref()).chain(of_users).flatten()) {
            if self.page_count.is_none() && !self.pages.iter().any(|one| one.id == *page) {
                return Err(format!("page '{page}' is named, but not listed under pages"));
            }
        }
        for (at, business) in self.businesses.iter().enumerate() {
            if self.businesses[..at].iter().any(|one| one.id == business.id) {
                return Err(format!("business '{}' is listed twice: give each business an id", business.id));
            }
        }
        let of_apps = self.apps.iter().filter_map(|app| app.business.as_ref());
        for business in self.system_users.iter().filter_map(|user| user.business.as_ref()).chain(of_apps) {
            if !self.businesses.iter().any(|one| one.id == *business) {
                return Err(format!("business '{business}' is named, but not listed under businesses"));
            }
        }
        let of_system_users = self.system_users.iter().filter_map(|user| user.id.as_ref());
        for id in self.users.iter().filter_map(|user| user.id.as_ref()).chain(of_system_users) {
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

/// Adds a system user with the Pages that are assigned to it.
pub(super) fn add_system_user(world: &mut World, entry: SystemUserEntry, model: &Token) {
    let Some(first) = world.businesses.first() else { return };
    let mut user = SystemUser::new(entry.business.as_ref().unwrap_or(&first.id), &entry.name, entry.admin);
    user.id = entry.id.unwrap_or(user.id);
    user.apps = entry.apps.unwrap_or_else(|| vec![world.apps[0].id.clone()]);
    let tasks = entry.tasks.unwrap_or_else(|| TASKS.map(str::to_owned).to_vec());
    user.assigned = Some(entry.pages.iter().map(|page| (page.clone(), tasks.clone())).collect());
    if let Some(value) = entry.token {
        let now = world.clock.unix_seconds();
        world.tokens.push(Token {
            value,
            kind: TokenKind::SystemUser,
            app_id: user.apps.first().unwrap_or(&world.apps[0].id).clone(),
            user_id: user.id.clone(),
            scopes: entry
                .scopes
                .unwrap_or_else(|| SCOPES.iter().copied().chain(["business_management"]).map(str::to_owned).collect()),
            targets: Some(entry.pages),
            expires_at: entry.expires_in.map_or(0, |length| now + length.0.as_secs()),
            data_access_expires_at: 0,
            state: entry.state.unwrap_or_default(),
            ..model.clone()
        });
    }
    world.system_users.push(user);
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
