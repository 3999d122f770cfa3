export interface EngineEvent {
  readonly time: Date;
  readonly type: "image" | "container";
  readonly action:
    | "pull"
    | "push"
    | "load"
    | "save"
    | "import"
    | "squash"
    | "mount"
    | "unmount"
    | "tag"
    | "untag"
    | "delete"
    | "create"
    | "start"
    | "die"
    | "kill"
    | "stop"
    | "restart"
    | "rename"
    | "top"
    | "exec"
    | "commit"
    | "destroy"
    | "pause"
    | "unpause";
  /** Of the image or container. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}
