// Everything by the keyboard alone: nothing here touches a mouse, and each stop can be seen.
import { ANNA, eventually, expect, order, signIn, test } from "../product";
import type { Page } from "@playwright/test";

/** Presses Tab until what has the focus is called this; every stop on the way is visible and not covered. */
async function tabTo(page: Page, name: RegExp, most = 40) {
  // Where the keyboard begins is known once the page is whole.
  await page.waitForLoadState();
  for (let presses = 1; presses <= most; presses++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const at = document.activeElement as HTMLElement | null;
      if (!at || at === document.body) return null;
      const box = at.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 12)];
      const top = document.elementFromPoint(x, y);
      const label = at.labels?.[0]?.innerText ?? "";
      return {
        name: `${at.getAttribute("aria-label") ?? ""} ${label} ${at.innerText ?? ""}`.trim(),
        seen: box.width > 0 && (at.classList.contains("skip") || (!!top && (at.contains(top) || top.contains(at) || !!top.closest("label")))),
        ring: getComputedStyle(at).outlineStyle !== "none" || getComputedStyle(at).boxShadow !== "none",
      };
    });
    if (!stop) continue;
    expect(stop.seen, `"${stop.name}" is covered`).toBe(true);
    expect(stop.ring, `nobody sees that "${stop.name}" has the focus`).toBe(true);
    if (name.test(stop.name)) return presses;
  }
  throw new Error(`${name} was not reached by ${most} presses of Tab`);
}

test("a server is ordered by the keyboard, in 25 presses of Tab at most", async ({ page, product }) => {
  // Of an account with one server and no drafts: a long list is a longer way.
  const email = `keys-${test.info().project.name}@demo.test`;
  product.addAccount(email, "a-long-new-password");
  await signIn(page, email, "a-long-new-password");
  await order(page);
  await page.goto("/servers");
  let presses = await tabTo(page, /^Order a server/);
  await page.keyboard.press("Enter");
  for (const [heading, first] of [
    ["Choose a system", /AlmaLinux/],
    ["Choose a control panel", /No panel/],
    ["Choose the size", /vCPU$/],
    ["Name and access", /Server name/],
  ] as const) {
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    presses += await tabTo(page, first);
    // Enter in a field means "next".
    await page.keyboard.press("Enter");
  }
  await expect(page.getByRole("heading", { level: 1, name: "Review and order" })).toBeVisible();
  presses += await tabTo(page, /^Order for/);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/operations\//);
  expect(presses).toBeLessThanOrEqual(25);
});

test("power, and the end of a server, by the keyboard", async ({ page }) => {
  await page.goto("/login");
  await tabTo(page, /E-mail/);
  await page.keyboard.type(ANNA);
  await tabTo(page, /^Password/);
  await page.keyboard.type("slipway-demo");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/servers/);
  await order(page);
  await eventually(page, /is ready$/);
  await tabTo(page, /Open the server/);
  await page.keyboard.press("Enter");
  await expect(page.locator("html.alive")).toBeAttached();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  await tabTo(page, /^Reboot/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await tabTo(page, /^Reboot$/);
  await page.keyboard.press("Enter");
  await eventually(page, /has been rebooted/);
  await tabTo(page, /Open the server/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await tabTo(page, /^Terminate$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: `Terminate ${name}` })).toBeVisible();
  await tabTo(page, /Type the server name/);
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/operations\//);
  await eventually(page, /is terminated/);
});
