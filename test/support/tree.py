"""`make SEED FOLDER` fills an empty folder with a random tree, the same for the same seed; `change SEED FOLDER` alters such a tree, the same way wherever it is; `list FOLDER` prints all that a tar can carry of it, an entry a line."""

import hashlib, json, os, random, shutil, stat, sys


def make(seed, root):
    rng = random.Random(seed)
    directories, files, entries = [root], [], []

    def name():
        kind = rng.randrange(8)
        if kind == 0:  # any bytes but the two that no name has
            return bytes(rng.choice([c for c in range(1, 256) if c != 0x2F]) for _ in range(rng.randrange(1, 40)))
        if kind == 1:
            return b"long-" + bytes(rng.choice(b"abcdefgh") for _ in range(rng.randrange(90, 240)))
        if kind == 2:
            return rng.choice(["smörgås", "寿司", "🍮", "a b", "new\nline", "-rf", "back\\slash", "=", "%s", "..."]).encode() + b"%d" % rng.randrange(99)
        return b"%x" % rng.randrange(1 << 24)

    def fresh():
        while True:
            # Names of whiteouts cannot be in a layer (OCI image spec, layer.md).
            path = os.path.join(rng.choice(directories), name())
            if not os.path.lexists(path) and not os.path.basename(path).startswith(b".wh.") and os.path.basename(path) not in (b".", b".."):
                return path

    deep = root
    for _ in range(rng.randrange(3, 9)):
        deep = os.path.join(deep, b"deep" * 40)
        os.mkdir(deep)
        directories.append(deep)
        entries.append(deep)
    for _ in range(rng.randrange(60, 120)):
        path, kind = fresh(), rng.randrange(12)
        if kind < 3:
            os.mkdir(path)
            directories.append(path)
        elif kind < 7:
            with open(path, "wb") as file:
                file.write(rng.randbytes(rng.choice([0, 1, 511, 512, 513, 4096, 70_000])))
            files.append(path)
        elif kind == 7:  # holes at the beginning, in the middle, at the end
            with open(path, "wb") as file:
                for _ in range(rng.randrange(0, 12)):
                    file.seek(rng.randrange(1, 64) * 65536, os.SEEK_CUR)
                    file.write(rng.randbytes(rng.randrange(1, 5000)))
                file.truncate(file.tell() + rng.choice([0, 1 << 20]))
            files.append(path)
        elif kind == 8 and files:
            os.link(rng.choice(files), path)
            continue
        elif kind == 9:
            os.symlink(rng.choice([b"target", b"/absolute/" + b"x" * 150, b"../../..", b"\xff\xfe", name()]), path)
        elif kind == 10:
            if rng.randrange(2):
                os.mkfifo(path)
            else:
                os.mknod(path, rng.choice([stat.S_IFCHR, stat.S_IFBLK]) | 0o600, os.makedev(rng.randrange(1, 4095), rng.randrange(1, 1 << 20)))
        else:
            with open(path, "wb") as file:
                file.write(b"#!/bin/sh\n")
            files.append(path)
        entries.append(path)
    for path in entries:
        link = os.path.islink(path)
        os.lchown(path, rng.choice([0, 1000, 2097151, 2097152, 4_000_000_000]), rng.choice([0, 1001, 3_000_000, 4_294_967_000]))
        if not link:
            os.chmod(path, rng.choice([0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o000, 0o7777]))
        plain = os.path.isfile(path) and not link
        if plain or os.path.isdir(path) and not link:
            for _ in range(rng.randrange(3)):  # none that is empty: in a PAX header that means there is none (POSIX.1-2017, pax)
                os.setxattr(path, b"user." + rng.choice([b"a", b"some.name", b"\xc3\xb6"]), rng.randbytes(rng.choice([1, 2, 300])))
            if rng.randrange(6) == 0:
                os.setxattr(path, b"trusted.t", b"\x00\xff=\n")
        if plain and rng.randrange(3) == 0:  # file capabilities, version 2: cap_net_raw, effective
            os.setxattr(path, b"security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
    for path in sorted(entries + [root], key=len, reverse=True):  # what lies inside first: making it touches the directory
        seconds = rng.choice([0, 1, -1, -86400 * 365 * 20, 1_700_000_000, 2**31, 2**33, rng.randrange(2**31)])
        os.utime(path, ns=(0, seconds * 10**9 + rng.choice([0, 1, 123_456_789, 999_999_999])), follow_symlinks=False)


def change(seed, root):
    """Removals, replacements by other kinds, new contents, and changes of nothing but mode, owner, time or attributes."""
    rng = random.Random(seed)
    found = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        found += [os.path.join(folder, name) for name in sorted(folders + files)]
    # A file of several names is one no more once overlayfs has copied it up: each of these is left alone or removed, even the last.
    several = {path for path in found if not stat.S_ISDIR(os.lstat(path).st_mode) and os.lstat(path).st_nlink > 1}
    touched = set()
    for path in rng.sample(found, len(found) // 3):
        if not os.path.lexists(path):
            continue
        info, kind = os.lstat(path), rng.randrange(6)
        directory, regular = stat.S_ISDIR(info.st_mode), stat.S_ISREG(info.st_mode)
        if directory and kind < 3 and sum(len(folders) + len(files) for _, folders, files in os.walk(path)) > 6:
            kind += 3  # not half of the tree at once
        if kind in (1, 2):
            touched.add(os.path.dirname(path))
        if kind == 0 or path in several:
            touched.add(os.path.dirname(path))
            shutil.rmtree(path) if directory else os.unlink(path)
        elif kind == 1:  # by something of another kind, of the same name
            shutil.rmtree(path) if directory else os.unlink(path)
            if directory:
                os.symlink(b"was/a/directory", path)
            else:
                os.mkdir(path)
                with open(os.path.join(path, b"inside"), "wb") as file:
                    file.write(b"new\n")
            touched.update([path, os.path.join(path, b"inside")])
        elif kind == 2 and directory:  # all that was in it goes, and comes anew
            shutil.rmtree(path)
            os.mkdir(path, 0o750)
            with open(os.path.join(path, b"fresh"), "wb") as file:
                file.write(rng.randbytes(3000))
            os.link(os.path.join(path, b"fresh"), os.path.join(os.path.dirname(path), os.path.basename(path)[:200] + b"-link"))
            touched.update([path, os.path.join(path, b"fresh")])
        elif kind == 2 and regular:
            with open(path, "ab") as file:
                file.write(rng.randbytes(100))
            touched.add(path)
        elif kind == 3 and not stat.S_ISLNK(info.st_mode):
            os.chmod(path, rng.choice([0o640, 0o711, 0o4711]))
            touched.add(path)
        elif kind == 4:
            os.lchown(path, 3_000_000_000, 2_097_153)
            touched.add(path)
        elif directory or regular:
            os.setxattr(path, b"user.changed", rng.randbytes(50))
            for key in os.listxattr(path):
                if key in ("user.a", "security.capability"):
                    os.removexattr(path, os.fsencode(key))
            touched.add(path)
    for path in sorted(touched, key=lambda path: (len(path), path), reverse=True):
        if os.path.lexists(path):
            os.utime(path, ns=(0, rng.choice([-86400, 1_600_000_000]) * 10**9 + 7), follow_symlinks=False)


def listing(root):
    seen = {}

    def show(path):
        info = os.lstat(path)
        entry = {
            "path": os.path.relpath(path, root).hex(),
            "mode": oct(info.st_mode),
            "owner": [info.st_uid, info.st_gid],
            "mtime": info.st_mtime_ns,
        }
        if not stat.S_ISDIR(info.st_mode):
            entry["same"] = seen.setdefault((info.st_dev, info.st_ino), entry["path"])  # the first name of a file with several
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                entry["content"] = [info.st_size, hashlib.sha256(file.read()).hexdigest()]
        elif stat.S_ISLNK(info.st_mode):
            entry["target"] = os.readlink(path).hex()
        elif stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
            entry["device"] = [os.major(info.st_rdev), os.minor(info.st_rdev)]
        if not stat.S_ISLNK(info.st_mode):
            entry["xattrs"] = {key: os.getxattr(path, os.fsencode(key)).hex() for key in sorted(os.listxattr(path))}
        print(json.dumps(entry, sort_keys=True))
        if stat.S_ISDIR(info.st_mode):
            for child in sorted(os.listdir(path)):
                show(os.path.join(path, child))

    show(root)


if sys.argv[1] in ("make", "change"):
    {"make": make, "change": change}[sys.argv[1]](int(sys.argv[2]), os.fsencode(sys.argv[3]))
else:
    listing(os.fsencode(sys.argv[2]))
