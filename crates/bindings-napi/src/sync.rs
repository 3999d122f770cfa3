use napi::bindgen_prelude::Object;
use napi::{Env, Error, Result};
use napi_derive::napi;
use rustix::fs::{Mode, OFlags};

/// syncfs(2) of the file system that holds `path`. It may take seconds, so it gets a thread of its own: libuv has only four.
#[napi]
pub fn sync_file_system<'env>(env: &'env Env, path: String) -> Result<Object<'env>> {
    let (deferred, promise) = env.create_deferred::<(), _>()?;
    std::thread::spawn(move || {
        let synced = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .and_then(rustix::fs::syncfs);
        deferred.resolve(move |_| {
            synced.map_err(|error| Error::from_reason(format!("sync {path}: {error}")))
        });
    });
    Ok(promise)
}
