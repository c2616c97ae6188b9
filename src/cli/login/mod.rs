//! `msgrctl login`: a login at Meta in the browser, and the accounts of the chosen Pages.

mod app;
mod browser;
mod pages;
mod system_user;
mod view;

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::account::say;
use super::candidates;
use super::context::Context;
use super::error::CliError;
use crate::accounts::{Account, AppId, PageId};
use crate::dashboard;
use crate::http::Url;
use crate::operations::accounts::inputs::SecretInputs;
use crate::operations::login::answer::Answer;
use crate::operations::login::connect::{self, OfApp};
use crate::operations::login::dialog::{Dialog, META_PAGE, PERMISSIONS, Wanted};
use crate::operations::login::granted::{Granted, granted, of_token};
use crate::operations::login::listener::{self, Listener};
use crate::operations::unstored;
use crate::secrets::{Secret, StoreName};

use self::browser::Way;
use self::system_user::SystemUserArgs;

/// Log in at Meta in the browser, and connect the Pages you pick
///
/// Opens Meta's login dialog in the browser, waits on this machine for the answer, and lists
/// the Pages behind the login: each one you pick is tested and added, or its account gets a
/// new token. An account that exists keeps its name, callback URL and messages. Tick every
/// connected Page again at Meta: one that is not ticked loses its token.
///
/// It needs the app's id and secret; those of the tenant's accounts are taken by default.
/// For an app with Facebook Login for Business give the configuration with --config-id.
/// The way back to http://localhost works while the app is in Development mode; for an app
/// in Live mode use --paste, or a --redirect-uri that the app knows. --system-user sets up a
/// system user of a business, whose token outlives people. Without a terminal,
/// name the Pages with --page or --all-pages, and confirm with --yes. 'msgrctl help meta-login'
/// explains Meta's error pages.
///
/// Exit codes: 0 done, 1 cancelled or refused, 9 some Pages could not be connected.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  msgrctl login
  msgrctl login --config-id 1122334455667788
  msgrctl login --no-browser --page 109876543210987 --yes
  msgrctl login --paste
  msgrctl login --system-user --business 5550001112223")]
pub struct LoginArgs {
    /// The Meta app's id [default: the app of the tenant's accounts]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The configuration of Facebook Login for Business: digits
    #[arg(long, value_name = "ID", conflicts_with = "scope")]
    config_id: Option<String>,
    /// The permissions to ask for, with Facebook Login [default: those that Test Connection needs]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    scope: Vec<String>,
    /// The ids of the Pages to connect
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with = "all_pages")]
    page: Vec<String>,
    /// Connect every Page that the login reaches
    #[arg(long)]
    all_pages: bool,
    /// Print the dialog's address instead of opening the browser
    #[arg(long)]
    no_browser: bool,
    /// Read the address that the browser ended at, instead of waiting for it
    #[arg(long, conflicts_with = "listen")]
    paste: bool,
    /// Where Meta sends the browser back to, as the app has it
    #[arg(long, value_name = "URL")]
    redirect_uri: Option<String>,
    /// Where to wait for the browser; port 0 takes a free one [default: localhost:0]
    #[arg(long, value_name = "localhost:PORT")]
    listen: Option<String>,
    /// Keep the person's token too, so that 'account renew' can renew the Pages' tokens
    #[arg(long)]
    keep_user_token: bool,
    /// Read the app secret from standard input
    #[arg(long, conflicts_with = "paste", group = "app_secret_from_group", help_heading = "Secrets")]
    app_secret_stdin: bool,
    /// Read the app secret from a file
    #[arg(long, value_name = "PATH", group = "app_secret_from_group", help_heading = "Secrets")]
    app_secret_file: Option<PathBuf>,
    /// Keep a reference to the app secret: env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM ARG…
    #[arg(long, value_name = "REF", add = ArgValueCandidates::new(candidates::references), group = "app_secret_from_group", help_heading = "Secrets")]
    app_secret_from: Option<String>,
    #[command(flatten)]
    by_business: SystemUserArgs,
}

