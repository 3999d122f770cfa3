import { RamekinError } from "@ramekin/core";

export const defaultDetachKeys = "ctrl-p,ctrl-q";

/** `ctrl-p,ctrl-q` as the bytes that a terminal sends: single characters and `ctrl-` with a letter or one of `@ [ \ ] ^ _`. */
export function parseDetachKeys(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const key of text.split(",")) {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control !== undefined) bytes.push(control.toUpperCase().charCodeAt(0) & 0x1f);
    else if (/^[\x20-\x7e]$/.test(key)) bytes.push(key.charCodeAt(0));
    else {
      throw new RamekinError("INVALID_ARGUMENT", `not a key to detach with: "${key}"`, {
        hint: `comma-separated: a character, or ctrl- with a letter or one of @ [ \\ ] ^ _, such as ${defaultDetachKeys}`,
      });
    }
  }
  return Uint8Array.from(bytes);
}

export interface Scanned {
  /** What goes on to the container. */
  readonly forward: Uint8Array;
  readonly detached: boolean;
}

/** Finds the sequence in what is typed, across chunks; a beginning of it is held back until the next byte tells. */
export function detachScanner(sequence: Uint8Array): (chunk: Uint8Array) => Scanned {
  let matched = 0;
  return (chunk) => {
    const forward: number[] = [];
    for (const byte of chunk) {
      if (byte !== sequence[matched]) {
        forward.push(...sequence.subarray(0, matched));
        matched = 0;
      }
      if (byte !== sequence[matched]) forward.push(byte);
      else if (++matched === sequence.length) return { forward: Uint8Array.from(forward), detached: true };
    }
    return { forward: Uint8Array.from(forward), detached: false };
  };
}
