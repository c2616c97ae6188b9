//! The binary as people and scripts run it: real sockets, a real keyring, a real
//! pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod account;
mod anything;
mod apply_check;
mod batch;
mod bulk;
mod ci_recipe;
mod completions;
mod contract;
mod demo;
mod doctor;
mod examples;
mod faults;
mod fixtures;
mod global;
mod handover;
mod history;
mod interop;
mod keyring;
mod leak;
mod listen;
mod message;
mod message_send;
mod prompt;
mod readme;
mod sandbox;
mod sandbox_batch;
mod sandbox_events;
mod sandbox_limits;
mod sandbox_messages;
mod sandbox_profile;
mod sandbox_subscriptions;
mod sandbox_threads;
mod sandbox_wild;
mod schema;
mod secret;
mod states;
mod store;
mod support;
mod tenant;
mod tls;
mod webhook;
mod webhook_verify;
mod wizard;
