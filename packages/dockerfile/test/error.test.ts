import { RamekinError } from "@ramekin/core";
import { expect, test } from "vitest";
import { DockerfileError, parseDockerfile } from "../src/index.ts";

function errorsOf(text: string): readonly RamekinError[] {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (error instanceof RamekinError) return error.errors.length > 0 ? error.errors : [error];
    throw error;
  }
  return [];
}

test("[BLD-1] an error has the file, line and column, the line itself, a caret and a hint", () => {
  const [error] = errorsOf("FROM a\n\tRUNN echo\n");
  expect(error?.message).toBe("Dockerfile:2:2: unknown instruction: RUNN\n 2 | \tRUNN echo\n   | \t^^^^");
  expect(error?.hint).toBe("did you mean RUN?");
  expect(error?.code).toBe("INVALID_ARGUMENT");
});

test("[BLD-1] the caret is under the flag in a line that was joined", () => {
  const [error] = errorsOf("FROM a\nCOPY --link \\\n  # why\n  --form=x \\\n  a b");
  expect(error?.message).toBe("Dockerfile:4:3: unknown flag: --form\n 4 |   --form=x \\\n   |   ^^^^^^^^");
  expect(error?.hint).toBe("did you mean --from?");
});

test("[BLD-1] everything that is wrong is told at once, in the order of the file", () => {
  const told = errorsOf("FROM a\nRUNN x\nCOPY a\nENV\nFROM b c\nUSER u\nVOLUME\n").map(
    (error) => error instanceof DockerfileError && `${error.range.start.line} ${error.reason}`,
  );
  expect(told).toEqual([
    "2 unknown instruction: RUNN",
    "3 COPY requires at least two arguments, but only one was provided. Destination could not be determined",
    "4 ENV requires at least one argument",
    "5 FROM requires either one or three arguments",
    "7 VOLUME requires at least one argument",
  ]);
});

test("[BLD-1] what follows a broken first FROM is not told to be outside a stage", () => {
  expect(errorsOf("FROM a b c d\nRUN x\n")).toHaveLength(1);
});

// The reasons are BuildKit's.
test.each<[string, string]>([
  ["", "the Dockerfile cannot be empty"],
  ["# only a comment\n", "file with no instructions"],
  ["ARG x\n", "dockerfile contains no stages to build"],
  ["RUN x\n", "no build stage in current context"],
  ["# escape=x\nFROM a", "invalid escape token 'x' does not match ` or \\"],
  ["# escape=\\\n# escape=\\\nFROM a", "only one escape parser directive can be used"],
  ["FROM a AS 1b", `invalid name for build stage: "1b", name can't start with a number or contain symbols`],
  ["FROM a\nRUN --mount=from=$x,target=/y z", "'from' doesn't support variable expansion, define alias stage instead"],
  ["FROM a\nRUN --network=bridge x", 'invalid network mode "bridge"'],
  ["FROM a\nRUN --security=none x", 'security "none" is not valid'],
  ["FROM a\nRUN --device=a,b x", "invalid field 'b' must be a key=value pair"],
  ["FROM a\nRUN --device=a,requird=1 x", "unexpected key 'requird' in 'requird=1'"],
  ['FROM a\nRUN ["a", 1]', "when using JSON array syntax, arrays must be comprised of strings only"],
  ["FROM a\nRUN <<EOF\nx", "unterminated heredoc"],
  ["FROM a\nCOPY --link=maybe a b", "expecting boolean value for flag --link, not: maybe"],
  ["FROM a\nCOPY --link= a b", "missing a value on flag: --link"],
  ["FROM a\nCOPY --from a b", "missing a value on flag: --from"],
  ["FROM a\nCOPY --from=a --from=b a b", "duplicate flag specified: --from"],
  ["FROM a\nCOPY a <<EOF\nEOF", "COPY cannot accept a heredoc as a destination"],
  ["FROM a\nADD a", "ADD requires at least two arguments, but only one was provided. Destination could not be determined"],
  ["FROM a\nENV x", "ENV must have two arguments"],
  ["FROM a\nENV a=b c", `Syntax error - can't find = in "c". Must be of the form: name=value`],
  ["FROM a\nLABEL =x", "LABEL names can not be blank"],
  ["FROM a\nARG", "ARG requires at least one argument"],
  ["FROM a\nARG =x", "ARG names can not be blank"],
  ["FROM a\nUSER", "USER requires exactly one argument"],
  ["FROM a\nCMD --x", "unknown flag: --x"],
  ["FROM a\nEXPOSE", "EXPOSE requires at least one argument"],
  ['FROM a\nVOLUME [""]', "VOLUME specified can not be an empty string"],
  ["FROM a\nSHELL []", "SHELL requires at least one argument"],
  ["FROM a\nSHELL sh -c", "SHELL requires the arguments to be in JSON form"],
  ["FROM a\nHEALTHCHECK", "HEALTHCHECK requires at least one argument"],
  ["FROM a\nHEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
  ["FROM a\nHEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
  ["FROM a\nHEALTHCHECK curl", 'Unknown type "CURL" in HEALTHCHECK (try CMD)'],
  ["FROM a\nHEALTHCHECK --interval=1 CMD x", 'time: invalid duration "1"'],
  ["FROM a\nHEALTHCHECK --timeout=1us CMD x", 'Interval "timeout" cannot be less than 1ms'],
  ["FROM a\nHEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"],
  ["FROM a\nONBUILD", "ONBUILD requires at least one argument"],
  ["FROM a\nONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ["FROM a\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
])("[BLD-1] %j: %s", (text, reason) => {
  expect(errorsOf(text).map((error) => error instanceof DockerfileError && error.reason)).toEqual([reason]);
});
