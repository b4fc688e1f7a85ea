/** The process with the worker of a queue: `node worker.mjs <name> <url>`. It works until it is killed. */
import { QUEUES } from "./queues.mjs";

const [name, url = ""] = process.argv.slice(2);
const queue = QUEUES.find((one) => one.name === name);
if (queue === undefined) throw new Error(`there is no queue ${name}`);
await queue.work(url);
process.send?.("ready");
