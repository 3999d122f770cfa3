import type { SecretUse } from "@ramekin/engine";
import { invalid, readFields, readId, readMode } from "./mount-values.ts";

/** `--secret ID[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]`, as Podman has it. */
export function parseSecret(text: string): SecretUse {
  const fields = new Map(readFields(text, "secret"));
  const [first] = fields;
  const secret = first?.[1] === undefined ? (first?.[0] ?? "") : (fields.get("source") ?? "");
  if (secret === "") throw invalid(`secret ${text} does not say which one`, "--secret NAME[,type=mount|env][,target=…]");
  if (first?.[1] === undefined) fields.delete(secret);
  fields.delete("source");
  const known = ["type", "target", "uid", "gid", "mode"];
  for (const [key, value] of fields) {
    if (!known.includes(key) || value === undefined)
      throw invalid(`secret ${text}: invalid option ${key}`, `known are ${known.join(", ")}`);
  }
  const [type = "mount", target] = [fields.get("type"), fields.get("target")];
  const named = target === undefined ? {} : { target };
  if (type === "env") {
    const useless = ["uid", "gid", "mode"].find((key) => fields.has(key));
    if (useless !== undefined) throw invalid(`secret ${text}: a variable has no ${useless}`);
    return { type, secret, ...named };
  }
  if (type !== "mount") throw invalid(`secret ${text}: type ${type} is invalid`, "type=mount or type=env");
  const number = (key: string, read: (value: string, whole: string) => number) => {
    const value = fields.get(key);
    return value === undefined ? {} : { [key]: read(value, `secret ${text}`) };
  };
  return { type, secret, ...named, ...number("uid", readId), ...number("gid", readId), ...number("mode", readMode) };
}
