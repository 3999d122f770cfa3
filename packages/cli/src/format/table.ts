const leastWidth = 10;
const gap = 3;

/** Columns as Docker's: at least ten wide (twenty in `top`), three spaces between them, the last as it is. */
export function table(rows: readonly (readonly string[])[], least = leastWidth): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? least, width(cell) + gap);
  }
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell + " ".repeat((widths[column] as number) - width(cell)))).join(""),
  );
}

/** Code points; combining and wide characters do not occur in names, ids and times. */
const width = (text: string) => [...text].length;