impl LoginArgs {
    fn route(&self) -> Result<Route, CliError> {
        let wanted = match &self.config_id {
            Some(id) => Wanted::Configuration(configuration(id)?),
            None if self.scope.is_empty() && self.by_business.system_user => system_user::wanted(),
            None if self.scope.is_empty() => default_permissions(),
            None => Wanted::Permissions(self.scope.clone()),
        };
        let mut named = Vec::new();
        for page in &self.page {
            let id = page.parse::<PageId>().map_err(CliError::from)?.to_string();
            if !named.contains(&id) {
                named.push(id);
            }
        }
        let redirect = self.redirect_uri.as_deref().map(redirect).transpose()?;
        let local_port = redirect.as_ref().and_then(|(url, _)| match url.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") if url.scheme() == "http" => url.port_or_known_default(),
            _ => None,
        });
        let listened = self.listen.as_deref().map(|text| {
            listener::port_of(text).ok_or_else(|| {
                CliError::usage(format!("'{text}' is not a valid address to wait at: it looks like localhost:8400"))
                    .hint("the answer is taken on this machine only")
            })
        });
        let listened = listened.transpose()?;
        if redirect.is_some() && !self.paste && local_port.or(listened.filter(|port| *port != 0)).is_none() {
            return Err(CliError::usage("with --redirect-uri it is not known how the answer comes back")
                .hint("where the address forwards to this machine, name the port: --listen localhost:PORT; else paste the address that the browser ends at: --paste"));
        }
        Ok(Route {
            wanted,
            named,
            way: Way { opens: !self.no_browser, pastes: self.paste },
            redirect: redirect.map(|(_, text)| text),
            port: listened.or(local_port).unwrap_or(0),
        })
    }
}

/// The id of a configuration of Facebook Login for Business.
pub fn configuration(text: &str) -> Result<String, CliError> {
    let id = text.trim();
    if id.is_empty() || id.len() > 20 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CliError::usage("this is not a valid configuration id: it is digits only")
            .hint(format!("where to find it: {}", dashboard::CONFIGURATIONS)));
    }
    Ok(id.to_owned())
}

/// An address that Meta can send a browser to, with its text: the exchange repeats it letter by
/// letter.
fn redirect(text: &str) -> Result<(Url, String), CliError> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    let is_bare = |url: &Url| url.fragment().is_none() && url.password().is_none() && url.username().is_empty();
    match url.filter(is_bare) {
        Some(url) => Ok((url, text.to_owned())),
        None => Err(CliError::usage("--redirect-uri is not a valid web address")
            .hint("give it as the app has it under Valid OAuth Redirect URIs, such as https://example.com/login")),
    }
}

/// What a login asks for, and how the browser goes there and back.
struct Route {
    wanted: Wanted,
    way: Way,
    redirect: Option<String>,
    port: u16,
    /// The Pages that are looked for by their ids.
    named: Vec<String>,
}

/// Sends the person to Meta, and takes what the login gives.
fn log_in(ctx: &Context, app: &OfApp, route: Route) -> Result<Granted, CliError> {
    let client = ctx.graph()?;
    pages::say_what_hangs_on_it(ctx, app)?;
    let (redirect, listener) = if route.way.pastes {
        (route.redirect.unwrap_or_else(|| META_PAGE.to_owned()), None)
    } else {
        let listener = Listener::bind(route.port)?;
        (route.redirect.unwrap_or_else(|| listener.redirect()), Some(listener))
    };
    let dialog = Dialog::new(client.dialog(), app.credentials(), &route.wanted, redirect);
    match browser::answer(ctx, dialog, listener, route.way)? {
        (Answer::Code(code), dialog) => Ok(granted(ctx, &client, &dialog, &code, &route.named)?),
        (Answer::Refused(error), _) => Err(error),
        (Answer::Foreign | Answer::Nothing, _) => unreachable!("only answers of this login are taken"),
    }
}

