import { rootlessUserns } from "@ramekin/native";
import type { ShimOptions } from "./backend.ts";

/** Without root, the supervisor starts in a user namespace with the caller's own maps; with it, in none. */
export function supervisorUserns(): Pick<ShimOptions, "userns"> {
  return process.geteuid?.() === 0 ? {} : { userns: rootlessUserns() };
}
