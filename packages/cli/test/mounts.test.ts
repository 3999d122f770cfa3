import { describe, expect, test } from "vitest";
import { readMount } from "../src/container/mount-fields.ts";
import { parseTmpfs, parseVolume, parseVolumesFrom } from "../src/container/mounts.ts";
import { parseSecret } from "../src/container/secrets.ts";

const here = "/home/me";
const volume = (text: string) => parseVolume(text, here);
const mount = (text: string) => readMount(text, here);

describe("[run --volume] [create --volume]", () => {
  test("[run --volume] [create --volume] reads source, target and options", () => {
    expect(volume("/a:/b")).toEqual({ type: "bind", source: "/a", target: "/b", createSource: true, readOnly: false });
    expect(volume("./src:/src:ro,rslave")).toEqual({
      type: "bind",
      source: "/home/me/src",
      target: "/src",
      createSource: true,
      readOnly: true,
      propagation: "rslave",
    });
    expect(volume(".:/b:rw,z,cached").source).toBe(here);
    expect(volume("../x:/b").source).toBe("/home/x");
  });

  test("[run --volume] names of volumes, and volumes without a name", () => {
    expect(volume("data:/b")).toEqual({ type: "volume", source: "data", target: "/b" });
    expect(volume("/data")).toEqual({ type: "volume", target: "/data" });
    expect(volume("data:/b:ro,nocopy,z,noexec")).toEqual({
      type: "volume",
      source: "data",
      target: "/b",
      readOnly: true,
      noCopy: true,
      options: ["noexec"],
    });
    expect(parseVolume("data:/b", here, "cloud")).toMatchObject({ driver: "cloud" });
    expect(volume("/a:/b:U,O")).toMatchObject({ chown: true, overlay: true });
    expect(() => volume("/a:/b:O,ro")).toThrow("kept apart, ro allows none".replace("kept", "keeps what is written"));
    expect([volume("a:/b:idmap"), volume("/a:/b:idmap")]).toMatchObject([{ idmap: true }, { idmap: true }]);
    expect(() => volume("a:/b:idmap=uids=0-1-1")).toThrow("only the container's own map");
  });

  test("[run --volume] says what is wrong with the rest", () => {
    expect(() => volume("/a:/b:ro:x")).toThrow("too many parts");
    expect(() => volume("/a:/b:nope")).toThrow("invalid mode: nope");
    expect(() => volume("/a:b")).toThrow("the target b is not absolute");
    expect(() => volume("/a:/")).toThrow("the root directory");
    expect(() => volume(":/b")).toThrow("invalid volume specification");
  });
});

