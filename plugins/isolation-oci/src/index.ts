import { definePlugin, isRamekinError, type PluginFactory, RamekinError, type Support } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { supervisorUserns } from "@ramekin/shim";
import { ociIsolation } from "./oci.ts";
import { findRuntime, knownRuntimes } from "./runtime.ts";

export { type OciOptions, ociIsolation } from "./oci.ts";
export { findRuntime, knownRuntimes, type Runtime, type RuntimeSearch } from "./runtime.ts";

export interface OciPluginOptions {
  /** A path, or a name to look for in PATH; else RAMEKIN_OCI_RUNTIME, else the first known one that works here. */
  readonly runtime?: string;
}

const hint = `install one of ${knownRuntimes.join(", ")}, or set RAMEKIN_OCI_RUNTIME to the path of another`;

const oci: PluginFactory<[OciPluginOptions?]> = definePlugin((options: OciPluginOptions = {}) => {
  const search = () => findRuntime({ runtime: options.runtime ?? process.env["RAMEKIN_OCI_RUNTIME"], path: process.env["PATH"] ?? "" });
  const chosen = (name: string) => {
    const runtime = findRuntime({ runtime: name, path: process.env["PATH"] ?? "" });
    if (!runtime.ok) throw new RamekinError("NOT_FOUND", `unknown or invalid runtime: ${runtime.reason}`, { hint });
    return runtime.path;
  };
  return {
    name: "isolation-oci",
    provides: {
      isolation: {
        oci: {
          probe(): Support {
            const runtime = search();
            if (!runtime.ok) return { ...runtime, hint };
            try {
              nativeProgram("ramekin-shim");
            } catch (error) {
              if (!isRamekinError(error)) throw error;
              return { ok: false, reason: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
            }
            return { ok: true, rank: 5 };
          },
          create({ runRoot }) {
            const runtime = search();
            if (!runtime.ok) throw new RamekinError("UNSUPPORTED", `no OCI runtime: ${runtime.reason}`, { hint });
            return ociIsolation({
              directory: runRoot,
              shim: nativeProgram("ramekin-shim"),
              runtime: runtime.path,
              findRuntime: chosen,
              ...supervisorUserns(),
            });
          },
        },
      },
    },
  };
});
export default oci;
