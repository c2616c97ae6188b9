//! msgrctl connects Facebook Pages to a contact centre.
//!
//! # Map
//!
//! Three layers. Below, the domains: [`secrets`], [`messages`], [`webhook`], [`accounts`],
//! [`graph`], [`checks`], [`provision`] and [`sandbox`]. Above them [`operations`]: what can be
//! done with them, without a terminal, and [`state`]: where records are kept. On top, the
//! command line: [`cli`], where the path of a file is the command it runs, and `ui`, which
//! knows terminals and no domain. Under all lie small rooms without opinions: [`address`],
//! [`channel`], [`env`], [`clock`], [`dashboard`], [`document`], [`paths`], [`files`],
//! [`http`], [`json`], [`serve`], [`text`], [`touched`].
//!
//! # Without a terminal
//!
//! A program of your own adds an account of which it has the Page's token, tests it, and
//! applies a manifest, which [`provision::manifest::read`] makes of its text.
//! `tests/library.rs` does just that.
//!
//! ```no_run
//! use std::rc::Rc;
//!
//! use msgrctl::checks::Outcome;
//! use msgrctl::env::Environment;
//! use msgrctl::operations::accounts::{self, Draft};
//! use msgrctl::operations::apply::{self, Ended, How, Looks};
//! use msgrctl::operations::{Error, Given, Reporter, Workspace};
//! use msgrctl::provision::manifest::Manifest;
//! use msgrctl::secrets::Secret;
//!
//! fn connect(
//!     env: Environment,
//!     given: Given,
//!     reporter: Rc<dyn Reporter>,
//!     token: Secret,
//!     manifest: Manifest,
//! ) -> Result<(Outcome, Ended), Error> {
//!     let workspace = Workspace::new(env, given, reporter, "connect");
//!     let account = accounts::add(&workspace, Draft::of_token(&workspace, token)?)?;
//!     let report = accounts::test(&workspace, account.handle.as_str())?;
//!     let prepared = apply::prepare(&workspace, manifest, Looks::default())?;
//!     let how = How { fail_fast: false, again: "connect", on_end: &|_, _, _| {} };
//!     Ok((report.credentials(), apply::carry_out(&workspace, &prepared, how)?))
//! }
//! ```
//!
//! # Who may import whom
//!
//! Downwards only. `tests/tidy.rs` holds the table as code and fails when an
//! import breaks it; the table is not repeated here.
//!
//! # Invariants
//!
//! 1. Domains return values, errors and events; they never print, ask, or read
//!    the environment.
//! 2. [`graph`] and [`sandbox`] meet only over a socket and share no types: a
//!    wrong field name must not be able to agree with itself.
//! 3. [`graph::BaseUrl`] is the real host over HTTPS or loopback; nothing else
//!    can be built, so no override carries a token off.
//! 4. A secret is a [`secrets::Secret`]: no `Display`, a masked `Debug`, wiped on
//!    drop. `expose()` is called in `secrets/` and where it goes on the wire.
//! 5. Secret first, then the record. A flow that writes both takes the secret
//!    back when the record cannot be saved, and says so.
//! 6. Errors of Graph are told apart by code, subcode and type; the two whose text has
//!    to be read are read in `graph/wording.rs` and nowhere else.
//! 7. Text from outside is cleaned by [`text`] and nothing else: `ui/output` passes all
//!    that is printed through it, and what is saved is cleaned or refused before.
//! 8. One error enum a domain; operations have one error with a kind and ways out;
//!    `cli/error.rs` alone knows exit codes.

pub mod address;
pub mod channel;
pub mod env;

pub mod clock;
pub mod dashboard;
pub mod document;
pub mod files;
pub mod http;
pub mod json;
pub mod paths;
pub mod serve;
pub mod text;
pub mod touched;

pub mod secrets;

pub mod messages;

pub mod webhook;

pub mod accounts;
pub mod checks;
pub mod graph;
pub mod provision;
pub mod sandbox;
pub mod state;

pub mod operations;

mod ui;

pub mod cli;
