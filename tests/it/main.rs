//! The binary as people and scripts run it: real sockets, a real keyring, a real
//! pseudo-terminal.
//!
//! Modules with pseudo-terminals, signals or file modes run on Unix; the others on Windows too.

#![cfg_attr(windows, allow(dead_code, unused_imports, unused_mut, reason = "support that the modules of Unix need"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod anything;
mod apply;
mod apply_check;
mod audit;
mod batch;
mod bulk;
#[cfg(unix)]
mod callback;
mod cases;
#[cfg(unix)]
mod ci_recipe;
#[cfg(unix)]
mod completions;
mod config;
mod contract;
mod demo;
mod discover;
#[cfg(unix)]
mod doctor;
mod events;
#[cfg(unix)]
mod examples;
mod explain;
mod export;
mod faults;
mod fixtures;
mod format;
mod global;
#[cfg(unix)]
mod growth;
mod handover;
#[cfg(unix)]
mod handover_page;
mod history;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod install;
#[cfg(unix)]
mod interop;
#[cfg(unix)]
mod keyring;
#[cfg(unix)]
mod leak;
#[cfg(unix)]
mod listen;
#[cfg(unix)]
mod login;
#[cfg(unix)]
mod manifest_trust;
#[cfg(unix)]
mod meanwhile;
mod message;
mod message_send;
#[cfg(unix)]
mod monitoring;
mod names;
mod next_steps;
#[cfg(unix)]
mod our_files;
mod plan;
mod platform;
#[cfg(unix)]
mod prompt;
mod readme;
#[cfg(unix)]
mod release;
#[cfg(unix)]
mod renew;
mod sandbox;
mod sandbox_batch;
#[cfg(unix)]
mod sandbox_business;
mod sandbox_events;
mod sandbox_limits;
#[cfg(unix)]
mod sandbox_login;
mod sandbox_messages;
mod sandbox_profile;
mod sandbox_subscriptions;
mod sandbox_threads;
mod sandbox_wild;
mod saved_plan;
#[cfg(unix)]
mod schema;
#[cfg(unix)]
mod screens;
#[cfg(unix)]
mod secret;
#[cfg(unix)]
mod state;
#[cfg(unix)]
mod state_postgres;
#[cfg(unix)]
mod state_s3;
mod states;
mod status;
#[cfg(unix)]
mod store;
mod support;
mod system_user;
#[cfg(unix)]
mod taint;
mod tenant;
mod tls;
#[cfg(unix)]
mod usage;
mod user_token;
#[cfg(unix)]
mod vault;
#[cfg(unix)]
mod vault_login;
#[cfg(unix)]
mod vault_many;
#[cfg(unix)]
mod watch;
mod webhook;
mod webhook_verify;
#[cfg(unix)]
mod wizard;
