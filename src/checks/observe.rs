//! Makes all calls to Graph once, at the same time.

use std::future::Future;
use std::time::{Duration, Instant};

use url::Url;

use super::causes::{Asked, Next, Place};
use super::check::then;
use super::delivery::WasSetUp;
use super::life::TokenLife;
use super::state::TokenState;
use crate::address::is_loopback;
use crate::channel::Channel;
use crate::graph::endpoints::PageAccess;
use crate::graph::endpoints::app::{self, App};
use crate::graph::endpoints::page::{self, Page};
use crate::graph::endpoints::subscription::{self, AppSubscription, SubscribedApp};
use crate::graph::endpoints::token::{self, TokenInfo};
use crate::graph::{Answer, ApiError, AppCredentials, Client, GraphError, GraphVersion};
use crate::http::SetupError;
use crate::messages::{AccountMessages, ChatSettings};
use crate::secrets::Secret;
use crate::webhook::{Probe, Prober};

/// The account under test, as the checks need it.
pub struct Subject {
    pub channel: Channel,
    /// The commands that fix this account, for hints.
    pub commands: Commands,
    /// The expected Page, if known already.
    pub page_id: Option<String>,
    /// The Page's @username without `@`, if known already.
    pub page_username: Option<String>,
    pub token: Secret,
    /// The kept token that it came from.
    pub parent: Option<Secret>,
    pub app_id: Option<String>,
    /// The app's credentials, if its secret is known.
    pub app: Option<AppCredentials>,
    /// Where the app secret should be but is not, in words.
    pub app_secret_gone: Option<String>,
    /// Where its events should go, if known.
    pub callback: Option<Callback>,
    pub messages: AccountMessages,
    pub chat_settings: ChatSettings,
    /// How many days before an expiry the warning starts.
    pub warn_days: u32,
    /// The levels of its webhook that were set up once.
    pub was_set_up: WasSetUp,
    /// Whether other accounts are tested with it, so that calls are batched.
    pub among_others: bool,
}

/// Where an account's events should go.
pub struct Callback {
    pub url: String,
    /// The token that Meta will send; the error says why there is none.
    pub verify_token: Result<Secret, String>,
    /// A sandbox account: its events stay on this machine.
    pub sandbox: bool,
}

/// The commands to run after a fix at Meta.
pub struct Commands {
    pub replace_token: String,
    pub test_again: String,
    /// Renews the token without a person, where the token that it came from is kept.
    pub renew: Option<String>,
    /// Sets the app id and secret.
    pub set_app: String,
    /// Sets the app secret, and an app id if it has none.
    pub add_app: String,
    /// Changes a field.
    pub edit: Editing,
    /// Sets both levels of its webhook.
    pub subscribe: String,
    pub verify: String,
    /// Changes the texts of the contact centre's own messages.
    pub edit_messages: String,
}

/// How to change a field of an account.
pub enum Editing {
    /// By this command, followed by the flag.
    Flag(String),
    /// In the manifest, at its key.
    Manifest,
}

/// A field that a fix may name.
#[derive(Clone, Copy)]
pub enum Field {
    PageId,
    PageUsername,
    AppId,
    CallbackUrl,
}

impl Editing {
    /// The step that sets the field to this value, already quoted for a shell.
    pub fn set(&self, field: Field, value: &str) -> String {
        let (flag, place, key) = match field {
            Field::PageId => ("--page-id", "", "page_id"),
            Field::PageUsername => ("--page-username", "", "page_username"),
            Field::AppId => ("--app-id", ", below 'app'", "id"),
            Field::CallbackUrl => ("--callback-url", ", below 'webhook'", "callback_url"),
        };
        match self {
            Self::Flag(words) => format!("{words} {flag} {value}"),
            // In the file an id is a text, although it has only digits.
            Self::Manifest if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("set it in the file{place}: {key}: \"{value}\"")
            }
            Self::Manifest => format!("set it in the file{place}: {key}: {value}"),
        }
    }
}

impl Commands {
    /// The command of a step; parts to fill in are in capitals.
    pub fn of(&self, next: Next) -> Option<String> {
        let edit = |field, value| Some(self.edit.set(field, value));
        match next {
            Next::ReplaceToken => Some(self.replace_token.clone()),
            Next::LogIn => Some("msgrctl login".into()),
            Next::TestAgain => Some(self.test_again.clone()),
            Next::SetApp => Some(self.set_app.clone()),
            Next::AddApp => Some(self.add_app.clone()),
            Next::SetPageId => edit(Field::PageId, "PAGE_ID"),
            Next::SetUsername => edit(Field::PageUsername, "USERNAME"),
            Next::SetCallback => edit(Field::CallbackUrl, "URL"),
            Next::Subscribe => Some(self.subscribe.clone()),
            Next::Verify => Some(self.verify.clone()),
            Next::SetTimeout => Some("msgrctl chat-settings set --messenger-timeout 10m".into()),
            Next::EditMessages => Some(self.edit_messages.clone()),
            Next::Doctor => Some("msgrctl doctor".into()),
            Next::ShowState => Some("msgrctl state show".into()),
            Next::Nothing => None,
        }
    }
}

impl Subject {
    /// The fix, and the command after it.
    pub(super) fn then(&self, fix: &str, next: Next) -> String {
        match self.commands.of(next) {
            Some(command) => then(fix, &command),
            None => fix.to_owned(),
        }
    }

    /// The details of a call at a place, for this account.
    pub(super) fn asked(&self, place: Place) -> Asked {
        place.signed(self.app.is_some())
    }
}

/// A call and its result.
pub(super) struct Call<T> {
    pub result: Result<Answer<T>, GraphError>,
    pub duration: Duration,
}

