import { definePlugin, type PluginFactory } from "@ramekin/core";
import { nativeProgram } from "@ramekin/native";
import { supervisorUserns } from "@ramekin/shim";
import { linuxIsolation } from "./linux.ts";
import { probeLinux } from "./probe.ts";

export { type LinuxOptions, linuxIsolation } from "./linux.ts";

const linux: PluginFactory = definePlugin(() => ({
  name: "isolation-linux",
  provides: {
    isolation: {
      linux: {
        probe: probeLinux,
        create({ runRoot }) {
          const [shim, launcher] = [nativeProgram("ramekin-shim"), nativeProgram("ramekin-launcher")];
          return linuxIsolation({ directory: runRoot, shim, launcher, ...supervisorUserns() });
        },
      },
    },
  },
}));
export default linux;
