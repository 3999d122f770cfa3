import type { Change } from "@ramekin/core";

/** As `docker diff` writes them. */
export const letters: Readonly<Record<Change["kind"], string>> = { added: "A", modified: "C", deleted: "D" };
