import { RamekinError } from "@ramekin/core";

/** What a frame carries (ARCHITECTURE.md, "The protocol"). */
export const channel = { control: 0, stdin: 1, stdout: 2, stderr: 3 } as const;
export type Channel = (typeof channel)[keyof typeof channel];

export const maxPayload = 1 << 20;
const headerSize = 5;

export type Message = Readonly<Record<string, unknown>>;

export interface FrameHandlers {
  /** A piece of a frame, as it lies in the chunk that it came in: nothing is copied, and a frame may come in many pieces. */
  data(channel: number, bytes: Uint8Array): void;
  control(message: Message): void;
}

/** Takes chunks as the socket gives them, cut anywhere. Throws DATA_LOSS when they are not frames; it is of no use then. */
export function frameReader({ data, control }: FrameHandlers): (chunk: Uint8Array) => void {
  const header = new Uint8Array(headerSize);
  const view = new DataView(header.buffer);
  let headerFilled = 0;
  let remaining = 0;
  let current = 0;
  let parts: Uint8Array[] = [];

  const finishControl = () => {
    const text = Buffer.concat(parts).toString();
    parts = [];
    control(parseMessage(text));
  };

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (headerFilled < headerSize) {
        const taken = Math.min(headerSize - headerFilled, chunk.length - at);
        header.set(chunk.subarray(at, at + taken), headerFilled);
        headerFilled += taken;
        at += taken;
        if (headerFilled < headerSize) return;
        remaining = view.getUint32(0);
        current = header[4] as number;
        if (remaining > maxPayload) throw new RamekinError("DATA_LOSS", `a frame of ${remaining} bytes, more than ${maxPayload}`);
      }
      const piece = chunk.subarray(at, at + remaining);
      at += piece.length;
      remaining -= piece.length;
      if (current === channel.control) parts.push(piece);
      else if (piece.length > 0) data(current, piece);
      if (remaining > 0) return;
      headerFilled = 0;
      if (current === channel.control) finishControl();
    }
  };
}

export function frameHeader(channel: Channel, size: number): Uint8Array {
  const header = Buffer.allocUnsafe(headerSize);
  header.writeUInt32BE(size, 0);
  header[4] = channel;
  return header;
}

export function controlFrame(message: Message): Uint8Array {
  const payload = Buffer.from(JSON.stringify(message));
  return Buffer.concat([frameHeader(channel.control, payload.length), payload]);
}

function parseMessage(text: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RamekinError("DATA_LOSS", `a control frame that is not JSON: ${text.slice(0, 100)}`, { cause });
  }
  if (typeof value !== "object" || value === null)
    throw new RamekinError("DATA_LOSS", `a control frame that is no object: ${text.slice(0, 100)}`);
  return value as Message;
}
