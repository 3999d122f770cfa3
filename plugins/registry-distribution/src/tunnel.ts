import { request as plainRequest } from "node:http";
import { type Agent, request as secureRequest } from "node:https";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect } from "node:tls";
import { RamekinError } from "@ramekin/core";
import type { HttpProxy } from "./proxy.ts";

/** Lets the agent reach https hosts through a proxy: CONNECT (RFC 9110, 9.3.6), then TLS within. */
export function tunnel(agent: Agent, proxy: HttpProxy, tls: ConnectionOptions): void {
  agent.createConnection = (options, callback) => {
    const { host, port, servername } = options as ConnectionOptions;
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    open(proxy, `${host?.includes(":") ? `[${host}]` : host}:${port}`).then(
      (socket) => done(null, connect({ ...tls, socket, ...(servername !== undefined && { servername }) })),
      (error: Error) => done(error),
    );
    return undefined;
  };
}

function open({ url, headers }: HttpProxy, target: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const options = { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || (url.protocol === "https:" ? 443 : 80), agent: false };
    const send = url.protocol === "https:" ? secureRequest : plainRequest;
    const asking = send({ ...options, method: "CONNECT", path: target, headers: { ...headers, host: target }, timeout: 30_000 });
    asking.once("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      const hint = statusCode === 407 ? "put user and password into the proxy's URL" : "check HTTPS_PROXY and NO_PROXY";
      reject(new RamekinError("UNAVAILABLE", `the proxy ${url.host} answers ${statusCode} for ${target}`, { hint }));
    });
    asking.once("timeout", () => asking.destroy(new Error("the proxy does not answer")));
    asking.once("error", (cause) =>
      reject(
        new RamekinError("UNAVAILABLE", `cannot reach the proxy ${url.host}: ${cause.message}`, {
          cause,
          hint: "check HTTPS_PROXY and NO_PROXY",
        }),
      ),
    );
    asking.end();
  });
}
