import type { BuildEvent } from "ramekin";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OutputTail } from "../src/build/progress/output-tail.ts";
import { type BuildProgress, watchBuild } from "../src/build/progress/watch-build.ts";
import type { OutputStream } from "../src/context.ts";
import { cutToWidth, textWidth } from "../src/terminal/text-width.ts";
import { Screen } from "./screen.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance", "Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const begin = (step: number, name: string): BuildEvent => ({ type: "begin", step, name });
const output = (step: number, text: string): BuildEvent => ({ type: "output", step, stream: "stdout", bytes: Buffer.from(text) });
const end = (step: number, more: Partial<Extract<BuildEvent, { type: "end" }>> = {}): BuildEvent => ({
  type: "end",
  step,
  cached: false,
  cancelled: false,
  milliseconds: 0,
  ...more,
});
const warning: BuildEvent = {
  type: "warning",
  step: 1,
  message: "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)",
  warning: {
    rule: "FromAsCasing",
    message: "'as' and 'FROM' keywords' casing do not match",
    description: "The 'as' keyword should match the case of the 'from' keyword",
    url: "https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
    file: "Dockerfile",
    lines: [1, 1],
    excerpt: "Dockerfile:1\n---",
  },
};

function watching(mode: string, { columns = 60, rows = 24, tty = true, environment = {} } = {}) {
  const screen = new Screen(columns, rows);
  const stderr = Object.assign(screen, { isTTY: tty }) as unknown as OutputStream;
  return { screen, progress: watchBuild({ stderr, environment, logLevel: "warn" }, mode) };
}

function take(progress: BuildProgress, ...events: readonly BuildEvent[]): void {
  for (const event of events) progress.take(event);
}

test("on a terminal a line a step, its time at the right, its output below while it runs", () => {
  const { screen, progress } = watching("auto");
  take(progress, begin(1, "[internal] load build definition from Dockerfile"));
  take(progress, { type: "part", step: 1, name: "transferring dockerfile:", bytes: 36, done: true }, end(1), { type: "plan", steps: 5 });
  take(progress, begin(2, "[1/3] FROM busybox"), end(2), begin(3, "[2/3] RUN make"), end(3, { cached: true }), begin(4, "[3/3] RUN test"));
  take(progress, output(4, "one\ntwo\nper cent 10\rper cent 99"));
  vi.advanceTimersByTime(1200);
  expect(screen.text).toBe(
    [
      "[+] Building 1.2s (3/5)",
      " => [internal] load build definition from Dockerfile   0.0s",
      " => => transferring dockerfile: 36B                    0.0s",
      " => [1/3] FROM busybox                                 0.0s",
      " => CACHED [2/3] RUN make                              0.0s",
      " => [3/3] RUN test                                     1.2s",
      " => => # one",
      " => => # two",
      " => => # per cent 99",
    ].join("\n"),
  );
  for (let line = 0; line < 9; line++) take(progress, output(4, `\nline ${line}`));
  vi.advanceTimersByTime(100);
  expect(screen.text.split("\n").slice(6)).toEqual([3, 4, 5, 6, 7, 8].map((line) => ` => => # line ${line}`));
  take(progress, end(4, { milliseconds: 1300 }), begin(5, "exporting to image"), end(5));
  progress[Symbol.dispose]();
  expect(screen.text.split("\n")).toEqual([
    "[+] Building 1.3s (5/5) FINISHED",
    " => [internal] load build definition from Dockerfile   0.0s",
    " => => transferring dockerfile: 36B                    0.0s",
    " => [1/3] FROM busybox                                 0.0s",
    " => CACHED [2/3] RUN make                              0.0s",
    " => [3/3] RUN test                                     1.3s",
    " => exporting to image                                 0.0s",
  ]);
  expect([screen.broken, screen.cursorVisible, screen.styled.has("\x1b[34m")]).toEqual([false, true, true]);
  // A frame is one write that overwrites: nothing is cleared before it is there again.
  expect(screen.writes.every((text) => text.startsWith("\x1b[?25l") && text.endsWith("\x1b[J\x1b[?25h"))).toBe(true);
});

