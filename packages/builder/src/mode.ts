import { RamekinError } from "@ramekin/core";

/** What chmod(1) makes of a mode. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

/** Octal, or clauses such as `u=rwX,go=rX` (POSIX.1-2017, chmod), with nobody's umask: without `ugoa` all are meant, as in BuildKit. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]+$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const actions = text.split(",").flatMap((clause) => {
    const [, who = "", rest = ""] = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/.exec(clause) ?? [];
    if (rest === "") throw new RamekinError("INVALID_ARGUMENT", `invalid mode ${text}`, { hint: "octal, or such as u=rwX,go=rX" });
    const meant = who === "" || who.includes("a") ? "ugo" : who;
    return [...rest.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator = "", what = ""]) => action(meant, operator, what));
  });
  return (mode, isDirectory) => actions.reduce((changed, act) => act(changed, isDirectory), mode);
}

/** Of directories that are made on the way to what gets it: octal modes are theirs, too, but for set-id and sticky bits (BuildKit's rule). */
export function modeOnTheWay(text: string): number | undefined {
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) & 0o777 : undefined;
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const bits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

function action(who: string, operator: string, what: string): ModeChange {
  return (mode, isDirectory) => {
    let set = 0;
    let meant = 0;
    for (const one of who) {
      const shift = shifts[one] ?? 0;
      const special = specials[one] ?? 0;
      meant |= (7 << shift) | special;
      set |= permissions(mode, what, isDirectory) << shift;
      if (what.includes("s") && one !== "o") set |= special;
      if (what.includes("t") && one === "o") set |= special;
    }
    if (operator === "+") return mode | set;
    if (operator === "-") return mode & ~set;
    // GNU's chmod keeps the set-id bits of directories.
    return (mode & ~(isDirectory ? meant & ~0o6000 : meant)) | set;
  };
}

const specials: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, o: 0o1000 };

/** Of one of the three. A letter of `ugo` stands for what that one has now. */
function permissions(mode: number, what: string, isDirectory: boolean): number {
  if (/^[ugo]$/.test(what)) return (mode >> (shifts[what] ?? 0)) & 7;
  let found = 0;
  for (const letter of what) {
    if (letter === "X") found |= isDirectory || (mode & 0o111) !== 0 ? 1 : 0;
    else found |= bits[letter] ?? 0;
  }
  return found;
}
