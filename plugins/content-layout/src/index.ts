import { definePlugin, type PluginFactory } from "@ramekin/core";
import { tryLock } from "@ramekin/native";
import { layoutContent } from "./layout.ts";

export { type LayoutContentOptions, layoutContent } from "./layout.ts";
export type { Lock, TryLock } from "./lock.ts";

/** `root` is the image layout's directory; the plugin's own when absent. */
const contentLayout: PluginFactory<[options?: { readonly root?: string }]> = definePlugin((options = {}) => ({
  name: "content-layout",
  provides: {
    content: {
      layout: {
        create: (context) =>
          layoutContent({
            root: options.root ?? context.root,
            digester: (algorithm) => context.use("digester", { for: algorithm }),
            tryLock,
          }),
      },
    },
  },
}));
export default contentLayout;
