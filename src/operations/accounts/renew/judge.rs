//! What is due, and whether a new token may take the place of the old one.

use jiff::{SignedDuration, Timestamp};

use super::{Member, Outcome};
use crate::accounts::Account;
use crate::checks::causes::{
    EXPIRED, OTHER_APP, PERMISSION_MISSING, Place, RENEWAL_FAILED, TOKEN_NOT_ACCEPTED, USER_TOKEN_MISSING,
};
use crate::checks::{self, Finding, Group, Renewal, Report, TokenLife, ids};
use crate::graph::endpoints::token::TokenInfo;
use crate::operations::Error;
use crate::text::to_paste;

/// What decides whether an account is renewed now.
pub(super) struct Due<'a> {
    /// Unix seconds.
    pub now: i64,
    pub within: Option<SignedDuration>,
    /// What Meta says of the kept token, if one is kept.
    pub parent: Option<&'a TokenInfo>,
}

/// An outcome without a renewal: when the token ends, and why nothing is done.
type Left = (Outcome, Option<Timestamp>, &'static str);

impl Due<'_> {
    /// Whether the kept token is to be exchanged.
    pub fn is_parent_due(&self) -> bool {
        self.parent.is_some_and(|info| info.lives() && self.is_due(info.expires_at))
    }

    fn is_due(&self, end: Option<i64>) -> bool {
        let Some(end) = end.filter(|end| *end != 0) else { return false };
        self.within.is_none_or(|within| end.saturating_sub(self.now) <= within.as_secs())
    }

    /// Why an account is not renewed; `Ok(None)`: it is to be renewed now.
    pub fn of(&self, member: &Member) -> Result<Option<Left>, (Outcome, Error)> {
        let account = &member.account;
        let page = match &member.info {
            Some(Ok(info)) => info,
            Some(Err(error)) => return Err((Outcome::Failed, Error::of_graph(error, Place::App.plain()))),
            None => return Err((Outcome::Failed, Error::failed("its token was not inspected"))),
        };
        let end = TokenLife::end_of(page, self.parent, self.now);
        let ends_at = end.filter(|end| *end != 0).and_then(|end| Timestamp::from_second(end).ok());
        let works = page.lives() && end.is_none_or(|end| end == 0 || end > self.now);
        let unchanged = Ok(Some((Outcome::Unchanged, None, "its token does not expire")));
        let not_due = |at| Ok(Some((Outcome::NotDue, at, "its token ends later")));
        let Some(parent) = self.parent else {
            return match ends_at {
                None if works => unchanged,
                Some(_) if works && !self.is_due(end) => not_due(ends_at),
                _ => Err((Outcome::CannotRenew, without_parent(account, TokenLife::of(page, None, self.now)))),
            };
        };
        if parent.kind.is_none() && parent.error.is_none() {
            return Err((
                Outcome::Failed,
                Error::remote("Meta did not say what the kept user token is").reason(RENEWAL_FAILED.id),
            ));
        }
        let is_of_person_or_system = matches!(parent.kind.as_deref(), Some("USER" | "SYSTEM_USER"));
        if !parent.lives() || !is_of_person_or_system {
            if works && ends_at.is_none() {
                return Ok(Some((
                    Outcome::Unchanged,
                    None,
                    "its token does not expire; the kept user token, which would renew it, has ended",
                )));
            }
            if works && !self.is_due(end) {
                return not_due(ends_at);
            }
            return Err((Outcome::CannotRenew, dead_parent(account, parent)));
        }
        if self.is_parent_due() || !works || self.is_due(end) {
            return Ok(None);
        }
        let parent_end = parent.expires_at.filter(|end| *end != 0).and_then(|end| Timestamp::from_second(end).ok());
        match (ends_at, parent_end) {
            (None, None) => unchanged,
            (None, Some(_)) => Ok(Some((Outcome::NotDue, None, "its kept user token ends later"))),
            (Some(_), _) => not_due(ends_at),
        }
    }
}

/// A person's log-in, in words: no command of ours can do it for them.
fn login(account: &Account) -> String {
    format!("log in again with msgrctl login --page {}", to_paste(account.page_id.as_str(), "PAGE_ID"))
}

fn without_parent(account: &Account, life: Option<TokenLife>) -> Error {
    let error = Error::credentials(USER_TOKEN_MISSING.summary).reason(USER_TOKEN_MISSING.id);
    match life.map(TokenLife::renewal) {
        Some(Renewal::Exchange) => {
            error.hint("have a login make one and keep it: msgrctl login --system-user").hint(format!(
                "or keep the system user's token: msgrctl account edit {} --token-stdin --keep-user-token --yes",
                account.handle
            ))
        }
        _ => error.hint(login(account)),
    }
}

