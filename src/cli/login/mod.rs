//! `msgrctl login`: a login at Meta in the browser, and the accounts of the chosen Pages.

mod app;
mod browser;
mod pages;
mod system_user;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::account::say;
use super::candidates;
use super::context::Context;
use super::error::CliError;
use crate::accounts::{Account, AppId, PageId};
use crate::dashboard;
use crate::http::Url;
use crate::operations::accounts::fields::{self, Field};
use crate::operations::accounts::inputs::SecretInputs;
use crate::operations::login::answer::Answer;
use crate::operations::login::connect::{self, Candidate, LoginApp};
use crate::operations::login::dialog::{Dialog, META_PAGE, PERMISSIONS, Wanted};
use crate::operations::login::granted::{Granted, check_app, granted, of_token};
use crate::operations::login::listener::{self, Listener};
use crate::operations::unstored;
use crate::secrets::{Secret, StoreName};

use self::browser::BrowserMode;
use self::system_user::SystemUserArgs;

/// Log in at Meta in the browser, and connect the Pages you pick
///
/// Opens Meta's login dialog in the browser, waits on this machine for the answer, and lists
/// the Pages behind the login: each one you pick is tested and added, or its account gets a
/// new token. An account that exists keeps its name, callback URL and messages. Tick every
/// connected Page again at Meta: one that is not ticked loses its token.
///
/// It needs the app's id and secret; by default it uses those of the tenant's accounts.
/// For an app with Facebook Login for Business give the configuration with --config-id.
/// The way back to http://localhost works while the app is in Development mode; for an app
/// in Live mode use --paste, or a --redirect-uri that the app knows. --system-user sets up a
/// system user of a business, whose token does not depend on a person. Without a terminal,
/// name the Pages with --page or --all-pages, and confirm with --yes. 'msgrctl help meta-login'
/// explains Meta's error pages.
///
/// Exit codes: 0 done, 1 cancelled or refused, 7 a Page failed its test or is not reached, 9 some
/// Pages could not be connected; the others as in 'msgrctl help exit-codes'.
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
    fn request(&self) -> Result<LoginRequest, CliError> {
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
            return Err(CliError::usage("--redirect-uri also needs --listen localhost:PORT or --paste")
                .hint("--listen where the address forwards to this machine; --paste to give the address that the browser ends at"));
        }
        Ok(LoginRequest {
            wanted,
            named,
            mode: BrowserMode { opens: !self.no_browser, pastes: self.paste },
            redirect: redirect.map(|(_, text)| text),
            port: listened.filter(|port| *port != 0).or(local_port).unwrap_or(0),
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

/// The Pages that are connected.
const PAGES: Field =
    Field::new("Pages to connect", "--page ID or --all-pages", "the Page's About section, under Page transparency");

/// What a login asks for, and how the browser goes there and back.
struct LoginRequest {
    wanted: Wanted,
    mode: BrowserMode,
    redirect: Option<String>,
    port: u16,
    /// The Pages that are looked for by their ids.
    named: Vec<String>,
}

/// Sends the person to Meta, and takes what the login gives.
fn log_in(ctx: &Context, app: &LoginApp, request: LoginRequest) -> Result<Granted, CliError> {
    let client = ctx.graph()?;
    let (redirect, listener) = if request.mode.pastes {
        (request.redirect.unwrap_or_else(|| META_PAGE.to_owned()), None)
    } else {
        let listener = Listener::bind(request.port)?;
        (request.redirect.unwrap_or_else(|| listener.redirect()), Some(listener))
    };
    check_app(ctx, &client, &app.credentials())?;
    pages::say_what_hangs_on_it(ctx, app)?;
    let dialog = Dialog::new(client.dialog(), app.credentials(), &request.wanted, redirect);
    let dialog = Arc::new(dialog);
    match browser::answer(ctx, &dialog, listener, request.mode)? {
        Answer::Code(code) => Ok(granted(ctx, &client, &dialog, &code, &request.named)?),
        Answer::Refused(error) => Err(error),
        Answer::Foreign | Answer::Nothing => unreachable!("only answers of this login are taken"),
    }
}

/// The login of the wizard: the app, asked for where it is not known, and the person's token.
/// `elsewhere`: in another browser, whose last address is pasted.
///
/// # Errors
///
/// The login was cancelled or refused: the wizard asks again.
pub fn for_wizard(
    ctx: &Context,
    id: Option<AppId>,
    secret: Option<Secret>,
    elsewhere: bool,
) -> Result<(LoginApp, Secret), CliError> {
    let app = app::of(ctx, id, SecretInputs { app_secret: secret, ..SecretInputs::default() })?;
    say(
        ctx,
        &format!(
            "\nNew apps have Facebook Login for Business, which needs a configuration: its id is at {}. Press Enter for an older app with Facebook Login.",
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
    let mode = BrowserMode { opens: !elsewhere, pastes: elsewhere };
    let request = LoginRequest { wanted, mode, redirect: None, port: 0, named: Vec::new() };
    let Granted { token, lacking, pages } = log_in(ctx, &app, request)?;
    pages::say_what_it_ended(ctx, &app, &pages)?;
    pages::judge_lacking(ctx, &lacking)?;
    Ok((app, token))
}

fn default_permissions() -> Wanted {
    Wanted::Permissions(PERMISSIONS.map(str::to_owned).to_vec())
}

pub fn run(args: &LoginArgs, ctx: &Context) -> Result<u8, CliError> {
    let request = args.request()?;
    let named = request.named.clone();
    let app_id: Option<AppId> = args.app_id.as_deref().map(str::parse).transpose().map_err(CliError::from)?;
    if !ctx.someone_can_answer || ctx.output.json {
        // Known before the browser opens, not after the person has logged in.
        let mut missing = app::missing(ctx, args, app_id.as_ref())?;
        if named.is_empty() && !args.all_pages {
            missing.insert(0, &PAGES);
        }
        if !missing.is_empty() {
            return Err(fields::missing(&missing, None));
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
        return Err(CliError::usage("the env store is read-only: a login cannot keep tokens in it")
            .hint("name a store that keeps them: --store keyring, file or vault"));
    }
    ctx.store(store).probe().map_err(|error| unstored(ctx, error))?;
    ctx.records()?.can_append()?;
    args.by_business.check()?;
    let app = app::choose(ctx, args, app_id)?;
    let Granted { token, pages, lacking } = log_in(ctx, &app, request)?;
    let lost = pages::say_what_it_ended(ctx, &app, &pages)?;
    pages::judge_lacking(ctx, &lacking)?;
    let candidates = connect::candidates(ctx, pages)?;
    let mut chosen = pages::choose(ctx, candidates, &named, args.all_pages)?;
    pages::confirm(ctx, &chosen.candidates)?;
    let mut parent = token;
    if args.by_business.system_user {
        // A role or a task that the administrator lacks, the system user need not lack.
        let (hopeless, able): (Vec<_>, Vec<_>) = chosen.candidates.into_iter().partition(Candidate::lacks_username);
        let ids: Vec<String> = able.into_iter().map(|one| one.page.id).collect();
        let token = args.by_business.set_up(ctx, &app, parent, &ids)?;
        let of_user = of_token(ctx, &ctx.graph()?, &app.credentials(), token, &[], &ids)
            .map_err(|error| error.note("the system user has a new token that is not kept"))?;
        parent = of_user.token;
        let reached = pages::choose(ctx, connect::candidates(ctx, of_user.pages)?, &ids, false)?;
        chosen.candidates = hopeless.into_iter().chain(reached.candidates).collect();
        chosen.not_reached.extend(reached.not_reached);
    }
    let keeps = args.keep_user_token || args.by_business.is_kept();
    let mut ended = Vec::new();
    let several = chosen.candidates.len() > 1;
    let mut stopped = None;
    for (at, candidate) in chosen.candidates.iter().enumerate() {
        if several {
            ctx.output.notice(&format!("{} of {}: {}", at + 1, chosen.candidates.len(), candidate.name()));
        }
        // What was done before an interrupt is shown all the same.
        if let Err(error) = connect::connect(ctx, &app, candidate, keeps.then_some(&parent), &mut ended) {
            stopped = Some(error);
            break;
        }
    }
    ended.extend(chosen.not_reached.iter().map(|id| connect::not_reached(id)));
    let shown = view::print(ctx, ended, &lacking, &lost);
    stopped.map_or(shown, Err)
}
