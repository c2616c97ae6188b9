//! A manifest against what is, and how it is carried out: what is kept here in groups that
//! are each written at once, secrets before records; then what is kept at Meta, apps before
//! Pages. Whatever moment it is ended at, every secret is where its record says, and the
//! next run goes on from there, since the plan is made of what is.

mod carry_out;
pub(crate) mod files;
mod local;
pub(crate) mod meta;
mod observe;
mod places;
mod prepare;
mod run;

pub use carry_out::carry_out;
pub use prepare::{Looks, Prepared, prepare, tenant_of};
pub use run::{Ended, How, Outcome};
