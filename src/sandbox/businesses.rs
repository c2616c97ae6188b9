//! Businesses, their Pages, and their system users.

use std::collections::BTreeMap;

use super::grants::Grant;
use super::people::digits;
use super::tokens::{Token, TokenKind};
use super::world::{Page, TASKS, World};

/// A business portfolio.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Business {
    /// Digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The ids of the Pages that it owns; `None`: all.
    pub owned_pages: Option<Vec<String>>,
    /// The ids of its clients' Pages.
    pub client_pages: Vec<String>,
    /// The tasks that the clients permit.
    pub permitted_tasks: Vec<String>,
    /// Ids or names of the people who administer it; `None`: all.
    pub admins: Option<Vec<String>>,
    /// Whether people need two-factor authentication to make a system user's token.
    pub two_factor: bool,
    /// Whether it can make tokens that do not expire.
    pub lasting_tokens: bool,
    /// The most system users that are not admins; one more can be an admin.
    pub system_user_limit: usize,
}

impl Default for Business {
    fn default() -> Self {
        Self {
            id: "200000000000001".into(),
            name: "Example Business".into(),
            owned_pages: None,
            client_pages: Vec::new(),
            permitted_tasks: TASKS.map(str::to_owned).to_vec(),
            admins: None,
            two_factor: false,
            lasting_tokens: true,
            system_user_limit: 10,
        }
    }
}

/// A system user of a business.
#[derive(Clone, Debug)]
pub struct SystemUser {
    /// 15 digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its business.
    pub business_id: String,
    /// Whether it may create others.
    pub admin: bool,
    /// The apps that can make tokens for it.
    pub apps: Vec<String>,
    /// Its tasks on the Pages that were assigned to it. `None`: a login with Login for Business
    /// made it, and its Pages are those of the grant.
    pub assigned: Option<BTreeMap<String, Vec<String>>>,
}

impl SystemUser {
    /// A new one without apps and Pages.
    pub fn new(business_id: &str, name: &str, admin: bool) -> Self {
        Self {
            id: digits(&format!("system user {business_id} {name}"), 15),
            name: name.into(),
            business_id: business_id.into(),
            admin,
            apps: Vec::new(),
            assigned: Some(BTreeMap::new()),
        }
    }
}

impl Business {
    /// Whether a Page is its own or a client's.
    pub fn has_page(&self, id: &str) -> bool {
        self.owned_pages.as_ref().is_none_or(|pages| pages.iter().any(|page| page == id))
            || self.client_pages.iter().any(|page| page == id)
    }
}

impl World {
    /// A business by id.
    pub fn business(&self, id: &str) -> Option<&Business> {
        self.businesses.iter().find(|business| business.id == id)
    }

    /// A system user by id.
    pub fn system_user(&self, id: &str) -> Option<&SystemUser> {
        self.system_users.iter().find(|user| user.id == id)
    }

    /// The same, to change it.
    pub(super) fn system_user_mut(&mut self, id: &str) -> Option<&mut SystemUser> {
        self.system_users.iter_mut().find(|user| user.id == id)
    }

    /// Adds the system user that a login with Login for Business makes for its app.
    pub(super) fn integrate(&mut self, grant: &Grant) {
        let Some(business_id) = self.businesses.first().map(|business| business.id.clone()) else { return };
        let name = self.app(&grant.app_id).map(|app| app.name.clone()).unwrap_or_default();
        self.system_users.push(SystemUser {
            id: grant.user_id.clone(),
            apps: vec![grant.app_id.clone()],
            assigned: None,
            ..SystemUser::new(&business_id, &name, false)
        });
    }

    /// Whether a token's person or system user administers a business.
    pub(super) fn administers(&self, token: &Token, business: &Business) -> bool {
        match (self.system_user(&token.user_id), &business.admins) {
            (Some(user), _) => user.admin && user.business_id == business.id,
            (None, None) => true,
            (None, Some(admins)) => self
                .user(&token.user_id)
                .is_some_and(|user| admins.iter().any(|admin| *admin == user.id || *admin == user.name)),
        }
    }

    /// The tasks that a token's person or system user has on a Page.
    pub(super) fn tasks_of<'w>(&'w self, token: &Token, page: &'w Page) -> &'w [String] {
        match self.system_user(&token.user_id).map(|user| user.assigned.as_ref()) {
            Some(Some(assigned)) => assigned.get(&page.id).map(Vec::as_slice).unwrap_or_default(),
            Some(None) | None => &page.tasks,
        }
    }

    /// The name of the person or system user whose token it is.
    pub(super) fn name_of(&self, token: &Token) -> Option<&str> {
        let system = || self.system_user(&token.user_id).map(|user| &user.name);
        self.user(&token.user_id).map(|user| &user.name).or_else(system).map(String::as_str)
    }

    /// Whether a person's or system user's token was granted for a Page that they have tasks on.
    pub(super) fn reaches(&self, token: &Token, page: &Page) -> bool {
        let own = self.user(&token.user_id).and_then(|user| user.pages.as_ref());
        let granted = [token.targets.as_ref(), own].into_iter().flatten().all(|pages| pages.contains(&page.id));
        granted && (token.kind == TokenKind::User || !self.tasks_of(token, page).is_empty())
    }
}
