//! All tenants of a run, each with its own stores.

use super::{Error, Workspace};
use crate::accounts::TenantName;

/// Every tenant with documents, and the current one; each with its files and stores.
pub struct Tenants<'w> {
    worked_in: (String, &'w Workspace),
    others: Vec<(String, Workspace)>,
}

impl Tenants<'_> {
    /// The current tenant first, the others sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Workspace)> {
        let (name, workspace) = &self.worked_in;
        let others = self.others.iter().map(|(name, workspace)| (name.as_str(), workspace));
        std::iter::once((name.as_str(), *workspace)).chain(others)
    }
}

impl Workspace {
    /// All tenants.
    pub(crate) fn tenants(&self) -> Result<Tenants<'_>, Error> {
        let settings = self.settings()?;
        let name = settings.tenant.value.to_string();
        // Ignores directories that are not ours.
        let others = self.tenant_names()?.into_iter().filter(|other| *other != name);
        let others = others.filter(|other| other.parse::<TenantName>().is_ok());
        let others = others.map(|other| (other.clone(), self.in_tenant(&other))).collect();
        Ok(Tenants { worked_in: (name, self), others })
    }
}
