import { RamekinError } from "@ramekin/core";
import { answerOf } from "./answer.ts";
import { connect, Gone, isGone, request } from "./connection.ts";
import { controlFrame, frameReader, type Message } from "./frame.ts";

/** Pauses the container for as long as the connection is there: the kernel closes it when this process ends, however it does. */
export async function hold(directory: string, id: string): Promise<AsyncDisposable> {
  const ended = () => new RamekinError("FAILED_PRECONDITION", `container ${id} has ended`);
  try {
    const socket = await connect(directory);
    try {
      const answer = await new Promise<Message>((resolve, reject) => {
        const take = frameReader({ data() {}, control: resolve });
        socket.on("data", take);
        socket.once("error", () => reject(new Gone(directory, true)));
        socket.once("close", () => reject(new Gone(directory, true)));
        socket.write(controlFrame({ v: 1, op: "hold" }));
      });
      answerOf(answer);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    let over = false;
    // The supervisor closes it when somebody else has resumed the container: a later pause is not ours to end.
    socket.once("end", () => {
      over = true;
    });
    return {
      async [Symbol.asyncDispose]() {
        try {
          if (over || socket.closed) return;
          await request(directory, { op: "resume" }); // and not by closing alone: this answers when it runs again
        } catch (error) {
          // Resumed at the same moment, or killed.
          if (!isGone(error) && !(error instanceof RamekinError && error.code === "FAILED_PRECONDITION")) throw error;
        } finally {
          socket.destroy();
        }
      },
    };
  } catch (error) {
    throw isGone(error) ? ended() : error;
  }
}
