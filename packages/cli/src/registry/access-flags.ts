import type { Flags } from "../verb.ts";

/** How the registry of a command is spoken to, where that is not as configured; podman's. */
export const accessFlags = {
  authfile: { type: "string", value: "path", summary: "Look for the account in this file, and nowhere else", complete: "file" },
  "cert-dir": { type: "string", value: "path", summary: "Look for certificates in this folder, and nowhere else", complete: "file" },
  creds: { type: "string", value: "user[:password]", summary: "Account to use; everybody on this machine can see it here" },
  "tls-verify": { type: "boolean", default: null, summary: "Require HTTPS and verify certificates, or with =false neither" },
} as const satisfies Flags;
