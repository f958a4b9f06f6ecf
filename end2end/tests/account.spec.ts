// What people keep of themselves, and what it changes elsewhere.
import { ANNA, BORIS, expect, fits, signIn, test } from "../product";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9IEpYUAJh0/P4XDUpNxFmN7i3CIFTuMHHjL7C1mQzX anna@laptop";

test("a zone, a language and a name are kept", async ({ page }) => {
  await signIn(page, BORIS);
  await page.goto("/account");
  await fits(page);
  await page.getByLabel("Time zone", { exact: true }).selectOption("Asia/Novosibirsk");
  await page.getByRole("button", { name: "Save: Time zone" }).click();
  await expect(page.getByText("Times are in Asia/Novosibirsk")).toBeVisible();
  await expect(page.getByText(/since .*UTC\+07:00/).first()).toBeVisible();
  await page.getByLabel("Your name").fill("Boris B.");
  await page.getByRole("button", { name: "Save", exact: true }).first().click();
  await expect(page.getByText("Saved.").first()).toBeVisible();
  await expect(page.getByLabel("Your name")).toHaveValue("Boris B.");
  await page.getByLabel("Your name").fill("Boris");
  await page.getByRole("button", { name: "Save", exact: true }).first().click();
});

test("a kept key is a click away when ordering", async ({ page }) => {
  await signIn(page, ANNA);
  await page.goto("/account");
  await page.getByLabel("Public key").fill("ssh-ed25519 cut");
  await page.getByRole("button", { name: "Add key" }).click();
  await expect(page.getByText(/Line 1: the key is cut off/).first()).toBeVisible();
  await expect(page.getByLabel("Public key")).toHaveValue("ssh-ed25519 cut");
  await fits(page);
  await page.getByLabel("Public key").fill(KEY);
  await page.getByLabel("Name of the key (optional)").fill("Laptop");
  await page.getByRole("button", { name: "Add key" }).click();
  await expect(page.getByText("The key is kept.").first()).toBeVisible();

  await page.goto("/servers");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  for (const next of ["Next: Panel", "Next: Size", "Next: Access"]) {
    await page.getByRole("button", { name: next }).last().click();
  }
  await page.getByRole("button", { name: "Add Laptop" }).click();
  await expect(page.locator("#ssh_keys")).toHaveValue(KEY);
  await expect(page.getByLabel("SSH key and password")).toBeChecked();

  await page.goto("/account");
  await page.getByRole("button", { name: "Remove: Laptop" }).click();
  await expect(page.getByText("No keys yet.", { exact: false })).toBeVisible();
});

test("another session is ended, and a changed password ends the rest", async ({ page, browser, product }) => {
  const [email, first, next] = [`${Date.now()}@demo.test`, "lamp-post-over-water", "eleven-lamps-over-a-bridge"];
  product.addAccount(email, first);
  await signIn(page, email, first);
  const other = await browser.newContext({ baseURL: product.url });
  const there = await other.newPage();
  await signIn(there, email, first);
  await page.goto("/account");
  await expect(page.getByRole("button", { name: /^End: / })).toHaveCount(1);
  await page.getByRole("button", { name: /^End: / }).click();
  await expect(page.getByText("1 session was ended.").first()).toBeVisible();
  await there.goto("/servers");
  await expect(there).toHaveURL(/login/);

  await signIn(there, email, first);
  const change = async (current: string) => {
    await page.getByLabel("Current password").fill(current);
    await page.getByLabel("New password").fill(next);
    await page.getByRole("button", { name: "Change password" }).click();
  };
  await change("wrong wrong wrong");
  await expect(page.getByText("The current password is wrong.").first()).toBeVisible();
  await fits(page);
  await change(first);
  await expect(page.getByText("1 other session was ended.", { exact: false }).first()).toBeVisible();
  await there.goto("/servers");
  await expect(there).toHaveURL(/login/);
  await signIn(there, email, next);
  await other.close();
});
