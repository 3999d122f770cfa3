/** How records lie in a file, one after the other. */
export interface Framing {
  /** The whole records that `bytes` begins with, and where the first lies that is not whole. */
  cut(bytes: Buffer): { readonly records: Buffer[]; readonly rest: number };
  /** Records can be found from the end of the file, since they end with a line break and have no other. */
  readonly lines: boolean;
  /** Bytes that a record takes beside itself. */
  readonly overhead: number;
}

export const lineFraming: Framing = {
  lines: true,
  overhead: 1,
  cut(bytes) {
    const records: Buffer[] = [];
    let rest = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, rest)) {
      records.push(bytes.subarray(rest, end));
      rest = end + 1;
    }
    return { records, rest };
  },
};

/** As `LogWriterSpec` has it: a length of four bytes, big-endian, before each. */
export const lengthFraming: Framing = {
  lines: false,
  overhead: 4,
  cut(bytes) {
    const records: Buffer[] = [];
    let rest = 0;
    while (rest + 4 <= bytes.length) {
      const end = rest + 4 + bytes.readUInt32BE(rest);
      if (end > bytes.length) break;
      records.push(bytes.subarray(rest + 4, end));
      rest = end;
    }
    return { records, rest };
  },
};
