//! A shared state: can it be reached, read and written.

use crate::checks::causes::STATE_UNREACHABLE;
use crate::checks::ids;
use crate::operations::{Error, Found, Workspace};
use crate::storage::names;

/// Whether the shared state can be used; nothing where the records are files.
pub fn look(workspace: &Workspace) -> Result<Option<Found>, Error> {
    let Some(state) = &workspace.settings()?.state else { return Ok(None) };
    let storage = workspace.storage()?;
    let tried = storage.tenants().and_then(|tenants| storage.can_append(names::LOG).map(|()| tenants.len()));
    Ok(Some(match tried {
        Ok(tenants) => {
            let tenants = if tenants == 1 { "1 tenant".to_owned() } else { format!("{tenants} tenants") };
            Found::pass(
                ids::STATE,
                format!("the shared state can be read and written: {tenants} (from {})", state.origin),
            )
        }
        Err(error) => Found::of_error(ids::STATE, error, &STATE_UNREACHABLE),
    }))
}
