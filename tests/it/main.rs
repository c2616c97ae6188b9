//! The binary as people and scripts run it: real sockets, a real keyring, a real
//! pseudo-terminal.
//!
//! Modules with pseudo-terminals, signals or file modes run on Unix; the others on Windows too.

#![cfg_attr(windows, allow(dead_code, unused_imports, reason = "support that the modules of Unix need"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(unix)]
mod account;
mod anything;
#[cfg(unix)]
mod apply;
mod apply_check;
#[cfg(unix)]
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
#[cfg(unix)]
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
#[cfg(unix)]
mod format;
mod global;
#[cfg(unix)]
mod growth;
mod handover;
#[cfg(unix)]
mod handover_page;
#[cfg(unix)]
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
#[cfg(unix)]
mod message;
mod message_send;
#[cfg(unix)]
mod monitoring;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod next_steps;
#[cfg(unix)]
mod our_files;
#[cfg(unix)]
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
#[cfg(unix)]
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
#[cfg(unix)]
mod status;
#[cfg(unix)]
mod store;
mod support;
mod system_user;
#[cfg(unix)]
mod taint;
#[cfg(unix)]
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
#[cfg(unix)]
mod webhook;
mod webhook_verify;
#[cfg(unix)]
mod wizard;
