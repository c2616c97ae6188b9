//! Whose a token is: a Page's, or a person's who has Pages.

use crate::graph::endpoints::app::{self, App};
use crate::graph::endpoints::page::{self, Page};
use crate::graph::endpoints::person::{self, OwnPage};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::secrets::Secret;

/// What Graph says of a token.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// Whose it is.
    pub whose: Whose,
    /// The app that issued it.
    pub issuer: Option<App>,
}

/// Whose a token is.
#[derive(Clone, Default)]
pub(super) enum Whose {
    /// Graph was not asked, or did not answer.
    #[default]
    NotAsked,
    /// Its app asks for signed calls, and no secret is known to sign with.
    Unsigned,
    /// A person's or a system user's, who has these Pages.
    Person(Vec<OwnPage>),
    /// A Page's.
    Page(Page),
}

impl Known {
    fn page(&self) -> Option<&Page> {
        match &self.whose {
            Whose::Page(page) => Some(page),
            _ => None,
        }
    }

    pub fn page_id(&self) -> Option<String> {
        self.page().map(|page| page.id.clone())
    }

    pub fn username(&self) -> Option<String> {
        self.page()?.username.clone()
    }

    pub fn name(&self) -> Option<String> {
        self.page()?.name.clone()
    }
}

/// Asks Graph whose a token is.
pub(super) async fn identify(
    client: &Client,
    token: &Secret,
    signer: Option<&AppCredentials>,
) -> Result<Known, GraphError> {
    let (me, issuer) = tokio::join!(page::me(client, token, signer), app::of_token(client, token, signer));
    let issuer = issuer.ok().map(|answer| answer.value);
    let refused = match me {
        Ok(answer) => return Ok(Known { whose: Whose::Page(answer.value), issuer }),
        Err(GraphError::Refused(error)) if error.code == Some(100) => error,
        Err(error) => return Err(error),
    };
    if refused.kind == "GraphMethodException" {
        // The signature is wrong, or is asked for and missing.
        let unsigned = Known { whose: Whose::Unsigned, issuer };
        return if signer.is_none() { Ok(unsigned) } else { Err(GraphError::Refused(refused)) };
    }
    // A person has no username and is not published; or the Page's token may not read them.
    let (pages, whose) = tokio::join!(person::pages(client, token, signer), page::whose(client, token, signer));
    let whose = match (pages, whose) {
        (Ok(pages), _) => Whose::Person(pages),
        (Err(GraphError::Refused(error)), Ok(page)) if error.code == Some(100) => Whose::Page(page.value),
        (Err(error), _) => return Err(error),
    };
    Ok(Known { whose, issuer })
}
