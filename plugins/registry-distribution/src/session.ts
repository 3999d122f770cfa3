import { type ByteStream, type Cancellable, isRamekinError, RamekinError, type Reference, type RegistryAccess } from "@ramekin/core";
import { type Authorizer, authorizer, type Scope } from "./authorization.ts";
import { parseChallenges } from "./challenge.ts";
import type { CredentialSource } from "./credentials/credentials.ts";
import { credentialFiles } from "./credentials/source.ts";
import { dialer } from "./dialer.ts";
import type { Located } from "./hosts/place.ts";
import { type HostRules, hostRules } from "./hosts/rules.ts";
import { exchange, type HttpRequest, type HttpResponse } from "./http.ts";
import { type OriginFinder, originFinder } from "./origin.ts";
import { type Provenance, provenance } from "./provenance.ts";
import { proxiesOf } from "./proxy.ts";
import { defaultRetry, type RetryPolicy, Transient, withRetries } from "./retry.ts";
import { statusError } from "./status.ts";

export interface SessionOptions {
  /** Absent: the files and helpers that `docker login` and `podman login` write to. */
  readonly credentials?: CredentialSource | undefined;
  /** Registries that may speak plain HTTP, or have any certificate, besides those that the machine's configuration names. */
  readonly insecure?: readonly string[] | undefined;
  /** To this one registry. */
  readonly access?: (RegistryAccess & { readonly registry: string }) | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Milliseconds of silence after which a connection counts as dead. */
  readonly idleTimeout?: number | undefined;
  readonly warn?: ((message: string) => void) | undefined;
  /** Where proxies, credentials and configuration are looked for; the process's own when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Read instead of /etc. */
  readonly etc?: string | undefined;
}

/** One request to a repository's part of the API. */
export interface RepositoryRequest extends Cancellable {
  readonly method: HttpRequest["method"];
  /** Below `/v2/<repository>/`, or a URL that the registry gave. */
  readonly path: string | URL;
  readonly action: "pull" | "pull,push" | "delete";
  /** What is read may come from a mirror: by tag, or by digest, which nobody can forge. Absent: from the registry alone. */
  readonly mirrored?: "tag" | "digest";
  /** Mirrors that are not asked. */
  readonly avoid?: ReadonlySet<string>;
  /** A second repository to be read: the source of a mount. */
  readonly alsoPull?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: (() => { readonly size: number; readonly bytes: ByteStream }) | undefined;
  /** Statuses to hand back, each with its body to be read or discarded; every other one becomes an error about `what`. */
  readonly expect: readonly number[];
  readonly what: string;
}

export interface RepositoryResponse extends HttpResponse {
  /** The mirror that it is from; none when it is the registry's own. */
  readonly mirror?: string;
}

/** Origins, credentials and patience: all that requests of one client share. */
export interface Session extends Disposable {
  readonly retry: RetryPolicy;
  readonly parts: Parts;
  /** Once: with authorization, without another try. */
  attempt(reference: Reference, request: RepositoryRequest): Promise<RepositoryResponse>;
  /** `attempt` until it works or there is no point. Only for requests that may be repeated. */
  call(reference: Reference, request: RepositoryRequest): Promise<RepositoryResponse>;
}

export function openSession(options: SessionOptions): Session {
  const parts = openParts(options);
  const retry = { ...defaultRetry, ...options.retry };
  const attempt: Session["attempt"] = (reference, request) => attemptSomewhere(parts, reference, request);
  return {
    retry,
    parts,
    attempt,
    call: (reference, request) => withRetries(retry, request.signal, () => attempt(reference, request)),
    [Symbol.dispose]: () => parts.dialer.close(),
  };
}

