//! A user namespace with several ranges of ids. libcontainer 0.7 has newuidmap and newgidmap write those, which know nothing of what root
//! may map: so the namespace is made here, and joined.

use std::error::Error;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use ramekin_sys::idmap::namespace;
use ramekin_sys::userns::{IdMap, Maps};
use serde_json::{json, Value};

/// The descriptor has to live until the container is made: the specification names it.
pub fn provide(bundle: &Path) -> Result<Option<OwnedFd>, Box<dyn Error>> {
    let file = bundle.join("config.json");
    let mut spec: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let Some(maps) = several(&spec).filter(|_| is_root()) else {
        return Ok(None);
    };
    let namespace = namespace(&maps).map_err(|error| error.message)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd());
    let namespaces = spec
        .pointer_mut("/linux/namespaces")
        .and_then(Value::as_array_mut);
    for entry in namespaces.into_iter().flatten() {
        if entry["type"] == "user" {
            entry["path"] = json!(path);
        }
    }
    fs::write(&file, serde_json::to_vec(&spec)?)?;
    Ok(Some(namespace))
}

fn several(spec: &Value) -> Option<Maps> {
    let is_new = spec
        .pointer("/linux/namespaces")?
        .as_array()?
        .iter()
        .any(|entry| entry["type"] == "user" && entry.get("path").is_none());
    let list = |name: &str| -> Option<Vec<IdMap>> {
        serde_json::from_value(spec.pointer(&format!("/linux/{name}"))?.clone()).ok()
    };
    let maps = Maps {
        uids: list("uidMappings")?,
        gids: list("gidMappings")?,
    };
    (is_new && (maps.uids.len() > 1 || maps.gids.len() > 1)).then_some(maps)
}

/// Others depend on these programs, which have the set-user-ID bit for them.
fn is_root() -> bool {
    // SAFETY: cannot fail, touches no memory.
    unsafe { libc::geteuid() == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_the_library_s_business() {
        let one = json!([{ "containerID": 0, "hostID": 1000, "size": 1 }]);
        let two = json!([{ "containerID": 0, "hostID": 1000, "size": 1 }, { "containerID": 1, "hostID": 5000, "size": 9 }]);
        let spec = |uids: &Value, user: Value| json!({ "linux": { "namespaces": [user], "uidMappings": uids, "gidMappings": one } });
        assert_eq!(several(&spec(&one, json!({ "type": "user" }))), None);
        assert_eq!(
            several(&spec(&two, json!({ "type": "user", "path": "/p" }))),
            None
        );
        assert_eq!(
            several(&spec(&two, json!({ "type": "user" })))
                .unwrap()
                .uids
                .len(),
            2
        );
    }
}
