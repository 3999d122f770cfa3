//! A client of the socket protocol, small enough to be obviously right.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{json, Value};

const SHIM: &str = env!("CARGO_BIN_EXE_ramekin-shim");

fn launcher() -> String {
    std::env::var("RAMEKIN_TEST_LAUNCHER").unwrap_or_else(|_| "runc".into())
}

/// Why containers cannot be run here.
pub fn unable() -> Option<String> {
    // SAFETY: cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return Some("needs root".into());
    }
    if !Path::new("/bin/busybox").exists() {
        return Some("needs /bin/busybox (busybox-static)".into());
    }
    let found = Command::new(launcher())
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_err().then(|| format!("needs {}", launcher()))
}

/// A root file system of one program.
pub fn root_image() -> PathBuf {
    let image = std::env::temp_dir().join(format!("ramekin-shim-test-{}", std::process::id()));
    for directory in ["image/bin", "image/etc", "image/proc", "image/dev"] {
        fs::create_dir_all(image.join(directory)).unwrap();
    }
    fs::copy("/bin/busybox", image.join("image/bin/busybox")).unwrap();
    for name in ["sh", "cat", "id", "sleep", "grep", "true"] {
        std::os::unix::fs::symlink("busybox", image.join("image/bin").join(name)).unwrap();
    }
    fs::write(
        image.join("image/etc/passwd"),
        "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n",
    )
    .unwrap();
    fs::write(
        image.join("image/etc/group"),
        "root:x:0:\nwheel:x:10:ann\nann:x:1000:\n",
    )
    .unwrap();
    image
}

pub struct Container {
    directory: PathBuf,
    supervisor: RefCell<Child>,
    ready: Value,
}

impl Container {
    pub fn create(base: &Path, args: &[&str], more: Value) -> Self {
        Self::try_create(base, args, more).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn try_create(base: &Path, args: &[&str], more: Value) -> Result<Self, Value> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let id = format!(
            "shim-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let directory = base.join(&id);
        for part in ["bundle", "run", "upper", "work"] {
            fs::create_dir_all(directory.join(part)).unwrap();
        }
        let at = |part: &str| directory.join(part).display().to_string();
        let cgroup = format!("/ramekin-test/{id}");
        fs::write(at("bundle/config.json"), spec(args, &cgroup).to_string()).unwrap();
        let mut input = json!({
            "version": 1, "id": id, "bundle": at("bundle"), "stateFile": at("state.json"),
            "launcher": { "argv": [launcher()] }, "cgroup": cgroup,
            "io": { "terminal": false, "stdin": "closed", "log": { "type": "json-file", "path": at("log") } },
            "rootfs": [{ "type": "overlay", "source": "overlay", "options": [
                format!("lowerdir={}", base.join("image").display()), format!("upperdir={}", at("upper")), format!("workdir={}", at("work"))] }],
            "cleanup": [{ "op": "remove-cgroup", "path": cgroup }],
        });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fs::write(at("run/shim.json"), input.to_string()).unwrap();
        let (supervisor, ready) = run(&[&at("run")], &at("run/shim.log"));
        match ready.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(Container {
                directory,
                supervisor: RefCell::new(supervisor),
                ready,
            }),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub fn pid(&self) -> u64 {
        self.ready["ok"]["pid"].as_u64().unwrap()
    }

    pub fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("state.json")).unwrap()).unwrap()
    }

    fn connect(&self) -> Connection {
        let directory = fs::File::open(self.path("run")).unwrap();
        Connection(
            UnixStream::connect(format!("/proc/self/fd/{}/sock", directory.as_raw_fd())).unwrap(),
        )
    }

    pub fn ask(&self, mut request: Value) -> Value {
        request["v"] = 1.into();
        let mut connection = self.connect();
        connection.send(0, request.to_string().as_bytes());
        let (_, answer) = connection.receive().expect("an answer");
        serde_json::from_slice(&answer).unwrap()
    }

    pub fn attach(&self, exec: Option<&str>) -> Connection {
        let mut connection = self.connect();
        connection.send(
            0,
            json!({ "v": 1, "op": "attach", "exec": exec })
                .to_string()
                .as_bytes(),
        );
        let (_, answer) = connection.receive().expect("an answer");
        assert!(String::from_utf8(answer).unwrap().contains(r#""ok""#));
        connection
    }

    pub fn delete(&self) {
        assert_eq!(
            self.ask(json!({ "op": "delete", "force": true })),
            json!({ "ok": {} })
        );
        self.join();
    }

    /// The supervisor ends by itself, and has nothing to complain about.
    pub fn join(&self) {
        assert!(self.supervisor.borrow_mut().wait().unwrap().success());
        assert_eq!(fs::read_to_string(self.path("run/shim.log")).unwrap(), "");
    }

    pub fn kill_supervisor(&self) {
        self.supervisor.borrow_mut().kill().unwrap();
        self.supervisor.borrow_mut().wait().unwrap();
    }

    pub fn clean_up(&self) -> Value {
        let (mut child, answer) = run(
            &["--cleanup", &self.path("run").display().to_string()],
            "/dev/null",
        );
        child.wait().unwrap();
        answer
    }
}

/// The supervisor, and what it says on descriptor 3.
fn run(arguments: &[&str], log: &str) -> (Child, Value) {
    let (reading, writing) = std::io::pipe().unwrap();
    let number = writing.as_raw_fd();
    let mut command = Command::new(SHIM);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(log).unwrap());
    // SAFETY: two system calls on integers.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            match libc::dup2(number, 3) {
                3 => {
                    libc::fcntl(3, libc::F_SETFD, 0);
                    Ok(())
                }
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let child = command.spawn().unwrap();
    drop(writing);
    let mut line = String::new();
    BufReader::new(reading).read_line(&mut line).unwrap();
    (
        child,
        serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("no answer: {}", fs::read_to_string(log).unwrap_or_default())
        }),
    )
}

