//! Adds accounts: fills in what the tenant and Graph know, tests, saves once.

use super::complete::{complete, take_own_token};
use super::draft::Draft;
use super::fields;
use super::gate::Gate;
use super::test;
use crate::accounts::Account;
use crate::checks::Report;
use crate::graph::Client;
use crate::operations::tenants::check_known;
use crate::operations::{Error, Workspace, change, health, unstored};

/// An account that may be saved.
pub struct Prepared {
    draft: Draft,
    /// The result of Test Connection, if Graph was asked.
    pub report: Option<Report>,
}

/// An account that was saved.
pub struct Saved {
    pub account: Account,
    /// The result of Test Connection, if Graph was asked.
    pub report: Option<Report>,
    /// Whether the verify token was generated.
    pub made_verify_token: bool,
}

/// Adds the account of a draft if its credentials pass the test, and returns the saved account.
pub fn add(workspace: &Workspace, mut draft: Draft) -> Result<Account, Error> {
    begin(workspace, &mut draft)?;
    check_given(&draft, Gate::Passing)?;
    if draft.inputs.keeps_anything() {
        workspace.store(draft.store).probe().map_err(|error| unstored(workspace, error))?;
    }
    carry_out(workspace, prepare(workspace, draft, Gate::Passing)?).map(|saved| saved.account)
}

/// Refuses what cannot be added whatever Graph says, and takes the app id from the tenant.
pub fn begin(workspace: &Workspace, draft: &mut Draft) -> Result<(), Error> {
    draft.check_free(workspace)?;
    let name = &workspace.settings()?.tenant.value;
    check_known(workspace, name.as_str())?;
    let tenant = workspace.tenant()?;
    if !tenant.has_enabled(draft.channel) {
        let (brand, id) = (draft.channel.brand(), draft.channel.id());
        let types: Vec<&str> = tenant.types.iter().map(|messenger| messenger.as_str()).collect();
        let types = types.join(",");
        return Err(Error::failed(format!("{brand} is not enabled in the tenant '{name}' (enabled: {types})")).hint(
            format!("ask your service provider to enable it; then: msgrctl tenant edit {name} --types {types},{id}"),
        ));
    }
    if draft.given.app_id.is_none()
        && let Some(id) = tenant.app_id
    {
        workspace.notice(&format!("app id: {id} (from the tenant; --app-id sets another)"));
        draft.given.app_id = Some(id);
    }
    Ok(())
}

/// Names every missing field that Graph will not or cannot supply.
pub fn check_given(draft: &Draft, gate: Gate) -> Result<(), Error> {
    let lacking = draft.missing();
    if draft.inputs.token.is_none() {
        let mut missing = vec![&fields::TOKEN];
        missing.extend(lacking.into_iter().filter(|field| field.name != fields::APP_ID.name));
        let note = "with a page access token the others are optional: Graph is asked for them";
        return Err(fields::missing(&missing, (missing.len() > 1).then_some(note)));
    }
    if gate == Gate::Untested && !lacking.is_empty() {
        return Err(fields::missing(&lacking, Some("with --no-test Graph is not asked for them")));
    }
    Ok(())
}

/// Fills in what is missing, and tests the draft.
pub fn prepare(workspace: &Workspace, mut draft: Draft, gate: Gate) -> Result<Prepared, Error> {
    let client = if gate == Gate::Untested { None } else { Some(workspace.graph()?) };
    if let Some(client) = client.as_ref().filter(|_| !draft.missing().is_empty()) {
        complete(workspace, client, &mut draft)?;
        draft.check_free(workspace)?;
    }
    if draft.given.callback_url.is_none()
        && let Some(url) = draft.callback_of_tenant(workspace)?
    {
        workspace.notice(&format!(
            "callback URL: {} (from the tenant's template; --callback-url sets another)",
            url.shown()
        ));
        draft.given.callback_url = Some(url);
    }
    change::warn_of_twins(workspace, &draft.account(workspace)?)?;
    change::warn_of_other_callbacks(workspace, &draft.account(workspace)?)?;
    let report = client.map(|client| judged(workspace, &client, &mut draft, gate)).transpose()?;
    Ok(Prepared { draft, report })
}

fn judged(workspace: &Workspace, client: &Client, draft: &mut Draft, gate: Gate) -> Result<Report, Error> {
    let name = draft.account(workspace)?.name;
    let test = |draft: &Draft| test::run(workspace, client, name.as_str(), &draft.subject(workspace)?);
    let mut report = test(draft)?;
    if test::lacks_page_token(&report) {
        match take_own_token(workspace, client, draft) {
            Ok(None) => {}
            Ok(Some(_)) => report = test(draft)?,
            Err(error) if gate == Gate::Anyway && !error.is_interrupt() => workspace.warning(error.message()),
            Err(error) => return Err(error),
        }
    }
    gate.judge(workspace, &report, name.as_str(), draft.to_save)?;
    draft.inputs.say_nothing_was_kept(workspace);
    draft.page_name = report.page_name.clone().or(draft.page_name.take());
    Ok(report)
}

pub fn carry_out(workspace: &Workspace, prepared: Prepared) -> Result<Saved, Error> {
    let Prepared { mut draft, report } = prepared;
    let account = draft.save(workspace)?;
    health::keep_one(workspace, &account, report.as_ref());
    Ok(Saved { account, report, made_verify_token: draft.inputs.generated })
}