fn dead_parent(account: &Account, parent: &TokenInfo) -> Error {
    let (what, cause) = match (parent.lives(), &parent.error) {
        (true, _) => ("the kept user token is not a person's or a system user's", RENEWAL_FAILED.id),
        (false, Some(error)) if error.subcode == Some(463) => ("the kept user token has expired", EXPIRED.id),
        (false, _) => ("Meta does not accept the kept user token any more", TOKEN_NOT_ACCEPTED.id),
    };
    let error = Error::credentials(what).reason(cause);
    if parent.is_of_system_user() {
        return error.hint(format!(
            "make a new token of the system user; then: msgrctl account edit {} --token-stdin --keep-user-token --yes",
            account.handle
        ));
    }
    error.hint(login(account))
}

/// Refuses a new token that is less than the old one.
pub(super) fn check_new(old: &TokenInfo, new: &TokenInfo) -> Result<(), Error> {
    let refuse = |cause: &'static str, why: String| {
        Err(Error::check(format!("the new token was rejected and the old one kept: {why}")).reason(cause))
    };
    if !new.lives() {
        return refuse(RENEWAL_FAILED.id, "Meta does not accept it".into());
    }
    if new.kind != old.kind {
        let kind = |info: &TokenInfo| info.kind.clone().unwrap_or_else(|| "unknown".into());
        return refuse(RENEWAL_FAILED.id, format!("its type is {}, not {}", kind(new), kind(old)));
    }
    if new.app_id != old.app_id {
        return refuse(OTHER_APP.id, "another app issued it".into());
    }
    let missing: Vec<&str> = old.scopes.iter().map(String::as_str).filter(|scope| !new.grants(scope)).collect();
    if !missing.is_empty() {
        return refuse(PERMISSION_MISSING.id, format!("it lacks {}", missing.join(", ")));
    }
    if let Some(scope) =
        old.granular_scopes.iter().find(|granular| !reaches(new, &granular.scope, granular.target_ids.as_deref()))
    {
        return refuse(PERMISSION_MISSING.id, format!("it has {} for fewer Pages", scope.scope));
    }
    let end = |info: &TokenInfo| info.expires_at.filter(|end| *end != 0).unwrap_or(i64::MAX);
    if end(new) < end(old) {
        return refuse(RENEWAL_FAILED.id, "it ends earlier".into());
    }
    Ok(())
}

/// Whether a token has a permission for all of these objects; `None`: for all that there are.
fn reaches(info: &TokenInfo, scope: &str, ids: Option<&[String]>) -> bool {
    let mut targets = info.granular_scopes.iter().filter(|granular| granular.scope == scope);
    targets.all(|granular| match (&granular.target_ids, ids) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(new), Some(old)) => old.iter().all(|id| new.contains(id)),
    })
}

/// The finding for which a new token is not stored: what is wrong with the token itself. A username
/// that differs was wrong before too.
pub(super) fn is_wrong(report: &Report) -> Option<&Finding> {
    let of_token = |finding: &&Finding| finding.group == Group::Credentials && finding.id != ids::PAGE_USERNAME;
    report.findings.iter().filter(of_token).find(|finding| finding.outcome >= checks::Outcome::Unreachable)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn info(change: Value) -> TokenInfo {
        let mut all = json!({
            "app_id": "1", "type": "SYSTEM_USER", "is_valid": true, "expires_at": 2_000, "scopes": ["a", "b"],
            "granular_scopes": [{"scope": "a", "target_ids": ["7", "8"]}],
        });
        let Value::Object(change) = change else { panic!("an object") };
        all.as_object_mut().expect("an object").extend(change);
        serde_json::from_value(all).expect("a token")
    }

    #[test]
    fn a_new_token_is_at_least_what_the_old_one_was() {
        let old = info(json!({}));
        let check = |change: Value| check_new(&old, &info(change));
        for good in [
            json!({}),
            json!({"expires_at": 9_000, "scopes": ["b", "a", "c"]}),
            json!({"expires_at": 0}),
            json!({"granular_scopes": [{"scope": "a"}]}),
            json!({"granular_scopes": [{"scope": "a", "target_ids": ["8", "7", "9"]}]}),
        ] {
            assert!(check(good.clone()).is_ok(), "{good}");
        }
        for (bad, cause) in [
            (json!({"is_valid": false}), "renewal-failed"),
            (json!({"type": "USER"}), "renewal-failed"),
            (json!({"app_id": "2"}), "other-app"),
            (json!({"scopes": ["a"]}), "permission-missing"),
            (json!({"granular_scopes": [{"scope": "a", "target_ids": ["7"]}]}), "permission-missing"),
            (json!({"expires_at": 1_999}), "renewal-failed"),
        ] {
            let refused = check(bad.clone()).expect_err("refused");
            assert_eq!(refused.why(), Some(cause), "{bad}: {}", refused.message());
            assert!(refused.message().contains("the old one kept"), "{}", refused.message());
        }
        let all = info(json!({"granular_scopes": [{"scope": "a"}]}));
        assert!(check_new(&all, &old).is_err(), "all Pages are more than two");
    }
}
