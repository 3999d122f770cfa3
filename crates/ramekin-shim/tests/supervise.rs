//! The supervisor on the real kernel, with runc as its launcher: one container of busybox after another, as root, in a
//! mount namespace of the test's own. `RAMEKIN_TEST_LAUNCHER` names another launcher.

mod client;

use client::{root_image, unable, Container};
use serde_json::json;

/// One test function: the mount namespace belongs to the thread that made it.
#[test]
fn containers_live_and_end_as_they_should() {
    if let Some(reason) = unable() {
        eprintln!("skipped: {reason}");
        return;
    }
    let image = root_image();
    output_arrives_in_order_and_the_log_has_it(&image);
    a_program_that_is_not_there_is_said_to_be(&image);
    users_are_looked_up_in_the_image(&image);
    stdin_reaches_the_program_and_ends(&image);
    another_process_enters_and_dies_with_the_first(&image);
    devices_of_the_host_do_not_open(&image);
    a_lost_supervisor_s_container_is_ended(&image);
    std::fs::remove_dir_all(&image).unwrap();
}

fn output_arrives_in_order_and_the_log_has_it(image: &std::path::Path) {
    let container = Container::create(
        image,
        &["sh", "-c", "echo out; echo err >&2; exit 7"],
        json!({}),
    );
    let attached = container.attach(None);
    assert_eq!(container.ask(json!({ "op": "start" })), json!({ "ok": {} }));
    let seen = attached.collect();
    assert_eq!(
        (&seen.stdout[..], &seen.stderr[..]),
        (&b"out\n"[..], &b"err\n"[..])
    );
    assert_eq!(seen.exit["code"], 7);
    container.join();
    assert_eq!(container.state()["status"], "stopped");
    let log = std::fs::read_to_string(container.path("log")).unwrap();
    assert!(
        log.contains(r#"{"log":"out\n","stream":"stdout","time":""#),
        "{log}"
    );
    assert!(!container.path("run/sock").exists());
}

fn a_program_that_is_not_there_is_said_to_be(image: &std::path::Path) {
    let error = Container::try_create(image, &["nope"], json!({}));
    let error = match error {
        Err(error) => error,
        // A launcher that looks for the program only when it is started.
        Ok(container) => {
            let error = container.ask(json!({ "op": "start" }));
            container.delete();
            error["error"].clone()
        }
    };
    assert_eq!(error["code"], "COMMAND_NOT_FOUND", "{error}");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("exec: \"nope\": executable file not found in $PATH"),
        "{error}"
    );
}

fn users_are_looked_up_in_the_image(image: &std::path::Path) {
    let container = Container::create(
        image,
        &["sh", "-c", "id -u; id -G; echo $HOME"],
        json!({ "user": "ann" }),
    );
    let attached = container.attach(None);
    container.ask(json!({ "op": "start" }));
    assert_eq!(
        String::from_utf8(attached.collect().stdout).unwrap(),
        "1000\n1000 10\n/home/ann\n"
    );
    container.join();
    let error = Container::try_create(image, &["true"], json!({ "user": "bob" }))
        .err()
        .expect("bob is unknown");
    assert_eq!(
        error["message"],
        "unable to find user bob: no matching entries in passwd file"
    );
}

fn stdin_reaches_the_program_and_ends(image: &std::path::Path) {
    let io = json!({ "terminal": false, "stdin": "once", "log": { "type": "none" } });
    let container = Container::create(image, &["cat"], json!({ "io": io }));
    let mut attached = container.attach(None);
    container.ask(json!({ "op": "start" }));
    let text: Vec<u8> = (0..300_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    // More than all buffers hold: somebody has to read meanwhile.
    let seen = std::thread::scope(|scope| {
        let mut writing = attached.try_clone();
        let text = &text;
        scope.spawn(move || {
            text.chunks(10_000).for_each(|chunk| writing.send(1, chunk));
            writing.send(0, br#"{"eof":"stdin"}"#);
        });
        attached.collect_from()
    });
    assert_eq!(seen.stdout, text);
    assert_eq!(seen.exit["code"], 0);
    drop(attached);
    container.join();
}

fn another_process_enters_and_dies_with_the_first(image: &std::path::Path) {
    let container = Container::create(image, &["sleep", "1000"], json!({}));
    container.ask(json!({ "op": "start" }));
    let process = |args: &[&str]| {
        json!({ "args": args, "cwd": "/", "env": ["PATH=/bin"], "user": { "uid": 0, "gid": 0 },
        "capabilities": { "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"] } })
    };
    let io = json!({ "terminal": false, "stdin": "closed", "log": { "type": "none" } });
    let ask = json!({ "op": "exec", "id": "one", "process": process(&["grep", "CapInh", "/proc/self/status"]), "io": io });
    assert_eq!(container.ask(ask), json!({ "ok": {} }));
    let attached = container.attach(Some("one"));
    assert_eq!(
        container.ask(json!({ "op": "start", "exec": "one" })),
        json!({ "ok": {} })
    );
    // CVE-2025-27612: nothing may be inheritable.
    assert_eq!(
        String::from_utf8(attached.collect().stdout).unwrap(),
        "CapInh:\t0000000000000000\n"
    );
    container.ask(
        json!({ "op": "exec", "id": "two", "process": process(&["sleep", "1000"]), "io": io }),
    );
    let attached = container.attach(Some("two"));
    container.ask(json!({ "op": "start", "exec": "two" }));
    assert_eq!(
        container.ask(json!({ "op": "delete" }))["error"]["code"],
        "FAILED_PRECONDITION"
    );
    container.delete();
    assert_eq!(attached.collect().exit["code"], 137);
    assert_eq!(container.state()["exit"]["signal"], "SIGKILL");
}

/// With every capability, CAP_MKNOD too: the device rules are what is left. 7 and 10:229 are loop devices and fuse.
fn devices_of_the_host_do_not_open(image: &std::path::Path) {
    let script = "for n in 'b 7 0' 'c 10 229' 'c 1 3'; do busybox mknod /dev/x $n; (: < /dev/x) && echo opened $n; busybox rm /dev/x; done";
    let container = Container::create(image, &["sh", "-c", script], json!({}));
    let attached = container.attach(None);
    container.ask(json!({ "op": "start" }));
    let seen = attached.collect();
    let said = String::from_utf8_lossy(&seen.stderr).into_owned();
    assert_eq!(
        String::from_utf8(seen.stdout).unwrap(),
        "opened c 1 3\n",
        "{said}"
    );
    assert_eq!(said.matches("Operation not permitted").count(), 2, "{said}");
    container.join();
}

fn a_lost_supervisor_s_container_is_ended(image: &std::path::Path) {
    let container = Container::create(image, &["sleep", "1000"], json!({}));
    container.ask(json!({ "op": "start" }));
    let pid = container.pid();
    container.kill_supervisor();
    assert_eq!(container.clean_up(), json!({ "ok": {} }));
    // Dead; who reaps it now is not ours to say.
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    assert!(status.is_empty() || status.contains(") Z "), "{status}");
    assert_eq!(
        (
            &container.state()["exit"]["code"],
            &container.state()["exit"]["error"]
        ),
        (&137.into(), &"monitor lost".into())
    );
    assert_eq!(container.clean_up(), json!({ "ok": {} }));
}
