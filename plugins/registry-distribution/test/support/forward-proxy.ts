import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface ForwardProxy extends AsyncDisposable {
  readonly url: string;
  /** What it was asked for: `CONNECT registry.test:443`, `GET http://registry.test/v2/`; in order. */
  readonly asked: readonly { readonly line: string; readonly authorization: string | undefined }[];
}

/** A proxy between networks, so to speak: names that only it knows lead to ports of this machine. */
export async function forwardProxy(targets: Readonly<Record<string, string>>): Promise<ForwardProxy> {
  const asked: { line: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const at = (target: string) => (targets[target] ?? "127.0.0.1:1").split(":") as [string, string];
  const server = createServer((incoming, outgoing) => {
    asked.push({ line: `${incoming.method} ${incoming.url}`, authorization: incoming.headers["proxy-authorization"] });
    const url = new URL(incoming.url ?? "/", "http://nowhere");
    const [host, port] = at(`${url.hostname}:${url.port || 80}`);
    const { "proxy-authorization": _, ...headers } = incoming.headers;
    const passed = request({ host, port, method: incoming.method, path: url.pathname + url.search, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.once("error", () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  server.on("connect", (incoming, client: Socket, head: Buffer) => {
    asked.push({ line: `CONNECT ${incoming.url}`, authorization: incoming.headers["proxy-authorization"] });
    if (targets[incoming.url ?? ""] === undefined) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const [host, port] = at(incoming.url ?? "");
    const through = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      through.write(head);
      through.pipe(client).pipe(through);
    });
    for (const socket of [client, through]) {
      sockets.add(socket);
      socket.on("error", () => client.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
