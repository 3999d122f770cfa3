import { definePlugin, type PluginFactory } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { linuxIsolation } from "./linux.ts";
import { probeLinux } from "./probe.ts";

export { type LinuxOptions, linuxIsolation } from "./linux.ts";

const linux: PluginFactory = definePlugin(() => ({
  name: "isolation-linux",
  provides: {
    isolation: {
      linux: {
        probe: probeLinux,
        async create({ runRoot }) {
          const [shim, launcher] = await Promise.all([nativeProgram("ramekin-shim"), nativeProgram("ramekin-launcher")]);
          return linuxIsolation({ directory: runRoot, shim, launcher });
        },
      },
    },
  },
}));
export default linux;
