import { tmpdir } from "node:os";
import { directoryBed } from "@ramekin/conformance";
import type { StorageDriver } from "@ramekin/core";
import { probeFilesystem } from "@ramekin/native";
import { overlayStorage } from "../src/index.ts";

export const bed = await directoryBed<StorageDriver>("storage-overlayfs", overlayStorage, new URL("./serve.ts", import.meta.url));

const { lowerdirPlus } = await probeFilesystem(tmpdir());
export const skip: Record<string, string> = lowerdirPlus
  ? {}
  : { "a stack of 500 layers": "no lowerdir+ here (Linux 6.7): the names of 500 layers exceed a page" };
