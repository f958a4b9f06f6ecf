// What the islands add: hints while typing, the price at once, and no violation of accessibility anywhere.
import { readFileSync } from "node:fs";
import { ADMIN, ANNA, SUPPORT, acceptTerms, eventually, expect, fillOrder, fits, order, signIn, test } from "../product";
import type { Page } from "@playwright/test";

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

async function accessible(page: Page) {
  await page.waitForLoadState();
  await page.evaluate(axe);
  const result = await page.evaluate(() =>
    // @ts-expect-error axe is what was just evaluated
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const found = result.violations.map((v: { id: string; nodes: { html: string }[] }) => [v.id, v.nodes[0].html]);
  expect(found, page.url()).toEqual([]);
  await fits(page);
}

test("no page violates accessibility", async ({ page }) => {
  await page.goto("/login");
  await accessible(page);
  await signIn(page, ANNA);
  await accessible(page);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  for (const next of ["Next: Panel", "Next: Size", "Next: Access"]) {
    await accessible(page);
    await page.getByRole("button", { name: next }).last().click();
  }
  await page.getByLabel("Host name").fill("-");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await accessible(page);
  const operation = await order(page);
  await accessible(page);
  await eventually(page, /is ready$/);
  await accessible(page);
  await page.goto("/operations");
  await accessible(page);
  await page.goto("/servers");
  await accessible(page);
  await page.getByRole("rowheader").getByRole("link").first().click();
  await accessible(page);
  const server = page.url();
  for (const path of ["/resize", "/resize?vcpu=2&ram=1&disk=10&bandwidth=200", "/resize?vcpu=2&ram=1&disk=60&bandwidth=200"]) {
    await page.goto(server + path);
    await accessible(page);
  }
  for (const path of ["/network", "/reinstall", "/confirm?do=snapshot_create", "/confirm?do=reset_password"]) {
    await page.goto(server + path);
    await accessible(page);
  }
  await page.goto(server);
  await page.getByRole("link", { name: "Terminate" }).click();
  await accessible(page);
  await page.goto("/nowhere");
  await accessible(page);
  await signIn(page, SUPPORT);
  await accessible(page);
  await page.goto(operation.replace("/operations/", "/staff/jobs/"));
  await accessible(page);
  for (const path of ["/staff/edges", "/staff/vapps", "/staff/drift"]) {
    await page.goto(path);
    await accessible(page);
  }
  await signIn(page, ADMIN);
  await page.goto("/staff/edges");
  await page.getByRole("link", { name: "Move to another edge" }).first().click();
  await accessible(page);
});

test("the price follows the typing", async ({ page }) => {
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  const total = page.locator("[data-quote=total]");
  const before = await total.textContent();
  await expect(async () => {
    await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("16");
    await expect(total).not.toHaveText(before!, { timeout: 1000 });
  }).toPass();
  await expect(page.locator("[data-quote=ram]")).toHaveText("₽1,920");
});

test("a hint appears when the field is left and goes when it is right", async ({ page }) => {
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  await page.getByRole("button", { name: "Next: Access" }).last().click();
  const hint = page.locator("#hostname-errors");
  await expect(async () => {
    await page.getByLabel("Host name").fill("веб");
    await page.getByLabel("Host name").blur();
    await expect(hint).toContainText("Try veb", { timeout: 1000 });
  }).toPass();
  await page.getByLabel("Host name").fill("web");
  await expect(hint).toBeEmpty();
});

test("the page of an operation stays fresh without being asked", async ({ page }) => {
  await signIn(page, ANNA);
  await fillOrder(page);
  await acceptTerms(page);
  await page.getByRole("button", { name: /^Order for/ }).click();
  await expect(page.getByText("● Live").first()).toBeVisible();
  let loads = 0;
  page.on("load", () => loads++);
  await expect(page.getByText(/is ready$/).first()).toBeVisible({ timeout: 30_000 });
  expect(loads).toBe(0);
});
