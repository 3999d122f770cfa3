//! Addresses of a pool: a directory with one file per address in use, which holds its holder.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use ramekin_sys::flock::{try_lock, Kind};
use ramekin_sys::{Code, Context, Error, Result};

/// Under the pool's lock: between reading the holder and removing the file, the address must not change hands.
pub fn free(pool: &Path, address: &str, holder: &str) -> Result<()> {
    if address.contains('/') || address.starts_with('.') {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("bad address {address:?}"),
        ));
    }
    if !pool.exists() {
        return Ok(());
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    let _lock = loop {
        match try_lock(&pool.join(".lock"), Kind::Exclusive)? {
            Some(lock) => break lock,
            None if Instant::now() > deadline => {
                return Err(Error::new(
                    Code::Unavailable,
                    format!("pool {} is locked", pool.display()),
                ))
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let file = pool.join(address);
    match fs::read_to_string(&file) {
        Ok(found) if found.trim_end() == holder => {
            fs::remove_file(&file).context(|| format!("free {}", file.display()))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io(error, file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_s_address_is_freed_and_only_once() {
        let pool = std::env::temp_dir().join(format!("ramekin-pool-{}", std::process::id()));
        fs::create_dir(&pool).unwrap();
        fs::write(pool.join("10.0.0.2"), "ann\n").unwrap();
        free(&pool, "10.0.0.2", "bob").unwrap();
        assert!(pool.join("10.0.0.2").exists());
        free(&pool, "10.0.0.2", "ann").unwrap();
        assert!(!pool.join("10.0.0.2").exists());
        free(&pool, "10.0.0.2", "ann").unwrap();
        assert!(free(&pool, "../x", "ann").is_err());
        fs::remove_dir_all(&pool).unwrap();
    }
}
