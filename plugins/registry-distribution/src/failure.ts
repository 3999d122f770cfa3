import { RamekinError } from "@ramekin/core";
import { Transient } from "./retry.ts";

/** What a later try does not change: bad names, nobody listening, certificates, and a protocol that is not TLS. */
const permanent =
  /^(?:ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EPROTO|EACCES|ERR_SSL_.*|ERR_TLS_.*|ERR_INVALID_.*|CERT_.*|.*_CERT.*|UNABLE_TO_.*)$/;
const certificate = /^(?:ERR_TLS_CERT_.*|CERT_.*|.*_CERT.*|UNABLE_TO_.*)$/;
/** What a server's TLS says when it wants a certificate of ours, or another one. */
const clientCertificate =
  /^ERR_SSL_.*(?:CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_HANDSHAKE_FAILURE|ALERT_UNKNOWN_CA|CERTIFICATE_UNKNOWN)/;

/** Anything that went wrong with a request, as ours: `Transient` when a later try may do better. */
export function failure(error: unknown, url: URL, timeout: RamekinError | undefined, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return new RamekinError("CANCELLED", `the request to ${url.host} was cancelled`, { cause: signal.reason });
  if (timeout) return new Transient(timeout);
  if (error instanceof RamekinError || error instanceof Transient) return error;
  const { code, message } = systemError(error);
  if (error instanceof Error && error.cause instanceof RamekinError) return error.cause;
  const unavailable = new RamekinError("UNAVAILABLE", `cannot reach ${url.host}: ${message}`, { cause: error, ...hintFor(code, url) });
  return permanent.test(code) ? unavailable : new Transient(unavailable);
}

/** Several addresses hide what happened in an AggregateError. */
function systemError(error: unknown): { code: string; message: string } {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError) inner = inner.errors[0] ?? inner;
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  const message = inner instanceof Error ? inner.message : String(inner);
  return { code, message: describe(code) ?? message.trim() };
}

function describe(code: string): string | undefined {
  if (clientCertificate.test(code)) return "it wants another client certificate, or wants one at all";
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired";
  if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "its certificate is for another name";
  if (certificate.test(code)) return "its certificate is signed by an unknown authority";
  return code.startsWith("ERR_SSL_") || code === "EPROTO" ? "it does not speak TLS" : undefined;
}

function hintFor(code: string, url: URL): { hint?: string } {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return { hint: "check the registry's name and this machine's name server" };
  if (code === "ECONNREFUSED") return { hint: `is a registry running at ${url.host}?` };
  if (clientCertificate.test(code)) return { hint: `put client.cert and client.key into /etc/docker/certs.d/${url.host}` };
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return { hint: "check the registry's certificate and this machine's clock" };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return { hint: "use the name that stands in the certificate" };
  if (certificate.test(code)) {
    return { hint: `if the registry has an authority of its own, put its certificate into /etc/docker/certs.d/${url.host}/ca.crt` };
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return { hint: "plain http is spoken to registries on this machine, and to those that registries.toml calls insecure" };
  }
  return {};
}

/** Whether the other side is there and speaks TLS, though we do not trust it. */
export function isCertificateError(error: unknown): boolean {
  return certificate.test(systemError(error instanceof Transient ? error.error : error).code);
}

/** What a connection says that the server closed while it lay idle. */
export function isStale(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE"].includes(systemError(error).code);
}
