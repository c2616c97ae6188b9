//! Reads the state: the accounts' secrets, and Meta's view of their Pages and apps, many
//! accounts in one request.

use futures_util::stream::{self, StreamExt as _};

use super::places::{Found, Places};
use crate::accounts::Account;
use crate::checks::{self, Commands, Editing, GraphTrace, Look, Outcome};
use crate::graph::Client;
use crate::messages::ChatSettings;
use crate::operations::accounts::commands;
use crate::operations::accounts::test::{self, Credentials, WARN_DAYS};
use crate::operations::webhooks::status::judge_and_keep;
use crate::operations::webhooks::{self, Target};
use crate::operations::{Error, Workspace};
use crate::provision::draft::{Draft, NewSecret};
use crate::provision::plan::{Live, Problem, Seen};
use crate::provision::subscription::{AppLevel, PageLevel};
use crate::secrets::{SecretKind, StoreName};

/// Accounts read together.
const TOGETHER: usize = 256;

/// Reads the state of every account. A problem belongs to its account. The tested secrets are
/// kept, so that no others are written.
pub fn look(
    workspace: &Workspace,
    drafts: &[Draft],
    allow_commands: bool,
) -> Result<Vec<(Seen, Option<Target>)>, Error> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let places = Places::new(workspace, allow_commands);
    let what = match drafts {
        [one] => format!("asking Graph about '{}' …", one.wanted.name),
        many => format!("asking Graph about {} accounts …", many.len()),
    };
    let progress = workspace.reporter.waiting(&what);
    let client = workspace.graph()?;
    Workspace::wait(async {
        let one = |draft| {
            // Read when its turn comes, while the batch before is in flight.
            let found = read(&places, draft);
            let client = &client;
            async move { ask(client, draft, found).await }
        };
        let all = async {
            let mut all = Vec::new();
            let mut each = stream::iter(drafts).map(one).buffered(TOGETHER);
            while let Some(seen) = each.next().await {
                all.push(seen);
                progress.now(&format!("{what} {}", all.len()));
            }
            all
        };
        client.in_batches(all).await
    })
}

/// Keeps for `msgrctl status` what was seen of the webhooks of accounts that stay as they are
/// here.
pub fn keep_levels(workspace: &Workspace, drafts: &[Draft], seen: &[Seen], targets: &[Option<Target>]) {
    let levels: Vec<(&Target, webhooks::Seen)> = drafts
        .iter()
        .zip(seen)
        .zip(targets)
        .filter_map(|((draft, seen), target)| {
            let refers = |(_, new): &(SecretKind, NewSecret)| matches!(new, NewSecret::Refer(_));
            let is_same = draft.before == draft.after && draft.secrets.iter().all(refers) && seen.problems.is_empty();
            let live = seen.live.as_ref().filter(|_| is_same && draft.wanted.fields.is_some())?;
            Some((target.as_ref()?, webhooks::Seen { page: live.page.clone(), app: live.app.clone() }))
        })
        .collect();
    judge_and_keep(workspace, &levels.iter().map(|(target, seen)| (*target, seen)).collect::<Vec<_>>());
}

/// The stores that the planned accounts need.
pub fn stores_of(drafts: &[Draft]) -> impl Iterator<Item = StoreName> {
    drafts.iter().flat_map(|draft| &draft.secrets).filter_map(|(_, new)| match new {
        NewSecret::Copy { to, .. } | NewSecret::Generate(to) => Some(*to),
        NewSecret::Refer(_) => None,
    })
}

/// The planned account and its secrets; `None` if it is blocked anyway.
fn read<'d>(places: &Places<'_>, draft: &'d Draft) -> Result<Option<(&'d Account, Found)>, Vec<Problem>> {
    match &draft.after {
        Some(after) if draft.problems.is_empty() => Ok(Some((after, places.read(draft, after)?))),
        _ => Ok(None),
    }
}

async fn ask(
    client: &Client,
    draft: &Draft,
    found: Result<Option<(&Account, Found)>, Vec<Problem>>,
) -> (Seen, Option<Target>) {
    let (after, found) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return (Seen::default(), None),
        Err(problems) => return (Seen { problems, ..Seen::default() }, None),
    };
    let Found { token, app_secret, copies, closed } = found;
    let Some(token) = token else { return (Seen { secrets: copies, closed, ..Seen::default() }, None) };
    let app_of = app_secret.clone().map(|secret| (SecretKind::AppSecret, secret));
    let used = std::iter::once((SecretKind::PageAccessToken, token.clone())).chain(app_of).collect();
    let credentials = Credentials { token, app_secret, verify_token: Ok(None), user_token: None };
    let mut subject = test::subject(after, ChatSettings::default(), credentials, WARN_DAYS, true);
    subject.commands = in_file(draft, after);
    subject.among_others = true;
    // Without fields in the manifest its webhook does not matter.
    let Look { report, page, app } = checks::look(client, &subject, draft.wanted.fields.is_some()).await;
    let worst = report.credentials();
    let finding = report.findings.iter().find(|finding| finding.outcome == worst && worst >= Outcome::Unreachable);
    let problem = finding.map(|finding| Problem {
        summary: format!(
            "{}: {}{}",
            finding.id,
            finding.summary,
            finding.graph.as_ref().map(GraphTrace::in_words).unwrap_or_default()
        ),
        hint: finding.hint.clone(),
        unreachable: worst == Outcome::Unreachable,
    });
    let live = Live {
        page_name: report.page_name,
        page: page.map(|apps| PageLevel::of(apps, subject.app_id.as_deref())),
        app: app.map(|all| all.map(|all| AppLevel::of(all, subject.channel))),
    };
    let target = Target { account: after.clone(), token: subject.token, app: subject.app };
    (Seen { secrets: copies, used, live: Some(live), problems: problem.into_iter().collect(), closed }, Some(target))
}

/// The fixes for an account of a manifest: in the file, or in the places it names.
fn in_file(draft: &Draft, account: &Account) -> Commands {
    let kept = commands::saved(account);
    let again = "run this again";
    let kind = SecretKind::PageAccessToken;
    let copied = draft.secrets.iter().find_map(|(of, new)| match new {
        NewSecret::Copy { from, .. } if *of == kind => Some(from),
        _ => None,
    });
    let referred = account.secrets.get(&kind).filter(|place| place.store().is_none());
    let replace_token = match copied.or(referred) {
        Some(place) => format!("put it where {place} finds it, and {again}"),
        None => format!("{}, and {again}", kept.replace_token),
    };
    Commands {
        replace_token,
        test_again: again.into(),
        renew: kept.renew,
        set_app: format!("correct id and secret below 'app' in the file, and {again}"),
        add_app: format!("add id and secret below 'app' in the file, and {again}"),
        edit: Editing::Manifest,
        subscribe: again.into(),
        verify: kept.verify,
        edit_messages: again.into(),
    }
}
