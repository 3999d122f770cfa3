import { defineVerb } from "../verb.ts";

export default defineVerb({
  name: "system service",
  group: "system",
  summary: "Install or uninstall the service that starts containers at boot",
  description:
    "The service is a unit of systemd that runs 'ramekin system start-all' for the store that is in use now (--root, --runroot). Install it anew after moving the store or Ramekin itself.",
  arguments: [{ name: "ACTION", summary: '"install" or "uninstall"' }],
  flags: {
    user: { type: "boolean", summary: "For this user, without root" },
  },
  examples: [
    { command: "ramekin system service install", summary: "Containers with --restart always and unless-stopped come back after a reboot" },
    { command: "ramekin system service uninstall --user", summary: "Yours do not any more" },
  ],
  hot: false,
  async run({ flags, arguments: [action = ""] }, context) {
    const { changeService } = await import("../system/service.ts");
    return await changeService(action, flags, context);
  },
});
