//! Another verify token, and no moment without one that works.
//!
//! The new one is kept beside the old one as the next verify token until Meta has it, so
//! that neither is lost wherever the rotation ends: begun again, it goes on with the same.

mod at_meta;

use self::at_meta::{at_meta, give_to_meta, step_at_meta};
use super::handshake::{accepts, ask, callback_of, outcome_of};
use super::results::changed;
use super::target::Target;
use crate::accounts::Account;
use crate::checks::Outcome;
use crate::checks::ids::APP_SUBSCRIPTION;
use crate::operations::change::{self, Change, New, Target as Place};
use crate::operations::health;
use crate::operations::journal::note_at_meta;
use crate::operations::secrets::place;
use crate::operations::{Error, Workspace, key, unstored};
use crate::secrets::{Secret, SecretKind, SecretRef, StoreName, generate_verify_token};
use crate::webhook::{Probe, Problem};

const CURRENT: SecretKind = SecretKind::VerifyToken;
const NEXT: SecretKind = SecretKind::NextVerifyToken;

pub struct Token {
    pub value: Secret,
    /// Where another program keeps it; `None`: a store of ours does.
    pub place: Option<SecretRef>,
}

impl Token {
    /// What becomes of the secret `kind`; a value goes where the old one is, or to `store`.
    fn change(&self, kind: SecretKind, store: StoreName) -> Change {
        let new = match &self.place {
            Some(place) => New::Reference(place.clone()),
            None => New::Value(self.value.clone(), Place::WhereItIs(store)),
        };
        Change { kind, new: Some(new) }
    }
}

/// A rotation that is to be made.
pub struct Prepared {
    pub account: Account,
    /// Whether it was begun before, and not finished.
    begun: bool,
    token: Token,
    /// The account as Meta is given its token; `None`: it is rotated only here.
    at_meta: Option<Target>,
}

/// A rotation that was made.
pub struct Rotated {
    /// The account as it is now.
    pub account: Account,
    /// Whether Meta has the new token.
    pub is_at_meta: bool,
}

/// Says what would be rotated: to the token that a rotation was begun with, the one that is
/// `given`, or a new one. A rotation that was begun is finished or cancelled first, since Meta
/// may have its token already.
pub fn prepare(
    workspace: &Workspace,
    account: Account,
    given: Option<Token>,
    here_only: bool,
) -> Result<Prepared, Error> {
    let begun = begun(workspace, &account)?;
    let handle = &account.handle;
    let was_begun = begun.is_some();
    let token = match (begun, given) {
        (Some(begun), Some(given)) if given.value != begun => {
            return Err(Error::usage(format!(
                "a rotation of '{}' to another verify token is not finished, and Meta may have that one already",
                account.name
            ))
            .hint(format!("to finish it: msgrctl webhook rotate {handle}"))
            .hint(format!("or drop its token first: msgrctl webhook rotate {handle} --cancel")));
        }
        (Some(value), given) => {
            let referred = account.secrets.get(&NEXT).filter(|place| place.store().is_none()).cloned();
            Token { value, place: referred.or(given.and_then(|given| given.place)) }
        }
        (None, Some(given)) => given,
        (None, None) => Token { value: generate_verify_token(), place: None },
    };
    let at_meta = if here_only { None } else { at_meta(workspace, &account)? };
    Ok(Prepared { account, begun: was_begun, token, at_meta })
}

impl Prepared {
    /// What to ask a person before it is carried out; `None`: there is no token to be lost.
    pub fn question(&self) -> Option<String> {
        let name = &self.account.name;
        let what = if self.at_meta.is_some() { ", here and at Meta" } else { "" };
        self.account.secrets.contains_key(&CURRENT).then(|| {
            if self.begun {
                format!("Go on with the rotation of the verify token of '{name}'{what}?")
            } else {
                format!("Replace the verify token of '{name}'{what}?")
            }
        })
    }
}

