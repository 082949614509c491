//! Clusters that a test may do anything with, since it has one for itself: as many as there are such tests at once.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Cluster;

/// Clusters that are all alike. They stay until the end, and the next test takes one that is free.
pub struct Pool {
    start: fn() -> Option<Cluster>,
    free: Mutex<Vec<&'static Cluster>>,
}

impl Pool {
    pub const fn new(start: fn() -> Option<Cluster>) -> Pool {
        let free = Mutex::new(Vec::new());
        Pool { start, free }
    }

    /// One that no other test uses. `None` where there can be no cluster.
    pub fn alone(&'static self) -> Option<Alone> {
        let free = self.free().pop();
        let cluster = match free {
            Some(cluster) => cluster,
            None => Box::leak(Box::new((self.start)()?)),
        };
        Some(Alone {
            cluster,
            pool: self,
        })
    }

    fn free(&self) -> MutexGuard<'_, Vec<&'static Cluster>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cluster for one test, until it is dropped.
pub struct Alone {
    pub cluster: &'static Cluster,
    pool: &'static Pool,
}

impl Deref for Alone {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // A test that failed may have left it paused.
        if !std::thread::panicking() {
            self.pool.free().push(self.cluster);
        }
    }
}
