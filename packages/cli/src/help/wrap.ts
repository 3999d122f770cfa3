/** Lines of at most `width` characters, broken at spaces; a longer word stands alone. Line breaks in the text are kept. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}

/** Two columns: names, and beside them texts that are wrapped into the rest of `width`. */
export function twoColumns(rows: readonly (readonly [name: string, text: string])[], width: number): string[] {
  const indent = Math.max(...rows.map(([name]) => name.length)) + 3;
  return rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, Math.max(width - indent, 24));
    return [`${name.padEnd(indent)}${first}`.trimEnd(), ...rest.map((line) => `${" ".repeat(indent)}${line}`)];
  });
}
