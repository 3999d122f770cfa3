// Starts a container that dies with this process, says who that is, and waits to be killed.
import { createRamekin } from "ramekin";

const engine = await createRamekin();
const container = await engine.run({ image: "busybox", command: ["sleep", "1000"], dieWithParent: true, autoRemove: true });
const { pid, id } = await container.inspect();
console.log(`${pid} ${id}`);
setInterval(() => {}, 1 << 30);
