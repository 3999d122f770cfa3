import { RamekinError } from "@ramekin/core";

/** Docker's, until 29: its signatures are those of Notary v1, which is no more. */
export const contentTrustFlag = { type: "boolean", default: true, summary: "Do not ask for signatures of Docker Content Trust" } as const;

export function refuseContentTrust({ "disable-content-trust": disabled }: { readonly "disable-content-trust": boolean }): void {
  if (disabled) return;
  throw new RamekinError("UNSUPPORTED", "--disable-content-trust=false: signatures of Docker Content Trust cannot be verified or made", {
    hint: "its servers are being closed, and Docker 29 has dropped it; name the image by digest, so that it cannot be another",
  });
}
