import { type LogDriver, RamekinError } from "@ramekin/core";

/** Nothing is kept: `none`, or goes where the supervisor's own output goes: `passthrough`. */
export const unreadLog = (type: "none" | "passthrough"): LogDriver => ({
  writer({ options, attributes }) {
    const [stranger] = [...Object.keys(options), ...Object.keys(attributes ?? {})];
    if (stranger !== undefined)
      throw new RamekinError("INVALID_ARGUMENT", `${type}: unknown log option ${stranger}`, { hint: "it has none" });
    return { type };
  },
});
