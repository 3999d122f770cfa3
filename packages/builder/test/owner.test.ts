import { expect, test } from "vitest";
import { findOwner } from "../src/owner.ts";
import { FilesInMemory } from "./doubles/files.ts";

const files = new FilesInMemory({
  "/etc/passwd": "chef:x:0:0\n# cook:x:1:1\nbroken\ncook:x:1000:1001:Cook:/home/cook:/bin/sh\n",
  "/real/group": "cook:x:1001:\nbakers:x:1002:cook\n",
  "/etc/group": "->/real/group",
});

test.each([
  ["5", "5:5"],
  ["1000", "1000:1000"],
  ["5:6", "5:6"],
  [":6", "0:6"],
  ["cook", "1000:1001"],
  ["cook:", "1000:0"],
  ["cook:bakers", "1000:1002"],
  ["5:bakers", "5:1002"],
  ["root", "0:0"],
  ["root:root", "0:0"],
])("%s owns as %s", async (text, owner) => {
  expect(await findOwner(files, text)).toBe(owner);
});

test("a name that nothing lists is refused, or root's if so asked", async () => {
  const message = "unable to find user stranger: no matching entries in passwd file";
  await expect(findOwner(files, "stranger")).rejects.toMatchObject({ code: "NOT_FOUND", message });
  await expect(findOwner(files, "5:strangers")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(findOwner(new FilesInMemory(), "cook")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(findOwner(files, "2147483648")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await findOwner(files, "stranger", { unknown: "root" })).toBe("0:0");
  expect(await findOwner(new FilesInMemory({ "/etc/passwd/": "" }), "cook", { unknown: "root" })).toBe("0:0");
});
