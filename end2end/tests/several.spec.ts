// Several servers are shut down and started at once: first it is shown what would happen to each.
import { eventually, expect, fits, order, signIn, test } from "../product";

test("several servers are chosen, looked at, and shut down; what cannot be is said", async ({ page, product }, info) => {
  const email = `several-${info.project.name}-${info.workerIndex}-${info.retry}@demo.test`;
  product.addAccount(email, "correct horse battery");
  await signIn(page, email, "correct horse battery");
  await order(page);
  await eventually(page, /is ready$/, 50);
  await order(page);
  await eventually(page, /is ready$/, 50);
  await page.goto("/servers");
  const boxes = page.getByRole("checkbox", { name: /^Choose / });
  await expect(boxes).toHaveCount(2);
  // Nothing chosen: said, with a way back.
  await page.getByRole("button", { name: "Shut down", exact: true }).click();
  await expect(page.getByText("No server is chosen")).toBeVisible();
  await page.getByRole("link", { name: "Back to the list" }).click();
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await fits(page);
  // Both are running already.
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByText("It can be done to none of them now.")).toBeVisible();
  await expect(page.getByText("It is running already.")).toHaveCount(2);
  await fits(page);
  await page.getByRole("link", { name: "Back to the list" }).click();
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole("button", { name: "Shut down", exact: true }).click();
  await page.getByRole("button", { name: "Shut down 2 servers" }).click();
  await expect(page.getByText("2 operations accepted.")).toBeVisible();
  await eventually(page, "Nothing is running.", 50);
  await page.goto("/servers");
  await boxes.nth(0).check();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByRole("button", { name: "Start 1 server" }).click();
  await expect(page.getByText("1 operation accepted.")).toBeVisible();
  await eventually(page, "Nothing is running.", 50);
  // One is off, one is on: starting both starts the one, and says so before.
  await page.goto("/servers");
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByText(/^\W*Will be done$/)).toHaveCount(1);
  await expect(page.getByText(/^\W*Will not be done$/)).toHaveCount(1);
  await page.getByRole("button", { name: "Start 1 server" }).click();
  await expect(page.getByText("1 operation accepted.")).toBeVisible();
  await eventually(page, "Nothing is running.", 50);
});

test("what ran together is shown as a table and as lanes", async ({ page, product }, info) => {
  const email = `lanes-${info.project.name}-${info.workerIndex}-${info.retry}@demo.test`;
  product.addAccount(email, "correct horse battery");
  await signIn(page, email, "correct horse battery");
  await order(page);
  await order(page);
  await page.goto("/operations");
  await eventually(page, "Nothing is running.", 60);
  await page.locator("details.lanes summary").click();
  const lanes = page.locator("details.lanes");
  await expect(lanes.getByRole("row")).toHaveCount(3);
  await expect(lanes.getByRole("img", { name: "The latest operations as bars along the time" })).toBeVisible();
  // A bar for each that ran, and one for the wait of the second, if the first was still at work when it was ordered.
  expect(await lanes.locator("rect").count()).toBeGreaterThanOrEqual(2);
  await fits(page);
});
