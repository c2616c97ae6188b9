//! Keeps addresses unique: a name, handle or id, compared without case, belongs to one account.
//! A file that was edited or merged by hand may break that; then it is detected here, with a
//! command to fix it.

use std::collections::HashMap;

use super::{Account, Handle, Name};

/// Whether two addresses are equal.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.to_lowercase() == other.to_lowercase()
}

/// Maps addresses to the accounts that have them. The caller numbers the accounts.
#[derive(Debug, Default)]
pub struct Addresses(HashMap<String, Vec<usize>>);

impl Addresses {
    /// The addresses of some accounts, numbered by position.
    pub fn of<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Self {
        let mut addresses = Self::default();
        for (at, account) in accounts.into_iter().enumerate() {
            addresses.add(at, [account.name.as_str(), account.handle.as_str(), &account.id]);
        }
        addresses
    }

    /// Adds the addresses of the account with this number.
    pub fn add<'a>(&mut self, number: usize, own: impl IntoIterator<Item = &'a str>) {
        for address in own {
            let holders = self.0.entry(address.trim().to_lowercase()).or_default();
            if !holders.contains(&number) {
                holders.push(number);
            }
        }
    }

    /// The accounts that have this address.
    pub fn holders(&self, address: &str) -> &[usize] {
        self.0.get(&address.trim().to_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    /// An account other than `number` that has this address.
    pub fn other(&self, address: &str, number: usize) -> Option<usize> {
        self.holders(address).iter().copied().find(|holder| *holder != number)
    }

    /// The handle, with a number added if an account other than `number` has it.
    pub fn free_handle(&self, wanted: &Handle, number: usize) -> Handle {
        // Each address blocks at most one candidate.
        let numbered = (2..=self.0.len() + 2).map(|count| wanted.numbered(count));
        let free = |handle: &Handle| self.other(handle.as_str(), number).is_none();
        std::iter::once(wanted.clone()).chain(numbered).find(free).unwrap_or_else(|| wanted.clone())
    }
}

/// An account that shares an address with another one, and the names that would separate them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The position of the account to rename.
    pub at: usize,
    /// The positions of the accounts that it is confused with.
    pub with: Vec<usize>,
    /// An address that no other account has, quoted where a shell needs it.
    call: String,
    name: Option<Name>,
    handle: Option<Handle>,
}

impl Clash {
    /// The command that separates them; it works while the clash exists.
    pub fn command(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let handle = self.handle.as_ref().map(|handle| format!(" --handle {handle}")).unwrap_or_default();
        format!("msgrctl account rename {}{name}{handle}", self.call)
    }
}

/// Every account to rename, so that each address belongs to one account.
///
/// The first account keeps the address, and ids come before handles before names: ids never
/// change, handles are used in scripts. A new name is made from the handle, so that the output
/// shows no more of an account than its handle.
pub fn clashes(accounts: &[Account]) -> Vec<Clash> {
    let addresses = Addresses::of(accounts);
    let keeper = |address: &str| {
        let rank = |at: &usize| {
            let account = &accounts[*at];
            (!same(&account.id, address), !same(account.handle.as_str(), address), *at)
        };
        addresses.holders(address).iter().copied().min_by_key(rank)
    };
    // A proposal must not clash with the proposals before it.
    let mut taken = Addresses::of(accounts);
    let mut found = Vec::new();
    for (at, account) in accounts.iter().enumerate() {
        let loses = |address: &str| keeper(address).is_some_and(|keeper| keeper != at);
        let (name, handle) = (account.name.as_str(), account.handle.as_str());
        let mut with: Vec<usize> =
            [name, handle].iter().filter_map(|own| keeper(own)).filter(|other| *other != at).collect();
        with.dedup();
        if with.is_empty() {
            continue;
        }
        let new_handle = loses(handle).then(|| taken.free_handle(&account.handle, at));
        taken.add(at, new_handle.as_ref().map(Handle::as_str));
        let new_name = loses(name).then(|| {
            let own = new_handle.clone().unwrap_or_else(|| account.handle.clone());
            taken.free_handle(&own, at)
        });
        taken.add(at, new_name.as_ref().map(Handle::as_str));
        let alone = |address: &&str| addresses.other(address, at).is_none();
        let call = [account.id.as_str(), handle].into_iter().find(alone).unwrap_or(&account.id);
        let call = crate::text::for_shell(call);
        found.push(Clash { at, with, call, name: new_name.map(Name::from), handle: new_handle });
    }
    found
}

