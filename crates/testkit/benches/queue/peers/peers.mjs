// Other queues at the same work, on the PostgreSQL named by DATABASE_URL: peers.mjs WHO WHAT [NUMBER …]
// Prints one line of JSON. A figure is printed only if every job was done, and in its customer's order.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";

const [who, what, ...rest] = process.argv.slice(2);
const connectionString = process.env.DATABASE_URL;
const numbers = rest.map(Number);

const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))];
const say = (result) => console.log(JSON.stringify({ who, what, ...result }));

/** What was done, by customer; refuses a job that began before the one before it had ended. */
class Order {
  done = 0;
  last = new Map();
  running = new Set();
  begin(customer, n) {
    if (this.running.has(customer)) throw new Error(`${customer} runs two at once`);
    if ((this.last.get(customer) ?? -1) + 1 !== n) throw new Error(`${customer}: ${n} is out of its order`);
    this.running.add(customer);
  }
  end(customer, n) {
    this.last.set(customer, n);
    this.running.delete(customer);
    this.done += 1;
  }
}

async function until(condition) {
  while (!condition()) await sleep(5);
}

/** B10: somebody holds a snapshot of everything while the jobs are done. */
async function snapshotHeld() {
  if (what !== "b10") return;
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await client.query("SELECT count(*) FROM pg_class");
}

/** B9: how long a killed worker's job is waited for before it counts as not run again. */
const PATIENCE = 60_000;

/** B9: a long job says that it has begun, by the process it runs in. */
async function long() {
  writeFileSync(join(rest[0], String(process.pid)), "");
  await sleep(30_000);
}

/** B9: kills the only worker in the middle of its job, starts another at once, and waits until the job runs there. */
async function killed() {
  const marks = mkdtempSync(join(tmpdir(), "marks-"));
  const worker = () =>
    spawn(process.execPath, [fileURLToPath(import.meta.url), who, "b9-worker", marks], { stdio: "ignore" });
  const first = worker();
  const runsIn = () => readdirSync(marks).find((pid) => pid !== String(first.pid));
  await until(() => readdirSync(marks).length === 1);
  await sleep(1000);
  first.kill("SIGKILL");
  const began = performance.now();
  const second = worker();
  await until(() => runsIn() || performance.now() - began > PATIENCE);
  const seconds = (performance.now() - began) / 1000;
  second.kill("SIGKILL");
  say({ seconds: seconds * 1000 > PATIENCE ? null : seconds });
}

async function graphile() {
  const { run, makeWorkerUtils, Logger } = await import("graphile-worker");
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  const start = (taskList, concurrency) =>
    run({ connectionString, concurrency, noHandleSignals: true, pollInterval: 2000, taskList, logger });
  if (what === "b9") {
    await utils.addJob("long", {});
    await killed();
  } else if (what === "b9-worker") {
    await start({ long }, 1);
    await sleep(PATIENCE * 2);
  } else if (what === "b1" || what === "b10") {
    const [customers, each, concurrency = 8] = numbers;
    for (let n = 0; n < each; n += 1) {
      const jobs = Array.from({ length: customers }, (_, c) => ({
        identifier: "noop",
        payload: { c, n },
        queueName: `customer-${c}`,
      }));
      await utils.addJobs(jobs);
    }
    await analyze();
    await snapshotHeld();
    const order = new Order();
    const noop = async ({ c, n }) => {
      order.begin(c, n);
      order.end(c, n);
    };
    const began = performance.now();
    const runner = await start({ noop }, concurrency);
    await until(() => order.done === customers * each);
    const seconds = (performance.now() - began) / 1000;
    await runner.stop();
    say({ rate: order.done / seconds });
  } else if (what === "b3") {
    const [samples] = numbers;
    let started;
    const runner = await start({ noop: async () => void (started = performance.now()) }, 8);
    await sleep(500);
    const times = [];
    for (let i = 0; i < samples; i += 1) {
      started = undefined;
      await utils.addJob("noop", {});
      const accepted = performance.now();
      while (started === undefined) await new Promise(setImmediate);
      times.push(Math.max(0, started - accepted));
      await sleep(3);
    }
    await runner.stop();
    times.sort((a, b) => a - b);
    say({ p50: percentile(times, 50), p99: percentile(times, 99) });
  }
  await utils.release();
}

async function pgboss() {
  const { PgBoss } = await import("pg-boss");
  const [customers, each, batchSize = 100] = numbers;
  // What looks for jobs of dead workers is part of what is measured there.
  const supervise = what.startsWith("b9");
  const boss = new PgBoss({ connectionString, supervise, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  if (what === "b9") {
    await boss.createQueue("long");
    await boss.send("long", {});
    return killed();
  }
  if (what === "b9-worker") {
    await boss.work("long", long);
    await sleep(PATIENCE * 2);
  }
  await boss.createQueue("bench", { policy: "key_strict_fifo" });
  for (let n = 0; n < each; n += 1) {
    const jobs = Array.from({ length: customers }, (_, c) => ({ data: { c, n }, singletonKey: `customer-${c}` }));
    await boss.insert("bench", jobs);
  }
  await analyze();
  await snapshotHeld();
  const order = new Order();
  const began = performance.now();
  const loop = async () => {
    while (order.done < customers * each) {
      const jobs = await boss.fetch("bench", { batchSize });
      for (const { data } of jobs) order.begin(data.c, data.n);
      for (const { data } of jobs) order.end(data.c, data.n);
      if (jobs.length) await boss.complete("bench", jobs.map((j) => j.id));
      else await sleep(1);
    }
  };
  // One consumer: several would hand out what the order above counts as ended before it is committed.
  await loop();
  const seconds = (performance.now() - began) / 1000;
  await boss.stop({ graceful: false });
  say({ rate: order.done / seconds, batchSize });
}

async function dbos() {
  const { DBOS } = await import("@dbos-inc/dbos-sdk");
  const [runs] = numbers;
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: connectionString, logLevel: "error", runAdminServer: false });
  const workflow = DBOS.registerWorkflow(
    async (steps) => {
      for (let i = 0; i < steps; i += 1) await DBOS.runStep(async () => i, { name: `s${i}` });
    },
    { name: "bench" },
  );
  const longOne = DBOS.registerWorkflow(async () => DBOS.runStep(long, { name: "long" }), { name: "long" });
  await DBOS.launch();
  if (what === "b9") {
    await DBOS.shutdown();
    return killed();
  }
  if (what === "b9-worker") {
    // The first process begins it; one that comes after it finds it begun.
    await DBOS.startWorkflow(longOne, { workflowID: "the-long-one" })();
    await sleep(PATIENCE * 2);
  }
  const medians = [];
  for (const steps of [1, 10]) {
    const times = [];
    for (let i = 0; i < runs; i += 1) {
      const began = performance.now();
      await workflow(steps);
      times.push(performance.now() - began);
      await sleep(3);
    }
    times.sort((a, b) => a - b);
    medians.push(percentile(times, 50));
  }
  await DBOS.shutdown();
  say({ step_ms: (medians[1] - medians[0]) / 9 });
}

async function analyze() {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("VACUUM ANALYZE");
  await client.end();
}

await { graphile, pgboss, dbos }[who]();
process.exit(0);
