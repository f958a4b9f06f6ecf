// What waits shows its place, what it waits for, and a way out.
import { ANNA, eventually, expect, fits, order, signIn, test } from "../product";

// Slow enough to be watched: an order takes about ten seconds.
test.use({ speed: 20 });

test("a terminate waits behind its create, is taken back, and then takes the server away", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await page.goto("/servers");
  await page.getByRole("rowheader").getByRole("link").first().click();
  const name = (await page.getByRole("heading", { level: 1 }).textContent())!.trim();
  const server = page.url();

  await page.getByRole("link", { name: "Terminate" }).click();
  await expect(page.getByText(/It will start after: create/).first()).toBeVisible();
  await page.getByLabel(/Type the server name/).fill("something else");
  await page.getByRole("button", { name: `Terminate ${name}` }).click();
  await expect(page.getByText("The name does not match.").last()).toBeVisible();
  await expect(page.getByLabel(/Type the server name/)).toHaveValue("something else");
  await page.getByLabel(/Type the server name/).fill(` ${name.toUpperCase()} `);
  await page.getByRole("button", { name: `Terminate ${name}` }).click();

  await expect(page.getByText("Next in the queue.").first()).toBeVisible();
  await expect(page.getByText(/Waiting for: create .* \(step \d+ of 10\)/).first()).toBeVisible();
  await fits(page);
  await page.getByRole("button", { name: "Cancel request" }).click();
  await expect(page.getByText("Request cancelled. Nothing was changed.").first()).toBeVisible();

  await page.goto(`${server}/terminate`);
  await page.getByLabel(/Type the server name/).fill(name);
  await page.getByRole("button", { name: `Terminate ${name}` }).click();
  await expect(page.getByText("Next in the queue.").first()).toBeVisible();
  await eventually(page, `${name} is terminated`, 50);
  await page.goto(server);
  await expect(page.getByText(/This server was terminated on/).first()).toBeVisible();
});

test("a second order waits for the first and says so, step by step", async ({ page }) => {
  await signIn(page, ANNA);
  await order(page);
  await order(page);
  await expect(page.getByText("Next in the queue.").first()).toBeVisible();
  await eventually(page, /Waiting for: create .* \(step ([4-9]|10) of 10\)/, 40);
  await eventually(page, /is ready$/, 50);
});
