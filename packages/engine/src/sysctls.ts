import { RamekinError } from "@ramekin/core";

/** Those that have a namespace: setting any other would change the host (sysctl(8), runc's validate.go). */
const ofIpc = ["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni"];

export interface SysctlNamespaces {
  readonly network: "private" | "other";
  readonly ipc: "private" | "other";
}

/** INVALID_ARGUMENT for a setting that is not the container's own. */
export function checkSysctl(name: string, namespaces: SysctlNamespaces): void {
  const dotted = name.replaceAll("/", ".");
  const isIpc = ofIpc.includes(dotted) || dotted === "kernel.shm_rmid_forced" || dotted.startsWith("fs.mqueue.");
  const isNetwork = dotted.startsWith("net.");
  if (!isIpc && !isNetwork) {
    throw new RamekinError("INVALID_ARGUMENT", `sysctl ${name} is not allowed: it has no namespace and would change the host`, {
      hint: "net.*, fs.mqueue.* and the kernel's of System V IPC can be set",
    });
  }
  const kind = isIpc ? "ipc" : "network";
  if (namespaces[kind] === "other") {
    throw new RamekinError("INVALID_ARGUMENT", `sysctl ${name} is not allowed: the ${kind} namespace is not the container's own`, {
      hint: `leave out --${kind}, or the setting`,
    });
  }
}