/// The login of the wizard: the app, asked for where it is not known, and the person's token.
///
/// # Errors
///
/// The login was cancelled or refused: the wizard asks again.
pub fn for_wizard(ctx: &Context, id: Option<AppId>, secret: Option<Secret>) -> Result<(OfApp, Secret), CliError> {
    let app = app::of(ctx, id, SecretInputs { app_secret: secret, ..SecretInputs::default() })?;
    say(
        ctx,
        &format!(
            "\nConfiguration: for an app with Facebook Login for Business its id, from {}. Enter: the app has Facebook Login.",
            dashboard::CONFIGURATIONS
        ),
    );
    let wanted = loop {
        let typed = ctx.ask_line("Configuration id", "")?.ok_or_else(|| CliError::left("the login was left"))?;
        match typed.as_str() {
            "" => break default_permissions(),
            typed => match configuration(typed) {
                Ok(id) => break Wanted::Configuration(id),
                Err(error) => ctx.output.warning(error.message()),
            },
        }
    };
    let way = Way { opens: true, pastes: false };
    let route = Route { wanted, way, redirect: None, port: 0, named: Vec::new() };
    let Granted { token, lacking, .. } = log_in(ctx, &app, route)?;
    pages::say_what_is_lacking(ctx, &lacking);
    Ok((app, token))
}

fn default_permissions() -> Wanted {
    Wanted::Permissions(PERMISSIONS.map(str::to_owned).to_vec())
}

pub fn run(args: &LoginArgs, ctx: &Context) -> Result<u8, CliError> {
    let route = args.route()?;
    let named = route.named.clone();
    let app_id: Option<AppId> = args.app_id.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    if !ctx.someone_can_answer || ctx.output.json {
        // Known before the browser opens, not after the person has logged in.
        if named.is_empty() && !args.all_pages {
            return Err(CliError::usage("missing: the Pages to connect")
                .hint("name them with --page ID, or take all with --all-pages"));
        }
        let accounts = ctx.accounts()?.load()?;
        let is_named = |account: &Account| named.iter().any(|id| *id == account.page_id.as_str());
        let asks = args.all_pages || args.by_business.system_user || accounts.iter().any(is_named);
        if asks && !ctx.global.yes {
            return Err(CliError::usage(
                "cannot prompt (not a terminal), and this login may replace tokens or make a system user; nothing was changed",
            )
            .hint("to confirm in advance: the same command with --yes"));
        }
    }
    // Known before the person goes to Meta, not after.
    let store = ctx.settings()?.store.value;
    if store == StoreName::Env {
        return Err(CliError::usage("a login brings new tokens, and the env store takes none: it reads variables")
            .hint("name a store that keeps them: --store keyring, file or vault"));
    }
    ctx.store(store).probe().map_err(|error| unstored(ctx, error))?;
    let app = app::choose(ctx, args, app_id)?;
    let Granted { token, pages, lacking } = log_in(ctx, &app, route)?;
    pages::say_what_is_lacking(ctx, &lacking);
    pages::say_what_was_not_ticked(ctx, &app, &pages)?;
    let candidates = connect::candidates(ctx, pages)?;
    let mut chosen = pages::choose(ctx, candidates, &named, args.all_pages)?;
    let mut parent = token;
    if args.by_business.system_user {
        let ids: Vec<String> =
            chosen.candidates.iter().map(|one| one.page.id.clone()).chain(chosen.not_reached).collect();
        let token = args.by_business.set_up(ctx, &app, parent, &ids)?;
        let of_user = of_token(ctx, &ctx.graph()?, &app.credentials(), token, &ids)?;
        parent = of_user.token;
        chosen = pages::choose(ctx, connect::candidates(ctx, of_user.pages)?, &ids, false)?;
    }
    pages::confirm(ctx, &chosen.candidates)?;
    let keeps = args.keep_user_token || args.by_business.is_kept();
    let mut ended = Vec::new();
    for candidate in &chosen.candidates {
        ended.extend(connect::connect(ctx, &app, candidate, keeps.then_some(&parent))?);
    }
    ended.extend(chosen.not_reached.iter().map(|id| connect::not_reached(id)));
    view::print(ctx, ended, &lacking)
}
