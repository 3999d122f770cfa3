import type { EvaluatedStage } from "@ramekin/dockerfile";

/** What the steps of a stage are called, as BuildKit has it: `[build 2/7] RUN make`; a stage that is alone has no name. */
export class StepTitles {
  readonly #stage: string;
  readonly #total: number;
  /** FROM counts where it names something that was not made here. */
  readonly #from: number;

  constructor({ stage, steps }: EvaluatedStage, stages: number) {
    this.#stage = stages > 1 ? `${stage.name} ` : "";
    this.#from = stage.base.kind === "image" || stage.base.kind === "context" ? 1 : 0;
    this.#total = steps.length + this.#from;
  }

  first(text: string): string {
    return this.#title(1, text);
  }

  step(index: number, text: string): string {
    return this.#title(index + 1 + this.#from, text);
  }

  #title(number: number, text: string): string {
    const total = String(this.#total);
    return `[${this.#stage}${String(number).padStart(total.length)}/${total}] ${text}`;
  }
}
