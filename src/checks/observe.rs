//! Asking Graph: once, and for everything at the same time.

use std::future::Future;
use std::time::{Duration, Instant};

use url::Url;

use super::causes::{Asked, Next, Place};
use super::check::then;
use super::delivery::WasSetUp;
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
    /// The commands that mend this account, for the hints.
    pub commands: Commands,
    /// The Page it should be, where that is known already.
    pub page_id: Option<String>,
    /// The Page's @username, bare, where that is known already.
    pub page_username: Option<String>,
    pub token: Secret,
    pub app_id: Option<String>,
    /// The same app with its secret, where that is known.
    pub app: Option<AppCredentials>,
    /// Where the app secret should be and is not, in words.
    pub app_secret_gone: Option<String>,
    /// Where its events should go, where that is known.
    pub callback: Option<Callback>,
    pub messages: AccountMessages,
    pub chat_settings: ChatSettings,
    /// How near an end of validity is warned of.
    pub warn_days: u32,
    /// The levels of its webhook that were set up once.
    pub was_set_up: WasSetUp,
    /// Whether it is tested with others, whose calls go together.
    pub among_others: bool,
}

/// Where an account's events should go.
pub struct Callback {
    pub url: String,
    /// What Meta will ask it with; `None`: none is stored, and the words say why.
    pub verify_token: Result<Secret, String>,
    /// The account is a sandbox's: its events stay on this machine.
    pub sandbox: bool,
}

/// What an administrator types or does here once something is fixed at Meta.
pub struct Commands {
    pub replace_token: String,
    pub test_again: String,
    /// Gives it the right app id and secret.
    pub set_app: String,
    /// Gives it its app secret, and an app id where it has none.
    pub add_app: String,
    /// Changes a field.
    pub edit: Editing,
    /// Sets both levels of its webhook.
    pub subscribe: String,
    pub verify: String,
    /// Gives the contact centre's own messages other texts.
    pub edit_messages: String,
}

/// How a field of an account is changed.
pub enum Editing {
    /// By these words, behind which the flag follows.
    Flag(String),
    /// In a manifest, where the key stands.
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
    /// The step that gives the field this value, as a shell takes it.
    pub fn set(&self, field: Field, value: &str) -> String {
        let (flag, place, key) = match field {
            Field::PageId => ("--page-id", "", "page_id"),
            Field::PageUsername => ("--page-username", "", "page_username"),
            Field::AppId => ("--app-id", ", below 'app'", "id"),
            Field::CallbackUrl => ("--callback-url", ", below 'webhook'", "callback_url"),
        };
        match self {
            Self::Flag(words) => format!("{words} {flag} {value}"),
            // An id is a text in the file, although it has digits only.
            Self::Manifest if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("set it in the file{place}: {key}: \"{value}\"")
            }
            Self::Manifest => format!("set it in the file{place}: {key}: {value}"),
        }
    }
}

impl Commands {
    /// The command of a step; what has to be filled in stands in capitals.
    pub fn of(&self, next: Next) -> Option<String> {
        let edit = |field, value| Some(self.edit.set(field, value));
        match next {
            Next::ReplaceToken => Some(self.replace_token.clone()),
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
            Next::Nothing => None,
        }
    }
}

impl Subject {
    /// What to do, and the command that follows it.
    pub(super) fn then(&self, fix: &str, next: Next) -> String {
        match self.commands.of(next) {
            Some(command) => then(fix, &command),
            None => fix.to_owned(),
        }
    }

    /// A call at a place as it is made for this account.
    pub(super) fn asked(&self, place: Place) -> Asked {
        place.signed(self.app.is_some())
    }
}

/// One call and what came of it.
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

/// Everything that Graph said.
pub(super) struct Observed {
    /// `/me`.
    pub page: Call<Page>,
    /// `/me` with the two fields that every token may read; asked only when the
    /// first answer left open whose token it is.
    pub whose: Option<Call<Page>>,
    /// `/debug_token`: asked by the app where its secret is known, else by the token itself.
    pub token: Call<TokenInfo>,
    /// `/app`, where the app's id is known and its secret is not; among others only where the
    /// token does not tell it.
    pub app: Option<Call<App>>,
    /// `/{page}/subscribed_apps`.
    pub subscribed: Call<Vec<SubscribedApp>>,
    /// `/{app}/subscriptions`, where the app's secret and a callback URL are known.
    pub app_subscriptions: Option<Call<Vec<AppSubscription>>>,
    /// What the callback answered, where it was asked.
    pub handshake: Option<Answered>,
    pub asked: GraphVersion,
    /// Unix seconds.
    pub now: i64,
}

impl Observed {
    /// The version that Graph answered in, from whichever call it answered.
    pub fn answered(&self) -> Option<GraphVersion> {
        self.page
            .version()
            .or_else(|| self.subscribed.version())
            .or_else(|| self.token.version())
            .or_else(|| self.app.as_ref().and_then(Call::version))
    }
}

/// A callback that was asked as Meta would.
pub(super) struct Answered {
    pub result: Result<Probe, SetupError>,
    pub duration: Duration,
}

async fn ask(prober: &Prober, subject: &Subject) -> Option<Answered> {
    let callback = subject.callback.as_ref()?;
    let url = Url::parse(&callback.url).ok()?;
    let token = callback.verify_token.as_ref().ok()?;
    // Neither would tell anything of what Meta sees.
    if is_loopback(&url) != callback.sandbox {
        return None;
    }
    let start = Instant::now();
    let result = prober.ask(&url, token).await;
    Some(Answered { result, duration: start.elapsed() })
}

/// `prober` asks the callback; without one it is left alone. `with_app` asks for the
/// webhooks of the app, where its secret is known.
pub(super) async fn observe(client: &Client, prober: Option<&Prober>, subject: &Subject, with_app: bool) -> Observed {
    // What is asked, and then judged, is a Page's; another channel has others.
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
    let (page, subscribed, (info, issuer), app_subscriptions, handshake) = tokio::join!(
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
            // A token that tells its app itself saves a call for each of thousands.
            let info = of_itself.await;
            let is_told = info.result.as_ref().is_ok_and(|answer| answer.value.app_id.is_some());
            let issuer = if is_told { None } else { of_issuer().await };
            (info, issuer)
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
        app: issuer,
        subscribed,
        app_subscriptions,
        handshake,
        asked: client.version(),
        now: client.clock().unix_seconds(),
    };
    // The token was taken and the fields were not: a person's token, or a Page's
    // without pages_read_engagement. Only then is there a second round.
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
