//! Gets tokens from Meta.

pub mod system_user;
