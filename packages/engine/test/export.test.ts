import { expect, test } from "vitest";
import { withoutTargets } from "../src/container-changes.ts";
import { readOnly } from "../src/export.ts";

test("what is written to is read without its upper and work directories being taken", () => {
  const options = ["lowerdir=/b:/a", "upperdir=/c", "workdir=/w", "index=off", "volatile"];
  expect(readOnly({ type: "overlay", source: "overlay", options })).toEqual({
    type: "overlay",
    source: "overlay",
    options: ["lowerdir=/c:/b:/a", "index=off", "ro"],
  });
  const bind = { type: "bind", source: "/a", options: ["rbind", "rw"] };
  expect(readOnly(bind)).toBe(bind);
});

test("mount targets are no changes, nor the directories that were made or changed for them", () => {
  const added = (path: string) => ({ path, kind: "added" as const });
  const modified = (path: string) => ({ path, kind: "modified" as const });
  const all = [
    modified("/etc"),
    added("/etc/hosts"),
    added("/mnt"),
    added("/mnt/data"),
    modified("/var"),
    added("/var/a"),
    added("/var/b"),
  ];
  expect(withoutTargets(all, ["/etc/hosts", "/mnt/data", "/var/a"])).toEqual([modified("/var"), added("/var/b")]);
  expect(withoutTargets([modified("/etc"), modified("/etc/hosts")], ["/etc/hosts"])).toHaveLength(2);
});
