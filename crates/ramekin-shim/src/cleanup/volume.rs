//! A volume that goes with its last container (packages/engine/src/volume).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ramekin_sys::rooted::Root;
use ramekin_sys::{tree, Context, Result};

/// Who holds a volume has a file in its `holders`: that this directory can be removed says that nobody holds it, and in the
/// same moment keeps everybody else from coming to hold it.
pub fn release(directory: &Path, holder: &str) -> Result<()> {
    let what = || format!("release volume {}", directory.display());
    let holders = directory.join("holders");
    gone_is_done(fs::remove_file(holders.join(holder))).context(what)?;
    match fs::remove_dir(&holders) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => return Ok(()),
        result => gone_is_done(result).context(what)?,
    }
    let (Some(above), Some(name)) = (directory.parent(), directory.file_name()) else {
        return Ok(());
    };
    let away = format!(".gone-{}", name.to_string_lossy());
    match fs::rename(directory, above.join(&away)) {
        // A volume of that name was cut short on its way out before: what is left of both goes.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
            tree::remove_tree(&Root::open(above)?, Path::new(name))?;
        }
        result => gone_is_done(result).context(what)?,
    }
    tree::remove_tree(&Root::open(above)?, Path::new(&away))
}

fn gone_is_done(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_holder_takes_the_volume_along() {
        let base = std::env::temp_dir().join(format!("volume-{}", std::process::id()));
        let volume = base.join("v");
        fs::create_dir_all(volume.join("holders")).unwrap();
        fs::create_dir_all(volume.join("_data/deep")).unwrap();
        for holder in ["one", "two"] {
            fs::write(volume.join("holders").join(holder), "").unwrap();
        }
        release(&volume, "one").unwrap();
        release(&volume, "one").unwrap();
        assert!(volume.join("_data/deep").exists());
        release(&volume, "two").unwrap();
        assert!(!volume.exists());
        release(&volume, "two").unwrap();
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
        fs::remove_dir(&base).unwrap();
    }
}
