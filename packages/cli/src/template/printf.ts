import { display } from "./display.ts";

/** Go's fmt verbs, as far as templates meet them: strings, numbers, truth values and whatever `display` shows. */
export function printf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+# 0]*)(\d*)(?:\.(\d*))?(%|[a-zA-Z])/g,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const shown = formatted(verb, values[next++], flags, precision === undefined ? undefined : Number(precision));
      return padded(shown, flags, Number(width), verb);
    },
  );
  const extra = values.slice(next).map((value) => `${typeOf(value)}=${display(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(", ")})`;
}

function formatted(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  const cut = (text: string) => (precision === undefined ? text : [...text].slice(0, precision).join(""));
  const signed = (text: string) => (flags.includes("+") && !text.startsWith("-") ? `+${text}` : text);
  switch (verb) {
    case "v":
      return display(value);
    case "s":
      if (typeof value !== "number" && typeof value !== "boolean") return cut(display(value));
      break;
    case "q":
      if (typeof value === "string") return JSON.stringify(value);
      if (Array.isArray(value)) return `[${value.map((each) => formatted("q", each, flags, precision)).join(" ")}]`;
      break;
    case "t":
      if (typeof value === "boolean") return String(value);
      break;
    case "x":
    case "X": {
      const digits =
        typeof value === "string"
          ? Buffer.from(value).toString("hex")
          : Number.isInteger(value)
            ? (value as number).toString(16)
            : undefined;
      if (digits !== undefined) return verb === "X" ? digits.toUpperCase() : digits;
      break;
    }
    case "d":
      if (Number.isInteger(value)) return signed(String(value));
      break;
    case "o":
    case "b":
      if (Number.isInteger(value)) return signed((value as number).toString(verb === "o" ? 8 : 2));
      break;
    case "c":
      if (Number.isInteger(value)) return String.fromCodePoint(value as number);
      break;
    case "f":
    case "e":
    case "g":
      if (typeof value === "number" && !Number.isInteger(value)) return signed(floating(verb, value, precision));
      break;
  }
  return `%!${verb}(${typeOf(value)}=${display(value)})`;
}

function floating(verb: "f" | "e" | "g", value: number, precision: number | undefined): string {
  if (verb === "f") return value.toFixed(precision ?? 6);
  if (verb === "e") return value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, "e$10$2");
  return precision === undefined ? String(value) : String(Number(value.toPrecision(precision)));
}

function padded(text: string, flags: string, width: number, verb: string): string {
  const missing = Math.max(width - [...text].length, 0);
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0") || !"dxXobfeg".includes(verb)) return " ".repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

/** What Go calls it. */
function typeOf(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : Array.isArray(value) ? "[]string" : "map[string]interface {}";
}
