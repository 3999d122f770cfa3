import { RamekinError } from "@ramekin/core";
import { createHasher } from "@ramekin/native";

const LONGEST_KEY = 255;
/** Below the 255 bytes that a file name may have, with room for what a hash is spelled with. */
const LONGEST_NAME = 200;

/** Any text of 1 to 255 bytes is a key, save what UTF-8 cannot carry. */
export function checkKey(key: string): void {
  const bytes = Buffer.from(key);
  const wrong =
    bytes.length === 0
      ? "is empty"
      : bytes.length > LONGEST_KEY
        ? `is longer than ${LONGEST_KEY} bytes`
        : bytes.toString() !== key && "is not well-formed";
  if (wrong) throw new RamekinError("INVALID_ARGUMENT", `snapshot key ${JSON.stringify(key)} ${wrong}`);
}

/**
 * The name of a key's entry in the index: readable where it can be, never `.`, `..` or a path, and another one for each key.
 * Keys that escape to more than a file name may hold go by their hash; `=` begins no other name.
 */
export function fileName(key: string): string {
  const escaped = key.replace(/[^A-Za-z0-9_:.-]|^\./gu, (char) =>
    [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  if (escaped.length <= LONGEST_NAME) return escaped;
  const hasher = createHasher("sha256");
  hasher.update(Buffer.from(key));
  return hasher.digest().replace("sha256:", "=");
}
