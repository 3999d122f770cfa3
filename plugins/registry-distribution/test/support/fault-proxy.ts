import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** What to do to a request instead of passing it on, or on its way back. */
export type Fault =
  /** Answers by itself. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Passes on so many bytes of the body, then closes the connection. */
  | { readonly cutAfter: number }
  /** Passes on so many bytes of the request's body, lets the registry write them, then closes both connections. */
  | { readonly cutRequestAfter: number }
  /** Passes everything on, in pieces of so many bytes, each after so many milliseconds. */
  | { readonly pieces: number; readonly delay: number }
  /** Claims another length than the body has, then closes the connection. */
  | { readonly length: number }
  /** Never answers. */
  | { readonly silence: true }
  /** Passes on so many bytes of the body, then nothing more. */
  | { readonly stallAfter: number }
  /** Takes the header out of the request. */
  | { readonly without: string }
  /** Passes everything on, with other headers in the answer; an empty value removes one. */
  | { readonly answer: Readonly<Record<string, string>> }
  /** Flips a bit of the first byte of the body. */
  | { readonly corrupt: true };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  /** In the order of arrival. */
  readonly seen: readonly SeenRequest[];
}

/** Stands before `upstream` (host:port) and spoils what `fault` says; without upstream, whatever is not spoilt is a 404. */
export async function faultProxy(upstream: string | undefined, fault: (request: SeenRequest) => Fault | undefined): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const one = { method: incoming.method ?? "", url: incoming.url ?? "", headers: incoming.headers };
    seen.push(one);
    // A cut connection breaks one of the pipes: that is what it is for.
    serve(upstream, incoming, outgoing, fault(one)).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A fault for the first `times` requests that `matches`; the later ones pass. */
export function firstTimes(
  times: number,
  matches: (request: SeenRequest) => boolean,
  fault: Fault,
): (request: SeenRequest) => Fault | undefined {
  let left = times;
  return (request) => (left > 0 && matches(request) && left-- > 0 ? fault : undefined);
}

async function serve(
  upstream: string | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault && "silence" in fault) return;
  if (fault && "status" in fault) {
    incoming.resume();
    outgoing.writeHead(fault.status, fault.headers).end(fault.body);
    return;
  }
  if (upstream === undefined) {
    incoming.resume();
    outgoing.writeHead(404).end();
    return;
  }
  const headers = { ...incoming.headers };
  if (fault && "without" in fault) delete headers[fault.without];
  if (fault && "cutRequestAfter" in fault) return cutRequest(upstream, incoming, headers, fault.cutRequestAfter);
  const answer = await forward(upstream, incoming, headers);
  const length = fault && "length" in fault ? { "content-length": `${fault.length}`, connection: "close" } : {};
  const changed = fault && "answer" in fault ? fault.answer : length;
  const kept = Object.entries({ ...answer.headers, ...changed }).filter(([, value]) => value !== "" && value !== undefined);
  outgoing.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept) as Record<string, string>);
  await pipeline(spoil(answer, fault, outgoing), outgoing);
  if (fault && "length" in fault) outgoing.destroy();
}

function forward(upstream: string, incoming: IncomingMessage, headers: IncomingHttpHeaders): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const [host, port] = upstream.split(":");
    const passed = request({ host, port, method: incoming.method, path: incoming.url, headers }, resolve);
    passed.once("error", reject);
    incoming.pipe(passed);
  });
}

async function cutRequest(upstream: string, incoming: IncomingMessage, headers: IncomingHttpHeaders, limit: number): Promise<void> {
  const [host, port] = upstream.split(":");
  const passed = request({ host, port, method: incoming.method, path: incoming.url, headers, agent: false });
  passed.on("error", () => undefined);
  let seen = 0;
  for await (const chunk of incoming) {
    const part = (chunk as Buffer).subarray(0, limit - seen);
    seen += part.byteLength;
    passed.write(part);
    if (seen >= limit) break;
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  passed.destroy();
  // Until it notices, the registry still has the upload open, and answers questions about it with what was before.
  await new Promise((resolve) => setTimeout(resolve, 100));
  incoming.socket.destroy();
}

async function* spoil(body: AsyncIterable<Buffer>, fault: Fault | undefined, outgoing: ServerResponse): AsyncIterable<Uint8Array> {
  const limit =
    fault && "cutAfter" in fault ? fault.cutAfter : fault && "stallAfter" in fault ? fault.stallAfter : Number.POSITIVE_INFINITY;
  let passed = 0;
  for await (const chunk of body) {
    const part = chunk.subarray(0, limit - passed);
    if (fault && "corrupt" in fault && passed === 0 && part[0] !== undefined) part[0] ^= 1;
    passed += part.byteLength;
    if (fault && "pieces" in fault) yield* slowly(part, fault.pieces, fault.delay);
    else if (part.byteLength > 0) yield part;
    if (passed < limit) continue;
    // What was written is on its way only after a turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (fault && "cutAfter" in fault) outgoing.destroy();
    await new Promise<void>((resolve) => void outgoing.once("close", resolve));
    return;
  }
}

async function* slowly(bytes: Buffer, size: number, delay: number): AsyncIterable<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) {
    await new Promise((resolve) => setTimeout(resolve, delay));
    yield bytes.subarray(from, from + size);
  }
}
