import { lookAt, packTree, unpackInto } from "@ramekin/native";
import type { HostFiles } from "./api.ts";

/** See `HostFiles`. */
export const hostFiles: HostFiles = {
  look: (path, options) => lookAt({ directory: "/" }, path, { ...options, own: true }),
  copyFrom: (path, options) => packTree({ directory: "/" }, path, { ...options, own: true }),
  copyTo: (path, tar, { keepOwners = false, signal } = {}) =>
    unpackInto({ directory: "/" }, path, tar, { signal, own: true, ignoreOwnership: !keepOwners }),
};
