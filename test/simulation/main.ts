/**
 * Simulated clusters for as long as one likes:
 *
 *   npm run simulate -- --seed N [--steps M] [--mutation fence]   one history, printed; mutations are in store.ts
 *   npm run simulate -- --seeds K [--from N] [--steps M]                      many, on all cores
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { STEPS_DEFAULT, simulate } from "./run.ts";
import { MUTATIONS } from "./store.ts";

interface Tally {
  readonly seeds: number;
  readonly answers: number;
  readonly tasks: number;
  readonly elapsed: number;
  readonly failed: readonly number[];
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: String(STEPS_DEFAULT) },
    mutation: { type: "string", default: "none" },
    stride: { type: "string" },
  },
});
const steps = Number(values.steps);
const mutation = MUTATIONS.find((name) => name === values.mutation);
if (mutation === undefined) throw new Error(`--mutation must be one of ${MUTATIONS.join(", ")}`);

const print = (line: string) => process.stdout.write(`${line}\n`);

async function one(seed: number): Promise<void> {
  const { wrong, history, answers, tasks, elapsed } = await simulate(seed, steps, mutation);
  for (const line of history) print(line);
  print(`seed ${seed}: ${answers} answers, ${tasks} tasks, ${Math.round(elapsed / 1_000)} s of simulated time`);
  for (const line of wrong) print(`WRONG ${line}`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

/** The seeds of one process: every stride-th of them. */
async function part(from: number, count: number, stride: number): Promise<void> {
  const failed: number[] = [];
  const sum = { seeds: 0, answers: 0, tasks: 0, elapsed: 0 };
  for (let seed = from; seed < from + count; seed += stride) {
    const { wrong, answers, tasks, elapsed } = await simulate(seed, steps, mutation);
    sum.seeds += 1;
    sum.answers += answers;
    sum.tasks += tasks;
    sum.elapsed += elapsed;
    if (wrong.length === 0) continue;
    failed.push(seed);
    print(`seed ${seed}: ${wrong[0]}`);
  }
  process.send?.({ ...sum, failed });
  process.disconnect?.();
}

async function all(from: number, count: number): Promise<void> {
  const started = performance.now();
  const cores = availableParallelism();
  const tallies = await Promise.all(
    Array.from({ length: cores }, (_, core) => {
      const args = [
        "--from",
        String(from + core),
        "--seeds",
        String(count - core),
        "--steps",
        String(steps),
        "--stride",
        String(cores),
      ];
      const child = fork(fileURLToPath(import.meta.url), [...args, "--mutation", String(mutation)]);
      return new Promise<Tally>((resolve, reject) => {
        child.once("message", (tally) => resolve(tally as Tally));
        child.once("exit", (code) => reject(new Error(`a part of the simulation ended with ${code}`)));
      });
    }),
  );
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const failed = tallies.flatMap((tally) => tally.failed).sort((a, b) => a - b);
  const hours = sum(({ elapsed }) => elapsed) / 3_600_000;
  print(
    `${sum(({ seeds }) => seeds)} seeds, ${sum(({ answers }) => answers)} answers, ${sum(({ tasks }) => tasks)} tasks, ` +
      `${hours.toFixed(1)} h of simulated time in ${Math.round((performance.now() - started) / 1_000)} s`,
  );
  print(failed.length === 0 ? "all promises held" : `${failed.length} seeds failed: ${failed.slice(0, 20).join(" ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

if (values.seed !== undefined) await one(Number(values.seed));
else if (values.stride !== undefined) await part(Number(values.from), Number(values.seeds), Number(values.stride));
else await all(Number(values.from), Number(values.seeds ?? 300));
