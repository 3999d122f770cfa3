import { expect, test } from "vitest";
import { isRamekinError, RamekinError } from "../src/index.ts";

test("an error carries code, hint, cause and all violations", () => {
  const cause = new Error("disk");
  const inner = new RamekinError("INVALID_ARGUMENT", "bad digest");
  const error = new RamekinError("DATA_LOSS", "blob sha256:1 is corrupt", { cause, hint: "pull it again", errors: [inner] });
  expect(error.code).toBe("DATA_LOSS");
  expect(error.hint).toBe("pull it again");
  expect(error.cause).toBe(cause);
  expect(error.errors).toEqual([inner]);
});

test("an error is known by name and code, whichever copy of the package made it", () => {
  const foreign = Object.assign(new Error("no snapshot a"), { name: "RamekinError", code: "NOT_FOUND" });
  expect(isRamekinError(foreign)).toBe(true);
  expect(isRamekinError(foreign, "NOT_FOUND")).toBe(true);
  expect(isRamekinError(foreign, "ABORTED")).toBe(false);
  expect(isRamekinError(new Error("no"))).toBe(false);
});
