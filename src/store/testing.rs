//! The store that tests of other rooms use, whichever adapter it is.

use std::path::Path;

use super::sqlite::SqliteStore;

/// A store for tests. Clones are the same store.
pub(crate) type TestStore = SqliteStore;

/// Opens the store in a folder, which is created if it does not exist. It outlives the process but not a power failure.
pub(crate) async fn open(folder: &Path) -> TestStore {
    SqliteStore::open_fleeting(&folder.join("store.db")).await.unwrap()
}
