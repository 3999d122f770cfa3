import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { missingTool } from "./missing-tool.ts";

/** A private certificate authority, made by openssl. */
export interface Authority extends AsyncDisposable {
  readonly folder: string;
  /** Path of its certificate. */
  readonly certificate: string;
  readonly key: string;
  /** For 127.0.0.1 and `registry.test` unless told. `days` may be negative: expired. */
  issue(name: string, options?: { readonly names?: string; readonly days?: number }): Promise<Identity>;
}

/** Paths of PEM files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export const noAuthority = missingTool("openssl");

export async function authority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "ramekin-authority-"));
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: folder });
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const [certificate, key] = [join(folder, "ca.crt"), join(folder, "ca.key")];
  await openssl("req", "-x509", ...fresh, "-keyout", key, "-out", certificate, "-subj", "/CN=ramekin test authority", "-days", "2");
  return {
    folder,
    certificate,
    key,
    async issue(name, { names = "IP:127.0.0.1,DNS:registry.test", days = 2 } = {}) {
      const identity = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
      const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
      await writeFile(extensions, `subjectAltName=${names}\n`);
      await openssl("req", "-new", ...fresh, "-keyout", identity.key, "-out", request, "-subj", `/CN=${name}`);
      const signed = ["-CA", certificate, "-CAkey", key, "-CAcreateserial", "-days", `${days}`, "-extfile", extensions];
      await openssl("x509", "-req", "-in", request, ...signed, "-out", identity.cert);
      return identity;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
