//! What an account's token is, when and with what it ends, and how it is renewed, in words.

use jiff::Timestamp;

use crate::accounts::Account;
use crate::checks::{Renewal, TokenLife};
use crate::clock::relative;
use crate::secrets::SecretKind;

/// One line of text: what it is, its end, what ends it, how it is renewed.
pub fn in_words(account: &Account, life: TokenLife, expires_at: Option<Timestamp>, now: Timestamp) -> String {
    let end = match expires_at {
        Some(at) if at <= now => format!("ended {}", relative(now, at)),
        Some(at) => format!("ends {}", relative(now, at)),
        None => "has no end".to_owned(),
    };
    format!("{}; {end}; ends with {}; {}", life.what(), life.dies_of(), renewal(account, life))
}

/// What a renewal came to: `renewed; the token ends on 2027-01-28`.
pub fn renewed_in_words(expires_at: Option<Timestamp>) -> String {
    match expires_at {
        Some(at) => format!("renewed; the token ends on {}", at.strftime("%Y-%m-%d")),
        None => "renewed; the token has no end".to_owned(),
    }
}

fn renewal(account: &Account, life: TokenLife) -> String {
    let (handle, page) = (&account.handle, &account.page_id);
    let keeps_parent = account.secrets.contains_key(&SecretKind::UserAccessToken);
    let login = format!("a login renews it (msgrctl login --page {page})");
    let renew = format!("renewed by: msgrctl account renew {handle}");
    match (life.renewal(), keeps_parent) {
        (Renewal::Nothing, _) => "needs no renewal".into(),
        (Renewal::Exchange, true) => renew,
        (Renewal::Login, true) => format!("{renew}; once the kept user token has ended, {login}"),
        (Renewal::Login, false) => login,
        (Renewal::Exchange, false) => format!(
            "renewed with the system user's token, once that is kept: msgrctl account edit {handle} --token-stdin --keep-user-token --yes"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::trial::Trial;
    use crate::secrets::{SecretRef, StoreName};

    #[test]
    fn what_renews_it_follows_from_what_is_kept() {
        let mut acme = Trial::new().account("Acme");
        let now = Timestamp::from_second(1_790_000_000).expect("a time");
        let later = Timestamp::from_second(1_790_000_000 + 59 * 86_400).ok();
        let words = |account: &Account, life, at| in_words(account, life, at, now);
        let of_long = words(&acme, TokenLife::PageOfLongUser, None);
        assert!(of_long.contains("has no end; ends with a changed password"), "{of_long}");
        assert!(of_long.ends_with("a login renews it (msgrctl login --page 109876543210987)"), "{of_long}");
        assert!(words(&acme, TokenLife::PageOfSystemUser60Days, later).ends_with("--keep-user-token --yes"));
        assert!(words(&acme, TokenLife::PageOfSystemUser, None).ends_with("needs no renewal"));
        acme.secrets.insert(SecretKind::UserAccessToken, SecretRef::Stored(StoreName::File));
        let kept = words(&acme, TokenLife::PageOfSystemUser60Days, later);
        assert!(kept.ends_with("renewed by: msgrctl account renew acme") && kept.contains("ends in "), "{kept}");
    }
}