/// Rotates: the new token is kept, the callback has to accept it, Meta is given it, and then it
/// takes the place of the old one. `ask_again` is asked, where the callback does not accept it,
/// whether to ask the callback once more; nothing is held in the meantime.
pub fn carry_out(
    workspace: &Workspace,
    prepared: &Prepared,
    ask_again: &dyn Fn(&Account, &Probe, &Problem) -> Result<bool, Error>,
) -> Result<Rotated, Error> {
    let Prepared { account, begun, token, at_meta } = prepared;
    let store = store_of(workspace, account, token)?;
    let mut is_at_meta = false;
    if let Some(target) = at_meta
        && let Some(mut step) = step_at_meta(workspace, target)?
    {
        if !begun {
            record(workspace, account, vec![token.change(NEXT, store)])?;
        }
        if wait_for_callback(workspace, account, &token.value, ask_again)? {
            // Another tool may have changed the app's webhook while the operator was busy.
            step = step_at_meta(workspace, target)?.unwrap_or(step);
        }
        give_to_meta(workspace, target, &step, &token.value)?;
        is_at_meta = true;
    }
    let saved = promote(workspace, account, token.change(CURRENT, store), &token.value).map_err(|error| {
        let now = workspace.accounts().and_then(|accounts| Ok(accounts.find(&account.id)?));
        let is_kept = now.is_ok_and(|now| now.secrets.contains_key(&NEXT));
        if !is_at_meta || !is_kept {
            return error;
        }
        error
            .context(format!("Meta has the new verify token of '{}', which is kept as the next one here", account.name))
            .hint(format!("to finish: msgrctl webhook rotate {}", account.handle))
    })?;
    if is_at_meta {
        note_at_meta(workspace, vec![changed(&saved, &[APP_SUBSCRIPTION])]);
        // Their callbacks know another token now.
        if let Some(app) = at_meta.as_ref().and_then(Target::known_app) {
            health::app_changed(workspace, app, saved.graph, false, &[saved.id.as_str()]);
        }
    }
    Ok(Rotated { account: saved, is_at_meta })
}

/// The store that the token goes to, which answers and can be written.
fn store_of(workspace: &Workspace, account: &Account, token: &Token) -> Result<StoreName, Error> {
    let old = account.secrets.get(&CURRENT);
    let store = old.and_then(SecretRef::store).unwrap_or(workspace.settings()?.store.value);
    if token.place.is_some() {
        return Ok(store);
    }
    if store == StoreName::Env {
        return Err(Error::usage(format!(
            "the verify token of '{}' is in the variable {}, which msgrctl cannot change",
            account.name,
            key(account, CURRENT).variable()
        ))
        .hint("set the variable to the new token where it comes from")
        .hint(format!("then give Meta the new one: msgrctl webhook subscribe {} --resend", account.handle)));
    }
    if let Some(place) = old.filter(|place| place.store().is_none()) {
        workspace.warning(&format!(
            "the verify token of '{}' was read from {place}; the new one is kept in the {store} store instead (or give it there, and say so with --verify-token-from)",
            account.name
        ));
    }
    workspace.store(store).probe().map_err(|error| unstored(workspace, error))?;
    Ok(store)
}

/// The token of a rotation that was begun and not finished. One that is recorded and not
/// there must not be replaced by another: Meta may have it.
fn begun(workspace: &Workspace, account: &Account) -> Result<Option<Secret>, Error> {
    let found = workspace.secret(account, NEXT)?;
    if found.is_none() && account.secrets.contains_key(&NEXT) {
        let place = place(account, NEXT);
        return Err(Error::credentials(format!(
            "a rotation of the verify token of '{}' is not finished, and its new token cannot be read: {place}",
            account.name
        ))
        .hint("put it back where it was, and run the command again")
        .hint(format!("or drop it: msgrctl webhook rotate {} --cancel", account.handle)));
    }
    Ok(found)
}

/// Makes the new token the account's verify token. The next one goes, unless it is of
/// another rotation that has begun in the meantime.
fn promote(workspace: &Workspace, account: &Account, current: Change, token: &Secret) -> Result<Account, Error> {
    let now = workspace.accounts()?.find(&account.id)?;
    let is_of_another = workspace.secret(&now, NEXT)?.is_some_and(|next| next != *token);
    let next = (!is_of_another).then_some(Change { kind: NEXT, new: None });
    record(workspace, account, [current].into_iter().chain(next).collect())
}

