//! The calls, one file for each resource: the request, and the shape of the answer.

pub mod app;
pub mod business;
pub mod login;
pub mod message;
pub mod page;
pub mod person;
pub mod renewal;
pub mod subscription;
pub mod token;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Unreachable;
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

/// Makes a change. Returns whether Graph confirms it: `{"success":true}`, or `true` where Meta's
/// documentation says only "boolean". Some of its pages print the value as a text.
async fn is_done(client: &Client, change: &GraphRequest) -> Result<bool, GraphError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Done {
        Bare(bool),
        Named {
            #[serde(default, deserialize_with = "lenient::flag")]
            success: Option<bool>,
        },
    }
    Ok(match client.call::<Done>(change).await?.value {
        Done::Bare(done) => done,
        Done::Named { success } => success == Some(true),
    })
}

/// `{"data":[…],"paging":{…}}`.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct List<T> {
    #[serde(deserialize_with = "lenient::list")]
    data: Vec<T>,
    #[serde(default, deserialize_with = "lenient::object")]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    /// The next page's address. It holds the token and is not followed; only its presence
    /// counts.
    next: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

/// Entries asked for at once.
const AT_ONCE: usize = 100;
/// The most pages of a list: a cursor that runs in a circle must not loop for ever.
const ROUNDS: usize = 1_000;

/// A list as far as it was read.
#[derive(Debug)]
pub struct Listed<T> {
    /// The entries, in Graph's order.
    pub items: Vec<T>,
    /// Why the list ends before its end.
    pub error: Option<GraphError>,
}

impl<T> Listed<T> {
    /// The whole list, or why it could not be read.
    ///
    /// # Errors
    ///
    /// A page of the list was refused or did not arrive.
    pub fn whole(self) -> Result<Vec<T>, GraphError> {
        self.error.map_or(Ok(self.items), Err)
    }
}

/// Reads a list to its end, page by page; `read` is told how many entries each page had.
async fn listed<T: DeserializeOwned>(client: &Client, list: &GraphRequest, read: &dyn Fn(usize)) -> Listed<T> {
    let mut items = Vec::new();
    let (mut after, mut before): (Option<String>, Option<String>) = (None, None);
    for _ in 0..ROUNDS {
        let mut request = list.clone().with("limit", AT_ONCE.to_string());
        request.query.extend(after.take().map(|cursor| ("after", cursor)));
        let page = match client.call::<List<T>>(&request).await {
            Ok(answer) => answer.value,
            Err(error) => return Listed { items, error: Some(error) },
        };
        read(page.data.len());
        items.extend(page.data);
        match page.paging {
            Some(Paging { next: Some(_), cursors: Some(Cursors { after: Some(cursor) }) }) => {
                // The same part again, and again.
                if before.as_ref() == Some(&cursor) {
                    break;
                }
                before = Some(cursor.clone());
                after = Some(cursor);
            }
            _ => return Listed { items, error: None },
        }
    }
    // Longer than any real list: the cursor runs in a circle.
    let endless = GraphError::Unreachable(Unreachable::Unfinished);
    Listed { items, error: Some(endless) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_only_with_a_cursor_and_a_next_page() {
        let read = |text: &str| serde_json::from_str::<List<String>>(text).expect("a list");
        let list =
            read(r#"{"data":["a",null],"paging":{"cursors":{"after":"QVFI"},"next":"https://x/?access_token=EAAx"}}"#);
        assert!(list.data == ["a"] && list.paging.is_some_and(|paging| paging.next.is_some()));
        for text in [r#"{"data":[]}"#, r#"{"data":[],"paging":null}"#, r#"{"data":[],"paging":"x"}"#] {
            assert!(read(text).paging.is_none(), "{text}");
        }
        let failed =
            Listed { items: vec![1], error: Some(GraphError::Unreachable(super::super::Unreachable::Unfinished)) };
        assert!(failed.whole().is_err());
    }
}
