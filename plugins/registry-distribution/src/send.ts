import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { type ByteStream, isRamekinError, RamekinError } from "@ramekin/core";
import { buffersMade } from "@ramekin/native";
import { failure, isCertificateError, isStale } from "./failure.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { type IdleClock, idleClock } from "./idle-clock.ts";

/** One request to `url`, without redirects. `request.url` is where the caller began: its credentials go to no other origin. */
export async function send(request: HttpRequest, url: URL): Promise<HttpResponse> {
  const { dialer, method } = request;
  for (let stale = 0; ; ) {
    const sent: { request?: ClientRequest } = {};
    const clock = idleClock(request.signal, dialer.idle, url);
    try {
      return await once(request, url, clock, sent);
    } catch (error) {
      clock.close();
      sent.request?.destroy();
      // A server may close a connection in the moment in which it is used again; that says nothing about the request.
      const repeatable = method === "GET" || method === "HEAD";
      if (repeatable && sent.request?.reusedSocket && isStale(error) && !request.signal?.aborted && stale++ < 3) continue;
      // As Docker: certificates that the machine trusts count, besides those that come with Node. Looked at only when needed (10 ms).
      if (isCertificateError(error) && dialer.trustMachine()) continue;
      throw failure(error, url, clock.cause(), request.signal);
    }
  }
}

async function once(request: HttpRequest, url: URL, clock: IdleClock, sent: { request?: ClientRequest }): Promise<HttpResponse> {
  const { dialer, body, method, authorization } = request;
  const route = await dialer.route(url, request.sentBy ?? request.url);
  const upload = body?.();
  const options: RequestOptions = {
    ...route.options,
    method,
    signal: clock.signal,
    headers: {
      ...route.headers,
      host: url.host,
      // A registry's bytes are content-addressed: never let one encode them once more on the way.
      "accept-encoding": "identity",
      "user-agent": "ramekin/0.1",
      ...request.headers,
      ...(url.origin === request.url.origin && { ...request.confidential, ...(authorization !== undefined && { authorization }) }),
      ...(upload && { "content-length": `${upload.size}` }),
      ...(!upload && (method === "POST" || method === "PUT" || method === "PATCH") && { "content-length": "0" }),
    },
  };
  const outgoing = route.request(options);
  sent.request = outgoing;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.on("error", reject);
  });
  answered.catch(() => undefined);
  if (!upload) outgoing.end();
  else await write(outgoing, clock.watch(upload.bytes, "upload"), answered);
  const response = await answered;
  clock.quiet();
  // Nothing more of the body is wanted: the connection cannot be used again.
  if (!outgoing.writableEnded) response.once("end", () => outgoing.destroy());
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response),
    url,
    body: received(response, url, clock, request),
    async discard() {
      clock.close();
      // What is short is read, which keeps the connection; an error after the last thing anybody wanted is none.
      response.on("error", () => undefined);
      const rest = Number(response.headers["content-length"] ?? 0);
      if (rest <= 64 << 10 && response.headers["transfer-encoding"] === undefined) response.resume();
      else response.destroy();
    },
  };
}

/** Until the source ends or the server has answered, whichever is first: a refusal need not wait for gigabytes. */
async function write(outgoing: ClientRequest, bytes: ByteStream, answered: Promise<IncomingMessage>): Promise<void> {
  let over = false;
  const stop = answered.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  try {
    for await (const chunk of bytes) {
      if (!over && !outgoing.write(chunk)) await Promise.race([new Promise<void>((resolve) => outgoing.once("drain", resolve)), stop]);
      if (over) return;
    }
  } catch (cause) {
    // Not the registry's doing: trying again would not help.
    throw isRamekinError(cause) ? cause : new RamekinError("UNAVAILABLE", `cannot read what is to be uploaded: ${cause}`, { cause });
  }
  outgoing.end();
}

async function* received(response: IncomingMessage, url: URL, clock: IdleClock, { signal }: HttpRequest): ByteStream {
  try {
    for await (const chunk of clock.watch(response, "download")) {
      buffersMade(chunk.byteLength);
      yield chunk;
    }
  } catch (error) {
    throw failure(error, url, clock.cause(), signal);
  } finally {
    clock.close();
  }
}

function headersOf(response: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headersDistinct)) for (const each of value ?? []) headers.append(name, each);
  return headers;
}