test("no line is wider than the terminal, no frame higher, whatever is in them", () => {
  for (const columns of [1, 5, 12, 20, 39, 80]) {
    for (const rows of [3, 10, 24]) {
      const { screen, progress } = watching("tty", { columns, rows });
      for (let step = 1; step < 40; step++) {
        take(progress, begin(step, `[stage ${step}/40] RUN echo \u6f22\u5b57\u{1f980}e\u0301 \x1b[31m\t${"x".repeat(step * 3)}`));
        take(progress, output(step, `\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\n${"wide ".repeat(40)}\n`));
        if (step % 3 !== 0) take(progress, end(step, { milliseconds: 61_000 }));
        vi.advanceTimersByTime(100);
        expect(screen.text.split("\n").length).toBeLessThan(rows);
      }
      expect([columns, rows, screen.broken, screen.cursorVisible]).toEqual([columns, rows, false, true]);
      progress[Symbol.dispose]();
      if (columns > 5) expect(screen.text.split("\n").length).toBeGreaterThan(39);
    }
  }
});

test("a narrower terminal, whose lines break, is painted over whole", () => {
  const { screen, progress } = watching("tty", { columns: 80 });
  take(progress, begin(1, "a"), begin(2, "b"));
  vi.advanceTimersByTime(100);
  screen.columns = 30;
  vi.advanceTimersByTime(100);
  // Two lines of 79 columns take three rows each where there are 30.
  expect(screen.writes.at(-1)).toContain("\x1b[7A");
  progress[Symbol.dispose]();
});

test("what fails, and what is stopped by it, is marked; its last lines come after", () => {
  const { screen, progress } = watching("tty", { environment: { NO_COLOR: "1" } });
  take(progress, begin(1, "[a 1/1] RUN false"), begin(2, "[b 1/1] RUN sleep 9"), output(1, "last words\nno end"), output(2, "unheard\n"));
  take(progress, end(1, { error: "exit code: 1" }), end(2, { error: "stopped", cancelled: true }));
  progress[Symbol.dispose]();
  expect(screen.text.split("\n")).toEqual([
    "[+] Building 0.0s (2/2) FINISHED",
    " => ERROR [a 1/1] RUN false                            0.0s",
    " => CANCELED [b 1/1] RUN sleep 9                       0.0s",
    "------",
    " > [a 1/1] RUN false:",
    "0.000 last words",
    "0.000 no end",
    "------",
  ]);
  expect(screen.styled.size).toBe(0);
});

