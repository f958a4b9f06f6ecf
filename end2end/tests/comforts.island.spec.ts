// What a script adds to pages that work without one: questions in a dialog, menus and pages by keys, tools for passwords
// and keys, sliders, the browser's own time zone.
import { ANNA, SUPPORT, eventually, expect, fits, order, signIn, test } from "../product";
import { sound } from "../sound";
import type { Page } from "@playwright/test";

/** The islands have attached themselves. */
async function alive(page: Page) {
  await expect(page.locator("html.alive")).toBeAttached();
}

test("a question is asked in a dialog, answered there, and its page is still there", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  await page.getByRole("link", { name: "Open the server" }).click();
  await alive(page);
  const reboot = page.getByRole("link", { name: "Reboot" });
  await reboot.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await expect(dialog.getByRole("heading")).toHaveText(/Reboot/);
  await fits(page);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  // Where it came from is where one goes on.
  await expect(reboot).toBeFocused();
  await reboot.click();
  await dialog.getByRole("link", { name: "Cancel" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page).toHaveURL(/\/servers\/[0-9a-f-]+$/);
  await reboot.click();
  await dialog.getByRole("button", { name: "Reboot" }).click();
  await expect(page).toHaveURL(/\/operations\//);
  await eventually(page, /Done/);
});

test("menus go by arrows and close by Escape and by a click elsewhere", async ({ page }) => {
  await signIn(page, ANNA);
  await alive(page);
  const menu = page.locator("details.menu").first();
  await menu.locator("summary").focus();
  await page.keyboard.press("ArrowDown");
  await expect(menu.getByRole("button", { name: "English" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(menu.getByRole("button", { name: "Русский" })).toBeFocused();
  await page.keyboard.press("End");
  await expect(menu.getByRole("button", { name: "Dark" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(menu).not.toHaveAttribute("open");
  await expect(menu.locator("summary")).toBeFocused();
  await menu.locator("summary").click();
  await expect(menu).toHaveAttribute("open", "");
  await page.locator("footer").click();
  await expect(menu).not.toHaveAttribute("open");
});

test("keys lead where links lead, are listed, and can be switched off", async ({ page }) => {
  await signIn(page, ANNA);
  await alive(page);
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page).toHaveURL(/\/operations$/);
  await alive(page);
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading", { name: "Keys" })).toBeVisible();
  await dialog.getByRole("searchbox").fill("serv");
  await expect(dialog.getByRole("link", { name: "Servers" })).toBeVisible();
  await expect(dialog.getByRole("link", { name: "Operations" })).toBeHidden();
  await dialog.getByRole("link", { name: "Servers" }).click();
  await expect(page).toHaveURL(/\/servers$/);
  await alive(page);
  await page.keyboard.press("Control+k");
  await expect(dialog).toBeVisible();
  await page.goto("/account");
  await page.getByLabel("Single-letter keys", { exact: true }).selectOption("off");
  await page.getByRole("button", { name: "Save: Single-letter keys" }).click();
  await alive(page);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.waitForTimeout(300);
  await expect(page).toHaveURL(/\/account/);
  // Without a dialog the list is a page.
  await page.goto("/keys");
  await expect(page.getByRole("heading", { level: 1, name: "Keys" })).toBeVisible();
  await fits(page);
});

test("a password can be seen, made, and is held against its rules", async ({ page }) => {
  await page.goto("/login");
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("secret");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(password).toHaveAttribute("type", "text");
  await page.getByRole("button", { name: "Hide" }).click();
  await expect(password).toHaveAttribute("type", "password");

  await signIn(page, ANNA);
  await toAccess(page);
  const own = page.locator("#guest_password");
  const rule = (text: string) => page.locator(".rules li", { hasText: text });
  await own.fill("short");
  await expect(page.getByRole("radio", { name: "My own" })).toBeChecked();
  await expect(rule("12 to 64 characters")).not.toHaveClass(/holds/);
  await expect(rule("Latin letters")).toHaveClass(/holds/);
  await own.fill("пароль");
  await expect(rule("Latin letters")).not.toHaveClass(/holds/);
  await page.getByRole("button", { name: "Make one" }).click();
  expect(await own.inputValue()).toMatch(/^[\w\-+=.:]{24}$/);
  await expect(rule("12 to 64 characters")).toHaveClass(/holds/);
  await expect(page.locator(".rules .holds")).toHaveCount(3);
  await fits(page);
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await expect(page.getByRole("heading", { name: "Review and order" })).toBeVisible();
});

test("a private key is taken out before anything is sent", async ({ page }) => {
  await signIn(page, ANNA);
  await toAccess(page);
  const keys = page.getByLabel("SSH keys");
  await keys.fill("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----");
  await expect(keys).not.toHaveValue(/b3Blbn/);
  await expect(page.locator("#ssh_keys-errors")).toContainText("private");
  await keys.fill("ssh-dss AAAA");
  await keys.blur();
  await expect(page.locator("#ssh_keys-errors")).toContainText("Line 1");
});

test("a slider and its number are one, and the price follows both", async ({ page }) => {
  await signIn(page, ANNA);
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await page.getByRole("button", { name: "Next: Panel" }).last().click();
  await page.getByRole("button", { name: "Next: Size" }).last().click();
  const slider = page.getByRole("slider", { name: "RAM, GB" });
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("spinbutton", { name: "RAM, GB" })).toHaveValue("3");
  await expect(slider).toHaveAttribute("aria-valuetext", "3 GB");
  await expect(page.locator("[data-quote=ram]")).toHaveText("₽360");
  await page.keyboard.press("PageUp");
  await expect(page.getByRole("spinbutton", { name: "RAM, GB" })).toHaveValue("13");
  await page.getByRole("spinbutton", { name: "RAM, GB" }).fill("8");
  await expect(slider).toHaveValue("8");
  await fits(page);
});

test("the name that confirms is told while it is typed", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  await page.getByRole("link", { name: "Open the server" }).click();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  await page.getByRole("link", { name: "Terminate" }).click();
  await alive(page);
  await page.getByLabel(/Type the server name/).fill("web");
  await expect(page.getByText("Not its name yet.")).toBeVisible();
  await page.getByLabel(/Type the server name/).fill(` ${name.toUpperCase()} `);
  await expect(page.getByText("✓ This is its name.")).toBeVisible();
});

test.describe("in another time zone", () => {
  test.use({ timezoneId: "Asia/Yekaterinburg" });
  test("the browser's zone is offered once", async ({ page }) => {
    await signIn(page, SUPPORT);
    await expect(page.getByText("Your browser uses Asia/Yekaterinburg. Use it here?")).toBeVisible();
    await fits(page);
    await page.getByRole("button", { name: "Use it" }).click();
    await expect(page.getByText("Times are in Asia/Yekaterinburg")).toBeVisible();
    await alive(page);
    await expect(page.getByText("Use it here?")).toHaveCount(0);
  });
});

test.describe("where the clock shows the same", () => {
  test.use({ timezoneId: "Europe/Istanbul" });
  test("no other zone is offered", async ({ page, product }) => {
    await signIn(page, SUPPORT);
    await page.context().addCookies([{ name: "lang", value: "ru", url: product.url }]);
    await page.goto("/staff");
    await expect(page.getByText("МСК").first()).toBeVisible();
    await alive(page);
    await expect(page.locator("#zone-offer")).toBeHidden();
  });
});

test("nothing of the islands is asked for before something is painted", async ({ page }) => {
  await page.goto("/login");
  await alive(page);
  const [painted, asked] = await page.evaluate(() => [
    performance.getEntriesByName("first-contentful-paint")[0].startTime,
    performance.getEntriesByType("resource").filter((one) => /slipway(_bg\.wasm|\.js)$/.test(one.name)).map((one) => one.startTime),
  ] as [number, number[]]);
  expect(asked).toHaveLength(2);
  expect(Math.min(...asked)).toBeGreaterThanOrEqual(painted);
});

async function toAccess(page: Page) {
  await page.getByRole("button", { name: "Order a server" }).first().click();
  for (const next of ["Next: Panel", "Next: Size", "Next: Access"]) {
    await page.getByRole("button", { name: next }).last().click();
  }
  await expect(page.getByRole("heading", { name: "Name and access" })).toBeVisible();
  await alive(page);
}

test("what ends elsewhere is told of where one is, and goes by itself", async ({ page, context }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  await page.getByRole("link", { name: "Open the server" }).click();
  const server = page.url();
  await page.goto("/servers");
  await expect(page.locator(".live-chip")).toHaveText(/Live/);
  const other = await context.newPage();
  await other.goto(server);
  const name = (await other.getByRole("heading", { level: 1 }).textContent())!.trim();
  await other.getByRole("link", { name: "Reboot" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Reboot" }).click();
  await expect(other).toHaveURL(/\/operations\//);
  const toast = page.locator(".toast");
  await expect(toast).toHaveText(new RegExp(`Reboot ${name}.*Done`));
  await sound(page);
  // Looked at, it stays; left alone, it goes.
  await toast.hover();
  await page.waitForTimeout(7_000);
  await expect(toast).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(toast).toHaveCount(0, { timeout: 15_000 });
  // Its own page tells of it by itself.
  await expect(other.getByText(/has been rebooted/).first()).toBeVisible();
  await expect(other.locator(".toast")).toHaveCount(0);
});
