import { describe, expect, test } from "vitest";
import { parseMount, parseTmpfs, parseVolume } from "../src/container/mounts.ts";

const here = "/home/me";
const volume = (text: string) => parseVolume(text, here);
const mount = (text: string) => parseMount(text, here);

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

  test("[run --volume] refuses names of volumes with a hint", () => {
    expect(() => volume("data:/b")).toThrow("data names a volume");
    expect(() => volume("/data")).toThrow("anonymous volume");
    expect(() => volume(".hidden:/b")).toThrow("names a volume");
  });

  test("[run --volume] says what is wrong with the rest", () => {
    expect(() => volume("/a:/b:ro:x")).toThrow("too many parts");
    expect(() => volume("/a:/b:nope")).toThrow("unknown option: nope");
    expect(() => volume("/a:b")).toThrow("the target b is not absolute");
    expect(() => volume("/a:/")).toThrow("the root directory");
    expect(() => volume(":/b")).toThrow("no source");
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
    expect(() => mount("type=volume,source=x,target=/b")).toThrow("asks for a volume");
    expect(() => mount("source=x,target=/b")).toThrow("asks for a volume");
    expect(() => mount("type=npipe,source=x,target=/b")).toThrow("the type npipe");
    expect(() => mount("type=bind,target=/b")).toThrow("no source");
    expect(() => mount("type=bind,source=/a")).toThrow("no target");
    expect(() => mount("type=bind,source=/a,target=/b,ro=perhaps")).toThrow("readonly is neither true nor false: perhaps");
    expect(() => mount("type=bind,source=/a,target=/b,bind-propagation=up")).toThrow("unknown propagation: up");
    expect(() => mount("type=bind,source=/a,target=/b,bind-recursive=maybe")).toThrow("bind-recursive: maybe");
    expect(() => mount("type=bind,source=/a,target=/b,bind-recursive=readonly")).toThrow("needs readonly");
    expect(() => mount("type=tmpfs,target=/t,tmpfs-mode=rwx")).toThrow("not an octal mode: rwx");
    expect(() => mount("type=bind,,target=/b")).toThrow("an empty field");
  });
});

test("[run --tmpfs] [create --tmpfs] takes options as mount(8) does", () => {
  expect(parseTmpfs("/run")).toEqual({ type: "tmpfs", target: "/run" });
  expect(parseTmpfs("/run:rw,exec,size=65536k,mode=755")).toEqual({
    type: "tmpfs",
    target: "/run",
    size: 64 << 20,
    mode: 0o755,
    options: ["rw", "exec"],
  });
  expect(parseTmpfs("/run:size=10%").options).toEqual(["size=10%"]);
  expect(() => parseTmpfs("run")).toThrow("not absolute");
});
