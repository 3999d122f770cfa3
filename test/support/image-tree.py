"""`BASE NAME IMAGES…`: OCI layouts (folders) and docker archives (tars); prints as JSON for each image in them, by name, its configuration
and what its layers make of the tree of the image NAME in the layout BASE, as Python's tarfile reads them: the judge of trees."""

import gzip, hashlib, io, json, os, sys, tarfile


def clean(path):
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def drop(tree, path, itself=True):
    below = path.rstrip("/") + "/"
    for known in [known for known in tree if known.startswith(below) or itself and known == path]:
        del tree[known]


def put(tree, path, entry):
    old = tree.get(path)
    if old is not None and old["type"] == "directory" and entry["type"] != "directory":
        drop(tree, path)
    tree[path] = entry


kinds = [("isdir", "directory"), ("issym", "symlink"), ("isfifo", "fifo"), ("ischr", "char"), ("isblk", "block"), ("isfile", "file")]


def describe(member, archive):
    entry = {"type": next(name for test, name in kinds if getattr(member, test)()), "owner": f"{member.uid}:{member.gid}"}
    if entry["type"] != "symlink":
        entry["mode"] = oct(member.mode & 0o7777)[2:]
    if member.mtime < 1_750_000_000 and entry["type"] == "file":  # not of this build: what a copy keeps
        entry["time"] = int(member.mtime)
    if entry["type"] == "symlink":
        entry["target"] = member.linkname
    if entry["type"] in ("char", "block"):
        entry["device"] = [member.devmajor, member.devminor]
    if entry["type"] == "file":
        content = archive.extractfile(member).read()
        entry["size"] = len(content)
        text = content.decode("utf-8", "replace")
        entry["content"] = text if len(content) <= 120 and text.encode() == content else hashlib.sha256(content).hexdigest()
    xattrs = {key[13:]: value.encode("utf-8", "surrogateescape").hex() for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")}
    if xattrs:
        entry["xattrs"] = xattrs
    return entry


def read(layer):
    """What a layer says: (path, hard link to, entry); an image's base is most of it, and read once."""
    with tarfile.open(fileobj=io.BytesIO(unpacked(layer()))) as archive:
        return [
            (clean(member.name), clean(member.linkname), None) if member.islnk() else (clean(member.name), None, describe(member, archive))
            for member in archive.getmembers()
        ]


def apply(tree, layer):
    """Whiteouts concern the layers below, whatever their place among the entries (OCI image spec, layer.md)."""
    for path, _, _ in layer:
        folder, name = os.path.split(path)
        if name == ".wh..wh..opq":
            drop(tree, folder, itself=False)
        elif name.startswith(".wh.") and not name.startswith(".wh..wh."):
            drop(tree, clean(f"{folder}/{name[4:]}"))
    for path, link, entry in layer:
        if os.path.basename(path).startswith(".wh.") or path == "/":
            continue
        if link is not None:
            entry = tree.get(link)
            if entry is None:
                raise SystemExit(f"a hard link to nothing: {path} -> {link}")
        put(tree, path, entry)


known = {}


def tree_of(layers):
    tree = {}
    for digest, layer in layers:
        if digest not in known:
            known[digest] = read(layer)
        apply(tree, known[digest])
    return tree


def changes(tree, base):
    names = {}
    for path in sorted(tree):
        names.setdefault(id(tree[path]), []).append(path)
    found = {}
    for path in sorted(set(tree) | set(base)):
        if path not in tree:
            if os.path.dirname(path) in tree or os.path.dirname(path) == "/":
                found[path] = {"type": "gone"}
        elif tree[path] != base.get(path):
            first = names[id(tree[path])][0]
            found[path] = tree[path] if first == path else {"same": first}
    return found


def unpacked(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def layout(folder):
    def blob(digest):
        with open(os.path.join(folder, "blobs", digest.replace(":", "/")), "rb") as file:
            return file.read()

    with open(os.path.join(folder, "index.json"), "rb") as file:
        entries = json.load(file)["manifests"]
    for entry in entries:
        manifest = json.loads(blob(entry["digest"]))
        while "manifests" in manifest:
            manifest = json.loads(blob(manifest["manifests"][0]["digest"]))
        names = entry.get("annotations", {})
        name = names.get("io.containerd.image.name") or names.get("org.opencontainers.image.ref.name") or ""
        layers = [(layer["digest"], lambda digest=layer["digest"]: blob(digest)) for layer in manifest.get("layers") or []]
        if name != "":
            yield name, json.loads(blob(manifest["config"]["digest"])), layers


def docker_archive(path):
    with tarfile.open(path) as archive:

        def content(name):
            member = archive.getmember(name)
            while member.issym():
                member = archive.getmember(os.path.normpath(os.path.join(os.path.dirname(member.name), member.linkname)))
            return archive.extractfile(member).read()

        for entry in json.loads(content("manifest.json")):
            config = json.loads(content(entry["Config"]))
            layers = [(digest, lambda path=path: content(path)) for digest, path in zip(config["rootfs"].get("diff_ids") or [], entry["Layers"] or [])]
            for name in entry["RepoTags"] or []:
                yield name, config, layers


def images(path):
    return layout(path) if os.path.isdir(path) else docker_archive(path)


base_path, base_name, *paths = sys.argv[1:]
base = next(tree_of(layers) for name, _, layers in images(base_path) if name == base_name)
answer = {}
for path in paths:
    for name, config, layers in images(path):
        tree = tree_of(layers)
        answer[name] = {"config": config, "tree": changes(tree, base if "/bin/busybox" in tree else {})}
json.dump(answer, sys.stdout)
