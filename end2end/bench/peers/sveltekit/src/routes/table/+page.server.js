import { randomUUID } from "node:crypto";

const rows = Array.from({ length: 1000 }, () => ({ id: randomUUID(), name: randomUUID() }));

export const load = () => ({ rows });