/// Changes the account's verify tokens; the tenant is held while they are written and no
/// longer.
fn record(workspace: &Workspace, account: &Account, changes: Vec<Change>) -> Result<Account, Error> {
    let (now, accounts) = (workspace.now(), workspace.accounts()?);
    let kinds: Vec<SecretKind> = changes.iter().map(|change| change.kind).collect();
    let begins = changes.iter().any(|change| change.kind == NEXT && change.new.is_some());
    change::save(workspace, &mut account.clone(), changes, |new| {
        if begins && accounts.find(&account.id)?.secrets.contains_key(&NEXT) && !account.secrets.contains_key(&NEXT) {
            return Err(Error::failed(format!(
                "another command has begun to rotate the verify token of '{}' in the meantime",
                account.name
            ))
            .hint(format!("to go on with its token: msgrctl webhook rotate {}", account.handle)));
        }
        Ok::<_, Error>(accounts.update(&account.id, |current| {
            for kind in kinds {
                match new.secrets.get(&kind) {
                    Some(place) => drop(current.secrets.insert(kind, place.clone())),
                    None => drop(current.secrets.remove(&kind)),
                }
            }
            current.updated_at = now;
        })?)
    })
}

/// Asks the callback with the new token until it accepts it, as long as `ask_again` says so.
/// The old token stays in force in the meantime. Returns whether it had to be asked again.
fn wait_for_callback(
    workspace: &Workspace,
    account: &Account,
    token: &Secret,
    ask_again: &dyn Fn(&Account, &Probe, &Problem) -> Result<bool, Error>,
) -> Result<bool, Error> {
    let callback = callback_of(account)?;
    let handle = &account.handle;
    let mut was_asked = false;
    loop {
        let found = ask(workspace, &callback, token, "with the new verify token")?;
        let Some(problem) = found.problem.as_ref().filter(|_| outcome_of(&found) == Outcome::Fail) else {
            return Ok(was_asked);
        };
        if ask_again(account, &found, problem)? {
            was_asked = true;
            continue;
        }
        let reveal = format!("msgrctl webhook show {handle} --reveal");
        return Err(Error::check(format!(
            "the callback does not accept the new verify token: {}",
            if is_refused(problem) { "it does not know it yet".into() } else { problem.summary() }
        ))
        .reason(problem.cause())
        .hint(format!("the old one stays in force, and the new one is kept beside it; to see it: {reveal}"))
        .hint(format!("put it into the contact centre's form, then go on: msgrctl webhook rotate {handle}"))
        .hint(format!("or drop it: msgrctl webhook rotate {handle} --cancel")));
    }
}

/// Whether the receiver says that it is the wrong token.
pub fn is_refused(problem: &Problem) -> bool {
    matches!(problem, Problem::TokenRefused { .. })
}

/// Refuses to drop the next token where the callback has it already and no longer the old one.
pub fn check_cancel(workspace: &Workspace, account: &Account) -> Result<(), Error> {
    if !account.secrets.contains_key(&NEXT) {
        return Err(Error::usage(format!("no rotation of the verify token of '{}' was begun", account.name)));
    }
    if is_in_use(workspace, account)? {
        return Err(Error::check(format!(
            "the callback of '{}' accepts the new verify token and not the old one, so the new one is in use",
            account.name
        ))
        .hint(format!("to finish the rotation: msgrctl webhook rotate {}", account.handle))
        .hint("to cancel it, put the old verify token into the contact centre's form first"));
    }
    Ok(())
}

/// Drops it. Returns the account as it is now.
pub fn cancel(workspace: &Workspace, account: &Account) -> Result<Account, Error> {
    record(workspace, account, vec![Change { kind: NEXT, new: None }])
}

