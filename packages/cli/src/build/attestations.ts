import { RamekinError } from "@ramekin/core";
import { KeyValues } from "./key-values.ts";

export interface AttestationFlags {
  readonly attest: readonly string[];
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
}

/** Images are built without attestations: who asks for none gets what he asks for. */
export function refuseAttestations({ attest, provenance, sbom }: AttestationFlags): void {
  const wanted = attest.flatMap((text) => {
    const values = new KeyValues("attest", text);
    return values.boolean("disabled") ? [] : [`--attest ${text}`];
  });
  if (asks(provenance)) wanted.push(`--provenance=${provenance}`);
  if (asks(sbom)) wanted.push(`--sbom=${sbom}`);
  if (wanted.length === 0) return;
  throw new RamekinError("UNSUPPORTED", `${wanted.join(", ")}: images are built without attestations`, {
    hint: "leave it out, or make them afterwards: `ramekin referrers` shows what refers to an image",
  });
}

const asks = (text: string | undefined) =>
  text !== undefined && !/^(?:0|f|false)$/i.test(text) && !/(?:^|,)disabled=true(?:,|$)/.test(text);
