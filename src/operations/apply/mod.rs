//! Compares a manifest with the accounts and carries out the plan: local changes in groups
//! that are each written once, secrets before records; then Meta, apps before Pages. At any
//! interruption every secret is where its record says, and the next run makes a new plan.

mod carry_out;
pub(crate) mod files;
mod local;
pub(crate) mod meta;
mod observe;
mod places;
mod prepare;
mod run;
pub(crate) mod saved;

pub use carry_out::carry_out;
pub(crate) use carry_out::carry_out_held;
pub use prepare::{Looks, Prepared, prepare, tenant_of};
pub use run::{Ended, How, Outcome};
