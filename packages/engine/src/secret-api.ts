import type { Cancellable } from "@ramekin/core";

/** What containers may know and nobody else reads; a part of `Engine`. The content comes out of the store only into a container. */
export interface Secrets {
  /** ALREADY_EXISTS for a name in use, unless `replace`. At most 512000 bytes. */
  create(name: string, content: Uint8Array, options?: SecretDraft): Promise<Secret>;
  /** By name. */
  list(options?: Cancellable): Promise<readonly Secret[]>;
  /** By name, id or the beginning of one. */
  inspect(nameOrId: string, options?: Cancellable): Promise<Secret>;
  /** FAILED_PRECONDITION while a container has it, running or not. */
  remove(nameOrId: string, options?: Cancellable): Promise<Secret>;
}

export interface SecretDraft extends Cancellable {
  readonly labels?: Readonly<Record<string, string>>;
  /** In place of one of that name: containers that have that one get the new one when they start again. */
  readonly replace?: boolean;
}

export interface Secret {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly labels: Readonly<Record<string, string>>;
}
