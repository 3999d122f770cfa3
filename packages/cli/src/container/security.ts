import { readFileSync } from "node:fs";
import { type Objections, RamekinError } from "@ramekin/core";
import type { SecurityOptions } from "@ramekin/engine";
import { isOn } from "../argv/read-value.ts";
import { defined } from "../values/defined.ts";
import type { FlagValues } from "../verb.ts";
import type { securityFlags } from "./security-flags.ts";

type Choices = { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] };

/** All of `security-flags.ts`. */
export function securityOptions(flags: FlagValues<typeof securityFlags>, objections: Objections): SecurityOptions {
  const chosen: Choices = {};
  for (const option of flags["security-opt"]) objections.hear(() => readOption(option, chosen));
  return defined({
    capAdd: names(flags["cap-add"]),
    capDrop: names(flags["cap-drop"]),
    privileged: flags.privileged || undefined,
    ...chosen,
  });
}

/** Several in one value, too, separated by commas. */
function names(texts: readonly string[]): readonly string[] | undefined {
  const all = texts.flatMap((text) => text.split(",")).filter((name) => name !== "");
  return all.length > 0 ? all : undefined;
}

const invalid = (text: string, hint: string) => new RamekinError("INVALID_ARGUMENT", `invalid --security-opt: ${text}`, { hint });

/** `NAME=VALUE`; `NAME:VALUE` is an older spelling. */
function readOption(text: string, chosen: Choices): void {
  const [, name = text, value] = /^([a-z-]+)[=:](.*)$/s.exec(text) ?? [];
  switch (name) {
    case "no-new-privileges": {
      const on = value === undefined ? true : isOn(value);
      if (on === undefined) throw invalid(text, "no-new-privileges, or no-new-privileges=false");
      chosen.noNewPrivileges = on;
      return;
    }
    case "writable-cgroups": {
      const on = isOn(value ?? "true");
      if (on === undefined) throw invalid(text, "writable-cgroups=true, or =false");
      chosen.writableCgroups = on;
      return;
    }
    case "seccomp":
      readSeccomp(value ?? "", text, chosen);
      return;
    case "systempaths":
      if (value !== "unconfined") throw invalid(text, "systempaths=unconfined is the only choice");
      chosen.unmask = ["ALL"];
      return;
    case "mask":
      chosen.mask = [...(chosen.mask ?? []), ...readPaths(value, text)];
      return;
    case "unmask":
      chosen.unmask = [...(chosen.unmask ?? []), ...readPaths(value, text)];
      return;
    case "apparmor":
      if (!value) throw invalid(text, "apparmor=unconfined, or the name of a profile");
      chosen.apparmor = value;
      return;
    case "label":
      checkLabel(value ?? "", text);
      return;
  }
  throw invalid(text, "known are seccomp, no-new-privileges, systempaths, mask, unmask, apparmor, label and writable-cgroups");
}

function readPaths(value: string | undefined, text: string): readonly string[] {
  const paths = (value ?? "").split(":").filter((path) => path !== "");
  if (paths.length === 0) throw invalid(text, "absolute paths, separated by colons");
  return paths;
}

/** `builtin`, the default, or the path of a profile in the format of Docker's own. */
function readSeccomp(value: string, text: string, chosen: Choices): void {
  delete chosen.seccomp;
  if (value === "builtin") return;
  if (value === "") throw invalid(text, "seccomp=unconfined, seccomp=builtin, or the path of a profile");
  chosen.seccomp = value === "unconfined" ? value : readProfile(value);
}

function readProfile(path: string): NonNullable<SecurityOptions["seccomp"]> {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new RamekinError("INVALID_ARGUMENT", `the seccomp profile ${path} is not JSON: ${cause.message}`, { cause });
    const code = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "NOT_FOUND" : "PERMISSION_DENIED";
    throw new RamekinError(code, `cannot read the seccomp profile ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** There is no SELinux to label for: switching it off is what is the case already. */
function checkLabel(value: string, text: string): void {
  if (value === "disable") return;
  if (!/^(user|role|type|level|filetype|nested)([=:]|$)/.test(value)) throw invalid(text, "label=disable is the only choice");
  throw new RamekinError("UNSUPPORTED", `SELinux labels are not supported: ${text}`, { hint: "--security-opt label=disable" });
}