describe("--mount", () => {
  test("[run --mount] [create --mount] type=bind, with every key of Docker's and its other spellings", () => {
    expect(mount("type=bind,source=/a,target=/b")).toEqual({
      type: "bind",
      source: "/a",
      target: "/b",
      readOnly: false,
      createSource: false,
    });
    expect(
      mount("type=bind,src=data,dst=/b,ro,consistency=cached,bind-propagation=shared,bind-create-src=true,bind-recursive=disabled"),
    ).toEqual({
      type: "bind",
      source: "/home/me/data",
      target: "/b",
      readOnly: true,
      createSource: true,
      propagation: "shared",
      recursive: "disabled",
    });
    expect(mount('type=bind,"source=/a,b",destination=/c,readonly=false')).toMatchObject({ source: "/a,b", target: "/c", readOnly: false });
    expect(mount("type=bind,source=/a,target=/b,bind-recursive=enabled")).not.toHaveProperty("recursive");
  });

  test("[run --mount] [create --mount] type=tmpfs, with every key of Docker's", () => {
    expect(mount("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770,readonly")).toEqual({
      type: "tmpfs",
      target: "/t",
      size: 64 << 20,
      mode: 0o1770,
      options: ["ro"],
    });
    expect(mount("type=tmpfs,dst=/t")).toEqual({ type: "tmpfs", target: "/t" });
  });

  test("[run --mount] refuses what it does not know by name", () => {
    expect(() => mount("type=bind,source=/a,target=/b,colour=red")).toThrow("a key that type=bind does not know: colour");
    expect(() => mount("type=tmpfs,target=/t,source=/a")).toThrow("a key that type=tmpfs does not know: source");
    expect(() => mount("type=npipe,source=x,target=/b")).toThrow("for Windows only");
    expect(() => mount("type=cloud,target=/b")).toThrow("unknown type: cloud");
    expect(() => mount("type=bind,target=/b")).toThrow("no source");
    expect(() => mount("type=bind,source=/a")).toThrow("no target");
    expect(() => mount("type=bind,source=/a,target=/b,ro=perhaps")).toThrow("readonly is neither true nor false: perhaps");
    expect(() => mount("type=bind,source=/a,target=/b,bind-propagation=up")).toThrow("unknown propagation: up");
    expect(() => mount("type=bind,source=/a,target=/b,bind-recursive=maybe")).toThrow("bind-recursive: maybe");
    expect(() => mount("type=bind,source=/a,target=/b,bind-recursive=readonly")).toThrow("needs readonly");
    expect(() => mount("type=tmpfs,target=/t,tmpfs-mode=rwx")).toThrow("not an octal mode: rwx");
    expect(() => mount("type=bind,,target=/b")).toThrow("an empty field");
  });

  test("[run --mount] [create --mount] volumes, images and the rest, with their keys", () => {
    expect(
      mount("source=x,target=/b,volume-nocopy,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-label=a=b,volume-subpath=s"),
    ).toEqual({
      type: "volume",
      source: "x",
      target: "/b",
      noCopy: true,
      subpath: "s",
      labels: { a: "b" },
      driverOptions: { type: "tmpfs", device: "tmpfs" },
    });
    expect(mount("target=/b")).toEqual({ type: "volume", target: "/b" });
    expect(mount("type=image,source=busybox,target=/i,image-subpath=etc")).toEqual({
      type: "image",
      source: "busybox",
      target: "/i",
      subpath: "etc",
    });
    expect(mount("type=image,source=busybox,target=/i,rw=true")).toMatchObject({ writable: true });
    expect(mount("type=devpts,target=/p,gid=5,mode=620,max=8")).toEqual({ type: "devpts", target: "/p", gid: 5, mode: 0o620, max: 8 });
    expect(mount("type=ramfs,target=/r")).toEqual({ type: "tmpfs", target: "/r", ramfs: true });
  });

  test("[run --mount] tells all that is wrong with one", () => {
    expect(() => mount("type=bind,target=b,colour=red,bind-propagation=up")).toThrow("4 things are wrong");
  });
});

test("[run --tmpfs] [create --tmpfs] takes options as mount(8) does", () => {
  expect(parseTmpfs("/run")).toEqual({ type: "tmpfs", target: "/run", words: "" });
  expect(parseTmpfs("/run:rw,exec,size=65536k,mode=755")).toEqual({
    type: "tmpfs",
    target: "/run",
    size: 64 << 20,
    mode: 0o755,
    options: ["rw", "exec"],
    words: "rw,exec,size=65536k,mode=755",
  });
  expect(parseTmpfs("/run:size=10%").options).toEqual(["size=10%"]);
  expect(() => parseTmpfs("run")).toThrow("not absolute");
});

describe("[run --volumes-from] [create --volumes-from]", () => {
  test("[run --volumes-from] [create --volumes-from] a container and how", () => {
    expect(parseVolumesFrom("web")).toEqual({ container: "web" });
    expect(parseVolumesFrom("web:ro")).toEqual({ container: "web", readOnly: true });
    expect(parseVolumesFrom("web:rw,z")).toEqual({ container: "web", readOnly: false });
    expect(() => parseVolumesFrom("web:x")).toThrow("invalid mode: x");
  });
});

describe("[run --secret] [create --secret]", () => {
  test("[run --secret] [create --secret] where it goes", () => {
    expect(parseSecret("db")).toEqual({ type: "mount", secret: "db" });
    expect(parseSecret("db,target=pass,uid=1,gid=2,mode=0400")).toEqual({
      type: "mount",
      secret: "db",
      target: "pass",
      uid: 1,
      gid: 2,
      mode: 0o400,
    });
    expect(parseSecret("source=db,type=env,target=PASSWORD")).toEqual({ type: "env", secret: "db", target: "PASSWORD" });
    for (const bad of ["", "db,type=file", "db,colour=red", "db,type=env,mode=0400", "db,uid=me"]) expect(() => parseSecret(bad)).toThrow();
  });
});
