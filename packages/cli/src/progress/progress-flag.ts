/** Of verbs that move blobs. */
export const progressFlag = {
  type: "string",
  summary: "How progress is shown: as the output is a terminal or not, when absent",
  choices: ["json", "plain", "tty"],
} as const;
