// What pages cost on the server, beside SvelteKit and a bare Node, in the same run: B5, B6, B8 and what a process needs.
// The server is on one core, whatever loads it on the other; a figure is the middle of three runs.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Database from "better-sqlite3";

const { PAGES, SLIPWAY, SITE, SVELTE } = process.env;
const SECONDS = Number(process.env.SECONDS ?? 10);
const STREAMS = Number(process.env.STREAMS ?? 10_000);
const only = process.argv.slice(2);
const wanted = (name) => !only.length || only.includes(name);
const children = [];
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

/** A program on the first core. `lines` gives what it prints, one line at a time. */
function start(command, args, env = {}) {
  const child = spawn("taskset", ["-c", "0", command, ...args], { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const waiting = [];
  const seen = [];
  createInterface({ input: child.stdout }).on("line", (line) => (waiting.length ? waiting.shift()(line) : seen.push(line)));
  return { child, line: () => (seen.length ? Promise.resolve(seen.shift()) : new Promise((r) => waiting.push(r))) };
}
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

async function up(url, headers = {}) {
  for (let i = 0; i < 200; i++) {
    try {
      const answer = await fetch(url, { headers, redirect: "manual" });
      if (answer.ok) return (await answer.arrayBuffer()).byteLength;
    } catch {}
    await sleep(50);
  }
  throw new Error(`${url} does not answer`);
}

/** Requests a second and the slowest of a hundred, by wrk on the second core. */
function load(url, connections, header) {
  const runs = [0, 1, 2].map(() => {
    const args = ["-c", "1", "wrk", "-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "--timeout", "20s", ...(header ? ["-H", header] : []), url];
    const out = execFileSync("taskset", args, { encoding: "utf8" });
    // A peer that keeps somebody waiting for too long has answered none the less: its slowest say so.
    if (/Non-2xx|connect [1-9]|read [1-9]/.test(out)) throw new Error(out);
    const ms = (text) => parseFloat(text) * (/us$/.test(text) ? 0.001 : /ms$/.test(text) ? 1 : 1000);
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), p99: ms(/99%\s+(\S+)/.exec(out)[1]) };
  });
  return { rate: median(runs.map((r) => r.rate)), p99: median(runs.map((r) => r.p99)) };
}
const shown = ({ rate, p99 }) => `${rate.toFixed(0)}/s, p99 ${p99.toFixed(1)} ms`;

async function ours(accounts, jobs) {
  const folder = mkdtempSync(join(tmpdir(), "slipway-pages-"));
  execFileSync("ln", ["-s", SITE, join(folder, "site")]);
  const server = start(PAGES, [folder, String(accounts), String(jobs)]);
  const told = JSON.parse(await server.line());
  return { ...told, ...server, folder, pid: server.child.pid };
}

async function svelte(folder, port) {
  const server = start("node", [join(SVELTE, "build/index.js")], { PORT: String(port), DATABASE: join(folder, "slipway.db"), ORIGIN: `http://127.0.0.1:${port}` });
  await up(`http://127.0.0.1:${port}/table`);
  return { url: `http://127.0.0.1:${port}`, ...server };
}

async function end(server) {
  server.child.kill("SIGKILL");
  if (server.folder) rmSync(server.folder, { recursive: true, force: true });
  await sleep(300);
}

/** B5 and B6. */
async function pages() {
  const us = await ours(0, 2000);
  const peer = await svelte(us.folder, 4173);
  const bytes = [await up(`${us.table}/table`), await up(`${peer.url}/table`)];
  for (const c of [8, 25, 100]) {
    const [a, b] = [load(`${us.table}/table`, c), load(`${peer.url}/table`, c)];
    console.log(`| B5 a table of 1,000 rows, ${c} connections | ${shown(a)} | ${shown(b)} | ${(a.rate / b.rate).toFixed(2)} × |`);
  }
  console.log(`| B5 bytes of the page | ${(bytes[0] / 1000).toFixed(0)} kB | ${(bytes[1] / 1000).toFixed(0)} kB | |`);
  const db = new Database(join(us.folder, "slipway.db"), { readonly: true });
  const key = db.prepare("SELECT id_hash FROM session LIMIT 1").get().id_hash;
  db.close();
  const [mine, theirs] = [`Cookie: ${us.staff}`, `Cookie: session=${encodeURIComponent(key)}`];
  const size = [await up(`${us.url}/staff/jobs`, { cookie: us.staff, accept: "text/html" }), await up(`${peer.url}/jobs`, { cookie: theirs.slice(8) })];
  for (const c of [1, 8, 25]) {
    const [a, b] = [load(`${us.url}/staff/jobs`, c, mine), load(`${peer.url}/jobs`, c, theirs)];
    console.log(`| B6 the list of jobs, signed in, 50 rows, ${c} connections | ${shown(a)} | ${shown(b)} | ${(a.rate / b.rate).toFixed(2)} × |`);
  }
  console.log(`| B6 bytes of the page | ${(size[0] / 1000).toFixed(0)} kB | ${(size[1] / 1000).toFixed(0)} kB | |`);
  console.log(`| P15 memory after that | ${rss(us.pid).toFixed(0)} MB | ${rss(peer.child.pid).toFixed(0)} MB | |`);
  await end(peer);
  await end(us);
}

/** Streams that are open at once: a raw socket each. `last` is when the latest event came, by stream. */
async function open(address, requests) {
  const { hostname, port } = new URL(address);
  const all = requests.map(() => ({ events: 0, last: 0 }));
  let opened = 0;
  const one = (request, state) =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(request));
      let begun = false;
      socket.on("data", (chunk) => {
        if (!begun) {
          begun = true;
          if (!String(chunk).includes(" 200 ")) return reject(new Error(String(chunk).slice(0, 200)));
          opened++;
          resolve(socket);
        }
        if (chunk.includes("data:")) {
          state.events++;
          state.last = performance.timeOrigin + performance.now();
        }
      });
      socket.on("error", reject);
    });
  const sockets = [];
  for (let i = 0; i < requests.length; i += 100) {
    const part = requests.slice(i, i + 100).map((r, j) => one(r, all[i + j]));
    sockets.push(...(await Promise.all(part)));
  }
  return { all, sockets, opened };
}

