import { expect, test } from "vitest";
import { applyChange, type ImageRunConfig } from "../src/index.ts";

const apply = (...texts: string[]): ImageRunConfig => texts.reduce<ImageRunConfig>(applyChange, {});

test.each<[string, ImageRunConfig]>([
  ['CMD ["sh", "-l"]', { Cmd: ["sh", "-l"] }],
  ["cmd echo $HOME", { Cmd: ["/bin/sh", "-c", "echo $HOME"] }],
  ["CMD [ -e /x ]", { Cmd: ["/bin/sh", "-c", "[ -e /x ]"] }],
  ['ENTRYPOINT ["/init"]', { Entrypoint: ["/init"] }],
  [`ENV A=1 B="two words" C='as is \\' D=x\\ y`, { Env: ["A=1", "B=two words", "C=as is \\", "D=x y"] }],
  ["ENV A the whole rest", { Env: ["A=the whole rest"] }],
  ["EXPOSE 80 53/udp 8000-8002", { ExposedPorts: { "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} } }],
  ['LABEL a.b="c d" e=f', { Labels: { "a.b": "c d", e: "f" } }],
  ["ONBUILD RUN make", { OnBuild: ["RUN make"] }],
  ["STOPSIGNAL SIGINT", { StopSignal: "SIGINT" }],
  ["USER cook:kitchen", { User: "cook:kitchen" }],
  ['VOLUME ["/a", "/b c"]', { Volumes: { "/a": {}, "/b c": {} } }],
  ["VOLUME /a /b", { Volumes: { "/a": {}, "/b": {} } }],
  ["WORKDIR /srv/./app/..", { WorkingDir: "/srv" }],
  ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
  [
    "HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f localhost",
    { Healthcheck: { Test: ["CMD-SHELL", "curl -f localhost"], Interval: 90e9, Retries: 3 } },
  ],
  ['HEALTHCHECK CMD ["true"]', { Healthcheck: { Test: ["CMD", "true"] } }],
])("%s", (text, expected) => {
  expect(apply(text)).toEqual(expected);
});

test("later ones win, and what they do not touch stays", () => {
  expect(apply("ENV A=1 B=2", "ENV A=3", "WORKDIR /srv", "WORKDIR app", "CMD a", "CMD b", "LABEL x=1", "LABEL y=2")).toEqual({
    Env: ["A=3", "B=2"],
    WorkingDir: "/srv/app",
    Cmd: ["/bin/sh", "-c", "b"],
    Labels: { x: "1", y: "2" },
  });
});

test.each([
  ["RUN make", /RUN is not a valid change command/],
  ["", /not a valid change command/],
  ["ENV", /requires at least one argument/],
  ["ENV A", /a name and a value/],
  ['LABEL a="b', /quote is not closed/],
  ["EXPOSE http", /http is no port/],
  ["EXPOSE 70000", /70000 is no port/],
  ["USER a b", /exactly one/],
  ["ONBUILD FROM x", /isn't allowed as an ONBUILD trigger/],
  ["HEALTHCHECK CMD", /HEALTHCHECK needs/],
  ["HEALTHCHECK --interval=soon CMD x", /cannot be read/],
])("refused: %s", (text, message) => {
  expect(() => apply(text)).toThrow(message);
});
