//! A consistent copy of the registers while others use them.

use std::{fs::File, path::Path};

use super::{Error, Settings, database, files, rows};

/// Copies the registers of `settings` to the new file `to` (0600), as one state between two changes; returns its change counter.
/// Writers are not held up. The copy is on stable storage when this returns.
///
/// Cost: reads and writes the whole database.
///
/// # Errors
/// The registers cannot be used, or the file is there already or cannot be written.
pub fn copy_registers(settings: &Settings, to: &Path) -> Result<u64, Error> {
    let doing = "copying the registers";
    let connection = database::open(settings)?;
    if !files::create_empty(to)? {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(Error::file("create", to)(exists));
    }
    // An empty file is filled; this way its mode is ours from the first byte on.
    connection
        .execute("VACUUM INTO ?1", [to.to_string_lossy()])
        .map_err(Error::database(doing))?;
    File::open(to)
        .and_then(|it| it.sync_all())
        .map_err(Error::file("write", to))?;
    let copy = database::connect_copy(to)?;
    rows::version(&copy)
        .map(|it| it.sequence)
        .map_err(Error::database(doing))
}