fn spec(args: &[&str], cgroup: &str) -> Value {
    let namespaces: Vec<Value> = ["pid", "network", "ipc", "uts", "mount"]
        .iter()
        .map(|kind| json!({ "type": kind }))
        .collect();
    let caps = [
        "CAP_MKNOD",
        "CAP_DAC_OVERRIDE",
        "CAP_SETUID",
        "CAP_SETGID",
        "CAP_KILL",
    ];
    json!({
        "ociVersion": "1.0.2", "hostname": "test", "root": { "path": "rootfs" },
        "process": { "args": args, "cwd": "/", "env": ["PATH=/bin"], "user": { "uid": 0, "gid": 0 },
            "capabilities": { "bounding": caps, "effective": caps, "permitted": caps } },
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"] }],
        "linux": { "cgroupsPath": cgroup, "namespaces": namespaces },
    })
}

pub struct Connection(UnixStream);

#[derive(Default)]
pub struct Seen {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub exit: Value,
}

impl Connection {
    pub fn try_clone(&self) -> Self {
        Connection(self.0.try_clone().unwrap())
    }

    pub fn send(&mut self, channel: u8, payload: &[u8]) {
        self.0
            .write_all(&(payload.len() as u32).to_be_bytes())
            .unwrap();
        self.0.write_all(&[channel]).unwrap();
        self.0.write_all(payload).unwrap();
    }

    fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 5];
        self.0.read_exact(&mut header).ok()?;
        let [a, b, c, d, channel] = header;
        let mut payload = vec![0; u32::from_be_bytes([a, b, c, d]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some((channel, payload))
    }

    pub fn collect(mut self) -> Seen {
        self.collect_from()
    }

    /// Until it has said how the process ended, after which nothing follows.
    pub fn collect_from(&mut self) -> Seen {
        let mut seen = Seen::default();
        while let Some((channel, payload)) = self.receive() {
            match channel {
                2 => seen.stdout.extend(payload),
                3 => seen.stderr.extend(payload),
                _ => {
                    let message: Value = serde_json::from_slice(&payload).unwrap();
                    if let Some(exit) = message.get("exit") {
                        seen.exit = exit.clone();
                        break;
                    }
                }
            }
        }
        seen
    }
}
