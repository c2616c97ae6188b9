//! Businesses: the Pages that they own or that clients share with them, and their system users
//! (graph/FACTS.md, "Businesses and their Pages" and "System users").

use futures_util::stream::{self, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::person::OwnPage;
use super::{Listed, is_done, listed};
use crate::graph::{AppCredentials, Client, GraphError, GraphRequest, Verb, lenient};
use crate::secrets::Secret;

/// A business portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Business {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
}

/// How a business has a Page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It owns the Page.
    Owned,
    /// Another business shares the Page with it.
    Client,
}

impl Edge {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Owned, Self::Client];

    fn path(self) -> &'static str {
        match self {
            Self::Owned => "owned_pages",
            Self::Client => "client_pages",
        }
    }

    /// Graph refuses a whole list for one field that its entries do not have.
    fn fields(self) -> &'static str {
        match self {
            Self::Owned => "id,name,username,access_token",
            Self::Client => "id,name,username,access_token,permitted_tasks",
        }
    }
}

/// Who asks: a token, and the app that signs where its secret is known.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// A person's or a system user's token.
    pub token: &'a Secret,
    /// The token's app.
    pub app: Option<&'a AppCredentials>,
}

impl Caller<'_> {
    fn read(self, path: String) -> GraphRequest {
        GraphRequest::read(path, self.token, self.app)
    }
}

/// The businesses that a token may manage. Graph refuses a token without `business_management`
/// (200 or 100).
pub async fn of_token(client: &Client, caller: Caller<'_>) -> Listed<Business> {
    listed(client, &caller.read("/me/businesses".into()).fields("id,name"), &|_| ()).await
}

/// The business with this id. Graph refuses one that the token may not read as if it did not
/// exist (100/33), or for its permission.
///
/// # Errors
///
/// Graph refused the call, or did not answer.
pub async fn by_id(client: &Client, caller: Caller<'_>, id: &str) -> Result<Business, GraphError> {
    Ok(client.call(&caller.read(format!("/{id}")).fields("id,name")).await?.value)
}

/// The Pages of a business, as far as they can be read; `read` is told how many each page of the
/// list had.
pub async fn pages<T: DeserializeOwned>(
    client: &Client,
    caller: Caller<'_>,
    business: &str,
    edge: Edge,
    read: &dyn Fn(usize),
) -> Listed<T> {
    listed(client, &caller.read(format!("/{business}/{}", edge.path())).fields(edge.fields()), read).await
}

/// The Pages of all businesses that a token may manage. A business that does not show its Pages
/// adds none.
pub(super) async fn every_page(
    client: &Client,
    token: &Secret,
    app: Option<&AppCredentials>,
) -> Result<Vec<OwnPage>, GraphError> {
    /// Lists read at once.
    const AT_ONCE: usize = 50;
    let caller = Caller { token, app };
    let businesses = unless_refused(of_token(client, caller).await)?;
    let edges = businesses.iter().flat_map(|business| Edge::ALL.map(|edge| (&business.id, edge)));
    let asked = stream::iter(edges)
        .map(|(business, edge)| async move { unless_refused(pages(client, caller, business, edge, &|_| ()).await) });
    let all: Vec<Result<Vec<OwnPage>, GraphError>> =
        client.in_batches(asked.buffered(AT_ONCE).collect::<Vec<_>>()).await;
    Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

/// What was read before a refusal.
fn unless_refused<T>(listed: Listed<T>) -> Result<Vec<T>, GraphError> {
    match listed {
        Listed { items, error: Some(GraphError::Refused(_)) } => Ok(items),
        listed => listed.whole(),
    }
}

/// A system user of a business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SystemUser {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::shown")]
    pub name: Option<String>,
    /// `ADMIN` or `EMPLOYEE`; the case differs between answers.
    #[serde(default, deserialize_with = "lenient::text")]
    pub role: Option<String>,
}

/// The system users of a business.
///
/// # Errors
///
/// Graph refused the call, or did not answer. Who does not administer the business is refused
/// (200).
pub async fn system_users(client: &Client, caller: Caller<'_>, business: &str) -> Result<Vec<SystemUser>, GraphError> {
    let request = caller.read(format!("/{business}/system_users")).fields("id,name,role");
    listed(client, &request, &|_| ()).await.whole()
}

