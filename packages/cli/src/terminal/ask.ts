import { StringDecoder } from "node:string_decoder";
import { StatusError } from "../argv/status-error.ts";
import type { Context } from "../context.ts";
import { statusOfSignal } from "../exit-status.ts";

/** What a terminal in raw mode sends for ^C. */
const interrupt = "\u0003";
/** What ends a line; ^D does as well. */
const ends = [interrupt, "\u0004", "\r", "\n"];

export interface Asker extends Disposable {
  ask(question: string): Promise<string>;
  /** The answer is not shown. */
  askHidden(question: string): Promise<string>;
}

/** Asks a person at a terminal, one line after the other; what was typed ahead counts. */
export function asker({ stdin, stdout, interruption }: Pick<Context, "stdin" | "stdout" | "interruption">): Asker {
  const decoder = new StringDecoder("utf8");
  let typed = "";
  let ended = false;
  let changed: () => void = () => undefined;
  const take = (chunk: Buffer | string) => {
    typed += typeof chunk === "string" ? chunk : decoder.write(chunk);
    changed();
  };
  const end = () => {
    ended = true;
    changed();
  };
  stdin.on("data", take);
  stdin.on("end", end);
  interruption.signal.addEventListener("abort", end);

  const line = async (): Promise<string> => {
    for (;;) {
      const index = [...typed].findIndex((character) => ends.includes(character));
      if (index >= 0) {
        const characters = [...typed];
        typed = characters.slice(index + 1).join("");
        if (characters[index] === interrupt) throw new StatusError("interrupted", statusOfSignal("SIGINT"));
        return erased(characters.slice(0, index));
      }
      if (ended) throw new StatusError("there is nobody to ask", 1);
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return {
    ask(question) {
      stdout.write(question);
      return line();
    },
    async askHidden(question) {
      // Off before the question: who answers it has seen it.
      stdin.setRawMode?.(true);
      try {
        stdout.write(question);
        return await line();
      } finally {
        stdin.setRawMode?.(false);
        stdout.write("\n");
      }
    },
    [Symbol.dispose]() {
      stdin.off("data", take);
      stdin.off("end", end);
      interruption.signal.removeEventListener("abort", end);
      stdin.pause();
    },
  };
}

/** What is left of a line typed without the terminal's own editing: backspace takes a character, ^U all. */
function erased(characters: readonly string[]): string {
  let left: string[] = [];
  for (const character of characters) {
    if (character === "\u0015") left = [];
    else if (character === "\u007f" || character === "\b") left.pop();
    else left.push(character);
  }
  return left.join("");
}
