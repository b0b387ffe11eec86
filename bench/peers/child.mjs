// One contestant in a process of its own; started by processes.mjs. arguments: PEER FOLDER
import { nodeHost } from "./hosts/node.mjs";
import { Session } from "./session.mjs";

const [peerName, folder] = process.argv.slice(2);
const session = new Session(nodeHost(folder), peerName);

process.on("message", async ({ method, argument }) => {
  try {
    process.send({ result: (await session[method](argument)) ?? null });
  } catch (error) {
    process.send({ error: String(error?.message ?? error).split("\n")[0] });
  }
});
process.on("disconnect", () => process.exit(0));
process.send({ result: { node: process.version, v8: process.versions.v8 } });
