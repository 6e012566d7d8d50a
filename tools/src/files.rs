//! Files that are replaced as a whole, are there for a while, or are one process's at a time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file beside the old one, then puts it in its place: a crash or a full disk leaves the old one whole, and what was
/// written of the new one does not keep the disk full.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = beside(path);
    let replaced = write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

/// Finds out whether a file could be written, before the long work that makes it.
pub fn check_writable(path: &Path) -> io::Result<()> {
    let temporary = beside(path);
    File::create(&temporary)?;
    fs::remove_file(&temporary)
}

/// The path of a file that is gone with this value, also where an error ends the work.
pub struct Temporary(pub PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An empty file that one process at a time holds, as long as this value lives. The system lets go of it when the process ends, in
/// whatever way.
pub struct Lock(#[expect(dead_code, reason = "it is held, no more")] File);

impl Lock {
    /// None if another process holds it.
    pub fn take(path: &Path) -> io::Result<Option<Lock>> {
        let file = File::create(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some file systems have no locks.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Some(Lock(file))),
        }
    }
}

fn beside(path: &Path) -> OsString {
    let mut temporary = OsString::from(path);
    temporary.push(".tmp");
    temporary
}

fn write(path: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_replaced_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        check_writable(&path).unwrap();
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_file(&path).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(replace(&path, b"newer").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(check_writable(&path.join("none/file")).is_err());
    }
}