/** How long after `at` the last of `among` heard of it. */
async function heard(streams, among, before, at) {
  for (let i = 0; i < 1200; i++) {
    if (among.every((s) => streams.all[s].events > before[s])) break;
    await sleep(10);
  }
  const missing = among.filter((s) => streams.all[s].events <= before[s]).length;
  if (missing) throw new Error(`${missing} of ${among.length} streams heard nothing`);
  return Math.max(...among.map((s) => streams.all[s].last)) - at;
}

async function fan(name, address, requests, each, change, memory) {
  const idle = memory();
  const streams = await open(address, requests);
  await sleep(3000);
  const perStream = ((memory() - idle) * 1024) / requests.length;
  const everyone = requests.map((_, i) => i);
  const result = {};
  for (const [kind, among] of [["one", everyone.slice(0, each)], ["all", everyone]]) {
    const runs = [];
    for (let i = 0; i < 3; i++) {
      const before = streams.all.map((s) => s.events);
      const at = await change(kind);
      runs.push(await heard(streams, among, before, at));
      await sleep(1500);
    }
    result[kind] = median(runs);
  }
  for (const socket of streams.sockets) socket.destroy();
  console.log(`| B8 ${name}: ${requests.length} streams of ${requests.length / each} customers | one: ${result.one.toFixed(0)} ms | all: ${result.all.toFixed(0)} ms | ${perStream.toFixed(1)} kB a stream |`);
}

