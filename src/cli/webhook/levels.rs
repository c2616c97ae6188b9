//! The two levels of accounts' webhooks: asked about together, several accounts at
//! once, each app once; and how what was found is shown.

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use crate::accounts::{Account, AppId};
use crate::checks::causes::{self, Cause, Next, OTHER_APP, Place};
use crate::checks::ids;
use crate::checks::{Diagnosis, GraphTrace, Outcome, of_unreachable};
use crate::cli::context::Context;
use crate::cli::error::{CliError, GraphView};
use crate::cli::outcome::{self, Line};
use crate::graph::{AppCredentials, Client, GraphError};
use crate::operations::accounts::commands;
use crate::operations::accounts::test;
use crate::operations::journal::ChangedThing;
use crate::provision::subscription::{self, AppLevel, PageAccess, PageLevel};
use crate::secrets::{Secret, SecretKind};
use crate::text::to_paste;
use crate::ui::style::{self, paint};
use crate::ui::terminal::Screen;

/// How many accounts are asked about, or written, at the same time; their calls go
/// together.
pub const AT_ONCE: usize = 256;

/// The level of the app, as the checks call it.
pub const APP: &str = ids::APP_SUBSCRIPTION;
/// The level of the Page.
pub const PAGE: &str = ids::PAGE_SUBSCRIPTION;

/// An account, and what it takes to ask about its webhook.
pub struct Target {
    /// The account.
    pub account: Account,
    /// The Page access token.
    pub token: Secret,
    /// The app with its secret, where that is known.
    pub app: Option<AppCredentials>,
}

impl Target {
    /// Reads what is needed of an account's secrets.
    pub fn of(ctx: &Context, account: Account) -> Result<Self, CliError> {
        let kind = SecretKind::PageAccessToken;
        let token = ctx
            .secret(&account, kind)
            .map_err(|error| CliError::from(error).context(format!("cannot read the {kind} of '{}'", account.name)))?;
        let token = token.ok_or_else(|| test::no_token(&account))?;
        let app = match &account.app_id {
            Some(id) => {
                ctx.secret(&account, SecretKind::AppSecret)?.map(|secret| AppCredentials { id: id.to_string(), secret })
            }
            None => None,
        };
        Ok(Self { account, token, app })
    }

    /// The Page, as calls about its subscription need it.
    pub fn page(&self) -> PageAccess<'_> {
        PageAccess {
            page_id: self.account.page_id.as_str(),
            token: &self.token,
            app_id: self.account.app_id.as_ref().map(AppId::as_str),
            app: self.app.as_ref(),
        }
    }

    /// Where its events should go.
    pub fn callback_url(&self) -> Option<String> {
        self.account.callback_url.as_ref().map(|url| url.as_str().to_owned())
    }
}

/// What was found about one account's levels.
pub struct Seen {
    /// What the Page sends.
    pub page: Result<PageLevel, GraphError>,
    /// The app's level; `None`: the app secret is not known.
    pub app: Option<Result<AppLevel, GraphError>>,
}

/// Asks about the Page of each target, and once about each app.
pub async fn observe(client: &Client, targets: &[&Target]) -> Vec<Seen> {
    // Once each pair of id and secret: one that is wrong is one account's alone.
    let mut apps: Vec<&AppCredentials> = Vec::new();
    for app in targets.iter().filter_map(|target| target.app.as_ref()) {
        if !apps.iter().any(|known| same_app(known, app)) {
            apps.push(app);
        }
    }
    let asked =
        stream::iter(apps.into_iter().map(|app| async move { (app, subscription::observe_app(client, app).await) }));
    let pages = stream::iter(targets.iter().map(|target| subscription::observe_page(client, target.page())));
    let all = async { tokio::join!(asked.buffer_unordered(AT_ONCE).collect(), pages.buffered(AT_ONCE).collect()) };
    let (apps, pages): (Vec<_>, Vec<_>) = if targets.len() > 1 { client.in_batches(all).await } else { all.await };
    let of_app = |target: &Target| {
        let mine = target.app.as_ref()?;
        apps.iter().find(|(app, _)| same_app(app, mine)).map(|(_, level)| level.clone())
    };
    targets.iter().zip(pages).map(|(target, page)| Seen { page, app: of_app(target) }).collect()
}

/// The level of an account that was changed at Meta between two looks, the app's first, as far
/// as both could see it.
pub fn changed_levels(before: &Seen, now: &Seen) -> Vec<&'static str> {
    let app = match (&before.app, &now.app) {
        (Some(Ok(before)), Some(Ok(now))) => !subscription::same_app_level(before, now),
        _ => false,
    };
    let page = matches!((&before.page, &now.page), (Ok(before), Ok(now)) if !subscription::same_page(before, now));
    [(APP, app), (PAGE, page)].into_iter().filter_map(|(level, changed)| changed.then_some(level)).collect()
}

/// The same in words: what was changed, and where.
pub fn changed_in_words(level: &str) -> &'static str {
    if level == APP { "the app's webhook" } else { "the Page's subscription" }
}

fn same_app(a: &AppCredentials, b: &AppCredentials) -> bool {
    a.id == b.id && a.secret == b.secret
}

