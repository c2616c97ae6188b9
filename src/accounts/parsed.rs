//! Caches parsed accounts. A command reads the file at each use, since another process may have
//! changed it, and parses it only if the text differs.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::Account;
use super::schema::{self, SchemaError};

/// Caches the accounts of the last two texts: before a change and after it.
#[derive(Clone, Debug, Default)]
pub struct Parsed(Rc<RefCell<Vec<Known>>>);

#[derive(Debug)]
struct Known {
    text: String,
    accounts: Rc<Vec<Account>>,
}

const REMEMBERED: usize = 2;

impl Parsed {
    /// The accounts in a text. `path` is only for errors.
    pub fn accounts(&self, text: &str, path: &Path) -> Result<Rc<Vec<Account>>, SchemaError> {
        let known = self.0.borrow().iter().find(|known| known.text == text).map(|known| known.accounts.clone());
        match known {
            Some(accounts) => Ok(accounts),
            None => Ok(self.remember(text.to_owned(), schema::read(text, path)?)),
        }
    }

    /// Adds a text whose accounts are known, since it was made from them.
    pub(super) fn remember(&self, text: String, accounts: Vec<Account>) -> Rc<Vec<Account>> {
        let accounts = Rc::new(accounts);
        let mut known = self.0.borrow_mut();
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push(Known { text, accounts: accounts.clone() });
        accounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::account::tests::account;

    #[test]
    fn a_text_is_parsed_once_and_another_one_anew() {
        let parsed = Parsed::default();
        let read = |text: &str| parsed.accounts(text, Path::new("accounts.toml")).expect("read");
        let texts = ["A", "B", "C"].map(|name| schema::write(&[account(name)]));
        let first = read(&texts[0]);
        assert!(Rc::ptr_eq(&first, &read(&texts[0])));
        assert_eq!(read(&texts[1])[0].name.as_str(), "B");
        assert!(Rc::ptr_eq(&first, &read(&texts[0])));
        read(&texts[2]);
        let again = read(&texts[0]);
        assert!(!Rc::ptr_eq(&first, &again) && first == again);
        parsed.accounts("broken", Path::new("accounts.toml")).expect_err("broken");
        assert!(Rc::ptr_eq(&again, &read(&texts[0])));
    }
}