/// Two accounts of `then` that share an address, and do not as they are `now`.
pub fn newly_alike<'a>(now: &[Account], then: &'a [Account]) -> Option<[&'a Account; 2]> {
    let mut alike = clashes(then).into_iter().flat_map(|clash| {
        let at = clash.at;
        clash.with.into_iter().map(move |other| [&then[at], &then[other]])
    });
    let is_now = |pair: &[&Account; 2]| {
        let of = |account: &Account| now.iter().find(|known| known.id == account.id);
        let [Some(one), Some(other)] = pair.map(of) else { return false };
        !clashes(&[one.clone(), other.clone()]).is_empty()
    };
    alike.find(|pair| !is_now(pair))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::account::tests::account;

    fn called(name: &str, handle: &str, id: &str) -> Account {
        Account { handle: handle.parse().expect("a handle"), id: id.into(), ..account(name) }
    }

    fn commands(accounts: &[Account]) -> Vec<String> {
        clashes(accounts).iter().map(Clash::command).collect()
    }

    #[test]
    fn accounts_that_answer_alike_are_found_with_the_way_out() {
        let one = || called("Acme", "acme", "id-1");
        let cases: [(&[Account], &[&str]); 9] = [
            (&[one(), called("Other", "other", "id-2")], &[]),
            // An account may have the same name and handle.
            (&[called("acme", "acme", "acme")], &[]),
            (&[one(), called("ACME", "acme-2", "id-2")], &["id-2 acme-2"]),
            (&[one(), called("Other", "acme", "id-2")], &["id-2 --handle acme-2"]),
            (&[called("ACME-support", "other", "id-2"), called("Acme", "acme-support", "id-1")], &["id-2 other"]),
            (
                &[one(), called("acme", "acme", "id-2"), called("Acme", "acme", "id-3")],
                &["id-2 acme-2 --handle acme-2", "id-3 acme-3 --handle acme-3"],
            ),
            (&[one(), called("ID-1", "other", "id-2")], &["id-2 other"]),
            (&[one(), called("Other", "id-1", "id-2")], &["id-2 --handle id-1-2"]),
            // Each name is the other's id; only the handles are unique.
            (&[called("id-2", "a", "id-1"), called("id-1", "b", "id-2")], &["a a", "b b"]),
        ];
        for (accounts, wanted) in cases {
            let wanted: Vec<String> = wanted.iter().map(|words| format!("msgrctl account rename {words}")).collect();
            assert_eq!(commands(accounts), wanted, "{accounts:?}");
        }
    }

    #[test]
    fn the_ways_out_lead_out_one_after_the_other() {
        let names = ["acme", "ACME", "acme-2", "b", "B"];
        let handles = ["acme", "acme-2", "b", "acme", "b"];
        let mut accounts: Vec<Account> = names
            .into_iter()
            .zip(handles)
            .enumerate()
            .map(|(at, (name, handle))| called(name, handle, &format!("id-{at}")))
            .collect();
        let found = clashes(&accounts);
        assert!(!found.is_empty());
        for clash in found {
            let mut account = accounts[clash.at].clone();
            account.name = clash.name.unwrap_or(account.name);
            account.handle = clash.handle.unwrap_or(account.handle);
            accounts[clash.at] = account;
        }
        assert_eq!(commands(&accounts), [""; 0], "{accounts:?}");
    }

    #[test]
    fn what_was_alike_before_is_told_from_what_becomes_so() {
        let (one, other) = (called("Acme", "acme", "id-1"), called("Other", "other", "id-2"));
        let twin = called("ACME", "other", "id-2");
        let (good, bad) = ([one.clone(), other.clone()], [one.clone(), twin.clone()]);
        assert_eq!(newly_alike(&good, &bad), Some([&twin, &one]));
        assert_eq!(newly_alike(&good[..1], &bad), Some([&twin, &one]));
        assert_eq!(newly_alike(&bad, &bad), None);
        assert_eq!(newly_alike(&bad, &good), None);
    }

    #[test]
    fn a_free_handle_is_nobodys_name_handle_or_id() {
        let addresses = Addresses::of(&[called("ACME", "other", "acme-2"), called("Acme-3", "acme-4", "x")]);
        let free = |number| addresses.free_handle(&"acme".parse().expect("a handle"), number).to_string();
        assert_eq!((free(2), free(0), free(1)), ("acme-5".into(), "acme".into(), "acme-3".into()));
    }
}
