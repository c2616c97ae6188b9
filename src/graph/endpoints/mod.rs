//! The calls, one file for each resource: the request, and the shape of the answer.

pub mod app;
pub mod message;
pub mod page;
pub mod person;
pub mod renewal;
pub mod subscription;
pub mod token;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{AppCredentials, Client, GraphError, GraphRequest, lenient};
use crate::secrets::Secret;

/// A Page in a call: its id, its token and the app to sign with.
#[derive(Clone, Copy)]
pub struct PageAccess<'a> {
    /// Its id, or `me`.
    pub page_id: &'a str,
    /// Its token.
    pub token: &'a Secret,
    /// The app to sign with.
    pub app: Option<&'a AppCredentials>,
}

impl PageAccess<'_> {
    /// A read of one of the Page's edges.
    fn read(&self, edge: &str) -> GraphRequest {
        GraphRequest::read(format!("/{}/{edge}", self.page_id), self.token, self.app)
    }
}

/// Makes a change. Returns whether Graph confirms it: `{"success":true}`. Some pages of Meta's
/// documentation print the value as a text.
async fn is_done(client: &Client, change: &GraphRequest) -> Result<bool, GraphError> {
    #[derive(Deserialize)]
    struct Success {
        #[serde(deserialize_with = "lenient::flag")]
        success: Option<bool>,
    }
    Ok(client.call::<Success>(change).await?.value.success == Some(true))
}

/// `{"data":[…]}`.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct List<T> {
    #[serde(deserialize_with = "lenient::list")]
    data: Vec<T>,
}
