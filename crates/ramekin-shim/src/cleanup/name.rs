//! A container's name: a symbolic link to its directory (packages/engine/src/store/names.ts).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ramekin_sys::{Context, Result};

/// Only while it is `holder`'s: another container may have it by now.
pub fn release(path: &Path, holder: &str) -> Result<()> {
    let what = || format!("release the name {}", path.display());
    let target = match fs::read_link(path) {
        // A link that is none is not ours.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            return Ok(())
        }
        result => result.context(what)?,
    };
    if target.file_name().and_then(|name| name.to_str()) != Some(holder) {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.context(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_holds_a_name_lets_go_of_it() {
        let base = std::env::temp_dir().join(format!("name-{}", std::process::id()));
        fs::create_dir(&base).unwrap();
        let name = base.join("web");
        std::os::unix::fs::symlink("../one", &name).unwrap();
        release(&name, "two").unwrap();
        assert!(name.is_symlink());
        release(&name, "one").unwrap();
        release(&name, "one").unwrap();
        assert!(!name.is_symlink());
        fs::write(&name, "").unwrap();
        release(&name, "one").unwrap();
        assert!(name.exists());
        fs::remove_dir_all(&base).unwrap();
    }
}
