import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By path, so that runs compare; what looks for leaks comes last. */
export default class Sequence extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const key = ({ moduleId }: TestSpecification) => `${moduleId.includes("/leaks/") ? 1 : 0}${moduleId}`;
    return files.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}
