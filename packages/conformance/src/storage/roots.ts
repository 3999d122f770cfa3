import type { StorageDriver } from "@ramekin/core";
import type { Case } from "../suite.ts";
export const rootCases: readonly Case<StorageDriver>[] = [];