/// What became of one level.
pub struct Found {
    /// [`APP`] or [`PAGE`].
    pub id: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable name of why it is not as it should be.
    pub cause: Option<&'static str>,
    /// What is, in a sentence.
    pub summary: String,
    /// What to do, and the command behind `; then: `.
    pub hint: Option<String>,
    /// What Graph answered.
    pub graph: Option<GraphTrace>,
    /// What the callback said in a handshake, in its first words.
    pub receiver_says: Option<String>,
}

impl Found {
    /// Something that is neither good nor bad news of Graph's.
    pub fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>, hint: Option<String>) -> Self {
        Self { id, outcome, cause: None, summary: summary.into(), hint, graph: None, receiver_says: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(self, cause: &'static Cause) -> Self {
        Self { cause: Some(cause.id), ..self }
    }

    /// A Page whose token is of another app than the account says.
    pub fn of_another_app(account: &Account, id: &str) -> Self {
        let summary = format!("the token is of app {id}, which is not the account's: nothing was changed");
        let hint = format!(
            "if that app is meant, give its id and secret, else a token of the right app; then: msgrctl account edit {} --app-id {} --app-secret-stdin --yes",
            account.handle,
            to_paste(id, "APP_ID")
        );
        Self::new(PAGE, Outcome::Fail, summary, Some(hint)).because(&OTHER_APP)
    }

    /// A failed call, in the words of its cause, with the command that mends that; `then`
    /// where the same command is all there is to do.
    pub fn failed(id: &'static str, error: &GraphError, target: &Target, then: &str) -> Self {
        let place = if id == APP { Place::App } else { Place::Page };
        let (outcome, found) = match error {
            GraphError::Refused(api) => (Outcome::Fail, causes::of(api, place.signed(target.app.is_some()))),
            GraphError::Unreachable(unreachable) => (Outcome::Unreachable, of_unreachable(unreachable)),
        };
        let Diagnosis { cause, summary, fix, next, .. } = found;
        let own = match next {
            Next::Nothing | Next::TestAgain | Next::Subscribe | Next::Doctor => None,
            next => commands::saved(&target.account).of(next),
        };
        let hint = format!("{fix}; then: {}", own.as_deref().unwrap_or(then));
        Self {
            id,
            outcome,
            cause: Some(cause),
            summary,
            hint: Some(hint),
            graph: GraphTrace::of(error),
            receiver_says: None,
        }
    }
}

/// An account and what became of its levels.
pub struct AccountResult {
    /// Its name.
    pub name: String,
    /// Whether anything was written.
    pub changed: bool,
    /// What was found, the app first.
    pub found: Vec<Found>,
}

impl AccountResult {
    /// The worst of all.
    pub fn outcome(&self) -> Outcome {
        self.found.iter().map(|found| found.outcome).fold(Outcome::Pass, Ord::max)
    }
}

/// A change at Meta as the log names it: `levels` are those that were written.
pub fn changed(account: &Account, levels: &[&'static str]) -> ChangedThing {
    ChangedThing {
        of: account.name.to_string(),
        handle: Some(account.handle.to_string()),
        what: "changed".into(),
        fields: levels.iter().map(|level| format!("meta.{}", level.replace('.', "_"))).collect(),
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    schema_version: u8,
    results: Vec<ResultView<'a>>,
}

#[derive(Serialize)]
struct ResultView<'a> {
    account: &'a str,
    outcome: String,
    changed: bool,
    levels: Vec<LevelView<'a>>,
}

#[derive(Serialize)]
struct LevelView<'a> {
    id: &'static str,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<GraphView>,
    /// The callback's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'a str>,
}

impl<'a> LevelView<'a> {
    fn new(found: &'a Found) -> Self {
        Self {
            id: found.id,
            outcome: found.outcome.to_string(),
            cause: found.cause,
            summary: &found.summary,
            hint: found.hint.as_deref(),
            graph: found.graph.as_ref().map(GraphView::from),
            says: found.receiver_says.as_deref(),
        }
    }
}

/// Shows results, as JSON or as a list.
pub fn show(ctx: &Context, results: &[AccountResult]) {
    if ctx.output.json {
        let results = results.iter().map(|result| ResultView {
            account: &result.name,
            outcome: result.outcome().to_string(),
            changed: result.changed,
            levels: result.found.iter().map(LevelView::new).collect(),
        });
        ctx.output.json(&Envelope { schema_version: 1, results: results.collect() });
        return;
    }
    let texts: Vec<String> = results.iter().map(|result| text(result, ctx.output.terminal.out())).collect();
    ctx.output.result(&texts.join("\n\n"));
}

fn text(result: &AccountResult, screen: Screen) -> String {
    let name = paint(style::BOLD, &format!("{}:", result.name), screen.color);
    let mut lines = vec![format!("{name} {}", outcome::marked(result.outcome(), screen))];
    for found in &result.found {
        let line = Line {
            id: found.id,
            outcome: found.outcome,
            summary: &found.summary,
            hint: found.hint.as_deref(),
            graph: found.graph.as_ref(),
            receiver_says: found.receiver_says.as_deref(),
        };
        lines.extend(outcome::lines(&line, PAGE.len(), screen));
    }
    lines.join("\n")
}

/// The fields in words.
pub fn list(fields: &[String]) -> String {
    if fields.is_empty() { "nothing".into() } else { fields.join(", ") }
}