function openParts(options: SessionOptions): Parts {
  const { environment = process.env, warn = () => undefined, insecure, access, etc } = options;
  const rules = hostRules({ environment, ...(access && { access }), ...(insecure && { insecure }), ...(etc !== undefined && { etc }) });
  const lines = dialer({ idle: options.idleTimeout ?? 60_000, proxy: proxiesOf(environment), trust: rules.trust });
  const kept = options.credentials ?? credentialFiles(warn, environment);
  const named = access?.authFile === undefined ? kept : credentialFiles(warn, environment, access.authFile);
  const credentials: CredentialSource = async (reference) =>
    rules.meant(reference.registry) ? (access?.account ?? named(reference)) : kept(reference);
  return {
    rules,
    dialer: lines,
    origins: originFinder(lines),
    authorization: authorizer({ credentials, dialer: lines }),
    warn,
    silent: new Set<string>(),
    provenance: provenance(warn),
  };
}

/** What a session is made of; a login needs the same, without a repository. */
export interface Parts {
  readonly rules: HostRules;
  readonly dialer: HttpRequest["dialer"];
  readonly origins: OriginFinder;
  readonly authorization: Authorizer;
  readonly warn: (message: string) => void;
  /** Mirrors that gave no answer: each costs a command its patience once. */
  readonly silent: Set<string>;
  readonly provenance: Provenance;
}

/** One place after the other: a mirror that does not have it, or does not work, is no reason to fail. */
async function attemptSomewhere(parts: Parts, reference: Reference, request: RepositoryRequest): Promise<RepositoryResponse> {
  const places = (await parts.rules.places(reference)).filter((place) => serves(place, request));
  const last = places.at(-1);
  if (!last) {
    const what = request.action === "pull" ? "pulling" : "pushing";
    throw new RamekinError("PERMISSION_DENIED", `no host of ${reference.registry} is meant for ${what}`, {
      hint: "its hosts.toml says so",
    });
  }
  for (const place of places.slice(0, -1)) {
    if (parts.silent.has(place.host) || request.avoid?.has(place.host)) continue;
    try {
      return { ...(await attemptAt(parts, place, reference, request)), mirror: place.host };
    } catch (error) {
      if (isRamekinError(error, "CANCELLED")) throw error;
      const reason = error instanceof Transient ? error.error : error;
      if (isRamekinError(reason, "NOT_FOUND")) continue;
      parts.silent.add(place.host);
      parts.warn(`mirror ${place.host} was passed over: ${reason instanceof Error ? reason.message : reason}`);
    }
  }
  return attemptAt(parts, last, reference, request);
}

function serves(place: Located, { action, mirrored, path }: RepositoryRequest): boolean {
  if (action !== "pull") return !place.mirror && place.pushes;
  if (!place.mirror) return place.pulls !== "none";
  // A URL is of whoever gave it, and only the registry gives any.
  if (mirrored === undefined || path instanceof URL) return false;
  return place.pulls === "all" || place.pulls === `${mirrored}-only`;
}

async function attemptAt(parts: Parts, place: Located, reference: Reference, request: RepositoryRequest): Promise<HttpResponse> {
  const { origins, authorization, dialer } = parts;
  const { signal, expect, what } = request;
  const origin = await origins(place, { signal });
  const there: Reference = { registry: place.host, repository: place.repository };
  const url = request.path instanceof URL ? request.path : new URL(`${place.base}/${place.repository}/${request.path}`, origin);
  // containerd's convention: a mirror of many registries learns which one is meant.
  if (place.mirror) url.searchParams.set("ns", reference.registry);
  const scopes: Scope[] = [`repository:${place.repository}:${request.action}`];
  if (request.alsoPull !== undefined) scopes.push(`repository:${request.alsoPull}:pull`);
  const own = url.origin === origin.origin;
  const send = (header: string | undefined) =>
    exchange({
      ...request,
      url,
      dialer,
      ...(own && { confidential: place.headers, authorization: header }),
    });

  const first = await authorization.known(there, scopes);
  let response = await send(first);
  // A 401 from where a redirect led is not the registry's question, and gets no answer.
  if (response.status === 401 && response.url.origin === origin.origin) {
    const challenges = parseChallenges(response.headers.get("www-authenticate"));
    const header = await authorization.answer({ origin, reference: there, scopes, challenges, refused: first }, { signal });
    if (header !== undefined) {
      await response.discard();
      response = await send(header);
    }
  }
  if (expect.includes(response.status)) return response;
  throw await statusError(response, what, reference.registry);
}
