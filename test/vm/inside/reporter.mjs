// node:test's events as the lines that the test outside reads.
export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const { name } = data;
    if (data.skip !== undefined) yield `vm-skip v2: ${name} # ${data.skip === true ? "no reason given" : data.skip}\n`;
    else if (type === "test:pass") yield `vm-ok v2: ${name}\n`;
    else
      yield `vm-not-ok v2: ${name} # ${String(data.details.error?.cause?.message ?? data.details.error)
        .replaceAll("\n", "|")
        .slice(0, 600)}\n`;
  }
}