/** The least that can be done: a Node that writes one line to each stream. */
const BARE = `
const http = require("node:http");
const topics = new Map();
http.createServer((request, response) => {
  const topic = request.url.slice(1);
  if (request.method === "POST") {
    const at = performance.timeOrigin + performance.now();
    for (const [name, all] of topics) if (topic === "all" || name === "0") for (const r of all) r.write("data: {}\\n\\n");
    return response.end(String(at));
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(":\\n\\n");
  topics.set(topic, [...(topics.get(topic) ?? []), response]);
}).listen(4174, "127.0.0.1", () => console.log("up"));
`;

/** B8. */
async function streams() {
  const each = 10;
  const us = await ours(STREAMS / each, 0);
  const request = (path, cookie) => `GET ${path} HTTP/1.1\r\nHost: slipway.test\r\nAccept: text/event-stream\r\nCookie: ${cookie}\r\n\r\n`;
  const mine = us.customers.flatMap((c) => Array(each).fill(request("/live/operations?since=0", c.cookie)));
  const change = async (kind) => {
    us.child.stdin.write(`${kind}\n`);
    return Number(await us.line());
  };
  await fan("ours", us.url, mine, each, change, () => rss(us.pid));
  await end(us);
  const file = join(tmpdir(), "slipway-bare.cjs");
  writeFileSync(file, BARE);
  const bare = start("node", [file]);
  await bare.line();
  const theirs = Array.from({ length: STREAMS }, (_, i) => request(`/${Math.floor(i / each)}`, "x=y"));
  const tell = async (kind) => Number(await (await fetch(`http://127.0.0.1:4174/${kind}`, { method: "POST" })).text());
  await fan("a bare Node", "http://127.0.0.1:4174", theirs, each, tell, () => rss(bare.child.pid));
  await end(bare);
}

