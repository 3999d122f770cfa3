import { definePlugin, type PluginFactory } from "@ramekin/core";
import { layoutContent } from "./layout.ts";
import { bestLock } from "./lock.ts";

export { type LayoutContentOptions, layoutContent } from "./layout.ts";
export { bestLock, flockLock, type Lock, type TryLock } from "./lock.ts";
export { ownerLock } from "./owner-lock.ts";

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
            tryLock: bestLock,
          }),
      },
    },
  },
}));
export default contentLayout;
