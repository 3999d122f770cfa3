import type { Crc32 } from "@ramekin/archive/framing";

/** Eight bytes at a time (slicing-by-8): byte by byte would take a quarter of the time of inflating. */
const tables = makeTables();

export function crc32(): Crc32 {
  let sum = 0xffffffff;
  return {
    update: (chunk) => {
      sum = advance(sum, chunk);
    },
    value: () => (sum ^ 0xffffffff) >>> 0,
  };
}

function advance(start: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (table: Int32Array, index: number) => table[index & 0xff] as number;
  let sum = start;
  let position = 0;
  for (; position + 8 <= bytes.byteLength; position += 8) {
    const low = view.getInt32(position, true) ^ sum;
    const high = view.getInt32(position + 4, true);
    sum =
      at(t7, low) ^
      at(t6, low >>> 8) ^
      at(t5, low >>> 16) ^
      at(t4, low >>> 24) ^
      at(t3, high) ^
      at(t2, high >>> 8) ^
      at(t1, high >>> 16) ^
      at(t0, high >>> 24);
  }
  for (; position < bytes.byteLength; position++) sum = at(t0, sum ^ view.getUint8(position)) ^ (sum >>> 8);
  return sum;
}

function makeTables(): readonly Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  const all = [first];
  for (let slice = 1; slice < 8; slice++) {
    const below = all[slice - 1] as Int32Array;
    all.push(below.map((value) => (value >>> 8) ^ (first[value & 0xff] as number)));
  }
  return all;
}
