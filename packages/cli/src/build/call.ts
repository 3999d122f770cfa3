import { UsageError } from "../argv/status-error.ts";

/** What `--call` asks for in place of a build. */
export interface Call {
  readonly method: (typeof methods)[number];
  readonly json: boolean;
  /** The status is 0 whatever a check finds. */
  readonly ignoreStatus: boolean;
}

const methods = ["check", "outline", "targets", "subrequests.describe"] as const;

/** `check,format=json,ignorestatus=true`; undefined for a build. */
export function parseCall({ call, check }: { readonly call: string; readonly check: boolean }): Call | undefined {
  const text = check ? "check" : call;
  let name: string | undefined;
  let json = false;
  let ignoreStatus = false;
  for (const field of text.split(",")) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/.exec(field) ?? [];
    if (!field.includes("=")) {
      if (name !== undefined) throw new UsageError(`--call ${text}: two methods`);
      name = field === "lint" ? "check" : field;
    } else if (key === "format" && (value === "json" || value === "text")) json = value === "json";
    else if (key === "ignorestatus" && /^(?:true|false|1|0)$/.test(value)) ignoreStatus = value === "true" || value === "1";
    else throw new UsageError(`--call ${text}: ${field} is not known`, { hint: "format=json, ignorestatus=true" });
  }
  if (name === "build" || name === undefined || name === "") return undefined;
  const method = methods.find((each) => each === name);
  if (method === undefined) throw new UsageError(`--call ${name}: not known`, { hint: `build, ${methods.join(", ")}` });
  return { method, json, ignoreStatus };
}
