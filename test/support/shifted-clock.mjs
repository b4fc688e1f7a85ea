/** Loaded before a process (`--import`): its clock is CLOCK_SHIFT_MS ahead of the machine's, or behind it when that is below 0. */
const SHIFT_MS = Number(process.env["CLOCK_SHIFT_MS"] ?? 0);
const Machine = Date;

globalThis.Date = new Proxy(Machine, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [Machine.now() + SHIFT_MS] : args, made),
  get: (target, name) => (name === "now" ? () => Machine.now() + SHIFT_MS : Reflect.get(target, name)),
});
