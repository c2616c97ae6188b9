//! Meta's events about the app itself: installed, changed or removed by a business. The
//! accounts of the app are tested at once.

use std::collections::HashSet;

use axum::Router;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::operations::Workspace;
use crate::operations::listen::{APPLICATION, Listened, TokenReader};
use crate::secrets::SecretKind;
use crate::webhook::{Heard, Subscriber, receiver};

/// The path of the callback, beside `/metrics`.
pub const PATH: &str = "/webhook";

/// What arrives.
pub struct AppEvents<'a> {
    heard: Heard,
    tokens: TokenReader<'a>,
}

impl<'a> AppEvents<'a> {
    /// A receiver for the accounts that have an app secret; `None` where none has one.
    ///
    /// # Errors
    ///
    /// The accounts or the stores cannot be read.
    pub fn of(ctx: &'a Context) -> Result<Option<(Router, Self)>, CliError> {
        let workspace: &Workspace = ctx;
        let realm = workspace.realm()?;
        let mut listened = Vec::new();
        for account in workspace.accounts()?.load()?.into_iter().filter(|account| account.graph == realm) {
            // One that cannot be read now is said by the round.
            if let Ok(Some(app_secret)) = workspace.secret(&account, SecretKind::AppSecret) {
                listened.push(Listened { account, app_secret });
            }
        }
        if listened.is_empty() {
            return Ok(None);
        }
        let subscribers = listened.iter().map(|listened| Subscriber {
            page_id: listened.account.page_id.to_string(),
            app_secret: listened.app_secret.clone(),
        });
        let (router, heard) = receiver(PATH, subscribers.collect());
        let tokens = TokenReader::start(workspace, &listened)?;
        Ok(Some((router, Self { heard, tokens })))
    }

    /// The Pages of the next app that something happened to. Other events are answered
    /// 503, so that Meta sends them again to the program that handles them.
    pub async fn next(&mut self) -> HashSet<String> {
        let Self { heard, tokens } = self;
        let concerned = async {
            while let Some(notification) = heard.notifications.recv().await {
                if notification.events().iter().any(|event| event.object == APPLICATION) {
                    notification.answer.is_safe();
                    return notification.pages.iter().cloned().collect();
                }
            }
            std::future::pending().await
        };
        tokio::select! {
            pages = concerned => pages,
            () = tokens.keep(&heard.verify_tokens, &mut heard.unknown_tokens) => HashSet::new(),
        }
    }
}
