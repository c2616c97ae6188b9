//! msgrctl connects Facebook Pages to a contact centre.
//!
//! # Map
//!
//! Three layers. Below, the domains: [`secrets`], [`messages`], [`webhook`], [`accounts`],
//! [`graph`], [`checks`], [`provision`] and [`sandbox`]. Above them [`operations`]: what can be
//! done with them, without a terminal, and [`state`]: where records are kept. On top, the
//! command line: [`cli`], where the path of a file is the command it runs, and `ui`, which
//! knows terminals and no domain. Under all lie small shared modules: [`address`],
//! [`channel`], [`env`], [`clock`], [`dashboard`], [`document`], [`paths`], [`files`],
//! [`http`], [`json`], [`leaving`], [`serve`], [`storage`], [`text`], [`touched`].
//!
//! # Without a terminal
//!
//! A program of your own can add an account from a Page's token, test it, and apply a
//! manifest that [`provision::manifest::read`] parsed. `tests/library.rs` does that.
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
//! # Imports
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
//! 3. [`graph::BaseUrl`] is the real host over HTTPS or loopback. It cannot hold any other
//!    address, so no override can send a token elsewhere.
//! 4. A secret is a [`secrets::Secret`]: no `Display`, a masked `Debug`, wiped on
//!    drop. `expose()` is called in `secrets/` and where it goes on the wire.
//! 5. Secret first, then the record. A flow that writes both restores the secret
//!    if the record cannot be saved, and says so.
//! 6. Errors of Graph are told apart by code, subcode and type; only `graph/wording.rs` reads
//!    their text, for the three cases that need it.
//! 7. Only [`text`] cleans text from outside: `ui/output` passes all
//!    that is printed through it, and what is saved is cleaned or refused before.
//! 8. One error enum for each domain; operations have one error with a kind and ways out;
//!    only `cli/error.rs` knows exit codes.

pub mod address;
pub mod channel;
pub mod env;

pub mod clock;
pub mod dashboard;
pub mod document;
pub mod files;
pub mod http;
pub mod json;
pub mod leaving;
pub mod paths;
pub mod programs;
pub mod serve;
pub mod storage;
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