/** What fifty pages of staff cost while a hundred things a second change: processor time above that of the same changes unseen. */
async function crew() {
  const [open_, rate, seconds] = [50, 100, 20];
  const us = await ours(200, 20_000);
  const spent = () => {
    // utime and stime, in hundredths of a second.
    const fields = readFileSync(`/proc/${us.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const change = async () => {
    const [cpu, from] = [spent(), performance.now()];
    let n = 0;
    while (performance.now() - from < seconds * 1000) {
      us.child.stdin.write("next\n");
      await us.line();
      n += 1;
      await sleep(Math.max(0, from + (n * 1000) / rate - performance.now()));
    }
    return { cpu: ((spent() - cpu) / seconds) * 100, rate: n / seconds };
  };
  const unseen = await change();
  const page = await (await fetch(`${us.url}/staff/jobs`, { headers: { cookie: us.staff, accept: "text/html" } })).text();
  const list = /\/live\/staff\/jobs\?[^"&]*(&amp;(?!quot)[^"&]*)*/.exec(page)[0].replaceAll("&amp;", "&");
  const paths = [list, list, "/live/staff/edges", "/live/staff"];
  const requests = Array.from({ length: open_ }, (_, i) => {
    const cookie = us.crew[i % us.crew.length];
    return `GET ${paths[i % paths.length]} HTTP/1.1\r\nHost: slipway.test\r\nAccept: text/event-stream\r\nCookie: ${cookie}\r\n\r\n`;
  });
  const streams = await open(us.url, requests);
  await sleep(2000);
  const seen = await change();
  for (const socket of streams.sockets) socket.destroy();
  await sleep(2000);
  // Whatever has been added makes the same changes dearer: the same once more, unseen.
  const after = await change();
  const base = (unseen.cpu + after.cpu) / 2;
  const silent = streams.all.filter((s) => s.events < 2).length;
  console.log(
    `| ${open_} streams of staff (half the list of jobs, a quarter edges, a quarter the overview), ${seen.rate.toFixed(0)} changes/s, 20,000 jobs | ` +
      `${(seen.cpu - base).toFixed(1)} % of a core (unseen ${unseen.cpu.toFixed(1)} and ${after.cpu.toFixed(1)} %, seen ${seen.cpu.toFixed(1)} %; ${silent} streams heard nothing) | | |`,
  );
  await end(us);
}

/** From the commit of a change to its paint in a real browser, with two hundred streams open beside it. */
async function paint() {
  const { chromium } = createRequire(join(process.env.PLAYWRIGHT, "x.js"))("@playwright/test");
  const us = await ours(20, 0);
  const request = (cookie) => `GET /live/operations?since=0 HTTP/1.1\r\nHost: slipway.test\r\nAccept: text/event-stream\r\nCookie: ${cookie}\r\n\r\n`;
  const streams = await open(us.url, us.customers.flatMap((c) => Array(10).fill(request(c.cookie))));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  const context = await browser.newContext();
  const [name, value] = us.customers[0].cookie.split("=");
  await context.addCookies([{ name, value, url: us.url }]);
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.painted = [];
    const after = () => requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.timeOrigin + performance.now())));
    document.addEventListener("DOMContentLoaded", () =>
      new MutationObserver(after).observe(document.querySelector("[data-live=now]"), { childList: true, subtree: true }),
    );
  });
  await page.goto(`${us.url}/operations`);
  await page.locator(".live-chip").filter({ hasText: "Live" }).waitFor();
  await sleep(1000);
  const took = [];
  for (let i = 0; i < 100; i++) {
    const before = await page.evaluate(() => window.painted.length);
    us.child.stdin.write("one\n");
    const at = Number(await us.line());
    await page.waitForFunction((n) => window.painted.length > n, before, { polling: 20 });
    took.push((await page.evaluate((n) => window.painted[n], before)) - at);
    await sleep(60);
  }
  took.sort((a, b) => a - b);
  const ms = (q) => took[Math.floor(took.length * q)].toFixed(0);
  console.log(`| U12 from commit to paint, ${streams.opened} streams open | p50 ${ms(0.5)} ms, p95 ${ms(0.95)} ms | | |`);
  await browser.close();
  for (const socket of streams.sockets) socket.destroy();
  await end(us);
}

/** P15: how long until the first page, and what the process then holds. */
async function process_() {
  const runs = [];
  let held = 0;
  const data = mkdtempSync(join(tmpdir(), "slipway-cold-"));
  for (let i = 0; i < 6; i++) {
    const from = performance.now();
    const args = ["serve", "--demo", "--listen", "127.0.0.1:4175", "--data-dir", data, "--site-dir", SITE];
    const server = start(SLIPWAY, args);
    await server.line();
    await (await fetch("http://127.0.0.1:4175/login", { headers: { accept: "text/html" } })).text();
    // The first makes the folder and the accounts.
    if (i > 0) runs.push(performance.now() - from);
    await sleep(2000);
    held = rss(server.child.pid);
    await end(server);
  }
  rmSync(data, { recursive: true, force: true });
  console.log(`| P15 from nothing to the first page, with the simulated cloud beside it | ${median(runs).toFixed(0)} ms | | |`);
  console.log(`| P15 memory while idle | ${held.toFixed(0)} MB | | |`);
}

/** P15: what the pages of a node hold while ten thousand streams are open and a million jobs are queued. */
async function full() {
  const each = 10;
  const us = await ours(STREAMS / each, 1_000_000);
  const request = (cookie) => `GET /live/operations?since=0 HTTP/1.1\r\nHost: slipway.test\r\nAccept: text/event-stream\r\nCookie: ${cookie}\r\n\r\n`;
  const streams = await open(us.url, us.customers.flatMap((c) => Array(each).fill(request(c.cookie))));
  await sleep(3000);
  console.log(`| P15 memory with a million jobs queued and ${streams.opened} streams open | ${rss(us.pid).toFixed(0)} MB | | |`);
  for (const socket of streams.sockets) socket.destroy();
  await end(us);
}

try {
  console.log("| what | slipway | SvelteKit | ours over theirs |\n|---|---|---|---|");
  if (wanted("pages")) await pages();
  if (wanted("streams")) await streams();
  if (wanted("crew")) await crew();
  if (wanted("paint")) await paint();
  if (wanted("process")) await process_();
  if (wanted("full")) await full();
} finally {
  for (const child of children) child.kill("SIGKILL");
}
process.exit(0);
