//! A world that several calls share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::callback::Callbacks;
use super::delivery::Courier;
use super::world::World;

/// A world that several calls share, and its connections to callbacks.
#[derive(Clone)]
pub struct SharedWorld(Arc<Parts>);

struct Parts {
    world: Mutex<World>,
    courier: Courier,
    handshakes: Callbacks,
}

impl SharedWorld {
    pub fn new(world: World) -> Self {
        let handshakes = Callbacks::new(world.rules.handshake_patience);
        Self(Arc::new(Parts { world: Mutex::new(world), courier: Courier::default(), handshakes }))
    }

    /// The world, locked until the guard is dropped.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn courier(&self) -> &Courier {
        &self.0.courier
    }

    pub(super) fn handshakes(&self) -> &Callbacks {
        &self.0.handshakes
    }
}
