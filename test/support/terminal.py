"""Drives a command in a pseudo-terminal. Reads one JSON object from stdin:
{"argv": [...], "rows": 24, "columns": 80, "timeout": 20, "steps": [{"expect": "regex"}, {"send": "text"}, {"resize": [rows, columns]}, {"signal": 15}, {"close": true}]}
Writes one: {"output": "...", "code": 0, "failed": "the step that did not come"}. The code is 128 + n when a signal ended it.
"""
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time

request = json.load(sys.stdin)
timeout = request.get("timeout", 20)


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    resize(0, request.get("rows", 24), request.get("columns", 80))
    try:
        os.execvpe(request["argv"][0], request["argv"], {**os.environ, **request.get("env", {})})
    finally:
        os._exit(127)

raw = ""
position = 0
over = False


def text():
    """What a person would read: without colours, cursor movements and modes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw)



def read(deadline):
    global raw, over
    ready, _, _ = select.select([terminal], [], [], max(0, min(0.2, deadline - time.time())))
    if not ready:
        return
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    if not data:
        over = True
    raw += data.decode("utf-8", "replace")


def expect(pattern):
    global position
    deadline = time.time() + timeout
    while True:
        found = re.compile(pattern).search(text(), position)
        if found:
            position = found.end()
            return True
        if over or time.time() > deadline:
            return False
        read(deadline)


failed = None
for step in request.get("steps", []):
    if "expect" in step:
        if not expect(step["expect"]):
            failed = step["expect"]
            break
    elif "send" in step:
        os.write(terminal, step["send"].encode())
    elif "resize" in step:
        resize(terminal, *step["resize"])
    elif "signal" in step:
        os.kill(pid, step["signal"])
    elif "close" in step:
        os.close(terminal)
        over = True

deadline = time.time() + timeout
while not over and time.time() < deadline and failed is None:
    read(deadline)
status = None
while status is None:
    done, code = os.waitpid(pid, os.WNOHANG)
    if done:
        status = os.waitstatus_to_exitcode(code)
    elif time.time() > deadline or failed is not None:
        os.kill(pid, signal.SIGKILL)
        failed = failed or "its end"
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    else:
        time.sleep(0.02)
json.dump({"output": text(), "code": status if status >= 0 else 128 - status, "failed": failed}, sys.stdout)
