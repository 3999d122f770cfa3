import { type ErrorCode, RamekinError } from "@ramekin/core";
import { type HttpResponse, readAll } from "./http.ts";
import { retryAfter, Transient } from "./retry.ts";

const maxErrorBody = 64 << 10;
const transient: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/** What an unexpected answer means. Reads the body: distribution spec, "Error codes". */
export async function statusError(response: HttpResponse, what: string, registry: string): Promise<RamekinError | Transient> {
  const { status, headers, url } = response;
  const said = await explanation(response);
  const message = `${what}: registry ${url.host} answers ${status}${said === "" ? "" : `: ${said}`}`;
  const error = new RamekinError(codeOf(status), message, hintFor(status, headers, registry));
  return transient.includes(status) ? new Transient(error, retryAfter(headers.get("retry-after"))) : error;
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "UNAUTHENTICATED";
  if (status === 403 || status === 451) return "PERMISSION_DENIED";
  if (status === 404 || status === 410) return "NOT_FOUND";
  if (status === 405 || status === 501) return "UNSUPPORTED";
  if (status === 413 || status === 507) return "RESOURCE_EXHAUSTED";
  if (status === 400 || status === 422) return "INVALID_ARGUMENT";
  return "UNAVAILABLE";
}

function hintFor(status: number, headers: Headers, registry: string): { hint?: string } {
  const login = registry === "docker.io" ? "ramekin login" : `ramekin login ${registry}`;
  if (status === 401) return { hint: `check the name; if the repository is private, log in: ${login}` };
  if (status === 403) return { hint: "these credentials may not do this" };
  if (status === 404) return { hint: "check the name, the tag and the registry" };
  if (status === 429) return { hint: `the registry limits requests${quota(headers)}: wait, or log in for a higher limit: ${login}` };
  return {};
}

/** Docker Hub's `100;w=21600`: so many in so many seconds. */
function quota(headers: Headers): string {
  const [, count, seconds] = /^(\d{1,9})(?:;w=(\d{1,9}))?$/.exec(headers.get("ratelimit-limit") ?? "") ?? [];
  if (count === undefined) return "";
  return seconds === undefined ? ` to ${count}` : ` to ${count} in ${Math.round(Number(seconds) / 60)} minutes`;
}

async function explanation(response: HttpResponse): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readAll(response.body, maxErrorBody, "the error message"));
  } catch {
    // The status says enough, and is the error to report.
    return "";
  }
  return printable(firstError(text) ?? "");
}

function firstError(text: string): string | undefined {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const { code, message } = errors?.[0] ?? {};
    return [message, code].find((part): part is string => typeof part === "string" && part !== "");
  } catch {
    return undefined;
  }
}

/** A registry's text goes to a terminal: no escape sequences, no novels. */
function printable(text: string): string {
  return text
    .replace(/\p{C}+/gu, " ")
    .trim()
    .slice(0, 300);
}
