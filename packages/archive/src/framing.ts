/**
 * The outlines of gzip and zstd streams, without the compression: what every codec needs besides its engine, so that all agree on
 * members, frames, padding and garbage. Pure: no Node module is imported here.
 */
export { type Crc32, gunzip, type InflateEngine, isGzip } from "./framing/gzip.ts";
export { type ByteReader, byteReader, cancellable, limited } from "./framing/reader.ts";
export { isZstd, zstdFrames } from "./framing/zstd.ts";