impl<T> Call<T> {
    pub fn value(&self) -> Option<&T> {
        self.result.as_ref().ok().map(|answer| &answer.value)
    }

    pub fn refusal(&self) -> Option<&ApiError> {
        match &self.result {
            Err(GraphError::Refused(error)) => Some(error),
            _ => None,
        }
    }

    fn version(&self) -> Option<GraphVersion> {
        match &self.result {
            Ok(answer) => answer.version,
            Err(GraphError::Refused(error)) => error.version,
            Err(GraphError::Unreachable(_)) => None,
        }
    }
}

/// All of Graph's answers.
pub(super) struct Observed {
    /// `/me`.
    pub page: Call<Page>,
    /// `/me` with only the two fields that every token may read; asked if the first answer left
    /// open whose token it is.
    pub whose: Option<Call<Page>>,
    /// `/debug_token`: asked by the app if its secret is known, else by the token itself.
    pub token: Call<TokenInfo>,
    /// The same for the kept token that it came from, if there is one: asked by the app.
    pub parent: Option<Call<TokenInfo>>,
    /// `/app`, if the app's id is known but not its secret; in a batch only if the token does
    /// not name its app.
    pub app: Option<Call<App>>,
    /// `/{page}/subscribed_apps`.
    pub subscribed: Call<Vec<SubscribedApp>>,
    /// `/{app}/subscriptions`, if the app's secret and a callback URL are known.
    pub app_subscriptions: Option<Call<Vec<AppSubscription>>>,
    /// The callback's answer, if it was asked.
    pub handshake: Option<Answered>,
    pub asked: GraphVersion,
    /// Unix seconds.
    pub now: i64,
}

impl Observed {
    /// What Meta says of the kept token that the token came from.
    pub fn parent_info(&self) -> Option<&TokenInfo> {
        self.parent.as_ref()?.value().filter(|info| info.is_readable())
    }

    /// What the token is.
    pub fn life(&self) -> Option<TokenLife> {
        TokenLife::of(self.token.value().filter(|info| info.is_readable())?, self.parent_info(), self.now)
    }

    /// The version that Graph answered in, from any call.
    pub fn answered(&self) -> Option<GraphVersion> {
        self.page
            .version()
            .or_else(|| self.subscribed.version())
            .or_else(|| self.token.version())
            .or_else(|| self.app.as_ref().and_then(Call::version))
    }
}

/// The result of asking a callback as Meta would.
pub(super) struct Answered {
    pub result: Result<Probe, SetupError>,
    pub duration: Duration,
}

async fn ask(prober: &Prober, subject: &Subject) -> Option<Answered> {
    let callback = subject.callback.as_ref()?;
    let url = Url::parse(&callback.url).ok()?;
    let token = callback.verify_token.as_ref().ok()?;
    // In either case the result would say nothing about Meta's view.
    if is_loopback(&url) != callback.sandbox {
        return None;
    }
    let start = Instant::now();
    let result = prober.ask(&url, token).await;
    Some(Answered { result, duration: start.elapsed() })
}

/// Makes all calls. The callback is asked only with a `prober`; `with_app` reads the app's
/// webhooks, if its secret is known.
pub(super) async fn observe(client: &Client, prober: Option<&Prober>, subject: &Subject, with_app: bool) -> Observed {
    // These calls and checks are for Pages; another channel has its own.
    let Channel::Facebook = subject.channel;
    let app = subject.app.as_ref();
    let token = &subject.token;
    let of_page = PageAccess { page_id: subject.page_id.as_deref().unwrap_or("me"), token, app };
    let of_issuer = || async {
        match (&subject.app_id, app) {
            (Some(_), None) => Some(timed(app::of_token(client, token, None)).await),
            _ => None,
        }
    };
    let (page, subscribed, (info, issuer), parent, app_subscriptions, handshake) = tokio::join!(
        async {
            if subject.among_others {
                timed(page::me(client, token, app)).await
            } else {
                timed(page::me_alone(client, token, app)).await
            }
        },
        timed(subscription::of_page(client, of_page)),
        async {
            let of_itself = async {
                match app {
                    Some(app) => timed(token::debug(client, token, app)).await,
                    None => timed(token::debug_itself(client, token)).await,
                }
            };
            if !subject.among_others {
                return tokio::join!(of_itself, of_issuer());
            }
            // A token that names its own app saves a call, for each of thousands.
            let info = of_itself.await;
            let is_told = info.result.as_ref().is_ok_and(|answer| answer.value.app_id.is_some());
            let issuer = if is_told { None } else { of_issuer().await };
            (info, issuer)
        },
        async {
            match (app, &subject.parent) {
                (Some(app), Some(parent)) => Some(timed(token::debug(client, parent, app)).await),
                _ => None,
            }
        },
        async {
            match app {
                Some(app) if with_app => Some(timed(subscription::of_app(client, app)).await),
                _ => None,
            }
        },
        async {
            match prober {
                Some(prober) => ask(prober, subject).await,
                None => None,
            }
        },
    );
    let mut seen = Observed {
        page,
        whose: None,
        token: info,
        parent,
        app: issuer,
        subscribed,
        app_subscriptions,
        handshake,
        asked: client.version(),
        now: client.clock().unix_seconds(),
    };
    // The token was accepted and the fields were not: a person's token, or a Page's without
    // pages_read_engagement. Only then is there a second round.
    if seen.page.refusal().is_some() && matches!(TokenState::of(&seen), TokenState::Accepted) {
        seen.whose = Some(timed(page::whose(client, token, app)).await);
    }
    seen
}

async fn timed<T>(call: impl Future<Output = Result<Answer<T>, GraphError>>) -> Call<T> {
    let start = Instant::now();
    let result = call.await;
    Call { result, duration: start.elapsed() }
}
