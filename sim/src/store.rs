//! The store: Kubernetes' API server over etcd, as far as locks need it.

use std::sync::Arc;

use tenure::election::Stored;
use tenure::lock::Object;

/// A call to the store. Objects live in one namespace and are known by their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Read one object as it is now.
    Get {
        /// Its name.
        name: Arc<str>,
    },
    /// Read all objects that have a label (all objects if `None`), in the order of their names.
    List {
        /// The label's key and value.
        label: Option<(Arc<str>, Arc<str>)>,
    },
    /// Make an object.
    Create(Object),
    /// Write over the object with this version. An object with a uid is written only over itself.
    Update {
        /// The whole new object.
        object: Object,
        /// The version to write over.
        version: u64,
    },
    /// Remove an object.
    Delete {
        /// Its name.
        name: Arc<str>,
        /// Only at this version.
        version: Option<u64>,
    },
}

/// What a successful call gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The object as it is now.
    Stored(Stored),
    /// The objects, and the version of the whole store that they stood at.
    List(Vec<Stored>, u64),
    /// It is gone.
    Deleted,
}
