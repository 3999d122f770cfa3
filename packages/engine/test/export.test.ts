import { expect, test } from "vitest";
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
