// The product under test: a real server process with a data folder of its own, and a page that tolerates no error.
import { test as base, expect, type Page } from "@playwright/test";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export { expect };

export const PASSWORD = "slipway-demo";
export const ANNA = "customer@demo.test";
export const BORIS = "customer2@demo.test";
export const SUPPORT = "support@demo.test";
export const ADMIN = "admin@demo.test";

export class Product {
  url = "";
  private process?: ChildProcess;
  readonly data = mkdtempSync(join(tmpdir(), "slipway-"));

  constructor(
    private readonly speed: number,
    private readonly edges = 130,
  ) {}

  async start() {
    const program = process.env.SLIPWAY ?? "../target/debug/slipway";
    const port = this.url ? new URL(this.url).port : "0";
    const args = ["serve", "--demo", "--listen", `127.0.0.1:${port}`, "--data-dir", this.data];
    const child = spawn(program, [...args, "--sim-speed", String(this.speed), "--sim-edges", String(this.edges)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    let log = "";
    child.stderr!.on("data", (chunk) => (log += chunk));
    this.url = await new Promise<string>((resolve, reject) => {
      child.stdout!.on("data", (chunk) => {
        const ready = /ready on (http:\S+)/.exec(String(chunk));
        if (ready) resolve(ready[1]);
      });
      child.on("exit", (code) => reject(new Error(`slipway ended with ${code}\n${log}`)));
    });
  }

  /** Ends it without a chance to clean up. */
  async kill() {
    const child = this.process!;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await Promise.race([ended, gone]);
  }

  async stop() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Adds a customer, as an operator does. */
  addAccount(email: string, password: string) {
    const program = process.env.SLIPWAY ?? "../target/debug/slipway";
    const args = ["account-add", "--email", email, "--name", "Zoe", "--role", "customer", "--data-dir", this.data];
    execFileSync(program, args, { input: password, stdio: ["pipe", "ignore", "inherit"] });
  }

  /** What the simulated cloud holds. */
  cloud() {
    const file = join(this.data, "cloud.json");
    // Nothing is saved before the first change.
    const empty = { networks: {}, vapps: {}, vms: {} };
    const world = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : empty;
    return {
      networks: Object.values<{ edge: string }>(world.networks),
      vapps: Object.values(world.vapps),
      vms: Object.values(world.vms),
    };
  }
}

type Fixtures = { strict: void; wasm: boolean };
type WorkerFixtures = { speed: number; product: Product };

export const test = base.extend<Fixtures, WorkerFixtures>({
  // An order takes about four seconds.
  speed: [60, { scope: "worker", option: true }],

  product: [
    async ({ speed }, use) => {
      const product = new Product(speed);
      await product.start();
      await use(product);
      await product.stop();
    },
    { scope: "worker" },
  ],

  // Whether the islands arrive: without them a page is what it is without scripts.
  wasm: [true, { option: true }],

  context: async ({ context, wasm }, use) => {
    if (!wasm) await context.route(/\.wasm$/, (route) => route.abort());
    await use(context);
  },

  baseURL: async ({ product }, use) => use(product.url),

  // Anything a page complains about fails its test.
  strict: [
    async ({ page, wasm }, use) => {
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("response", (response) => {
        if (response.status() >= 500) complaints.push(`${response.status()} ${response.url()}`);
      });
      await use();
      const expected = /status of (403|404|410)|net::ERR_(INCOMPLETE_CHUNKED|EMPTY_RESPONSE|CONNECTION)/;
      const withheld = (c: string) => !wasm && /Failed to fetch|ERR_FAILED/.test(c);
      expect(complaints.filter((c) => !expected.test(c) && !withheld(c))).toEqual([]);
    },
    { auto: true },
  ],
});

/** Signs in on a fresh context. */
export async function signIn(page: Page, email: string, password = PASSWORD) {
  // Away from whatever is live: it would ask without its session.
  await page.goto("about:blank");
  await page.context().clearCookies();
  await page.goto("/login");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).not.toHaveURL(/login/);
}

type Change = { size?: (page: Page) => Promise<void>; access?: (page: Page) => Promise<void> };

/** From the list of servers to the last step, with what `change` does on the way. */
export async function fillOrder(page: Page, change: Change = {}) {
  await page.goto("/servers");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await expect(page.getByRole("heading", { name: "Choose a system" })).toBeVisible();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await expect(page.getByRole("heading", { name: "Choose the size" })).toBeVisible();
  await change.size?.(page);
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  await expect(page.getByRole("heading", { name: "Name and access" })).toBeVisible();
  await change.access?.(page);
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByRole("heading", { name: "Review and order" })).toBeVisible();
}

/** The first order of an account asks for it. */
export async function acceptTerms(page: Page, text = "I accept the terms.") {
  const box = page.getByLabel(text);
  if (await box.count()) await box.check();
}

/** Orders with the defaults. Ends on the page of the operation and returns its address. */
export async function order(page: Page, change: Change = {}) {
  await fillOrder(page, change);
  await acceptTerms(page);
  await page.getByRole("button", { name: /^Order for/ }).click();
  await expect(page).toHaveURL(/\/operations\//);
  return page.url();
}

/** Pages are pushed what changes. */
export function live() {
  const use = test.info().project.use as { javaScriptEnabled?: boolean; wasm?: boolean };
  return use.javaScriptEnabled !== false && use.wasm !== false;
}

/** Waits for a text: by itself where there is a script, else by asking again as the page says it will. */
export async function eventually(page: Page, text: string | RegExp, seconds = 30) {
  const script = live();
  const found = page.getByText(text).first();
  if (script) {
    await expect(found).toBeVisible({ timeout: seconds * 1000 });
    return;
  }
  await expect(async () => {
    await page.reload();
    await expect(found).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: seconds * 1000 });
}

/** Nothing sticks out to the side. */
export async function fits(page: Page) {
  const width = page.viewportSize()!.width;
  const box = await page.locator("html").boundingBox();
  const wide = await page.locator("main").evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(box!.width).toBeLessThanOrEqual(width);
  expect(wide).toBeLessThanOrEqual(1);
  // A value has room for a word beside its name, and its letters do not stand below each other.
  const cramped = await page
    .locator("main dd")
    .evaluateAll((all) => all.filter((dd) => dd.checkVisibility() && dd.clientHeight > 4 * dd.clientWidth).length);
  expect(cramped, page.url()).toBe(0);
}