/// Whether the callback has the new verify token and no longer the old one.
fn is_in_use(workspace: &Workspace, account: &Account) -> Result<bool, Error> {
    let Some(callback) = &account.callback_url else { return Ok(false) };
    // A token that cannot be read can be dropped all the same.
    let (Ok(Some(next)), Ok(current)) = (workspace.secret(account, NEXT), workspace.secret(account, CURRENT)) else {
        return Ok(false);
    };
    let prober = workspace.prober()?;
    let takes = |token: &Secret| Workspace::wait(accepts(&prober, callback.as_str(), token));
    Ok(takes(&next)? && !current.as_ref().map(takes).transpose()?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::operations::Kind;
    use crate::operations::webhooks::tests::Rig;
    use crate::sandbox::Fault;

    fn given(value: &str) -> Token {
        Token { value: Secret::new(value), place: None }
    }

    fn rotate(rig: &Rig, token: Option<Token>) -> Result<Rotated, Error> {
        carry_out(&rig.workspace, &prepare(&rig.workspace, rig.account(), token, false)?, &|_, _, _| Ok(false))
    }

    /// The current token here, the next one here, and the one at Meta.
    fn tokens(rig: &Rig) -> [Option<Secret>; 3] {
        for kind in [CURRENT, NEXT] {
            let is_recorded = rig.account().secrets.contains_key(&kind);
            assert_eq!(is_recorded, rig.stored(kind).is_some(), "{kind}: the record says what the store has");
        }
        [rig.stored(CURRENT), rig.stored(NEXT), Some(Secret::new(rig.at_meta()))]
    }

    fn are(current: &str, next: Option<&str>, at_meta: &str) -> [Option<Secret>; 3] {
        [Some(current), next, Some(at_meta)].map(|token| token.map(Secret::new))
    }

    fn rig() -> Rig {
        let rig = Rig::new();
        let url = rig.callback_url.clone();
        rig.subscribed(&url)
    }

    #[test]
    fn both_tokens_are_kept_until_the_callback_knows_the_new_one() {
        let rig = rig();
        let start = rig.account().updated_at;
        rig.workspace.clock.advance(SignedDuration::from_hours(1));
        let refused = rotate(&rig, Some(given("new"))).map(drop).expect_err("refused");
        assert_eq!(refused.kind(), Kind::Check);
        assert!(refused.message().ends_with("it does not know it yet"), "{}", refused.message());
        assert_eq!(tokens(&rig), are("old", Some("new"), "old"));
        assert_eq!(rig.account().updated_at, start + SignedDuration::from_hours(1));
        // It goes on with the same token, and with no other.
        rig.workspace.clock.advance(SignedDuration::from_hours(24));
        let other =
            prepare(&rig.workspace, rig.account(), Some(given("other")), false).map(drop).expect_err("another one");
        assert_eq!(other.kind(), Kind::Usage);
        rig.callback_knows(&["new"]);
        let again = prepare(&rig.workspace, rig.account(), Some(given("new")), false).expect("the same");
        assert!(again.question().expect("a question").starts_with("Go on with the rotation"));
        assert!(rotate(&rig, None).expect("rotated").is_at_meta);
        assert_eq!(tokens(&rig), are("new", None, "new"));
        assert_eq!(rig.account().updated_at, start + SignedDuration::from_hours(25));
        assert!(rig.logged().contains("meta.app_subscription"));
    }

    #[test]
    fn the_operator_may_tell_the_callback_while_it_waits() {
        let rig = rig();
        let prepared = prepare(&rig.workspace, rig.account(), Some(given("new")), false).expect("prepared");
        let tells = |account: &Account, _: &Probe, problem: &Problem| {
            assert!(is_refused(problem) && account.id == rig.account().id);
            // Nothing is held in the meantime, and the new token can be read.
            assert_eq!(tokens(&rig), are("old", Some("new"), "old"));
            drop(rig.workspace.lock_tenant()?);
            rig.sandbox.world().subscriptions[0].fields.push("feed".into());
            rig.callback_knows(&["new"]);
            Ok(true)
        };
        assert!(carry_out(&rig.workspace, &prepared, &tells).expect("rotated").is_at_meta);
        assert_eq!(tokens(&rig), are("new", None, "new"));
        let fields = rig.sandbox.world().subscriptions[0].fields.clone();
        assert_eq!(fields, ["messages", "feed"], "what another tool has set in the meantime stays");
    }

    #[test]
    fn whatever_meta_says_no_token_is_lost() {
        let says_no = Fault { body: Some("{\"success\":false}".into()), ..Fault::default() };
        let says_nothing = Fault { body: Some("<html></html>".into()), ..Fault::default() };
        let failed = Fault { code: Some(2200), ..Fault::default() };
        let cases = [
            ("no", says_no, None, Some(Kind::Failed)),
            ("that the handshake failed", failed, None, Some(Kind::Check)),
            ("nothing, twice", says_nothing.clone(), None, Some(Kind::Remote)),
            ("nothing, then yes", says_nothing, Some(1), None),
        ];
        for (name, effect, times, ends) in cases {
            let rig = rig();
            rig.callback_knows(&["old", "new"]);
            let (method, path) = (Some("POST".into()), Some("/*/subscriptions".into()));
            rig.sandbox.world().faults.push(Fault { method, path, times, ..effect });
            assert_eq!(rotate(&rig, Some(given("new"))).err().map(|error| error.kind()), ends, "{name}");
            if ends.is_some() {
                assert_eq!(tokens(&rig), are("old", Some("new"), "old"), "{name}");
                rig.sandbox.world().faults.clear();
                rotate(&rig, None).expect("rotated");
            }
            assert_eq!(tokens(&rig), are("new", None, "new"), "{name}");
        }
    }

    #[test]
    fn a_rotation_that_another_command_has_begun_is_left_alone() {
        let rig = rig();
        let late = prepare(&rig.workspace, rig.account(), Some(given("late")), false).expect("prepared");
        rotate(&rig, Some(given("first"))).map(drop).expect_err("the callback does not know it");
        let refused = carry_out(&rig.workspace, &late, &|_, _, _| Ok(false)).map(drop).expect_err("another one");
        assert!(refused.message().contains("has begun to rotate"), "{}", refused.message());
        assert_eq!(tokens(&rig), are("old", Some("first"), "old"));
    }

    #[test]
    fn a_next_token_is_dropped_only_while_it_is_not_in_use() {
        let rig = rig();
        let drop_it = |rig: &Rig| {
            let account = rig.account();
            check_cancel(&rig.workspace, &account).map(|()| account)
        };
        assert_eq!(drop_it(&rig).map(drop).expect_err("none was begun").kind(), Kind::Usage);
        rotate(&rig, Some(given("new"))).map(drop).expect_err("the callback does not know it");
        rig.callback_knows(&["new"]);
        assert_eq!(drop_it(&rig).map(drop).expect_err("it is in use").kind(), Kind::Check);
        rig.callback_knows(&["old"]);
        cancel(&rig.workspace, &drop_it(&rig).expect("prepared")).expect("dropped");
        assert_eq!(tokens(&rig), are("old", None, "old"));
    }

    #[test]
    fn without_a_webhook_at_meta_it_is_rotated_here() {
        let rig = Rig::new();
        rig.callback_knows(&[]);
        assert!(!rotate(&rig, Some(given("new"))).expect("rotated").is_at_meta);
        assert!(rig.was_told("Meta has no webhook of this app yet"));
        assert_eq!(rig.stored(CURRENT), Some(Secret::new("new")));
        // Nor is Meta asked where that is not wanted.
        rig.sandbox.world().faults.push(Fault { drop: true, ..Fault::default() });
        let prepared = prepare(&rig.workspace, rig.account(), None, true).expect("prepared");
        assert_eq!(prepared.question().expect("a question"), "Replace the verify token of 'Acme'?");
        carry_out(&rig.workspace, &prepared, &|_, _, _| Ok(false)).expect("rotated");
        assert!(rig.stored(CURRENT).is_some_and(|made| made != Secret::new("new")));
    }

    #[test]
    fn a_token_that_another_program_keeps_stays_there() {
        let rig = rig();
        rig.callback_knows(&["old", "new"]);
        let place = SecretRef::Variable("NEW_TOKEN".into());
        rotate(&rig, Some(Token { value: Secret::new("new"), place: Some(place.clone()) })).expect("rotated");
        assert_eq!(rig.account().secrets.get(&CURRENT), Some(&place));
        assert_eq!((rig.stored(CURRENT), rig.at_meta().as_str()), (None, "new"));
    }
}
