//! A login at Meta in a browser: the dialog's address, the answer, the token and its Pages, and
//! the accounts that get them.

pub(crate) mod answer;
pub(crate) mod connect;
pub(crate) mod dialog;
pub(crate) mod granted;
pub(crate) mod listener;
pub mod system_user;