/// Creates a system user with the role EMPLOYEE. It cannot be deleted again, and the number in a
/// business is limited.
///
/// # Errors
///
/// Graph refused the call, or did not answer; the user may exist then.
pub async fn create_system_user(
    client: &Client,
    caller: Caller<'_>,
    business: &str,
    name: &str,
) -> Result<SystemUser, GraphError> {
    let request =
        caller.read(format!("/{business}/system_users")).verb(Verb::Act).with("name", name).with("role", "EMPLOYEE");
    let made: SystemUser = client.call(&request).await?.value;
    Ok(SystemUser { name: Some(name.to_owned()), ..made })
}

/// Installs an app for a system user; may be repeated. Returns whether Graph confirms it.
///
/// # Errors
///
/// Graph refused the call, or did not answer. An app of another business is refused (100).
pub async fn install_app(client: &Client, caller: Caller<'_>, user: &str, app_id: &str) -> Result<bool, GraphError> {
    let request = caller.read(format!("/{user}/applications")).verb(Verb::Set).with("business_app", app_id);
    is_done(client, &request).await
}

/// A Page assigned to a system user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AssignedPage {
    /// Digits.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// What the system user may do there.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub tasks: Option<Vec<String>>,
}

/// The Pages assigned to a system user.
///
/// # Errors
///
/// Graph refused the call, or did not answer.
pub async fn assigned_pages(client: &Client, caller: Caller<'_>, user: &str) -> Result<Vec<AssignedPage>, GraphError> {
    let request = caller.read(format!("/{user}/assigned_pages")).fields("id,name,tasks");
    listed(client, &request, &|_| ()).await.whole()
}

/// Assigns a Page to a system user, with these tasks; may be repeated. Returns whether Graph
/// confirms it.
///
/// # Errors
///
/// Graph refused the call, or did not answer.
pub async fn assign_page(
    client: &Client,
    caller: Caller<'_>,
    page: &str,
    user: &str,
    tasks: &[&str],
) -> Result<bool, GraphError> {
    let tasks = serde_json::json!(tasks).to_string();
    let request =
        caller.read(format!("/{page}/assigned_users")).verb(Verb::Set).with("user", user).with("tasks", tasks);
    is_done(client, &request).await
}

/// Makes a token of a system user for the caller's app: of 60 days, or without an end. It holds
/// what is assigned now; a Page that is assigned later needs a new token.
///
/// # Errors
///
/// Graph refused the call, or did not answer; a token may have been made then, which harms
/// nothing.
pub async fn make_token(
    client: &Client,
    token: &Secret,
    app: &AppCredentials,
    user: &str,
    scopes: &[&str],
    never_expires: bool,
) -> Result<Secret, GraphError> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(deserialize_with = "required")]
        access_token: Secret,
    }
    fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
    let request = token_request(token, app, user, scopes, never_expires);
    Ok(client.call::<Made>(&request).await?.value.access_token)
}

fn token_request(
    token: &Secret,
    app: &AppCredentials,
    user: &str,
    scopes: &[&str],
    never_expires: bool,
) -> GraphRequest {
    let mut request = GraphRequest::read(format!("/{user}/access_tokens"), token, None)
        .verb(Verb::Act)
        .with("business_app", app.id.as_str())
        .with("scope", scopes.join(","));
    // A parameter of this call, in the form without a time, as documented.
    request.hidden.push(("appsecret_proof", app.proof(token)));
    if never_expires { request } else { request.with("set_token_expires_in_60_days", "true") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_with_the_proof_of_its_caller_and_60_days() {
        let app =
            AppCredentials { id: "123456789012345".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") };
        let caller = Secret::new("EAAEmulatorAdminToken0001");
        let request = token_request(&caller, &app, "100093887654321", &["pages_show_list", "pages_messaging"], false);
        let proof = Secret::new("86a5be7cf67a95dff44cd78a03ae002f7a9b3469b15fe8c622988b92e5c552d3");
        assert_eq!(request.hidden, [("appsecret_proof", proof)]);
        assert_eq!((request.path.as_str(), request.verb), ("/100093887654321/access_tokens", Verb::Act));
        let has = |request: &GraphRequest, name: &str| {
            request.query.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        assert_eq!(has(&request, "scope").as_deref(), Some("pages_show_list,pages_messaging"));
        assert_eq!(has(&request, "set_token_expires_in_60_days").as_deref(), Some("true"));
        let endless = token_request(&caller, &app, "1", &[], true);
        assert_eq!(has(&endless, "set_token_expires_in_60_days"), None);
    }
}
