import { type Contender, type Measurement, percentile } from "./contender.ts";

/** A table in ratios, and with the rate of what one run does `count` of: absolute times move with the machine, ratios taken in one run hold. */
export function table(measurements: readonly Measurement[], against: readonly string[], count?: number): string {
  const median = new Map(measurements.map(({ name, samples }) => [name, percentile(samples, 0.5)]));
  const bases = against.filter((name) => median.has(name));
  const sized = measurements.some(({ resident }) => resident !== undefined);
  const rows = measurements.map(({ name, samples, resident }) => {
    const p50 = percentile(samples, 0.5);
    return [
      name,
      Math.min(...samples).toFixed(1),
      p50.toFixed(1),
      percentile(samples, 0.95).toFixed(1),
      ...(count === undefined ? [] : [((count / p50) * 1000).toFixed(1)]),
      ...bases.map((base) => (p50 / (median.get(base) ?? 1)).toFixed(2)),
      ...(sized ? [resident === undefined ? "" : (resident / 2 ** 20).toFixed(0)] : []),
    ];
  });
  const head = [
    "",
    "min ms",
    "p50 ms",
    "p95 ms",
    ...(count === undefined ? [] : ["per s"]),
    ...bases.map((base) => `× ${base}`),
    ...(sized ? ["RSS MiB"] : []),
  ];
  const width = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(width[column] ?? 0) : cell.padStart(width[column] ?? 0))).join("  ");
  return [head, ...rows].map(line).join("\n");
}

export function absences(contenders: readonly Contender[]): string {
  return contenders
    .filter(({ absent }) => absent !== undefined)
    .map(({ name, absent }) => `${name}: not measured: ${absent}`)
    .join("\n");
}
