import { randomUUID } from "node:crypto";
import type { Ids } from "../actors/ports.ts";

export const randomIds: Ids = { next: () => randomUUID() };
