// How every page looks, against how it looked when `cargo xtask looks keep` was last run on this machine: the same browser and
// the same fonts, so that what differs was changed by somebody.
import { defineConfig } from "@playwright/test";
import journeys from "./playwright.config";

const results = process.env.RESULTS ?? "../target/end2end";

export default defineConfig({
  testDir: "looks",
  outputDir: `${results}/looks-changed`,
  snapshotPathTemplate: `${results}/looks/{arg}{ext}`,
  reporter: [["list"]],
  timeout: 300_000,
  expect: {
    timeout: 15_000,
    toHaveScreenshot: { maxDiffPixelRatio: 0.001, animations: "disabled", caret: "hide" },
  },
  workers: 1,
  use: { ...journeys.use, trace: "off", screenshot: "off", actionTimeout: 10_000 },
});
