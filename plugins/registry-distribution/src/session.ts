import type { ByteStream, Cancellable, Reference } from "@ramekin/core";
import { type Authorizer, authorizer, type Scope } from "./authorization.ts";
import { parseChallenges } from "./challenge.ts";
import { type CredentialSource, credentialFiles } from "./credentials.ts";
import { exchange, type HttpRequest, type HttpResponse } from "./http.ts";
import { type OriginFinder, originFinder } from "./origin.ts";
import { defaultRetry, type RetryPolicy, withRetries } from "./retry.ts";
import { statusError } from "./status.ts";

export interface SessionOptions {
  /** Absent: the files that `docker login` and `podman login` write. */
  readonly credentials?: CredentialSource | undefined;
  /** Registries that may speak plain HTTP, besides those on this machine. */
  readonly plainHttp?: readonly string[] | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Milliseconds of silence after which a connection counts as dead. */
  readonly idleTimeout?: number | undefined;
  readonly warn?: ((message: string) => void) | undefined;
}

/** One request to a repository's part of the API. */
export interface RepositoryRequest extends Cancellable {
  readonly method: HttpRequest["method"];
  /** Below `/v2/<repository>/`, or a URL that the registry gave. */
  readonly path: string | URL;
  readonly action: "pull" | "pull,push" | "delete";
  /** A second repository to be read: the source of a mount. */
  readonly alsoPull?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: (() => { readonly size: number; readonly bytes: ByteStream }) | undefined;
  /** Statuses to hand back, each with its body to be read or discarded; every other one becomes an error about `what`. */
  readonly expect: readonly number[];
  readonly what: string;
}

/** Origins, credentials and patience: all that requests of one client share. */
export interface Session {
  readonly retry: RetryPolicy;
  /** Once: with authorization, without another try. */
  attempt(reference: Reference, request: RepositoryRequest): Promise<HttpResponse>;
  /** `attempt` until it works or there is no point. Only for requests that may be repeated. */
  call(reference: Reference, request: RepositoryRequest): Promise<HttpResponse>;
}

export function openSession(options: SessionOptions): Session {
  const retry = { ...defaultRetry, ...options.retry };
  const idle = options.idleTimeout ?? 60_000;
  const credentials = options.credentials ?? credentialFiles(options.warn ?? (() => undefined));
  const origins = originFinder({ plainHttp: options.plainHttp ?? [], idle });
  const authorization = authorizer({ credentials, idle });

  const attempt: Session["attempt"] = (reference, request) => attemptOnce({ origins, authorization, idle }, reference, request);
  return { retry, attempt, call: (reference, request) => withRetries(retry, request.signal, () => attempt(reference, request)) };
}

interface Parts {
  readonly origins: OriginFinder;
  readonly authorization: Authorizer;
  readonly idle: number;
}

async function attemptOnce(
  { origins, authorization, idle }: Parts,
  reference: Reference,
  request: RepositoryRequest,
): Promise<HttpResponse> {
  const { signal, expect, what } = request;
  const origin = await origins(reference.registry, { signal });
  const url = request.path instanceof URL ? request.path : new URL(`/v2/${reference.repository}/${request.path}`, origin);
  const scopes: Scope[] = [`repository:${reference.repository}:${request.action}`];
  if (request.alsoPull !== undefined) scopes.push(`repository:${request.alsoPull}:pull`);
  const send = (header: string | undefined) =>
    exchange({ ...request, url, idle, authorization: url.origin === origin.origin ? header : undefined });

  const first = await authorization.known(reference, scopes);
  let response = await send(first);
  // A 401 from where a redirect led is not the registry's question, and gets no answer.
  if (response.status === 401 && response.url.origin === origin.origin) {
    const challenges = parseChallenges(response.headers.get("www-authenticate"));
    const header = await authorization.answer({ origin, reference, scopes, challenges, refused: first }, { signal });
    if (header !== undefined) {
      await response.discard();
      response = await send(header);
    }
  }
  if (expect.includes(response.status)) return response;
  throw await statusError(response, what);
}