test("a pause leaves the terminal alone, and what happened meanwhile is shown afterwards", () => {
  const { screen, progress } = watching("tty");
  take(progress, begin(1, "first"));
  const pause = progress.pause();
  screen.write("somebody else's\n");
  take(progress, end(1), begin(2, "second"));
  vi.advanceTimersByTime(500);
  expect(screen.text).toMatch(/else's$/);
  pause[Symbol.dispose]();
  vi.advanceTimersByTime(100);
  expect(screen.text).toMatch(/else's\n\[\+\] Building 0\.6s \(1\/2\)\n => first .*\n => second /);
  progress[Symbol.dispose]();
});

test("plain lines: each step under its heading, those that run at once in turns, warnings at the end", () => {
  const { screen, progress } = watching("auto", { tty: false });
  take(progress, begin(1, "load"), { type: "part", step: 1, name: "transferring dockerfile:", bytes: 2100, done: true }, end(1), warning);
  take(progress, begin(2, "RUN one"), begin(3, "RUN two"), output(2, "a\n"), output(3, "b\n"), output(2, "c"));
  take(progress, end(3, { milliseconds: 1250 }), end(2, { error: "exit code: 7\nmore" }), begin(4, "RUN three"), end(4, { cached: true }));
  progress[Symbol.dispose]();
  expect(screen.text.split("\n")).toEqual([
    ...[
      "#1 load",
      "#1 transferring dockerfile: 2.10kB done",
      "#1 DONE 0.0s",
      "",
      "#1 load",
      `#1 WARN: ${warning.message}`,
      "#1 DONE 0.0s",
      "",
    ],
    ...["#2 RUN one", "#2 0.000 a", "#2 ...", "", "#3 RUN two", "#3 0.000 b", "#3 DONE 1.3s", "", "#2 RUN one", "#2 0.000 c"],
    ...["#2 ERROR: exit code: 7", "", "#4 RUN three", "#4 CACHED"],
    ...["------", " > RUN one:", "0.000 a", "0.000 c", "------"],
    ...["", " 1 warning found (use --log-level debug to expand):", ` - ${warning.message}`],
  ]);
});

test("a step that goes on printing lets others speak after five seconds", () => {
  const { screen, progress } = watching("plain", { tty: false });
  take(progress, begin(1, "loud"), begin(2, "patient"), output(1, "a\n"), output(2, "held\n"));
  expect(screen.text).not.toContain("held");
  vi.advanceTimersByTime(5001);
  take(progress, output(2, "now\n"));
  expect(screen.text).toMatch(/#1 \.\.\.\n\n#2 patient\n#2 0\.000 held\n#2 5\.001 now$/);
  progress[Symbol.dispose]();
});

test("rawjson is BuildKit's solve status", () => {
  const { screen, progress } = watching("rawjson", { tty: false });
  take(progress, begin(1, "load"), output(1, "x\n"), { type: "part", step: 1, name: "transferring", bytes: 3, done: true }, warning);
  take(
    progress,
    end(1, { cached: true }),
    begin(2, "RUN"),
    end(2, { error: "bad" }),
    begin(3, "RUN"),
    end(3, { error: "x", cancelled: true }),
  );
  progress[Symbol.dispose]();
  const documents = screen.text.split("\n").map((line) => JSON.parse(line));
  const { digest } = documents[0].vertexes[0];
  expect(documents).toEqual([
    { vertexes: [{ digest: expect.stringMatching(/^sha256:/), name: "load", started: expect.any(String) }] },
    { logs: [{ vertex: digest, stream: 1, data: "eAo=", timestamp: expect.any(String) }] },
    { statuses: [expect.objectContaining({ id: "transferring", vertex: digest, current: 3, completed: expect.any(String) })] },
    {
      warnings: [
        expect.objectContaining({ vertex: digest, level: 1, url: expect.any(String), range: [{ start: { line: 1 }, end: { line: 1 } }] }),
      ],
    },
    { vertexes: [expect.objectContaining({ digest, cached: true, completed: expect.any(String) })] },
    expect.anything(),
    { vertexes: [expect.objectContaining({ error: "bad" })] },
    expect.anything(),
    { vertexes: [expect.objectContaining({ error: "context canceled" })] },
  ]);
});

test("[build --progress] quiet says nothing, and tty needs a terminal", () => {
  const { screen, progress } = watching("quiet");
  take(progress, begin(1, "x"), warning, end(1, { error: "y" }));
  progress[Symbol.dispose]();
  expect(screen.text).toBe("");
  expect(() => watching("tty", { tty: false })).toThrow("stderr is no terminal");
});

test("the tail of output is what a terminal would show", () => {
  const rows = (text: string, columns = 20) => {
    const tail = new OutputTail(20);
    for (const byte of Buffer.from(text)) tail.write(Uint8Array.of(byte));
    return tail.rows(columns, 6);
  };
  expect(rows("\x1b[31mred\x1b[0m \x1b]0;title\x07text\x1b(B")).toEqual(["red text"]);
  expect(rows("12345\rab\x1b[K\nxyz\x1b[2K\n")).toEqual(["ab"]);
  expect(rows("ab\b\bcd\n\n\ntab\tstop\x00")).toEqual(["cd", "tab     stop"]);
  expect(rows("\u6f22\u5b57\u6f22", 5)).toEqual(["\u6f22\u5b57", "\u6f22"]);
  expect(rows("unfinished \x1b[3")).toEqual(["unfinished "]);
});

test("widths: wide characters take two columns, marks none", () => {
  expect([textWidth("abc"), textWidth("\u6f22\u5b57"), textWidth("\u{1f980}"), textWidth("e\u0301"), textWidth("\u00e9\u2713")]).toEqual([
    3, 4, 2, 1, 2,
  ]);
  expect([cutToWidth("\u6f22\u5b57", 3), cutToWidth("\u6f22\u5b57", 4), cutToWidth("abc", 0)]).toEqual(["\u6f22", "\u6f22\u5b57", ""]);
});
