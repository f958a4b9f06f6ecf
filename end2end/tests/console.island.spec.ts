// The screen of a server: seen, typed on, left by the keyboard, lost with the server's power.
import { ANNA, eventually, expect, order, signIn, test } from "../product";
import { sound } from "../sound";
import type { Page } from "@playwright/test";

/** What the screen shows, as a picture. */
const picture = (page: Page) => page.locator(".console-screen canvas").evaluate((c: HTMLCanvasElement) => c.toDataURL());

test("a server's screen is opened, typed on, and lost when the server goes off", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await eventually(page, /is ready$/);
  await page.getByRole("link", { name: "Open the server" }).click();
  await page.getByRole("link", { name: "Console" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Console of /);
  const status = page.locator("#console [role=status]");
  await expect(status).toHaveText(/Connected/);
  await expect(page.locator("#console-plain")).toBeHidden();
  await expect(page.locator(".console-screen")).toHaveAccessibleDescription(/Shift\+Esc leads back/);
  await sound(page);

  const before = await picture(page);
  await page.locator(".console-screen canvas").click();
  await page.keyboard.type("root");
  await expect.poll(() => picture(page)).not.toBe(before);
  // Tab goes to the server; there is a way out, and it was said.
  await page.keyboard.press("Shift+Escape");
  await expect(page.getByRole("button", { name: "Ctrl+Alt+Del" })).toBeFocused();
  await page.keyboard.press("Enter");
  // Started anew, the screen is as it was.
  await expect.poll(() => picture(page)).toBe(before);
  await page.getByRole("button", { name: "Reconnect" }).click();
  await expect(status).toHaveText(/Connected/);
  await expect.poll(() => picture(page)).toBe(before);

  const console = page.url();
  const other = await page.context().newPage();
  await other.goto(console.replace("/console", ""));
  await other.getByRole("link", { name: "Shut down" }).click();
  await other.getByRole("button", { name: "Shut down" }).click();
  await expect(status).toHaveText(/Connection lost/);
  await eventually(other, /Done/);
  // A server that is off has none, and says so.
  await page.reload();
  await expect(page.getByRole("button", { name: "Console" })).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByText("It is switched off.")).toBeVisible();
});
