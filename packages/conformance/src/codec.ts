import type { Codec } from "@ramekin/core";
import { decoding } from "./codec/decoding.ts";
import { encoding } from "./codec/encoding.ts";
import { gzipCases } from "./codec/gzip.ts";
import { formats } from "./codec/streams.ts";
import { zstdCases } from "./codec/zstd.ts";
import type { Suite } from "./suite.ts";

/** What it means to be a codec for one of the two formats that layers come in. */
export const gzipSuite: Suite<Codec> = { kind: "gzip codec", cases: [...decoding(formats.gzip), ...gzipCases, ...encoding(formats.gzip)] };
export const zstdSuite: Suite<Codec> = { kind: "zstd codec", cases: [...decoding(formats.zstd), ...zstdCases, ...encoding(formats.zstd)] };
